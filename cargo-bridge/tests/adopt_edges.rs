//! `adopt` where the source is unlike most: members elsewhere, handlers that end alike or are called
//! alike, conditions and paths that are said inside of files.

use serde_json::Value;

use crate::adopt::adopt;
use crate::support::{Package, Said};

const MANIFEST: &str = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\
                        [workspace.dependencies]\nbridge = \"0.1\"\n\n[dependencies]\naxum = \"0.8\"\n";

/// A program that serves `routes`, with `items` before it.
fn main_with(items: &str, routes: &str) -> String {
    format!(
        "use axum::{{Router, routing::get}};\n{items}\nfn main() {{\n    axum::serve(l, \
         Router::new(){routes});\n}}\n"
    )
}

fn json(said: &Said) -> Value {
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.err))
}

/// `GET /path name` of everything that is declared.
fn declared(value: &Value) -> Vec<String> {
    let all = value["declared"].as_array().expect("a list").iter();
    let text = |it: &Value, key: &str| it[key].as_str().expect("a text").to_owned();
    let all = all.map(|it| {
        let [method, path, name] = ["method", "path", "operation"].map(|key| text(it, key));
        format!("{method} {path} {name}")
    });
    let mut all: Vec<String> = all.collect();
    all.sort();
    all
}

/// Places and reasons of a route that is left alone.
fn left_alone(value: &Value, route: &str) -> Vec<(String, String)> {
    let all = value["left_alone"].as_array().expect("a list").iter();
    let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let found = all.filter(|it| it["route"] == route);
    found
        .map(|it| (text(it, "at"), text(it, "reason")))
        .collect()
}

fn described(routes: &[&str]) -> String {
    let routes: Vec<String> = routes
        .iter()
        .map(|it| format!("{{ \"path\": {it:?}, \"methods\": [\"GET\"] }}"))
        .collect();
    format!(
        "{{ \"describe\": 1, \"map\": {{ \"routes\": [{}] }} }}",
        routes.join(", ")
    )
}

/// What is proposed for a program of which `routes` are mounted.
fn proposed(main: &str, modules: &[(&str, &str)], routes: &[&str]) -> Value {
    let description = described(routes);
    let files = [
        ("Cargo.toml", MANIFEST),
        ("src/main.rs", main),
        ("description.json", &description),
    ];
    let package = Package::with(&[&files, modules].concat());
    let words = [
        "--no-verify",
        "--description",
        "description.json",
        "-o",
        "json",
    ];
    json(&adopt(&package, &words))
}

