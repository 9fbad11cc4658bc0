//! The grammar against golden output of the axum that is locked, and against what is no router.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{MethodFilter, MethodRouter, any, any_service, get, get_service, on, post};
use tower::layer::util::Identity;

use super::super::shape::{Read, UnknownShape, read};
use super::super::{Methods, RouteTable};
use crate::record::Verb;

/// The axum whose output the golden files hold.
const GOLDEN_AXUM: &str = "0.8.9";

/// Something that prints itself as told, in pieces of `piece` characters.
struct Printed<'a> {
    text: &'a str,
    piece: usize,
}

impl fmt::Debug for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chars: Vec<_> = self.text.chars().collect();
        for piece in chars.chunks(self.piece) {
            f.write_str(&piece.iter().collect::<String>())?;
        }
        Ok(())
    }
}

fn read_text(text: &str) -> Result<Read, UnknownShape> {
    read(&Printed {
        text,
        piece: usize::MAX,
    })
}

fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(format!("axum-{GOLDEN_AXUM}-{name}.txt"))
}

fn golden_text(name: &str) -> String {
    std::fs::read_to_string(golden(name)).expect("the golden file is there")
}

async fn handler(State(_): State<Arc<str>>) {}

async fn plain() {}

fn service() -> MethodRouter {
    get(plain)
}

/// Everything that axum prints differently, once.
fn everything() -> Router<Arc<str>> {
    let inner = Router::new()
        .route("/", get(handler))
        .nest_service("/files", service())
        .fallback(plain);
    Router::new()
        .route("/", get(handler).head(handler).post(handler))
        .route(
            "/{id}",
            on(MethodFilter::PUT.or(MethodFilter::PATCH), handler),
        )
        .route("/{id}/{*rest}", post(handler).fallback(plain))
        .route(
            "/odd \"quotes\" {{braces}} \\ ü \u{301} \n, }}",
            get(handler),
        )
        .route("/any", any(handler).delete(handler))
        .route("/any-service", any_service(service()))
        .route("/none", MethodRouter::new())
        .route("/rest", MethodRouter::new().fallback(handler))
        .route(
            "/trace",
            on(MethodFilter::TRACE.or(MethodFilter::CONNECT), handler),
        )
        .route("/service", get_service(service()).options(handler))
        .route("/layered", get(handler).layer(Identity::new()))
        .route_service("/route-service", service())
        .nest("/nest/{name}", inner)
        .fallback_service(service())
}

/// The lines of a router's output in an order that does not depend on hashes.
fn normalized(printed: &str) -> Vec<String> {
    let broken = printed
        .replace("RouteId(", "\nRouteId(")
        .replace("}, node: ", "\n}, node: ")
        .replace("} }", "\n} }");
    let mut lines: Vec<String> = Vec::new();
    let mut entries: Vec<String> = Vec::new();
    for line in broken.lines().filter(|it| !it.trim().is_empty()) {
        if let Some((_, entry)) = line
            .split_once("): ")
            .filter(|it| it.0.starts_with("RouteId("))
        {
            entries.push(entry.trim_end_matches([',', ' ']).to_owned());
        } else {
            entries.sort_unstable();
            lines.append(&mut entries);
            lines.push(line.trim().to_owned());
        }
    }
    lines.append(&mut entries);
    lines
}

fn check_golden<S>(name: &str, router: &Router<S>) {
    let mut printed = String::new();
    write!(printed, "{router:?}").expect("a router prints itself");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let lines = printed.replace("RouteId(", "\nRouteId(") + "\n";
        std::fs::write(golden(name), lines).expect("the golden file can be written");
    }
    let expected = golden_text(name);
    assert_eq!(
        normalized(&printed),
        normalized(&expected),
        "{name}: see UPDATE_GOLDEN"
    );
    let ours = read(router).expect("a router of this axum");
    assert_eq!(ours, read_text(&expected).expect("a router of that axum"));
}

#[test]
fn routers_print_themselves_as_the_golden_files_say() {
    check_golden("empty", &Router::<()>::new());
    check_golden("missing-state", &everything());
    check_golden("with-state", &everything().with_state::<()>("state".into()));
    check_golden("layered", &everything().layer(Identity::new()));
}

#[test]
fn the_golden_files_are_of_the_locked_axum() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let lock = std::fs::read_to_string(lock).expect("the workspace has a lock file");
    let mut lines = lock.lines();
    let mut versions = Vec::new();
    while lines.by_ref().any(|it| it == "name = \"axum\"") {
        versions.extend(lines.next());
    }
    let golden = format!("version = \"{GOLDEN_AXUM}\"");
    assert_eq!(
        versions,
        [golden],
        "run the golden tests with UPDATE_GOLDEN=1 and look at them"
    );
}

#[test]
fn the_golden_output_is_read_whole() {
    let read = read_text(&golden_text("missing-state")).expect("a router");
    let patterns = read.patterns.iter().map(|it| {
        let methods = it.methods.map_or("service".to_owned(), |it| it.to_string());
        format!("{methods} {}", it.path)
    });
    let patterns: Vec<_> = patterns.collect();
    assert_eq!(
        patterns,
        [
            "GET,HEAD,POST /",
            "DELETE,ANY /any",
            "ANY /any-service",
            "GET /layered",
            "GET /nest/{name}",
            "service /nest/{name}/files",
            "service /nest/{name}/files/",
            "service /nest/{name}/files/{*__private__axum_nest_tail_param}",
            "- /none",
            "GET /odd \"quotes\" {{braces}} \\ ü \u{301} \n, }}",
            "ANY /rest",
            "service /route-service",
            "GET,OPTIONS /service",
            "CONNECT,TRACE /trace",
            "PUT,PATCH /{id}",
            "POST /{id}/{*rest}",
        ]
    );
    let fallbacks: Vec<_> = read.fallbacks.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(
        fallbacks,
        [
            "/",
            "/nest/{name}",
            "/nest/{name}/{*__private__axum_fallback}",
            "/{*__private__axum_fallback}",
        ]
    );
    assert!(!read.is_default_fallback);
}

