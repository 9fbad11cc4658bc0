//! Asking for traces, on both databases.

use std::collections::HashSet;

use contract::ids::TraceId;

use super::super::{Channel, Frame, Status, Telemetry, TraceFilter};
use super::{actor, end, start};
use crate::db::History;
use crate::db::testing::on_both_databases;

/// Every matching trace, page by page.
async fn all(telemetry: &Telemetry, filter: &TraceFilter, limit: u32) -> Vec<TraceId> {
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = telemetry
            .list_traces(filter, limit, cursor)
            .await
            .expect("lists");
        assert!(page.traces.len() <= limit as usize);
        seen.extend(page.traces.iter().map(|it| it.trace));
        cursor = page.next;
        if cursor.is_none() {
            return seen;
        }
    }
}

on_both_databases! {
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

    async fn a_search_wants_all_words_of_one_operation(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let who = actor(&t.mint);
        let trace = TraceId::mint(&t.mint);
        let mut root = start(&t.mint, trace, None, 10);
        (root.subject, root.business_key) = ("http.handle:GET//orders/{id}".into(), "Überweisung 17".into());
        let mut child = start(&t.mint, trace, Some(root.op), 11);
        (child.subject, child.business_key) = ("rpc.call:payments/Charge".into(), "注文-5".into());
        // The END comes first: its words come with the START.
        telemetry.ingest(who, vec![end(&root, 20, Status::Success)]).await.expect("stores");
        telemetry.ingest(who, vec![child]).await.expect("stores");
        telemetry.ingest(who, vec![root]).await.expect("stores");
        let other = start(&t.mint, TraceId::mint(&t.mint), None, 12);
        telemetry.ingest(who, vec![other]).await.expect("stores");
        let found = async |text: &str| {
            let filter = TraceFilter { text: text.to_owned(), ..TraceFilter::default() };
            all(&telemetry, &filter, 10).await.len()
        };
        assert_eq!(found("orders").await, 1);
        assert_eq!(found("GET ord").await, 1, "the last word may be a beginning");
        assert_eq!(found("ord get").await, 0, "no other may");
        assert_eq!(found("überweisung 1").await, 1);
        assert_eq!(found("注文").await, 1);
        assert_eq!(found("orders charge").await, 0, "words of two operations");
        assert_eq!(found("charge").await, 2);
        assert_eq!(found("charge order").await, 1);
        assert_eq!(found("\" OR 1=1 --").await, 0);
        assert_eq!(found("***").await, 0, "no word is found nowhere");
        assert_eq!(found("  ").await, 2, "nothing is asked for");
    }

    async fn common_words_are_found_newest_first_and_rare_ones_all(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let who = actor(&t.mint);
        let mut traces = Vec::new();
        let mut frames = Vec::new();
        for number in 0..1_500_i64 {
            let mut frame = start(&t.mint, TraceId::mint(&t.mint), None, 1_000 + number);
            frame.business_key = format!("key-{number:04}");
            if number % 500 == 0 {
                frame.subject = "http.handle:GET//rare".to_owned();
            }
            traces.push(frame.trace);
            frames.push(frame);
        }
        telemetry.ingest(who, frames).await.expect("stores");
        let filter = |text: &str| TraceFilter { text: text.to_owned(), ..TraceFilter::default() };
        // More texts than a search goes by.
        let common = all(&telemetry, &filter("key"), 400).await;
        assert_eq!(common, traces.iter().rev().copied().collect::<Vec<_>>());
        let of_calls = all(&telemetry, &filter("key call 0"), 500).await;
        assert_eq!(of_calls.len(), 998, "of the first thousand two are rare");
        let rare = all(&telemetry, &filter("rare"), 2).await;
        assert_eq!(rare, [traces[1_000], traces[500], traces[0]]);
        assert_eq!(all(&telemetry, &filter("key 1499"), 10).await, [traces[1_499]]);
        let window = TraceFilter { from_ms: Some(1_100), to_ms: Some(2_400), ..filter("rare") };
        assert_eq!(all(&telemetry, &window, 10).await, [traces[1_000], traces[500]]);
    }

    async fn a_list_goes_through_the_slices_and_stays_in_order_while_traces_arrive(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let who = actor(&t.mint);
        let mut expected = Vec::new();
        for round in 0..4 {
            let frames: Vec<Frame> = (0..3)
                .map(|at| {
                    let foreign = TraceId::from_uuid(uuid::Uuid::from_u64_pair(u64::MAX, round * 10 + at));
                    start(&t.mint, foreign, None, i64::try_from(round * 10 + at).expect("small"))
                })
                .collect();
            expected.extend(frames.iter().map(|it| it.trace));
            telemetry.ingest(who, frames).await.expect("stores");
            if round < 3 {
                let now_ms = t.clock.now().as_millis();
                t.db.add_slice(History::Ops, now_ms).await.expect("adds");
                while t.clock.now().as_millis() == now_ms {
                    tokio::task::yield_now().await;
                }
            }
        }
        expected.reverse();
        let every = TraceFilter::default();
        assert_eq!(all(&telemetry, &every, 5).await, expected);

        let page = telemetry.list_traces(&every, 5, None).await.expect("lists");
        let late = start(&t.mint, TraceId::mint(&t.mint), None, 99);
        telemetry.ingest(who, vec![late]).await.expect("stores");
        let next = telemetry.list_traces(&every, 5, page.next).await.expect("lists");
        let ids: Vec<_> = next.traces.iter().map(|it| it.trace).collect();
        assert_eq!(ids, expected[5..10]);
        // The slice the page ended in goes.
        for slice in [1, 2] {
            t.db.drop_slice(History::Ops, slice).await.expect("drops");
        }
        let last = telemetry.list_traces(&every, 5, next.next).await.expect("lists");
        assert_eq!((last.traces.len(), last.next), (0, None));
    }

    async fn what_few_traces_match_is_found_among_many(t: TestDb) {
        let telemetry = Telemetry::new(&t.db);
        let (who, seldom) = (actor(&t.mint), actor(&t.mint));
        let mut wanted = Vec::new();
        let mut frames = Vec::new();
        for number in 0..21_000_i64 {
            let frame = start(&t.mint, TraceId::mint(&t.mint), None, 1_000 + number);
            let status = if number % 5_000 == 0 { Status::Error } else { Status::Success };
            frames.push(end(&frame, 30_000, status));
            if status == Status::Error {
                wanted.push(frame.trace);
            }
            frames.push(frame);
        }
        telemetry.ingest(who, frames).await.expect("stores");
        wanted.reverse();
        let failed = TraceFilter { statuses: vec![Status::Error, Status::Timeout], ..TraceFilter::default() };
        assert_eq!(all(&telemetry, &failed, 2).await, wanted);
        let either = TraceFilter { statuses: vec![Status::Error, Status::Success], ..TraceFilter::default() };
        assert_eq!(telemetry.list_traces(&either, 500, None).await.expect("lists").traces.len(), 500);

        let oldest = start(&t.mint, TraceId::mint(&t.mint), None, 1);
        let mut of_http = start(&t.mint, TraceId::mint(&t.mint), None, 2);
        of_http.channel = Some(Channel::Http);
        telemetry.ingest(seldom, vec![oldest.clone(), of_http.clone()]).await.expect("stores");
        let of_service = TraceFilter { service: Some(seldom.service), ..TraceFilter::default() };
        assert_eq!(all(&telemetry, &of_service, 5).await, [of_http.trace, oldest.trace]);
        let of_channel = TraceFilter { channels: vec![Channel::Http], ..of_service };
        assert_eq!(all(&telemetry, &of_channel, 5).await, [of_http.trace]);
        let running = TraceFilter { statuses: vec![Status::Pending], ..TraceFilter::default() };
        assert_eq!(all(&telemetry, &running, 5).await, [of_http.trace, oldest.trace]);
    }
}