#[cfg(unix)]
#[test]
fn members_behind_links_and_outside_of_the_workspace_are_left_as_they_are() {
    let member = |name: &str, more: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n{more}[dependencies]\n\
             axum = \"0.8\"\n"
        )
    };
    let router = |path: &str| {
        format!(
            "pub fn router() -> axum::Router {{ axum::Router::new().route(\"{path}\", \
             axum::routing::get(list)) }}\npub async fn list() {{}}\n"
        )
    };
    let main = main_with(
        "async fn own() {}",
        ".route(\"/own\", get(own)).merge(api::router()).merge(outer::router())",
    );
    let server = member("server", "")
        + "api = { path = \"../crates/api\" }\nouter = { path = \"../../outer\" }\n";
    let package = Package::with(&[
        (
            "ws/Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"server\", \"crates/*\", \"../outer\"]\n",
        ),
        ("ws/server/Cargo.toml", &server),
        ("ws/server/src/main.rs", &main),
        ("real/Cargo.toml", &member("api", "")),
        ("real/src/lib.rs", &router("/api")),
        (
            "outer/Cargo.toml",
            &member("outer", "workspace = \"../ws\"\n"),
        ),
        ("outer/src/lib.rs", &router("/outer")),
        ("ws/crates/.keep", ""),
        // Cargo refuses it, so that the build ends at once, after the copy was written.
        ("bridge/Cargo.toml", ""),
        ("description.json", &described(&["/own", "/api", "/outer"])),
    ]);
    let link = package.root().join("ws/crates/api");
    std::os::unix::fs::symlink("../../real", link).expect("a link");
    let words = [
        "--manifest-path",
        "ws/Cargo.toml",
        "--bridge-path",
        "bridge",
    ];
    let built = [&words[..], &["--description", "description.json"]].concat();
    let said = adopt(&package, &built);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("of the copy failed"), "{}", said.err);

    let written = [&words[..], &["--no-verify", "--write", "-o", "json"]].concat();
    let value = json(&adopt(&package, &written));
    assert_eq!(declared(&value), ["GET /own own"]);
    for (route, at) in [
        ("GET /api", "crates/api/src/lib.rs:2"),
        ("GET /outer", "outer/src/lib.rs:2"),
    ] {
        let left = left_alone(&value, route);
        assert_eq!(left.len(), 1, "{value:#}");
        assert!(left[0].0.ends_with(at), "{left:?}");
        assert!(left[0].1.contains("or behind a link"), "{left:?}");
    }
    for (file, text) in [
        ("real/Cargo.toml", member("api", "")),
        ("real/src/lib.rs", router("/api")),
        (
            "outer/Cargo.toml",
            member("outer", "workspace = \"../ws\"\n"),
        ),
        ("outer/src/lib.rs", router("/outer")),
    ] {
        assert_eq!(package.text(file), text);
    }
    let served = package.text("ws/server/src/main.rs");
    assert!(served.contains("bridge::handlers![own]"), "{served}");

    // What was done there by hand counts.
    package.put("bridge/Cargo.toml", &member("bridge", "[workspace]\n"));
    package.put("bridge/src/lib.rs", "");
    let by_hand = router("/api").replace("pub async", "#[bridge::rpc(get, \"/api\")]\npub async");
    package.put("real/src/lib.rs", &by_hand);
    let served = served.replace("handlers![own]", "handlers![own, api::list]");
    package.put("ws/server/src/main.rs", &served);
    let again = [&words[..], &["--no-verify", "-o", "json"]].concat();
    let value = json(&adopt(&package, &again));
    assert_eq!(declared(&value), ["GET /api list", "GET /own own"]);

    let words = ["--manifest-path", "elsewhere/Cargo.toml", "--no-verify"];
    package.put(
        "elsewhere/Cargo.toml",
        "[workspace]\nmembers = [\"../alone\"]\n",
    );
    package.put(
        "alone/Cargo.toml",
        &member("alone", "workspace = \"../elsewhere\"\n"),
    );
    package.put(
        "alone/src/main.rs",
        &main_with("async fn own() {}", ".route(\"/\", get(own))"),
    );
    let said = adopt(&package, &words);
    assert_eq!(said.code, 1);
    let text =
        "alone/src/main.rs:4: serves the application, and is outside of the workspace's folder";
    assert!(said.err.contains(text), "{}", said.err);
}

#[test]
fn handlers_whose_paths_end_alike_are_left_alone_where_only_one_is_mounted() {
    let module = "use axum::{Router, routing::get};\npub fn router() -> Router { \
                  Router::new().route(\"/list\", get(list)).route(\"/one\", get(list)) }\n\
                  pub async fn list() {}\n";
    let main = main_with(
        "mod a;\nmod b;\nasync fn list() {}",
        ".nest(&prefix(1), a::router()).nest(&prefix(2), b::router())",
    );
    let other = module.replace(".route(\"/one\", get(list))", "");
    let modules = [("src/a.rs", module), ("src/b.rs", &other)];
    let value = proposed(&main, &modules, &["/x/list", "/x/one"]);
    assert_eq!(declared(&value), ["GET /x/one list"]);
    let left = left_alone(&value, "GET /x/list");
    let places: Vec<&str> = left.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(places, ["src/a.rs:2", "src/b.rs:2"]);
    assert!(left[0].1.contains("as may another"), "{left:?}");
}

#[test]
fn what_is_served_comes_before_pieces_that_end_with_more_of_a_path() {
    let items = "async fn served() {}\nasync fn piece() {}\n\
                 fn unused() -> Router { Router::new().route(\"/x/list\", get(piece)) }";
    let main = main_with(
        items,
        ".nest(&prefix(), Router::new().route(\"/list\", get(served)))",
    );
    let value = proposed(&main, &[], &["/x/list"]);
    assert_eq!(declared(&value), ["GET /x/list served"]);
    let left = left_alone(&value, "GET …/x/list");
    assert!(left[0].1.contains("does not mount it"), "{value:#}");
}

