//! What log lines promise, on both databases.

use contract::clock::{Clock, Timestamp};
use contract::ids::{IdMint, InstanceId, OpId, ServiceId, TraceId};

use super::super::Actor;
use super::engine::{LINES_MAX, PAGE_BYTES_MAX};
use super::model::{FIELDS_BYTES_MAX, MESSAGE_BYTES_MAX, position, positions, time_of};
use super::{LOGS_MAX, Level, LogCursor, LogEntry, LogFilter, Logs, Origin};
use crate::db::History;
use crate::db::testing::{TestDb, on_both_databases, on_postgres};

fn actor(mint: &IdMint) -> Actor {
    Actor {
        service: ServiceId::mint(mint),
        instance: InstanceId::mint(mint),
    }
}

fn line(actor: Actor, at_ms: i64, level: Level, message: &str) -> LogEntry {
    LogEntry::new(actor, at_ms, 1, level, message)
}

fn info(actor: Actor, at_ms: i64, message: &str) -> LogEntry {
    line(actor, at_ms, Level::Info, message)
}

/// Messages of every page, newest first, `limit` lines a page.
async fn messages(logs: &Logs, filter: &LogFilter, limit: u32) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor: Option<LogCursor> = None;
    loop {
        let page = logs.query(filter, limit, cursor).await.expect("lists");
        assert!(page.lines.len() <= usize::try_from(limit).expect("small"));
        all.extend(page.lines.into_iter().map(|it| it.entry.message));
        // As a client would hand it back.
        cursor = page
            .next
            .map(|next| next.to_string().parse().expect("is a cursor"));
        if cursor.is_none() {
            return all;
        }
    }
}

async fn found(logs: &Logs, filter: LogFilter) -> Vec<String> {
    messages(logs, &filter, 3).await
}

fn now_ms(t: &TestDb) -> i64 {
    t.clock.now().as_millis()
}

