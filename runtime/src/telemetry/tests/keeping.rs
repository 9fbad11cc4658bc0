//! Keeping and letting go, on both databases.

use std::time::Duration;

use contract::clock::{Clock, ManualClock};
use contract::ids::TraceId;

use super::super::sweep::Swept;
use super::super::{Actor, Frame, Status, Telemetry, TraceFilter};
use super::{actor, start};
use crate::db::bulk::{Place, RowSink};
use crate::db::testing::{TestDb, on_both_databases};
use crate::db::{DbError, History};
use crate::settings::Settings;

const HOUR: Duration = Duration::from_secs(3_600);

/// A sweep's surroundings: a clock that begins now and is moved by hand.
struct Sweeping {
    telemetry: Telemetry,
    settings: Settings,
    clock: Clock,
    hand: ManualClock,
    swept: Swept,
}

impl Sweeping {
    async fn new(t: &TestDb) -> Self {
        let (clock, hand) = Clock::manual(t.clock.now());
        Self {
            telemetry: Telemetry::new(&t.db),
            settings: Settings::open(&t.db, &clock, &t.mint).await.expect("opens"),
            clock,
            hand,
            swept: Swept::default(),
        }
    }

    async fn sweep(&mut self, here: Actor) -> Result<(), DbError> {
        let is_here = |id| id == here.instance;
        let Self {
            telemetry,
            settings,
            clock,
            swept,
            ..
        } = self;
        telemetry.sweep(settings, clock, is_here, swept).await
    }

    async fn sweep_at(&mut self, here: Actor, at_ms: i64) {
        let span = at_ms - self.clock.now().as_millis();
        let span = u64::try_from(span).expect("later than now");
        self.sweep_after(here, Duration::from_millis(span)).await;
    }

    async fn sweep_after(&mut self, here: Actor, span: Duration) {
        self.hand.advance(span);
        self.sweep(here).await.expect("sweeps");
    }
}

fn ids(t: &TestDb, history: History) -> Vec<i64> {
    t.db.slices(history).iter().map(|it| it.id).collect()
}

struct Nowhere;

impl RowSink for Nowhere {
    async fn rows(&mut self, _: u32, _: &[u8]) -> bool {
        true
    }
}

