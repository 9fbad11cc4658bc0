//! Secrets of service keys, and passwords of accounts: made once, stored as a slow hash, checked
//! off the async threads.
//!
//! Checking is bounded twice, by how many run and by how many wait, so that a flood of wrong ones
//! costs two cores at most and no memory. A check that runs holds its places until it has ended,
//! whether or not anybody waits for it still: asking and going away makes no room.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::slow_hash::Rooms;

/// Bytes of a key id.
pub(super) const KEY_ID_BYTES: usize = 8;
/// Bytes of a secret. Random, so that guessing is hopeless with any hash.
pub(super) const SECRET_BYTES: usize = 32;
/// Checks that may run at once.
const RUNNING_MAX: usize = 2;
/// Checks that may wait for their turn.
const WAITING_MAX: usize = 512;

/// The check could not be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy;

/// Hashes and checks secrets.
#[derive(Debug)]
pub(crate) struct SecretCheck {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    rooms: Arc<Rooms>,
}

impl SecretCheck {
    pub(crate) fn new() -> Self {
        Self {
            running: Arc::new(Semaphore::new(RUNNING_MAX)),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            rooms: Arc::default(),
        }
    }

    /// Random bytes from the operating system.
    pub(super) fn random<const N: usize>() -> Option<[u8; N]> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The PHC text to store for `secret`; `None` when the system has no randomness.
    pub(crate) async fn hash(&self, secret: Vec<u8>) -> Option<String> {
        let slot = self.running.clone().acquire_owned().await.ok()?;
        let salt = Self::random::<16>()?;
        let rooms = self.rooms.clone();
        let hash = move || {
            let _slot = slot;
            rooms.hash(&secret, &salt)
        };
        tokio::task::spawn_blocking(hash).await.ok()?
    }

    /// Whether `secret` is the one `stored` was made from.
    pub(crate) async fn verify(&self, secret: Vec<u8>, stored: String) -> Result<bool, Busy> {
        let place = self.waiting.clone().try_acquire_owned();
        let place = place.map_err(|_| Busy)?;
        let slot = self.running.clone().acquire_owned().await;
        let slot = slot.map_err(|_| Busy)?;
        let rooms = self.rooms.clone();
        let verify = move || {
            let _held = (place, slot);
            rooms.verify(&secret, &stored)
        };
        tokio::task::spawn_blocking(verify).await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn who_goes_away_frees_no_place_while_the_check_runs() {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .expect("starts");
        runtime.block_on(async {
            // The only thread there is, held until it is told to go on.
            let (go_on, told) = mpsc::channel::<()>();
            let held = tokio::task::spawn_blocking(move || told.recv());
            let check = SecretCheck::new();
            let free = |check: &SecretCheck| {
                let running = check.running.available_permits();
                (running, check.waiting.available_permits())
            };
            {
                let verify = check.verify(b"secret".to_vec(), String::new());
                let (mut verify, mut hash) = (
                    std::pin::pin!(verify),
                    std::pin::pin!(check.hash(b"secret".to_vec())),
                );
                std::future::poll_fn(|cx| {
                    assert!(verify.as_mut().poll(cx).is_pending());
                    assert!(hash.as_mut().poll(cx).is_pending());
                    std::task::Poll::Ready(())
                })
                .await;
            }
            assert_eq!(free(&check), (RUNNING_MAX - 2, WAITING_MAX - 1));
            go_on.send(()).expect("is held");
            held.await.expect("ends").expect("was told");
            while free(&check) != (RUNNING_MAX, WAITING_MAX) {
                tokio::task::yield_now().await;
            }
        });
    }
}
