//! What the tests stand on: processes, a runtime with its database, load, raw clients.
//!
//! Refuses fixed pauses: a test waits for a value, within a bound.

mod process;

mod database;
mod load;
mod inside;
mod raw;

mod world;
mod browser;
mod wire;

use std::time::Duration;

use contract::clock::Clock;

pub(crate) use browser::{Browser, setup_token};
pub(crate) use database::Database;
pub(crate) use inside::{key_of, short_leaved};
pub(crate) use load::{Load, failures};
pub(crate) use process::Process;
pub(crate) use raw::{Member, certificate_request, foreign_member, stranger};
pub(crate) use wire::{LoggedIn, PASSWORD, Wire};
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

/// Runs `case` on SQLite and, when there is a server, on PostgreSQL at the same time.
pub(crate) fn on_both<Fut: Future<Output = ()>>(case: impl Fn(World) -> Fut + Sync) {
    let case = &case;
    std::thread::scope(|scope| {
        let sqlite = scope.spawn(move || {
            executor().block_on(async { case(World::start(Database::sqlite()).await).await });
        });
        let postgres = executor();
        let database = postgres.block_on(Database::postgres());
        if let Some(database) = database {
            let server = database.clone();
            let run = move || executor().block_on(async { case(World::start(server).await).await });
            let outcome = scope.spawn(run).join();
            postgres.block_on(database.remove());
            if let Err(failed) = outcome {
                std::panic::resume_unwind(failed);
            }
        }
        if let Err(failed) = sqlite.join() {
            std::panic::resume_unwind(failed);
        }
    });
}

/// Runs `case` on SQLite alone, for what does not depend on the database.
pub(crate) fn on_sqlite_only(case: impl AsyncFnOnce(World)) {
    executor().block_on(async { case(World::start(Database::sqlite()).await).await });
}

fn executor() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the machine gives threads")
}

/// Tests whose body runs by [`on_both`].
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block)+) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            async fn case(world: $crate::harness::World) {
                // Bodies restart the runtime or not; they all own it.
                #[allow(unused_mut)]
                let mut $world = world;
                $body
            }
            $crate::harness::on_both(case);
        }
    )+};
}
pub(crate) use on_both_databases;