#[test]
fn operations_of_handlers_that_are_called_alike_say_their_modules() {
    let router = |path: &str, attribute: &str| {
        format!(
            "use axum::{{Router, routing::get}};\npub fn router() -> Router {{ \
             Router::new().route(\"{path}\", get(list)) }}\n{attribute}pub async fn list() {{}}\n"
        )
    };
    let main = main_with(
        "mod orders;\nmod users;\nmod old;\nasync fn users_list() {}\nasync fn alone() {}",
        ".merge(orders::router()).merge(users::router()).merge(old::router())\
         .route(\"/taken\", get(users_list)).route(\"/alone\", get(alone))",
    );
    let package = Package::with(&[
        ("Cargo.toml", MANIFEST),
        ("src/main.rs", &main),
        ("src/orders.rs", &router("/orders", "")),
        ("src/users.rs", &router("/users", "")),
        (
            "src/old.rs",
            &router("/old", "#[bridge::rpc(get, \"/old\", name = \"alone\")]\n"),
        ),
    ]);
    let value = json(&adopt(&package, &["--no-verify", "--write", "-o", "json"]));
    let expected = [
        "GET /alone shop_alone",
        "GET /old alone",
        "GET /orders orders_list",
        "GET /taken users_list",
        "GET /users shop_users_list",
    ];
    assert_eq!(declared(&value), expected);
    for (file, line) in [
        (
            "src/orders.rs",
            "#[bridge::rpc(get, \"/orders\", name = \"orders_list\")]\n",
        ),
        (
            "src/users.rs",
            "#[bridge::rpc(get, \"/users\", name = \"shop_users_list\")]\n",
        ),
        ("src/main.rs", "#[bridge::rpc(get, \"/taken\")]\n"),
        (
            "src/main.rs",
            "#[bridge::rpc(get, \"/alone\", name = \"shop_alone\")]\n",
        ),
    ] {
        assert!(
            package.text(file).contains(line),
            "{file}: {}",
            package.text(file)
        );
    }
    let again = json(&adopt(&package, &["--no-verify", "-o", "json"]));
    assert_eq!(again["patch"], "");
    assert_eq!(declared(&again), expected);
}

