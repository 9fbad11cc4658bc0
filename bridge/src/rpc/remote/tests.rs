//! Plain gRPC against a server that tonic generated, without TLS.

use std::net::SocketAddr;
use std::pin::Pin;

use contract::grpc::v1::call_server::{Call as CallService, CallServer};
use contract::grpc::v1::{CallRequest, CallResponse, StreamChunk};
use contract::tls::{ClientAuth, server_config};
use contract::transport::{Limits, Listener};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_stream::Stream;
use tonic::{Code, Request, Response, Status};

use super::*;
use crate::business::{BusinessError, ErrorFields, Field};
use crate::handler::MethodMeta;
use crate::link::tests::localhost;
use crate::rpc::{Call, StreamCall, grpc_details};

const NAME: &str = "servicebridge.v1.Call";
static METHODS: &[MethodMeta] = &[
    meta("Unary", false),
    meta("Stream", true),
    meta("Absent", false),
];

const fn meta(name: &'static str, streaming: bool) -> MethodMeta {
    MethodMeta {
        service: NAME,
        name,
        contract_hash: "v2:call",
        input_schema: "{}",
        output_schema: "{}",
        streaming,
    }
}

/// The wire's own service, because its server is there already.
struct Plain;

impl Contract for Plain {
    const NAME: &'static str = NAME;
    const DEFAULT_TARGET: &'static str = "plain";
    const METHODS: &'static [MethodMeta] = METHODS;
    type Client = PlainClient;
}

#[derive(Clone)]
struct PlainClient(Target);

impl From<Target> for PlainClient {
    fn from(target: Target) -> Self {
        Self(target)
    }
}

impl PlainClient {
    fn unary(&self, method: &str) -> Call<CallResponse> {
        self.0.unary(&METHODS[0], asked(method))
    }

    fn stream(&self, method: &str) -> StreamCall<StreamChunk> {
        self.0.stream(&METHODS[1], asked(method))
    }

    fn absent(&self) -> Call<CallResponse> {
        self.0.unary(&METHODS[2], asked(""))
    }
}

fn asked(method: &str) -> CallRequest {
    CallRequest {
        method: method.to_owned(),
        ..CallRequest::default()
    }
}

/// Somebody asked the server to die.
static IS_ASKED: Notify = Notify::const_new();

#[derive(Clone)]
struct Server;

/// A status with a reason, as the richer error model of gRPC has it.
fn reasoned() -> Status {
    let info: &[u8] = b"\x0a\x04SOLD";
    let any = prost_types::Any {
        type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
        value: info.to_vec(),
    };
    let mut details = vec![0x1a, u8::try_from(any.encoded_len()).unwrap()];
    any.encode_raw(&mut details);
    Status::with_details(Code::FailedPrecondition, "nothing is left", details.into())
}

/// A status that a service of tonic makes of a business error.
fn short() -> Status {
    let short = Short { left: 2 };
    let details = grpc_details(&short).into();
    Status::with_details(Code::from(short.grpc()), short.message(), details)
}

#[tonic::async_trait]
impl CallService for Server {
    async fn unary(&self, request: Request<CallRequest>) -> Result<Response<CallResponse>, Status> {
        let said = |name: &str| {
            let value = request.metadata().get(name);
            value.map_or("-", |it| it.to_str().unwrap()).to_owned()
        };
        match &*request.get_ref().method {
            "reason" => Err(reasoned()),
            "short" => Err(short()),
            "denied" => Err(Status::permission_denied("not you")),
            "hang" => std::future::pending().await,
            "die" => {
                IS_ASKED.notify_one();
                std::future::pending().await
            }
            _ => Ok(Response::new(CallResponse {
                payload: [
                    said("idempotency-key"),
                    said("x-request-id"),
                    said("grpc-timeout"),
                ]
                .join(" ")
                .into(),
                ..CallResponse::default()
            })),
        }
    }

    type StreamStream = Pin<Box<dyn Stream<Item = Result<StreamChunk, Status>> + Send>>;

