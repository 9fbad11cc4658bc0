//! Payloads as the runtime's modes have them.

use contract::grpc::v1::{CaptureMode, CaptureModes};

use super::*;

fn modes(rpc: CaptureMode, bytes: i32) -> CaptureModes {
    CaptureModes {
        rpc: rpc as i32,
        telemetry_enabled: true,
        payload_max_bytes: bytes,
        ..CaptureModes::default()
    }
}

#[test]
fn nothing_is_captured_before_the_runtime_asks_for_it() {
    let (telemetry, _hand) = telemetry();
    assert_eq!(call(&telemetry, None).capture(), Mode::None);
    for (wire, mode) in [
        (CaptureMode::All, Mode::All),
        (CaptureMode::Errors, Mode::Errors),
        (CaptureMode::None, Mode::None),
        (CaptureMode::Unspecified, Mode::None),
    ] {
        telemetry.follow_runtime(true, Some(&modes(wire, 1)));
        assert_eq!(call(&telemetry, None).capture(), mode);
    }
    let mut unknown = modes(CaptureMode::All, 1);
    unknown.rpc = 99;
    telemetry.follow_runtime(true, Some(&unknown));
    assert_eq!(call(&telemetry, None).capture(), Mode::None);
}

#[test]
fn a_payload_is_cut_to_the_cap_and_keeps_its_size() {
    let (telemetry, _hand) = telemetry();
    telemetry.follow_runtime(true, Some(&modes(CaptureMode::All, 4)));
    let op = call(&telemetry, None);
    op.attach(Direction::In, b"", "v2:hash");
    op.attach(Direction::Out, b"123456", "v2:hash");
    let frames = payloads(&telemetry);
    assert_eq!(frames.len(), 1, "an empty payload says nothing");
    let frame = &frames[0];
    assert_eq!((&*frame.bytes, frame.original_size), (&b"1234"[..], 6));
    assert_eq!((frame.direction, &*frame.contract_hash), (2, "v2:hash"));
    assert_eq!(frame.op_id, op.context().parent.to_string());
    // No cap, or a senseless one, is the contract's default.
    telemetry.follow_runtime(true, Some(&modes(CaptureMode::All, 0)));
    op.attach(Direction::In, &[7; 70_000], "v2:hash");
    assert_eq!(payloads(&telemetry)[0].bytes.len(), 65_536);
}

#[test]
fn a_payload_larger_than_the_ring_is_dropped_and_costs_no_other() {
    let (telemetry, _hand) = telemetry();
    telemetry.follow_runtime(true, Some(&modes(CaptureMode::All, i32::MAX)));
    let op = call(&telemetry, None);
    op.attach(Direction::In, b"small", "");
    op.attach(Direction::Out, &vec![1; 300_000], "");
    assert_eq!(telemetry.dropped().payloads, 1);
    assert_eq!(payloads(&telemetry)[0].bytes, b"small");
}
