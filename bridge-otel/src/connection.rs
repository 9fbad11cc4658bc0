//! One connection to a collector, made when it is needed and kept while it works.
//!
//! It repeats nothing by itself, with one exception: a kept connection that turns out to be closed
//! is made anew, because an idle collector may close it at any time.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue, TE, USER_AGENT};
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::{http1, http2};
use hyper::rt::{Read, Write};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::endpoint::{Endpoint, Protocol, Signal};
use crate::fault::Fault;
use crate::reply::Answer;

/// Longest answer that is read; of a longer one only the status counts.
const ANSWER_BYTES_MAX: usize = 64 * 1_024;

/// A way to a collector.
pub(crate) struct Connection {
    pub(crate) endpoint: Endpoint,
    headers: HeaderMap,
    tls: Option<TlsConnector>,
    open: Option<Open>,
}

enum Open {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    /// `headers` go with every request; `tls` is there when the endpoint wants it.
    pub(crate) fn new(
        endpoint: Endpoint,
        mut headers: HeaderMap,
        tls: Option<Arc<ClientConfig>>,
    ) -> Self {
        let content = match endpoint.protocol {
            Protocol::HttpProtobuf => "application/x-protobuf",
            Protocol::Grpc => "application/grpc",
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content));
        headers.insert(USER_AGENT, HeaderValue::from_static(USER));
        match endpoint.protocol {
            Protocol::HttpProtobuf => {
                // It was part of a url, so it is a header as well.
                if let Ok(host) = HeaderValue::try_from(&endpoint.authority) {
                    headers.insert(HOST, host);
                }
            }
            Protocol::Grpc => {
                headers.insert(TE, HeaderValue::from_static("trailers"));
            }
        }
        Self {
            endpoint,
            headers,
            tls: tls.map(TlsConnector::from),
            open: None,
        }
    }

    /// Sends one message and reads the answer.
    pub(crate) async fn post(&mut self, signal: Signal, message: Bytes) -> Result<Answer, Fault> {
        let is_kept = self.is_open().await;
        let answer = self.post_once(signal, message.clone()).await;
        match answer {
            Err(Fault::HungUp { .. }) if is_kept => self.post_once(signal, message).await,
            answer => answer,
        }
    }

    async fn post_once(&mut self, signal: Signal, message: Bytes) -> Result<Answer, Fault> {
        let request = self.request(signal, message);
        // Taken until the answer is there: a request that is given up half way closes it.
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.connect(signal).await?,
        };
        let sent = match &mut open {
            Open::One(sender) => sender.send_request(request).await,
            Open::Two(sender) => sender.send_request(request).await,
        };
        let response = sent.map_err(|error| self.fault(signal, &error))?;
        let (head, body) = response.into_parts();
        let read = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let (body, trailers) = match read {
            Ok(read) => {
                self.open = Some(open);
                let trailers = read.trailers().cloned();
                (read.to_bytes().to_vec(), trailers)
            }
            Err(error) if error.is::<LengthLimitError>() => (Vec::new(), None),
            Err(error) => return Err(self.hung_up(signal, &*error)),
        };
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
            trailers,
        })
    }

    /// Whether the kept connection still works, as far as that can be known.
    async fn is_open(&mut self) -> bool {
        let works = match &mut self.open {
            Some(Open::One(sender)) => sender.ready().await.is_ok(),
            Some(Open::Two(sender)) => sender.ready().await.is_ok(),
            None => false,
        };
        if !works {
            self.open = None;
        }
        works
    }

    fn request(&self, signal: Signal, message: Bytes) -> Request<Full<Bytes>> {
        let endpoint = &self.endpoint;
        let path = endpoint.path(signal).clone();
        let (uri, body) = match endpoint.protocol {
            Protocol::HttpProtobuf => (Uri::from(path), message),
            Protocol::Grpc => {
                let scheme = if endpoint.is_tls { "https" } else { "http" };
                let uri = Uri::builder().scheme(scheme);
                let uri = uri.authority(&*endpoint.authority).path_and_query(path);
                // All three parts were read from a url.
                (uri.build().unwrap_or_default(), framed(&message))
            }
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        request
    }

    async fn connect(&self, signal: Signal) -> Result<Open, Fault> {
        let endpoint = &self.endpoint;
        let tcp = TcpStream::connect((&*endpoint.host, endpoint.port)).await;
        let tcp = tcp.map_err(|error| Fault::Unreachable {
            url: endpoint.url(signal),
            why: chain(&error),
        })?;
        // A request is written at once anyway; failing to say so costs only time.
        let _ = tcp.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.handshake(signal, TokioIo::new(tcp)).await;
        };
        let no_tls = |error: &dyn Error| Fault::Tls {
            url: endpoint.url(signal),
            why: chain(error),
        };
        let name = ServerName::try_from(endpoint.host.clone());
        let name = name.map_err(|error| no_tls(&error))?;
        let stream = tls.connect(name, tcp).await;
        let stream = stream.map_err(|error| no_tls(&error))?;
        self.handshake(signal, TokioIo::new(stream)).await
    }

    async fn handshake(
        &self,
        signal: Signal,
        io: impl Read + Write + Unpin + Send + 'static,
    ) -> Result<Open, Fault> {
        let fault = |error: hyper::Error| self.fault(signal, &error);
        // How a connection ended reaches the requests on it.
        Ok(match self.endpoint.protocol {
            Protocol::HttpProtobuf => {
                let (sender, driver) = http1::handshake(io).await.map_err(fault)?;
                tokio::spawn(driver);
                Open::One(sender)
            }
            Protocol::Grpc => {
                let executor = TokioExecutor::new();
                let (sender, driver) = http2::handshake(executor, io).await.map_err(fault)?;
                tokio::spawn(driver);
                Open::Two(sender)
            }
        })
    }

    fn hung_up(&self, signal: Signal, error: &dyn Error) -> Fault {
        Fault::HungUp {
            url: self.endpoint.url(signal),
            protocol: self.endpoint.protocol.as_str(),
            why: chain(error),
        }
    }

    /// Whether the connection failed, or what came over it was no HTTP of the right kind.
    fn fault(&self, signal: Signal, error: &hyper::Error) -> Fault {
        let is_lost = error.is_canceled()
            || error.is_closed()
            || error.is_incomplete_message()
            || sources(error).any(|it| it.is::<std::io::Error>());
        if is_lost {
            return self.hung_up(signal, error);
        }
        Fault::Protocol {
            url: self.endpoint.url(signal),
            protocol: self.endpoint.protocol.as_str(),
            why: chain(error),
        }
    }
}

