//! The routes that read: map, traces, what ends right now, logs, metrics.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRef, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use tokio::sync::watch;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::engine::Operator;
use super::logs::LogQuery;
use super::map::WINDOW_DEFAULT;
use super::metrics::MetricQuery;
use super::model::{LiveMap, LogsPage, MetricName, MetricShown, RoutesPage, TraceTree, TracesPage};
use super::refusal::{Answer, Refusal};
use super::routes::RoutesQuery;
use super::tail::TailQuery;
use super::trace::TraceQuery;

/// What a route that goes on until the runtime stops needs besides.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) operator: Operator,
    pub(super) stopped: watch::Receiver<bool>,
}

impl FromRef<Served> for Operator {
    fn from_ref(served: &Served) -> Self {
        served.operator.clone()
    }
}

pub(super) fn routes() -> Router<Served> {
    Router::new()
        .route("/v1/map", get(show_map))
        .route("/v1/traces", get(list_traces))
        .route("/v1/traces/{id}", get(show_trace))
        .route("/v1/tail", get(tail))
        .route("/v1/logs", get(list_logs))
        .route("/v1/metrics", get(list_metrics))
        .route("/v1/metric", get(show_metric))
        .route("/v1/routes", get(list_routes))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapQuery {
    window_ms: Option<u64>,
}

async fn show_map(
    State(operator): State<Operator>,
    Query(query): Query<MapQuery>,
) -> Json<LiveMap> {
    let window = query
        .window_ms
        .map_or(WINDOW_DEFAULT, Duration::from_millis);
    Json(operator.live_map(window))
}

async fn list_traces(
    State(operator): State<Operator>,
    Query(query): Query<TraceQuery>,
) -> Answer<TracesPage> {
    Ok(Json(operator.traces(&query).await?))
}

/// What of a trace besides its operations.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ShowQuery {
    logs: bool,
    payloads: bool,
}

async fn show_trace(
    State(operator): State<Operator>,
    Path(id): Path<String>,
    Query(query): Query<ShowQuery>,
) -> Answer<TraceTree> {
    let found = operator.trace(&id).await?;
    let Some(mut tree) = found else {
        let text = format!("trace {id} is not known; `bridge trace list` shows the newest");
        return Err(Refusal(StatusCode::NOT_FOUND, text));
    };
    if query.logs {
        (tree.logs, tree.logs_truncated) = operator.logs_of(&tree.trace_id).await?;
    }
    if query.payloads {
        tree.payloads = operator.payloads_of(&tree).await?;
    }
    Ok(Json(tree))
}

async fn list_logs(
    State(operator): State<Operator>,
    Query(query): Query<LogQuery>,
) -> Answer<LogsPage> {
    Ok(Json(operator.logs(&query).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamesQuery {
    service: Option<String>,
}

async fn list_metrics(
    State(operator): State<Operator>,
    Query(query): Query<NamesQuery>,
) -> Answer<Vec<MetricName>> {
    Ok(Json(operator.metric_names(query.service.as_deref()).await?))
}

async fn show_metric(
    State(operator): State<Operator>,
    Query(query): Query<MetricQuery>,
) -> Answer<MetricShown> {
    Ok(Json(operator.metric(&query).await?))
}

async fn list_routes(
    State(operator): State<Operator>,
    Query(query): Query<RoutesQuery>,
) -> Answer<RoutesPage> {
    Ok(Json(operator.routes(&query).await?))
}

/// Lines of JSON until the reader goes or the runtime stops.
async fn tail(
    State(served): State<Served>,
    Query(query): Query<TailQuery>,
) -> Result<Response, Refusal> {
    let pieces = served.operator.tail(query, served.stopped)?;
    let pieces = ReceiverStream::new(pieces).map(Ok::<_, std::convert::Infallible>);
    let kind = [(CONTENT_TYPE, "application/jsonl")];
    Ok((kind, Body::from_stream(pieces)).into_response())
}
