//! OTLP/HTTP on the wire: requests in, answers as the public specification has them.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::post;
use contract::clock::Clock;
use prost::Message;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::body::{self, Fault, Form, Packed};
use super::bounds::{self, Node};
use super::engine::{Otlp, Sent, Taken};
use super::message::{ExportResponse, LogsRequest, PartialSuccess, RpcStatus, TracesRequest};
use super::points::MetricsRequest;
use crate::telemetry::OutsideError;

/// Seconds after which what could not be stored may be sent again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("2");

#[derive(Clone, Debug)]
struct Served {
    otlp: Otlp,
    clock: Clock,
}

/// What is counted in an answer, as JSON names it.
#[derive(Clone, Copy, Debug)]
enum Signal {
    Spans,
    LogRecords,
    DataPoints,
}

impl Signal {
    const fn root(self) -> Node {
        match self {
            Self::Spans => Node::Traces,
            Self::LogRecords => Node::Logs,
            Self::DataPoints => Node::Metrics,
        }
    }
}

pub(in crate::export) fn routes(otlp: &Otlp, clock: &Clock) -> Router {
    let served = Served {
        otlp: otlp.clone(),
        clock: clock.clone(),
    };
    Router::new()
        .route("/v1/traces", post(traces))
        .route("/v1/logs", post(logs))
        .route("/v1/metrics", post(metrics))
        .with_state(served)
}

async fn traces(State(served): State<Served>, request: Request) -> Response {
    serve(
        &served,
        request,
        Signal::Spans,
        async |sent, it: TracesRequest| served.otlp.traces(sent, it).await,
    )
    .await
}

async fn logs(State(served): State<Served>, request: Request) -> Response {
    serve(
        &served,
        request,
        Signal::LogRecords,
        async |sent, it: LogsRequest| served.otlp.logs(sent, it).await,
    )
    .await
}

async fn metrics(State(served): State<Served>, request: Request) -> Response {
    serve(
        &served,
        request,
        Signal::DataPoints,
        async |sent, it: MetricsRequest| served.otlp.metrics(sent, it).await,
    )
    .await
}

async fn serve<T: Message + Default + DeserializeOwned + 'static>(
    served: &Served,
    request: Request,
    signal: Signal,
    take: impl AsyncFnOnce(Sent, T) -> Result<Taken, OutsideError>,
) -> Response {
    let Some(form) = Form::of(request.headers()) else {
        let text = "send application/x-protobuf or application/json";
        let fault = Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text);
        return refused(Form::Json, &fault);
    };
    let read = async {
        let packed = Packed::of(request.headers())?;
        let bytes = body::read(request.into_body(), &served.clock).await?;
        let stopping = || Fault::new(StatusCode::SERVICE_UNAVAILABLE, "the runtime is stopping");
        let turn = served.otlp.turn().await.map_err(|_| stopping())?;
        // Work for milliseconds, which would hold up everything else on this thread. It keeps its
        // turn, also when nobody waits for it any more.
        let decoded = tokio::task::spawn_blocking(move || {
            let bytes = packed.unpack(bytes)?;
            let message = decode::<T>(form, signal, &bytes)?;
            let sent = Sent {
                bytes: bytes.len(),
                turn,
            };
            Ok((sent, message))
        });
        decoded.await.map_err(|_| stopping())?
    };
    let (sent, message) = match read.await {
        Ok(read) => read,
        Err(fault) => return refused(form, &fault),
    };
    match take(sent, message).await {
        Ok(taken) => accepted(form, signal, taken),
        Err(error @ OutsideError::Full) => {
            let fault = Fault::new(StatusCode::TOO_MANY_REQUESTS, error.to_string());
            refused(form, &fault)
        }
        Err(OutsideError::Store(error)) => {
            tracing::warn!(%error, "telemetry that came over OTLP could not be stored");
            let text = "the telemetry store is not available now; send it again later";
            refused(form, &Fault::new(StatusCode::SERVICE_UNAVAILABLE, text))
        }
    }
}

fn decode<T: Message + Default + DeserializeOwned>(
    form: Form,
    signal: Signal,
    bytes: &[u8],
) -> Result<T, Fault> {
    bounds::check(form, signal.root(), bytes)?;
    let read = match form {
        Form::Protobuf => T::decode(bytes).map_err(|error| error.to_string()),
        Form::Json => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
    };
    read.map_err(|error| {
        let text = format!("the body cannot be read: {error}");
        Fault::new(StatusCode::BAD_REQUEST, text)
    })
}

fn accepted(form: Form, signal: Signal, taken: Taken) -> Response {
    let rejected = i64::try_from(taken.rejected).unwrap_or(i64::MAX);
    let partial = (taken.rejected > 0).then_some(PartialSuccess {
        rejected,
        error_message: taken.why,
    });
    let bytes = match form {
        Form::Protobuf => ExportResponse {
            partial_success: partial,
        }
        .encode_to_vec(),
        Form::Json => {
            let name = match signal {
                Signal::Spans => "rejectedSpans",
                Signal::LogRecords => "rejectedLogRecords",
                Signal::DataPoints => "rejectedDataPoints",
            };
            // Numbers of 64 bits are text.
            let said = partial.map_or_else(
                || json!({}),
                |it| json!({"partialSuccess": {name: it.rejected.to_string(), "errorMessage": it.error_message}}),
            );
            said.to_string().into_bytes()
        }
    };
    answer(form, StatusCode::OK, bytes)
}

/// A refusal from before the routes, for whoever reads protobuf; `None` for everybody else.
pub(in crate::export) fn refusal_in_protobuf(
    path: &str,
    headers: &HeaderMap,
    (status, message): (StatusCode, &str),
) -> Option<Response> {
    let asks = path.starts_with("/v1/") && Form::of(headers) == Some(Form::Protobuf);
    asks.then(|| refused(Form::Protobuf, &Fault::new(status, message)))
}

fn refused(form: Form, fault: &Fault) -> Response {
    let code = match fault.status {
        StatusCode::UNAUTHORIZED => 16,
        StatusCode::FORBIDDEN => 7,
        StatusCode::TOO_MANY_REQUESTS => 8,
        StatusCode::SERVICE_UNAVAILABLE => 14,
        _ => 3,
    };
    let bytes = match form {
        Form::Protobuf => RpcStatus {
            code,
            message: fault.message.clone(),
        }
        .encode_to_vec(),
        Form::Json => json!({"code": code, "message": fault.message})
            .to_string()
            .into_bytes(),
    };
    let mut response = answer(form, fault.status, bytes);
    if matches!(code, 8 | 14) {
        response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
    }
    response
}

fn answer(form: Form, status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(form.content_type());
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
