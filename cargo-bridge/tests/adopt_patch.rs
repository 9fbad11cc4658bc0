//! The patch that `adopt` prints, applied by git.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::adopt::{MANIFEST, adopt, shop};
use crate::support::Package;

/// What `git apply` makes of it in a folder.
fn apply(folder: &Path, patch: &str) {
    let mut git = Command::new("git")
        .args(["apply", "-"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .spawn()
        .expect("git is there");
    let mut input = git.stdin.take().expect("it is piped");
    input.write_all(patch.as_bytes()).expect("git reads");
    drop(input);
    assert!(git.wait().expect("it ends").success(), "{patch}");
}

#[test]
fn a_patch_adds_lines_and_changes_nothing_else() {
    let package = shop();
    let said = adopt(&package, &["--no-verify"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let removed: Vec<&str> = said
        .out
        .lines()
        .filter(|it| it.starts_with('-') && !it.starts_with("---"))
        .collect();
    assert_eq!(
        removed,
        ["-    axum::serve(listener, app.into_make_service()).await.unwrap();"]
    );
    let untouched = package.text("src/api/mod.rs");
    apply(package.root(), &said.out);
    assert_eq!(
        package.text("Cargo.toml"),
        MANIFEST.replace("# the", "bridge = { workspace = true }\n# the")
    );
    let main = package.text("src/main.rs");
    for expected in [
        "/// Says that it is there.\n#[bridge::rpc(get, \"/health\")]\n#[tracing::instrument]\nasync fn health()",
        "    axum::serve(listener, bridge::declare(app, &bridge_handlers()).into_make_service())",
        "\nfn bridge_handlers() -> bridge::Handlers {\n    bridge::handlers![\n",
        "        api::open::open,\n",
        "    .and(api::bridge_handlers())\n}\n\n#[cfg(test)]\nmod tests {",
    ] {
        assert!(main.contains(expected), "{expected}\n{main}");
    }
    let api = package.text("src/api/mod.rs");
    assert!(
        api.contains(
            "    /// Lists them.\n    #[bridge::rpc(get, \"/v1/closed\")]\n    async fn list() {}\n\n    \
             /// The operations that are declared here, for `bridge::declare`.\n    pub(crate) fn \
             bridge_handlers() -> bridge::Handlers {\n        bridge::handlers![list]\n    }\n"
        ),
        "{api}"
    );
    assert!(api.len() > untouched.len());
    assert_eq!(
        package.text("src/api/open.rs"),
        "#[bridge::rpc(post, \"/v1/open\")]\r\npub async fn open() {}\r\n"
    );
    let again = adopt(&package, &["--no-verify"]);
    assert_eq!((again.code, again.out.as_str()), (0, ""), "{}", again.err);
    assert!(again.err.contains("nothing to propose"), "{}", again.err);
}

#[test]
fn a_patch_can_be_applied_where_it_was_made() {
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"api\"]\n",
        ),
        (
            "api/Cargo.toml",
            "[package]\nname = \"api\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[dependencies]\naxum = \"0.8\"\n",
        ),
        (
            "api/src/main.rs",
            "use axum::{Router, routing::get};\nasync fn hello() {}\nfn main() {\n    axum::serve(listener, Router::new().route(\"/\", get(hello)));\n}\n",
        ),
        (
            "bridge/Cargo.toml",
            "[package]\nname = \"bridge\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[features]\nopenapi = []\n",
        ),
        ("bridge/src/lib.rs", ""),
    ];
    for (folder, bridge) in [
        ("", "bridge"),
        ("api", "../bridge"),
        ("api/src", "../../bridge"),
    ] {
        let package = Package::with(&files);
        let git = Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(package.root())
            .status();
        assert!(git.expect("git is there").success());
        let words = ["adopt", "--no-verify", "--bridge-path", bridge];
        let said = package.bridge_in(folder, &words, &[]);
        assert_eq!(said.code, 0, "{}", said.err);
        // A manifest outside of the folder can only be named from the workspace's.
        let is_told = said.err.contains("`git apply` it there");
        assert_eq!(is_told, folder == "api/src", "{}", said.err);
        let place = if is_told { "" } else { folder };
        apply(&package.root().join(place), &said.out);
        let text = package.text("api/src/main.rs");
        assert!(
            text.contains("#[bridge::rpc(get, \"/\")]"),
            "{folder}: {text}"
        );
        assert!(
            package.text("api/Cargo.toml").contains("bridge ="),
            "{folder}"
        );
    }
}
