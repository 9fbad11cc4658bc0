//! Log entries by hand.

use contract::grpc::v1::LogLevel;

use super::*;

#[test]
fn an_entry_carries_its_fields_and_nothing_of_a_trace_outside_of_one() {
    let (telemetry, _hand) = telemetry();
    let entry = telemetry
        .log(Level::Warn, "stock is low")
        .field("sku", "coffee");
    entry.field("left", 3).field("share", 0.5).send();
    let frame = logs(&telemetry).remove(0);
    assert_eq!(
        (frame.at_unix_ms, frame.level),
        (5_000, LogLevel::Warn as i32)
    );
    assert_eq!((&*frame.message, &*frame.source), ("stock is low", "sdk"));
    let fields = serde_json::json!({"sku": "coffee", "left": 3, "share": 0.5});
    assert_eq!(json(&frame.fields_json), fields);
    assert_eq!((&*frame.trace_id, &*frame.op_id), ("", ""));
    assert_eq!(frame.instance_id, INSTANCE);
}

#[test]
fn an_entry_without_fields_has_an_empty_object_and_large_ones_are_bounded() {
    let (telemetry, _hand) = telemetry();
    telemetry.log(Level::Debug, "").send();
    assert_eq!(logs(&telemetry).remove(0).fields_json, b"{}");
    let long = "x".repeat(20_000);
    telemetry
        .log(Level::Error, &*long)
        .field("f", long.clone())
        .send();
    let frame = logs(&telemetry).remove(0);
    assert_eq!(frame.message.len(), 16 * 1024);
    assert_eq!(frame.fields_json, br#"{"_truncated":true}"#);
}

#[test]
fn a_flood_of_entries_costs_the_oldest_of_them_and_nothing_of_other_kinds() {
    let (telemetry, _hand) = telemetry();
    telemetry.op("kept").start().ok();
    for number in 0..10_000 {
        telemetry.log(Level::Info, format!("entry {number}")).send();
    }
    let kept = telemetry.0.outbox.logs.lock().take(usize::MAX).0;
    assert_eq!(kept.last().unwrap().to_frame("").message, "entry 9999");
    let dropped = telemetry.dropped();
    assert_eq!(dropped.logs + kept.len() as u64, 10_000);
    assert_eq!((dropped.operations, ops(&telemetry).len()), (0, 1));
}
