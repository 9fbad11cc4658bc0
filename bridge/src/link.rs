//! One connection to one peer, made when it is needed and kept while it is used.
//!
//! The common case takes no lock: a caller that finds a live channel clones it. Only dialling is
//! serialised, and everybody who waited for an attempt that failed gets that attempt's answer
//! instead of making one of their own.
//!
//! Invariant: a link dials one endpoint and accepts one identity there: a member of the mesh, or
//! whoever answers at an address that the user gave.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use contract::clock::{Clock, Monotonic};
use contract::tls::{Leaf, Peer, client_config};
use contract::transport::{Channel, Dial, DialError};
use parking_lot::Mutex;

/// Longest wait for one connection, handshake included.
pub(crate) const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(5);
/// How long an instance that could not be reached is left alone while others can be.
const SHUN: Duration = Duration::from_secs(3);

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
    #[error("{0}")]
    Dial(Arc<DialError>),
    #[error("cannot prepare TLS: {0}")]
    Tls(Arc<contract::tls::TlsError>),
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
pub(crate) struct Link {
    peer: Far,
    clock: Clock,
    live: ArcSwapOption<Channel>,
    dialling: tokio::sync::Mutex<Option<LinkError>>,
    /// Dial attempts that have ended; tells a waiter whether one ended while it waited.
    attempts: AtomicU64,
    closed: AtomicBool,
}

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
        Self {
            peer,
            clock,
            live: ArcSwapOption::empty(),
            dialling: tokio::sync::Mutex::default(),
            attempts: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// The live channel, if there is one.
    pub(crate) fn ready(&self) -> Option<Channel> {
        let live = self.live.load();
        live.as_ref()
            .filter(|channel| !channel.is_closed())
            .map(|channel| Channel::clone(channel))
    }

    /// The live channel, or a new one made within `wait`.
    ///
    /// # Errors
    ///
    /// [`LinkError`]; nothing has been sent.
    pub(crate) async fn channel(&self, wait: Duration) -> Result<Channel, LinkError> {
        match self.ready() {
            Some(channel) => Ok(channel),
            // Boxed, as everything rare: who asks for a channel should stay small.
            None => Box::pin(self.dial(wait)).await,
        }
    }

    #[cold]
    async fn dial(&self, wait: Duration) -> Result<Channel, LinkError> {
        let seen = self.attempts.load(Ordering::Acquire);
        let mut last = self.dialling.lock().await;
        if let Some(channel) = self.ready() {
            return Ok(channel);
        }
        if self.attempts.load(Ordering::Acquire) != seen
            && let Some(error) = &*last
        {
            return Err(error.clone());
        }
        let result = self.dial_now(wait.min(CONNECT_TIMEOUT_MAX)).await;
        match &result {
            Ok(channel) => {
                self.live.store(Some(Arc::new(channel.clone())));
                *last = None;
            }
            Err(error) => *last = Some(error.clone()),
        }
        self.attempts.fetch_add(1, Ordering::Release);
        // Closing may have happened while the handshake ran.
        if self.closed.load(Ordering::Acquire) {
            self.close();
            return Err(LinkError::Closed);
        }
        result
    }

    async fn dial_now(&self, timeout: Duration) -> Result<Channel, LinkError> {
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
        dial.timeout(timeout)
            .connect(&self.clock)
            .await
            .map_err(|error| LinkError::Dial(Arc::new(error)))
    }

    /// Lets the connection go; requests under way finish, the next one dials anew.
    pub(crate) fn forget(&self) {
        self.live.store(None);
    }

    /// Lets the connection go and refuses to make another; requests under way finish.
    pub(crate) fn retire(&self) {
        self.closed.store(true, Ordering::Release);
        self.forget();
    }

    /// Breaks the connection and refuses to make another; requests under way fail.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if let Some(channel) = self.live.swap(None) {
            channel.close();
        }
    }
}

