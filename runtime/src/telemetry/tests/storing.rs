//! Storing operations, on both databases.

use contract::clock::Timestamp;
use contract::ids::{OpId, TraceId};
use serde_json::Value;

use super::super::engine::Batch;
use super::super::{Channel, Frame, Status, Telemetry, TraceFilter};
use super::{actor, end, merged, start};
use crate::db::History;
use crate::db::testing::on_both_databases;

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

        // Nothing is left to look for there but what is too young.
        let noted = async || telemetry.running_instances().await.expect("lists");
        assert_eq!(noted().await, [gone.instance, here.instance].into());
        telemetry.ingest(gone, vec![end(&young, 120, Status::Success)]).await.expect("stores");
        telemetry.abandon_pending(&[gone.instance], before).await.expect("looks");
        assert_eq!(noted().await, [here.instance].into());

        let late = vec![end(&left, 60, Status::Success)];
        assert_eq!(telemetry.ingest(gone, late).await.expect("stores").late_ends, 1);
        assert_eq!(status(left.op).await, Status::Success);
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

    async fn what_many_reporters_say_is_stored_together_and_answered_apart(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let whos = [(); 3].map(|()| actor(&t.mint));
        let trace = TraceId::mint(&t.mint);
        let starts = [(); 3].map(|()| start(&t.mint, trace, None, 10));
        let mut batches: Vec<_> = whos.iter().zip(&starts).map(|(who, frame)| Batch {
            actor: *who,
            frames: vec![frame.clone(), end(frame, 20, Status::Success)],
        }).collect();
        // The third speaks about the first one's operation, too.
        batches[2].frames.push(end(&starts[0], 30, Status::Error));
        let ingested = telemetry.store(batches).await.expect("stores");
        let counts: Vec<_> = ingested.iter().map(|it| (it.frames, it.refused)).collect();
        assert_eq!(counts, [(2, 0), (2, 0), (2, 1)]);
        for (who, frame) in whos.iter().zip(&starts) {
            let op = telemetry.get_operation(frame.op).await.expect("loads").expect("is there");
            assert_eq!((op.actor, op.status), (*who, Status::Success));
        }
        let counters = telemetry.counters();
        assert_eq!((counters.frames, counters.refused), (6, 1));
    }

    async fn an_end_meets_its_start_whatever_the_process_remembers(t: TestDb) {
        let who = actor(&t.mint);
        let frames: Vec<_> =
            (0..4).map(|at| start(&t.mint, TraceId::mint(&t.mint), None, 10 + at)).collect();
        let (one, again) = (Telemetry::new(&t.db), t.reopen().await.expect("opens"));
        let other = Telemetry::new(&again);
        one.ingest(who, frames.clone()).await.expect("stores");
        let ended = |at: usize, status| vec![end(&frames[at], 90, status)];
        // Remembered; not remembered; remembered as running, though another has given it up; and
        // remembered as running, though another has ended it.
        one.ingest(who, ended(0, Status::Success)).await.expect("stores");
        other.ingest(who, ended(1, Status::Success)).await.expect("stores");
        other.mark_all_running();
        let before = Timestamp::from_millis(12);
        assert_eq!(other.abandon_pending(&[who.instance], before).await.expect("marks"), 1);
        let late = one.ingest(who, ended(2, Status::Success)).await.expect("stores");
        assert_eq!(late.late_ends, 1);
        assert_eq!(one.counters().late_ends, 1);
        other.ingest(who, ended(3, Status::Timeout)).await.expect("stores");
        one.ingest(who, vec![frames[3].clone()]).await.expect("stores");
        let wanted = [Status::Success, Status::Success, Status::Success, Status::Timeout];
        for (frame, status) in frames.iter().zip(wanted) {
            let op = one.get_operation(frame.op).await.expect("loads").expect("is there");
            assert_eq!(op, merged(who, &[frame, &end(frame, 90, status)]));
        }
        again.close().await;
    }

    async fn a_restart_finds_everything_and_repeats_change_nothing(t: TestDb) {
        let who = actor(&t.mint);
        let root = start(&t.mint, TraceId::mint(&t.mint), None, 10);
        let frames = vec![root.clone(), end(&root, 30, Status::Error)];
        Telemetry::new(&t.db).ingest(who, frames.clone()).await.expect("stores");
        let again = t.reopen().await.expect("opens");
        let telemetry = Telemetry::new(&again);
        telemetry.ingest(who, frames).await.expect("stores");
        let text = TraceFilter { text: "charge order".to_owned(), ..TraceFilter::default() };
        let found = telemetry.list_traces(&text, 0, None).await.expect("lists");
        assert_eq!(found.traces.len(), 1);
        assert_eq!(found.traces[0].overall_status, Status::Error);
        again.close().await;
    }

    async fn the_slice_of_an_operation_follows_from_its_ids(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let who = actor(&t.mint);
        let early = start(&t.mint, TraceId::mint(&t.mint), None, 10);
        let foreign = TraceId::from_uuid(uuid::Uuid::from_u64_pair(u64::MAX, 7));
        let first = start(&t.mint, foreign, None, 20);
        telemetry.ingest(who, vec![early.clone(), first.clone()]).await.expect("stores");
        // Ids of this mint are of the present; the next slice has begun when the next ones are made.
        let begins = t.mint.v7().as_u64_pair().0 >> 16;
        let begins = i64::try_from(begins).expect("a time") + 1;
        let newest = t.db.add_slice(History::Ops, begins).await.expect("adds");
        while t.clock.now().as_millis() < begins {
            tokio::task::yield_now().await;
        }
        let second = start(&t.mint, foreign, Some(first.op), 30);
        let frames = vec![end(&early, 40, Status::Success), end(&first, 50, Status::Success), second.clone()];
        telemetry.ingest(who, frames).await.expect("stores");

        let op = telemetry.get_operation(early.op).await.expect("loads").expect("is there");
        assert_eq!(op.subject, early.subject, "START and END met");
        let ops = telemetry.get_trace(foreign, 0, None).await.expect("loads").ops;
        let ids: Vec<OpId> = ops.iter().map(|it| it.op).collect();
        assert_eq!(ids, [first.op, second.op], "a trace of two slices is read from both");
        let listed = telemetry.list_traces(&TraceFilter::default(), 0, None).await.expect("lists");
        let listed: Vec<_> = listed.traces.iter().map(|it| it.trace).collect();
        assert_eq!(listed.iter().filter(|it| **it == foreign).count(), 1);
        assert_eq!(listed.len(), 2);

        // What belongs to a slice that is gone goes to the present one.
        t.db.drop_slice(History::Ops, newest - 1).await.expect("drops");
        telemetry.ingest(who, vec![early.clone()]).await.expect("stores");
        let found = telemetry.get_trace(early.trace, 0, None).await.expect("loads").ops;
        assert_eq!(found.len(), 1);
    }

    async fn operations_of_more_than_one_transaction_are_all_counted(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let trace = TraceId::mint(&t.mint);
        let mut frames = Vec::new();
        for at in 0..5_000 {
            let frame = start(&t.mint, trace, None, 1 + at);
            frames.push(end(&frame, 9_000, Status::Success));
            frames.push(frame);
        }
        let who = actor(&t.mint);
        let ingested = telemetry.ingest(who, frames).await.expect("stores");
        assert_eq!((ingested.frames, ingested.refused), (10_000, 0));
        let listed = telemetry.list_traces(&TraceFilter::default(), 0, None).await.expect("lists");
        assert_eq!((listed.traces[0].op_count, listed.traces[0].has_running), (5_000, false));
        assert_eq!(listed.traces[0].duration_ms, 8_999);
    }
}
