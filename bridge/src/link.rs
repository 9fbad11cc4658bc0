//! One connection to one peer, made when it is needed and kept while it is used.
//!
//! The common case takes no lock: a caller that finds a live channel clones it. A connection is
//! made by a task of its own, one at a time, for everybody who asks meanwhile: a caller that stops
//! waiting takes nothing from the others, and the next one finds what it asked for.
//!
//! Invariant: a link dials one endpoint and accepts one identity there: a member of the mesh, or
//! whoever answers at an address that the user gave.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use contract::clock::Clock;
use contract::task::spawn;
use contract::tls::{Leaf, Peer, client_config};
use contract::transport::{Channel, Dial, DialError};
use parking_lot::Mutex;
use tokio::sync::watch;

/// Longest time one connection may take to be made, handshake included.
pub(crate) const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(5);

/// What this process trusts and presents, shared by all its connections.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    /// The certificate in use; replacing it changes later handshakes only.
    pub(crate) leaf: Leaf,
    /// The only authority trusted.
    pub(crate) ca_der: ArcSwap<Vec<u8>>,
}

/// Why no channel could be had. Nothing was sent.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The link was closed because the peer left or was revoked.
    #[error("the instance has left")]
    Closed,
    #[error("{}{}", .0, because(.0))]
    Dial(Arc<DialError>),
    #[error("cannot prepare TLS: {0}")]
    Tls(Arc<contract::tls::TlsError>),
    /// The connection is still being made, for whoever asks next.
    #[error("there is no connection to {endpoint} after {waited:?}; it is still being made")]
    Waiting { endpoint: String, waited: Duration },
    /// The task that made it has ended without a result, as it does when the tokio runtime goes
    /// that it was begun in. Whoever asks next begins anew.
    #[error("the connection is not made any more: the tokio runtime that made it has ended")]
    Abandoned,
}

/// What is behind a dial that failed, which tells of a fault of TLS itself.
fn because(error: &DialError) -> String {
    match error.source() {
        Some(source) if error.tls().is_none() => format!(": {source}"),
        _ => String::new(),
    }
}

/// Who is at the other end.
#[derive(Debug)]
enum Far {
    Member {
        endpoint: String,
        expected: Peer,
        credentials: Arc<Credentials>,
    },
    Address(Dial),
}

/// A connection to one peer that is dialled on demand.
#[derive(Debug)]
pub(crate) struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    peer: Far,
    clock: Clock,
    live: ArcSwapOption<Channel>,
    dialling: Mutex<Dialling>,
    closed: AtomicBool,
}

/// The connection that is being made, if one is.
#[derive(Debug, Default)]
struct Dialling {
    /// Dials begun so far: only the latest one's connection is kept.
    begun: u64,
    answer: Option<watch::Receiver<Option<Dialled>>>,
}

/// What a dial came to.
type Dialled = Result<Channel, LinkError>;

impl Link {
    pub(crate) fn new(
        endpoint: String,
        expected: Peer,
        credentials: Arc<Credentials>,
        clock: Clock,
    ) -> Self {
        let peer = Far::Member {
            endpoint,
            expected,
            credentials,
        };
        Self::of(peer, clock)
    }

    /// To an address outside of the mesh.
    pub(crate) fn to_address(dial: Dial, clock: Clock) -> Self {
        Self::of(Far::Address(dial), clock)
    }

