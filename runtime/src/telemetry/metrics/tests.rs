//! What metrics promise: adding up as pure cases, storing and asking on both databases.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::clock::{Clock, ManualClock, Timestamp};
use contract::ids::{IdMint, InstanceId, ServiceId};

use super::super::Actor;
use super::answer::Range;
use super::engine::SERIES_PER_INSTANCE_MAX;
use super::model::{LABELS_MAX, NAME_BYTES_MAX, VALUE_BYTES_MAX, WINDOW_MS, fold};
use super::{MetricKind, MetricQuery, MetricReport, MetricSeries, Metrics, SERIES_MAX};
use crate::db::History;
use crate::db::testing::{TestDb, on_both_databases, on_postgres};

fn actor(mint: &IdMint) -> Actor {
    Actor {
        service: ServiceId::mint(mint),
        instance: InstanceId::mint(mint),
    }
}

fn point(kind: MetricKind, name: &str, at_ms: i64, value: f64) -> MetricReport {
    MetricReport {
        at_ms,
        name: name.to_owned(),
        kind: Some(kind),
        labels: BTreeMap::new(),
        value,
        unit: "1".to_owned(),
        buckets_json: Vec::new(),
    }
}

fn counter(at_ms: i64, value: f64) -> MetricReport {
    point(MetricKind::Counter, "orders", at_ms, value)
}

fn gauge(at_ms: i64, value: f64) -> MetricReport {
    point(MetricKind::Gauge, "depth", at_ms, value)
}

/// Observations up to 1, up to 2, and beyond.
fn histogram(at_ms: i64, sum: f64, counts: [u64; 3]) -> MetricReport {
    let [one, two, beyond] = counts;
    let buckets = serde_json::json!([
        { "le": 1, "count": one },
        { "le": 2.0, "count": one + two },
        { "le": "+Inf", "count": one + two + beyond },
    ]);
    MetricReport {
        buckets_json: buckets.to_string().into_bytes(),
        ..point(MetricKind::Histogram, "latency", at_ms, sum)
    }
}

fn labelled(mut report: MetricReport, labels: &[(&str, &str)]) -> MetricReport {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    report.labels = labels.iter().map(own).collect();
    report
}

/// Metrics at a time that starts a minute, an hour after their first slice began.
fn open(t: &TestDb) -> (Metrics, i64, ManualClock) {
    let begins = t.db.slices(History::Metrics)[0].from_ms;
    let now = (begins + 3_600_000) / 60_000 * 60_000;
    let (clock, hand) = Clock::manual(Timestamp::from_millis(now));
    (Metrics::new(&t.db, &clock), now, hand)
}

fn query(name: &str, from_ms: i64, to_ms: i64, step_seconds: u32) -> MetricQuery {
    MetricQuery {
        name: name.to_owned(),
        from_ms: Some(from_ms),
        to_ms: Some(to_ms),
        step_seconds,
        ..MetricQuery::default()
    }
}

async fn ask(metrics: &Metrics, query: &MetricQuery) -> Vec<MetricSeries> {
    metrics.query(query).await.expect("answers").series
}

async fn ask_one(metrics: &Metrics, query: &MetricQuery) -> Vec<(i64, f64, f64)> {
    let mut all = ask(metrics, query).await;
    assert_eq!(all.len(), 1, "{all:?}");
    points(&all.remove(0), query.from_ms.unwrap_or(0))
}

/// Time after the start in seconds, average and peak.
fn points(series: &MetricSeries, start_ms: i64) -> Vec<(i64, f64, f64)> {
    let point = |it: &super::MetricSample| ((it.at_ms - start_ms) / 1_000, it.average, it.peak);
    series.points.iter().map(point).collect()
}

