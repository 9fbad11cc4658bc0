//! What the tests stand on: processes, a runtime with its database, load, raw clients.
//!
//! Refuses fixed pauses: a test waits for a value, within a bound.

mod process;

mod database;
mod load;
mod raw;

mod world;

use std::time::Duration;

use contract::clock::Clock;

pub(crate) use database::Database;
pub(crate) use load::{Load, Outcome, failures};
pub(crate) use process::Process;
pub(crate) use raw::{Member, certificate_request, foreign_member, stranger};
pub(crate) use world::{Peer, World, said};

/// Rhythm of looking again.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until there is something, at most for `limit`; says how long it took.
pub(crate) async fn eventually<T, F>(limit: Duration, what: &str, mut look: F) -> (T, Duration)
where
    F: AsyncFnMut() -> Option<T>,
{
    let clock = Clock::system();
    let begun = clock.monotonic();
    loop {
        if let Some(found) = look().await {
            return (found, clock.monotonic().since(begun));
        }
        let waited = clock.monotonic().since(begun);
        assert!(waited < limit, "{what}: not within {limit:?}");
        clock.sleep(LOOK_EVERY).await;
    }
}

/// Whether the long versions run.
pub(crate) fn soak() -> bool {
    std::env::var("BRIDGE_SOAK").is_ok_and(|it| it == "1")
}

/// Tests whose body runs on SQLite and, when there is a server, on PostgreSQL at the same time.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block)+) => {$(
        $(#[$meta])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            async fn case(world: $crate::harness::World) {
                // Bodies restart the runtime or not; they all own it.
                #[allow(unused_mut)]
                let mut $world = world;
                $body
            }
            let sqlite = tokio::spawn(async {
                case($crate::harness::World::start($crate::harness::Database::sqlite()).await).await;
            });
            let postgres = $crate::harness::Database::postgres().await;
            if let Some(database) = postgres {
                let server = database.clone();
                let outcome = tokio::spawn(async {
                    case($crate::harness::World::start(database).await).await;
                })
                .await;
                server.remove().await;
                if let Err(failed) = outcome {
                    std::panic::resume_unwind(failed.into_panic());
                }
            }
            if let Err(failed) = sqlite.await {
                std::panic::resume_unwind(failed.into_panic());
            }
        }
    )+};
}
pub(crate) use on_both_databases;
