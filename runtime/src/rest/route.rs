//! Declaring routes, and answering them.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, on};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::ask::{self, Ask, Taken};
use super::document::{Operation, Schemas, document, inline, parameters, refused};
use super::reply::Reply;
use super::shape::Shape;
use crate::problem::Problem;

/// Where all routes are.
const BASE: &str = "/api/v1";
/// Where the document is.
const DOCUMENT: &str = "/api/openapi.json";

/// The words of one route.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    id: &'static str,
    method: Method,
    path: &'static str,
    says: &'static str,
    refuses: BTreeSet<StatusCode>,
    open: bool,
}

/// Reads something.
pub(crate) fn get(id: &'static str, path: &'static str, says: &'static str) -> Route {
    Route::new(Method::GET, id, path, says)
}

/// Makes something, or does something.
pub(crate) fn post(id: &'static str, path: &'static str, says: &'static str) -> Route {
    Route::new(Method::POST, id, path, says)
}

/// Sets something.
pub(crate) fn put(id: &'static str, path: &'static str, says: &'static str) -> Route {
    Route::new(Method::PUT, id, path, says)
}

/// Changes parts of something.
pub(crate) fn patch(id: &'static str, path: &'static str, says: &'static str) -> Route {
    Route::new(Method::PATCH, id, path, says)
}

/// Takes something away.
pub(crate) fn delete(id: &'static str, path: &'static str, says: &'static str) -> Route {
    Route::new(Method::DELETE, id, path, says)
}

impl Route {
    fn new(method: Method, id: &'static str, path: &'static str, says: &'static str) -> Self {
        // Who asks is looked up in the store, which may not answer.
        let mut refuses = BTreeSet::from([
            StatusCode::UNAUTHORIZED,
            StatusCode::UNPROCESSABLE_ENTITY,
            StatusCode::SERVICE_UNAVAILABLE,
        ]);
        if !method.is_safe() {
            refuses.insert(StatusCode::FORBIDDEN);
        }
        if path.contains('{') {
            refuses.insert(StatusCode::NOT_FOUND);
        }
        Self {
            id,
            method,
            path,
            says,
            refuses,
            open: false,
        }
    }

    /// With further statuses it refuses with, besides those that follow from what it takes.
    pub(crate) fn refuses(mut self, statuses: &[StatusCode]) -> Self {
        self.refuses.extend(statuses);
        self
    }

    /// For admins alone, though it reads.
    pub(crate) fn admin(self) -> Self {
        self.refuses(&[StatusCode::FORBIDDEN])
    }

    /// For everybody: nobody needs to be logged in.
    pub(crate) fn open(mut self) -> Self {
        self.open = true;
        self.refuses.remove(&StatusCode::UNAUTHORIZED);
        self.refuses.remove(&StatusCode::FORBIDDEN);
        self
    }
}

/// Routes and their document.
#[derive(Default)]
pub(crate) struct Api {
    router: Router,
    operations: Vec<Operation>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let routes = self.operations.iter();
        let routes = routes.map(|it| format!("{} {}", it.method, it.path));
        f.debug_list().entries(routes).finish()
    }
}