const USER: &str = concat!("bridge-otel/", env!("CARGO_PKG_VERSION"));

/// A message as gRPC sends it: not compressed, its length, itself.
fn framed(message: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(message.len() + 5);
    frame.push(0);
    // The queue bounds a request far below four gigabytes.
    let len = u32::try_from(message.len()).unwrap_or(u32::MAX);
    frame.extend_from_slice(&len.to_be_bytes());
    frame.extend_from_slice(message);
    frame.into()
}

fn sources<'e>(error: &'e dyn Error) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

/// An error and what caused it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    for cause in sources(error) {
        let cause = cause.to_string();
        // Some errors repeat their cause.
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// TLS towards a collector: the authorities this machine knows, and `more` in PEM.
///
/// # Errors
///
/// What is wrong with `more`, or that no authority is known at all.
pub(crate) fn tls(protocol: Protocol, more: &[u8]) -> Result<Arc<ClientConfig>, String> {
    use rustls_pki_types::pem::PemObject as _;
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    for certificate in CertificateDer::pem_slice_iter(more) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("this machine knows no certificate authority: give one".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = match protocol {
        Protocol::HttpProtobuf => vec![b"http/1.1".to_vec()],
        Protocol::Grpc => vec![b"h2".to_vec()],
    };
    Ok(Arc::new(config))
}
