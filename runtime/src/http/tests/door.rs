//! The console's port with an API behind it that says who came, and what a peer reads of it.

use std::net::SocketAddr;

use axum::extract::Request;
use axum::routing::any;
use axum::{Extension, Router};
use contract::clock::{Clock, ManualClock};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::accounts::{self, Accounts, Caller, Remote};
use crate::db::testing::TestDb;
use crate::http::Console;
use crate::settings::Settings;

pub(super) const PASSWORD: &str = "correct horse battery";

/// A door with an API behind it that says who came.
pub(super) struct Door {
    pub(super) address: SocketAddr,
    pub(super) setup: String,
    pub(super) hand: ManualClock,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) served: JoinHandle<()>,
}

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Door {
    pub(super) async fn open(t: &TestDb, connections: usize) -> Self {
        let settings = Settings::open(&t.db, &t.clock, &t.mint)
            .await
            .expect("opens");
        let (clock, hand) = Clock::manual(t.clock.now());
        let parts = accounts::Parts {
            db: t.db.clone(),
            clock: clock.clone(),
            mint: t.mint.clone(),
            settings,
        };
        let (accounts, setup) = Accounts::open(parts).await.expect("opens");
        let who =
            async |caller: Option<Extension<Caller>>, remote: Extension<Remote>, _: Request| {
                let name = caller.map_or("nobody".to_owned(), |it| it.name.clone());
                format!("{name} from {}", remote.address)
            };
        let routes = accounts::routes(&accounts).into_router();
        let routes = Router::new().route("/api/v1/who", any(who)).merge(routes);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("bound");
        let console = Console::new(listener, accounts, routes, &clock);
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move {
            let _ = stopped.await;
        };
        Self {
            address,
            setup: setup.expect("nobody is there").expose().to_owned(),
            hand,
            stop,
            served: tokio::spawn(console.with_connections(connections).serve(stopped)),
        }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connects")
    }

    /// Sends a request whose headers end in `more` and reads the answer.
    pub(super) async fn ask(&self, line: &str, more: &str, body: &str) -> Came {
        let mut socket = self.connect().await;
        let length = body.len();
        let text = format!(
            "{line} HTTP/1.1\r\nhost: bridge.test\r\nconnection: close\r\n\
             content-length: {length}\r\n{more}\r\n{body}"
        );
        socket.write_all(text.as_bytes()).await.expect("is sent");
        read(socket).await
    }

    pub(super) async fn json(&self, line: &str, more: &str, body: &Value) -> Came {
        let more = format!("content-type: application/json\r\n{more}");
        self.ask(line, &more, &body.to_string()).await
    }

    /// Makes the first admin; its cookie header and its CSRF header.
    pub(super) async fn admin(&self) -> (String, String) {
        let wanted = json!({ "token": self.setup, "username": "ada", "password": PASSWORD });
        session(&self.json("POST /api/v1/setup", "", &wanted).await)
    }

    pub(super) async fn viewer(&self, admin: &(String, String)) -> (String, String) {
        let wanted = json!({ "username": "vic", "password": PASSWORD, "role": "viewer" });
        let made = self
            .json("POST /api/v1/accounts", &both(admin), &wanted)
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        let login = json!({ "username": "vic", "password": PASSWORD });
        session(&self.json("POST /api/v1/session", "", &login).await)
    }

    pub(super) async fn close(self) {
        let _ = self.stop.send(());
        self.served.await.expect("ends");
    }
}

pub(super) fn both((cookie, csrf): &(String, String)) -> String {
    format!("{cookie}{csrf}")
}

fn session(came: &Came) -> (String, String) {
    assert_eq!(came.status, 201, "{came:?}");
    let cookie = came.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair");
    let body: Value = serde_json::from_str(&came.body).expect("JSON");
    let csrf = body["csrf_token"].as_str().expect("a token");
    (
        format!("cookie: {cookie}\r\n"),
        format!("x-csrf-token: {csrf}\r\n"),
    )
}

impl Came {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|it| it.split_once(": "));
        lines
            .find(|(it, _)| it.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

pub(super) async fn read(mut socket: TcpStream) -> Came {
    let mut bytes = Vec::new();
    // A peer that closes with our bytes unread resets; what it said before is there.
    let _ = socket.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    Came {
        status: status.unwrap_or(0),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
