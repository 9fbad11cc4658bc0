//! Generated clients against real servers: axum with annotated handlers over HTTP and JSON, stock
//! gRPC of another language, and the mesh, where a repeat says that it is one.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::{Path as At, Query, State};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use bridge::{Client, ErrorCode, Remote, Transport};
use contract::clock::Clock;
use tokio::net::TcpListener;

use crate::contracts::shelf::{
    Book, FindRequest, Genre, LendRequest, Lending, Pages, PutRequest, Shelf,
};
use crate::contracts::till::{ChargeRequest, Till};
use crate::contracts::v1::{Desk, EchoRequest, JudgeRequest, WaitRequest};
use crate::harness::{Process, on_both_databases, said};
use crate::python::prepared;

#[derive(Debug, bridge::Error)]
enum ShelfError {
    #[bridge(status = 409, code = "ROW_FULL")]
    RowFull { row: u32, books: u64 },
    /// Its code is one of the closed list, too.
    #[bridge(status = 404)]
    NotFound,
}

type Queried = Query<Vec<(String, String)>>;

/// A book says what it was asked with.
#[bridge::rpc(get, "/v1/rows/{row}/books/{book_id}")]
async fn find(
    At((row, book_id)): At<(u32, String)>,
    Query(asked): Queried,
) -> Result<Json<Book>, ShelfError> {
    match &*book_id {
        "lost" => Err(ShelfError::NotFound),
        "full" => Err(ShelfError::RowFull {
            row,
            books: u64::MAX,
        }),
        _ => Ok(Json(Book {
            book_id,
            row,
            notes: asked
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
            ..Book::default()
        })),
    }
}

#[bridge::rpc(put, "/v1/rows/{row}/books")]
async fn shelve(At(row): At<u32>, Query(asked): Queried, Json(book): Json<Book>) -> Json<Book> {
    let notes = asked
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Json(Book { row, notes, ..book })
}

/// Lends one book after another.
#[bridge::rpc(
    post,
    "/v1/lendings",
    idempotent_by = "Idempotency-Key",
    deadline = "2s"
)]
async fn lend(State(lent): State<Arc<AtomicU32>>, Json(asked): Json<LendRequest>) -> Json<Lending> {
    Clock::system()
        .sleep(Duration::from_millis(asked.ms.into()))
        .await;
    Json(Lending {
        nth: lent.fetch_add(1, Ordering::SeqCst) + 1,
    })
}

fn app() -> bridge::Observed {
    let app = Router::new()
        .route("/v1/rows/{row}/books/{book_id}", get(find))
        .route("/v1/rows/{row}/books", put(shelve))
        .route("/v1/lendings", post(lend))
        .with_state(Arc::new(AtomicU32::new(0)));
    bridge::declare(app, &bridge::handlers![find, shelve, lend])
}

async fn json_calls_hold(what: &str, shelf: &Client<Shelf>) {
    let asked = FindRequest {
        row: 0,
        book_id: "a/b ä".to_owned(),
        with_notes: true,
        tags: vec!["x&y".to_owned(), "z".to_owned()],
        genre: Genre::Poetry,
        year_min: Some(-9_007_199_254_740_993),
        number_of: Some(Pages { at_least: u64::MAX }),
    };
    let found = shelf.find(asked).await.expect("found");
    assert_eq!((found.row, &*found.book_id), (0, "a/b ä"), "{what}");
    let mut notes = found.notes;
    notes.sort();
    let expected = [
        "genre=GENRE_POETRY",
        "numberOf.atLeast=18446744073709551615",
        "tags=x&y",
        "tags=z",
        "withNotes=true",
        "yearMin=-9007199254740993",
    ];
    assert_eq!(notes, expected, "{what}");

    let book = Book {
        book_id: "b-1".to_owned(),
        genre: Genre::Poetry,
        printed_year: i64::MIN,
        cover_image: vec![0, 255].into(),
        ..Book::default()
    };
    let put = PutRequest {
        row: 7,
        book: Some(book.clone()),
        is_gift: true,
    };
    let put = shelf.put(put).await.expect("put");
    let notes = vec!["isGift=true".to_owned()];
    assert_eq!(
        put,
        Book {
            row: 7,
            notes,
            ..book
        },
        "{what}"
    );

    let ask = |book_id: &str| {
        let book_id = book_id.to_owned();
        shelf.find(FindRequest {
            row: 3,
            book_id,
            ..FindRequest::default()
        })
    };
    let full = ask("full").await.expect_err("full");
    assert_eq!(full.code(), ErrorCode::Handler, "{what}: {full}");
    let Some(ShelfError::RowFull { row, books }) = full.business() else {
        panic!("{what}: {full}");
    };
    assert_eq!((row, books), (3, u64::MAX), "{what}");
    let lost = ask("lost").await.expect_err("lost");
    assert_eq!(lost.code(), ErrorCode::NotFound, "{what}: {lost}");
    assert!(
        matches!(lost.business(), Some(ShelfError::NotFound)),
        "{what}: {lost}"
    );
    let nameless = ask("").await.expect_err("no path");
    assert_eq!(nameless.code(), ErrorCode::Validation, "{what}: {nameless}");
    keys_and_deadlines_hold(what, shelf).await;
}

