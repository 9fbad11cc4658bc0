//! The self-test in words: each thing that is usually wrong is told apart from the others.

use std::sync::Arc;

use http::StatusCode;
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::collector::{Collector, Service};
use crate::{Builder, Fault, Health, OtlpExporter, Protocol};

async fn fault(service: &Service, builder: Builder) -> Fault {
    let otlp = builder.build(&service.recorder).expect("an exporter");
    let fault = otlp.check().await.expect_err("a fault");
    assert!(matches!(otlp.health(), Health::Degraded { reason, .. } if reason == fault));
    fault
}

/// A collector that speaks TLS with a certificate of its own making; the authority as PEM.
async fn secure(protocol: Protocol) -> (Collector, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let alpn: &[u8] = match protocol {
        Protocol::HttpProtobuf => b"http/1.1",
        Protocol::Grpc => b"h2",
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let collector = Collector::behind(listener.local_addr().expect("an address").port());
    let (acceptor, router) = (TlsAcceptor::from(Arc::new(config)), collector.router());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(socket).await else {
                continue;
            };
            let io = hyper_util::rt::TokioIo::new(stream);
            let service = hyper_util::service::TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let _ = match protocol {
                    Protocol::HttpProtobuf => {
                        let http = hyper::server::conn::http1::Builder::new();
                        http.serve_connection(io, service).await
                    }
                    Protocol::Grpc => {
                        let executor = hyper_util::rt::TokioExecutor::new();
                        let http = hyper::server::conn::http2::Builder::new(executor);
                        http.serve_connection(io, service).await
                    }
                };
            });
        }
    });
    (collector, made.cert.pem())
}

fn https(service: &Service, port: u16, protocol: Protocol) -> Builder {
    OtlpExporter::builder()
        .endpoint(format!("https://localhost:{port}"))
        .protocol(protocol)
        .clock(&service.clock)
}

#[tokio::test]
async fn a_wrong_path_and_a_wrong_key_are_told_apart() {
    for (status, said) in [
        (
            StatusCode::NOT_FOUND,
            "/v1/traces is not there (404): check the path, or the port",
        ),
        (
            StatusCode::UNAUTHORIZED,
            "refuses the credentials (401 Unauthorized): check the headers",
        ),
    ] {
        let (service, collector) = (Service::new(), Collector::start().await);
        collector.answer_next(status);
        collector.answer_next(status);
        let builder = service.builder(collector.port, Protocol::HttpProtobuf);
        let fault = fault(&service, builder).await.to_string();
        assert!(fault.ends_with(said), "{fault}");
    }
}

/// Whether its last words or only its hanging up came through is a matter of luck.
fn named(said: &Fault, protocol: &str) {
    assert!(
        matches!(said, Fault::HungUp { .. } | Fault::Protocol { .. }),
        "{said}"
    );
    let said = said.to_string();
    assert!(said.contains(protocol), "{said}");
    assert!(
        said.contains("port 4317 is usual for grpc, 4318 for http/protobuf"),
        "{said}"
    );
}

#[tokio::test]
async fn the_port_of_the_other_protocol_is_named() {
    // Speaks HTTP/1.1 only, as OTLP/HTTP receivers may.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let io = hyper_util::rt::TokioIo::new(socket);
            let router = axum::Router::new();
            let service = hyper_util::service::TowerToHyperService::new(router);
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(io, service));
        }
    });
    let service = Service::new();
    let said = fault(&service, service.builder(port, Protocol::Grpc)).await;
    named(&said, "speak grpc");

    // Speaks HTTP/2 only, as OTLP/gRPC receivers do.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let io = hyper_util::rt::TokioIo::new(socket);
            let router = axum::Router::new();
            let service = hyper_util::service::TowerToHyperService::new(router);
            let executor = hyper_util::rt::TokioExecutor::new();
            let http = hyper::server::conn::http2::Builder::new(executor);
            tokio::spawn(http.serve_connection(io, service));
        }
    });
    let service = Service::new();
    let said = fault(&service, service.builder(port, Protocol::HttpProtobuf)).await;
    named(&said, "speak http/protobuf");
}

#[tokio::test]
async fn a_server_that_speaks_grpc_without_otlp_refuses() {
    let (service, collector) = (Service::new(), Collector::start().await);
    for _ in 0..2 {
        collector.answer_next(super::collector::grpc(12, "unknown service"));
    }
    let builder = service.builder(collector.port, Protocol::Grpc);
    let said = fault(&service, builder).await.to_string();
    assert!(
        said.ends_with("(gRPC status 12): unknown service"),
        "{said}"
    );
}

#[tokio::test]
async fn a_certificate_nobody_knows_is_no_tls_and_one_that_is_given_is_trusted() {
    for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
        let (collector, authority) = secure(protocol).await;
        let service = Service::new();
        let said = fault(&service, https(&service, collector.port, protocol)).await;
        assert!(matches!(said, Fault::Tls { .. }), "{said}");
        assert!(said.to_string().contains("UnknownIssuer"), "{said}");
        assert!(collector.seen().is_empty());

        let service = Service::new();
        let builder = https(&service, collector.port, protocol);
        let builder = builder.certificate_authority(authority.as_bytes());
        let otlp = builder.build(&service.recorder).expect("an exporter");
        service.serve(2).await;
        otlp.flush().await.expect("sent");
        assert_eq!(collector.spans().len(), 2);
    }
}

#[tokio::test]
async fn a_collector_without_tls_behind_https_is_named() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let said = fault(
        &service,
        https(&service, collector.port, Protocol::HttpProtobuf),
    )
    .await;
    assert!(matches!(said, Fault::Tls { .. }), "{said}");
    assert!(
        said.to_string()
            .contains("does the collector speak TLS there"),
        "{said}"
    );
}
