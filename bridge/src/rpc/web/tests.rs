//! Connections that get old, against a server that counts them, on a clock that a test moves.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use contract::clock::{ManualClock, Timestamp};
use hyper::service::service_fn;
use tokio::net::TcpListener;

use super::*;
use crate::link::tests::localhost;

/// A server whose answers say `keep-alive` with this; counts its connections.
async fn serve(keep_alive: Option<&'static str>) -> (SocketAddr, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicU32::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let answer = move |_| async move {
                let answer = Response::builder();
                let answer = match keep_alive {
                    Some(said) => answer.header("keep-alive", said),
                    None => answer,
                };
                answer.body(Full::new(Bytes::from_static(b"{}")))
            };
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service_fn(answer));
            tokio::spawn(serving);
        }
    });
    (address, connections)
}

struct Bed {
    web: Web,
    hand: ManualClock,
    connections: Arc<AtomicU32>,
}

impl Bed {
    async fn new(keep_alive: Option<&'static str>) -> Self {
        let (address, connections) = serve(keep_alive).await;
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        Self {
            web: Web::new(address.to_string(), None, clock),
            hand,
            connections,
        }
    }

    /// Asks, and says how many connections there were so far.
    async fn ask(&self) -> u32 {
        let mut request = Request::new(Full::default());
        let host = http::HeaderValue::from_static("localhost");
        request.headers_mut().insert(http::header::HOST, host);
        let deadline = Deadline::after(&self.web.clock, Duration::from_secs(1));
        let answer = self.web.send(request, &deadline).await.unwrap();
        assert!(answer.status().is_success());
        self.connections.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_connection_that_was_not_used_for_a_while_is_not_used_again() {
    let bed = Bed::new(None).await;
    assert_eq!(bed.ask().await, 1);
    bed.hand.advance(UNUSED_MAX - Duration::from_millis(1));
    assert_eq!(bed.ask().await, 1);
    bed.hand.advance(UNUSED_MAX);
    assert_eq!(bed.ask().await, 2);
}

#[tokio::test]
async fn a_server_that_says_how_long_it_waits_is_left_sooner() {
    let bed = Bed::new(Some("max=100, timeout=5")).await;
    assert_eq!(bed.ask().await, 1);
    bed.hand.advance(Duration::from_millis(3_999));
    assert_eq!(bed.ask().await, 1);
    bed.hand.advance(Duration::from_secs(4));
    assert_eq!(bed.ask().await, 2);
    let at_once = Bed::new(Some("timeout=0")).await;
    assert_eq!((at_once.ask().await, at_once.ask().await), (1, 2));
}

#[tokio::test]
async fn a_connection_that_is_always_in_use_is_replaced_after_a_while() {
    let bed = Bed::new(Some("timeout=3600")).await;
    let step = Duration::from_secs(20);
    for _ in 0..AGE_MAX.as_secs() / step.as_secs() {
        assert_eq!(bed.ask().await, 1);
        bed.hand.advance(step);
    }
    assert_eq!(bed.ask().await, 2);
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_given_up_with_nothing_sent() {
    // Connections are taken by the system, and nobody ever says a word on them.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("localhost:{}", mute.local_addr().unwrap().port());
    let (_, _, trusting) = localhost();
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let deadline = Deadline::after(&clock, 2 * CONNECT_TIMEOUT_MAX);
    let web = Web::new(endpoint, Some(trusting), clock);
    let asking = async move { web.send(Request::new(Full::default()), &deadline).await };
    let asking = tokio::spawn(asking);
    while hand.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    hand.advance(CONNECT_TIMEOUT_MAX);
    let error = asking.await.unwrap().unwrap_err();
    assert!(matches!(error, WebError::NotSent(_)), "{error:?}");
}

#[test]
fn a_keep_alive_that_cannot_be_read_says_nothing() {
    for said in ["", "timeout", "timeout=soon", "max=5"] {
        let said = HeaderMap::from_iter([(
            http::HeaderName::from_static("keep-alive"),
            said.parse().unwrap(),
        )]);
        assert_eq!(patience(&said), None, "{said:?}");
    }
}
