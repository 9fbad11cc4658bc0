//! Open files: connections are files too, and a process that runs out of them cannot store
//! anything either.
//!
//! Invariant: however many connections come, some files are left for the store, the operator's
//! socket and the proxy.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that connections never take.
const RESERVED: u64 = 256;

/// Raises this process's limit to the most the system allows it. For a process that is a runtime
/// and nothing else.
pub(crate) fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

/// As many connections as wanted, or as the limit of open files leaves room for.
pub(super) fn connections_max(wanted: usize) -> usize {
    let Some(limit) = getrlimit(Resource::Nofile).current else {
        return wanted;
    };
    let room = limit.saturating_sub(RESERVED).max(limit / 4);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            connections = room,
            wanted,
            "the limit of open files leaves room for fewer connections than network.max_connections; raise it (ulimit -n)"
        );
    }
    room.min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(connections_max(1), 1);
        let limit = getrlimit(Resource::Nofile).current;
        let most = connections_max(usize::MAX);
        assert!(limit.is_none_or(|limit| (most as u64) < limit), "{most}");
    }
}
