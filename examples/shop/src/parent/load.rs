//! A load on the shop: requests at a steady pace, traces and logs asked for meanwhile, and a count
//! at the end of what the runtime has kept.
//!
//! Each fifth request is an order with a card that is declined: three calls between services, and
//! nothing that stays. The others ask for an order. A request that is due while its connection is
//! busy is sent late, and its latency counts from when it was due.
//!
//! Invariant: what was answered is either stored by the runtime or counted as dropped by the
//! service; [`run`] fails otherwise.

use std::time::Duration;

use bridge::embedded::{Clock, LogQuery, MetricQuery, Runtime, TraceQuery};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::Failure;
use super::latency::Latencies;
use super::progress::Progress;

/// Connections that the requests share.
const CONNECTIONS: u32 = 16;
/// Pause between two looks at the store.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// Longest wait until the runtime has kept what the services reported.
const SETTLE_MAX: Duration = Duration::from_secs(60);
/// Traces that one page holds at most.
const PAGE: u32 = 500;
/// Width of the windows in which drops are asked for, in seconds.
const STEP_S: u32 = 60;
/// Longest answer of a service, in bytes.
const ANSWER_BYTES_MAX: usize = 4_096;

/// What to send.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Requests per second.
    pub(super) rate: u32,
    /// How long.
    pub(super) span: Duration,
}

/// Sends the load to the orders at `address`, beside the processes `pids`.
pub(super) async fn run(
    runtime: &Runtime,
    address: &str,
    plan: Plan,
    pids: &[u32],
    progress: &mut Progress,
) -> Result<(), Failure> {
    let clock = progress.clock().clone();
    let since = clock.now().as_millis();
    let before = memory(pids)?;
    let ended = tokio::sync::watch::channel(false);
    let sent = async {
        let sent = send_all(&clock, address, plan).await;
        // The one who asks has the other end.
        let _ = ended.0.send(true);
        sent
    };
    // Caches have filled by then; what grows on is what must not.
    let warm = async {
        clock.sleep(plan.span / 5).await;
        memory(pids)
    };
    let (sent, asked, warm) = tokio::join!(sent, ask(runtime, &clock, ended.1), warm);
    let (sent, asked, warm) = (sent?, asked?, warm?);
    progress.done(format!("{} requests answered", sent.answered));
    progress.note(&format!(
        "p50 {} µs, p99 {} µs, {} failed",
        sent.latencies.quantile(0.5),
        sent.latencies.quantile(0.99),
        sent.failed,
    ));
    progress.note(&format!(
        "{} queries for traces and logs meanwhile: p50 {} µs, p95 {} µs",
        asked.count(),
        asked.quantile(0.5),
        asked.quantile(0.95),
    ));
    let after = memory(pids)?;
    for (((name, before), (_, warm)), (_, after)) in before.iter().zip(&warm).zip(&after) {
        progress.note(&format!(
            "memory of {name}: {before} MiB before, {warm} MiB after {} s, {after} MiB at the end",
            plan.span.as_secs() / 5
        ));
    }
    let dropped = dropped(runtime, since).await?;
    let wanted = sent.answered.saturating_sub(dropped);
    let stored = settle(runtime, &clock, since, wanted).await?;
    progress.done(format!(
        "{stored} traces stored, {dropped} operations dropped by services"
    ));
    if sent.failed > 0 {
        return Err(format!(
            "{} requests were not answered as they should be",
            sent.failed
        )
        .into());
    }
    if stored < wanted {
        let text = format!(
            "{} traces of {} answered requests are stored and {dropped} operations were dropped: \
             some are lost",
            stored, sent.answered
        );
        return Err(text.into());
    }
    Ok(())
}

/// What became of the requests.
#[derive(Debug, Default)]
struct Sent {
    answered: u64,
    failed: u64,
    latencies: Latencies,
}

async fn send_all(clock: &Clock, address: &str, plan: Plan) -> Result<Sent, Failure> {
    let pace = Duration::from_secs(1) * CONNECTIONS / plan.rate;
    let mut running = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (clock, address) = (clock.clone(), address.to_owned());
        let offset = pace * connection / CONNECTIONS;
        running.spawn(async move {
            clock.sleep(offset).await;
            send(&clock, &address, pace, plan.span).await
        });
    }
    let mut all = Sent::default();
    while let Some(one) = running.join_next().await {
        let one = one??;
        all.answered += one.answered;
        all.failed += one.failed;
        all.latencies.merge(&one.latencies);
    }
    Ok(all)
}

