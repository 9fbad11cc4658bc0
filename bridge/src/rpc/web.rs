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

/// Connections that are kept for the next request.
const IDLE_MAX: usize = 32;
/// How long a connection is kept without a request, unless its server says less.
const UNUSED_MAX: Duration = Duration::from_secs(30);
/// How much sooner than its server would close it.
const UNUSED_MARGIN: Duration = Duration::from_secs(1);
/// How long a connection is used at all.
const AGE_MAX: Duration = Duration::from_secs(5 * 60);
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

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
pub(super) struct WebError {
    /// Nothing of the request has left.
    pub(super) not_sent: bool,
    pub(super) text: String,
}

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

    /// Sends a request and reads all of its answer. Dropping the future ends the connection.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, WebError> {
        let mut request = request;
        loop {
            let kept = self.kept();
            let is_kept = kept.is_some();
            let Connection { mut sender, made } = match kept {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            if sender.is_closed() || sender.ready().await.is_err() {
                if is_kept {
                    continue;
                }
                return Err(self.failed(true, &"the connection ended at once"));
            }
            let answer = match sender.try_send_request(request).await {
                Ok(answer) => answer,
                Err(mut error) => match error.take_message() {
                    // A connection that was kept may have been closed by the server meanwhile.
                    Some(unsent) if is_kept => {
                        request = unsent;
                        continue;
                    }
                    unsent => return Err(self.failed(unsent.is_some(), error.error())),
                },
            };
            let answer = whole(answer).await;
            let answer = answer.map_err(|why| self.failed(false, &why))?;
            self.keep(Connection { sender, made }, answer.headers());
            return Ok(answer);
        }
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
        let tcp = connected.map_err(|error| self.failed(true, &error))?;
        // A socket that fails here fails in the handshake too.
        let _ = tcp.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.speak(tcp).await;
        };
        let host = self.endpoint.rsplit_once(':').map_or("", |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| self.failed(true, &error))?;
        let stream = TlsConnector::from(tls.clone()).connect(name, tcp).await;
        self.speak(stream.map_err(|error| self.failed(true, &error))?)
            .await
    }

    async fn speak<T>(&self, stream: T) -> Result<Connection, WebError>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let begun = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = begun.map_err(|error| self.failed(true, &error))?;
        // How it ends is told to whoever sends on it.
        spawn(async move {
            let _ = connection.await;
        });
        let made = self.clock.monotonic();
        Ok(Connection { sender, made })
    }

    fn failed(&self, not_sent: bool, why: &dyn fmt::Display) -> WebError {
        let text = match not_sent {
            true => format!("cannot connect to {}: {why}", self.endpoint),
            false => format!("the connection to {} broke: {why}", self.endpoint),
        };
        WebError { not_sent, text }
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

/// An answer with all of its body, or why there is none.
pub(super) async fn whole<B>(answer: Response<B>) -> Result<Response<Bytes>, String>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => format!("the answer is larger than {ANSWER_BYTES_MAX} bytes"),
        false => error.to_string(),
    })?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

#[cfg(test)]
mod tests;
