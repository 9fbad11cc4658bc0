//! The order of checks, asked at the gRPC service as a peer would reach it.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use contract::clock::ManualClock;
use contract::grpc::v1::registry_event::Kind;
use contract::grpc::v1::{PolicyEvaluation, PolicyRule, RegistryEvent, RegistryUpdate};
use contract::headers::GRPC_TIMEOUT;
use contract::ids::{InstanceId, ServiceId};
use contract::transport::Connection;
use tonic::Code;
use tonic::metadata::MetadataMap;

use super::*;
use crate::handler::{Answer, Refusal, Undecodable};
use crate::options::Reconnect;
use crate::registry::tests::snapshot;
use crate::session::tests::session;

const SERVICE: &str = "0198c0de-0000-7000-8000-0000000000aa";
const INSTANCE: &str = "0198c0de-0000-7000-8000-0000000000bb";

struct Bed {
    inbound: Inbound,
    session: Arc<Session>,
    hand: ManualClock,
    runs: Arc<AtomicU32>,
}

fn bed() -> Bed {
    let (session, hand) = session(Reconnect {
        interval: None,
        attempts: 0,
    });
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let run = Run::Once(Box::new(move |payload: Bytes, context: Context| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(match &*payload {
            b"undecodable" => return Err(Undecodable("bad tag".into())),
            b"business" => Box::pin(async { Err(sold_out()) }),
            b"panic" => Box::pin(async { panic!("secret detail") }),
            b"panic early" => panic!("secret detail"),
            b"hang" => Box::pin(std::future::pending()),
            b"who" => {
                let caller = context.caller().map_or("nobody".to_owned(), |it| {
                    let instance = it
                        .instance
                        .map_or("runtime".to_owned(), |id| id.to_string());
                    format!("{}/{instance}", it.service)
                });
                Box::pin(async move { Ok(caller.into()) })
            }
            _ => Box::pin(async { Ok(payload) }),
        })
    }));
    let methods = [("Charge", run), ("Watch", streams::run())].map(|(name, run)| {
        let idempotent = None;
        (name, Method { run, idempotent })
    });
    let inbound = Inbound::new(session.clone(), HashMap::from(methods));
    Bed {
        inbound,
        session,
        hand,
        runs,
    }
}

fn sold_out() -> Refusal {
    Refusal {
        code: "OUT_OF_STOCK",
        message: "none left".into(),
        is_retryable: false,
    }
}

fn ready() -> Bed {
    let bed = bed();
    bed.session
        .registry
        .apply(snapshot(PolicyEvaluation::default()));
    bed
}

fn service() -> Peer {
    let service: ServiceId = SERVICE.parse().unwrap();
    let instance: InstanceId = INSTANCE.parse().unwrap();
    Peer::Service { service, instance }
}

fn request(peer: Peer, method: &str, payload: &'static [u8]) -> Request<CallRequest> {
    let mut request = Request::new(CallRequest {
        method: method.into(),
        payload: Bytes::from_static(payload),
        ..CallRequest::default()
    });
    let remote = "127.0.0.1:9".parse().unwrap();
    request.extensions_mut().insert(Connection {
        peer,
        certificate: None,
        remote,
    });
    request
}

async fn ask(bed: &Bed, payload: &'static [u8]) -> Result<CallResponse, Status> {
    bed.inbound
        .unary(request(service(), "Charge", payload))
        .await
        .map(Response::into_inner)
}

async fn refusal(bed: &Bed, method: &str) -> (Code, bool) {
    let status = bed
        .inbound
        .unary(request(service(), method, b""))
        .await
        .unwrap_err();
    (
        status.code(),
        contract::transport::is_not_dispatched(&status),
    )
}

#[tokio::test]
async fn a_draining_instance_sends_callers_elsewhere_before_anything_else() {
    let bed = bed();
    assert_eq!(bed.inbound.drain(Duration::ZERO).await, 0);
    assert_eq!(refusal(&bed, "Nothing").await, (Code::Unavailable, true));
}

