//! The routes that read: map, traces, what ends right now, logs, metrics, health.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::watch;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::engine::Operator;
use super::live::{Ends, Live, LiveQuery};
use super::logs::LogQuery;
use super::map::WINDOW_DEFAULT;
use super::metrics::MetricQuery;
use super::model::{
    About, Finding, LiveEvents, LiveMap, LogsPage, MetricName, MetricShown, RedPage, RoutesPage,
    ServiceDetail, TailLine, TraceTree, TracesPage,
};
use super::red::RedQuery;
use super::routes::RoutesQuery;
use super::tail::TailQuery;
use super::trace::TraceQuery;
use crate::accounts::Caller;
use crate::problem::Problem;
use crate::rest::{Api, Ask, EVENTS, LINES, NoBody, Nothing, Shown, Stream, get};

/// What a route that goes on until the runtime stops needs besides.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) operator: Operator,
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) live: Live,
}

pub(super) fn routes(served: &Served) -> Api {
    let operator = &served.operator;
    let live = get(
        "live",
        "/live",
        "What goes on, as server-sent events.\nEach event has a growing id, a name, and one JSON \
         object as its data: `hello` first, then those of the topics, `quiet` when nothing else was \
         told for five seconds; `expired` when the session has ended or `bye` when the runtime \
         stops are the last. Without topics only those.",
    );
    about(Api::new(), operator)
        .add(("live", served), live.refuses(&[StatusCode::SERVICE_UNAVAILABLE]), live_events)
        .add(
            ("map", operator),
            get(
                "show_map",
                "/map",
                "Services and calls, with what went on in a window of time.",
            ),
            show_map,
        )
        .add(
            ("map", operator),
            get(
                "list_routes",
                "/routes",
                "HTTP routes of services: which are mounted and which were called.",
            )
            ,
            list_routes,
        )
        .add(
            ("traces", operator),
            get(
                "list_traces",
                "/traces",
                "Traces, newest first.\nDurations and `root_only` are no index: of them 5,000 traces are looked at for one page, which may be empty and still have a next one. There is no other order: no index serves it.",
            ),
            list_traces,
        )
        .add(
            ("traces", operator),
            get("show_trace", "/traces/{id}", "One trace as a tree in reading order."),
            show_trace,
        )
        .add(
            ("traces", served),
            get(
                "tail",
                "/tail",
                "Operations as they end.\nOne JSON object a line, a TailLine each, until the reader goes or the runtime stops.",
            ),
            tail,
        )
        .add(
            ("logs", operator),
            get("list_logs", "/logs", "Log lines, newest first."),
            list_logs,
        )
        .add(
            ("metrics", operator),
            get("list_metrics", "/metrics", "Metrics that somebody reports, by name."),
            list_metrics,
        )
        .add(
            ("metrics", operator),
            get("show_metric", "/metric", "One metric over time."),
            show_metric,
        )
}

fn about(api: Api, operator: &Operator) -> Api {
    let about = ("about", operator);
    api.add(
        about,
        get("show_about", "/about", "What runs here and how it is."),
        show_about,
    )
    .add(
        about,
        get("show_doctor", "/doctor", "What is well and what is not."),
        show_doctor,
    )
    .add(
        ("services", operator),
        get(
            "show_service",
            "/services/{name}",
            "One service with everything known of it.",
        ),
        show_service,
    )
    .add(
        ("metrics", operator),
        get(
            "show_red",
            "/red",
            "Rate, errors and duration per service and route.\nFrom memory: what ended since this \
             process began, an hour at most.",
        ),
        show_red,
    )
}

async fn show_about(
    operator: Operator,
    _: Ask<Nothing, Nothing, NoBody>,
) -> Result<Shown<About>, Problem> {
    Ok(Shown(operator.about().await?))
}

/// A service by its name, foreign ones too.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ServiceNamed {
    /// Name of the service.
    #[schemars(length(min = 1, max = 255))]
    name: String,
}

async fn show_service(
    operator: Operator,
    ask: Ask<ServiceNamed, MapQuery, NoBody>,
) -> Result<Shown<ServiceDetail>, Problem> {
    let name = &ask.path.name;
    let window = ask.query.window_ms;
    let window = window.map_or(WINDOW_DEFAULT, Duration::from_millis);
    let found = operator.service(name, window).await?;
    let text = || format!("there is no service `{name}`; `bridge service list` shows all");
    found
        .map(Shown)
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, text()))
}

