//! Counts as metrics: durations of requests served and sent, requests under way, and what became
//! of the spans themselves. All cumulative, so that a request that is lost costs nothing but time.

use bridge_tower::Recorder;
use bridge_tower::record::Kind;
use bridge_tower::recorder::RouteSeries;
use bridge_tower::red::BOUNDS_SECONDS;
use contract::clock::Timestamp;

use crate::attributes::{number, peer, text};
use crate::health::Counts;
use crate::proto::Writer;
use crate::spans::{error_status, nanos};

/// Points in one request. At some 300 bytes each it stays well below what collectors take.
pub(crate) const POINTS_MAX: usize = 4_096;

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u64 = 2;

/// When counting began, and now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) start: Timestamp,
    pub(crate) now: Timestamp,
}

impl Window {
    fn write(self, point: &mut Writer) {
        point.fixed64(2, nanos(self.start.as_micros()));
        point.fixed64(3, nanos(self.now.as_micros()));
    }
}

/// The metrics as contents of requests, each as field 2.
pub(crate) fn encode(
    recorder: &Recorder,
    counts: &Counts,
    scheme: &str,
    window: Window,
) -> Vec<Vec<u8>> {
    let totals = recorder.totals();
    let (sent, served): (Vec<_>, Vec<_>) = totals
        .into_iter()
        .partition(|it| it.key.route.kind() == Kind::Client);
    let mut contents = Vec::new();
    for (name, series) in [
        ("http.server.request.duration", &served),
        ("http.client.request.duration", &sent),
    ] {
        for series in series.chunks(POINTS_MAX) {
            contents.push(durations(name, series, scheme, window));
        }
    }
    let mut rest = Writer::default();
    under_way(recorder, scheme, window, &mut rest);
    fate(counts, window, &mut rest);
    // The last request has room for these few.
    match contents.last_mut() {
        Some(last) => last.extend_from_slice(&rest.0),
        None => contents.push(rest.0),
    }
    contents
}

fn durations(name: &str, series: &[RouteSeries], scheme: &str, window: Window) -> Vec<u8> {
    let mut content = Writer::default();
    content.message(2, |metric| {
        metric.text(1, name);
        metric.text(3, "s");
        metric.message(9, |histogram| {
            for one in series {
                histogram.message(1, |point| duration(one, scheme, window, point));
            }
            histogram.number(2, CUMULATIVE);
        });
    });
    content.0
}

#[allow(clippy::cast_precision_loss)] // nanoseconds of 104 days are exact
fn duration(series: &RouteSeries, scheme: &str, window: Window, point: &mut Writer) {
    const ATTRIBUTES: u8 = 9;
    window.write(point);
    point.fixed64(4, series.total.count);
    point.double(5, series.total.nanos as f64 / 1e9);
    point.packed(6, series.total.buckets.into_iter());
    point.packed(7, BOUNDS_SECONDS.into_iter().map(f64::to_bits));
    let (key, kind) = (series.key, series.key.route.kind());
    text(point, ATTRIBUTES, "http.request.method", key.verb.as_str());
    match (kind, series.route.as_deref()) {
        (Kind::Server, route) => {
            text(point, ATTRIBUTES, "url.scheme", scheme);
            if let Some(route) = route {
                text(point, ATTRIBUTES, "http.route", route);
            }
        }
        (Kind::Client, address) => peer(point, ATTRIBUTES, address.unwrap_or("_OTHER")),
    }
    if key.status != 0 {
        number(
            point,
            ATTRIBUTES,
            "http.response.status_code",
            key.status.into(),
        );
    }
    match (key.broken, key.status) {
        (true, 0) => text(point, ATTRIBUTES, "error.type", "no_answer"),
        (true, _) => text(point, ATTRIBUTES, "error.type", "broken_answer"),
        (false, status) if status >= error_status(kind) => {
            text(point, ATTRIBUTES, "error.type", &status.to_string());
        }
        _ => {}
    }
}

fn under_way(recorder: &Recorder, scheme: &str, window: Window, content: &mut Writer) {
    let active = i64::try_from(recorder.active()).unwrap_or(i64::MAX);
    let name = ("http.server.active_requests", "{request}");
    sum(content, name, false, |points| {
        points.message(1, |point| {
            window.write(point);
            point.fixed64(6, active.cast_unsigned());
            text(point, 7, "url.scheme", scheme);
        });
    });
}

/// What became of spans, by the name that exporters have for it: with an `error.type` they were
/// lost.
fn fate(counts: &Counts, window: Window, content: &mut Writer) {
    let name = ("otel.sdk.exporter.span.exported", "{span}");
    sum(content, name, true, |points| {
        for (fate, count) in [
            (None, counts.sent),
            (Some("rejected"), counts.rejected),
            (Some("dropped"), counts.dropped),
            (Some("recorder_full"), counts.recorder_dropped),
        ] {
            points.message(1, |point| {
                window.write(point);
                point.fixed64(6, count);
                if let Some(fate) = fate {
                    text(point, 7, "error.type", fate);
                }
            });
        }
    });
}

fn sum(
    content: &mut Writer,
    (name, unit): (&str, &str),
    only_grows: bool,
    points: impl FnOnce(&mut Writer),
) {
    content.message(2, |metric| {
        metric.text(1, name);
        metric.text(3, unit);
        metric.message(7, |sum| {
            points(sum);
            sum.number(2, CUMULATIVE);
            sum.number(3, only_grows.into());
        });
    });
}
