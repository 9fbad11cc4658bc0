//! Calls and requests: bounds, order, and what happens around a broken stream.

use std::time::Duration;

use bridge_tower::record::{Ending, Kind, Route, Text, Verb};
use contract::grpc::v1::{Channel, Status};
use contract::w3c::TraceFlags;

use super::*;

/// Operations that were started and ended, one after the other.
fn calls(telemetry: &Telemetry, count: usize) {
    for _ in 0..count {
        call(telemetry, None).end(Ended::Success, Served::default(), String::new);
    }
}

#[test]
fn a_call_that_ends_before_it_is_sent_is_one_frame() {
    let (telemetry, hand) = telemetry();
    let op = call(&telemetry, None);
    hand.advance(Duration::from_millis(7));
    let served = Served {
        attempt: 2,
        via_proxy: true,
        ..Served::default()
    };
    op.end(Ended::Success, served, String::new);
    let frames = ops(&telemetry);
    assert_eq!(frames.len(), 1);
    let frame = &frames[0];
    assert_eq!(frame.subject, "rpc.call:payments/Charge");
    assert_eq!(
        (frame.started_at_ms, frame.finished_at_ms),
        (5_000, Some(5_007))
    );
    assert_eq!((frame.status, frame.attempt), (Status::Success as i32, 2));
    let meta = json(&frame.meta_json);
    assert_eq!(meta["requestId"], "r-1");
    assert_eq!(meta["via_proxy"], true);
}

#[test]
fn a_call_that_was_sent_as_started_ends_in_a_frame_of_its_own() {
    let (telemetry, _hand) = telemetry();
    let op = call(&telemetry, None);
    let start = ops(&telemetry);
    assert_eq!(start[0].finished_at_ms, None);
    assert_eq!(start[0].status, Status::Pending as i32);
    op.end(Ended::Error, Served::default(), || "went wrong".into());
    let end = ops(&telemetry);
    assert_eq!(end[0].op_id, start[0].op_id);
    assert_eq!(end[0].status_message, "went wrong");
}

#[test]
fn a_dropped_call_is_recorded_as_cancelled() {
    let (telemetry, _hand) = telemetry();
    drop(call(&telemetry, None));
    assert_eq!(ops(&telemetry)[0].status_message, "cancelled by the caller");
}

#[test]
fn nested_work_joins_the_trace_under_its_parent() {
    let (telemetry, _hand) = telemetry();
    let outer = call(&telemetry, None);
    let inner = call(&telemetry, Some(&CallContext::new(outer.context())));
    assert_eq!(inner.context().trace, outer.context().trace);
    let frames = ops(&telemetry);
    assert_eq!(frames[1].parent_op_id, frames[0].op_id);
    assert_eq!(frames[0].parent_op_id, "");
}

#[test]
fn work_of_a_trace_that_nobody_records_leaves_no_frame_and_no_step() {
    let (telemetry, _hand) = telemetry();
    let mut context = CallContext::new(call(&telemetry, None).context());
    assert_eq!(ops(&telemetry).len(), 1);
    context.flags = TraceFlags::NONE;
    let inner = call(&telemetry, Some(&context));
    assert_eq!(inner.context(), context.trace);
    inner.end(Ended::Success, Served::default(), String::new);
    assert!(ops(&telemetry).is_empty());
}

#[test]
fn a_full_ring_drops_the_oldest_and_counts_them() {
    let (telemetry, _hand) = telemetry();
    calls(&telemetry, 10_000);
    let last = call(&telemetry, None);
    let kept = telemetry.0.outbox.ops.lock().take(usize::MAX).0;
    assert!(kept.len() < 10_000);
    assert_eq!(telemetry.dropped().operations + kept.len() as u64, 10_001);
    let newest = kept.last().unwrap().to_report();
    assert_eq!(newest.op_id, last.context().parent.to_string());
    last.end(Ended::Success, Served::default(), String::new);
}

#[test]
fn the_ring_keeps_what_a_busy_quarter_of_a_second_makes() {
    let (telemetry, _hand) = telemetry();
    calls(&telemetry, 1_000);
    let record = http(&telemetry.0.clock);
    for _ in 0..100 {
        telemetry.push_op(Record::of_request(&record, None));
    }
    assert_eq!(telemetry.dropped().operations, 0);
}

#[test]
fn what_was_not_acknowledged_is_sent_again_after_the_stream_broke() {
    let (telemetry, _hand) = telemetry();
    calls(&telemetry, 3);
    let mut ring = telemetry.0.outbox.ops.lock();
    let (first, upto) = ring.take(1);
    let (second, _) = ring.take(2);
    assert_eq!((first.len(), second.len(), ring.in_flight()), (1, 2, 3));
    ring.acknowledge(upto);
    ring.rewind();
    let (again, end) = ring.take(9);
    assert_eq!(again.len(), 2);
    assert_eq!(again[0].to_report().op_id, second[0].to_report().op_id);
    ring.acknowledge(end);
    assert!(ring.is_empty());
}