#[test]
fn output_may_come_in_any_pieces() {
    for name in ["missing-state", "with-state", "empty"] {
        let text = golden_text(name);
        let whole = read_text(&text).expect("a router");
        for piece in [1, 2, 3, 7, 64] {
            let text = text.as_str();
            assert_eq!(read(&Printed { text, piece }).expect("a router"), whole);
        }
    }
}

#[test]
fn output_that_ends_early_is_refused_wherever_it_ends() {
    let text = golden_text("missing-state");
    let text = text.trim_end();
    for (end, _) in text.char_indices() {
        read_text(&text[..end]).expect_err("half a router");
    }
    read_text(&format!("{text} ,")).expect_err("more than a router");
}

#[test]
fn output_with_a_word_changed_is_refused_or_read_and_never_panics() {
    let text = golden_text("with-state");
    for (at, old) in text.char_indices() {
        for new in ['}', '"', '9'] {
            let (head, tail) = text.split_at(at);
            let changed = format!("{head}{new}{}", &tail[old.len_utf8()..]);
            if let Ok(read) = read_text(&changed) {
                // Only a text or a number can change without a trace.
                assert_eq!(read.patterns.len(), 16, "{changed}");
                assert_eq!(read.fallbacks.len(), 4, "{changed}");
            }
        }
    }
}

#[test]
fn what_is_no_router_says_what_was_expected_and_what_was_found() {
    let unknown = |text: &str| read_text(text).expect_err("no router").to_string();
    assert_eq!(
        unknown("Router { paths: [] }"),
        "expected `path_router` at byte 14 of the router's debug output, found `paths`"
    );
    assert_eq!(
        unknown("Router { path_router: PathRouter { routes: [Route("),
        "expected `{` at byte 43 of the router's debug output, found `[`"
    );
    assert_eq!(
        unknown("Router { path_router: PathRouter { routes: {RouteId(x)"),
        "expected a number at byte 53 of the router's debug output, found `x`"
    );
    assert_eq!(
        unknown("Router { path_router: PathRouter { routes: {RouteId(1): Boxed("),
        "expected `MethodRouter` or `Route` at byte 61 of the router's debug output, found `Boxed`"
    );
    assert_eq!(
        unknown(""),
        "expected the rest of a router at byte 0 of the router's debug output, found the end"
    );
}

#[test]
fn a_route_without_a_path_or_a_path_without_a_route_is_refused() {
    let text = |routes: &str, paths: &str| {
        format!(
            "Router {{ path_router: PathRouter {{ routes: {{{routes}}}, node: Node {{ paths: \
             {{{paths}}} }} }}, fallback_router: PathRouter {{ routes: {{}}, node: Node {{ paths: \
             {{}} }} }}, default_fallback: true, catch_all_fallback: Default(Route) }}"
        )
    };
    let one = "RouteId(1): Route(Route)";
    let path = "RouteId(1): \"/\"";
    assert_eq!(
        read_text(&text(one, path))
            .expect("a router")
            .patterns
            .len(),
        1
    );
    let unknown = read_text(&text(one, "")).expect_err("no path");
    assert_eq!(unknown.expected, "a path for RouteId(1)");
    let unknown = read_text(&text("", path)).expect_err("no route");
    assert_eq!(unknown.expected, "a route for RouteId(1), \"/\"");
    let unknown = read_text(&text("RouteId(4294967296): Route(Route)", "")).expect_err("no id");
    assert_eq!(unknown.expected, "a number");
}

#[test]
fn a_text_or_a_word_beyond_its_limit_is_refused() {
    let head = "Router { path_router: PathRouter { routes: {}, node: Node { paths: {RouteId(1): \"";
    let text = format!("{head}{}", "x".repeat(65_536));
    assert_eq!(
        read_text(&text).expect_err("too long").expected,
        "a shorter text"
    );
    let word = "x".repeat(129);
    assert_eq!(
        read_text(&word).expect_err("too long").expected,
        "a shorter word"
    );
}

#[test]
fn routes_beyond_the_limit_are_refused() {
    let mut text = String::from("Router { path_router: PathRouter { routes: {");
    for id in 0..=65_536 {
        let _ = write!(text, "RouteId({id}): Route(Route), ");
    }
    let unknown = read_text(&text).expect_err("too many");
    assert_eq!(unknown.expected, "at most 65536 routes");
}

#[test]
fn reading_stops_the_printing_at_the_first_wrong_token() {
    struct Endless;
    impl fmt::Debug for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("Router ( ")?;
            }
        }
    }
    let unknown = read(&Endless).expect_err("no router");
    assert_eq!((unknown.expected.as_str(), unknown.at), ("`{`", 7));
}

#[test]
fn get_answers_head_and_any_answers_all() {
    let router: Router = Router::new()
        .route("/get", get(plain))
        .route("/post", post(plain))
        .route("/any", any(plain));
    let table = RouteTable::of(&router).expect("a router");
    let methods: Vec<_> = table.routes().iter().map(|it| it.methods).collect();
    let [any, get, post] = methods[..] else {
        panic!("three routes")
    };
    assert!(get.answers(Verb::Head) && !get.contains(Verb::Head));
    assert!(!post.answers(Verb::Head) && !post.answers(Verb::Other));
    assert!(any.answers(Verb::Other) && any == Methods::ANY);
    assert_eq!(
        table.names().collect::<Vec<_>>(),
        ["GET /get", "POST /post"]
    );
}