impl Api {
    /// No routes yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// One more route, below `tag` in the document. What the handler takes and gives is checked
    /// and written down.
    pub(crate) fn add<S, P, Q, B, R, F, Fut>(
        mut self,
        (tag, state): (&'static str, &S),
        mut route: Route,
        handler: F,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
        P: DeserializeOwned + JsonSchema + Send + 'static,
        Q: DeserializeOwned + JsonSchema + Send + 'static,
        B: Taken,
        R: Reply + 'static,
        F: Fn(S, Ask<P, Q, B>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Problem>> + Send,
    {
        let shapes = Shapes::of::<P, Q, B>();
        if shapes.body_schema.is_some() {
            route.refuses.extend([
                StatusCode::BAD_REQUEST,
                StatusCode::REQUEST_TIMEOUT,
                StatusCode::PAYLOAD_TOO_LARGE,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ]);
        }
        let path = format!("{BASE}{}", route.path);
        let method = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
        let word = word(&route.method);
        let declared = Arc::new((route, shapes));
        let (served, state) = (declared.clone(), state.clone());
        let answer = move |request: Request| {
            let (served, state, handler) = (served.clone(), state.clone(), handler.clone());
            async move {
                let (route, shapes) = &*served;
                let outcome = match read::<P, Q, B>(shapes, request).await {
                    Ok(ask) => handler(state, ask).await,
                    Err(problem) => Err(problem),
                };
                answered(route, outcome)
            }
        };
        self.router = self.router.route(&path, on(method, answer));
        self.operations.push(Operation {
            path,
            method: word,
            write: Box::new(move |schemas| write::<B, R>(tag, &declared.0, &declared.1, schemas)),
        });
        self
    }

    /// With the routes of another one.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.operations.extend(other.operations);
        self
    }

    /// The OpenAPI document.
    pub(crate) fn document(&self) -> Value {
        let itself = Operation {
            path: DOCUMENT.to_owned(),
            method: "get",
            write: Box::new(|_| {
                let (status, refusal) = refused(StatusCode::UNAUTHORIZED);
                let (busy, not_now) = refused(StatusCode::SERVICE_UNAVAILABLE);
                let content = json!({ "application/json": { "schema": { "type": "object" } } });
                json!({
                    "operationId": "show_document",
                    "summary": "This document.",
                    "tags": ["about"],
                    "responses": {
                        "200": { "description": "This document.", "content": content },
                        status: refusal,
                        busy: not_now,
                    },
                })
            }),
        };
        let mut operations: Vec<_> = self.operations.iter().collect();
        operations.push(&itself);
        document(&operations)
    }

    /// Everything as a router, with the document and with refusals for what does not exist.
    pub(crate) fn into_router(self) -> Router {
        let document = Bytes::from(self.document().to_string());
        let shown = move || async move { ([(CONTENT_TYPE, "application/json")], document) };
        let not_allowed = |method: Method| async move {
            let text = format!("{method} is not possible here; see the Allow header");
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, text)
        };
        let nothing = || async {
            let text = format!("there is nothing here; {DOCUMENT} lists what there is");
            Problem::new(StatusCode::NOT_FOUND, text)
        };
        self.router
            .route(DOCUMENT, axum::routing::get(shown))
            .route("/api/{*rest}", axum::routing::any(nothing))
            .method_not_allowed_fallback(not_allowed)
    }
}

/// What the schemas of a route's parts allow.
#[derive(Debug)]
struct Shapes {
    path: (Value, Shape),
    query: (Value, Shape),
    body: Shape,
    body_schema: Option<Value>,
}

impl Shapes {
    fn of<P: JsonSchema, Q: JsonSchema, B: Taken>() -> Self {
        let part = |schema: schemars::Schema| {
            let schema = schema.to_value();
            let shape = Shape::of(&schema);
            (schema, shape)
        };
        let body_schema = B::schema(&mut inline()).map(schemars::Schema::to_value);
        Self {
            path: part(inline().subschema_for::<P>()),
            query: part(inline().subschema_for::<Q>()),
            body: body_schema.as_ref().map(Shape::of).unwrap_or_default(),
            body_schema,
        }
    }
}

async fn read<P: DeserializeOwned, Q: DeserializeOwned, B: Taken>(
    shapes: &Shapes,
    request: Request,
) -> Result<Ask<P, Q, B>, Problem> {
    let (mut parts, body) = request.into_parts();
    let path = ask::path(&mut parts, &shapes.path.1).await?;
    let query = ask::query(&parts, &shapes.query.1)?;
    let body = B::read(body, &parts, &shapes.body).await?;
    Ok(Ask {
        path,
        query,
        body,
        parts,
    })
}

fn answered<R: Reply>(route: &Route, outcome: Result<R, Problem>) -> Response {
    match outcome {
        Ok(reply) => reply.into_response(),
        Err(problem) => {
            debug_assert!(
                route.refuses.contains(&problem.status),
                "{} refuses with {}, which it does not declare: {}",
                route.id,
                problem.status,
                problem.detail
            );
            problem.into_response()
        }
    }
}

fn word(method: &Method) -> &'static str {
    match *method {
        Method::POST => "post",
        Method::PUT => "put",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "get",
    }
}

fn write<B: Taken, R: Reply>(
    tag: &str,
    route: &Route,
    shapes: &Shapes,
    schemas: &mut Schemas,
) -> Value {
    let mut parts = parameters(&shapes.path.0, "path");
    parts.extend(parameters(&shapes.query.0, "query"));
    let mut success = json!({ "description": "Done." });
    if let Some((kind, schema)) = R::content(&mut schemas.gives) {
        success["content"] = json!({ kind: { "schema": schema } });
        success["description"] = "What was asked for.".into();
    }
    let mut responses: Map<String, Value> = route.refuses.iter().map(|it| refused(*it)).collect();
    responses.insert(R::STATUS.as_u16().to_string(), success);
    let (summary, more) = route.says.split_once('\n').unwrap_or((route.says, ""));
    let mut operation = json!({
        "operationId": route.id,
        "summary": summary,
        "tags": [tag],
        "parameters": parts,
        "responses": responses,
    });
    if !more.is_empty() {
        operation["description"] = more.trim().into();
    }
    if route.open {
        operation["security"] = json!([]);
    }
    if let Some(schema) = B::schema(&mut schemas.takes) {
        let content = json!({ "application/json": { "schema": schema } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}
