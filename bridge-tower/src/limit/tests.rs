//! Slots around services of a test that answer when they are told to, and around a real server.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use contract::clock::Timestamp;
use http::StatusCode;
use http::header::RETRY_AFTER;
use http_body_util::{BodyExt, Full};
use tokio::sync::Semaphore;
use tower::{ServiceExt, service_fn};

use super::*;

/// A service that answers once the test adds a permit, and counts how often it was called.
#[derive(Clone)]
struct Told {
    go: Arc<Semaphore>,
    calls: Arc<AtomicUsize>,
}

impl Told {
    fn new() -> Self {
        Self {
            go: Arc::new(Semaphore::new(0)),
            calls: Arc::default(),
        }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn limited(
        &self,
        layer: &LimitLayer,
    ) -> impl Service<
        Request<()>,
        Response = Response<SlotBody<Full<Bytes>>>,
        Error = Infallible,
        Future: Sized,
    > + Clone
    + use<> {
        let told = self.clone();
        layer.layer(service_fn(move |_: Request<()>| {
            let told = told.clone();
            told.calls.fetch_add(1, Ordering::Relaxed);
            async move {
                told.go.acquire().await.expect("open").forget();
                Ok(Response::new(Full::from("done")))
            }
        }))
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn load(running: usize, waiting: usize, shed: u64) -> Load {
    Load {
        running,
        waiting,
        shed,
    }
}

async fn shed(answer: Response<SlotBody<Full<Bytes>>>) -> serde_json::Value {
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    serde_json::from_slice(&body).expect("JSON")
}

#[tokio::test]
async fn beyond_slots_and_queue_requests_are_shed_and_never_run() {
    let layer = LimitLayer::new(2)
        .queue(1)
        .retry_after(Duration::from_millis(2_500));
    let told = Told::new();
    let service = told.limited(&layer);
    let ask = || Box::pin(service.clone().oneshot(Request::new(())));
    let (mut first, mut second, mut third) = (ask(), ask(), ask());
    for one in [&mut first, &mut second, &mut third] {
        assert!(poll(one.as_mut()).is_pending());
    }
    assert_eq!(layer.load(), load(2, 1, 0));
    let refused = ask().await.expect("an answer");
    assert_eq!(refused.headers()[RETRY_AFTER], "3");
    let said = shed(refused).await;
    assert_eq!(said["code"], "OVERLOADED");
    assert_eq!((layer.load(), told.calls()), (load(2, 1, 1), 2));
    told.go.add_permits(3);
    drop(first.await.expect("an answer"));
    drop(third.await.expect("an answer"));
    drop(second.await.expect("an answer"));
    assert_eq!((layer.load(), told.calls()), (load(0, 0, 1), 3));
}

#[tokio::test]
async fn a_slot_is_held_until_the_last_byte_of_the_body() {
    let layer = LimitLayer::new(1);
    let told = Told::new();
    let service = told.limited(&layer);
    told.go.add_permits(9);
    let answer = service
        .clone()
        .oneshot(Request::new(()))
        .await
        .expect("an answer");
    assert_eq!(layer.load().running, 1);
    let refused = service
        .clone()
        .oneshot(Request::new(()))
        .await
        .expect("an answer");
    shed(refused).await;
    answer.into_body().collect().await.expect("a body");
    assert_eq!(layer.load().running, 0);
    let dropped = service
        .clone()
        .oneshot(Request::new(()))
        .await
        .expect("an answer");
    assert_eq!(dropped.status(), StatusCode::OK);
    drop(dropped);
    assert_eq!(layer.load().running, 0);
}

#[tokio::test]
async fn an_answer_without_a_body_frees_its_slot_at_once() {
    let layer = LimitLayer::new(1);
    let service = layer.layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let answer = service.oneshot(Request::new(())).await.expect("an answer");
    assert_eq!(layer.load().running, 0);
    drop(answer);
    assert_eq!(layer.load().running, 0);
}

#[tokio::test]
async fn who_waits_is_served_in_order_and_nobody_overtakes() {
    let layer = LimitLayer::new(1).queue(8);
    let order = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let service = layer.layer(service_fn(|request: Request<usize>| {
        let order = order.clone();
        async move {
            order.lock().push(request.into_body());
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("x")))
        }
    }));
    let ask = |number| Box::pin(service.clone().oneshot(Request::new(number)));
    let held = ask(0).await.expect("an answer");
    let (mut one, mut two, mut three) = (ask(1), ask(2), ask(3));
    for waiting in [&mut one, &mut two, &mut three] {
        assert!(poll(waiting.as_mut()).is_pending());
    }
    drop(two);
    assert_eq!(layer.load(), load(1, 2, 0));
    drop(held);
    // The slot is granted already: a newcomer queues behind, even though nobody runs yet.
    let mut newcomer = ask(4);
    assert!(poll(newcomer.as_mut()).is_pending());
    assert_eq!(layer.load(), load(1, 2, 0));
    drop(one.await.expect("an answer"));
    drop(three.await.expect("an answer"));
    drop(newcomer.await.expect("an answer"));
    assert_eq!(*order.lock(), [0, 1, 3, 4]);
    assert_eq!(layer.load(), Load::default());
}

#[tokio::test]
async fn a_granted_slot_that_nobody_picks_up_goes_to_the_next() {
    let layer = LimitLayer::new(1).queue(2);
    let told = Told::new();
    told.go.add_permits(9);
    let service = told.limited(&layer);
    let ask = || Box::pin(service.clone().oneshot(Request::new(())));
    let held = ask().await.expect("an answer");
    let (mut gone, mut next) = (ask(), ask());
    assert!(poll(gone.as_mut()).is_pending() && poll(next.as_mut()).is_pending());
    drop(held);
    drop(gone);
    assert_eq!(next.await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(layer.load(), Load::default());
}

#[tokio::test]
async fn who_waits_too_long_is_shed() {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let layer = LimitLayer::new(1)
        .queue(1)
        .wait(Duration::from_millis(500))
        .clock(&clock);
    let told = Told::new();
    let service = told.limited(&layer);
    let mut held = pin!(service.clone().oneshot(Request::new(())));
    let mut waits = pin!(service.clone().oneshot(Request::new(())));
    assert!(poll(held.as_mut()).is_pending() && poll(waits.as_mut()).is_pending());
    hand.advance(Duration::from_millis(499));
    assert!(poll(waits.as_mut()).is_pending());
    hand.advance(Duration::from_millis(1));
    shed(waits.await.expect("an answer")).await;
    assert_eq!((layer.load(), told.calls()), (load(1, 0, 1), 1));
}

#[tokio::test]
async fn all_services_of_a_layer_share_its_slots() {
    let layer = LimitLayer::new(1);
    let told = Told::new();
    let mut held = pin!(told.limited(&layer).oneshot(Request::new(())));
    assert!(poll(held.as_mut()).is_pending());
    let other = told.limited(&layer.clone());
    shed(other.oneshot(Request::new(())).await.expect("an answer")).await;
}

/// A handler that runs, until it ends or is dropped.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_storm_no_slot_is_lost_and_none_is_made_up() {
    let layer = LimitLayer::new(4).queue(16);
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let service = layer.layer(service_fn({
        let most = most.clone();
        move |_: Request<()>| {
            let (running, most) = (running.clone(), most.clone());
            async move {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                let _running = Running(running);
                most.fetch_max(now, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("x")))
            }
        }
    }));
    let storm = (0..64).map(|at| {
        let service = service.clone();
        tokio::spawn(async move {
            for round in 0..200 {
                let mut answer = Box::pin(service.clone().oneshot(Request::new(())));
                // Some give up at once, wherever they are.
                if (at + round) % 7 == 0 {
                    let _ = poll(answer.as_mut());
                    continue;
                }
                drop(answer.await);
            }
        })
    });
    for task in storm.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    assert!(most.load(Ordering::SeqCst) <= 4);
    assert_eq!((layer.load().running, layer.load().waiting), (0, 0));
}
