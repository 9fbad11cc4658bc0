//! The queue of reports: its limit, its levels, and who is answered what, on both databases.

use contract::ids::TraceId;

use super::super::counters::QUEUE_BYTES_MAX;
use super::super::report::Reports;
use super::super::{Channel, Frame, Status, Telemetry};
use super::{actor, end, start};
use crate::db::testing::{TestDb, on_both_databases};
use crate::db::{DbError, DbErrorKind};

fn frames(t: &TestDb, count: usize) -> Vec<Frame> {
    let trace = TraceId::mint(&t.mint);
    (0..count)
        .map(|_| start(&t.mint, trace, None, 10))
        .collect()
}

on_both_databases! {
    async fn a_full_queue_turns_batches_away_until_it_is_stored(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let reports = Reports::new(&telemetry);
        let who = actor(&t.mint);
        let tenth = QUEUE_BYTES_MAX / 10;
        let mut receipts = Vec::new();
        let mut levels = Vec::new();
        for _ in 0..10 {
            receipts.push(reports.ops((tenth, 3), who, frames(&t, 3)).expect("has room"));
            levels.push(reports.level());
        }
        assert_eq!(levels, [0, 0, 0, 0, 0, 1, 1, 1, 1, 2]);
        reports.ops((tenth, 3), who, frames(&t, 3)).expect_err("is full");
        reports.run(tenth, async { Ok(0) }).expect_err("for the other kinds too");
        assert_eq!(telemetry.counters().turned_away, 2);

        let storing = tokio::spawn(reports.clone().store_for_ever());
        for receipt in receipts {
            assert_eq!(receipt.await.expect("is answered").expect("is stored"), 0);
        }
        let counters = telemetry.counters();
        assert_eq!((counters.frames, counters.queue_bytes, counters.level), (30, 0, 0));
        reports.ops((tenth, 3), who, frames(&t, 3)).expect("has room again");
        storing.abort();
    }

    async fn a_receipt_tells_what_was_dropped_on_purpose(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let reports = Reports::new(&telemetry);
        let storing = tokio::spawn(reports.clone().store_for_ever());
        let mut batch = frames(&t, 3);
        batch[1].channel = Some(Channel::Event);
        let unsound = Frame { status: Some(Status::Pending), ..end(&batch[0], 5, Status::Success) };
        batch.push(unsound);
        // Of six items two could not be read.
        let receipt = reports.ops((100, 6), actor(&t.mint), batch).expect("has room");
        assert_eq!(receipt.await.expect("is answered").expect("is stored"), 4);
        let receipt = reports.run(100, async { Ok(5) }).expect("has room");
        assert_eq!(receipt.await.expect("is answered").expect("is stored"), 5);
        let counters = telemetry.counters();
        assert_eq!((counters.frames, counters.refused), (2, 9));
        storing.abort();
    }

    async fn what_cannot_be_stored_is_told_and_its_room_is_given_back(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let reports = Reports::new(&telemetry);
        let storing = tokio::spawn(reports.clone().store_for_ever());
        let failing = async { Err(DbError::corrupt("store", "on purpose")) };
        let receipt = reports.run(100, failing).expect("has room");
        receipt.await.expect("is answered").expect_err("failed");
        t.db.close().await;
        let receipt = reports.ops((100, 2), actor(&t.mint), frames(&t, 2)).expect("has room");
        let error = receipt.await.expect("is answered").expect_err("is closed");
        assert_eq!(error.kind(), DbErrorKind::Unavailable);
        assert_eq!(telemetry.counters().queue_bytes, 0);
        storing.abort();
    }

    async fn many_streams_are_stored_together_and_each_gets_its_own_answer(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let reports = Reports::new(&telemetry);
        let whos = [(); 4].map(|()| actor(&t.mint));
        let mut receipts = Vec::new();
        let mut last = Vec::new();
        for round in 0..50_usize {
            for who in whos {
                last = frames(&t, 4);
                let receipt = reports.ops((1_000, 4 + round % 2), who, last.clone());
                receipts.push((round % 2, receipt.expect("has room")));
            }
        }
        let storing = tokio::spawn(reports.clone().store_for_ever());
        for (dropped, receipt) in receipts {
            assert_eq!(receipt.await.expect("is answered").expect("is stored"), dropped);
        }
        assert_eq!(telemetry.counters().frames, 800);
        let ops = telemetry.get_trace(last[0].trace, 0, None).await.expect("loads").ops;
        assert_eq!(ops.len(), 4);
        assert!(ops.iter().all(|it| it.actor == whos[3]));
        storing.abort();
    }
}