on_both_databases! {
    async fn a_line_is_read_back_as_it_was_stored(t: TestDb) {
        let logs = Logs::new(&t.db);
        let who = actor(&t.mint);
        let at = now_ms(&t);
        let mut full = line(who, at, Level::Error, "quote \" nul \0 slash \\ \u{1F680}")
            .with_fields(br#"{ "order": 7, "tags": ["a\"b", null] }"#);
        full.origin = Origin::Console;
        full.trace = Some(TraceId::mint(&t.mint));
        full.op = Some(OpId::mint(&t.mint));
        let plain = info(who, at - 1, "");
        let ingested = logs.ingest(1, vec![full.clone(), plain.clone()]).await.expect("stores");
        assert_eq!((ingested.lines, ingested.repeats), (2, 0));
        let page = logs.query(&LogFilter::default(), 0, None).await.expect("lists");
        let entries: Vec<_> = page.lines.into_iter().map(|it| it.entry).collect();
        assert_eq!(entries, [full, plain]);
        assert_eq!(page.next, None);
    }

    async fn every_filter_finds_its_lines_newest_first(t: TestDb) {
        let logs = Logs::new(&t.db);
        let (shop, desk) = (actor(&t.mint), actor(&t.mint));
        let other = Actor { instance: InstanceId::mint(&t.mint), ..shop };
        let trace = TraceId::mint(&t.mint);
        let at = now_ms(&t);
        let mut traced = line(desk, at - 60, Level::Warn, "desk is slow");
        traced.trace = Some(trace);
        logs.ingest(1, vec![
            line(shop, at - 100, Level::Debug, "shop one"),
            line(other, at - 80, Level::Info, "shop two"),
            traced,
            line(shop, at - 40, Level::Error, "shop three").with_fields(br#"{"user":"Ada L."}"#),
            line(desk, at - 20, Level::Info, "desk order-42 done"),
        ])
        .await
        .expect("stores");
        let all = ["desk order-42 done", "shop three", "desk is slow", "shop two", "shop one"];
        let any = LogFilter::default;
        assert_eq!(found(&logs, any()).await, all);
        for (filter, expected) in [
            (LogFilter { service: Some(desk.service), ..any() }, vec![all[0], all[2]]),
            (LogFilter { instance: Some(other.instance), ..any() }, vec![all[3]]),
            (LogFilter { min_level: Some(Level::Info), ..any() }, all[..4].to_vec()),
            (LogFilter { min_level: Some(Level::Warn), ..any() }, vec![all[1], all[2]]),
            (LogFilter { min_level: Some(Level::Error), ..any() }, vec![all[1]]),
            (LogFilter { trace: Some(trace), ..any() }, vec![all[2]]),
            (LogFilter { trace: Some(TraceId::mint(&t.mint)), ..any() }, vec![]),
            (LogFilter { from_ms: Some(at - 60), to_ms: Some(at - 40), ..any() }, vec![all[1], all[2]]),
            (LogFilter { to_ms: Some(at - 100), ..any() }, vec![all[4]]),
            (LogFilter { text: "ORDER 42 desk".to_owned(), ..any() }, vec![all[0]]),
            (LogFilter { text: "desk ord".to_owned(), ..any() }, vec![all[0]]),
            (LogFilter { text: "ord desk".to_owned(), ..any() }, vec![]),
            (LogFilter { text: "ada".to_owned(), ..any() }, vec![all[1]]),
            (LogFilter { text: "user".to_owned(), ..any() }, vec![]),
            (LogFilter { text: "shop".to_owned(), service: Some(shop.service),
                         min_level: Some(Level::Warn), ..any() }, vec![all[1]]),
            (LogFilter { text: "\"shop\" OR (*'".to_owned(), ..any() }, vec![]),
            (LogFilter { text: " -- ".to_owned(), ..any() }, all.to_vec()),
            (LogFilter { service: Some(desk.service), trace: Some(trace),
                         min_level: Some(Level::Error), ..any() }, vec![]),
        ] {
            assert_eq!(found(&logs, filter.clone()).await, expected, "{filter:?}");
        }
    }

    async fn lines_of_one_millisecond_keep_their_order_and_all_their_copies(t: TestDb) {
        let logs = Logs::new(&t.db);
        let who = actor(&t.mint);
        let at = now_ms(&t);
        let some: Vec<LogEntry> = (0..50).map(|nth| info(who, at, &format!("line {nth:02}"))).collect();
        let same = vec![info(who, at + 1, "same"); 3];
        logs.ingest(1, [some, same].concat()).await.expect("stores");
        let mut expected: Vec<String> = (0..50).map(|nth| format!("line {nth:02}")).collect();
        expected.extend(vec!["same".to_owned(); 3]);
        expected.reverse();
        assert_eq!(messages(&logs, &LogFilter::default(), 7).await, expected);
    }

    async fn a_resend_is_stored_once_and_a_second_equal_line_twice(t: TestDb) {
        let logs = Logs::new(&t.db);
        let (who, at) = (actor(&t.mint), now_ms(&t));
        let (a, b) = (info(who, at, "a"), info(who, at, "b"));
        logs.ingest(1, vec![a.clone(), a.clone()]).await.expect("stores");
        let again = logs.ingest(2, vec![a.clone(), b.clone(), a.clone()]).await.expect("stores");
        assert_eq!((again.lines, again.repeats), (1, 2));
        let third = logs.ingest(2, vec![a]).await.expect("stores");
        assert_eq!((third.lines, third.repeats), (1, 0));
        let mut all = found(&logs, LogFilter::default()).await;
        all.sort();
        assert_eq!(all, ["a", "a", "a", "b"]);
    }

    async fn lines_lie_in_the_slice_of_their_time(t: TestDb) {
        let logs = Logs::new(&t.db);
        let who = actor(&t.mint);
        let begins = t.db.slices(History::Logs)[0].from_ms;
        t.db.add_slice(History::Logs, begins + 10_000).await.expect("adds");
        t.db.add_slice(History::Logs, begins + 20_000).await.expect("adds");
        let at = |shift: i64, message: &str| info(who, begins + shift, message);
        logs.ingest(1, vec![
            at(90_000, "future"), at(-5_000, "past"), at(10_000, "second"), at(9_999, "first"),
            at(20_000, "third"),
        ])
        .await
        .expect("stores");
        let expected = ["future", "third", "second", "first", "past"];
        assert_eq!(found(&logs, LogFilter::default()).await, expected);
        assert_eq!(messages(&logs, &LogFilter::default(), 1).await, expected);
        // Which slice they lie in shows when it goes.
        t.db.drop_slice(History::Logs, 1).await.expect("drops");
        assert_eq!(found(&logs, LogFilter::default()).await, expected[..3]);
        // What is older than everything kept belongs to the oldest.
        logs.ingest(1, vec![at(-5_000, "late")]).await.expect("stores");
        t.db.drop_slice(History::Logs, 2).await.expect("drops");
        assert_eq!(found(&logs, LogFilter::default()).await, expected[..2]);
    }

    async fn a_cursor_holds_while_lines_arrive_and_slices_go(t: TestDb) {
        let logs = Logs::new(&t.db);
        let who = actor(&t.mint);
        let begins = t.db.slices(History::Logs)[0].from_ms;
        t.db.add_slice(History::Logs, begins + 1_000).await.expect("adds");
        let at = |shift: i64| info(who, begins + shift, &shift.to_string());
        logs.ingest(1, [100, 200, 1_100, 1_200, 1_300].map(at).to_vec()).await.expect("stores");
        let any = LogFilter::default();
        let first = logs.query(&any, 2, None).await.expect("lists");
        assert_eq!(first.lines.len(), 2);
        logs.ingest(1, vec![at(1_400), at(1_250), at(150)]).await.expect("stores");
        let second = logs.query(&any, 2, first.next).await.expect("lists");
        let texts: Vec<_> = second.lines.iter().map(|it| it.entry.message.as_str()).collect();
        assert_eq!(texts, ["1100", "200"], "newer ones do not push the page");
        t.db.drop_slice(History::Logs, 1).await.expect("drops");
        let third = logs.query(&any, 2, second.next).await.expect("lists");
        assert_eq!((third.lines, third.next), (vec![], None));
    }

    async fn pages_end_at_the_limit_of_lines_and_of_bytes(t: TestDb) {
        let logs = Logs::new(&t.db);
        let (who, at) = (actor(&t.mint), now_ms(&t));
        let short = |nth: i64| info(who, at + nth, "x");
        let many = i64::from(LOGS_MAX) + 1;
        logs.ingest(1, (0..many).map(short).collect()).await.expect("more than one transaction");
        assert!(usize::try_from(many).expect("small") > LINES_MAX);
        let page = logs.query(&LogFilter::default(), u32::MAX, None).await.expect("lists");
        assert_eq!(page.lines.len(), usize::try_from(LOGS_MAX).expect("small"));
        let rest = logs.query(&LogFilter::default(), u32::MAX, page.next).await.expect("lists");
        assert_eq!((rest.lines.len(), rest.next), (1, None));

        let long = "y".repeat(MESSAGE_BYTES_MAX);
        let long = |nth: i64| info(who, at + 10_000 + nth, &long);
        let fits = PAGE_BYTES_MAX / MESSAGE_BYTES_MAX;
        let more = i64::try_from(fits).expect("small") + 5;
        logs.ingest(1, (0..more).map(long).collect()).await.expect("stores");
        let page = logs.query(&LogFilter::default(), 1_000, None).await.expect("lists");
        assert!(page.lines.len() <= fits && page.lines.len() + 2 > fits, "{}", page.lines.len());
        let rest = logs.query(&LogFilter::default(), 1_000, page.next).await.expect("lists");
        let long = rest.lines.iter().filter(|it| it.entry.message.starts_with('y')).count();
        assert_eq!(page.lines.len() + long, fits + 5, "none is lost between pages");
    }

    async fn more_lines_in_one_millisecond_than_fit_go_to_the_next(t: TestDb) {
        let logs = Logs::new(&t.db);
        let (who, at) = (actor(&t.mint), now_ms(&t));
        // Several batches at once into one millisecond: their places may meet.
        let batch = |name: &'static str| {
            let logs = logs.clone();
            let lines: Vec<_> = (0..500).map(|nth| info(who, at, &format!("{name} {nth}"))).collect();
            tokio::spawn(async move { logs.ingest(1, lines).await })
        };
        let all = ["a", "b", "c", "d", "e", "f"].map(batch);
        for one in all {
            assert_eq!(one.await.expect("runs").expect("stores").lines, 500);
        }
        let page = logs.query(&LogFilter::default(), LOGS_MAX, None).await.expect("lists");
        assert_eq!(page.lines.len(), 3_000);
    }

    async fn lines_survive_a_restart(t: TestDb) {
        let who = actor(&t.mint);
        Logs::new(&t.db).ingest(1, vec![info(who, now_ms(&t), "kept")]).await.expect("stores");
        let again = t.reopen().await.expect("opens");
        assert_eq!(found(&Logs::new(&again), LogFilter::default()).await, ["kept"]);
        let words = LogFilter { text: "kept".to_owned(), ..LogFilter::default() };
        assert_eq!(found(&Logs::new(&again), words).await, ["kept"]);
        again.close().await;
    }
}

/// On PostgreSQL only: a SQLite folder has one process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_dropped_in_between_goes_to_the_newest() {
    on_postgres(|t| async move {
        let logs = Logs::new(&t.db);
        let who = actor(&t.mint);
        let begins = t.db.slices(History::Logs)[0].from_ms;
        let other = t.reopen().await.expect("opens");
        other
            .add_slice(History::Logs, begins + 1)
            .await
            .expect("adds");
        other.drop_slice(History::Logs, 1).await.expect("drops");
        other.close().await;
        logs.ingest(1, vec![info(who, begins, "late")])
            .await
            .expect("stores");
        assert_eq!(found(&logs, LogFilter::default()).await, ["late"]);
    })
    .await;
}