async fn show_red(
    operator: Operator,
    ask: Ask<Nothing, RedQuery, NoBody>,
) -> Result<Shown<RedPage>, Problem> {
    Ok(Shown(operator.red(&ask.query)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MapQuery {
    /// The last so many milliseconds are counted; 300000 when absent.
    #[schemars(range(min = 1, max = 3_600_000))]
    window_ms: Option<u64>,
}

async fn show_map(
    operator: Operator,
    ask: Ask<Nothing, MapQuery, NoBody>,
) -> Result<Shown<LiveMap>, Problem> {
    let window = ask.query.window_ms;
    let window = window.map_or(WINDOW_DEFAULT, Duration::from_millis);
    Ok(Shown(operator.live_map(window)))
}

async fn list_traces(
    operator: Operator,
    ask: Ask<Nothing, TraceQuery, NoBody>,
) -> Result<Shown<TracesPage>, Problem> {
    Ok(Shown(operator.traces(&ask.query).await?))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TraceNamed {
    /// UUID, or the 32 hexadecimal digits of the W3C.
    #[schemars(length(min = 1, max = 64))]
    id: String,
}

/// What of a trace besides its operations.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ShowQuery {
    /// With what was logged in it.
    logs: bool,
    /// With what was sent and received.
    payloads: bool,
}

async fn show_trace(
    operator: Operator,
    ask: Ask<TraceNamed, ShowQuery, NoBody>,
) -> Result<Shown<TraceTree>, Problem> {
    let id = &ask.path.id;
    let Some(mut tree) = operator.trace(id).await? else {
        let text = format!("trace {id} is not known; `bridge trace list` shows the newest");
        return Err(Problem::new(StatusCode::NOT_FOUND, text));
    };
    if ask.query.logs {
        (tree.logs, tree.logs_truncated) = operator.logs_of(&tree.trace_id).await?;
    }
    if ask.query.payloads {
        tree.payloads = operator.payloads_of(&tree).await?;
    }
    Ok(Shown(tree))
}

async fn list_logs(
    operator: Operator,
    ask: Ask<Nothing, LogQuery, NoBody>,
) -> Result<Shown<LogsPage>, Problem> {
    Ok(Shown(operator.logs(&ask.query).await?))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NamesQuery {
    /// Name of a service.
    #[schemars(length(min = 1, max = 255))]
    service: Option<String>,
}

async fn list_metrics(
    operator: Operator,
    ask: Ask<Nothing, NamesQuery, NoBody>,
) -> Result<Shown<Vec<MetricName>>, Problem> {
    let service = ask.query.service.as_deref();
    Ok(Shown(operator.metric_names(service).await?))
}

async fn show_metric(
    operator: Operator,
    ask: Ask<Nothing, MetricQuery, NoBody>,
) -> Result<Shown<MetricShown>, Problem> {
    Ok(Shown(operator.metric(&ask.query).await?))
}

async fn list_routes(
    operator: Operator,
    ask: Ask<Nothing, RoutesQuery, NoBody>,
) -> Result<Shown<RoutesPage>, Problem> {
    Ok(Shown(operator.routes(&ask.query).await?))
}

async fn show_doctor(
    operator: Operator,
    _: Ask<Nothing, Nothing, NoBody>,
) -> Result<Shown<Vec<Finding>>, Problem> {
    Ok(Shown(operator.doctor().await))
}

/// Events until the reader goes, its session ends or the runtime stops.
async fn live_events(
    served: Served,
    ask: Ask<Nothing, LiveQuery, NoBody>,
) -> Result<Stream<EVENTS, LiveEvents>, Problem> {
    let caller = ask.parts.extensions.get::<Caller>().cloned();
    let accounts = served.operator.parts().accounts.clone();
    let expired = async move {
        // The doors let nobody in without a name; whoever comes all the same is gone at once.
        if let Some(caller) = caller {
            accounts.ended(&caller).await;
        }
    };
    let ends = Ends {
        stopped: served.stopped,
        expired: Box::pin(expired),
    };
    let pieces = served.live.open(&ask.query, ends)?;
    let pieces = ReceiverStream::new(pieces).map(Ok::<_, std::convert::Infallible>);
    Ok(Stream::of(Body::from_stream(pieces)))
}

/// Lines of JSON until the reader goes or the runtime stops.
async fn tail(
    served: Served,
    ask: Ask<Nothing, TailQuery, NoBody>,
) -> Result<Stream<LINES, TailLine>, Problem> {
    let pieces = served.operator.tail(ask.query, served.stopped)?;
    let pieces = ReceiverStream::new(pieces).map(Ok::<_, std::convert::Infallible>);
    Ok(Stream::of(Body::from_stream(pieces)))
}