#[tokio::test]
async fn before_the_first_policy_nobody_is_served() {
    let bed = bed();
    assert_eq!(refusal(&bed, "Charge").await, (Code::Unavailable, true));
    assert_eq!(bed.runs.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_revoked_peer_is_refused_even_where_everybody_may_call() {
    let bed = ready();
    let update = RegistryUpdate {
        revoked_services: vec![SERVICE.into()],
        ..RegistryUpdate::default()
    };
    bed.session.registry.apply(RegistryEvent {
        kind: Some(Kind::Update(update)),
    });
    assert_eq!(
        refusal(&bed, "Charge").await,
        (Code::PermissionDenied, false)
    );
}

#[tokio::test]
async fn acceptance_is_asked_before_the_method_is_looked_up() {
    let bed = ready();
    let rule = PolicyRule {
        action: "rpc.handle".into(),
        target_name: "Charge".into(),
        ..PolicyRule::default()
    };
    let policy = PolicyEvaluation {
        acceptance: vec![rule],
        ..PolicyEvaluation::default()
    };
    bed.session.registry.apply(snapshot(policy));
    assert_eq!(
        refusal(&bed, "Nothing").await,
        (Code::PermissionDenied, false)
    );
    assert!(ask(&bed, b"x").await.is_ok());
}

#[tokio::test]
async fn an_unknown_method_is_not_found_and_a_stream_of_a_unary_one_does_not_fit() {
    let bed = ready();
    assert_eq!(refusal(&bed, "Nothing").await, (Code::NotFound, false));
    let stream = bed.inbound.stream(request(service(), "Charge", b"")).await;
    assert_eq!(stream.err().unwrap().code(), Code::FailedPrecondition);
    let stream = bed.inbound.stream(request(service(), "Nothing", b"")).await;
    assert_eq!(stream.err().unwrap().code(), Code::NotFound);
    assert_eq!(
        refusal(&bed, "Watch").await,
        (Code::FailedPrecondition, false)
    );
}

#[tokio::test]
async fn a_request_that_is_not_the_message_is_an_invalid_argument() {
    let bed = ready();
    assert_eq!(
        ask(&bed, b"undecodable").await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_handler_that_fails_or_panics_answers_ok_with_a_code() {
    let bed = ready();
    let business = ask(&bed, b"business").await.unwrap();
    assert_eq!(
        (&*business.error_code, &*business.error_message),
        ("OUT_OF_STOCK", "none left")
    );
    for payload in [&b"panic"[..], b"panic early"] {
        let broken = ask(&bed, payload).await.unwrap();
        assert_eq!(broken.error_code, "INTERNAL");
        assert!(
            !broken.error_message.contains("secret"),
            "{}",
            broken.error_message
        );
    }
    assert_eq!(ask(&bed, b"fine").await.unwrap().payload, "fine");
}

#[tokio::test]
async fn only_the_runtime_may_speak_for_somebody_else() {
    let bed = ready();
    let other = "0198c0de-0000-7000-8000-0000000000cc";
    for (peer, expected) in [
        (service(), format!("{SERVICE}/{INSTANCE}")),
        (Peer::Runtime, format!("{other}/runtime")),
        (Peer::Unknown, "nobody".to_owned()),
    ] {
        let mut asked = request(peer, "Charge", b"who");
        asked.get_mut().caller_service = other.into();
        let answer = bed.inbound.unary(asked).await.unwrap().into_inner();
        assert_eq!(answer.payload, expected);
    }
}

#[tokio::test]
async fn expired_work_is_refused_before_it_runs() {
    let bed = ready();
    let mut late = request(service(), "Charge", b"x");
    late.metadata_mut()
        .insert(GRPC_TIMEOUT, MetadataValue::from_static("0m"));
    let status = bed.inbound.unary(late).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(bed.runs.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_handler_is_cut_off_at_the_deadline() {
    let bed = ready();
    let mut slow = request(service(), "Charge", b"hang");
    slow.metadata_mut()
        .insert(GRPC_TIMEOUT, MetadataValue::from_static("500m"));
    let inbound = bed.inbound.clone();
    let running = tokio::spawn(async move { inbound.unary(slow).await });
    while bed.hand.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    bed.hand.advance(Duration::from_millis(500));
    assert_eq!(
        running.await.unwrap().unwrap_err().code(),
        Code::DeadlineExceeded
    );
}

#[tokio::test]
async fn one_call_more_than_slots_and_queue_is_refused_as_overloaded() {
    let bed = ready();
    let mut running = Vec::new();
    for _ in 0..512 {
        let inbound = bed.inbound.clone();
        running.push(tokio::spawn(async move {
            inbound.unary(request(service(), "Charge", b"hang")).await
        }));
    }
    while bed.runs.load(Ordering::Relaxed) < 256 {
        tokio::task::yield_now().await;
    }
    for _ in 0..600 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        refusal(&bed, "Charge").await,
        (Code::ResourceExhausted, true)
    );
    assert_eq!(bed.runs.load(Ordering::Relaxed), 256);
    running.iter().for_each(tokio::task::JoinHandle::abort);
}

#[test]
fn a_timeout_is_at_most_eight_digits_and_a_unit() {
    let read = |text: &'static str| {
        let mut metadata = MetadataMap::new();
        metadata.insert(GRPC_TIMEOUT, MetadataValue::from_static(text));
        timeout_of(&metadata)
    };
    assert_eq!(read("4S"), Some(Duration::from_secs(4)));
    assert_eq!(read("99999999m"), Some(Duration::from_millis(99_999_999)));
    assert_eq!(read("2H"), Some(Duration::from_secs(7_200)));
    assert_eq!(read("7u"), Some(Duration::from_micros(7)));
    for bad in ["", "S", "4", "4x", "-4S", "123456789S", " 4S"] {
        assert_eq!(read(bad), None, "{bad}");
    }
}

mod streams;
