//! Generated applications, asked route by route: what the table and the matcher say is what axum
//! does. The seeds of a case that fails are printed and kept beside this file.

#![cfg(feature = "axum")]

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, NestedPath, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, any, any_service};
use bridge_tower::record::Verb;
use bridge_tower::routes::{Endpoint, Methods, RouteTable};
use http::{Method, StatusCode};
use proptest::prelude::*;
use tower::ServiceExt as _;

/// What a generated application is made of.
#[derive(Clone, Debug)]
enum Part {
    Route { path: String, methods: Served },
    Service { path: String },
    NestedService { path: String },
    Nest { path: String, app: Vec<Part> },
    Merge { app: Vec<Part> },
    Fallback,
    MethodNotAllowed,
    Layer,
    RouteLayer,
}

/// How a route is answered.
#[derive(Clone, Debug)]
struct Served {
    /// Bits of [`METHODS`].
    methods: u16,
    by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Handlers,
    Services,
    HandlersAndAny,
    Any,
    AnyService,
    HandlersAndFallback,
    FallbackAlone,
}

const METHODS: [(Method, MethodFilter); 9] = [
    (Method::GET, MethodFilter::GET),
    (Method::HEAD, MethodFilter::HEAD),
    (Method::POST, MethodFilter::POST),
    (Method::PUT, MethodFilter::PUT),
    (Method::PATCH, MethodFilter::PATCH),
    (Method::DELETE, MethodFilter::DELETE),
    (Method::OPTIONS, MethodFilter::OPTIONS),
    (Method::CONNECT, MethodFilter::CONNECT),
    (Method::TRACE, MethodFilter::TRACE),
];

/// What axum's extensions said when a request reached what answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reached {
    matched: Option<String>,
    /// Where the service that answered was nested.
    nested: Option<String>,
}

/// State that the routers miss until the end.
#[derive(Clone, Debug)]
struct Stock;

async fn handler(State(_): State<Stock>) {}

/// What answers methods without a handler. Whether it does them justice or only words the 405,
/// nobody can see from outside, so the table lists it only where there is nothing else.
async fn others() -> StatusCode {
    StatusCode::ACCEPTED
}

async fn not_allowed() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// A service as someone else would have written it.
fn service()
-> impl tower::Service<Request, Response = Response, Error = Infallible, Future = impl Send + 'static>
+ Clone
+ Send
+ Sync
+ 'static {
    tower::service_fn(|_: Request| async { Ok(Response::new(Body::empty())) })
}

/// A service that says where it is nested.
fn nested_service()
-> impl tower::Service<Request, Response = Response, Error = Infallible, Future = impl Send + 'static>
+ Clone
+ Send
+ Sync
+ 'static {
    tower::service_fn(|request: Request| async move {
        let nested = request.extensions().get::<NestedPath>();
        let nested = nested.map(|it| it.as_str().to_owned());
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(Reached {
            matched: None,
            nested,
        });
        Ok(response)
    })
}

/// Notes what the extensions say of the route.
async fn probe(request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let matched = matched.map(|it| it.as_str().to_owned());
    let mut response = next.run(request).await;
    let inner = response.extensions().get::<Reached>();
    let nested = inner.and_then(|it| it.nested.clone());
    response
        .extensions_mut()
        .insert(Reached { matched, nested });
    response
}

async fn pass(request: Request, next: Next) -> Response {
    next.run(request).await
}

impl Served {
    fn router(&self) -> MethodRouter<Stock> {
        let chosen = METHODS
            .into_iter()
            .enumerate()
            .filter(|(bit, _)| self.methods & (1 << bit) != 0)
            .map(|(_, (_, filter))| filter);
        let start = match self.by {
            By::Any | By::HandlersAndAny => any(handler),
            By::AnyService => any_service(service()),
            By::FallbackAlone => MethodRouter::new().fallback(others),
            By::HandlersAndFallback => MethodRouter::new().fallback(others),
            By::Handlers | By::Services => MethodRouter::new(),
        };
        let has_methods = !matches!(self.by, By::Any | By::AnyService | By::FallbackAlone);
        chosen
            .filter(|_| has_methods)
            .fold(start, |router, filter| {
                if self.by == By::Services {
                    router.on_service(filter, service())
                } else {
                    router.on(filter, handler)
                }
            })
    }
}

