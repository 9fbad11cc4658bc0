//! HTTP/1.1 to one address: connections that are used again, one request each at a time.
//!
//! Refuses answers beyond the size limit. A connection is not used for ever: what a server or
//! something in front of it is about to close is not sent on, and a name that means another address
//! by now is looked up again.
//!
//! Invariant: a request that is sent again provably never left on the connection before.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bridge_tower::Deadline;
use bytes::Bytes;
use contract::clock::{Clock, Monotonic};
use contract::task::spawn;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Body;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::outcome::MESSAGE_BYTES_MAX;
use crate::link::CONNECT_TIMEOUT_MAX;

/// Connections that are kept for the next request.
const IDLE_MAX: usize = 32;
/// How long a connection is kept without a request, unless its server says less.
const UNUSED_MAX: Duration = Duration::from_secs(30);
/// How much sooner than its server would close it.
const UNUSED_MARGIN: Duration = Duration::from_secs(1);
/// How long a connection is used at all.
const AGE_MAX: Duration = Duration::from_secs(5 * 60);

type Sender = http1::SendRequest<Full<Bytes>>;

/// An address, and the connections to it that nobody uses now.
pub(super) struct Web {
    endpoint: String,
    tls: Option<Arc<ClientConfig>>,
    clock: Clock,
    idle: Mutex<Vec<Kept>>,
}

/// A connection that nobody uses now.
struct Kept {
    connection: Connection,
    until: Monotonic,
}

/// A connection.
struct Connection {
    sender: Sender,
    made: Monotonic,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum WebError {
    /// Nothing of the request has left.
    NotSent(String),
    /// The connection broke after something of it may have left.
    Broken(String),
    /// The answer is larger than [`MESSAGE_BYTES_MAX`].
    TooLarge,
    /// The deadline passed after something of it may have left.
    Late,
}

/// A request that got no answer, with the request itself if nothing of it has left.
type Unanswered = (WebError, Option<Request<Full<Bytes>>>);

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.endpoint)
    }
}

impl Web {
    /// To `host:port`. TLS has to offer `http/1.1`, or nothing.
    pub(super) fn new(endpoint: String, tls: Option<Arc<ClientConfig>>, clock: Clock) -> Self {
        Self {
            endpoint,
            tls,
            clock,
            idle: Mutex::default(),
        }
    }

    /// Sends a request and reads all of its answer until `deadline`, which is one more reason not to
    /// connect while nothing was sent. Dropping the future ends the connection.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        deadline: &Deadline,
    ) -> Result<Response<Bytes>, WebError> {
        let mut request = request;
        loop {
            let wait = deadline.remaining().min(CONNECT_TIMEOUT_MAX);
            let connected = self.clock.timeout(wait, self.connection()).await;
            let (connection, is_kept) = connected.unwrap_or_else(|_| {
                let why = format!("there is no connection after {wait:?}");
                Err(self.not_sent(&why))
            })?;
            let exchange = self.exchange(connection, request);
            let answer = self.clock.timeout(deadline.remaining(), exchange).await;
            match answer.unwrap_or(Err((WebError::Late, None))) {
                Ok(answer) => return Ok(answer),
                // A connection that was kept may have been closed by the server meanwhile.
                Err((_, Some(unsent))) if is_kept => request = unsent,
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// A connection that takes a request now, and whether it was kept.
    async fn connection(&self) -> Result<(Connection, bool), WebError> {
        while let Some(mut kept) = self.kept() {
            if kept.sender.ready().await.is_ok() {
                return Ok((kept, true));
            }
        }
        let mut connection = self.connect().await?;
        let ready = connection.sender.ready().await;
        ready.map_err(|error| self.not_sent(&error))?;
        Ok((connection, false))
    }

    async fn exchange(
        &self,
        connection: Connection,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Unanswered> {
        let Connection { mut sender, made } = connection;
        let answer = sender.try_send_request(request).await;
        let answer = answer.map_err(|mut error| match error.take_message() {
            Some(unsent) => (self.not_sent(error.error()), Some(unsent)),
            None => (self.broken(error.error()), None),
        })?;
        let answer = whole(answer, |why| self.broken(why)).await;
        let answer = answer.map_err(|error| (error, None))?;
        self.keep(Connection { sender, made }, answer.headers());
        Ok(answer)
    }

    /// The connection that was used last, of those that may still be used.
    fn kept(&self) -> Option<Connection> {
        let mut idle = self.idle.lock();
        if idle.is_empty() {
            return None;
        }
        let now = self.clock.monotonic();
        idle.retain(|it| now < it.until);
        idle.pop().map(|it| it.connection)
    }

    fn keep(&self, connection: Connection, said: &HeaderMap) {
        let unused = patience(said).map_or(UNUSED_MAX, |it| it.min(UNUSED_MAX));
        let end = connection.made + AGE_MAX;
        let until = (self.clock.monotonic() + unused).min(end);
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_MAX && !connection.sender.is_closed() {
            idle.push(Kept { connection, until });
        }
    }

    async fn connect(&self) -> Result<Connection, WebError> {
        let connected = TcpStream::connect(&self.endpoint).await;
        let tcp = connected.map_err(|error| self.not_sent(&error))?;
        // A socket that fails here fails in the handshake too.
        let _ = tcp.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.speak(tcp).await;
        };
        let host = self.endpoint.rsplit_once(':').map_or("", |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| self.not_sent(&error))?;
        let stream = TlsConnector::from(tls.clone()).connect(name, tcp).await;
        self.speak(stream.map_err(|error| self.not_sent(&error))?)
            .await
    }

    async fn speak<T>(&self, stream: T) -> Result<Connection, WebError>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let begun = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = begun.map_err(|error| self.not_sent(&error))?;
        // How it ends is told to whoever sends on it.
        spawn(async move {
            let _ = connection.await;
        });
        let made = self.clock.monotonic();
        Ok(Connection { sender, made })
    }

    fn not_sent(&self, why: &dyn fmt::Display) -> WebError {
        WebError::NotSent(format!("cannot connect to {}: {why}", self.endpoint))
    }

    fn broken(&self, why: &dyn fmt::Display) -> WebError {
        WebError::Broken(format!("the connection to {} broke: {why}", self.endpoint))
    }
}

/// How long its server keeps a connection without a request: `keep-alive: timeout=5`.
fn patience(said: &HeaderMap) -> Option<Duration> {
    let said = said.get("keep-alive")?.to_str().ok()?;
    let timeout = said.split(',').find_map(|it| {
        let (name, value) = it.trim().split_once('=')?;
        name.eq_ignore_ascii_case("timeout").then_some(value)
    });
    let seconds = timeout?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).saturating_sub(UNUSED_MARGIN))
}

/// An answer with all of its body, or why there is none; `broken` says what it means that it broke.
pub(super) async fn whole<B>(
    answer: Response<B>,
    broken: impl FnOnce(&dyn fmt::Display) -> WebError,
) -> Result<Response<Bytes>, WebError>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, MESSAGE_BYTES_MAX).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => WebError::TooLarge,
        false => broken(&error),
    })?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

#[cfg(test)]
mod tests;
