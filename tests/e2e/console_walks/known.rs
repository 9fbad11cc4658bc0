//! Four traces whose times, failures and lines are known, ten seconds from each to the next.

use bridge_runtime::operator::model::TracesPage;

use super::spans::{Did, Span, say, send};
use crate::console::PATIENCE;
use crate::harness::{World, eventually};

/// How long before now the traces began: still in the quick ranges, none of them running.
pub(super) const BEFORE_MS: i64 = 60_000;
/// A request in two services: 1,000 ms, of which some ran beside others.
fn checkout(at_ms: i64) -> [Span; 5] {
    let span = |id, parent, service, did, from, to| Span {
        trace: 0x11,
        id,
        parent,
        service,
        did,
        at_ms: at_ms + from,
        took_ms: to - from,
        error: None,
    };
    [
        span(1, 0, "web", Did::Served("GET", "/checkout"), 0, 1_000),
        span(2, 1, "web", Did::Called("stock", "Reserve"), 100, 400),
        span(3, 2, "stock", Did::Answered("stock", "Reserve"), 150, 350),
        span(4, 1, "web", Did::Own("render"), 120, 300),
        span(5, 1, "web", Did::Own("charge"), 500, 900),
    ]
}

/// A request that fails because what it calls does.
fn refused(at_ms: i64) -> [Span; 3] {
    let span = |id, parent, service, did, from, to, error| Span {
        trace: 0x22,
        id,
        parent,
        service,
        did,
        at_ms: at_ms + from,
        took_ms: to - from,
        error: Some(error),
    };
    let reserve = ("stock", "Reserve");
    [
        span(
            1,
            0,
            "web",
            Did::Served("POST", "/orders"),
            0,
            2_500,
            "no order",
        ),
        span(
            2,
            1,
            "web",
            Did::Called(reserve.0, reserve.1),
            200,
            2_400,
            "not reserved",
        ),
        span(
            3,
            2,
            "stock",
            Did::Answered(reserve.0, reserve.1),
            300,
            2_300,
            "out of tea",
        ),
    ]
}

pub(super) fn alone(
    trace: u128,
    service: &'static str,
    did: Did,
    at_ms: i64,
    took_ms: i64,
) -> Span {
    Span {
        trace,
        id: 9,
        parent: 0,
        service,
        did,
        at_ms,
        took_ms,
        error: None,
    }
}

pub(super) const CHECKOUT: &str = "GET /checkout";
pub(super) const REFUSED: &str = "POST /orders";
pub(super) const NIGHTLY: &str = "nightly";
pub(super) const PLACED: &str = "order.placed";
pub(super) const ALL: [&str; 4] = [CHECKOUT, REFUSED, NIGHTLY, PLACED];

/// Four traces, ten seconds from each to the next.
pub(super) async fn four_traces(world: &World) -> i64 {
    let at_ms = world.clock.now().as_millis() - BEFORE_MS;
    let mut spans = Vec::from(checkout(at_ms));
    spans.extend(refused(at_ms + 10_000));
    let nightly = alone(0x33, "batch", Did::Own(NIGHTLY), at_ms + 20_000, 5_000);
    spans.push(Span {
        error: Some("timeout"),
        ..nightly
    });
    let placed = Did::Published(PLACED);
    spans.push(alone(0x44, "shop", placed, at_ms + 30_000, 20));
    send(world, &spans).await;
    say(world, &spans[4], 200, 9, "the card is charged").await;
    say(world, &spans[7], 1_000, 17, "no tea is left").await;
    eventually(PATIENCE, "the traces", async || {
        let page: TracesPage = world.get("/api/v1/traces?limit=50").await;
        let whole = page.traces.iter().map(|it| it.ops).sum::<u32>();
        (whole == 10).then_some(())
    })
    .await;
    at_ms
}
