//! What `bridge doctor` looks at: data folder, database, history, disk, clock, certificates, tasks.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::draw::{bytes, count, span};
use super::engine::Operator;
use super::model::Finding;
use crate::db::History;
use crate::settings::keys;

/// Slower commits than this deserve a word.
const SYNC_SLOW: Duration = Duration::from_millis(20);
/// Faster ones do not reach any disk that keeps them through a power cut.
const SYNC_UNBELIEVABLE: Duration = Duration::from_micros(15);
/// How far wall and monotonic time may drift apart before it counts as a jump.
const JUMP: Duration = Duration::from_secs(2);
/// An authority with less than this left deserves a word.
const AUTHORITY_SOON: Duration = Duration::from_secs(60 * 24 * 3600);

impl Operator {
    /// What is well and what is not.
    pub async fn doctor(&self) -> Vec<Finding> {
        examine(self).await
    }
}

async fn examine(operator: &Operator) -> Vec<Finding> {
    let mut findings = vec![data_folder(operator)];
    findings.extend(database(operator).await);
    for kind in History::ALL {
        findings.push(history(operator, kind).await);
    }
    findings.push(intake(operator));
    findings.push(present(operator));
    findings.push(sync_time(operator).await);
    findings.push(clock(operator));
    findings.extend(certificates(operator));
    findings.push(sessions(operator));
    findings.extend(tasks(operator));
    findings.extend(ignored_settings(operator));
    findings
}

fn finding(check: &str, verdict: &str, detail: String) -> Finding {
    Finding {
        check: check.to_owned(),
        verdict: verdict.to_owned(),
        detail,
    }
}

fn data_folder(operator: &Operator) -> Finding {
    let path = &operator.parts().data;
    match std::fs::metadata(path) {
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => finding(
            "data folder",
            "warn",
            format!(
                "{} can be entered by others; run `chmod 700` on it",
                path.display()
            ),
        ),
        Ok(_) => finding("data folder", "ok", path.display().to_string()),
        Err(error) => finding(
            "data folder",
            "fail",
            format!("{}: {error}", path.display()),
        ),
    }
}

async fn database(operator: &Operator) -> Vec<Finding> {
    match operator.parts().db.describe().await {
        Err(error) => vec![finding("database", "fail", chain(&error))],
        Ok(found) => found
            .stores
            .iter()
            .map(|store| {
                let place = format!(
                    "{} {}, {}, {} KiB, schema {}",
                    found.kind,
                    found.version,
                    store.location,
                    store.bytes / 1024,
                    store.schema
                );
                finding(&format!("database {}", store.store.name()), "ok", place)
            })
            .collect(),
    }
}

/// How much there is of a kind of telemetry, and how far it reaches back.
async fn history(operator: &Operator, kind: History) -> Finding {
    let check = format!("telemetry {}", kind.name());
    let (db, settings) = (&operator.parts().db, &operator.parts().settings);
    let most = settings.get(match kind {
        History::Ops => keys::TELEMETRY_OPS_BYTES_MAX,
        History::Logs => keys::TELEMETRY_LOGS_BYTES_MAX,
        History::Metrics => keys::TELEMETRY_METRICS_BYTES_MAX,
        History::Payloads => keys::TELEMETRY_PAYLOAD_BYTES_TOTAL_MAX,
    });
    let slices = db.slices(kind);
    let mut total = 0;
    for slice in slices.iter() {
        total += match db.slice_bytes(kind, slice.id).await {
            Ok(size) => size,
            // It has just been dropped.
            Err(error) if error.is_gone() => 0,
            Err(error) => return finding(&check, "fail", chain(&error)),
        };
    }
    let now_ms = operator.parts().clock.now().as_millis();
    let age = |from_ms: i64| span((now_ms - from_ms).max(0) as f64);
    let (oldest, newest) = match &slices[..] {
        [oldest, .., newest] => (oldest, newest),
        [only] => (only, only),
        [] => return finding(&check, "fail", "there is no slice to write to".to_owned()),
    };
    let text = format!(
        "{} of {} in {}; the oldest begins {} ago, the newest {} ago",
        bytes(total),
        bytes(most),
        count(slices.len(), "slice"),
        age(oldest.from_ms),
        age(newest.from_ms)
    );
    finding(&check, "ok", text)
}

