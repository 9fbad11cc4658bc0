//! Making a connection: to one endpoint, secured in one way, within a time.
//!
//! An error names the stage that failed; nothing of any request has been sent then. A peer that
//! stops answering pings loses its connection.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::client::Connection;
use h2::{Ping, PingPong};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::channel::Channel;
use crate::clock::Clock;
use crate::task::spawn;
use crate::tls::{PEER_AUTHORITY, handshake_advice};

/// How a connection is secured.
#[derive(Clone, Debug)]
pub enum Security {
    /// As members of a mesh do it: whom to trust and accept is in the configuration alone; see
    /// [`crate::tls::client_config`].
    Mesh(Arc<ClientConfig>),
    /// As the web does it: the certificate has to name the host.
    Web(Arc<ClientConfig>),
    /// Not at all: HTTP/2 from the first byte on.
    Open,
}

/// How to reach one peer.
#[derive(Clone, Debug)]
pub struct Dial {
    /// `host:port`.
    pub endpoint: String,
    /// How the connection is secured.
    pub security: Security,
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
        Self::to(endpoint, Security::Mesh(tls))
    }

    /// The same, secured in another way.
    pub fn to(endpoint: impl Into<String>, security: Security) -> Self {
        Self {
            endpoint: endpoint.into(),
            security,
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
        let (tls, name) = match &self.security {
            Security::Open => return self.speak(tcp).await,
            Security::Mesh(tls) => (tls, PEER_AUTHORITY),
            Security::Web(tls) => (tls, self.host()),
        };
        let name = ServerName::try_from(name.to_owned()).map_err(at(DialStage::Handshake))?;
        let stream = TlsConnector::from(tls.clone())
            .connect(name, tcp)
            .await
            .map_err(at(DialStage::Handshake))?;
        self.speak(stream).await
    }

    /// The endpoint without its port.
    fn host(&self) -> &str {
        let host = self.endpoint.rsplit_once(':').map_or("", |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }

    async fn speak<T>(&self, stream: T) -> Result<Channel, StageError>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (send, connection) = h2::client::Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .initial_max_send_streams(STREAMS_BEFORE_SETTINGS)
            .max_header_list_size(HEADER_BYTES_MAX)
            .handshake(stream)
            .await
            .map_err(at(DialStage::Handshake))?;
        let closed = Arc::new(AtomicBool::new(false));
        let driver = spawn(drive(
            connection,
            (self.keepalive, self.keepalive_timeout),
            closed.clone(),
        ));
        Ok(Channel::new(send, closed, driver.abort_handle()))
    }
}

/// Moves bytes until the connection ends or the peer stops answering pings.
async fn drive<T: AsyncRead + AsyncWrite + Unpin>(
    mut connection: Connection<T, Bytes>,
    (rhythm, patience): (Duration, Duration),
    closed: Arc<AtomicBool>,
) {
    let pings = connection.ping_pong();
    let silent = async {
        match pings {
            Some(pings) => until_silent(pings, rhythm, patience).await,
            // Never: it is taken here only.
            None => std::future::pending().await,
        }
    };
    // How the connection ended reaches callers through their own requests.
    tokio::select! {
        _ = connection => {}
        () = silent => {}
    }
    closed.store(true, Ordering::Relaxed);
}

/// Pings in a rhythm; ends when one is not answered in time.
async fn until_silent(mut pings: PingPong, rhythm: Duration, patience: Duration) {
    // Whatever time a test has, the peer's answer takes real time.
    let clock = Clock::system();
    loop {
        clock.sleep(rhythm).await;
        let answer = clock.timeout(patience, pings.ping(Ping::opaque())).await;
        if !matches!(answer, Ok(Ok(_))) {
            return;
        }
    }
}

/// What a peer may send of one answer before it is read, in bytes.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
/// The same for all answers together: more than the streams of a connection can fill, so that
/// streams nobody reads never hold up the others. They cost a stream's window each.
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024 * 1024;
/// Streams opened before the peer has said how many it takes.
const STREAMS_BEFORE_SETTINGS: usize = 100;
/// Largest header block of one answer, in bytes.
const HEADER_BYTES_MAX: u32 = 16 * 1024;

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
            DialStage::Handshake => write!(f, "the handshake with {} failed", self.endpoint)?,
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
