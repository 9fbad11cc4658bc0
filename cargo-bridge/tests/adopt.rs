//! `adopt`: small applications in temporary folders, proposals for them, and one that is built, run
//! and audited for real.

use serde_json::Value;

use crate::support::{Package, Said};

pub(crate) const MANIFEST: &str = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace.dependencies]\nbridge = \"0.1\"\n\n\
     [dependencies]\naxum = \"0.8\"\n# the runtime\ntokio = \"1\"\n";

const MAIN: &str = r#"mod api;
mod taken;

use axum::routing::{any, get, on, MethodFilter, MethodRouter};
use axum::{Router, routing};

const HEALTH: &str = "/health";

/// Says that it is there.
#[tracing::instrument]
async fn health() -> &'static str { "ok" }

async fn both() {}
async fn everything() {}
async fn filtered() {}
async fn made() {}
async fn generic<T: Send + 'static>() {}
#[cfg(unix)]
async fn sometimes() {}
async fn two_places() {}
async fn deep() {}
async fn elsewhere() {}
async fn either() {}
#[utoipa::path(get, path = "/documented", responses((status = 200)))]
async fn documented() {}
struct Service;
impl Service {
    async fn method() {}
}

fn methods() -> MethodRouter {
    MethodRouter::new().get(made).post(both)
}

fn below(prefix: &str, router: Router) -> Router {
    Router::new().nest(prefix, router)
}

fn with_documents() -> (Router, Document) {
    OpenApiRouter::new().routes(routes!(documented)).split_for_parts()
}

fn app(prefix: String) -> Router {
    async fn inner() {}

    let (described, _) = with_documents();
    let v1 = Router::new()
        .merge(api::router())
        .route("/sometimes", routing::get(sometimes));
    let mut app = Router::new()
        .route(HEALTH, get(health))
        .route("/made", methods())
        .route("/any", any(everything))
        .route("/filtered", on(MethodFilter::PUT, filtered))
        .route("/closure", get(|| async { "hello" }))
        .route("/method", get(Service::method))
        .route("/generic", get(generic::<u64>))
        .route("/macro", get(made_by_macro))
        .route("/taken", get(taken::taken))
        .route("/inner", get(inner))
        .nest("/v1", v1)
        .merge(below("/deep", Router::new().route("/er", get(deep))))
        .merge(described)
        .route(&std::env::var("SHOP_PATH").unwrap(), get(elsewhere))
        .nest(if v2 { "/v2" } else { "/v3" }, Router::new().route("/either", get(either)))
        .layer(axum::middleware::from_fn(pass));
    if prefix.is_empty() {
        app = app.route("/a", get(two_places)).route("/b", get(two_places));
    }
    app
}

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = app(String::new());
    axum::serve(listener, app.into_make_service()).await.unwrap();
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn it_serves() {
        axum::serve(listener(), super::app(String::new())).await.unwrap();
    }
}
"#;

const API: &str = "use axum::{Router, routing as r};

pub mod open;
mod closed {
    use axum::{Router, routing::get as read};

    pub fn router() -> Router {
        Router::new().route(\"/\", read(list))
    }

    /// Lists them.
    async fn list() {}
}

pub fn router() -> Router {
    Router::new().nest(\"/closed\", closed::router()).route(\"/open\", r::post(open::open))
}
";

pub(crate) fn shop() -> Package {
    Package::with(&[
        ("Cargo.toml", MANIFEST),
        ("src/main.rs", MAIN),
        ("src/api/mod.rs", API),
        ("src/api/open.rs", "pub async fn open() {}\r\n"),
        (
            "src/taken.rs",
            "pub mod taken {}\n\npub async fn taken() {}\n",
        ),
    ])
}

pub(crate) fn adopt(package: &Package, words: &[&str]) -> Said {
    let words: Vec<&str> = ["adopt"].iter().chain(words).copied().collect();
    package.bridge_with(&words, &[])
}

pub(crate) fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.err))
}

pub(crate) fn left_alone(value: &Value, route: &str) -> String {
    let all = value["left_alone"].as_array().expect("a list");
    let found = all.iter().find(|it| it["route"] == route);
    let found = found.unwrap_or_else(|| panic!("{route} is not left alone: {value:#}"));
    found["reason"].as_str().expect("a reason").to_owned()
}

