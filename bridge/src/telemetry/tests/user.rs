//! Operations that a user names.

use contract::grpc::v1::{Channel, Status};

use super::*;

#[test]
fn an_operation_says_what_it_was_told() {
    let (telemetry, hand) = telemetry();
    let op = telemetry.op("stock.recount").key("w-7").attr("shelves", 12);
    let mut op = op.start();
    hand.advance(std::time::Duration::from_millis(3));
    op.attr("found", "é");
    op.ok();
    let frames = ops(&telemetry);
    assert_eq!(frames.len(), 1);
    let frame = &frames[0];
    assert_eq!((frame.channel, frame.kind), (Channel::User as i32, 1));
    assert_eq!(
        (&*frame.subject, &*frame.business_key),
        ("stock.recount", "w-7")
    );
    assert_eq!(
        json(&frame.attrs_json),
        serde_json::json!({"shelves": 12, "found": "é"})
    );
    assert_eq!(frame.meta_json, b"{}");
    assert_eq!((frame.status, frame.attempt), (Status::Success as i32, 1));
    assert_eq!(
        (frame.started_at_ms, frame.finished_at_ms),
        (5_000, Some(5_003))
    );
}

#[test]
fn an_operation_that_was_sent_as_started_ends_with_its_attributes() {
    let (telemetry, _hand) = telemetry();
    let mut op = telemetry.op("a").attr("first", true).start();
    let start = ops(&telemetry).remove(0);
    assert_eq!(start.finished_at_ms, None);
    assert_eq!(json(&start.attrs_json), serde_json::json!({"first": true}));
    op.attr("second", 2);
    op.fail("it broke");
    let end = ops(&telemetry).remove(0);
    assert_eq!((&end.op_id, &*end.subject), (&start.op_id, "a"));
    assert_eq!(
        json(&end.attrs_json),
        serde_json::json!({"first": true, "second": 2})
    );
    assert_eq!(
        (end.status, &*end.status_message),
        (Status::Error as i32, "it broke")
    );
}

#[test]
fn an_operation_that_is_dropped_has_failed() {
    let (telemetry, _hand) = telemetry();
    drop(telemetry.op("a").start());
    let frame = ops(&telemetry).remove(0);
    assert_eq!(
        (frame.status, &*frame.status_message),
        (Status::Error as i32, "dropped")
    );
}

#[tokio::test]
async fn what_runs_inside_hangs_under_it() {
    let (telemetry, _hand) = telemetry();
    let outer = telemetry.op("outer").start();
    let inner = telemetry.clone();
    outer
        .run(async move {
            call(&inner, current().as_ref()).end(Ended::Success, Served::default(), String::new);
            inner.op("inner").start().ok();
            inner.log(Level::Info, "inside").send();
        })
        .await;
    outer.child("child").start().ok();
    let id = outer.context();
    outer.ok();
    let frames = ops(&telemetry);
    let parents: Vec<_> = frames
        .iter()
        .map(|it| (&*it.subject, &*it.parent_op_id))
        .collect();
    let under = &*id.parent.to_string();
    let expected = [
        ("outer", ""),
        ("rpc.call:payments/Charge", under),
        ("inner", under),
        ("child", under),
    ];
    assert_eq!(parents, expected);
    assert!(frames.iter().all(|it| it.trace_id == id.trace.to_string()));
    let entry = logs(&telemetry).remove(0);
    assert_eq!(
        (&*entry.trace_id, &*entry.op_id),
        (&*id.trace.to_string(), under)
    );
}

#[test]
fn long_texts_are_cut_and_attributes_beyond_their_limit_say_so() {
    let (telemetry, _hand) = telemetry();
    let long = "é".repeat(2_000);
    telemetry
        .op(&long)
        .key(&long)
        .attr("a", &*long)
        .start()
        .fail(&long);
    let frame = ops(&telemetry).remove(0);
    for text in [&frame.subject, &frame.business_key, &frame.status_message] {
        assert_eq!(text.len(), 1_024);
    }
    assert_eq!(frame.attrs_json, br#"{"_truncated":true}"#);
}
