//! The door by itself, over real sockets: who comes through, as whom, and what strangers can make
//! it do. With the real API behind it: the end-to-end tests of the console.

mod door;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use self::door::{Door, PASSWORD, both, read};
use crate::db::testing::on_sqlite;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_anything_of_the_api_known_or_not() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 16).await;
        for line in [
            "GET /api/v1/who",
            "POST /api/v1/who",
            "GET /api",
            "GET /api/",
            "GET /api/v1/nothing",
            "GET /api/openapi.json",
            "GET /api/v1/setup/",
            "GET /api/v1/../v1/setup",
            "DELETE /api/v1/session",
            "PUT /api/v1/setup",
            "OPTIONS /api/v1/who",
            "GET http://bridge.test/api/v1/who",
        ] {
            let came = door.ask(line, "", "").await;
            assert_eq!(came.status, 401, "{line}: {came:?}");
            assert!(came.header("www-authenticate").is_some(), "{came:?}");
        }
        for wrong in [
            "cookie: bridge_session=\r\n".to_owned(),
            format!("cookie: bridge_session={}\r\n", "0".repeat(64)),
            "authorization: Bearer brt_0000000000000000_0\r\n".to_owned(),
            format!("authorization: Bearer {}\r\n", door.setup),
            "authorization: Basic YWRhOmFkYQ==\r\n".to_owned(),
        ] {
            let came = door.ask("GET /api/v1/who", &wrong, "").await;
            assert_eq!(came.status, 401, "{wrong}");
        }
        door.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_with_a_cookie_need_the_sessions_token_and_its_own_page() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 16).await;
        let admin = door.admin().await;
        let (cookie, csrf) = &admin;
        let came = door.ask("GET /api/v1/who", cookie, "").await;
        assert_eq!(came.body, "ada from 127.0.0.1");
        let other = format!("x-csrf-token: {}\r\n", "0".repeat(64));
        let cut = format!("{}\r\n", &csrf.trim_end()[..csrf.len() - 4]);
        for (more, status) in [
            (cookie.clone(), 403),
            (format!("{cookie}{other}"), 403),
            (format!("{cookie}{cut}"), 403),
            (format!("{cookie}x-csrf-token: \r\n"), 403),
            (both(&admin), 200),
            (
                format!("{}origin: http://bridge.test\r\n", both(&admin)),
                200,
            ),
            (format!("{}origin: http://evil.test\r\n", both(&admin)), 403),
            (format!("{}origin: null\r\n", both(&admin)), 403),
            (
                format!("{}sec-fetch-site: cross-site\r\n", both(&admin)),
                403,
            ),
        ] {
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                let came = door.ask(&format!("{method} /api/v1/who"), &more, "").await;
                assert_eq!(came.status, status, "{method} {more}");
            }
        }
        // A login, too, or somebody else's page would log one in as somebody else.
        let login = json!({ "username": "ada", "password": PASSWORD });
        let foreign = "origin: http://evil.test\r\n";
        let came = door.json("POST /api/v1/session", foreign, &login).await;
        assert_eq!(came.status, 403);
        let form = "content-type: text/plain\r\n";
        let came = door
            .ask("POST /api/v1/session", form, &login.to_string())
            .await;
        assert_eq!(came.status, 415, "what a foreign form can send is not read");
        door.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_ask_whether_there_is_a_setup_and_whether_one_is_known() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 16).await;
        let shown = async |more: &str| {
            let came = door.ask("GET /api/v1/setup", more, "").await;
            assert_eq!(came.status, 200, "{came:?}");
            serde_json::from_str::<Value>(&came.body).expect("JSON")
        };
        let stranger = json!({ "required": true, "signed_in": false });
        assert_eq!(shown("").await, stranger);
        let (cookie, csrf) = door.admin().await;
        let stranger = json!({ "required": false, "signed_in": false });
        let known = json!({ "required": false, "signed_in": true });
        assert_eq!(shown("").await, stranger);
        assert_eq!(shown(&cookie).await, known);
        let bad = format!("authorization: Bearer x\r\n{cookie}");
        assert_eq!(shown(&bad).await, stranger, "a bad token is not helped");
        let both = format!("{cookie}{csrf}");
        let came = door.ask("DELETE /api/v1/session", &both, "").await;
        assert_eq!(came.status, 204);
        assert_eq!(shown(&cookie).await, stranger, "logged out");
        door.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_changes_nothing_but_its_own() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 16).await;
        let admin = door.admin().await;
        let viewer = door.viewer(&admin).await;
        for method in ["GET", "HEAD"] {
            let came = door
                .ask(&format!("{method} /api/v1/who"), &both(&viewer), "")
                .await;
            assert_eq!(came.status, 200);
        }
        for line in [
            "POST /api/v1/who",
            "PUT /api/v1/who",
            "PATCH /api/v1/who",
            "DELETE /api/v1/who",
            "BREW /api/v1/who",
            "GET /api/v1/accounts",
            "HEAD /api/v1/accounts",
            "GET /api/v1/tokens",
            "DELETE /api/v1/accounts/vic",
            "DELETE /api/v1/tokens/0000000000000000",
        ] {
            let came = door.ask(line, &both(&viewer), "").await;
            assert_eq!(came.status, 403, "{line}");
        }
        let wanted = json!({ "current": PASSWORD, "new": "another horse battery" });
        let came = door
            .json("PUT /api/v1/session/password", &both(&viewer), &wanted)
            .await;
        assert_eq!(came.status, 204, "{came:?}");
        let came = door.ask("DELETE /api/v1/session", &both(&viewer), "").await;
        assert_eq!(came.status, 204);
        assert!(
            came.header("set-cookie")
                .expect("a cookie")
                .contains("Max-Age=0")
        );
        let came = door.ask("GET /api/v1/who", &both(&viewer), "").await;
        assert_eq!(came.status, 401, "logged out");
        door.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_needs_no_csrf_token_and_a_bad_one_is_not_helped_by_a_cookie() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 16).await;
        let admin = door.admin().await;
        let wanted = json!({ "name": "ci", "role": "admin" });
        let made = door
            .json("POST /api/v1/tokens", &both(&admin), &wanted)
            .await;
        let made: Value = serde_json::from_str(&made.body).expect("JSON");
        let bearer = format!(
            "authorization: bearer {}\r\n",
            made["token"].as_str().expect("text")
        );
        let came = door.ask("POST /api/v1/who", &bearer, "").await;
        assert_eq!(came.body, "token:ci from 127.0.0.1");
        let bad = format!("authorization: Bearer x\r\n{}", both(&admin));
        assert_eq!(door.ask("GET /api/v1/who", &bad, "").await.status, 401);
        let two = format!("{bearer}{bearer}");
        assert_eq!(door.ask("GET /api/v1/who", &two, "").await.status, 401);
        let own = json!({ "current": PASSWORD, "new": PASSWORD });
        let came = door
            .json("PUT /api/v1/session/password", &bearer, &own)
            .await;
        assert_eq!(came.status, 403, "a token has no password");
        door.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_keeps_foreign_pages_out() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 16).await;
        let lines = [
            "GET /",
            "GET /api/v1/setup",
            "GET /api/v1/who",
            "POST /",
            "GET /app.js",
        ];
        for line in lines {
            let came = door.ask(line, "", "").await;
            for (name, value) in [
                ("x-frame-options", "DENY"),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(came.header(name), Some(value), "{line}");
            }
            let policy = came.header("content-security-policy").expect("a policy");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
            let stored = came.header("cache-control");
            assert!(
                line.contains("/api") == (stored == Some("no-store")),
                "{line}: {stored:?}"
            );
            assert_eq!(came.header("access-control-allow-origin"), None);
        }
        door.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_come_from_the_table_and_every_other_path_is_a_page() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 16).await;
        let first = door.ask("GET /", "", "").await;
        assert_eq!(first.status, 200);
        assert_eq!(
            first.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        for path in [
            "/traces?channel=rpc",
            "/services/orders",
            "/metrics/http.server.request.duration",
            "/../../../../etc/passwd",
            "/..%2f..%2fetc%2fpasswd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/..\\..\\etc\\passwd",
            "//etc/passwd",
            "/index.html/../../Cargo.toml",
            "/app.js%00.html",
            "/apix/v1/services",
        ] {
            let came = door.ask(&format!("GET {path}"), "", "").await;
            assert_eq!((came.status, &came.body), (200, &first.body), "{path}");
        }
        let tag = first.header("etag").expect("a tag");
        let known = door
            .ask("GET /", &format!("if-none-match: \"x\", W/{tag}\r\n"), "")
            .await;
        assert_eq!((known.status, known.body.as_str()), (304, ""));
        let head = door.ask("HEAD /app.js", "", "").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert_eq!(door.ask("POST /app.js", "", "").await.status, 405);
        door.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_too_long_or_too_slow_is_given_up() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 16).await;
        let admin = door.admin().await;
        let head = |line: &str, length: usize| {
            format!(
                "{line} HTTP/1.1\r\nhost: bridge.test\r\nconnection: close\r\n\
                 content-type: application/json\r\ncontent-length: {length}\r\n{}\r\n",
                both(&admin)
            )
        };
        // What is announced beyond the limit of the routes is not waited for, whoever asks.
        for line in ["POST /api/v1/session", "POST /api/v1/tokens"] {
            let mut long = door.connect().await;
            let head = head(line, 1 << 20);
            long.write_all(head.as_bytes()).await.expect("is sent");
            // The door may close while this is still being sent.
            let _ = long.write_all(&vec![b'x'; (64 << 10) + 1]).await;
            assert_eq!(read(long).await.status, 413, "{line}");
        }
        // Nor anything at all where no body is taken.
        for line in ["GET /api/v1/setup", "GET /api/v1/accounts"] {
            let mut none = door.connect().await;
            none.write_all(head(line, 1 << 20).as_bytes())
                .await
                .expect("is sent");
            assert_eq!(read(none).await.status, 200, "{line}");
        }

        let mut slow = door.connect().await;
        slow.write_all(head("POST /api/v1/tokens", 10).as_bytes())
            .await
            .expect("is sent");
        slow.write_all(b"part").await.expect("is sent");
        while door.hand.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        door.hand.advance(Duration::from_secs(15));
        let came = read(slow).await;
        assert_eq!(came.status, 408, "{came:?}");
        door.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_too_many_is_told_so_and_room_is_made_again() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 2).await;
        // An answered request each, so that both are known to have been let in.
        let mut held = Vec::new();
        for _ in 0..2 {
            let mut socket = door.connect().await;
            let text = "GET /api/v1/setup HTTP/1.1\r\nhost: bridge.test\r\n\r\n";
            socket.write_all(text.as_bytes()).await.expect("is sent");
            let mut some = [0; 12];
            socket.read_exact(&mut some).await.expect("an answer");
            held.push(socket);
        }
        let full = read(door.connect().await).await;
        assert_eq!((full.status, full.header("retry-after")), (503, Some("1")));
        drop(held);
        let mut tries = 0..1_000;
        while door.ask("GET /api/v1/setup", "", "").await.status != 200 {
            tries.next().expect("room within a thousand tries");
        }
        door.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_closes_idle_connections_and_answers_running_requests() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 16).await;
        let admin = door.admin().await;
        let idle = door.connect().await;
        let mut running = door.connect().await;
        let wanted = json!({ "name": "ci", "role": "viewer" }).to_string();
        let text = format!(
            "POST /api/v1/tokens HTTP/1.1\r\nhost: bridge.test\r\ncontent-length: {}\r\n\
             content-type: application/json\r\n{}\r\n",
            wanted.len(),
            both(&admin)
        );
        running.write_all(text.as_bytes()).await.expect("is sent");
        while door.hand.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        let _ = door.stop.send(());
        assert_eq!(read(idle).await.status, 0, "closed without a word");
        running.write_all(wanted.as_bytes()).await.expect("is sent");
        assert_eq!(read(running).await.status, 201);
        door.served.await.expect("ends");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cookies_are_for_this_host_alone_and_secure_behind_tls() {
    on_sqlite(async |t| {
        let door = Door::open(&t, 16).await;
        door.admin().await;
        let login = json!({ "username": "ada", "password": PASSWORD });
        for (more, secure) in [("", false), ("x-forwarded-proto: https\r\n", true)] {
            let came = door.json("POST /api/v1/session", more, &login).await;
            let cookie = came.header("set-cookie").expect("a cookie");
            for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
                assert!(cookie.contains(part), "{cookie}");
            }
            assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
        door.close().await;
    })
    .await;
}
