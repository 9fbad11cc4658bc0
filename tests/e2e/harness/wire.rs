//! Whoever writes to the console's port by hand: bytes as they stand, paths nobody made nice.

use std::time::Duration;

use contract::clock::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::World;

/// Of every account.
pub(crate) const PASSWORD: &str = "a long walk by the sea";
/// Time an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever writes to the console's port by hand.
pub(crate) struct Wire {
    pub(crate) address: String,
    pub(crate) clock: Clock,
}

/// An answer: its head, and its body as far as it came.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// The headers of a logged-in browser.
#[derive(Clone, Debug)]
pub(crate) struct LoggedIn {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Wire {
    pub(crate) fn to(world: &World) -> Self {
        let address = world.console();
        Self {
            address: address.trim_start_matches("http://").to_owned(),
            clock: world.clock.clone(),
        }
    }

    pub(crate) async fn open(&self) -> TcpStream {
        let socket = TcpStream::connect(&self.address).await;
        socket.expect("the console listens")
    }

    /// `line` is `METHOD TARGET`, sent as it stands; `headers` end in CR LF each.
    pub(crate) async fn ask(&self, line: &str, headers: &str, body: &str) -> Came {
        let mut socket = self.open().await;
        let text = format!(
            "{line} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\
             {headers}\r\n{body}",
            self.address,
            body.len()
        );
        // The runtime may answer and close before it has read everything.
        let _ = socket.write_all(text.as_bytes()).await;
        self.read(&mut socket).await
    }

    pub(crate) async fn json(&self, line: &str, headers: &str, body: &Value) -> Came {
        let headers = format!("content-type: application/json\r\n{headers}");
        self.ask(line, &headers, &body.to_string()).await
    }

    /// An answer to its end; of one that goes on, its head.
    pub(crate) async fn read(&self, socket: &mut TcpStream) -> Came {
        let mut bytes = Vec::new();
        let reading = async {
            let mut piece = vec![0; 16 * 1024];
            while let Ok(length @ 1..) = socket.read(&mut piece).await {
                bytes.extend_from_slice(&piece[..length]);
                if goes_on(&bytes) {
                    return;
                }
            }
        };
        let ended = self.clock.timeout(PATIENCE, reading).await;
        ended.expect("an answer comes to an end");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        Came {
            status: status.unwrap_or(0),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) async fn log_in(&self, username: &str, password: &str) -> Came {
        let login = json!({ "username": username, "password": password });
        self.json("POST /api/v1/session", "", &login).await
    }

    pub(crate) async fn set_up(&self, token: &str) -> Came {
        let wanted = json!({ "token": token, "username": "ada", "password": PASSWORD });
        self.json("POST /api/v1/setup", "", &wanted).await
    }

    /// Whether the console knows this browser.
    pub(crate) async fn knows(&self, browser: &LoggedIn) -> bool {
        let came = self.ask("GET /api/v1/session", &browser.cookie, "").await;
        assert!(matches!(came.status, 200 | 401), "{came:?}");
        came.status == 200
    }
}

/// Events and lines have no end; their head is all there is to wait for.
fn goes_on(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let head = text.split_once("\r\n\r\n").map(|(head, _)| head);
    head.is_some_and(|it| it.contains("text/event-stream") || it.contains("application/jsonl"))
}

impl Came {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|it| it.split_once(": "));
        let found = lines.find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    pub(crate) fn cookie(&self) -> String {
        let cookie = self.header("set-cookie").expect("a cookie");
        cookie.split(';').next().expect("a pair").to_owned()
    }

    pub(crate) fn browser(&self) -> LoggedIn {
        assert_eq!(self.status, 201, "{self:?}");
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        let csrf = body["csrf_token"].as_str().expect("a text");
        LoggedIn {
            cookie: format!("cookie: {}\r\n", self.cookie()),
            csrf: format!("x-csrf-token: {csrf}\r\n"),
        }
    }
}

impl LoggedIn {
    pub(crate) fn both(&self) -> String {
        format!("{}{}", self.cookie, self.csrf)
    }
}
