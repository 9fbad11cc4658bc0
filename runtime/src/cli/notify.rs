//! A word to systemd: that the runtime serves, that it is alive, that it stops.
//!
//! One datagram each, to the socket that `NOTIFY_SOCKET` names. Nobody there, or a socket that does
//! not answer, is never a reason to stop: the service manager has its own patience.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use contract::clock::Clock;

/// Whoever started this process and wants to hear of it.
#[derive(Debug)]
pub(super) struct ServiceManager {
    to: Option<(UnixDatagram, SocketAddr)>,
    /// Longest silence it accepts.
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// As the environment names it.
    pub(super) fn from_environment() -> Self {
        let name = std::env::var_os("NOTIFY_SOCKET");
        let address = name.as_deref().and_then(|it| address(it.as_bytes()));
        let to = address.and_then(|address| {
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            Some((socket, address))
        });
        let us = std::env::var("WATCHDOG_USEC").ok();
        let us = us.and_then(|it| it.parse().ok()).filter(|it| *it > 0);
        Self {
            to,
            watchdog: us.map(Duration::from_micros),
        }
    }

    /// Every port is bound.
    pub(super) fn ready(&self) {
        self.say("READY=1");
    }

    /// From here on it takes its time to stop.
    pub(super) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// Says that the process is alive, twice in each span it is given; never returns. It says so
    /// from the executor that serves everything else: when that hangs, this falls silent.
    pub(super) async fn stay_alive(&self, clock: &Clock) {
        let Some(watchdog) = self.watchdog else {
            return std::future::pending().await;
        };
        let mut beats = clock.interval(watchdog / 2);
        loop {
            beats.tick().await;
            self.say("WATCHDOG=1");
        }
    }

    fn say(&self, text: &str) {
        if let Some((socket, address)) = &self.to
            && let Err(error) = socket.send_to_addr(text.as_bytes(), address)
        {
            tracing::debug!(error = %error, "the service manager was not told");
        }
    }
}

/// A path, or a name in the abstract namespace after `@`.
fn address(name: &[u8]) -> Option<SocketAddr> {
    match name.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name).ok(),
        None if name.starts_with(b"/") => {
            SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name)).ok()
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_or_an_abstract_name() {
        let path = address(b"/run/x").expect("a path");
        assert!(path.as_pathname().is_some());
        let name = address(b"@x").expect("a name");
        assert_eq!(name.as_abstract_name(), Some(&b"x"[..]));
        assert!(address(b"x").is_none() && address(b"").is_none());
    }

    #[test]
    fn what_is_said_arrives() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("notify");
        let heard = UnixDatagram::bind(&path).expect("binds");
        let socket = UnixDatagram::unbound().expect("a socket");
        let manager = ServiceManager {
            to: Some((socket, SocketAddr::from_pathname(&path).expect("a path"))),
            watchdog: None,
        };
        let mut buffer = [0; 32];
        for (say, text) in [
            (ServiceManager::ready as fn(&ServiceManager), "READY=1"),
            (ServiceManager::stopping, "STOPPING=1"),
        ] {
            say(&manager);
            let read = heard.recv(&mut buffer).expect("arrives");
            assert_eq!(&buffer[..read], text.as_bytes());
        }
        drop(heard);
        manager.ready();
    }
}
