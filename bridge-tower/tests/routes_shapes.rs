//! Applications of every shape that is found in the wild: what the table says of each, and that
//! the route it finds for a request is the one that answers.

#![cfg(feature = "axum")]

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRef, Path, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, any, any_service, get, on, post, put};
use axum::{Json, Router};
use bridge_tower::routes::{Endpoint, Methods, RouteTable};
use http::{Method, StatusCode};
use tower::ServiceExt as _;
use tower::layer::util::Stack;
use tower::util::MapResponseLayer;

async fn ok() {}

/// What the table lists, one route a line: methods, template, and what is mounted if no handlers.
fn listed<S>(router: &Router<S>) -> Vec<String> {
    let table = RouteTable::of(router).expect("a router of this axum");
    let routes = table.routes().iter().map(|it| match it.endpoint {
        Endpoint::Handlers => format!("{} {}", it.methods, it.path),
        Endpoint::Service => format!("service {}", it.path),
        Endpoint::Nested => format!("nested {}", it.path),
    });
    let fallbacks = table.fallbacks().map(|it| format!("fallback {it}"));
    routes.chain(fallbacks).collect()
}

/// The route found for a request, and the status of the answer.
async fn check(app: &Router, method: Method, path: &str, route: Option<&str>, status: u16) {
    let table = RouteTable::of(app).expect("a router of this axum");
    let found = table.matcher().find(path);
    let found = found.map(|it| &*table.routes()[it as usize].path);
    assert_eq!(found, route, "{method} {path}");
    let request = Request::builder().method(&method).uri(path);
    let request = request.body(Body::empty()).expect("a request");
    let response = match app.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    assert_eq!(response.status().as_u16(), status, "{method} {path}");
}

/// Static files, as a service of a crate of its own would serve them.
#[derive(Clone)]
struct Files;

impl tower::Service<Request> for Files {
    type Response = Response;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let status = match request.uri().path() {
            "/logo.svg" | "/" => StatusCode::OK,
            _ => StatusCode::NOT_FOUND,
        };
        std::future::ready(Ok(status.into_response()))
    }
}

#[tokio::test]
async fn nests_in_nests_and_merges_are_listed_with_their_final_paths() {
    let lines = Router::new()
        .route("/", get(ok))
        .route("/{line}", put(ok).delete(ok));
    let orders = Router::new()
        .route("/", get(ok).post(ok))
        .route("/{order}", get(ok))
        .nest("/{order}/lines", lines);
    let health = Router::new().route("/healthz", get(ok));
    let v1 = Router::new().nest("/orders", orders).merge(health.clone());
    let app: Router = Router::new().nest("/api/v1", v1).nest("/slashed/", health);
    assert_eq!(
        listed(&app),
        [
            "GET /api/v1/healthz",
            "GET,POST /api/v1/orders",
            "GET /api/v1/orders/{order}",
            "GET /api/v1/orders/{order}/lines",
            "PUT,DELETE /api/v1/orders/{order}/lines/{line}",
            "GET /slashed/healthz",
        ]
    );
    let line = Some("/api/v1/orders/{order}/lines/{line}");
    check(&app, Method::PUT, "/api/v1/orders/7/lines/1", line, 200).await;
    check(
        &app,
        Method::GET,
        "/api/v1/orders",
        Some("/api/v1/orders"),
        200,
    )
    .await;
    check(&app, Method::GET, "/api/v1/orders/", None, 404).await;
}

#[tokio::test]
async fn two_routes_of_one_path_are_one_route_with_the_methods_of_both() {
    let more: Router = Router::new().route("/orders", put(ok));
    let app = Router::new()
        .route("/orders", get(ok))
        .route("/orders", post(ok).merge(get_patch()))
        .merge(more);
    assert_eq!(listed(&app), ["GET,POST,PUT,PATCH /orders"]);
    check(&app, Method::DELETE, "/orders", Some("/orders"), 405).await;
}

fn get_patch() -> MethodRouter {
    on(MethodFilter::PATCH, ok)
}