#[test]
fn handlers_are_found_wherever_they_are_mounted_from_and_the_rest_is_told_with_reasons() {
    let package = shop();
    let said = adopt(&package, &["--no-verify", "-o", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let value = json(&said);
    let declared = value["declared"].as_array().expect("a list");
    let mut declared: Vec<String> = declared
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().expect("a text").to_owned();
            format!("{} {} {}", text("method"), text("path"), text("operation"))
        })
        .collect();
    declared.sort();
    assert_eq!(
        declared,
        [
            "GET /a two_places",
            "GET /deep/er deep",
            "GET /documented documented",
            "GET /generic generic",
            "GET /health health",
            "GET /made made",
            "GET /v1/closed list",
            "POST /made both",
            "POST /v1/open open",
            "PUT /filtered filtered",
        ]
    );
    for (route, reason) in [
        ("ANY /any", "answers every method"),
        ("GET /closure", "a closure"),
        ("GET /method", "a method"),
        ("GET …", "its path is made while the program runs"),
        ("GET …/either", "where it is mounted is not known"),
        ("GET /inner", "a function inside of a function"),
        ("GET /macro", "not found in the source"),
        ("GET /v1/sometimes", "`#[cfg]`"),
        ("GET /taken", "a module is called `taken` too"),
    ] {
        let found = left_alone(&value, route);
        assert!(found.contains(reason), "{route}: {found}");
    }
    assert_eq!(value["live"], false);
    assert_eq!(value["compiles"], false);
}

