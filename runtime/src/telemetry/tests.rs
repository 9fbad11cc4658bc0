//! What traces promise: merging as pure cases, storing and asking on both databases.

use std::collections::HashSet;
use std::time::Duration;

use contract::clock::{Clock, Timestamp};
use contract::ids::{IdMint, InstanceId, OpId, ServiceId, TraceId};
use serde_json::{Value, json};

use super::sweep::Gone;
use super::{Actor, Channel, Cursor, Frame, Operation, Status, Telemetry, TraceFilter, tree};
use crate::db::testing::{TestDb, on_both_databases};
use crate::settings::Settings;

fn mint() -> IdMint {
    IdMint::system(&Clock::system())
}

fn actor(mint: &IdMint) -> Actor {
    Actor {
        service: ServiceId::mint(mint),
        instance: InstanceId::mint(mint),
    }
}

/// A START frame at `at_ms`.
fn start(mint: &IdMint, trace: TraceId, parent: Option<OpId>, at_ms: i64) -> Frame {
    Frame {
        trace,
        op: OpId::mint(mint),
        parent,
        channel: Some(Channel::Rpc),
        kind: 1,
        subject: "rpc.call:payments/Charge".to_owned(),
        peer_service: "payments".to_owned(),
        peer_instance: String::new(),
        business_key: "order-7".to_owned(),
        attempt: 1,
        started_at_ms: at_ms,
        finished_at_ms: None,
        status: Some(Status::Pending),
        status_message: String::new(),
        meta_json: br#"{"method":"Charge","via_proxy":false}"#.to_vec(),
        attrs_json: br#"{"region":"eu"}"#.to_vec(),
    }
}

/// The END frame of `start`, blank wherever the wire leaves blanks.
fn end(start: &Frame, at_ms: i64, status: Status) -> Frame {
    Frame {
        parent: None,
        subject: String::new(),
        peer_service: String::new(),
        peer_instance: "instance-b".to_owned(),
        business_key: String::new(),
        attempt: 2,
        started_at_ms: 0,
        finished_at_ms: Some(at_ms),
        status: Some(status),
        status_message: "done".to_owned(),
        meta_json: br#"{"via_proxy":true,"requestId":"r1"}"#.to_vec(),
        attrs_json: Vec::new(),
        ..start.clone()
    }
}