/// One connection's requests.
async fn send(
    clock: &Clock,
    address: &str,
    pace: Duration,
    span: Duration,
) -> Result<Sent, Failure> {
    let order = r#"{"sku":"tea","quantity":1,"card":"0000"}"#;
    let post = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{order}",
        order.len()
    );
    let get = format!("GET /v1/orders/order-1 HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sent, begun) = (Sent::default(), clock.monotonic());
    let mut due = begun;
    let mut buffer = vec![0; ANSWER_BYTES_MAX];
    for turn in 0_u32.. {
        if due.since(begun) >= span {
            break;
        }
        clock.sleep_until(due).await;
        let (request, status) = if turn % 5 == 0 {
            (&post, "HTTP/1.1 402")
        } else {
            (&get, "HTTP/1.1 200")
        };
        stream.write_all(request.as_bytes()).await?;
        let read = stream.read(&mut buffer).await?;
        // Answers are short enough for one segment; the connection is not used otherwise.
        if buffer[..read].starts_with(status.as_bytes()) {
            sent.answered += 1;
            let took = clock.monotonic().since(due).as_micros();
            sent.latencies.add(u32::try_from(took).unwrap_or(u32::MAX));
        } else {
            sent.failed += 1;
        }
        due = due + pace;
    }
    Ok(sent)
}

/// Asks for traces and logs in turn, as a person at a screen would, until the load has ended.
async fn ask(
    runtime: &Runtime,
    clock: &Clock,
    mut ended: tokio::sync::watch::Receiver<bool>,
) -> Result<Latencies, Failure> {
    let mut spans = Latencies::default();
    let traces = [
        TraceQuery::default(),
        TraceQuery {
            failed: true,
            ..TraceQuery::default()
        },
        TraceQuery {
            text: Some("payments charge".to_owned()),
            ..TraceQuery::default()
        },
    ];
    for turn in 0_usize.. {
        let begun = clock.monotonic();
        if turn % 2 == 0 {
            runtime
                .traces_page(&traces[turn / 2 % traces.len()])
                .await?;
        } else {
            runtime.logs(&LogQuery::default()).await?;
        }
        let took = clock.monotonic().since(begun).as_micros();
        spans.add(u32::try_from(took).unwrap_or(u32::MAX));
        tokio::select! {
            _ = ended.wait_for(|ended| *ended) => break,
            () = clock.sleep(ASK_EVERY) => {}
        }
    }
    Ok(spans)
}

/// Operations that services had no room for since `since`, as their own metric says.
async fn dropped(runtime: &Runtime, since: i64) -> Result<u64, Failure> {
    let series = runtime
        .metric(&MetricQuery {
            name: "sb_sdk_telemetry_dropped_total".to_owned(),
            since: Some(since),
            step_seconds: Some(STEP_S),
            ..MetricQuery::default()
        })
        .await?;
    // A rate per second of each window, so that rate × width is how many.
    let sum: f64 = series
        .iter()
        .filter(|it| it.labels.get("source").is_some_and(|it| it == "ops"))
        .flat_map(|it| it.points.iter().map(|dot| dot.value * f64::from(STEP_S)))
        .sum();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count
    Ok(sum.round() as u64)
}

/// Waits until `wanted` traces that began since `since` are stored. Returns how many there are.
async fn settle(runtime: &Runtime, clock: &Clock, since: i64, wanted: u64) -> Result<u64, Failure> {
    let begun = clock.monotonic();
    loop {
        let stored = count(runtime, since).await?;
        if stored >= wanted || clock.monotonic().since(begun) > SETTLE_MAX {
            return Ok(stored);
        }
        clock.sleep(ASK_EVERY).await;
    }
}

async fn count(runtime: &Runtime, since: i64) -> Result<u64, Failure> {
    let mut query = TraceQuery {
        limit: Some(PAGE),
        since: Some(since),
        ..TraceQuery::default()
    };
    let mut stored = 0;
    loop {
        let page = runtime.traces_page(&query).await?;
        stored += page.traces.len() as u64;
        if page.next.is_none() {
            return Ok(stored);
        }
        query.cursor = page.next;
    }
}

/// Resident memory of this process and the others, in MiB.
fn memory(pids: &[u32]) -> Result<Vec<(String, u64)>, Failure> {
    let mut all = Vec::with_capacity(pids.len() + 1);
    for pid in std::iter::once(&std::process::id()).chain(pids) {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.map(|rest| rest.trim().trim_end_matches(" kB"))
        };
        let kib: u64 = field("VmRSS:").unwrap_or("0").parse()?;
        let name = field("Name:").unwrap_or("?");
        all.push((format!("{name} ({pid})"), kib / 1_024));
    }
    Ok(all)
}