#[test]
fn positions_are_the_order_of_time_and_tell_it() {
    let at = 1_700_000_000_000;
    assert_eq!(time_of(position(at, 7, 3)), at);
    assert!(position(at, (1 << 19) - 1, 999) < position(at + 1, 0, 0));
    assert!(position(at, 5, 1) > position(at, 5, 0));
    assert_eq!(time_of(position(i64::MAX, 0, 0)), (1 << 43) - 1);
    assert_eq!(position(-5, 0, 0), 0);
    let (first, last) = positions(Some(at), Some(at));
    assert!(first <= position(at, 0, 0) && position(at, (1 << 19) - 1, 999) <= last);
    assert_eq!(positions(None, None), (0, i64::MAX));
}

#[test]
fn a_line_is_kept_within_its_limits() {
    let (clock, _hand) = Clock::manual(Timestamp::from_millis(5));
    let who = actor(&IdMint::seeded(1, &clock));
    let long = "é".repeat(MESSAGE_BYTES_MAX);
    let entry = LogEntry::new(who, 0, 77, Level::Info, &long);
    assert_eq!((entry.message.len(), entry.at_ms), (MESSAGE_BYTES_MAX, 77));
    let fields = |bytes: usize| {
        let json = format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
        entry.clone().with_fields(json.as_bytes()).fields_json
    };
    assert_eq!(fields(FIELDS_BYTES_MAX).len(), FIELDS_BYTES_MAX);
    assert_eq!(fields(FIELDS_BYTES_MAX + 1), r#"{"_truncated":true}"#);
    assert_eq!(
        entry.with_fields(b"[1]").fields_json,
        r#"{"_truncated":true}"#
    );
    assert_eq!(Level::from_word("WARN"), Some(Level::Warn));
    assert_eq!(
        Origin::of_service("runtime"),
        Origin::Sdk,
        "nobody else writes for the runtime"
    );
    for bad in ["", "1", "1.x", ".", "1.2.3"] {
        bad.parse::<LogCursor>().expect_err(bad);
    }
}