impl Part {
    fn add_to(&self, router: Router<Stock>) -> Router<Stock> {
        match self {
            Self::Route { path, methods } => router.route(path, methods.router()),
            Self::Service { path } => router.route_service(path, service()),
            Self::NestedService { path } => router.nest_service(path, nested_service()),
            Self::Nest { path, app } => router.nest(path, built(app)),
            Self::Merge { app } => router.merge(built(app)),
            Self::Fallback => router.fallback(not_found),
            Self::MethodNotAllowed => router.method_not_allowed_fallback(not_allowed),
            Self::Layer => router.layer(from_fn(pass)),
            Self::RouteLayer => router.route_layer(from_fn(pass)),
        }
    }
}

/// The router of these parts. A part that axum refuses, because it clashes with another one, is
/// left out.
fn built(parts: &[Part]) -> Router<Stock> {
    parts.iter().fold(Router::new(), |router, part| {
        let before = router.clone();
        catch_unwind(AssertUnwindSafe(|| part.add_to(router))).unwrap_or(before)
    })
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "ab", "abc", "items", "a.b", "{{x}}", "'q'"]),
        3 => prop::sample::select(vec!["{id}", "{x}", "v{n}", "a{rest}"]),
    ]
    .prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    let segments = prop::collection::vec(segment(), 0..4);
    let tail =
        prop_oneof![6 => Just(""), 1 => Just("/"), 1 => Just("/{*rest}"), 1 => Just("/\"ü\n")];
    (segments, tail).prop_map(|(segments, tail)| {
        let path: String = segments.iter().map(|it| format!("/{it}")).collect();
        match format!("{path}{tail}") {
            path if path.is_empty() => "/".to_owned(),
            path => path,
        }
    })
}

/// Where something is nested: no wildcard at the end.
fn prefix() -> impl Strategy<Value = String> {
    let tail = prop_oneof![5 => Just(""), 1 => Just("/")];
    (prop::collection::vec(segment(), 1..3), tail).prop_map(|(segments, tail)| {
        let path: String = segments.iter().map(|it| format!("/{it}")).collect();
        format!("{path}{tail}")
    })
}

fn served() -> impl Strategy<Value = Served> {
    let by = prop::sample::select(vec![
        By::Handlers,
        By::Handlers,
        By::Services,
        By::HandlersAndAny,
        By::Any,
        By::AnyService,
        By::HandlersAndFallback,
        By::FallbackAlone,
    ]);
    (1_u16..512, by).prop_map(|(methods, by)| Served { methods, by })
}

fn part() -> impl Strategy<Value = Part> {
    let leaf = prop_oneof![
        8 => (path(), served()).prop_map(|(path, methods)| Part::Route { path, methods }),
        1 => path().prop_map(|path| Part::Service { path }),
        2 => prefix().prop_map(|path| Part::NestedService { path }),
        1 => Just(Part::Fallback),
        1 => Just(Part::MethodNotAllowed),
        1 => Just(Part::Layer),
        1 => Just(Part::RouteLayer),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let app = || prop::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            3 => (prefix(), app()).prop_map(|(path, app)| Part::Nest { path, app }),
            1 => app().prop_map(|app| Part::Merge { app }),
        ]
    })
}

