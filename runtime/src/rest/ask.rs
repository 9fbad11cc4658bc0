//! What comes with a request: the pieces of its path, its query, its body; each decoded and held
//! against its published schema before a handler sees it.

use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, RawPathParams};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, request};
use contract::clock::Clock;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::shape::Shape;
use crate::problem::Problem;

/// Largest body of a request, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;
/// Time a body has to arrive, where there is [`Patience`].
const BODY_PATIENCE: Duration = Duration::from_secs(15);

/// Bounds the time a body may take. A door that strangers reach puts it into a request's
/// extensions.
#[derive(Clone, Debug)]
pub(crate) struct Patience(pub(crate) Clock);

/// A request after decoding.
#[derive(Debug)]
pub(crate) struct Ask<P, Q, B> {
    /// The pieces of the path.
    pub(crate) path: P,
    /// The query.
    pub(crate) query: Q,
    /// The body.
    pub(crate) body: B,
    /// Headers and what the doors know of the one who asks.
    pub(crate) parts: request::Parts,
}

/// Takes no path pieces, or no query.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Takes no body; one that comes all the same is not read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoBody;

/// Takes JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// How a body is read and documented.
pub(crate) trait Taken: Sized + Send + 'static {
    /// Its schema; `None` when there is no body.
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;
    /// Reads it.
    fn read(
        body: HttpBody,
        parts: &request::Parts,
        shape: &Shape,
    ) -> impl Future<Output = Result<Self, Problem>> + Send;
}

impl Taken for NoBody {
    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }

    async fn read(_: HttpBody, _: &request::Parts, _: &Shape) -> Result<Self, Problem> {
        Ok(Self)
    }
}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Taken for Body<T> {
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }

    async fn read(body: HttpBody, parts: &request::Parts, shape: &Shape) -> Result<Self, Problem> {
        if !is_json(&parts.headers) {
            let text = "send the body as JSON, with `content-type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        }
        let bytes = whole(body, parts.extensions.get()).await?;
        let bad = |text: String| Problem::new(StatusCode::BAD_REQUEST, text);
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| bad(format!("the body is not JSON: {error}")))?;
        let Some(object) = value.as_object() else {
            return Err(bad("the body is not a JSON object".to_owned()));
        };
        shape.check(object).map_err(bad)?;
        let read = serde_json::from_value(value);
        read.map(Self)
            .map_err(|error| bad(format!("the body is not what it should be: {error}")))
    }
}

/// A body that has been read: what comes slowly or without end comes to nobody.
async fn whole(body: HttpBody, patience: Option<&Patience>) -> Result<Bytes, Problem> {
    let read = to_bytes(body, BODY_BYTES_MAX);
    let read = match patience {
        Some(Patience(clock)) => clock.timeout(BODY_PATIENCE, read).await,
        None => Ok(read.await),
    };
    match read {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let text = format!("the body is longer than {BODY_BYTES_MAX} bytes, or broke off");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, text))
        }
        Err(_) => {
            let seconds = BODY_PATIENCE.as_secs();
            let text = format!("the body did not arrive within {seconds} s");
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, text))
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let kind = kind.and_then(|it| it.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// The pieces of the path, decoded.
pub(super) async fn path<P: DeserializeOwned>(
    parts: &mut request::Parts,
    shape: &Shape,
) -> Result<P, Problem> {
    let unknown = |why: &str| {
        let text = format!("nothing is at this path: {why}");
        Problem::new(StatusCode::NOT_FOUND, text)
    };
    let pieces = RawPathParams::from_request_parts(parts, &()).await;
    let pieces = pieces.map_err(|error| unknown(&error.body_text()))?;
    let object = shape.read(pieces.iter()).map_err(|why| unknown(&why))?;
    serde_json::from_value(object).map_err(|why| unknown(&why.to_string()))
}

/// The query, decoded.
pub(super) fn query<Q: DeserializeOwned>(
    parts: &request::Parts,
    shape: &Shape,
) -> Result<Q, Problem> {
    let wrong = |why: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why);
    let text = parts.uri.query().unwrap_or_default();
    let pairs = form_urlencoded::parse(text.as_bytes());
    let object = shape.read(pairs).map_err(wrong)?;
    serde_json::from_value(object).map_err(|why| wrong(why.to_string()))
}