async fn keys_and_deadlines_hold(what: &str, shelf: &Client<Shelf>) {
    let lend = |book_id: &str, ms| {
        let book_id = book_id.to_owned();
        shelf.lend(LendRequest { book_id, ms })
    };
    let first = lend("b-1", 0)
        .idempotency_key("k")
        .with_meta()
        .await
        .expect("lent");
    assert_eq!((first.nth, first.is_replayed()), (1, false), "{what}");
    let again = lend("b-1", 0)
        .idempotency_key("k")
        .with_meta()
        .await
        .expect("lent");
    assert_eq!((again.nth, again.is_replayed()), (1, true), "{what}");
    let other = lend("b-2", 0)
        .idempotency_key("k")
        .await
        .expect_err("another request");
    assert!(
        !other.retryable() && other.code() != ErrorCode::Handler,
        "{what}: {other}"
    );
    assert_eq!(lend("b-1", 0).await.expect("lent").nth, 2, "{what}");
    // The server's own deadline answers as 504; the caller's cuts off.
    let late = lend("b-1", 60_000)
        .await
        .expect_err("too late for the server");
    assert_eq!(late.code(), ErrorCode::Timeout, "{what}: {late}");
    let late = lend("b-1", 60_000)
        .timeout(Duration::from_millis(100))
        .await;
    assert_eq!(
        late.expect_err("too late").code(),
        ErrorCode::Timeout,
        "{what}"
    );
}

#[tokio::test]
async fn a_generated_client_calls_annotated_handlers_over_json_and_in_process() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app()).await });
    let remote = Remote::json(&url).expect("a URL");
    json_calls_hold("over a socket", &remote.client::<Shelf>()).await;
    json_calls_hold("in process", &Remote::app(app()).client::<Shelf>()).await;
    // It is no gRPC server, whatever the client hoped for.
    let grpc = Remote::grpc(&url).expect("a URL").client::<Shelf>();
    let refused = grpc
        .lend(LendRequest::default())
        .await
        .expect_err("no gRPC");
    assert!(
        refused
            .to_string()
            .contains(url.trim_start_matches("http://")),
        "{refused}"
    );
}

#[tokio::test]
async fn a_generated_client_calls_a_stock_grpc_server() {
    let prepared = tokio::task::spawn_blocking(prepared).await;
    let (python, stubs) = prepared.expect("python can be prepared");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/plain.py");
    let mut command = Command::new(python);
    command.arg(script).env("PYTHONPATH", stubs);
    let server = Process::spawn_open("python", &mut command);
    let listening = |line: &str| said(line, "listening");
    let listening = server
        .line(Duration::from_secs(60), "port", listening)
        .await;
    let url = format!("http://127.0.0.1:{}", listening["port"]);
    let desk = Remote::grpc(&url).expect("a URL").client::<Desk>();

    let echo = |text: &str| {
        desk.echo(EchoRequest {
            text: text.to_owned(),
        })
    };
    let call = echo("hello").idempotency_key("k-1").request_id("r-1");
    let reply = call
        .timeout(Duration::from_secs(9))
        .with_meta()
        .await
        .expect("answers");
    assert_eq!(reply.text, "python: hello");
    assert_eq!(
        (&*reply.idempotency_key, &*reply.request_id),
        ("k-1", "r-1")
    );
    assert!(
        (1..=9_000).contains(&reply.remaining_ms),
        "{}",
        reply.remaining_ms
    );
    assert!(!reply.is_replayed());
    assert!(
        echo("again")
            .with_meta()
            .await
            .expect("answers")
            .is_replayed()
    );

    let judge = |verdict: &str| {
        desk.judge(JudgeRequest {
            verdict: verdict.to_owned(),
        })
    };
    let refused = judge("refuse").await.expect_err("refuses");
    assert_eq!(refused.code(), ErrorCode::Handler, "{refused}");
    assert_eq!(
        (refused.handler_code(), refused.message()),
        (Some("NOT_TODAY"), "python says no")
    );
    let busy = judge("reject").await.expect_err("rejects");
    assert_eq!(
        (busy.code(), busy.retryable()),
        (ErrorCode::Overloaded, true)
    );
    let broken = judge("panic").await.expect_err("breaks");
    assert_eq!(broken.code(), ErrorCode::Internal, "{broken}");
    let absent = desk
        .wait(WaitRequest { ms: 0 })
        .await
        .expect_err("not served");
    assert_eq!(absent.code(), ErrorCode::NotFound, "{absent}");
}

on_both_databases! {
    async fn a_repeat_is_told_to_be_one_on_every_way(world: World) {
        let journal = world.scratch().join("journal");
        let _till = world.peer(&["till", "till", &journal.to_string_lossy()]).await;
        let _desk = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let (till, desk) = (builder.client::<Till>(), builder.client::<Desk>());
        let bridge = builder.start().await.expect("starts");
        for transport in [Transport::Direct, Transport::Proxy] {
            let order_id = format!("{transport:?}");
            let charge = || {
                let order_id = order_id.clone();
                let request = ChargeRequest { order_id, cents: 5, ms: 0 };
                till.charge(request).transport(transport).with_meta()
            };
            let (first, again) = (charge().await.expect("charged"), charge().await.expect("charged"));
            assert_eq!((first.is_replayed(), again.is_replayed()), (false, true), "{transport:?}");
            assert_eq!(first.into_message(), again.into_message());
        }
        // The proxy knows a repeat of any method by its key.
        let wait = || {
            let call = desk.wait(WaitRequest { ms: 0 }).transport(Transport::Proxy);
            call.idempotency_key("k").with_meta()
        };
        let (first, again) = (wait().await.expect("answers"), wait().await.expect("answers"));
        assert_eq!((first.is_replayed(), again.is_replayed()), (false, true));
        bridge.stop().await;
    }
}