on_both_databases! {
    async fn deltas_of_a_counter_add_up_to_rates(t: TestDb) {
        let (metrics, now, _hand) = open(&t);
        let who = actor(&t.mint);
        let start = now - 60_000;
        // Out of order, over two batches, several in one window.
        metrics.ingest(1, who, vec![counter(start + 25_000, 30.0), counter(start + 1, 5.0)]).await.expect("stores");
        let ingested = metrics
            .ingest(1, who, vec![counter(start + 250, 10.0), counter(start + 9_999, 5.0), counter(start + 10_000, 40.0)])
            .await
            .expect("stores");
        assert_eq!((ingested.points, ingested.repeats, ingested.refused), (3, 0, 0));
        let fine = ask_one(&metrics, &query("orders", start, now - 1, 10)).await;
        let expected = [(0, 2.0, 2.0), (10, 4.0, 4.0), (20, 3.0, 3.0), (30, 0.0, 0.0), (40, 0.0, 0.0), (50, 0.0, 0.0)];
        assert_eq!(fine, expected);
        let coarse = ask_one(&metrics, &query("orders", start, now - 1, 30)).await;
        assert_eq!(coarse, [(0, 3.0, 4.0), (30, 0.0, 0.0)], "the busiest window is the peak");
    }

    async fn a_gauge_stands_until_its_next_value(t: TestDb) {
        let (metrics, now, _hand) = open(&t);
        let who = actor(&t.mint);
        let start = now - 60_000;
        metrics.ingest(1, who, vec![gauge(start + 5_000, 10.0)]).await.expect("stores");
        metrics.ingest(1, who, vec![gauge(start + 35_000, 40.0), gauge(start + 39_000, 0.0)]).await.expect("stores");
        let fine = ask_one(&metrics, &query("depth", start, now, 10)).await;
        // In the fourth: 5 s at 10, 4 s at 40, 1 s at 0.
        let expected = [(0, 10.0, 10.0), (10, 10.0, 10.0), (20, 10.0, 10.0), (30, 21.0, 40.0), (40, 0.0, 0.0), (50, 0.0, 0.0), (60, 0.0, 0.0)];
        assert_eq!(fine, expected);
        let coarse = ask_one(&metrics, &query("depth", start, now - 1, 60)).await;
        // From its first value on: 30 s at 10, 4 s at 40, 21 s at 0.
        assert_eq!(coarse, [(0, (300.0 + 160.0) / 55.0, 40.0)]);
    }

    async fn a_gauge_that_never_changed_is_still_there_in_later_slices(t: TestDb) {
        let (metrics, now, _hand) = open(&t);
        let (here, gone) = (actor(&t.mint), actor(&t.mint));
        metrics.ingest(1, here, vec![gauge(now - 3_000_000, 7.0)]).await.expect("stores");
        metrics.ingest(1, gone, vec![gauge(now - 3_000_000, 9.0)]).await.expect("stores");
        t.db.add_slice(History::Metrics, now - 2_000_000).await.expect("adds");
        t.db.add_slice(History::Metrics, now - 1_000_000).await.expect("adds");
        // One of the two instances still reports something.
        metrics.ingest(1, here, vec![counter(now - 5_000, 1.0)]).await.expect("stores");
        let series = ask(&metrics, &query("depth", now - 60_000, now, 30)).await;
        let [only] = &series[..] else { panic!("{series:?}") };
        assert_eq!(only.instance, here.instance);
        assert_eq!(points(only, now - 60_000), [(0, 7.0, 7.0), (30, 7.0, 7.0), (60, 7.0, 7.0)]);
        // Long after its last report nobody claims anything.
        let later = query("depth", now + 200_000, now + 260_000, 30);
        assert_eq!(ask(&metrics, &later).await, []);
    }

    async fn histograms_answer_means_and_percentiles(t: TestDb) {
        let (metrics, now, _hand) = open(&t);
        let who = actor(&t.mint);
        let start = now - 60_000;
        metrics.ingest(1, who, vec![histogram(start, 5.0, [10, 0, 0]), histogram(start + 300, 15.0, [0, 10, 0])]).await.expect("stores");
        metrics.ingest(1, who, vec![histogram(start + 600, 0.0, [0, 0, 0]), histogram(start + 31_000, 30.0, [0, 0, 3])]).await.expect("stores");
        let mut asked = query("latency", start, now, 30);
        assert_eq!(ask_one(&metrics, &asked).await, [(0, 1.0, 2.0), (30, 10.0, 2.0)]);
        asked.percentiles = vec![0.5, 0.95];
        let series = ask(&metrics, &asked).await;
        let told: Vec<_> = series
            .iter()
            .map(|it| (it.labels.get("quantile").map(String::as_str), points(it, start)))
            .collect();
        assert_eq!(told, [
            (None, vec![(0, 1.0, 2.0), (30, 10.0, 2.0)]),
            (Some("0.5"), vec![(0, 1.0, 2.0), (30, 2.0, 2.0)]),
            (Some("0.95"), vec![(0, 1.9, 2.0), (30, 2.0, 2.0)]),
        ]);
    }

    async fn a_step_over_a_slice_boundary_is_one_point(t: TestDb) {
        let (metrics, now, _hand) = open(&t);
        let who = actor(&t.mint);
        let start = now - 60_000;
        t.db.add_slice(History::Metrics, start + 25_000).await.expect("adds");
        let values = [(5_000, 60.0), (24_000, 30.0), (26_000, 30.0), (50_000, 60.0)];
        let all = values.map(|(at, value)| counter(start + at, value));
        metrics.ingest(1, who, all.to_vec()).await.expect("stores");
        metrics.ingest(1, who, vec![gauge(start, 10.0), gauge(start + 40_000, 40.0)]).await.expect("stores");
        metrics.ingest(1, who, vec![histogram(start + 20_000, 1.0, [2, 0, 0]), histogram(start + 30_000, 5.0, [0, 2, 0])]).await.expect("stores");
        assert_eq!(ask_one(&metrics, &query("orders", start, now - 1, 60)).await, [(0, 3.0, 6.0)]);
        assert_eq!(ask_one(&metrics, &query("depth", start, now - 1, 60)).await, [(0, 20.0, 40.0)]);
        assert_eq!(ask_one(&metrics, &query("latency", start, now - 1, 60)).await, [(0, 1.5, 2.0)]);
        // A window that the boundary cuts is added up from both sides.
        let fine = ask_one(&metrics, &query("orders", start, now - 1, 10)).await;
        assert_eq!(fine[2], (20, 6.0, 6.0));
    }

    async fn series_are_told_apart_and_filtered(t: TestDb) {
        let (metrics, now, _hand) = open(&t);
        let (a, b) = (actor(&t.mint), actor(&t.mint));
        let twin = Actor { instance: InstanceId::mint(&t.mint), ..a };
        for who in [a, b, twin] {
            metrics.ingest(1, who, vec![
                labelled(counter(now - 1_000, 10.0), &[("route", "/a"), ("method", "GET")]),
                labelled(counter(now - 1_000, 20.0), &[("route", "/b"), ("method", "GET")]),
                counter(now - 1_000, 30.0),
                gauge(now - 1_000, 1.0),
            ])
            .await
            .expect("stores");
        }
        let any = query("orders", now - 60_000, now, 0);
        let label = |key: &str, value: &str| MetricQuery {
            labels: BTreeMap::from([(key.to_owned(), value.to_owned())]),
            ..any.clone()
        };
        for (asked, series) in [
            (any.clone(), 9),
            (MetricQuery { service: Some(a.service), ..any.clone() }, 6),
            (MetricQuery { instance: Some(twin.instance), ..any.clone() }, 3),
            (label("route", "/a"), 3),
            (label("method", "GET"), 6),
            (label("route", "/"), 0),
            (MetricQuery { name: "nothing".to_owned(), ..any.clone() }, 0),
        ] {
            assert_eq!(ask(&metrics, &asked).await.len(), series, "{asked:?}");
        }

        let names = metrics.names(None).await.expect("lists");
        let told: Vec<_> = names.iter().map(|it| (it.name.as_str(), it.kind, it.series)).collect();
        assert_eq!(told, [("depth", MetricKind::Gauge, 3), ("orders", MetricKind::Counter, 9)]);
        assert_eq!(metrics.names(Some(b.service)).await.expect("lists")[1].series, 3);
        assert_eq!(metrics.names(Some(ServiceId::mint(&t.mint))).await.expect("lists"), []);
    }

    async fn a_resend_counts_once(t: TestDb) {
        let (metrics, now, _hand) = open(&t);
        let (who, other) = (actor(&t.mint), actor(&t.mint));
        let batch = vec![counter(now - 500, 10.0), counter(now - 250, 10.0)];
        metrics.ingest(1, who, batch.clone()).await.expect("stores");
        let again = metrics.ingest(2, who, [batch.clone(), vec![counter(now - 1, 10.0)]].concat()).await.expect("stores");
        assert_eq!((again.points, again.repeats), (1, 2));
        // The same numbers of somebody else are theirs.
        let theirs = metrics.ingest(3, other, batch).await.expect("stores");
        assert_eq!((theirs.points, theirs.repeats), (2, 0));
        let mut asked = query("orders", now - 10_000, now - 1, 10);
        asked.instance = Some(who.instance);
        assert_eq!(ask_one(&metrics, &asked).await, [(0, 3.0, 3.0)]);
    }

    async fn unsound_points_are_refused_and_counted(t: TestDb) {
        let (metrics, now, _hand) = open(&t);
        let who = actor(&t.mint);
        let long = |bytes: usize| "n".repeat(bytes);
        let many = |count: usize| {
            let mut report = counter(now, 1.0);
            report.labels = (0..count).map(|it| (format!("k{it}"), String::new())).collect();
            report
        };
        let fine = [
            point(MetricKind::Gauge, &long(NAME_BYTES_MAX), now, -1.0),
            labelled(counter(now, 0.0), &[(&long(NAME_BYTES_MAX), &long(VALUE_BYTES_MAX))]),
            many(LABELS_MAX),
        ];
        let bad = [
            point(MetricKind::Gauge, &long(NAME_BYTES_MAX + 1), now, 1.0),
            point(MetricKind::Gauge, "", now, 1.0),
            point(MetricKind::Gauge, "nul\0", now, 1.0),
            MetricReport { kind: None, ..counter(now, 1.0) },
            labelled(counter(now, 1.0), &[(&long(NAME_BYTES_MAX + 1), "")]),
            labelled(counter(now, 1.0), &[("k", &long(VALUE_BYTES_MAX + 1))]),
            labelled(counter(now, 1.0), &[("", "v")]),
            many(LABELS_MAX + 1),
            counter(now, -1.0),
            counter(now, f64::NAN),
            gauge(now, f64::INFINITY),
            MetricReport { buckets_json: b"[]".to_vec(), ..histogram(now, 1.0, [1, 0, 0]) },
        ];
        let ingested = metrics.ingest(1, who, [fine.to_vec(), bad.to_vec()].concat()).await.expect("stores");
        assert_eq!((ingested.points, ingested.refused), (fine.len(), bad.len()));
    }

    async fn an_instance_has_so_many_series_and_an_answer_too(t: TestDb) {
        let (metrics, now, _hand) = open(&t);
        let (who, other) = (actor(&t.mint), actor(&t.mint));
        let one = |nth: usize| labelled(gauge(now - 1, 1.0), &[("nth", &nth.to_string())]);
        let all = SERIES_PER_INSTANCE_MAX;
        let first = metrics.ingest(1, who, (0..all - 1).map(one).collect()).await.expect("stores");
        assert_eq!((first.points, first.refused), (all - 1, 0));
        let rest = metrics.ingest(1, who, (all - 2..all + 2).map(one).collect()).await.expect("stores");
        assert_eq!((rest.points, rest.refused), (2, 2), "one known, one more, two beyond");
        let theirs = metrics.ingest(1, other, vec![one(0)]).await.expect("stores");
        assert_eq!(theirs.refused, 0, "others are not concerned");
        let page = metrics.query(&query("depth", now - 60_000, now, 0)).await.expect("answers");
        assert_eq!((page.series.len(), page.truncated), (SERIES_MAX, true));
    }

    async fn points_without_a_time_are_of_now_and_a_question_without_one_is_of_the_last_hour(t: TestDb) {
        let (metrics, now, hand) = open(&t);
        metrics.ingest(1, actor(&t.mint), vec![counter(0, 600.0)]).await.expect("stores");
        hand.advance(Duration::from_secs(60));
        let asked = MetricQuery { name: "orders".to_owned(), ..MetricQuery::default() };
        let page = metrics.query(&asked).await.expect("answers");
        assert_eq!(page.step_ms, 20_000, "an hour in at most 300 points");
        let first = page.series[0].points[0];
        assert_eq!((first.at_ms, first.average), (now, 30.0));
        let nothing = query("orders", now, now - 1, 0);
        assert_eq!(ask(&metrics, &nothing).await, []);
    }

    async fn a_dropped_slice_takes_its_points_along(t: TestDb) {
        let (metrics, now, _hand) = open(&t);
        let who = actor(&t.mint);
        metrics.ingest(1, who, vec![counter(now - 100_000, 10.0)]).await.expect("stores");
        t.db.add_slice(History::Metrics, now - 50_000).await.expect("adds");
        metrics.ingest(1, who, vec![counter(now - 10_000, 20.0)]).await.expect("stores");
        t.db.drop_slice(History::Metrics, 1).await.expect("drops");
        let all = ask_one(&metrics, &query("orders", now - 200_000, now - 1, 10)).await;
        assert_eq!(all, [(190, 2.0, 2.0)]);
        // What comes late for it goes to the oldest that is left.
        metrics.ingest(1, who, vec![counter(now - 100_000, 50.0)]).await.expect("stores");
        let all = ask_one(&metrics, &query("orders", now - 200_000, now - 1, 10)).await;
        assert_eq!(all[0], (100, 5.0, 5.0));
    }
}

