//! Patience and its limits: what is sent again, what is not, and what is counted as lost.

use std::time::Duration;

use contract::clock::Clock;
use http::StatusCode;
use prost::Message;
use tokio::net::TcpListener;

use super::collector::{Collector, Service, grpc};
use super::wire::{ExportResponse, Partial};
use crate::{Counts, Fault, Health, Otlp, Protocol};

/// Waits until the exporter waits for `count` points in time.
async fn sleepers(service: &Service, count: usize) {
    while service.hand.sleepers() < count {
        tokio::task::yield_now().await;
    }
}

/// Waits until this many exports have failed in a row.
async fn failures(otlp: &Otlp, count: u64) {
    let enough = |health| matches!(health, Health::Degraded { failures, .. } if failures >= count);
    while !enough(otlp.health()) {
        tokio::task::yield_now().await;
    }
}

fn reason(health: &Health) -> &Fault {
    match health {
        Health::Degraded { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_recorded_arrives_and_is_counted() {
    for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
        let (service, collector) = (Service::new(), Collector::start().await);
        let builder = service.builder(collector.port, protocol);
        let otlp = builder.build(&service.recorder).expect("an exporter");
        service.serve(5).await;
        otlp.flush().await.expect("sent");
        assert_eq!(collector.spans().len(), 5);
        assert_eq!(otlp.health(), Health::Healthy);
        let (sent, metrics_sent) = (5, 1);
        let expected = Counts {
            sent,
            metrics_sent,
            ..Counts::default()
        };
        assert_eq!(otlp.counts(), expected);
        assert!(!collector.metrics().is_empty());
    }
}

#[tokio::test]
async fn a_collector_that_comes_late_gets_everything() {
    let service = Service::new();
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = closed.local_addr().expect("an address");
    drop(closed);
    let builder = service.builder(address.port(), Protocol::HttpProtobuf);
    let otlp = builder.build(&service.recorder).expect("an exporter");
    service.serve(2).await;
    let fault = otlp.flush().await.expect_err("nobody there");
    assert!(matches!(fault, Fault::Unreachable { .. }), "{fault}");
    assert!(
        fault.to_string().contains("does a collector listen there?"),
        "{fault}"
    );
    assert!(matches!(reason(&otlp.health()), Fault::Unreachable { .. }));

    let collector = Collector::on(TcpListener::bind(address).await.expect("the same port"));
    // The pause between two attempts ends when its time has come.
    sleepers(&service, 1).await;
    service.hand.advance(Duration::from_secs(1));
    otlp.flush().await.expect("sent");
    assert_eq!(collector.spans().len(), 2);
    assert_eq!(otlp.health(), Health::Healthy);
    assert_eq!((otlp.counts().sent, otlp.counts().dropped), (2, 0));
}

#[tokio::test]
async fn a_busy_collector_is_asked_again_when_it_says_and_not_before() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let otlp = service.exported(&collector);
    otlp.check().await.expect("taken");
    let before = collector.seen().len();
    let busy = || (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "20")]);
    collector.answer_next(busy());
    service.serve(1).await;
    service.recorder.flush();
    sleepers(&service, 1).await;
    service.hand.advance(Duration::from_secs(1));
    collector.have(before + 1).await;
    // Even somebody in a hurry is told to wait.
    let fault = otlp.check().await.expect_err("busy");
    assert!(matches!(&fault, Fault::Busy { again_in: Some(it), .. } if it.as_secs() == 20));
    assert_eq!(collector.seen().len(), before + 1);
    sleepers(&service, 1).await;
    service.hand.advance(Duration::from_secs(20));
    let seen = collector.have(before + 2).await;
    assert_eq!(seen[before].body, seen[before + 1].body, "the same request");
    otlp.flush().await.expect("sent");
    assert_eq!(otlp.counts().sent, 1);
}

#[tokio::test]
async fn what_a_collector_refuses_is_not_sent_again() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let otlp = service.exported(&collector);
    otlp.check().await.expect("taken");
    let before = collector.seen().len();
    // Metrics go first; the spans behind them are refused.
    collector.answer_next(());
    collector.answer_next((StatusCode::BAD_REQUEST, "no such tenant"));
    service.serve(3).await;
    let fault = otlp.flush().await.expect_err("refused");
    assert!(
        fault
            .to_string()
            .contains("(400 Bad Request): no such tenant"),
        "{fault}"
    );
    service.serve(1).await;
    otlp.flush().await.expect("sent");
    assert_eq!(collector.seen().len(), before + 4);
    assert_eq!((otlp.counts().sent, otlp.counts().rejected), (1, 3));
    assert_eq!(otlp.health(), Health::Healthy);
}

#[tokio::test]
async fn a_partial_success_is_counted_in_parts() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let otlp = service.exported(&collector);
    otlp.check().await.expect("taken");
    let partial = Partial {
        rejected: 2,
        message: "too old".to_owned(),
    };
    let partial = ExportResponse {
        partial: Some(partial),
    };
    collector.answer_next(());
    collector.answer_next(partial.encode_to_vec());
    service.serve(5).await;
    otlp.flush().await.expect("sent");
    assert_eq!((otlp.counts().sent, otlp.counts().rejected), (3, 2));
}

