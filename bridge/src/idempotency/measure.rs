//! What became of idempotent work as metrics, so that somebody sees what was not kept.
//!
//! A service that never had such work reports nothing.

use std::time::Duration;

use bridge_tower::idempotency::{Runner, WorkCounts};

use crate::telemetry::Telemetry;

/// Time between two reports.
const REPORT_EVERY: Duration = Duration::from_secs(15);
/// How work that nobody should do twice ended otherwise than it should: by `how`.
const ENDED: &str = "sb_sdk_idempotent_ended_total";
/// Works that run or wait to be kept, and of those the latter.
const UNDER_WAY: &str = "sb_sdk_idempotent_under_way";
const LATE: &str = "sb_sdk_idempotent_late";

/// Reports every 15 s, for as long as it is polled.
pub(crate) async fn measure(runner: Runner, telemetry: Telemetry) {
    let mut told = WorkCounts::default();
    let mut beat = runner.time().interval(REPORT_EVERY);
    loop {
        beat.tick().await;
        told = tell(&telemetry, told, runner.counts());
    }
}

/// Tells what changed since `told`.
fn tell(telemetry: &Telemetry, told: WorkCounts, now: WorkCounts) -> WorkCounts {
    if now == told {
        return told;
    }
    let ended = [
        ("kept_late", told.kept_late, now.kept_late),
        ("given_up", told.given_up, now.given_up),
        ("lost", told.lost, now.lost),
        ("cut_off", told.cut_off, now.cut_off),
    ];
    for (how, before, after) in ended {
        if after > before {
            #[allow(clippy::cast_precision_loss)] // some, within 15 s
            let more = (after - before) as f64;
            telemetry.counter(ENDED).add(more, &[("how", how)]);
        }
    }
    for (name, works) in [(UNDER_WAY, now.under_way), (LATE, now.late)] {
        #[allow(clippy::cast_precision_loss)] // some thousand
        telemetry.gauge(name).set(works as f64, &[]);
    }
    now
}
