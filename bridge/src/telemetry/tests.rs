//! The ring through its recorder: bounds, order, and what happens around a broken stream.

use contract::clock::Timestamp;
use contract::grpc::v1::Status;

use super::*;

fn telemetry() -> (Telemetry, contract::clock::ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::from_millis(5_000));
    (Telemetry::new(&clock, &IdMint::seeded(1, &clock)), hand)
}

fn call(telemetry: &Telemetry, parent: Option<TraceContext>) -> Op {
    let (service, request) = ("payments".into(), RequestId::Given("r-1".into()));
    let call = CallStart {
        service: &service,
        method: "Charge",
        request: &request,
        key: None,
    };
    telemetry.start_call(parent, &call)
}

fn sent(telemetry: &Telemetry) -> Vec<contract::grpc::v1::OpReport> {
    telemetry
        .0
        .ring
        .lock()
        .take(256)
        .0
        .iter()
        .map(Record::to_report)
        .collect()
}

#[test]
fn a_call_that_ends_before_it_is_sent_is_one_frame() {
    let (telemetry, hand) = telemetry();
    let op = call(&telemetry, None);
    hand.advance(std::time::Duration::from_millis(7));
    op.end(
        Ended::Success,
        Served {
            attempt: 2,
            via_proxy: true,
            ..Served::default()
        },
        String::new,
    );
    let frames = sent(&telemetry);
    assert_eq!(frames.len(), 1);
    let frame = &frames[0];
    assert_eq!(frame.subject, "rpc.call:payments/Charge");
    assert_eq!(
        (frame.started_at_ms, frame.finished_at_ms),
        (5_000, Some(5_007))
    );
    assert_eq!((frame.status, frame.attempt), (Status::Success as i32, 2));
    let meta: serde_json::Value = serde_json::from_slice(&frame.meta_json).unwrap();
    assert_eq!(meta["requestId"], "r-1");
    assert_eq!(meta["via_proxy"], true);
}

#[test]
fn a_call_that_was_sent_as_started_ends_in_a_frame_of_its_own() {
    let (telemetry, _hand) = telemetry();
    let op = call(&telemetry, None);
    let start = sent(&telemetry);
    assert_eq!(start[0].finished_at_ms, None);
    assert_eq!(start[0].status, Status::Pending as i32);
    op.end(Ended::Error, Served::default(), || "went wrong".into());
    let end = sent(&telemetry);
    assert_eq!(end[0].op_id, start[0].op_id);
    assert_eq!(end[0].status_message, "went wrong");
}

#[test]
fn a_dropped_call_is_recorded_as_cancelled() {
    let (telemetry, _hand) = telemetry();
    drop(call(&telemetry, None));
    assert_eq!(
        sent(&telemetry)[0].status_message,
        "cancelled by the caller"
    );
}

#[test]
fn nested_work_joins_the_trace_under_its_parent() {
    let (telemetry, _hand) = telemetry();
    let outer = call(&telemetry, None);
    let inner = call(&telemetry, Some(outer.context()));
    assert_eq!(inner.context().trace, outer.context().trace);
    let frames = sent(&telemetry);
    assert_eq!(frames[1].parent_op_id, frames[0].op_id);
    assert_eq!(frames[0].parent_op_id, "");
}

#[test]
fn a_full_ring_drops_the_oldest_and_counts_them() {
    let (telemetry, _hand) = telemetry();
    for _ in 0..10_000 {
        call(&telemetry, None).end(Ended::Success, Served::default(), String::new);
    }
    let last = call(&telemetry, None);
    let kept = telemetry.0.ring.lock().take(usize::MAX).0;
    assert!(kept.len() < 10_000);
    assert_eq!(telemetry.dropped() + kept.len() as u64, 10_001);
    let newest = kept.last().unwrap().to_report();
    assert_eq!(newest.op_id, last.context().parent.to_string());
}

#[test]
fn what_was_not_acknowledged_is_sent_again_after_the_stream_broke() {
    let (telemetry, _hand) = telemetry();
    for _ in 0..3 {
        call(&telemetry, None).end(Ended::Success, Served::default(), String::new);
    }
    let mut ring = telemetry.0.ring.lock();
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
fn nothing_is_recorded_while_the_runtime_does_not_want_it() {
    let (telemetry, _hand) = telemetry();
    telemetry.set_enabled(false);
    call(&telemetry, None).end(Ended::Success, Served::default(), String::new);
    assert!(sent(&telemetry).is_empty());
}

#[test]
fn an_http_request_is_named_by_method_and_path() {
    let (telemetry, _hand) = telemetry();
    let recorder = HttpRecorder(telemetry.clone());
    for (outcome, status, message) in [
        (Outcome::Answered(204), Status::Success, ""),
        (Outcome::Answered(404), Status::Error, "HTTP 404"),
        (Outcome::Aborted, Status::Timeout, "client abort"),
    ] {
        let request = HttpRequest {
            method: &http::Method::GET,
            path: "/api/orders",
            trace: None,
            idempotency_key: None,
        };
        recorder.start(request).end(outcome);
        let frame = sent(&telemetry).remove(0);
        assert_eq!(frame.subject, "http.handle:GET//api/orders");
        assert_eq!(frame.business_key, "GET /api/orders");
        assert_eq!(
            (frame.status, &*frame.status_message),
            (status as i32, message)
        );
    }
}
