//! The console's port attacked as a whole: the real runtime, bytes written by hand.
//!
//! What the door does by itself (CSRF, headers, roles, bodies, limits) is tested beside it in
//! `runtime/src/http/tests.rs`; here is what needs every route, a restart, the disk or time.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::harness::{
    Database, LoggedIn, PASSWORD, Wire, World, eventually, on_both_databases, setup_token,
};

/// Time an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// An admin's browser at a console that has just been set up.
async fn admin(world: &mut World, wire: &Wire) -> LoggedIn {
    let token = setup_token(world).await;
    wire.set_up(&token).await.browser()
}

/// A token of this role, and its header.
async fn token(wire: &Wire, admin: &LoggedIn, role: &str) -> (Value, String) {
    let wanted = json!({ "name": format!("ci-{role}"), "role": role });
    let made = wire
        .json("POST /api/v1/tokens", &admin.both(), &wanted)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let made: Value = serde_json::from_str(&made.body).expect("JSON");
    let text = made["token"].as_str().expect("a text");
    let header = format!("authorization: Bearer {text}\r\n");
    (made, header)
}

/// Every operation of the document as `METHOD /path`, with something in its pieces.
async fn operations(world: &World) -> Vec<String> {
    let document: Value = world.get("/api/openapi.json").await;
    let paths = document["paths"].as_object().expect("paths");
    let lines = paths.iter().flat_map(|(path, methods)| {
        let mut path = path.clone();
        while let Some((before, rest)) = path.split_once('{') {
            let after = rest.split_once('}').expect("a piece ends").1;
            path = format!("{before}x{after}");
        }
        let methods = methods.as_object().expect("methods");
        let line = move |method: &String| format!("{} {path}", method.to_uppercase());
        methods.keys().map(line).collect::<Vec<_>>()
    });
    lines.collect()
}