#[test]
fn what_was_adopted_before_is_kept_and_what_is_new_is_added_to_its_lists() {
    let package = shop();
    assert_eq!(adopt(&package, &["--no-verify", "--write"]).code, 0);
    let before = package.text("src/main.rs");
    let more = before
        .replace(
            "async fn both() {}",
            "async fn both() {}\nasync fn fresh() {}",
        )
        .replace(
            ".route(\"/made\"",
            ".route(\"/fresh\", get(fresh)).route(\"/made\"",
        );
    package.put("src/main.rs", &more);
    let said = adopt(&package, &["--no-verify", "--write"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let expected = more
        .replace(
            "async fn fresh()",
            "#[bridge::rpc(get, \"/fresh\")]\nasync fn fresh()",
        )
        .replace("    ]\n    .and(", "        fresh,\n    ]\n    .and(");
    assert_eq!(package.text("src/main.rs"), expected);
    assert!(
        said.err.contains("1 handlers annotated, 10 before"),
        "{}",
        said.err
    );
}

#[test]
fn the_router_is_found_inside_of_what_is_served() {
    let head = "use axum::{Router, routing::get, serve};\nasync fn hello() {}\nfn main() {\n    let app = \
                Router::new().route(\"/\", get(hello));\n";
    for (served, patched) in [
        (
            "serve(l, app);",
            "serve(l, bridge::declare(app, &bridge_handlers()));",
        ),
        (
            "let app = NormalizePathLayer::trim().layer(app);\nserve(l, ServiceExt::<Request>::into_make_service(app));",
            ".layer(bridge::declare(app, &bridge_handlers()));",
        ),
        (
            "let made = ServiceBuilder::new().layer(x).service(app).map_request(y);\nlet made = made.into_make_service();\naxum_server::bind(a).serve(made);",
            ".service(bridge::declare(app, &bridge_handlers())).map_request(y);",
        ),
        (
            "tokio::select! {\n        done = serve(l, app).into_future() => drop(done),\n        _ = signal() => {}\n    }",
            "done = serve(l, bridge::declare(app, &bridge_handlers())).into_future() => drop(done),",
        ),
        (
            "let app = bridge::observe(app);\nown_loop(app);",
            "let app = bridge::declare(app, &bridge_handlers());\nown_loop(app);",
        ),
        (
            "let none = bridge::handlers![];\nserve(l, bridge::declare(app, &none));",
            "let none = bridge::handlers![hello];\nserve(l, bridge::declare(app, &none));",
        ),
        (
            "let other = Router::new().route(\"/metrics\", get(|| async {}));\nserve(m, other);\ntokio::join!(serve(l, app));",
            "serve(m, other);\ntokio::join!(serve(l, bridge::declare(app, &bridge_handlers())));",
        ),
    ] {
        let main = format!("{head}{served}\n}}\n");
        let package = Package::with(&[("Cargo.toml", MANIFEST), ("src/main.rs", &main)]);
        let said = adopt(&package, &["--no-verify", "--write"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let text = package.text("src/main.rs");
        assert!(text.contains(patched), "{text}");
        assert!(
            text.contains("#[bridge::rpc(get, \"/\")]\nasync fn hello"),
            "{text}"
        );
    }
}

#[test]
fn handlers_of_other_packages_are_listed_where_they_can_be_named() {
    let package = Package::with(&[
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"api\", \"server\", \"deep\"]\n",
        ),
        (
            "deep/Cargo.toml",
            "[package]\nname = \"deep\"\nversion = \"1.0.0\"\nedition = \"2024\"\n",
        ),
        (
            "deep/src/lib.rs",
            "pub fn router() -> axum::Router { axum::Router::new().route(\"/deep\", axum::routing::get(deep)) }\npub async fn deep() {}\n",
        ),
        (
            "api/Cargo.toml",
            "[package]\nname = \"shop-api\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[dependencies]\naxum = \"0.8\"\ndeep = { path = \"../deep\" }\n",
        ),
        (
            "api/src/lib.rs",
            "use axum::{Router, routing::get};\nmod orders;\npub async fn open() {}\npub fn router() -> Router {\n    Router::new().route(\"/open\", get(open)).merge(orders::router()).merge(deep::router())\n}\n",
        ),
        (
            "api/src/orders.rs",
            "use axum::{Router, routing::get};\npub(crate) fn router() -> Router { Router::new().route(\"/orders\", get(list)) }\nasync fn list() {}\n",
        ),
        (
            "server/Cargo.toml",
            "[package]\nname = \"server\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[dependencies]\naxum = \"0.8\"\nbridge = { path = \"../bridge\", features = [\"openapi\"] }\nshop-api = { path = \"../api\" }\n",
        ),
        (
            "server/src/main.rs",
            "fn main() {\n    axum::serve(listener, axum::Router::new().nest(\"/v1\", shop_api::router()));\n}\n",
        ),
        (
            "bridge/Cargo.toml",
            "[package]\nname = \"bridge\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[features]\nopenapi = []\n",
        ),
        ("bridge/src/lib.rs", ""),
    ]);
    let said = adopt(
        &package,
        &[
            "--no-verify",
            "--write",
            "--bridge-path",
            "bridge",
            "-o",
            "json",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let left = left_alone(&json(&said), "GET /v1/deep");
    assert!(
        left.contains("on which `server`, which serves it, does not depend"),
        "{left}"
    );
    for (file, expected) in [
        (
            "server/src/main.rs",
            "bridge::handlers![shop_api::open]\n        .and(shop_api::bridge_handlers())",
        ),
        (
            "api/src/lib.rs",
            "pub fn bridge_handlers() -> bridge::Handlers {\n    bridge::handlers![].and(orders::bridge_handlers())",
        ),
        (
            "api/src/orders.rs",
            "pub(crate) fn bridge_handlers() -> bridge::Handlers {\n    bridge::handlers![list]",
        ),
        (
            "api/src/orders.rs",
            "#[bridge::rpc(get, \"/v1/orders\")]\nasync fn list() {}",
        ),
        (
            "api/Cargo.toml",
            "bridge = { path = \"../bridge\", default-features = false }\n",
        ),
        (
            "server/Cargo.toml",
            "bridge = { path = \"../bridge\", features = [\"openapi\"] }\n",
        ),
    ] {
        let text = package.text(file);
        assert!(text.contains(expected), "{file}: {text}");
    }
    assert!(!package.text("deep/Cargo.toml").contains("bridge"));
}

#[test]
fn a_place_that_cannot_be_told_is_said_and_not_guessed() {
    let own_loop = "fn main() { let app = axum::Router::<()>::new(); drop(app); }\n";
    let package = Package::with(&[("Cargo.toml", MANIFEST), ("src/main.rs", own_loop)]);
    let said = adopt(&package, &["--no-verify"]);
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .contains("adopt knows `axum::serve(listener, app)`"),
        "{}",
        said.err
    );

    let two = "[package]\nname = \"two\"\n[workspace]\n[[bin]]\nname = \"a\"\npath = \"src/a.rs\"\n\
               [[bin]]\nname = \"b\"\npath = \"src/b.rs\"\n";
    let package = Package::with(&[
        ("Cargo.toml", two),
        ("src/a.rs", own_loop),
        ("src/b.rs", own_loop),
    ]);
    let said = adopt(&package, &["--no-verify"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("say which with --bin: a, b"),
        "{}",
        said.err
    );

    let package = shop();
    package.put(
        "Cargo.lock",
        "[[package]]\nname = \"axum\"\nversion = \"0.7.9\"\n",
    );
    let said = adopt(&package, &["--no-verify"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("has axum 0.7.9"), "{}", said.err);
}