#[tokio::test]
async fn fallbacks_are_listed_by_the_nest_they_belong_to_and_are_no_routes() {
    let shop = Router::new().route("/orders", get(ok)).fallback(ok);
    let admin = Router::new().route("/users", get(ok));
    let app: Router = Router::new()
        .nest("/shop", shop)
        .nest("/admin", admin)
        .fallback(|| async { StatusCode::NOT_FOUND })
        .method_not_allowed_fallback(|| async { StatusCode::METHOD_NOT_ALLOWED });
    assert_eq!(
        listed(&app),
        [
            "GET /admin/users",
            "GET /shop/orders",
            "fallback /",
            "fallback /shop"
        ]
    );
    check(&app, Method::GET, "/shop/other", None, 200).await;
    check(&app, Method::GET, "/admin/other", None, 404).await;
    check(
        &app,
        Method::POST,
        "/shop/orders",
        Some("/shop/orders"),
        405,
    )
    .await;

    let inner = Router::new().fallback_service(Files);
    let app: Router = Router::new().nest("/inner", inner);
    assert_eq!(listed(&app), ["fallback /inner"]);
    assert_eq!(listed(&app.reset_fallback()), [""; 0]);
}

#[tokio::test]
async fn a_nested_service_is_one_route_that_hides_its_own() {
    let assets = Router::new().nest_service("/files", Files);
    let app: Router = Router::new()
        .nest("/assets", assets)
        .nest_service("/slashed/", Files)
        .nest_service("/tenants/{tenant}", Router::new().route("/orders", get(ok)))
        .route_service("/favicon.ico", Files)
        .route("/download", any_service(Files));
    assert_eq!(
        listed(&app),
        [
            "nested /assets/files/{*}",
            "ANY /download",
            "service /favicon.ico",
            "nested /slashed/{*}",
            "nested /tenants/{tenant}/{*}",
        ]
    );
    let table = RouteTable::of(&app).expect("a router of this axum");
    assert!(table.routes().iter().all(|it| it.methods == Methods::ANY));
    assert_eq!(table.names().count(), 0);
    let files = Some("/assets/files/{*}");
    check(&app, Method::GET, "/assets/files/logo.svg", files, 200).await;
    check(&app, Method::GET, "/assets/files", files, 200).await;
    check(&app, Method::GET, "/assets/files/", files, 200).await;
    check(&app, Method::GET, "/assets/files/none", files, 404).await;
    check(&app, Method::GET, "/slashed/", Some("/slashed/{*}"), 200).await;
    check(&app, Method::GET, "/slashed", None, 404).await;
    let tenant = Some("/tenants/{tenant}/{*}");
    check(&app, Method::GET, "/tenants/7/orders", tenant, 200).await;
}

#[tokio::test]
async fn any_and_every_method_there_is_are_told_apart() {
    let all = MethodFilter::GET
        .or(MethodFilter::HEAD)
        .or(MethodFilter::POST)
        .or(MethodFilter::PUT)
        .or(MethodFilter::PATCH)
        .or(MethodFilter::DELETE)
        .or(MethodFilter::OPTIONS)
        .or(MethodFilter::CONNECT)
        .or(MethodFilter::TRACE);
    let app: Router = Router::new()
        .route("/all", on(all, ok))
        .route("/any", any(ok))
        .route("/any-but", any(ok).get(ok))
        .route("/head", get(ok).head(ok));
    assert_eq!(
        listed(&app),
        [
            "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS,CONNECT,TRACE /all",
            "ANY /any",
            "GET,ANY /any-but",
            "GET,HEAD /head",
        ]
    );
    let table = RouteTable::of(&app).expect("a router of this axum");
    let names: Vec<_> = table.names().collect();
    assert_eq!(names.len(), 12);
    assert_eq!(names[9..], ["GET /any-but", "GET /head", "HEAD /head"]);
    let brew = Method::from_bytes(b"BREW").expect("a method");
    check(&app, brew, "/any", Some("/any"), 200).await;
}

#[tokio::test]
async fn upgrades_and_streams_are_routes_like_any_other() {
    async fn socket(upgrade: WebSocketUpgrade) -> Response {
        upgrade.on_upgrade(|_| async {})
    }
    async fn ticks() -> Sse<tokio_stream::Iter<std::vec::IntoIter<Result<Event, Infallible>>>> {
        Sse::new(tokio_stream::iter(vec![Ok(Event::default().data("tick"))]))
    }
    let app: Router = Router::new()
        .route("/ws", any(socket))
        .route("/ws/{room}", get(socket))
        .route("/ticks", get(ticks));
    assert_eq!(listed(&app), ["GET /ticks", "ANY /ws", "GET /ws/{room}"]);
    check(&app, Method::GET, "/ticks", Some("/ticks"), 200).await;
    check(&app, Method::GET, "/ws/lobby", Some("/ws/{room}"), 400).await;
}

