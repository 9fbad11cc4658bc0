//! The calling side: one connection, shared by any number of callers.
//!
//! Refuses to hide what it knows: an error says whether the request provably never left.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::body::Body;

use crate::clock::Clock;
use crate::tls::{PEER_AUTHORITY, handshake_advice};

/// How to reach one peer.
#[derive(Clone, Debug)]
pub struct Dial {
    /// `host:port`.
    pub endpoint: String,
    /// Whom to trust and accept there; see [`crate::tls::client_config`].
    pub tls: Arc<ClientConfig>,
    /// Longest time for connecting and shaking hands together.
    pub timeout: Duration,
    /// Rhythm of pings, also while idle. Peers may refuse less than 20 s.
    pub keepalive: Duration,
    /// How long a ping may stay unanswered.
    pub keepalive_timeout: Duration,
}

impl Dial {
    /// Settings every SDK uses: ping each 30 s, dead after 10 s without an answer.
    pub fn new(endpoint: impl Into<String>, tls: Arc<ClientConfig>) -> Self {
        Self {
            endpoint: endpoint.into(),
            tls,
            timeout: Duration::from_secs(5),
            keepalive: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
        }
    }

    /// Bounds connecting and shaking hands together.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Connects. Nothing of any request has been sent when this fails.
    ///
    /// # Errors
    ///
    /// [`DialError`] with the stage that failed.
    pub async fn connect(&self, clock: &Clock) -> Result<Channel, DialError> {
        let error = |stage, source: Option<Box<dyn StdError + Send + Sync>>| DialError {
            endpoint: self.endpoint.clone(),
            stage,
            source,
        };
        match clock.timeout(self.timeout, self.connect_now()).await {
            Ok(Ok(channel)) => Ok(channel),
            Ok(Err((stage, source))) => Err(error(stage, Some(source))),
            Err(_) => Err(error(DialStage::Timeout, None)),
        }
    }

    async fn connect_now(&self) -> Result<Channel, StageError> {
        let tcp = TcpStream::connect(&self.endpoint)
            .await
            .map_err(at(DialStage::Connect))?;
        tcp.set_nodelay(true).map_err(at(DialStage::Connect))?;
        let name = ServerName::try_from(PEER_AUTHORITY).map_err(at(DialStage::Handshake))?;
        let connector = TlsConnector::from(self.tls.clone());
        let stream = connector
            .connect(name, tcp)
            .await
            .map_err(at(DialStage::Handshake))?;
        let (send, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(self.keepalive))
            .keep_alive_timeout(self.keepalive_timeout)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(at(DialStage::Handshake))?;
        let abort = tokio::spawn(async move {
            // How the connection ended reaches callers through their own requests.
            let _ = connection.await;
        })
        .abort_handle();
        let origin = Uri::from_static("https://servicebridge.peer");
        let shared = Arc::new(Shared {
            abort,
            closed: AtomicBool::new(false),
        });
        Ok(Channel {
            send,
            origin,
            shared,
        })
    }
}

/// Flow-control window, in bytes: one of the largest messages, so that it needs no extra turn.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

type StageError = (DialStage, Box<dyn StdError + Send + Sync>);

fn at<E: StdError + Send + Sync + 'static>(stage: DialStage) -> impl FnOnce(E) -> StageError {
    move |source| (stage, Box::new(source))
}

/// Where dialling failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialStage {
    /// Nobody listens there, or the address is wrong.
    Connect,
    /// The TLS or HTTP/2 handshake was refused by either side.
    Handshake,
    /// It took too long.
    Timeout,
}

/// Why a peer could not be reached. Always before anything was sent.
#[derive(Debug)]
pub struct DialError {
    endpoint: String,
    stage: DialStage,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl DialError {
    /// Where it failed.
    pub fn stage(&self) -> DialStage {
        self.stage
    }

    /// The TLS error behind it, if it was one.
    pub fn tls(&self) -> Option<&rustls::Error> {
        let io = self.source.as_ref()?.downcast_ref::<std::io::Error>()?;
        io.get_ref()?.downcast_ref::<rustls::Error>()
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stage {
            DialStage::Connect => write!(f, "cannot connect to {}", self.endpoint)?,
            DialStage::Handshake => write!(f, "the TLS handshake with {} failed", self.endpoint)?,
            DialStage::Timeout => write!(f, "{} did not answer in time", self.endpoint)?,
        }
        match self.tls().and_then(handshake_advice) {
            Some(advice) => write!(f, ": {advice}"),
            None => Ok(()),
        }
    }
}

impl StdError for DialError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

struct Shared {
    abort: tokio::task::AbortHandle,
    closed: AtomicBool,
}

/// One connection to one peer. Clones share it; it ends once the last clone and the last answer
/// are gone.
#[derive(Clone)]
pub struct Channel {
    send: SendRequest<Body>,
    origin: Uri,
    shared: Arc<Shared>,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl Channel {
    /// What generated clients take as origin: `Client::with_origin(channel.clone(), channel.origin())`.
    pub fn origin(&self) -> Uri {
        self.origin.clone()
    }

    /// Whether a request over it is bound to fail.
    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed) || self.send.is_closed()
    }

    /// Breaks the connection now; requests in flight fail.
    pub fn close(&self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        self.shared.abort.abort();
    }
}

impl tower_service::Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = ChannelError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, ChannelError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ChannelError>> {
        self.send.poll_ready(cx).map_err(|source| ChannelError {
            not_sent: true,
            source,
        })
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let sending = self.send.try_send_request(request);
        Box::pin(async move {
            sending.await.map_err(|mut error| {
                let returned = error.take_message().is_some();
                let source = error.into_error();
                ChannelError {
                    not_sent: returned || refused(&source),
                    source,
                }
            })
        })
    }
}

/// Whether the peer said that it did not look at the stream.
fn refused(error: &hyper::Error) -> bool {
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<h2::Error>());
    source.is_some_and(|h2| h2.reason() == Some(h2::Reason::REFUSED_STREAM))
}

/// Why a request over a [`Channel`] failed below gRPC.
#[derive(Debug, thiserror::Error)]
#[error("{}", if *.not_sent { "the connection ended before the request was sent" } else { "the connection broke while the request was under way" })]
pub struct ChannelError {
    not_sent: bool,
    source: hyper::Error,
}

impl ChannelError {
    /// Whether the peer provably never worked on the request.
    pub fn not_sent(&self) -> bool {
        self.not_sent
    }

    /// Finds this error in the causes of a gRPC status.
    pub fn behind(status: &tonic::Status) -> Option<&Self> {
        let mut cause = status.source();
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }
}