    async fn stream(
        &self,
        request: Request<CallRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        if request.get_ref().method == "denied" {
            return Err(Status::permission_denied("not you"));
        }
        let chunk = |nth: u8| {
            Ok(StreamChunk {
                payload: vec![nth].into(),
                ..StreamChunk::default()
            })
        };
        let all = [chunk(1), chunk(2), Err(reasoned())];
        Ok(Response::new(Box::pin(tokio_stream::iter(all))))
    }
}

async fn serve(address: &str) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            let service = TowerToHyperService::new(CallServer::new(Server));
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            connections.spawn(builder.serve_connection(TokioIo::new(socket), service));
        }
    });
    (address, serving)
}

#[derive(Debug, PartialEq)]
struct Sold;

impl BusinessError for Sold {
    fn code(&self) -> &'static str {
        "SOLD"
    }

    fn message(&self) -> String {
        String::new()
    }

    fn from_wire(code: &str, _: &str) -> Option<Self> {
        (code == "SOLD").then_some(Self)
    }
}

#[derive(Debug, PartialEq)]
struct Short {
    left: u32,
}

impl BusinessError for Short {
    fn code(&self) -> &'static str {
        "SHORT"
    }

    fn message(&self) -> String {
        self.fields().behind("too few")
    }

    fn from_wire(code: &str, message: &str) -> Option<Self> {
        let mut fields = ErrorFields::of_message(message).filter(|_| code == "SHORT")?;
        let left = Field::<u32>::new().take(&mut fields, "left")?;
        Some(Self { left })
    }

    fn grpc(&self) -> i32 {
        Code::Aborted as i32
    }

    fn fields(&self) -> ErrorFields {
        ErrorFields::default().with("left", &self.left)
    }
}

#[tokio::test]
async fn a_business_error_of_a_tonic_service_comes_back_as_itself() {
    let (address, _serving) = serve("127.0.0.1:0").await;
    let remote = Remote::grpc(&format!("http://{address}")).unwrap();
    let short = remote.client::<Plain>().unary("short").await.unwrap_err();
    assert_eq!(short.code(), ErrorCode::Handler, "{short}");
    assert_eq!(short.business(), Some(Short { left: 2 }));
}

#[tokio::test]
async fn a_server_of_plain_grpc_is_called_by_its_own_paths() {
    let (address, _serving) = serve("127.0.0.1:0").await;
    let remote = Remote::grpc(&format!("http://{address}")).unwrap();
    let plain = remote.client::<Plain>();
    let call = plain.unary("x").idempotency_key("k-1").request_id("r-1");
    let reply = call.timeout(Duration::from_secs(5)).await.unwrap();
    let said = String::from_utf8(reply.payload.to_vec()).unwrap();
    assert!(
        said.starts_with("k-1 r-1 4") || said.starts_with("k-1 r-1 5"),
        "{said}"
    );
    let reason = plain.unary("reason").await.unwrap_err();
    assert_eq!(reason.business(), Some(Sold));
    assert_eq!(reason.message(), "nothing is left");
    assert_eq!(
        plain.unary("denied").await.unwrap_err().code(),
        ErrorCode::AccessDenied
    );
    let absent = plain.absent().await.unwrap_err();
    assert_eq!(absent.code(), ErrorCode::NotFound, "{absent}");
    let slow = plain.unary("hang").timeout(Duration::from_millis(100));
    assert_eq!(slow.await.unwrap_err().code(), ErrorCode::Timeout);
    let bad = plain
        .unary("x")
        .request_id("line\nbreak")
        .await
        .unwrap_err();
    assert_eq!(bad.code(), ErrorCode::Validation);
}

#[tokio::test]
async fn a_stream_brings_its_messages_and_then_its_error() {
    let (address, _serving) = serve("127.0.0.1:0").await;
    let remote = Remote::grpc(&format!("http://{address}/")).unwrap();
    let plain = remote.client::<Plain>();
    let mut chunks = plain.stream("x").await.unwrap();
    for nth in 1..=2 {
        assert_eq!(chunks.next().await.unwrap().unwrap().payload, vec![nth]);
    }
    assert_eq!(
        chunks.next().await.unwrap().unwrap_err().business(),
        Some(Sold)
    );
    assert!(chunks.next().await.is_none());
    let refused = plain.stream("denied").await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::AccessDenied);
}