/// Whether reports are stored as fast as they come.
fn intake(operator: &Operator) -> Finding {
    let counters = operator.parts().telemetry.counters();
    let mut text = format!(
        "{} waiting (level {}), {} frames stored; {} items refused, {} batches turned away, {} late ends",
        bytes(counters.queue_bytes as u64),
        counters.level,
        counters.frames,
        counters.refused,
        counters.turned_away,
        counters.late_ends
    );
    let verdict = if counters.level > 0 || counters.turned_away > 0 {
        text.push_str("; services report faster than the store takes it: sample, or a faster disk");
        "warn"
    } else {
        "ok"
    };
    finding("telemetry intake", verdict, text)
}

/// What goes on right now, as far as it is told apart.
fn present(operator: &Operator) -> Finding {
    let counters = operator.parts().telemetry.flow().counters();
    let text = format!(
        "{} kinds of operations, {} running, {} followers; {} given up, {} ends without a start",
        counters.keys, counters.pending, counters.followers, counters.given_up, counters.unjoined
    );
    finding("telemetry now", "ok", text)
}

async fn sync_time(operator: &Operator) -> Finding {
    const CHECK: &str = "time of a synced commit";
    match operator.parts().db.sync_probe().await {
        Err(error) => finding(CHECK, "fail", chain(&error)),
        Ok(span) if span < SYNC_UNBELIEVABLE => finding(
            CHECK,
            "warn",
            format!(
                "{span:.0?}: no disk is this fast; what is acknowledged may not survive a power cut"
            ),
        ),
        Ok(span) if span > SYNC_SLOW => finding(
            CHECK,
            "warn",
            format!("{span:.1?}: slow; durable work waits this long for each group of commits"),
        ),
        Ok(span) => finding(CHECK, "ok", format!("{span:.1?} (median of several)")),
    }
}

fn clock(operator: &Operator) -> Finding {
    let parts = operator.parts();
    let (now, mono) = (parts.clock.now(), parts.clock.monotonic());
    let passed = mono.since(parts.started.1);
    let expected = parts.started.0 + passed;
    let drift = now.since(expected).max(expected.since(now));
    if drift > JUMP {
        return finding(
            "clock",
            "warn",
            format!(
                "the wall clock jumped by {drift:.0?} since the start; certificates and traces are stamped with it"
            ),
        );
    }
    finding("clock", "ok", format!("steady for {passed:.0?}"))
}

fn certificates(operator: &Operator) -> Vec<Finding> {
    let parts = operator.parts();
    let now = parts.clock.now();
    let describe = |check: &str, left: Duration, soon: Duration| {
        let verdict = if left.is_zero() {
            "fail"
        } else if left < soon {
            "warn"
        } else {
            "ok"
        };
        let days = left.as_secs() / 86_400;
        finding(check, verdict, format!("ends in {days} days"))
    };
    let mut findings = vec![describe(
        "authority",
        parts.identity.authority().not_after().since(now),
        AUTHORITY_SOON,
    )];
    let own = parts
        .leaf
        .certificate()
        .and_then(|der| crate::identity::not_after(&der));
    findings.push(match own {
        Some(end) => describe(
            "runtime certificate",
            end.since(now),
            Duration::from_secs(3600),
        ),
        None => finding(
            "runtime certificate",
            "fail",
            "there is none; restart the runtime".to_owned(),
        ),
    });
    findings
}

fn sessions(operator: &Operator) -> Finding {
    let parts = operator.parts();
    let (instances, watchers) = parts.registry.counts();
    let text = format!(
        "{} present, {instances} registered, {watchers} watching",
        parts.presence.count()
    );
    finding("instances", "ok", text)
}

fn tasks(operator: &Operator) -> Vec<Finding> {
    let reports = operator.parts().tasks.reports();
    reports
        .into_iter()
        .map(|task| {
            let verdict = match (task.running, task.restarts) {
                (false, _) => "fail",
                (true, 0) => "ok",
                (true, _) => "warn",
            };
            let last = task
                .last_end
                .map(|why| format!("; last end: {why}"))
                .unwrap_or_default();
            let text = format!("started again {} times{last}", task.restarts);
            let text = if task.restarts == 0 && task.running {
                "running".to_owned()
            } else {
                text
            };
            finding(&format!("task {}", task.name), verdict, text)
        })
        .collect()
}

fn ignored_settings(operator: &Operator) -> Vec<Finding> {
    let ignored = operator.parts().settings.ignored();
    ignored
        .into_iter()
        .map(|(key, why)| finding(&format!("setting {key}"), "warn", why))
        .collect()
}

/// An error with its causes, for people.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
