//! The command line's side of the operator API.

use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::SOCKET_FILE;
use super::model::Problem;

/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Longest line of an answer that goes on, in bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Why the runtime could not be asked, or what it refused.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers on the socket.
    #[error(
        "no runtime answers at {path}; start one with `bridge dev`, or name its data folder with --data"
    )]
    NotRunning {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The connection broke.
    #[error("the runtime broke off the conversation")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The runtime said no.
    #[error("{0}")]
    Refused(String),
}

/// Talks to the runtime of one data folder.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// The runtime whose data folder is `data`.
    pub fn new(data: &Path) -> Self {
        Self {
            socket: data.join(SOCKET_FILE),
        }
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

    async fn send<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<A, ClientError> {
        let response = self.ask(method, path, body).await?;
        serde_json::from_slice(&whole(response).await?).map_err(broken)
    }

    /// An answer that is not a refusal.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream =
            UnixStream::connect(&self.socket)
                .await
                .map_err(|source| ClientError::NotRunning {
                    path: self.socket.clone(),
                    source,
                })?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        // Ends when the answer has been read or dropped.
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "bridge")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(broken)?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        if status == StatusCode::OK || status == StatusCode::CREATED {
            return Ok(response);
        }
        let said = serde_json::from_slice::<Problem>(&whole(response).await?);
        let said = said.map(|problem| problem.error);
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

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> ClientError {
    ClientError::Broken(Box::new(error))
}