    fn of(peer: Far, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            peer,
            clock,
            live: ArcSwapOption::empty(),
            dialling: Mutex::default(),
            closed: AtomicBool::new(false),
        }))
    }

    /// The live channel, if there is one.
    pub(crate) fn ready(&self) -> Option<Channel> {
        self.0.ready()
    }

    /// The live channel, or a new one if it is there within `wait`.
    ///
    /// # Errors
    ///
    /// [`LinkError`]; nothing has been sent.
    pub(crate) async fn channel(&self, wait: Duration) -> Result<Channel, LinkError> {
        match self.ready() {
            Some(channel) => Ok(channel),
            // Boxed, as everything rare: who asks for a channel should stay small.
            None => Box::pin(self.dialled(wait)).await,
        }
    }

    #[cold]
    async fn dialled(&self, wait: Duration) -> Result<Channel, LinkError> {
        let mut answer = match self.dial() {
            Ok(channel) => return Ok(channel),
            Err(answer) => answer,
        };
        let dialled = answer.wait_for(Option::is_some);
        match self.0.clock.timeout(wait, dialled).await {
            Ok(Ok(dialled)) => dialled.clone().unwrap_or(Err(LinkError::Abandoned)),
            Ok(Err(_)) => Err(LinkError::Abandoned),
            Err(_) => Err(LinkError::Waiting {
                endpoint: self.0.endpoint().to_owned(),
                waited: wait,
            }),
        }
    }

    /// Begins to make the connection, unless it is there or being made.
    fn dial(&self) -> Result<Channel, watch::Receiver<Option<Dialled>>> {
        let mut dialling = self.0.dialling.lock();
        if let Some(channel) = self.ready() {
            return Ok(channel);
        }
        if let Some(answer) = &dialling.answer
            // A task that is gone without a word will never say one.
            && (answer.has_changed().is_ok() || answer.borrow().is_some())
        {
            return Err(answer.clone());
        }
        let (tell, answer) = watch::channel(None);
        dialling.answer = Some(answer.clone());
        dialling.begun += 1;
        let (inner, nth) = (self.0.clone(), dialling.begun);
        spawn(async move {
            let dialled = inner.connect().await;
            // Nobody may wait any more.
            let _ = tell.send(Some(inner.arrived(nth, dialled)));
        });
        Err(answer)
    }

    /// Lets the connection go; requests under way finish, the next one dials anew.
    pub(crate) fn forget(&self) {
        let mut dialling = self.0.dialling.lock();
        // One that is being made is for those who wait for it, and not kept.
        dialling.begun += 1;
        dialling.answer = None;
        self.0.live.store(None);
    }

    /// Lets the connection go and refuses to make another; requests under way finish.
    pub(crate) fn retire(&self) {
        self.0.closed.store(true, Ordering::Release);
        self.forget();
    }

    /// Breaks the connection and refuses to make another; requests under way fail.
    pub(crate) fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        if let Some(channel) = self.0.live.swap(None) {
            channel.close();
        }
    }
}

impl Inner {
    fn ready(&self) -> Option<Channel> {
        let live = self.live.load();
        live.as_ref()
            .filter(|channel| !channel.is_closed())
            .map(|channel| Channel::clone(channel))
    }

    fn endpoint(&self) -> &str {
        match &self.peer {
            Far::Member { endpoint, .. } => endpoint,
            Far::Address(dial) => &dial.endpoint,
        }
    }

    async fn connect(&self) -> Dialled {
        if self.closed.load(Ordering::Acquire) {
            return Err(LinkError::Closed);
        }
        let dial = match &self.peer {
            Far::Address(dial) => dial.clone(),
            Far::Member {
                endpoint,
                expected,
                credentials,
            } => {
                let ca = credentials.ca_der.load();
                let tls = client_config(&ca, Some(&credentials.leaf), *expected)
                    .map_err(|error| LinkError::Tls(Arc::new(error)))?;
                Dial::new(endpoint.as_str(), tls)
            }
        };
        dial.timeout(CONNECT_TIMEOUT_MAX)
            .connect(&self.clock)
            .await
            .map_err(|error| LinkError::Dial(Arc::new(error)))
    }

    /// Dial number `nth` has ended: keeps what it made, if it is still wanted.
    fn arrived(&self, nth: u64, dialled: Dialled) -> Dialled {
        let mut dialling = self.dialling.lock();
        if dialling.begun == nth {
            dialling.answer = None;
            if let Ok(channel) = &dialled {
                self.live.store(Some(Arc::new(channel.clone())));
            }
        }
        // Closing may have happened while the handshake ran.
        if self.closed.load(Ordering::Acquire) {
            self.live.store(None);
            if let Ok(channel) = dialled {
                channel.close();
            }
            return Err(LinkError::Closed);
        }
        dialled
    }
}

#[cfg(test)]
pub(crate) mod tests;
