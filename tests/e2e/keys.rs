//! Keys that do not fit, each told from the others.

use std::time::Duration;

use bridge::{Bridge, Error, ErrorCode};
use bridge_runtime::config::Config;
use bridge_runtime::server::Runtime;
use contract::clock::Clock;
use contract::grpc::v1::ProvisionRequest;
use contract::grpc::v1::bootstrap_client::BootstrapClient;
use contract::key::{Secret, ServiceKey};
use tonic::Code;

use crate::harness::{Database, World, certificate_request, on_both_databases, stranger};

async fn refusal(world: &World, key: &str) -> Error {
    let builder = Bridge::builder("orders").runtime(world.address(), key);
    builder
        .caller_only()
        .start()
        .await
        .expect_err("this key is no good")
}

fn altered(key: &str, change: impl FnOnce(&mut ServiceKey)) -> String {
    let mut key: ServiceKey = key.parse().expect("a key");
    change(&mut key);
    key.to_text()
}

on_both_databases! {
    async fn every_key_that_does_not_fit_is_refused_in_its_own_words(world: World) {
        let key = world.key("orders").await;
        let elsewhere = World::start(Database::sqlite()).await;
        let foreign = elsewhere.key("orders").await;
        let truncated = refusal(&world, &key[..key.len() - 20]).await;
        assert_eq!(truncated.code(), ErrorCode::Config);
        let wrong = altered(&key, |it| it.secret = Secret::new(vec![7; 32]));
        let wrong = refusal(&world, &wrong).await;
        assert_eq!(wrong.code(), ErrorCode::AccessDenied);
        let unknown = altered(&key, |it| it.key_id = vec![7; 8]);
        let unknown = refusal(&world, &unknown).await;
        assert_eq!(unknown.to_string(), wrong.to_string(), "a guess learns nothing");
        let foreign = refusal(&world, &foreign).await;
        assert_eq!(foreign.code(), ErrorCode::Config);
        assert!(foreign.to_string().contains("another runtime"), "{foreign}");
        let other = world.key("payments").await;
        let other = refusal(&world, &other).await;
        assert_eq!(other.code(), ErrorCode::Config, "{other}");
        assert!(other.to_string().contains("payments"), "{other}");
        world.revoke("orders").await;
        let revoked = refusal(&world, &key).await;
        assert_eq!(revoked.code(), ErrorCode::AccessDenied);
        assert!(revoked.to_string().contains("revoked"), "{revoked}");
        let texts = [&truncated, &wrong, &foreign, &other, &revoked].map(ToString::to_string);
        for (at, text) in texts.iter().enumerate() {
            assert!(!texts[..at].contains(text), "said twice: {text}");
            assert!(!text.contains("sb."), "shows the key: {text}");
            println!("{text}");
        }
    }

    async fn a_request_not_signed_by_its_own_key_is_refused(world: World) {
        let text = world.key("orders").await;
        let key: ServiceKey = text.parse().expect("a key");
        let (_, good) = certificate_request();
        let mut forged = good.clone();
        *forged.last_mut().expect("not empty") ^= 1;
        let truncated = good[..good.len() / 2].to_vec();
        for csr_der in [forged, truncated, Vec::new(), vec![0x30; 100_000]] {
            let channel = stranger(&world.address(), &text).await;
            let origin = channel.origin();
            let request = ProvisionRequest {
                key_id: key.key_id.clone(),
                secret: key.secret.expose().to_vec(),
                csr_der,
            };
            let refused = BootstrapClient::with_origin(channel, origin).provision(request).await;
            let refused = refused.expect_err("refused");
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
            assert!(refused.message().contains("certificate request"), "{refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_whose_clock_is_days_ahead_is_told_from_a_foreign_one() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let now = Clock::system().now();
    let (clock, hand) = Clock::manual(now + Duration::from_secs(3 * 24 * 3600));
    let ticking = tokio::spawn(async move {
        let mut beat = Clock::system().interval(Duration::from_millis(10));
        loop {
            beat.tick().await;
            hand.advance(Duration::from_millis(10));
        }
    });
    let any = Some("127.0.0.1:0".to_owned());
    let runtime = Runtime::start(Config {
        clock,
        listen: any.clone(),
        console_listen: any.clone(),
        export_listen: any,
        ..Config::new(folder.path().join("data"))
    });
    let runtime = runtime.await.expect("starts");
    let made = runtime.operator().create_service("orders").await;
    let address = runtime.grpc_addr().to_string();
    let builder = Bridge::builder("orders").runtime(address, made.expect("created").key);
    let builder = builder.start_timeout(Duration::from_secs(2)).caller_only();
    let refused = builder.start().await.expect_err("not valid yet");
    assert_eq!(
        refused.code(),
        ErrorCode::Timeout,
        "clocks can be set right"
    );
    assert!(
        refused.to_string().contains("compare the clocks"),
        "{refused}"
    );
    ticking.abort();
}
