//! HTTP/1.1 to one address: connections that are used again, one request each at a time.
//!
//! Refuses answers beyond the size limit.
//!
//! Invariant: a request that is sent again provably never left on the connection before.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
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
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

type Sender = http1::SendRequest<Full<Bytes>>;

/// An address, and the connections to it that nobody uses now.
pub(super) struct Web {
    endpoint: String,
    tls: Option<Arc<ClientConfig>>,
    idle: Mutex<Vec<Sender>>,
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
    pub(super) fn new(endpoint: String, tls: Option<Arc<ClientConfig>>) -> Self {
        Self {
            endpoint,
            tls,
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
            let kept = self.idle.lock().pop();
            let is_kept = kept.is_some();
            let mut sender = match kept {
                Some(sender) => sender,
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
            let answer = self.read(answer).await?;
            self.keep(sender);
            return Ok(answer);
        }
    }

    async fn read(
        &self,
        answer: Response<hyper::body::Incoming>,
    ) -> Result<Response<Bytes>, WebError> {
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                let text = format!("the answer is larger than {ANSWER_BYTES_MAX} bytes");
                return self.failed(false, &text);
            }
            self.failed(false, &error)
        })?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    fn keep(&self, sender: Sender) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_MAX && !sender.is_closed() {
            idle.push(sender);
        }
    }

    async fn connect(&self) -> Result<Sender, WebError> {
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

    async fn speak<T>(&self, stream: T) -> Result<Sender, WebError>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let begun = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = begun.map_err(|error| self.failed(true, &error))?;
        // How it ends is told to whoever sends on it.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }

    fn failed(&self, not_sent: bool, why: &dyn fmt::Display) -> WebError {
        let text = match not_sent {
            true => format!("cannot connect to {}: {why}", self.endpoint),
            false => format!("the connection to {} broke: {why}", self.endpoint),
        };
        WebError { not_sent, text }
    }
}
