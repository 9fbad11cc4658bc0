//! The command line's side of the operator API.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use http::header::AUTHORIZATION;
use http::{HeaderName, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reach::{AddressError, Reach};
use crate::problem::ProblemBody;

/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Longest line of an answer that goes on, in bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Why the runtime could not be asked, or what it refused.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers there.
    #[error(
        "no runtime answers at {place}; start one with `bridge dev`, or name its data folder with \
         --data or its console with --url"
    )]
    NotRunning {
        /// The socket or the address.
        place: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The connection broke.
    #[error("the runtime broke off the conversation")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The runtime does not know who asks.
    #[error(
        "the runtime at {place} wants an API token; make one where it runs with `bridge token \
         create NAME` and give it in BRIDGE_TOKEN or with --token-file"
    )]
    NoToken {
        /// The address.
        place: String,
    },
    /// The runtime said no.
    #[error("{0}")]
    Refused(String),
}

/// Talks to one runtime.
#[derive(Clone, Debug)]
pub struct Client {
    reach: Reach,
}

impl Client {
    /// The runtime whose data folder is `data`.
    pub fn new(data: &Path) -> Self {
        Self {
            reach: Reach::socket(data),
        }
    }

    /// The runtime whose console is at `url` (`http://HOST:PORT` or `https://HOST`), as whoever
    /// `token` belongs to.
    ///
    /// # Errors
    ///
    /// When `url` is no such address, or `token` no token.
    pub fn remote(url: &str, token: Option<&str>) -> Result<Self, AddressError> {
        let reach = Reach::address(url, token)?;
        Ok(Self { reach })
    }

    /// Whether a token travels through a network as plain text.
    pub fn is_overheard(&self) -> bool {
        self.reach.is_overheard()
    }

    /// Asks.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with the runtime's words when it answered.
    pub async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ClientError> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Changes something.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn send_json<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Broken(error.into()))?;
        self.send(method, path, body.into()).await
    }

    /// Reads line after line of an answer that goes on.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn lines(&self, path: &str) -> Result<Lines, ClientError> {
        let response = self.ask(Method::GET, path, Bytes::new()).await?;
        Ok(Lines {
            body: response.into_body(),
            read: BytesMut::new(),
        })
    }

    /// Asks for a file: its bytes as they come.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn pieces(&self, path: &str, body: &impl Serialize) -> Result<Pieces, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Broken(error.into()))?;
        let response = self.ask(Method::POST, path, body.into()).await?;
        Ok(Pieces { response })
    }

    async fn send<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<A, ClientError> {
        let response = self.ask(method, path, body).await?;
        let whole = whole(response).await?;
        // No content is an answer, too.
        let text = if whole.is_empty() {
            b"null"
        } else {
            &whole[..]
        };
        serde_json::from_slice(text).map_err(broken)
    }

    /// An answer that is not a refusal.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream = self.reach.connect().await;
        let stream = stream.map_err(|source| ClientError::NotRunning {
            place: self.reach.place(),
            source,
        })?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        // Ends when the answer has been read or dropped.
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.reach.host())
            .header("content-type", "application/json");
        if let Some(token) = self.reach.token() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body)).map_err(broken)?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status == StatusCode::UNAUTHORIZED {
            let place = self.reach.place();
            return Err(ClientError::NoToken { place });
        }
        let said = serde_json::from_slice::<ProblemBody>(&whole(response).await?);
        let said = said.map(|problem| problem.detail);
        Err(ClientError::Refused(said.unwrap_or_else(|_| {
            format!("the runtime answered {status}")
        })))
    }
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, ClientError> {
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
    let body = body.collect().await.map_err(ClientError::Broken)?;
    Ok(body.to_bytes())
}

/// An answer that goes on, line by line.
#[derive(Debug)]
pub struct Lines {
    body: Incoming,
    read: BytesMut,
}

impl Lines {
    /// The next line; `None` when the runtime has ended the answer.
    ///
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// [`ClientError::Broken`] when the connection breaks, or when a line is not what it should
    /// be.
    pub async fn next<A: DeserializeOwned>(&mut self) -> Result<Option<A>, ClientError> {
        loop {
            if let Some(end) = self.read.iter().position(|it| *it == b'\n') {
                let line = self.read.split_to(end + 1);
                return serde_json::from_slice(&line).map(Some).map_err(broken);
            }
            if self.read.len() > LINE_BYTES_MAX {
                return Err(ClientError::Broken("a line is too long".into()));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(broken(error)),
                None => return Ok(None),
            }
        }
    }
}

/// A file on its way.
#[derive(Debug)]
pub struct Pieces {
    response: Response<Incoming>,
}

impl Pieces {
    /// A header of the answer that is a number.
    pub fn number(&self, header: &HeaderName) -> Option<u64> {
        self.response
            .headers()
            .get(header)?
            .to_str()
            .ok()?
            .parse()
            .ok()
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`ClientError::Broken`] when the connection breaks before the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        while let Some(frame) = self.response.body_mut().frame().await {
            if let Ok(data) = frame.map_err(broken)?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> ClientError {
    ClientError::Broken(Box::new(error))
}