fn merged(actor: Actor, frames: &[&Frame]) -> Operation {
    let mut op = Operation::blank(actor, frames[0].trace, frames[0].op);
    for frame in frames {
        op.apply(frame);
    }
    op
}

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
fn a_cursor_survives_its_text_and_others_are_refused() {
    let cursor = Cursor {
        at_ms: -5,
        id: *TraceId::mint(&mint()).as_uuid(),
    };
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
    for text in [
        "",
        "1",
        "x.y",
        "1.2",
        "1.0198c0de-0000-7000-8000-0000000000ab.3",
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

on_both_databases! {
    async fn frames_are_stored_merged_and_read_back(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let who = actor(&t.mint);
        let trace = TraceId::mint(&t.mint);
        let root = start(&t.mint, trace, None, 1_000);
        let child = start(&t.mint, trace, Some(root.op), 1_010);
        let (root_end, child_end) =
            (end(&root, 1_300, Status::Success), end(&child, 1_200, Status::Error));

        // The child's END overtakes its START, in another batch; the root is one batch.
        telemetry.ingest(who, vec![child_end.clone()]).await.expect("stores");
        telemetry.ingest(who, vec![root.clone(), root_end.clone()]).await.expect("stores");
        let ingested = telemetry.ingest(who, vec![child.clone()]).await.expect("stores");
        assert_eq!((ingested.frames, ingested.refused, ingested.late_ends), (1, 0, 0));

        let page = telemetry.get_trace(trace, 0, None).await.expect("loads");
        let expected = [merged(who, &[&root, &root_end]), merged(who, &[&child_end, &child])];
        assert_eq!(page.ops, expected);
        assert_eq!(page.next, None);
        let one = telemetry.get_operation(child.op).await.expect("loads");
        assert_eq!(one.as_ref(), Some(&expected[1]));

        let traces = telemetry.list_traces(&TraceFilter::default(), 0, None).await.expect("lists");
        let [summary] = &traces.traces[..] else { panic!("{traces:?}") };
        assert_eq!((summary.trace, summary.root_service), (trace, who.service));
        assert_eq!((summary.started_at_ms, summary.duration_ms), (1_000, 300));
        assert_eq!((summary.op_count, summary.has_running), (2, false));
        assert_eq!(summary.overall_status, Status::Success);

        // Everything again, as after a lost acknowledgement.
        let again = vec![root, child_end, root_end, child];
        telemetry.ingest(who, again).await.expect("stores");
        assert_eq!(telemetry.get_trace(trace, 0, None).await.expect("loads").ops, expected);
    }

    async fn awkward_text_is_stored_as_it_came(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let mut frame = start(&t.mint, TraceId::mint(&t.mint), None, 1);
        frame.subject = "nul \0 quote \" slash \\ brace {} \u{1F680}".to_owned();
        frame.meta_json = br#"{"a":"\u0000 \" ' \\","b":[1.50,12345678901234567890,null]}"#.to_vec();
        telemetry.ingest(actor(&t.mint), vec![frame.clone()]).await.expect("stores");
        let op = telemetry.get_operation(frame.op).await.expect("loads").expect("is there");
        assert_eq!(op.subject, frame.subject.replace('\0', ""));
        let [sent, kept] = [&frame.meta_json[..], op.meta_json.as_bytes()]
            .map(|bytes| serde_json::from_slice::<Value>(bytes).expect("an object"));
        assert_eq!(sent, kept);
    }

    async fn unsound_foreign_and_runtime_owned_frames_are_refused_and_counted(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let (owner, stranger) = (actor(&t.mint), actor(&t.mint));
        let trace = TraceId::mint(&t.mint);
        let frame = start(&t.mint, trace, None, 1);
        telemetry.ingest(owner, vec![frame.clone()]).await.expect("stores");

        let mut other_trace = end(&frame, 5, Status::Success);
        other_trace.trace = TraceId::mint(&t.mint);
        let mut event = start(&t.mint, trace, None, 1);
        event.channel = Some(Channel::Event);
        let unsound = Frame { status: Some(Status::Pending), ..end(&frame, 5, Status::Success) };
        let fine = start(&t.mint, trace, None, 2);
        let batch = vec![end(&frame, 5, Status::Error), other_trace, event.clone(), unsound, fine];
        let ingested = telemetry.ingest(stranger, batch).await.expect("stores");
        assert_eq!((ingested.frames, ingested.refused), (1, 4));
        let op = telemetry.get_operation(frame.op).await.expect("loads").expect("is there");
        assert_eq!((op.status, op.actor), (Status::Pending, owner));

        telemetry.record(owner, vec![event.clone()]).await.expect("the runtime may");
        assert!(telemetry.get_operation(event.op).await.expect("loads").is_some());
    }

    async fn traces_are_paged_and_filtered(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let (who, other) = (actor(&t.mint), actor(&t.mint));
        let mut traces = Vec::new();
        for number in 0..7_i64 {
            let trace = TraceId::mint(&t.mint);
            // Two of each start, so that the id has to break ties.
            let mut root = start(&t.mint, trace, None, 1_000 + number / 2);
            root.subject = format!("http.handle:GET//100%_{number}");
            let mut frames = vec![root.clone()];
            if number == 3 {
                root.channel = Some(Channel::Http);
                frames = vec![root.clone(), end(&root, 2_000, Status::Error)];
            }
            let reporter = if number == 5 { other } else { who };
            telemetry.ingest(reporter, frames).await.expect("stores");
            traces.push(trace);
        }
        traces.reverse();

        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = telemetry.list_traces(&TraceFilter::default(), 3, cursor).await.expect("lists");
            seen.extend(page.traces.iter().map(|it| it.trace));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, traces);

        let find = async |filter: TraceFilter| -> Vec<usize> {
            let page = telemetry.list_traces(&filter, 0, None).await.expect("lists");
            let place = |trace| traces.iter().rev().position(|it| *it == trace).expect("known");
            page.traces.iter().map(|it| place(it.trace)).collect()
        };
        let all = TraceFilter::default;
        assert_eq!(find(TraceFilter { channels: vec![Channel::Http], ..all() }).await, [3]);
        let ended = vec![Status::Error, Status::Timeout];
        assert_eq!(find(TraceFilter { statuses: ended, ..all() }).await, [3]);
        assert_eq!(find(TraceFilter { service: Some(other.service), ..all() }).await, [5]);
        assert_eq!(find(TraceFilter { text: "get//100%_6".to_owned(), ..all() }).await, [6]);
        assert_eq!(find(TraceFilter { text: "1000".to_owned(), ..all() }).await, [0; 0]);
        assert_eq!(find(TraceFilter { text: "ORDER-7".to_owned(), ..all() }).await.len(), 7);
        let window = TraceFilter { from_ms: Some(1_001), to_ms: Some(1_002), ..all() };
        assert_eq!(find(window).await, [5, 4, 3, 2]);
    }

    async fn a_trace_is_read_in_pages(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let trace = TraceId::mint(&t.mint);
        let frames: Vec<_> =
            (0..2_500).map(|number| start(&t.mint, trace, None, number / 100)).collect();
        let expected: Vec<_> = frames.iter().map(|it| it.op).collect();
        let ingested = telemetry.ingest(actor(&t.mint), frames).await.expect("stores");
        assert_eq!(ingested.frames, 2_500);
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = telemetry.get_trace(trace, 999, cursor).await.expect("loads");
            seen.extend(page.ops.iter().map(|it| it.op));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 2_500);
        assert_eq!(seen[100..], expected[100..], "start 0 means unknown, the rest is in order");
    }

    async fn what_a_vanished_instance_left_is_abandoned_until_its_end_comes(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let (gone, here) = (actor(&t.mint), actor(&t.mint));
        let trace = TraceId::mint(&t.mint);
        let (left, young) = (start(&t.mint, trace, None, 10), start(&t.mint, trace, None, 99));
        let running = start(&t.mint, trace, None, 10);
        telemetry.ingest(gone, vec![left.clone(), young.clone()]).await.expect("stores");
        telemetry.ingest(here, vec![running.clone()]).await.expect("stores");

        let before = Timestamp::from_millis(50);
        let marked = telemetry.abandon_pending(&[gone.instance], before).await.expect("marks");
        assert_eq!(marked, 1);
        let status = async |op| telemetry.get_operation(op).await.expect("loads").expect("is there").status;
        assert_eq!(status(left.op).await, Status::Abandoned);
        assert_eq!(status(young.op).await, Status::Pending);
        assert_eq!(status(running.op).await, Status::Pending);

        let late = vec![end(&left, 60, Status::Success)];
        assert_eq!(telemetry.ingest(gone, late).await.expect("stores").late_ends, 1);
        assert_eq!(status(left.op).await, Status::Success);
    }

    async fn the_sweep_finds_what_no_one_reported_gone_and_what_is_too_old(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let (clock, hand) = Clock::manual(Timestamp::from_millis(900_000_000));
        let settings = Settings::open(&t.db, &clock, &t.mint).await.expect("opens");
        let (gone, here) = (actor(&t.mint), actor(&t.mint));
        let now_ms = clock.now().as_millis();
        let [left, running] = [(); 2].map(|()| start(&t.mint, TraceId::mint(&t.mint), None, now_ms));
        let old = start(&t.mint, TraceId::mint(&t.mint), None, 1);
        telemetry.ingest(gone, vec![left.clone()]).await.expect("stores");
        telemetry.ingest(here, vec![running.clone(), old.clone()]).await.expect("stores");

        let mut watched = Gone::default();
        for _ in 0..2 {
            let is_here = |id| id == here.instance;
            telemetry.sweep(&settings, &clock, is_here, &mut watched).await.expect("sweeps");
            hand.advance(Duration::from_secs(31));
        }
        let find = async |frame: &Frame| telemetry.get_operation(frame.op).await.expect("loads");
        assert_eq!(find(&left).await.expect("is there").status, Status::Abandoned);
        assert_eq!(find(&running).await.expect("is there").status, Status::Pending);
        assert!(find(&old).await.is_none(), "older than the retention");
        let page = telemetry.list_traces(&TraceFilter::default(), 0, None).await.expect("lists");
        assert_eq!(page.traces.len(), 2);
    }

    async fn batches_that_overlap_in_two_processes_all_count(t: TestDb) {
        let trace = TraceId::mint(&t.mint);
        let who = actor(&t.mint);
        let frames: Vec<_> = (0..200).map(|at| start(&t.mint, trace, None, 1 + at)).collect();
        let again = t.reopen().await.expect("opens");
        let send = |db: &crate::db::Db, frames: Vec<Frame>| {
            let telemetry = Telemetry::new(db);
            tokio::spawn(async move {
                for batch in frames.chunks(20) {
                    telemetry.ingest(who, batch.to_vec()).await.expect("stores");
                }
            })
        };
        let ends: Vec<_> = frames.iter().rev().map(|it| end(it, 900, Status::Success)).collect();
        let senders = [send(&t.db, frames), send(&again, ends)];
        for sender in senders {
            sender.await.expect("sends");
        }
        let ops = Telemetry::new(&again).get_trace(trace, 0, None).await.expect("loads").ops;
        assert_eq!(ops.len(), 200);
        for op in ops {
            assert_eq!((op.status, op.subject.is_empty()), (Status::Success, false));
        }
        again.close().await;
    }
}
