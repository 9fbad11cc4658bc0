//! Loki's routes: parameters in, its JSON out; errors as plain text, as there.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use contract::clock::Clock;
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};

use super::answer;
use super::asked::{Parameters, Span};
use super::engine::{AskError, Engine};
use super::logql::{Pipeline, Query};
use super::parse::{parse, parse_selector};
use crate::export::parts::Parts;
use crate::telemetry::Level;

/// Largest form, in bytes, and the time it has to arrive.
const FORM_BYTES_MAX: usize = 64 * 1024;
const FORM_PATIENCE: Duration = Duration::from_secs(10);
/// Selectors of one question about streams.
const SELECTORS_MAX: usize = 16;
/// How a request asks for structured metadata to be told apart.
const FLAGS: &str = "x-loki-response-encoding-flags";
/// Labels of streams.
const LABELS: [&str; 4] = ["instance", "level", "service", "source"];

#[derive(Clone, Debug)]
struct Served {
    engine: Engine,
    clock: Clock,
}

/// A refusal: status and text.
struct Refused(StatusCode, String);

type Answered = Result<Json<Value>, Refused>;

impl From<String> for Refused {
    fn from(text: String) -> Self {
        Self(StatusCode::BAD_REQUEST, text)
    }
}

impl From<AskError> for Refused {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Wrong(text) => text.into(),
            AskError::Store(error) => {
                tracing::warn!(%error, "the logs could not be read for a Loki query");
                let text = "the log store is not available now; ask again";
                Self(StatusCode::SERVICE_UNAVAILABLE, text.to_owned())
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        let mut response = (self.0, [(CONTENT_TYPE, kind)], self.1 + "\n").into_response();
        if self.0 == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = HeaderValue::from_static("1");
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

pub(in crate::export) fn routes(parts: &Parts) -> Router {
    let served = Served {
        engine: Engine {
            telemetry: parts.telemetry.clone(),
            registry: parts.registry.clone(),
        },
        clock: parts.clock.clone(),
    };
    Router::new()
        .route(
            "/loki/api/v1/query_range",
            get(query_range).post(query_range),
        )
        .route("/loki/api/v1/query", get(query).post(query))
        .route("/loki/api/v1/labels", get(labels).post(labels))
        .route("/loki/api/v1/label/{name}/values", get(values))
        .route("/loki/api/v1/series", get(series).post(series))
        .route("/loki/api/v1/status/buildinfo", get(build_info))
        .route("/ready", get(async || "ready\n"))
        .with_state(served)
}

async fn query_range(State(served): State<Served>, request: Request) -> Answered {
    let flags = request.headers().get(FLAGS).and_then(|it| it.to_str().ok());
    let categorize = answer::is_categorized(flags.unwrap_or_default());
    let asked = parameters(&served, request).await?;
    let span = asked.span(served.now())?;
    let answer = match parse(asked.query()?).map_err(|error| error.to_string())? {
        Query::Lines(pipeline) => {
            let (limit, forward) = (asked.limit()?, asked.is_forward()?);
            let found = served.engine.lines(&pipeline, span, limit, forward).await?;
            answer::streams(found, categorize, forward)
        }
        Query::Numbers(counting) => {
            let step = asked.step(span)?;
            let (series, scanned) = served.engine.numbers(&counting, span, step).await?;
            answer::matrix(series, scanned)
        }
        Query::Constant(value) => {
            let step = asked.step(span)?;
            let points = span.steps(step).map(|at| (at, value));
            answer::matrix(constant(points.collect()), 0)
        }
    };
    Ok(Json(answer))
}

async fn query(State(served): State<Served>, request: Request) -> Answered {
    let asked = parameters(&served, request).await?;
    let at = asked.time("time")?.unwrap_or_else(|| served.now());
    match parse(asked.query()?).map_err(|error| error.to_string())? {
        Query::Lines(_) => {
            let text = "log queries are not supported as an instant query type, please change your query to a range query type";
            Err(text.to_owned().into())
        }
        Query::Numbers(counting) => {
            let now = Span { start: at, end: at };
            let (series, scanned) = served.engine.numbers(&counting, now, 1).await?;
            Ok(Json(answer::vector(series, scanned)))
        }
        Query::Constant(value) => Ok(Json(answer::vector(constant(vec![(at, value)]), 0))),
    }
}

fn constant(points: Vec<(i64, f64)>) -> Vec<super::engine::Series> {
    vec![super::engine::Series {
        labels: super::line::Labels::new(),
        points,
    }]
}

async fn labels(State(served): State<Served>, request: Request) -> Answered {
    let asked = parameters(&served, request).await?;
    asked.span(served.now())?;
    Ok(Json(answer::list(json!(LABELS))))
}

/// Services are those that are known, instances those of the streams in the span.
async fn values(
    State(served): State<Served>,
    Path(name): Path<String>,
    request: Request,
) -> Answered {
    let asked = parameters(&served, request).await?;
    let span = asked.span(served.now())?;
    let selector = match asked.get("query") {
        Some(text) => parse_selector(text).map_err(|error| error.to_string())?,
        None => Pipeline::default(),
    };
    let mut values: Vec<String> = match super::line::known_as(&name) {
        "level" => Level::ALL.iter().map(|it| it.word().to_owned()).collect(),
        "source" => ["console", "runtime", "sdk"].map(str::to_owned).to_vec(),
        "service" if selector.selector.is_empty() => served.engine.services(),
        label @ ("service" | "instance") => {
            let streams = served.engine.streams(&[selector], span).await?;
            let values = streams.into_iter().filter_map(|mut it| it.remove(label));
            values.collect()
        }
        _ => Vec::new(),
    };
    values.sort();
    values.dedup();
    Ok(Json(answer::list(json!(values))))
}

async fn series(State(served): State<Served>, request: Request) -> Answered {
    let asked = parameters(&served, request).await?;
    let span = asked.span(served.now())?;
    let texts = asked.all("match[]").chain(asked.all("match"));
    let texts: Vec<&str> = texts.filter(|it| !it.is_empty()).collect();
    if texts.is_empty() || texts.len() > SELECTORS_MAX {
        let text = format!(
            "say 1 to {SELECTORS_MAX} selectors as `match[]`, such as match[]={{service=\"orders\"}}"
        );
        return Err(text.into());
    }
    let selectors: Result<Vec<Pipeline>, _> = texts.into_iter().map(parse_selector).collect();
    let selectors = selectors.map_err(|error| error.to_string())?;
    let streams = served.engine.streams(&selectors, span).await?;
    let streams: Vec<_> = streams.into_iter().collect();
    Ok(Json(answer::list(json!(streams))))
}

/// What a data source asks to learn whom it talks to.
async fn build_info() -> Json<Value> {
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "revision": "",
        "branch": "bridge",
        "buildDate": "",
        "buildUser": "",
        "goVersion": "",
    }))
}

impl Served {
    fn now(&self) -> i64 {
        self.clock.now().as_micros().saturating_mul(1_000)
    }
}

/// Of the query string, and of the form that comes with a POST.
async fn parameters(served: &Served, request: Request) -> Result<Parameters, Refused> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = Limited::<Body>::new(request.into_body(), FORM_BYTES_MAX).collect();
    let form = match served.clock.timeout(FORM_PATIENCE, body).await {
        Ok(Ok(form)) => form.to_bytes(),
        Ok(Err(_)) => {
            let text = format!("the form is over {FORM_BYTES_MAX} bytes or ended early");
            return Err(text.into());
        }
        Err(_) => {
            let text = "the form took too long".to_owned();
            return Err(Refused(StatusCode::REQUEST_TIMEOUT, text));
        }
    };
    Ok(Parameters::new(query.as_bytes(), &form))
}