#[tokio::test]
async fn a_collector_that_stays_away_is_given_up_after_five_minutes() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let builder = service.builder(collector.port, Protocol::Grpc);
    let otlp = builder.build(&service.recorder).expect("an exporter");
    otlp.check().await.expect("taken");
    for _ in 0..20 {
        collector.answer_next(grpc(14, "away"));
    }
    service.serve(4).await;
    service.recorder.flush();
    sleepers(&service, 1).await;
    service.hand.advance(Duration::from_secs(1));
    // The pause between two attempts is at most half a minute.
    for tries in 1..=10 {
        failures(&otlp, tries).await;
        sleepers(&service, 1).await;
        assert_eq!(otlp.counts().dropped, 0);
        service.hand.advance(Duration::from_secs(30));
    }
    failures(&otlp, 11).await;
    while otlp.counts().dropped == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(otlp.counts().dropped, 4);
}

#[tokio::test]
async fn a_full_queue_drops_the_oldest_and_counts_them() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let builder = service.builder(collector.port, Protocol::HttpProtobuf);
    let otlp = builder
        .queue_bytes(0)
        .build(&service.recorder)
        .expect("an exporter");
    otlp.check().await.expect("taken");
    collector.answer_next((StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "100")]));
    service.serve(1).await;
    service.recorder.flush();
    sleepers(&service, 1).await;
    service.hand.advance(Duration::from_secs(1));
    failures(&otlp, 1).await;
    sleepers(&service, 1).await;
    // One request is under way; the queue holds the least that it can.
    for _ in 0..10 {
        service.serve(500).await;
        service.recorder.flush();
    }
    let dropped = otlp.counts().dropped;
    assert!((1_000..5_000).contains(&dropped), "{dropped}");
    service.hand.advance(Duration::from_secs(100));
    while otlp.counts().sent == 0 {
        tokio::task::yield_now().await;
    }
    otlp.flush().await.expect("sent");
    let counts = otlp.counts();
    assert_eq!(
        (counts.sent + counts.dropped, counts.dropped),
        (5_001, dropped)
    );
    assert_eq!(
        collector.spans().len() as u64,
        counts.sent + 1,
        "one was sent twice"
    );
}

#[tokio::test]
async fn an_exporter_whose_recorder_is_gone_sends_the_rest_and_ends() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let otlp = service.exported(&collector);
    service.serve(2).await;
    service.recorder.flush();
    let shared = otlp.shared.clone();
    drop((otlp, service));
    while shared.death().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(collector.spans().len(), 2);
    assert_eq!(shared.counters.read().sent, 2);
    let Health::Dead { reason, .. } = shared.pulse.read() else {
        panic!("dead");
    };
    assert_eq!(reason, "its recorder is gone");
}

#[tokio::test]
async fn an_exporter_whose_thread_dies_says_so() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let builder = service.builder(collector.port, Protocol::HttpProtobuf);
    let builder = builder.on_health(|health| {
        assert!(
            !matches!(health, Health::Degraded { .. }),
            "a hook that cannot bear bad news"
        );
    });
    let otlp = builder.build(&service.recorder).expect("an exporter");
    otlp.check().await.expect("taken");
    collector.answer_next(StatusCode::FORBIDDEN);
    let fault = otlp.check().await.expect_err("dead");
    assert!(fault.to_string().contains("its thread panicked"), "{fault}");
    assert!(matches!(otlp.health(), Health::Dead { .. }));
    service.serve(3).await;
    let fault = otlp.flush().await.expect_err("still dead");
    assert!(matches!(fault, Fault::Stopped { .. }), "{fault}");
    assert_eq!(otlp.counts().dropped, 3);
}

#[tokio::test]
async fn a_collector_that_does_not_answer_is_not_waited_for() {
    let service = Service::new();
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let builder = service
        .builder(port, Protocol::HttpProtobuf)
        .timeout(Duration::from_secs(3));
    let otlp = builder.build(&service.recorder).expect("an exporter");
    let (kept, _) = silent.accept().await.expect("a connection");
    sleepers(&service, 1).await;
    service.hand.advance(Duration::from_secs(3));
    // The check comes after the self-test, which has just been given up.
    let checked = tokio::spawn(async move { (otlp.check().await, otlp) });
    let (again, _) = silent.accept().await.expect("a connection");
    sleepers(&service, 1).await;
    service.hand.advance(Duration::from_secs(3));
    let (fault, otlp) = checked.await.expect("checked");
    let fault = fault.expect_err("no answer");
    assert!(
        fault.to_string().ends_with("did not answer within 3s"),
        "{fault}"
    );
    assert!(matches!(reason(&otlp.health()), Fault::Timeout { .. }));
    drop((kept, again));
}

#[tokio::test]
async fn a_connection_that_the_collector_closed_is_made_anew() {
    let clock = Clock::system();
    let (service, collector) = (Service::new(), Collector::behind(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let otlp = service
        .builder(port, Protocol::HttpProtobuf)
        .build(&service.recorder);
    let otlp = otlp.expect("an exporter");
    for _ in 0..3 {
        let checked = tokio::spawn({
            let otlp = otlp.clone();
            async move { otlp.check().await }
        });
        let (socket, _) = listener.accept().await.expect("a new connection");
        let io = hyper_util::rt::TokioIo::new(socket);
        let service = hyper_util::service::TowerToHyperService::new(collector.router());
        let http = hyper::server::conn::http1::Builder::new();
        let served = http.serve_connection(io, service);
        // Answers what comes at once, then hangs up.
        let _ = clock.timeout(Duration::from_millis(200), served).await;
        checked.await.expect("checked").expect("taken");
    }
    assert_eq!(otlp.health(), Health::Healthy);
}