#[test]
fn conditions_and_attributes_inside_of_files_and_bodies_count() {
    let admin = "#![cfg(feature = \"admin\")]\nuse axum::{Router, routing::get};\n\
                 pub fn router() -> Router { Router::new().route(\"/admin\", get(admin)) }\n\
                 pub async fn admin() {}\n";
    let tests = "#![cfg(test)]\nuse axum::{Router, routing::get};\nasync fn a() {}\nasync fn b() {}\n\
                 fn served() { axum::serve(l, Router::new().route(\"/a\", get(a)).route(\"/b\", get(b))); }\n";
    let body = "/// Is quiet.\n#[must_use]\nasync fn quiet() {\n    #![allow(unused)]\n}\n\
                async fn inner() {\n    //! Says more.\n    #![allow(unused)]\n}";
    let main = main_with(
        &format!("mod admin;\nmod tests;\n{body}"),
        ".merge(admin::router()).route(\"/quiet\", get(quiet)).route(\"/inner\", get(inner))",
    );
    let package = Package::with(&[
        ("Cargo.toml", MANIFEST),
        ("src/main.rs", &main),
        ("src/admin.rs", admin),
        ("src/tests.rs", tests),
    ]);
    let value = json(&adopt(&package, &["--no-verify", "--write", "-o", "json"]));
    assert_eq!(declared(&value), ["GET /inner inner", "GET /quiet quiet"]);
    let left = left_alone(&value, "GET /admin");
    assert!(left[0].1.contains("`#[cfg]`"), "{left:?}");
    let text = package.text("src/main.rs");
    for expected in [
        "/// Is quiet.\n#[bridge::rpc(get, \"/quiet\")]\n#[must_use]\nasync fn quiet() {\n    #![allow",
        "#[bridge::rpc(get, \"/inner\")]\nasync fn inner() {\n    //! Says more.\n    #![allow",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(package.text("src/tests.rs"), tests);
}

#[test]
fn said_paths_of_modules_start_where_the_compiler_starts_them() {
    let handler = |name: &str| format!("pub async fn {name}() {{}}\n");
    let main = main_with(
        "mod a;",
        ".route(\"/b\", get(a::b::b)).route(\"/c\", get(a::inner::c::c)).route(\"/d\", get(a::said::d::d))",
    );
    let package = Package::with(&[
        ("Cargo.toml", MANIFEST),
        ("src/main.rs", &main),
        (
            "src/a.rs",
            "#[path = \"b.rs\"]\npub mod b;\npub mod inner { #[path = \"other.rs\"] pub mod c; }\n\
             #[path = \"said\"] pub mod said { pub mod d; }\n",
        ),
        ("src/b.rs", &handler("b")),
        ("src/a/b.rs", &handler("wrong")),
        ("src/a/inner/other.rs", &handler("c")),
        ("src/said/d.rs", &handler("d")),
    ]);
    let value = json(&adopt(&package, &["--no-verify", "-o", "json"]));
    assert_eq!(declared(&value), ["GET /b b", "GET /c c", "GET /d d"]);
}

/// Paths at types, routers of values of traits, and what no source shows.
const PARTS: &str = r#"
use axum_extra::routing::{RouterExt, TypedPath};
trait Part {
    fn router(&self) -> Router;
    fn health(&self) -> Router { Router::new().route("/health", get(health)) }
}
struct Orders;
impl Part for Orders {
    fn router(&self) -> Router { Router::new().route("/orders", get(orders)) }
}
#[derive(TypedPath, serde::Deserialize)]
#[typed_path("/users/{id}", rejection(Refused))]
struct User { id: u64 }
mod other {
    #[derive(axum_extra::routing::TypedPath)]
    #[typed_path("/typed")]
    pub struct Typed;
}
async fn health() {}
async fn orders() {}
async fn user(User { id }: User) {}
async fn typed(_: other::Typed) {}
async fn nowhere(_: elsewhere::Typed) {}
fn parts() -> Vec<Box<dyn Part>> { vec![Box::new(Orders)] }
"#;

#[test]
fn paths_at_types_and_routers_of_traits_are_found() {
    let main = main_with(
        PARTS,
        ".typed_get(user).typed_post(typed).typed_get(nowhere).merge(all(parts(), |it| it.health(), |it| it.router()))",
    );
    let value = proposed(
        &main,
        &[],
        &["/users/{id}", "/v1/orders", "/v1/health", "/elsewhere"],
    );
    assert_eq!(
        declared(&value),
        [
            "GET /users/{id} user",
            "GET /v1/health health",
            "GET /v1/orders orders"
        ]
    );
    let left = left_alone(&value, "POST …/typed");
    assert!(left[0].1.contains("does not mount it"), "{value:#}");
    let left = left_alone(&value, "GET /elsewhere");
    assert!(
        left[0].1.contains("at a type that is not found"),
        "{left:?}"
    );
    assert!(left[0].1.contains("`#[bridge::rpc]`"), "{left:?}");
    assert!(left[0].0.starts_with("src/main.rs:"), "{left:?}");
}

#[test]
fn routes_that_the_source_does_not_show_are_told_with_the_place_that_adds_them() {
    let main = main_with(
        "async fn own() {}",
        ".route(\"/own\", get(own))\n.nest(\"/v1\", made_elsewhere())\n.merge(made!())\n.nest(\"/v2\", it)",
    );
    let value = proposed(&main, &[], &["/own", "/v1/list", "/made"]);
    assert_eq!(declared(&value), ["GET /own own"]);
    for (route, at, more) in [
        ("GET /made", "src/main.rs:6", "a value of a trait"),
        (
            "GET /v1/list",
            "src/main.rs:5",
            "(here or at one of 1 places more)",
        ),
    ] {
        let left = left_alone(&value, route);
        assert_eq!(left[0].0, at, "{left:?}");
        assert!(left[0].1.contains(more), "{left:?}");
        assert!(left[0].1.contains("by hand"), "{left:?}");
    }
}