on_both_databases! {
    async fn the_sweep_finds_what_no_one_reported_gone(t: TestDb) {
        let mut sweeping = Sweeping::new(&t).await;
        let (gone, here) = (actor(&t.mint), actor(&t.mint));
        let at_ms = sweeping.clock.now().as_millis();
        let [left, running] = [(); 2].map(|()| start(&t.mint, TraceId::mint(&t.mint), None, at_ms));
        sweeping.telemetry.ingest(gone, vec![left.clone()]).await.expect("stores");
        sweeping.telemetry.ingest(here, vec![running.clone()]).await.expect("stores");
        // The process that took them in is not there any more.
        sweeping.telemetry = Telemetry::new(&t.db);
        sweeping.sweep(here).await.expect("sweeps");
        sweeping.sweep_after(here, Duration::from_secs(31)).await;
        let telemetry = sweeping.telemetry.clone();
        let status = async |frame: &Frame| {
            let op = telemetry.get_operation(frame.op).await.expect("loads");
            op.expect("is there").status
        };
        assert_eq!(status(&left).await, Status::Abandoned);
        assert_eq!(status(&running).await, Status::Pending);
        let given_up = TraceFilter { statuses: vec![Status::Abandoned], ..TraceFilter::default() };
        let page = telemetry.list_traces(&given_up, 0, None).await.expect("lists");
        assert_eq!(page.traces.iter().map(|it| it.trace).collect::<Vec<_>>(), [left.trace]);
        // Its slice is still looked at, for the one that runs.
        sweeping.sweep_after(gone, Duration::from_secs(31)).await;
        sweeping.sweep_after(gone, Duration::from_secs(31)).await;
        assert_eq!(status(&running).await, Status::Abandoned);
    }

    async fn what_is_too_old_goes_slice_by_slice_and_for_each_kind_by_its_own_age(t: TestDb) {
        let mut sweeping = Sweeping::new(&t).await;
        let who = actor(&t.mint);
        let old = start(&t.mint, TraceId::mint(&t.mint), None, 1);
        sweeping.telemetry.ingest(who, vec![old.clone()]).await.expect("stores");
        sweeping.sweep(who).await.expect("sweeps");
        assert_eq!(ids(&t, History::Ops), [1], "it has just begun");

        // Of operations a slice is 14 hours, of logs 6, of metrics 28.
        sweeping.sweep_after(who, 15 * HOUR).await;
        for (history, slices) in [(History::Ops, 2), (History::Logs, 2), (History::Metrics, 1)] {
            assert_eq!(ids(&t, history).len(), slices, "{history:?}");
        }
        let begins = t.db.slices(History::Ops)[1].from_ms;
        assert_eq!(begins, sweeping.clock.now().as_millis() + 10_000, "a moment ahead");
        sweeping.sweep_after(who, Duration::from_secs(5)).await;
        assert_eq!(ids(&t, History::Ops), [1, 2], "once is enough");

        // The first slice ended when the second began.
        let day_ms = 24 * 3_600_000;
        sweeping.sweep_at(who, begins + 3 * day_ms - 1).await;
        assert_eq!(ids(&t, History::Logs)[0], 1);
        sweeping.sweep_at(who, begins + 3 * day_ms).await;
        assert_eq!(ids(&t, History::Logs)[0], 2);
        sweeping.sweep_at(who, begins + 7 * day_ms - 1).await;
        assert_eq!(ids(&t, History::Ops)[0], 1);
        assert!(sweeping.telemetry.get_operation(old.op).await.expect("loads").is_some());
        sweeping.sweep_at(who, begins + 7 * day_ms).await;
        assert_eq!(ids(&t, History::Ops)[0], 2);
        assert!(sweeping.telemetry.get_operation(old.op).await.expect("loads").is_none());
        let listed = sweeping.telemetry.list_traces(&TraceFilter::default(), 0, None).await;
        assert_eq!(listed.expect("lists").traces, []);
    }

    async fn a_slice_that_has_grown_large_is_followed_and_the_limit_holds(t: TestDb) {
        let mut sweeping = Sweeping::new(&t).await;
        sweeping.settings.set("telemetry.ops_bytes_max", "16777216", "ada").await.expect("sets");
        let who = actor(&t.mint);
        let mut rounds = 0;
        while ids(&t, History::Ops)[0] == 1 {
            let frames = (0..2_000).map(|at| {
                let mut frame = start(&t.mint, TraceId::mint(&t.mint), None, 1 + at);
                frame.meta_json = format!(r#"{{"x":"{}"}}"#, fastrand::u64(..).to_string().repeat(100)).into();
                frame
            });
            sweeping.telemetry.ingest(who, frames.collect()).await.expect("stores");
            sweeping.sweep_after(who, Duration::from_secs(11)).await;
            rounds += 1;
            assert!(rounds < 40, "the oldest never went");
        }
        let mut bytes = 0;
        for slice in ids(&t, History::Ops) {
            bytes += t.db.slice_bytes(History::Ops, slice).await.expect("measures");
        }
        assert!(bytes < 24 << 20, "{bytes}");
    }

    async fn a_kind_that_cannot_be_swept_holds_no_other_up(t: TestDb) {
        let mut sweeping = Sweeping::new(&t).await;
        let who = actor(&t.mint);
        let now_ms = t.clock.now().as_millis();
        for history in [History::Ops, History::Logs] {
            t.db.add_slice(history, now_ms + 1).await.expect("adds");
        }
        sweeping.hand.advance(400 * 24 * HOUR);
        // On PostgreSQL another process reads the oldest operations and lets nobody drop them.
        let other = t.reopen().await.expect("opens");
        let mut snapshot = other.snapshot().await.expect("begins");
        if t.db.is_shared() {
            let place = Place::Slice(History::Ops, t.db.slices(History::Ops)[0]);
            let mut view = snapshot.view(place).await.expect("is there");
            for (table, columns) in view.tables().await.expect("lists") {
                view.copy_out(table, &columns, &mut Nowhere).await.expect("reads");
            }
            sweeping.sweep(who).await.expect_err("waits for the reader in vain");
            assert_eq!(ids(&t, History::Ops)[0], 1);
        } else {
            sweeping.sweep(who).await.expect("sweeps");
        }
        assert_eq!(ids(&t, History::Logs)[0], 2);
        drop(snapshot);
        other.close().await;
    }

    async fn nothing_is_dropped_while_everything_is_read_where_that_would_wait(t: TestDb) {
        let mut sweeping = Sweeping::new(&t).await;
        let who = actor(&t.mint);
        t.db.add_slice(History::Logs, t.clock.now().as_millis() + 1).await.expect("adds");
        let snapshot = t.db.snapshot().await.expect("begins");
        sweeping.sweep_after(who, 400 * 24 * HOUR).await;
        assert_eq!(ids(&t, History::Logs)[0] == 1, t.db.is_shared());
        drop(snapshot);
        sweeping.sweep(who).await.expect("sweeps");
        assert_eq!(ids(&t, History::Logs)[0], 2, "made up for");
    }

    async fn a_clock_set_back_loses_nothing(t: TestDb) {
        let mut sweeping = Sweeping::new(&t).await;
        let who = actor(&t.mint);
        let now = sweeping.clock.now();
        let frame = start(&t.mint, TraceId::mint(&t.mint), None, 1);
        sweeping.telemetry.ingest(who, vec![frame.clone()]).await.expect("stores");
        // A year ahead by mistake, for long enough to begin a slice there.
        sweeping.hand.jump_wall(now + 365 * 24 * HOUR);
        sweeping.sweep(who).await.expect("sweeps");
        sweeping.sweep_after(who, Duration::from_secs(11)).await;
        assert_eq!(ids(&t, History::Ops)[0], 1, "what has just become old is not believed to be");
        sweeping.hand.jump_wall(now);
        sweeping.sweep(who).await.expect("sweeps");
        let late = start(&t.mint, TraceId::mint(&t.mint), None, 2);
        sweeping.telemetry.ingest(who, vec![late.clone()]).await.expect("stores");
        for frame in [&frame, &late] {
            let page = sweeping.telemetry.get_trace(frame.trace, 0, None).await.expect("loads");
            assert_eq!(page.ops.len(), 1);
        }
        let all = sweeping.telemetry.list_traces(&TraceFilter::default(), 0, None).await;
        assert_eq!(all.expect("lists").traces.len(), 2);
    }
}
