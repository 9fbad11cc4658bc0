//! Storing and asking, on both databases.

use std::collections::HashSet;
use std::time::Duration;

use contract::clock::{Clock, Timestamp};
use contract::ids::TraceId;
use serde_json::Value;

use super::super::sweep::Gone;
use super::super::{Channel, Frame, Status, Telemetry, TraceFilter};
use super::{actor, end, merged, start};
use crate::db::testing::on_both_databases;
use crate::settings::Settings;

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