#[test]
fn what_had_to_leave_while_under_way_is_lost_only_if_the_stream_breaks() {
    for (breaks, acknowledged) in [(false, true), (true, false)] {
        let (telemetry, _hand) = telemetry();
        calls(&telemetry, 500);
        let (_, upto) = telemetry.0.outbox.ops.lock().take(500);
        calls(&telemetry, 1_500);
        let before = telemetry.dropped().operations;
        let mut ring = telemetry.0.outbox.ops.lock();
        if acknowledged {
            ring.acknowledge(upto);
        }
        ring.rewind();
        let kept = ring.take(usize::MAX).0.len() as u64;
        drop(ring);
        let lost = telemetry.dropped().operations;
        assert_eq!(lost > before, breaks);
        let arrived = if acknowledged { 500 } else { 0 };
        assert_eq!(arrived + lost + kept, 2_000);
    }
}

#[tokio::test]
async fn enough_for_a_batch_is_worth_a_flush_at_once() {
    let (telemetry, _hand) = telemetry();
    calls(&telemetry, ring::BATCH_ITEMS_MAX - 1);
    let flush = telemetry.0.flush.notified();
    let mut flush = std::pin::pin!(flush);
    assert!(!flush.as_mut().enable(), "not yet");
    calls(&telemetry, 1);
    flush.await;
}

#[test]
fn nothing_is_recorded_while_the_runtime_does_not_want_it() {
    let (telemetry, _hand) = telemetry();
    telemetry.follow_runtime(false, None);
    calls(&telemetry, 1);
    assert!(ops(&telemetry).is_empty());
    telemetry.follow_runtime(true, None);
    calls(&telemetry, 1);
    assert_eq!(ops(&telemetry).len(), 1);
}

fn http(clock: &Clock) -> bridge_tower::Record {
    let mint = IdMint::seeded(2, clock);
    bridge_tower::Record {
        kind: Kind::Server,
        context: TraceContext {
            trace: TraceId::mint(&mint),
            parent: OpId::mint(&mint),
        },
        parent: None,
        started: clock.now(),
        duration: Duration::from_millis(7),
        response_bytes: 12,
        route: Route::UNMATCHED,
        status: 200,
        verb: Verb::Get,
        ending: Ending::Answered,
        announced: false,
        version: 11,
        path: Text::new("/api/orders"),
        peer: None,
        idempotency_key: None,
        carried: None,
    }
}

#[test]
fn an_http_request_is_named_by_method_and_path() {
    let (telemetry, _hand) = telemetry();
    for (ending, status, expected, message) in [
        (Ending::Answered, 204, Status::Success, ""),
        (Ending::Answered, 399, Status::Success, ""),
        (Ending::Answered, 404, Status::Error, "HTTP 404"),
        (Ending::Aborted, 0, Status::Timeout, "client abort"),
        (
            Ending::Failed,
            200,
            Status::Error,
            "the response body failed",
        ),
        (Ending::Panicked, 500, Status::Error, "panic"),
    ] {
        let mut record = http(&telemetry.0.clock);
        (record.ending, record.status) = (ending, status);
        telemetry.push_op(Record::of_request(&record, None));
        let frame = ops(&telemetry).remove(0);
        assert_eq!((frame.channel, frame.kind), (Channel::Http as i32, 1));
        assert_eq!(frame.subject, "http.handle:GET//api/orders");
        assert_eq!(frame.business_key, "GET /api/orders");
        assert_eq!(
            (frame.started_at_ms, frame.finished_at_ms),
            (5_000, Some(5_007))
        );
        let seen = (frame.status, &*frame.status_message);
        assert_eq!(seen, (expected as i32, message));
        let attrs = json(&frame.attrs_json);
        assert_eq!(attrs["http.response.status_code"], status);
    }
}

#[test]
fn a_running_request_is_a_start_and_its_template_names_it() {
    let (telemetry, _hand) = telemetry();
    let mut record = http(&telemetry.0.clock);
    record.ending = Ending::Running;
    record.idempotency_key = Some("k-1".into());
    let route = Some("/api/{what}".into());
    telemetry.push_op(Record::of_request(&record, route));
    let frame = ops(&telemetry).remove(0);
    assert_eq!(frame.subject, "http.handle:GET//api/{what}");
    assert_eq!(frame.business_key, "k-1");
    assert_eq!(
        (frame.finished_at_ms, frame.status),
        (None, Status::Pending as i32)
    );
    assert_eq!(
        (&*frame.meta_json, &*frame.attrs_json),
        (&b"{}"[..], &b"{}"[..])
    );
}

#[test]
fn a_sent_request_is_a_step_named_by_its_peer() {
    let (telemetry, _hand) = telemetry();
    let mut record = http(&telemetry.0.clock);
    record.kind = Kind::Client;
    record.peer = Some("users:8080".into());
    record.path = Text::new("http://users:8080/users/7");
    for (route, subject) in [
        (None, "http.call:users:8080/GET"),
        (
            Some("/users/{id}".into()),
            "http.call:users:8080/GET /users/{id}",
        ),
    ] {
        telemetry.push_op(Record::of_request(&record, route));
        let frame = ops(&telemetry).remove(0);
        assert_eq!((frame.channel, frame.kind), (Channel::User as i32, 1));
        assert_eq!(frame.subject, subject);
        assert_eq!(frame.business_key, "GET http://users:8080/users/7");
    }
}