#[tokio::test]
async fn layers_at_every_height_change_nothing() {
    async fn pass(request: Request, next: Next) -> Response {
        next.run(request).await
    }
    async fn pass_with(State(()): State<()>, request: Request, next: Next) -> Response {
        next.run(request).await
    }
    let map = MapResponseLayer::new(|it: Response| it);
    let inner = Router::new()
        .route("/{id}", get(ok).layer(map.clone()).post(ok))
        .route_layer(from_fn(pass))
        .nest_service("/files", Files)
        .layer(Stack::new(map.clone(), from_fn(pass)));
    let app: Router = Router::new()
        .nest("/inner", inner)
        .route("/outer", get(ok).route_layer(from_fn(pass)))
        .layer(from_fn_with_state((), pass_with))
        .layer(map)
        .fallback(ok);
    let expected = [
        "nested /inner/files/{*}",
        "GET,POST /inner/{id}",
        "GET /outer",
        "fallback /",
    ];
    assert_eq!(listed(&app), expected);
    check(&app, Method::POST, "/inner/7", Some("/inner/{id}"), 200).await;
}

/// State that a library's routes ask for without knowing the application's.
trait Stock: Clone + Send + Sync + 'static {
    fn in_stock(&self, article: &str) -> bool;
}

#[derive(Clone)]
struct Shelf;

impl Stock for Shelf {
    fn in_stock(&self, article: &str) -> bool {
        article == "tea"
    }
}

#[derive(Clone)]
struct App {
    shelf: Shelf,
    name: Arc<str>,
}

impl FromRef<App> for Arc<str> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.name)
    }
}

fn stock_routes<T: Stock>() -> Router<T> {
    async fn in_stock<T: Stock>(State(stock): State<T>, Path(article): Path<String>) -> Json<bool> {
        Json(stock.in_stock(&article))
    }
    Router::new().route("/stock/{article}", get(in_stock::<T>))
}

fn library_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<str>: FromRef<S>,
{
    async fn name(State(name): State<Arc<str>>) -> String {
        name.to_string()
    }
    Router::new().route("/name", get(name))
}

#[tokio::test]
async fn routers_are_read_whatever_state_they_miss() {
    assert_eq!(listed(&stock_routes::<Shelf>()), ["GET /stock/{article}"]);
    assert_eq!(listed(&library_routes::<Arc<str>>()), ["GET /name"]);
    async fn shared(State(shelf): State<Arc<Shelf>>) -> Json<bool> {
        Json(shelf.in_stock("tea"))
    }
    let before: Router<Arc<Shelf>> = Router::new().route("/shared", get(shared));
    assert_eq!(listed(&before), ["GET /shared"]);
    let after: Router = before.with_state(Arc::new(Shelf));
    assert_eq!(listed(&after), ["GET /shared"]);
    check(&after, Method::GET, "/shared", Some("/shared"), 200).await;

    let app = App {
        shelf: Shelf,
        name: "shop".into(),
    };
    let app: Router = library_routes::<App>()
        .nest("/goods", stock_routes().with_state(app.shelf.clone()))
        .with_state(app);
    assert_eq!(listed(&app), ["GET /goods/stock/{article}", "GET /name"]);
    let stock = Some("/goods/stock/{article}");
    check(&app, Method::GET, "/goods/stock/tea", stock, 200).await;
}

#[tokio::test]
async fn paths_may_hold_what_debug_output_is_made_of() {
    let odd = "/}} }}, \"RouteId(1): \\\" {{None}} Route(Route) \u{301}é\u{200b}";
    let app: Router = Router::new()
        .without_v07_checks()
        .route(odd, get(ok))
        .route("/:literal/*star", get(ok));
    let odd = format!("GET {odd}");
    assert_eq!(listed(&app), ["GET /:literal/*star", odd.as_str()]);
    check(
        &app,
        Method::GET,
        "/:literal/*star",
        Some("/:literal/*star"),
        200,
    )
    .await;
}

#[tokio::test]
async fn an_empty_router_has_no_routes() {
    let app: Router = Router::new();
    assert_eq!(listed(&app), [""; 0]);
    check(&app, Method::GET, "/", None, 404).await;
    assert_eq!(listed(&Router::<App>::default()), [""; 0]);
}
