//! What a runtime keeps of answers over HTTP, and for whom: a key is free after a request that was
//! refused, and a repeat at another instance has the headers of the first answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use bridge::Bridge;
use reqwest::header::HeaderMap;

use crate::harness::{World, on_both_databases};
use crate::idempotency;

type Written = Arc<AtomicUsize>;

#[derive(serde::Deserialize)]
struct NewInvoice {
    cents: u64,
}

#[derive(Debug, bridge::Error)]
enum InvoiceError {
    #[bridge(status = 409, retryable)]
    Closed,
}

#[bridge::rpc(
    post,
    "/invoices",
    idempotent_by = "Idempotency-Key",
    idempotent_within = "X-Tenant"
)]
async fn write_invoice(
    State(written): State<Written>,
    Json(new): Json<NewInvoice>,
) -> Result<impl IntoResponse, InvoiceError> {
    let number = written.fetch_add(1, Ordering::SeqCst) + 1;
    if new.cents == 0 {
        return Err(InvoiceError::Closed);
    }
    let headers = [
        ("content-disposition", "attachment; filename=invoice.txt"),
        ("access-control-allow-origin", "https://shop.example"),
        ("vary", "Origin"),
        ("x-of-the-shop", "yes"),
        ("set-cookie", "session=secret"),
    ];
    Ok((headers, format!("invoice {number}")))
}

async fn open(world: &World, written: &Written) -> (Bridge, String) {
    let app = Router::new().route("/invoices", post(write_invoice));
    let app = app.with_state(written.clone());
    let (bridge, url) = idempotency::open(world, bridge::handlers![write_invoice], app).await;
    (bridge, format!("{url}/invoices"))
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn has(&self, name: &str, value: &str) -> bool {
        self.headers.get(name).is_some_and(|it| it == value)
    }
}

async fn write(url: &str, tenant: &str, body: &'static str) -> Answer {
    let request = reqwest::Client::new().post(url);
    let request = request
        .header("idempotency-key", "k")
        .header("x-tenant", tenant);
    let request = request.header("content-type", "application/json");
    let response = request.body(body).send().await.expect("it answers");
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.expect("a body"),
    }
}

on_both_databases! {
    async fn a_key_is_free_at_every_instance_after_requests_that_did_nothing(world: World) {
        let written = Written::default();
        let (one, first) = open(&world, &written).await;
        let (two, second) = open(&world, &written).await;
        let refusals = [("{", 400), (r#"{"cents":"many"}"#, 422), (r#"{"cents":0}"#, 409)];
        for (body, status) in refusals {
            let refused = write(&first, "a", body).await;
            assert_eq!(refused.status, status, "{}", refused.text);
            assert!(refused.has("idempotency-stored", "false"), "{:?}", refused.headers);
        }
        let mended = write(&second, "a", r#"{"cents":5}"#).await;
        assert_eq!((mended.status, &*mended.text), (200, "invoice 2"));
        let other = write(&first, "a", r#"{"cents":6}"#).await;
        assert_eq!(other.status, 422, "now the key is used: {}", other.text);
        let of_another = write(&first, "b", r#"{"cents":6}"#).await;
        assert_eq!((of_another.status, &*of_another.text), (200, "invoice 3"));
        one.stop().await;
        two.stop().await;
    }

    async fn a_repeat_at_another_instance_has_the_headers_of_the_first_answer(world: World) {
        let written = Written::default();
        let (one, first) = open(&world, &written).await;
        let (two, second) = open(&world, &written).await;
        let answer = write(&first, "a", r#"{"cents":5}"#).await;
        assert!(answer.has("set-cookie", "session=secret"));
        let again = write(&second, "a", r#"{"cents":5}"#).await;
        assert_eq!((again.status, &again.text), (200, &answer.text));
        assert!(again.has("idempotency-replayed", "true"));
        assert!(!again.headers.contains_key("set-cookie"));
        let kept = [
            "content-disposition",
            "access-control-allow-origin",
            "vary",
            "x-of-the-shop",
            "content-type",
        ];
        for name in kept {
            assert_eq!(again.headers.get(name), answer.headers.get(name), "{name}");
        }
        assert_eq!(written.load(Ordering::SeqCst), 1);
        one.stop().await;
        two.stop().await;
    }
}
