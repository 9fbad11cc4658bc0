//! The order that is placed, the one that is refused, and what the first left: its trace, its log,
//! its count.
//!
//! Like any other client we name the trace ourselves, in the W3C header; that is how we know
//! which one to look at.

use std::time::Duration;

use bridge::embedded::{
    Clock, IdMint, LogLine, LogQuery, MetricLine, MetricQuery, Runtime, TraceTree,
};
use bridge::{OpId, TraceContext, TraceId};
use serde_json::json;

use super::http::{self, Answer};
use super::progress::Progress;
use super::{Failure, verify};

/// Longest wait until all operations of the order have arrived.
const TRACE_MAX: Duration = Duration::from_secs(10);
/// Rhythm of that wait.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A placed order.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) answer: Answer,
    trace: TraceId,
}

/// Orders two bags of coffee.
pub(super) async fn place(
    clock: &Clock,
    orders: &str,
    progress: &mut Progress,
) -> Result<Placed, Failure> {
    let (answer, trace) = post(clock, orders, 2).await?;
    let id = answer.body["id"].as_str().unwrap_or("no order").to_owned();
    progress.done(format!("2 bags of coffee ordered: {} {id}", answer.status));
    Ok(Placed { answer, trace })
}

/// Orders more than there is.
pub(super) async fn place_too_large(
    clock: &Clock,
    orders: &str,
    progress: &mut Progress,
) -> Result<Answer, Failure> {
    let (answer, _) = post(clock, orders, 1_000).await?;
    let code = answer.body["code"].as_str().unwrap_or("no code").to_owned();
    progress.done(format!(
        "1000 bags of coffee refused: {} {code}",
        answer.status
    ));
    Ok(answer)
}

async fn post(clock: &Clock, orders: &str, bags: u32) -> Result<(Answer, TraceId), Failure> {
    let mint = IdMint::system(clock);
    let here = TraceContext {
        trace: TraceId::mint(&mint),
        parent: OpId::mint(&mint),
    };
    let order = json!({ "sku": "coffee", "quantity": bags, "card": "4242" });
    let traceparent = here.to_traceparent(true);
    let answer = http::post(clock, orders, "/v1/orders", &traceparent, &order).await?;
    Ok((answer, here.trace))
}

/// The order's trace once it is whole, or what there is of it when that takes too long.
pub(super) async fn trace(
    clock: &Clock,
    runtime: &Runtime,
    placed: &Placed,
    progress: &mut Progress,
) -> Result<TraceTree, Failure> {
    let id = placed.trace.to_string();
    let deadline = clock.monotonic() + TRACE_MAX;
    loop {
        let tree = runtime.trace(&id).await?;
        let is_over = clock.monotonic() >= deadline;
        match tree {
            Some(tree) if is_over || verify::trace(&tree).is_ok() => {
                progress.done(format!("trace of the order: {} operations", tree.ops.len()));
                return Ok(tree);
            }
            None if is_over => {
                let text = format!("nothing of trace {id} arrived within {TRACE_MAX:?}");
                return Err(text.into());
            }
            Some(_) | None => clock.sleep(LOOK_EVERY).await,
        }
    }
}

/// What was logged in the order's trace, and how orders were counted, once both are there.
pub(super) async fn told(
    clock: &Clock,
    runtime: &Runtime,
    tree: &TraceTree,
    progress: &mut Progress,
) -> Result<(Vec<LogLine>, Vec<MetricLine>), Failure> {
    let in_trace = LogQuery {
        trace: Some(tree.trace_id.clone()),
        ..LogQuery::default()
    };
    let of_orders = MetricQuery {
        name: "shop.orders".into(),
        ..MetricQuery::default()
    };
    let deadline = clock.monotonic() + TRACE_MAX;
    loop {
        let lines = runtime.logs(&in_trace).await?;
        let series = runtime.metric(&of_orders).await?;
        let is_whole = verify::logs(&lines, tree).is_ok() && verify::metric(&series).is_ok();
        if is_whole || clock.monotonic() >= deadline {
            let (count, metrics) = (lines.len(), series.len());
            progress.done(format!(
                "its log: {count} line; orders counted: {metrics} series"
            ));
            return Ok((lines, series));
        }
        clock.sleep(LOOK_EVERY).await;
    }
}