/// A link to an instance, with what balancing needs to know about it.
#[derive(Debug)]
pub(crate) struct InstanceLink {
    pub(crate) id: InstanceKey,
    pub(crate) link: Link,
    in_flight: AtomicU32,
    /// Set while the instance is shunned, so that the common case reads one flag.
    is_shunned: AtomicBool,
    shunned_until: Mutex<Option<Monotonic>>,
    used: AtomicBool,
}

/// What makes two instances different connections: endpoints are reused, so the identity counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct InstanceKey {
    pub(crate) service: contract::ids::ServiceId,
    pub(crate) instance: contract::ids::InstanceId,
    pub(crate) endpoint: String,
}

impl InstanceLink {
    pub(crate) fn new(id: InstanceKey, credentials: Arc<Credentials>, clock: Clock) -> Self {
        let expected = Peer::Service {
            service: id.service,
            instance: id.instance,
        };
        let link = Link::new(id.endpoint.clone(), expected, credentials, clock);
        Self {
            id,
            link,
            in_flight: AtomicU32::new(0),
            is_shunned: AtomicBool::new(false),
            shunned_until: Mutex::new(None),
            used: AtomicBool::new(false),
        }
    }

    /// Calls of this process that the instance has not answered yet.
    pub(crate) fn load(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a call until the guard is dropped.
    pub(crate) fn enter(&self) -> InFlight<&Self> {
        self.begin();
        InFlight(self)
    }

    /// Like [`enter`](Self::enter), with a guard that keeps the link.
    pub(crate) fn enter_owned(self: &Arc<Self>) -> InFlight<Arc<Self>> {
        self.begin();
        InFlight(self.clone())
    }

    fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Leaves the instance alone for a short while: it could not be reached, or is stopping.
    pub(crate) fn shun(&self) {
        *self.shunned_until.lock() = Some(self.link.clock.monotonic() + SHUN);
        self.is_shunned.store(true, Ordering::Release);
    }

    /// Whether it is being left alone now.
    pub(crate) fn is_shunned(&self) -> bool {
        if !self.is_shunned.load(Ordering::Acquire) {
            return false;
        }
        let mut until = self.shunned_until.lock();
        let shunned = until.is_some_and(|until| self.link.clock.monotonic() < until);
        if !shunned {
            *until = None;
            self.is_shunned.store(false, Ordering::Release);
        }
        shunned
    }

    /// Lets the connection go when nobody used it since the last time this was asked.
    pub(crate) fn sweep(&self) {
        if !self.used.swap(false, Ordering::Relaxed) && self.load() == 0 {
            self.link.forget();
        }
    }
}

/// Counts one call in flight.
#[derive(Debug)]
pub(crate) struct InFlight<L: Deref<Target = InstanceLink>>(L);

impl<L: Deref<Target = InstanceLink>> Drop for InFlight<L> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use contract::clock::Timestamp;
    use contract::ids::{IdMint, InstanceId, ServiceId};

    use super::*;

    fn instance() -> (InstanceLink, contract::clock::ManualClock) {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1));
        let mint = IdMint::seeded(1, &clock);
        let id = InstanceKey {
            service: ServiceId::mint(&mint),
            instance: InstanceId::mint(&mint),
            endpoint: "127.0.0.1:1".into(),
        };
        (InstanceLink::new(id, Arc::default(), clock), hand)
    }

    #[test]
    fn a_call_is_counted_until_its_guard_is_gone() {
        let (instance, _) = instance();
        let first = instance.enter();
        let second = instance.enter();
        assert_eq!(instance.load(), 2);
        drop((first, second));
        assert_eq!(instance.load(), 0);
    }

    #[test]
    fn an_unreachable_instance_is_left_alone_for_a_short_while_only() {
        let (instance, hand) = instance();
        assert!(!instance.is_shunned());
        instance.shun();
        assert!(instance.is_shunned());
        hand.advance(SHUN);
        assert!(!instance.is_shunned());
    }

    #[tokio::test]
    async fn a_closed_link_never_dials() {
        let (instance, _) = instance();
        instance.link.close();
        let error = instance
            .link
            .channel(Duration::from_secs(1))
            .await
            .unwrap_err();
        assert!(matches!(error, LinkError::Closed), "{error}");
    }
}
