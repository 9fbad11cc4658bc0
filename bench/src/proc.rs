//! What the kernel knows about a process: time on a processor, memory, open files.
//!
//! Refuses to guess: a number that cannot be read is an error, because a zero would look like a
//! very good result.

use std::fs;
use std::time::Duration;

use crate::failure::{Context, Failure, Result};

/// Time all threads of `pid` have spent on a processor so far.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let folder = format!("/proc/{pid}/task");
    let mut nanos = 0;
    for thread in fs::read_dir(&folder).context(&folder)? {
        let path = thread.context(&folder)?.path().join("schedstat");
        // A thread that ended between listing and reading takes its few microseconds along.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let first = text.split_whitespace().next().unwrap_or_default();
        nanos += first.parse::<u64>().context(path.display())?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// Resident memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).context(&path)?;
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|kib| kib.parse::<u64>().ok())
            .map(|kib| kib * 1024)
            .ok_or_else(|| Failure::new(format!("{path} has no {name}")))
    };
    Ok(Memory {
        now: field("VmRSS:")?,
        peak: field("VmHWM:")?,
    })
}

/// How many files this process, and those it starts, may have open.
pub(crate) fn files_max() -> Result<u64> {
    let path = "/proc/self/limits";
    let text = fs::read_to_string(path).context(path)?;
    let line = text.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    match soft {
        Some("unlimited") => Ok(u64::MAX),
        Some(number) => number.parse().context(path),
        None => Err(Failure::new(format!("{path} does not tell the file limit"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_memory() {
        let pid = std::process::id();
        assert!(cpu(pid).expect("readable") > Duration::ZERO);
        let memory = memory(pid).expect("readable");
        assert!(memory.now > 0 && memory.peak >= memory.now);
        assert!(files_max().expect("readable") > 0);
    }
}