/// A path that a client could send and that is likely to fit `template`.
fn request_for(template: &str) -> String {
    let filled = template.replace("{*rest}", "r/s").replace("{*}", "t/u");
    let filled = ["{id}", "{x}", "{n}", "{rest}"]
        .into_iter()
        .fold(filled.replace("{{x}}", "\u{1}"), |it, name| {
            it.replace(name, "7")
        });
    filled.replace('\u{1}', "{x}")
}

/// Paths around those that exist: other tails, missing and doubled slashes, other words.
fn requests(table: &RouteTable, more: &[String]) -> Vec<String> {
    let mut paths: Vec<String> = more.to_vec();
    for template in table.templates() {
        let path = request_for(template);
        paths.push(format!("{path}/"));
        paths.push(format!("{path}/more"));
        paths.push(path.trim_end_matches('/').to_owned());
        paths.push(path.replacen('/', "//", 1));
        paths.push(path.replace('7', ""));
        paths.push(path.replace("t/u", ""));
        paths.push(path.rsplit_once('/').map_or("/", |it| it.0).to_owned());
        paths.push(path);
    }
    paths.retain(|it| it.starts_with('/'));
    paths
}

async fn ask(app: &Router, method: Method, path: &str) -> Option<Response> {
    let request = Request::builder().method(method).uri(path);
    // Not every path can be sent.
    let request = request.body(Body::empty()).ok()?;
    match app.clone().oneshot(request).await {
        Ok(response) => Some(response),
        Err(never) => match never {},
    }
}

/// The template that the table should show for what axum said.
fn template(table: &RouteTable, reached: &Reached) -> Option<String> {
    if let Some(nested) = &reached.nested {
        return Some(format!("{}/{{*}}", nested.trim_end_matches('/')));
    }
    // A service nested at `/a/` beside a service at `/a` prints as one nested at `/a` would.
    let matched = reached.matched.clone()?;
    let nested = format!("{matched}/{{*}}");
    let is_beside =
        table.templates().any(|it| it == nested) && table.templates().all(|it| it != matched);
    Some(if is_beside { nested } else { matched })
}

async fn check(parts: &[Part], more: &[String]) -> Result<(), TestCaseError> {
    let router = built(parts);
    let table = RouteTable::of(&router).map_err(|it| TestCaseError::fail(it.to_string()))?;
    let app: Router = router.layer(from_fn(probe)).with_state(Stock);
    let with_state = RouteTable::of(&app).map_err(|it| TestCaseError::fail(it.to_string()))?;
    prop_assert_eq!(table.routes(), with_state.routes());
    let matcher = table.matcher();
    for path in requests(&table, more) {
        let Some(response) = ask(&app, Method::GET, &path).await else {
            continue;
        };
        let reached = response.extensions().get::<Reached>().cloned();
        let reached = reached.expect("the probe is around every route and fallback");
        let found = matcher.find(&path).map(|it| &table.routes()[it as usize]);
        let found_path = found.map(|it| it.path.to_string());
        prop_assert_eq!(found_path, template(&table, &reached), "{}", &path);
        if let Some(route) = found {
            check_methods(&app, &path, route.endpoint, route.methods).await?;
        }
    }
    Ok(())
}

/// Each method of HTTP is answered exactly when the table says so.
async fn check_methods(
    app: &Router,
    path: &str,
    endpoint: Endpoint,
    methods: Methods,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(
        endpoint == Endpoint::Handlers || methods == Methods::ANY,
        true
    );
    for (method, _) in METHODS {
        let response = ask(app, method.clone(), path)
            .await
            .expect("it was asked before");
        let is_answered = match response.status() {
            StatusCode::OK => true,
            StatusCode::ACCEPTED => methods.is_any() || methods.is_empty(),
            _ => false,
        };
        prop_assert_eq!(
            methods.answers(Verb::from(&method)),
            is_answered,
            "{} {}",
            method,
            path
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn table_and_matcher_say_what_axum_does(
        parts in prop::collection::vec(part(), 0..12),
        more in prop::collection::vec(path(), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(check(&parts, &more))?;
    }
}