/// On PostgreSQL only: a SQLite folder has one process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_dropped_in_between_goes_to_the_newest() {
    on_postgres(|t| async move {
        let (metrics, now, _hand) = open(&t);
        let who = actor(&t.mint);
        let one = |at_ms: i64| vec![counter(at_ms, 10.0)];
        metrics
            .ingest(1, who, one(now - 100_000))
            .await
            .expect("stores");
        let other = t.reopen().await.expect("opens");
        other
            .add_slice(History::Metrics, now - 50_000)
            .await
            .expect("adds");
        other.drop_slice(History::Metrics, 1).await.expect("drops");
        other.close().await;
        metrics
            .ingest(1, who, one(now - 100_000))
            .await
            .expect("stores");
        let asked = query("orders", now - 200_000, now - 1, 10);
        assert_eq!(ask_one(&metrics, &asked).await[0], (100, 1.0, 1.0));
    })
    .await;
}

#[test]
fn a_range_covers_what_was_asked_in_so_many_points() {
    for (from, to, step) in [
        (0, 0, 0),
        (5, 1_000_003, 0),
        (12_345, 98_765_432, 1),
        (0, 3_600_000, 7),
    ] {
        let range = Range::new(from, to, step, 300);
        assert_eq!(
            (range.step_ms % WINDOW_MS, range.from_ms % range.step_ms),
            (0, 0)
        );
        assert!(range.from_ms <= from && from < range.from_ms + range.step_ms);
        assert!((to - range.from_ms) / range.step_ms < 300, "{range:?}");
        assert!(range.step_ms >= i64::from(step) * 1_000);
    }
    assert_eq!(Range::new(0, 60_000, 30, 300).step_ms, 30_000);
    assert_eq!(Range::new(0, 60_000, 11, 300).step_ms, 20_000);
}

#[test]
fn a_series_goes_by_the_same_number_whatever_the_unit_and_another_for_other_labels() {
    let (clock, _hand) = Clock::manual(Timestamp::from_millis(5));
    let who = actor(&IdMint::seeded(1, &clock));
    let number = |report: MetricReport| report.sound(who, 5).expect("sound").1.series;
    let plain = number(counter(1, 1.0));
    assert_eq!(
        plain,
        number(MetricReport {
            unit: "By".to_owned(),
            ..counter(9, 3.0)
        })
    );
    let ab = number(labelled(counter(1, 1.0), &[("a", "b")]));
    assert_ne!(plain, ab);
    assert_ne!(ab, number(labelled(counter(1, 1.0), &[("ab", "")])));
    assert_ne!(plain, number(point(MetricKind::Gauge, "orders", 1, 1.0)));
    let points = [counter(1, 1.0), counter(9_999, 1.0), counter(10_000, 1.0)];
    let points = points.map(|it| it.sound(who, 5).expect("sound").1);
    let windows = fold(&points);
    let told: Vec<_> = windows.iter().map(|it| (it.at_ms, it.total)).collect();
    assert_eq!(told, [(0, 2.0), (10_000, 1.0)]);
}
