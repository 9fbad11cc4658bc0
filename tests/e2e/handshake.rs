//! Who is refused before a request: plaintext, strangers, certificates of another authority.

use std::io;
use std::time::Duration;

use bridge::ServiceId;
use contract::clock::Clock;
use contract::grpc::v1;
use contract::grpc::v1::control_client::ControlClient;
use contract::grpc::v1::invoke_client::InvokeClient;
use contract::grpc::v1::registry_client::RegistryClient;
use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::tls::{Leaf, Peer, client_config};
use rustls::AlertDescription;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::{Code, Status};

use crate::harness::{Database, Member, World, foreign_member, stranger};

const ANSWER_MAX: Duration = Duration::from_secs(5);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// What a server says to a client that shook hands as `leaf`: its alert, or bytes it sent.
async fn greeting(
    endpoint: &str,
    ca_der: &[u8],
    leaf: Option<&Leaf>,
    expected: Peer,
) -> Result<Vec<u8>, io::Error> {
    let tls = client_config(ca_der, leaf, expected).expect("an authority");
    let socket = TcpStream::connect(endpoint).await?;
    let name = ServerName::try_from("servicebridge.peer").expect("a name");
    let talk = async {
        let mut stream = TlsConnector::from(tls).connect(name, socket).await?;
        stream.write_all(PREFACE).await?;
        let mut said = vec![0; 64];
        let count = stream.read(&mut said).await?;
        said.truncate(count);
        Ok(said)
    };
    let answer = Clock::system().timeout(ANSWER_MAX, talk).await;
    answer.expect("the server decides at once")
}

fn alert(answer: Result<Vec<u8>, io::Error>) -> AlertDescription {
    let error = answer.expect_err("refused in the handshake");
    let tls = error
        .get_ref()
        .and_then(|it| it.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::AlertReceived(alert)) => *alert,
        other => panic!("not an alert: {other:?} ({error})"),
    }
}

async fn plaintext_is_cut_off(endpoint: &str) {
    let mut socket = TcpStream::connect(endpoint).await.expect("it listens");
    socket.write_all(PREFACE).await.expect("taken");
    let mut said = Vec::new();
    let clock = Clock::system();
    let read = clock.timeout(ANSWER_MAX, socket.read_to_end(&mut said));
    let ended = read.await;
    // A reset is as good as an end.
    assert!(ended.is_ok(), "the server ends it");
    assert!(
        said.is_empty() || said[0] == 0x15,
        "at most a TLS alert: {said:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plaintext_and_foreign_certificates_are_refused_in_the_handshake_on_both_ports() {
    let world = World::start(Database::sqlite()).await;
    let desk = world.desk("desk").await;
    let endpoint = world.endpoint("desk", &desk.instance).await;
    let member = Member::provision(&world.address(), &world.key("orders").await).await;
    let foreign = foreign_member(&member);
    let instance = Peer::Service {
        service: desk.service.parse().expect("a UUID"),
        instance: desk.instance.parse().expect("a UUID"),
    };
    for (address, expected) in [
        (world.address(), Peer::Runtime),
        (endpoint.clone(), instance),
    ] {
        plaintext_is_cut_off(&address).await;
        let own = greeting(&address, &member.ca_der, Some(&member.leaf), expected).await;
        assert!(!own.expect("a member is let in").is_empty());
        let refused = greeting(&address, &member.ca_der, Some(&foreign.leaf), expected).await;
        let refused = alert(refused);
        let kinds = [AlertDescription::UnknownCA, AlertDescription::DecryptError];
        assert!(kinds.contains(&refused), "{refused:?}");
    }
    let bare = greeting(&endpoint, &member.ca_der, None, instance).await;
    assert_eq!(alert(bare), AlertDescription::CertificateRequired);
    // The other way round: whoever answers at an instance's address must be that instance.
    let somebody = Peer::Service {
        service: desk.service.parse::<ServiceId>().expect("a UUID"),
        instance: member.instance,
    };
    let other = greeting(&endpoint, &member.ca_der, Some(&member.leaf), somebody).await;
    assert!(other.is_err(), "another instance than the expected one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_certificate_the_runtime_answers_provisioning_only() {
    let world = World::start(Database::sqlite()).await;
    let key = world.key("orders").await;
    let channel = stranger(&world.address(), &key).await;
    let origin = channel.origin();
    let mut control = ControlClient::with_origin(channel.clone(), origin.clone());
    let mut registry = RegistryClient::with_origin(channel.clone(), origin.clone());
    let mut invoke = InvokeClient::with_origin(channel.clone(), origin.clone());
    let mut telemetry = TelemetryClient::with_origin(channel, origin);
    let open = v1::OpenRequest {
        protocol_version: 1,
        ..Default::default()
    };
    let refused: [(&str, Option<Status>); 11] = [
        ("Open", control.open(open).await.err()),
        (
            "RefreshCert",
            control
                .refresh_cert(v1::RefreshCertRequest::default())
                .await
                .err(),
        ),
        (
            "RegisterAndWatch",
            registry
                .register_and_watch(v1::RegisterRequest::default())
                .await
                .err(),
        ),
        (
            "Invoke.Unary",
            invoke.unary(v1::InvokeRequest::default()).await.err(),
        ),
        (
            "Invoke.Stream",
            invoke.stream(v1::InvokeRequest::default()).await.err(),
        ),
        (
            "Report",
            telemetry.report(tokio_stream::empty()).await.err(),
        ),
        (
            "ListTraces",
            telemetry
                .list_traces(v1::ListTracesRequest::default())
                .await
                .err(),
        ),
        (
            "GetTrace",
            telemetry
                .get_trace(v1::GetTraceRequest::default())
                .await
                .err(),
        ),
        (
            "GetOperation",
            telemetry
                .get_operation(v1::GetOperationRequest::default())
                .await
                .err(),
        ),
        (
            "GetPayload",
            telemetry
                .get_payload(v1::GetPayloadRequest::default())
                .await
                .err(),
        ),
        (
            "QueryLogs",
            telemetry
                .query_logs(v1::QueryLogsRequest::default())
                .await
                .err(),
        ),
    ];
    for (method, status) in refused {
        let code = status.map(|it| it.code());
        assert_eq!(code, Some(Code::Unauthenticated), "{method}");
    }
    let metrics = telemetry
        .query_metrics(v1::QueryMetricsRequest::default())
        .await;
    assert_eq!(
        metrics.err().map(|it| it.code()),
        Some(Code::Unauthenticated)
    );
    Member::provision(&world.address(), &key).await;
}