#[tokio::test]
async fn a_server_that_comes_back_is_called_again_and_one_that_does_not_is_told() {
    let (address, serving) = serve("127.0.0.1:0").await;
    let remote = Remote::grpc(&format!("http://{address}")).unwrap();
    let plain = remote.client::<Plain>();
    plain.unary("x").await.unwrap();
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    // It may have gone out on the connection that was there.
    let lost = plain.unary("x").await.unwrap_err();
    assert_eq!(lost.code(), ErrorCode::Connection, "{lost}");
    let gone = plain.unary("x").await.unwrap_err();
    assert_eq!(
        (gone.code(), gone.retryable()),
        (ErrorCode::Connection, true)
    );
    let (_, _serving) = serve(&address.to_string()).await;
    plain.unary("x").await.unwrap();
}

#[tokio::test]
async fn a_server_that_dies_under_its_handler_may_have_done_the_work() {
    let (address, serving) = serve("127.0.0.1:0").await;
    let remote = Remote::grpc(&format!("http://{address}")).unwrap();
    let plain = remote.client::<Plain>();
    plain.unary("x").await.unwrap();
    let hanging = tokio::spawn(async move { plain.unary("die").await });
    IS_ASKED.notified().await;
    serving.abort();
    let broken = hanging.await.unwrap().unwrap_err();
    let told = (broken.code(), broken.retryable());
    assert_eq!(told, (ErrorCode::Connection, false), "{broken}");
}

/// A server with TLS whose certificate names `localhost`, and what trusts it.
async fn serve_tls() -> (SocketAddr, Arc<ClientConfig>) {
    let (leaf, ca_der, trusting) = localhost();
    let tls = server_config(&ca_der, &leaf, ClientAuth::Optional).unwrap();
    let limits = Limits {
        connections_max: 8,
        handshake_timeout: Duration::from_secs(5),
        keepalive: Duration::from_secs(30),
        keepalive_timeout: Duration::from_secs(10),
        streams_max: 100,
        drain: Duration::ZERO,
    };
    let listener = Listener::bind("127.0.0.1:0", tls, limits, Clock::system());
    let listener = listener.await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listener.serve(CallServer::new(Server), std::future::pending()));
    (address, trusting)
}

#[tokio::test]
async fn over_https_the_certificate_has_to_name_the_host() {
    let (address, trusted) = serve_tls().await;
    let once = Retry {
        attempts: 1,
        ..Retry::default()
    };
    let url = |host: &str| format!("https://{host}:{}", address.port());
    let remote = |host: &str, config: &Arc<ClientConfig>| {
        let remote = Remote::grpc_with_tls(&url(host), config.clone());
        remote.unwrap().retry(once).client::<Plain>()
    };
    remote("localhost", &trusted).unary("x").await.unwrap();
    let other = remote("127.0.0.1", &trusted).unary("x").await.unwrap_err();
    assert_eq!(other.code(), ErrorCode::Connection, "{other}");
    let (_, stranger) = serve_tls().await;
    let unknown = remote("localhost", &stranger).unary("x").await.unwrap_err();
    assert_eq!(unknown.code(), ErrorCode::Connection, "{unknown}");
    let open = Remote::grpc_with_tls("http://localhost:1", trusted).unwrap_err();
    assert!(open.to_string().contains("no TLS"), "{open}");
}

#[test]
fn a_url_that_is_none_is_refused_with_what_it_should_be() {
    for (url, why) in [
        ("127.0.0.1:1", "neither"),
        ("ftp://a:1", "neither"),
        ("http://a:1/v1", "has a path"),
        ("http://a:1/?x=1", "has a query"),
        ("http://127.0.0.1:99999", "has a port outside"),
        ("http://127.0.0.1:0", "has a port outside"),
        ("http://127.0.0.1:", "has a port outside"),
        ("https://[::1]:", "has a port outside"),
        ("http://ann:secret@127.0.0.1", "names a user"),
        ("not a url", "cannot be read"),
    ] {
        let error = Remote::grpc(url).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config);
        assert!(error.to_string().contains(why), "{error}");
    }
}