const OPEN: [&str; 4] = [
    "GET /api/v1/setup",
    "POST /api/v1/setup",
    "GET /api/v1/session",
    "POST /api/v1/session",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_wants_a_caller_and_a_viewer_only_reads() {
    let mut world = World::start(Database::sqlite()).await;
    let wire = Wire::to(&world);
    let admin = admin(&mut world, &wire).await;
    let (_, viewer) = token(&wire, &admin, "viewer").await;
    let all = operations(&world).await;
    assert!(all.len() > 25, "{all:?}");
    for open in OPEN {
        assert!(all.iter().any(|it| it == open), "{open} is in the document");
    }
    for line in &all {
        let expected: &[u16] = match line.as_str() {
            "GET /api/v1/setup" => &[200],
            "GET /api/v1/session" => &[401],
            open if OPEN.contains(&open) => &[415],
            _ => &[401],
        };
        let forged = format!("cookie: bridge_session={}\r\n", "f".repeat(64));
        for headers in ["", &forged] {
            let came = wire.ask(line, headers, "").await;
            assert!(expected.contains(&came.status), "{line}: {came:?}");
        }
        if OPEN.contains(&line.as_str()) {
            continue;
        }
        let came = wire.ask(line, &viewer, "").await;
        let own = ["DELETE /api/v1/session", "PUT /api/v1/session/password"];
        let admins = ["GET /api/v1/accounts", "GET /api/v1/tokens"];
        let is_read = line.starts_with("GET ");
        if own.contains(&line.as_str()) || (is_read && !admins.contains(&line.as_str())) {
            assert!(
                !matches!(came.status, 401 | 403 | 500..),
                "{line}: {came:?}"
            );
        } else {
            assert_eq!(came.status, 403, "{line}: {came:?}");
        }
    }
    // Nothing was changed by any of it.
    let services: Value = world.get("/api/v1/services").await;
    assert_eq!(services, json!([]));
}

on_both_databases! {
    async fn the_setup_works_once_with_the_token_of_this_start(world: World) {
        let wire = Wire::to(&world);
        let before = setup_token(&mut world).await;
        world.runtime().kill();
        world.restart().await;
        let token = setup_token(&mut world).await;
        assert_ne!(before, token, "another one at each start");
        assert_eq!(wire.set_up(&before).await.status, 403);
        assert_eq!(wire.set_up("").await.status, 403);
        let made = wire.set_up(&token).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(wire.set_up(&token).await.status, 409);
        let shown = wire.ask("GET /api/v1/setup", "", "").await;
        assert_eq!(shown.body, r#"{"required":false,"signed_in":false}"#);
        world.runtime().kill();
        world.restart().await;
        let printed = world.runtime().count(|line| line.contains("setup#token="));
        assert_eq!(printed, 0, "there is nothing to set up any more");
    }

    async fn a_session_outlives_a_restart_and_ends_when_it_should(world: World) {
        let wire = Wire::to(&world);
        let admin = admin(&mut world, &wire).await;
        let wanted = json!({ "username": "vic", "password": PASSWORD, "role": "viewer" });
        let made = wire.json("POST /api/v1/accounts", &admin.both(), &wanted).await;
        assert_eq!(made.status, 201, "{made:?}");
        let viewer = wire.log_in("vic", PASSWORD).await.browser();
        world.runtime().kill();
        world.restart().await;
        assert!(wire.knows(&admin).await && wire.knows(&viewer).await, "after kill -9");

        // A planted cookie becomes nobody's login.
        let planted = wire.log_in("vic", PASSWORD).await;
        let login = json!({ "username": "vic", "password": PASSWORD });
        let headers = planted.browser().cookie;
        let again = wire.json("POST /api/v1/session", &headers, &login).await;
        assert_ne!(again.cookie(), planted.cookie());
        assert!(!wire.knows(&planted.browser()).await);
        let chosen = format!("cookie: bridge_session={}\r\n", "a".repeat(64));
        let fixed = wire.json("POST /api/v1/session", &chosen, &login).await;
        assert!(!fixed.cookie().contains(&"a".repeat(64)), "its value is never taken over");

        let gone = wire.ask("DELETE /api/v1/accounts/vic", &admin.both(), "").await;
        assert_eq!(gone.status, 204, "{gone:?}");
        assert!(!wire.knows(&viewer).await, "its account is gone");
        let out = wire.ask("DELETE /api/v1/session", &admin.both(), "").await;
        assert_eq!(out.status, 204);
        assert!(!wire.knows(&admin).await, "a copy of the cookie is worth nothing");

        let admin = wire.log_in("ada", PASSWORD).await.browser();
        assert!(wire.knows(&admin).await);
        world.set("console.session_ttl_ms", "1000").await;
        eventually(PATIENCE, "the end of a session by age", async || {
            (!wire.knows(&admin).await).then_some(())
        })
        .await;
    }

    async fn a_token_that_is_over_or_revoked_is_nobodys(world: World) {
        let wire = Wire::to(&world);
        let admin = admin(&mut world, &wire).await;
        let (made, header) = token(&wire, &admin, "admin").await;
        let ask = async |header: &str| wire.ask("GET /api/v1/tokens", header, "").await.status;
        assert_eq!(ask(&header).await, 200);
        let wanted = json!({ "name": "short", "role": "admin", "expires_in_ms": 1000 });
        let short = wire.json("POST /api/v1/tokens", &admin.both(), &wanted).await;
        let short: Value = serde_json::from_str(&short.body).expect("JSON");
        let short = format!("authorization: Bearer {}\r\n", short["token"].as_str().expect("text"));
        eventually(PATIENCE, "the end of a token", async || (ask(&short).await == 401).then_some(()))
            .await;
        let id = made["id"].as_str().expect("a text");
        let gone = wire.ask(&format!("DELETE /api/v1/tokens/{id}"), &admin.both(), "").await;
        assert_eq!(gone.status, 204, "{gone:?}");
        assert_eq!(ask(&header).await, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_passwords_is_cut_off_and_tells_nothing() {
    let mut world = World::start(Database::sqlite()).await;
    let wire = Wire::to(&world);
    admin(&mut world, &wire).await;
    let mut told = Vec::new();
    for name in ["ada", "nobody"] {
        let mut statuses = Vec::new();
        for _ in 0..12 {
            let came = wire.log_in(name, "not the password").await;
            if came.status == 429 {
                let wait = came
                    .header("retry-after")
                    .and_then(|it| it.parse::<u64>().ok());
                assert!(wait.is_some_and(|it| (1..=10).contains(&it)), "{came:?}");
            }
            statuses.push(came.status);
            told.extend((came.status == 401).then_some(came.body));
        }
        // A slow machine earns a try or two back while it hashes.
        assert!(
            statuses[..10].iter().all(|it| *it == 401),
            "{name}: {statuses:?}"
        );
        assert!(statuses.contains(&429), "{name}: {statuses:?}");
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_leads_out_and_no_answer_leads_away() {
    let mut world = World::start(Database::sqlite()).await;
    let wire = Wire::to(&world);
    let admin = admin(&mut world, &wire).await;
    let home = wire.ask("GET /", "", "").await;
    for target in [
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2f..%2fetc/passwd",
        "/%252e%252e/etc/passwd",
        "/....//....//etc/passwd",
        "/..\\..\\etc\\passwd",
        "/app.js/../../../Cargo.toml",
        "/index.html%00.txt",
        "/ledger.db",
        "/.bridge/ca.key",
        "/login?next=https://evil.test/",
        "/login?next=//evil.test",
        "/login?next=%2f%5cevil.test",
        "//evil.test/%2e%2e",
        "http://evil.test/",
    ] {
        let came = wire.ask(&format!("GET {target}"), "", "").await;
        let is_home = came.status == 200 && came.body == home.body;
        assert!(
            is_home || matches!(came.status, 400 | 404),
            "{target}: {came:?}"
        );
        assert_eq!(came.header("location"), None, "{target}");
        assert!(!came.body.contains("evil.test"), "{target}");
    }
    for target in [
        "/api/v1/services/..%2f..%2fsettings",
        "/api/v1/services/%2e%2e/settings",
        "/api/v1/../../etc/passwd",
        "/api/v1/traces/..%2f..%2f..%2fetc%2fpasswd",
        "/api/v1/traces/%00",
        "/api/v1/services/%ff%fe",
        "/api/v1/tokens/%2e%2e%2faccounts",
        "/api/v1/settings/%0d%0ax-injected:%201",
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let came = wire
                .ask(&format!("{method} {target}"), &admin.both(), "")
                .await;
            assert!(
                (400..500).contains(&came.status),
                "{method} {target}: {came:?}"
            );
            assert_eq!(came.header("x-injected"), None, "{method} {target}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_endless_requests_are_cut_while_others_are_served() {
    let mut world = World::start(Database::sqlite()).await;
    let wire = Wire::to(&world);
    let admin = admin(&mut world, &wire).await;
    let before = world.runtime().memory();

    let mut slow = Vec::new();
    for number in 0..300 {
        let mut socket = wire.open().await;
        let text: &[u8] = match number % 3 {
            0 => b"",
            1 => b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ",
            _ => {
                b"POST /api/v1/session HTTP/1.1\r\nhost: x\r\n\
                   content-type: application/json\r\ncontent-length: 50\r\n\r\n{"
            }
        };
        socket.write_all(text).await.expect("is sent");
        slow.push(socket);
    }
    assert!(wire.knows(&admin).await, "beside three hundred slow ones");
    for (number, socket) in slow.iter_mut().enumerate() {
        let came = wire.read(socket).await;
        let cut = matches!(came.status, 0 | 408);
        assert!(cut, "{number}: {came:?}");
    }

    let long = format!("x-long: {}\r\n", "x".repeat(1 << 20));
    let came = wire.ask("GET /api/v1/session", &long, "").await;
    assert!(matches!(came.status, 0 | 431), "{came:?}");
    let huge = format!("\"{}\"", "x".repeat(32 << 20));
    let headers = format!("{}content-type: application/json\r\n", admin.both());
    let came = wire.ask("POST /api/v1/services", &headers, &huge).await;
    assert!(matches!(came.status, 0 | 413), "{came:?}");
    let nobodys = wire.ask("POST /api/v1/services", "", &huge).await;
    assert!(
        matches!(nobodys.status, 0 | 401),
        "not read at all: {nobodys:?}"
    );
    let chunked = "transfer-encoding: chunked\r\n";
    let both = wire
        .ask("POST /api/v1/services", chunked, "0\r\n\r\n")
        .await;
    assert!(
        matches!(both.status, 0 | 400 | 401),
        "two lengths: {both:?}"
    );

    assert!(wire.knows(&admin).await);
    let grown = world.runtime().memory().saturating_sub(before);
    assert!(grown < 128 << 20, "grew by {grown} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_on_the_disk_or_in_the_log() {
    let mut world = World::start(Database::sqlite()).await;
    let wire = Wire::to(&world);
    let setup = setup_token(&mut world).await;
    let came = wire.set_up(&setup).await;
    let admin = came.browser();
    let (made, _) = token(&wire, &admin, "viewer").await;
    wire.log_in("ada", "what somebody typed wrong").await;
    world.command_line(&["doctor"]).await;

    let token = made["token"].as_str().expect("a text");
    let session = came.cookie();
    let secrets = [
        ("password", PASSWORD),
        ("a wrong password", "what somebody typed wrong"),
        ("session", session.split_once('=').expect("a pair").1),
        (
            "CSRF token",
            admin.csrf.trim().rsplit(' ').next().expect("a value"),
        ),
        ("API token", token.rsplit('_').next().expect("a secret")),
    ];
    let log = world
        .runtime()
        .count(|line| secrets.iter().any(|(_, it)| line.contains(it)));
    assert_eq!(log, 0, "a secret is in the log");
    let mut files = 0;
    for path in below(&world.data()) {
        let bytes = std::fs::read(&path).unwrap_or_default();
        files += 1;
        for (what, secret) in secrets.iter().chain(&[("setup token", setup.as_str())]) {
            let found = bytes
                .windows(secret.len())
                .any(|it| it == secret.as_bytes());
            assert!(!found, "{what} is in {}", path.display());
        }
    }
    assert!(files > 3, "the data folder was looked through");
}

fn below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|it| it.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|it| it.is_dir());
    let deeper = folders.iter().flat_map(|it| below(it));
    files
        .into_iter()
        .filter(|it| it.is_file())
        .chain(deeper)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_manages_accounts_and_asks_from_afar_with_a_token() {
    let world = World::start(Database::sqlite()).await;
    let secret = world.data().join("password");
    std::fs::write(&secret, format!("{PASSWORD}\n")).expect("written");
    let secret = secret.to_str().expect("a path");
    let run = async |arguments: &[&str]| {
        let output = world.command_line(arguments).await;
        let out = String::from_utf8(output.stdout).expect("text");
        let error = String::from_utf8(output.stderr).expect("text");
        (output.status.code(), out, error)
    };
    let create = [
        "account",
        "create",
        "ada",
        "--role",
        "admin",
        "--password-file",
        secret,
    ];
    assert_eq!(run(&create).await.0, Some(0));
    let wire = Wire::to(&world);
    let shown = wire.ask("GET /api/v1/setup", "", "").await;
    assert_eq!(
        shown.body, r#"{"required":false,"signed_in":false}"#,
        "an admin from the socket is a setup"
    );
    let browser = wire.log_in("ada", PASSWORD).await.browser();

    let (code, _, error) = run(&["account", "role", "ada", "viewer"]).await;
    assert_eq!(
        (code, error.contains("only admin")),
        (Some(1), true),
        "{error}"
    );
    assert!(wire.knows(&browser).await);
    let vic = ["account", "create", "vic", "--password-file", secret];
    assert_eq!(run(&vic).await.0, Some(0));
    assert_eq!(run(&["account", "role", "vic", "admin"]).await.0, Some(0));
    let again = ["account", "password", "vic", "--password-file", secret];
    assert_eq!(run(&again).await.0, Some(0));
    assert_eq!(run(&["account", "delete", "vic"]).await.0, Some(0));
    let (_, listed, _) = run(&["account", "list"]).await;
    assert!(
        listed.contains("ada") && !listed.contains("vic"),
        "{listed}"
    );

    let (code, made, _) = run(&["token", "create", "ci", "--expires", "1h", "-o", "json"]).await;
    assert_eq!(code, Some(0));
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let token = made["token"].as_str().expect("a text");
    let file = world.data().join("token");
    std::fs::write(&file, token).expect("written");
    let url = world.console();
    let far = [
        "--url",
        &url,
        "--token-file",
        file.to_str().expect("a path"),
    ];
    let (code, out, _) = run(&[&far[..], &["doctor"]].concat()).await;
    assert!(code == Some(0) && !out.is_empty(), "{out}");
    let (code, _, error) = run(&[&far[..], &["service", "create", "x"]].concat()).await;
    assert_eq!((code, error.contains("viewer")), (Some(1), true), "{error}");
    let (code, _, error) = run(&["--url", &url, "--token", "brt_wrong", "doctor"]).await;
    assert_eq!(
        (code, error.contains("bridge token create")),
        (Some(1), true),
        "{error}"
    );
    let (code, _, error) = run(&["--url", "nonsense", "doctor"]).await;
    assert_eq!(
        (code, error.contains("http://HOST:PORT")),
        (Some(2), true),
        "{error}"
    );
    let (code, ..) = run(&["--url", "http://127.0.0.1:1", "doctor"]).await;
    assert_eq!(code, Some(3), "nobody answers");

    let id = made["id"].as_str().expect("a text");
    assert_eq!(run(&["token", "revoke", id]).await.0, Some(0));
    let (code, ..) = run(&[&far[..], &["doctor"]].concat()).await;
    assert_eq!(code, Some(1), "revoked");
    let (_, changes, _) = run(&["changes", "-o", "json"]).await;
    for action in [
        "account.create",
        "account.change",
        "account.delete",
        "token.create",
        "token.revoke",
        "session.begin",
    ] {
        assert!(
            changes.contains(action),
            "{action} is in the audit trail: {changes}"
        );
    }
    assert!(!changes.contains(token) && !changes.contains(PASSWORD));
}
