//! Pure cases: merging frames, drawing trees, reading cursors, noticing who is gone.

use std::time::Duration;

use contract::clock::{Clock, Timestamp};
use contract::ids::{InstanceId, OpId, TraceId};
use serde_json::{Value, json};

use super::super::query::Position;
use super::super::sweep::Gone;
use super::super::{Cursor, Frame, Status, tree};
use super::{actor, end, merged, mint, start};

#[test]
fn start_and_end_give_the_same_operation_in_any_order_and_number() {
    let mint = mint();
    let (who, parent) = (actor(&mint), OpId::mint(&mint));
    let start = start(&mint, TraceId::mint(&mint), Some(parent), 1_000);
    let end = end(&start, 1_250, Status::Success);
    let expected = merged(who, &[&start, &end]);
    for order in [
        vec![&end, &start],
        vec![&start, &end, &start],
        vec![&end, &start, &end, &end],
        vec![&start, &start, &end],
    ] {
        let mut op = merged(who, &order);
        let parsed: Value = serde_json::from_str(&op.meta_json).expect("an object");
        assert_eq!(
            parsed,
            json!({"method":"Charge","via_proxy":true,"requestId":"r1"})
        );
        op.meta_json.clone_from(&expected.meta_json);
        assert_eq!(op, expected);
    }
    assert_eq!(expected.parent, Some(parent));
    assert_eq!(expected.subject, "rpc.call:payments/Charge");
    assert_eq!(expected.peer_service, "payments");
    assert_eq!(
        (expected.started_at_ms, expected.finished_at_ms),
        (1_000, Some(1_250))
    );
    assert_eq!(
        (expected.attempt, expected.peer_instance.as_str()),
        (2, "instance-b")
    );
    assert_eq!(
        (expected.status, expected.status_message.as_str()),
        (Status::Success, "done")
    );
    assert_eq!(expected.attrs_json, r#"{"region":"eu"}"#);
}

#[test]
fn a_late_end_replaces_abandoned_and_a_late_start_never_reopens() {
    let mint = mint();
    let start = start(&mint, TraceId::mint(&mint), None, 1_000);
    let mut op = merged(actor(&mint), &[&start]);
    op.status = Status::Abandoned;
    op.apply(&start);
    assert_eq!(op.status, Status::Abandoned);
    op.apply(&end(&start, 1_100, Status::Timeout));
    assert_eq!(
        (op.status, op.finished_at_ms),
        (Status::Timeout, Some(1_100))
    );
}

#[test]
fn oversized_or_broken_json_is_replaced_and_text_is_cut() {
    let mint = mint();
    let mut frame = start(&mint, TraceId::mint(&mint), None, 1);
    frame.meta_json = format!(r#"{{"x":"{}"}}"#, "y".repeat(8_192)).into_bytes();
    frame.attrs_json = b"[1,2]".to_vec();
    frame.subject = format!("a\0{}", "é".repeat(2_000));
    let op = merged(actor(&mint), &[&frame]);
    assert_eq!(op.meta_json, r#"{"_truncated":true}"#);
    assert_eq!(op.attrs_json, r#"{"_truncated":true}"#);
    assert!(op.subject.starts_with("aé") && op.subject.len() <= 2_048);

    let half = |name: &str| format!(r#"{{"{name}":"{}"}}"#, "y".repeat(5_000)).into_bytes();
    let (mut first, mut last) = (frame.clone(), end(&frame, 2, Status::Success));
    (first.meta_json, last.meta_json) = (half("a"), half("b"));
    let op = merged(actor(&mint), &[&first, &last]);
    assert_eq!(
        op.meta_json, r#"{"_truncated":true}"#,
        "the limit holds for both together"
    );
}

#[test]
fn json_that_nests_too_deeply_to_be_merged_is_replaced_and_never_lost_in_silence() {
    let mint = mint();
    let mut first = start(&mint, TraceId::mint(&mint), None, 1);
    let deep = format!("{{\"deep\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    first.meta_json = deep.clone().into_bytes();
    let op = merged(actor(&mint), &[&first]);
    assert_eq!(op.meta_json, deep, "kept as it came");
    let op = merged(actor(&mint), &[&first, &end(&first, 2, Status::Success)]);
    assert_eq!(op.meta_json, r#"{"_truncated":true}"#);
    for broken in [
        &b"{\"a\":1"[..],
        b"{} {}",
        b"{\"a\":\"\xff\"}",
        b"[{}]",
        b"null",
    ] {
        first.meta_json = broken.to_vec();
        let op = merged(actor(&mint), &[&first]);
        assert_eq!(op.meta_json, r#"{"_truncated":true}"#, "{broken:?}");
    }
}

#[test]
fn a_tree_shows_every_operation_once_whatever_its_parents_say() {
    let mint = mint();
    let (who, trace) = (actor(&mint), TraceId::mint(&mint));
    let op = |frame: &Frame| merged(who, &[frame]);
    let root = start(&mint, trace, None, 10);
    let late = start(&mint, trace, Some(root.op), 30);
    let early = start(&mint, trace, Some(root.op), 20);
    let below = start(&mint, trace, Some(early.op), 40);
    let orphan = start(&mint, trace, Some(OpId::mint(&mint)), 50);
    let (mut ring_a, mut ring_b) = (start(&mint, trace, None, 60), start(&mint, trace, None, 61));
    (ring_a.parent, ring_b.parent) = (Some(ring_b.op), Some(ring_a.op));
    let mut own = start(&mint, trace, None, 70);
    own.parent = Some(own.op);

    let ops: Vec<_> = [
        &ring_b, &own, &below, &late, &orphan, &ring_a, &early, &root,
    ]
    .map(op)
    .to_vec();
    let drawn: Vec<_> = tree(&ops).iter().map(|it| (it.op.op, it.depth)).collect();
    assert_eq!(
        drawn,
        [
            (root.op, 0),
            (early.op, 1),
            (below.op, 2),
            (late.op, 1),
            (orphan.op, 0),
            (own.op, 0),
            (ring_a.op, 0),
            (ring_b.op, 1),
        ]
    );
    let deep: Vec<_> = (0..50_000)
        .scan(None, |parent, at| {
            let frame = start(&mint, trace, *parent, at);
            *parent = Some(frame.op);
            Some(op(&frame))
        })
        .collect();
    assert_eq!(tree(&deep).last().expect("drawn").depth, 49_999);
}

#[test]
fn a_parent_known_by_its_w3c_span_alone_is_found() {
    let mint = mint();
    let (who, trace) = (actor(&mint), TraceId::mint(&mint));
    let root = start(&mint, trace, None, 10);
    let span = root.op.as_uuid().as_u64_pair().1;
    let parent = OpId::from_uuid(uuid::Uuid::from_u64_pair(0, span));
    let child = start(&mint, trace, Some(parent), 20);
    let ops = [merged(who, &[&child]), merged(who, &[&root])];
    let drawn: Vec<_> = tree(&ops).iter().map(|it| (it.op.op, it.depth)).collect();
    assert_eq!(drawn, [(root.op, 0), (child.op, 1)]);
}

#[test]
fn a_cursor_survives_its_text_and_others_are_refused() {
    let at = Position {
        at_ms: -5,
        id: *TraceId::mint(&mint()).as_uuid(),
    };
    let cursor = Cursor { slice: 3, at };
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
    for text in [
        "",
        "1",
        "x.y",
        "1.2",
        "1.0198c0de-0000-7000-8000-0000000000ab.3",
        "1.2.0198c0de-0000-7000-8000-0000000000ab.3",
    ] {
        assert!(text.parse::<Cursor>().is_err(), "{text}");
    }
}

#[test]
fn only_who_has_been_gone_long_enough_is_given_up() {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let mint = mint();
    let [here, back, gone] = [(); 3].map(|()| InstanceId::mint(&mint));
    let mut watched = Gone::default();
    let mut look = |present: &[InstanceId]| {
        let is_here = |id| present.contains(&id);
        watched.note(
            &[here, back, gone],
            is_here,
            clock.monotonic(),
            Duration::from_secs(30),
        )
    };
    assert_eq!(look(&[here]), []);
    hand.advance(Duration::from_secs(20));
    assert_eq!(look(&[here, back]), []);
    hand.advance(Duration::from_secs(10));
    assert_eq!(look(&[here]), [gone]);
    hand.advance(Duration::from_secs(29));
    assert_eq!(look(&[here]), [gone]);
}
