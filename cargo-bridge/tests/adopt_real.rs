//! `adopt` on a program that it builds, runs and audits.

use std::path::Path;

use crate::adopt::{json, left_alone};
use crate::support::{Package, repository};

/// Nested at two places, refused by the annotation, hidden behind a function's parameter: what only
/// the running program and the compiler know.
const REAL: &str = r#"use axum::extract::Path;
use axum::{Router, routing::get};

async fn show(Path(id): Path<u64>) -> String {
    id.to_string()
}

async fn refused(Path((a, b)): Path<(u64, u64)>) -> String {
    format!("{a}{b}")
}

async fn list() {}

mod inner {
    pub(super) fn router() -> axum::Router {
        axum::Router::new().route("/deep", axum::routing::get(deep))
    }

    async fn deep() {}
}

fn below(prefix: &str, router: Router) -> Router {
    Router::new().nest(prefix, router)
}

async fn unmounted() {}

async fn last() {}

fn app() -> Router {
    let orders = Router::new().route("/", get(list)).route("/{id}", get(show));
    let never: Router = Router::new().route("/never", get(unmounted));
    drop(never);
    let folded = vec![("/folded", Router::new().route("/last", get(last)))];
    let folded = folded.into_iter().fold(Router::new(), |all, (prefix, it)| all.nest(prefix, it));
    below("/v1/orders", orders)
        .merge(folded)
        .nest("/internal", inner::router())
        .route("/pair/{a}", get(refused))
        .route("/closure", get(|| async {}))
}

fn main() {
    let said = ["SHOP_SAID", "CARGO_MANIFEST_DIR", "SHOP_BUILT"].map(|it| std::env::var(it).ok());
    let built = [Some("yes"), Some(env!("CARGO_MANIFEST_DIR")), Some(env!("SHOP_BUILT"))];
    assert_eq!(said, built.map(|it| it.map(str::to_owned)), "it is started as Cargo starts it");
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it is").block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("it is");
        axum::serve(listener, app().into_make_service()).await.expect("it serves");
    });
}
"#;

/// Another one at every build, so that the program is built again before each start.
const BUILD: &str = r#"fn main() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is later");
    println!("cargo::rustc-env=SHOP_BUILT={}", now.as_nanos());
    println!("cargo::rerun-if-changed=is-never-there");
}
"#;

#[test]
fn a_real_program_is_asked_patched_built_and_audited() {
    let root = repository()
        .canonicalize()
        .expect("the repository is there");
    let manifest = "[package]\nname = \"adopted\"\nedition = \"2024\"\n[workspace]\n[dependencies]\naxum = \
                    { version = \"0.8\", default-features = false, features = [\"tokio\", \"http1\"] }\n\
                    tokio = { version = \"1\", features = [\"net\", \"rt\"] }\n";
    let files = [
        ("Cargo.toml", manifest),
        ("build.rs", BUILD),
        (".cargo/config.toml", "[env]\nSHOP_SAID = \"yes\"\n"),
        ("src/main.rs", REAL),
    ];
    let package = Package::built("adopted", &files);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("the target folder");
    let environment = [
        ("CARGO_TARGET_DIR", target),
        ("CARGO_NET_OFFLINE", Path::new("true")),
    ];
    let path = root.join("bridge");
    let path = path.to_str().expect("a text");
    let run = |words: &[&str]| {
        let words: Vec<&str> = ["adopt", "--bridge-path", path]
            .iter()
            .chain(words)
            .copied()
            .collect();
        package.bridge_with(&words, &environment)
    };
    let said = run(&["--write", "--describe", "exit 3"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("`exit 3` failed"), "{}", said.err);
    assert!(
        said.err
            .contains("nothing is written, since it could not be audited"),
        "{}",
        said.err
    );
    assert_eq!(package.text("src/main.rs"), REAL);

    let said = run(&["--write", "-o", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let value = json(&said);
    assert_eq!(value["live"], true);
    assert_eq!(value["audits_clean"], true);
    let declared = value["declared"].as_array().expect("a list");
    let mut paths: Vec<&str> = declared
        .iter()
        .filter_map(|it| it["path"].as_str())
        .collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "/folded/last",
            "/internal/deep",
            "/v1/orders",
            "/v1/orders/{id}"
        ],
        "{value:#}"
    );
    assert!(left_alone(&value, "GET /pair/{a}").contains("`Path` takes 2 values"));
    assert!(left_alone(&value, "GET …/never").contains("does not mount it"));
    assert_eq!(value["rounds"], 2);
    let line = format!("bridge = {{ path = {path:?}, default-features = false }}\n");
    let manifest = package.text("Cargo.toml");
    assert!(manifest.contains(&line), "{manifest}");
    let taken = "`last` is taken for GET /folded/last, the only free route that ends as it does";
    assert!(said.err.contains(taken), "{}", said.err);

    let words = ["audit", "--describe", "cargo run --offline --quiet"];
    let audit = package.bridge_with(&words, &environment);
    assert_eq!(audit.code, 0, "{}", audit.err);
    assert!(
        audit
            .out
            .contains("declared and mounted   GET /internal/deep"),
        "{}",
        audit.out
    );

    let again = run(&[]);
    assert_eq!((again.code, again.out.as_str()), (0, ""), "{}", again.err);
    assert!(
        again.err.contains("0 handlers annotated, 4 before"),
        "{}",
        again.err
    );
}
