//! Connections from the proxy to instances: opened when needed, shared, closed when idle.
//!
//! ```text
//!  calls ─┐
//!         ├─ wait, each as long as its own deadline lets it ─▶ one dial ─▶ one connection
//!  calls ─┘
//! ```
//!
//! A dial belongs to nobody who waits for it: a caller that leaves ends its wait, and everybody
//! who wants the same instance meanwhile gets the same connection or hears of the same failure.
//!
//! Streams have a connection of their own. HTTP/2 bounds how many requests one connection
//! carries, and streams, which last, would hold up the calls behind them.
//!
//! Invariant: at most one dial per instance and lane is under way, for [`CONNECT_MAX`] at most.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::{Clock, Monotonic};
use contract::ids::{InstanceId, ServiceId};
use contract::tls::{Leaf, Peer, client_config};
use contract::transport::{Channel, Dial, DialError};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::registry::{Registry, Target};

/// A connection without calls for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(5 * 60);
/// Longest time a dial takes, whoever waits for it.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Which of an instance's two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// For what is answered once.
    Calls,
    /// For what is answered with a stream.
    Streams,
}

/// Why there is no connection; nothing was sent.
#[derive(Debug)]
pub(super) enum Unreached {
    /// The dial failed.
    Failed(Arc<DialError>),
    /// The dial goes on, and whoever asked has no more time for it.
    Late,
}

/// Connections by endpoint and identity: endpoints are reused, identities are not.
#[derive(Debug)]
pub(super) struct Peers {
    dialler: Arc<Dialler>,
    open: Mutex<HashMap<Key, Open>>,
}

type Key = (String, InstanceId, Lane);
/// `None` while it is dialled.
type Dialled = Option<Result<Channel, Arc<DialError>>>;

#[derive(Debug)]
struct Open {
    dialled: watch::Receiver<Dialled>,
    used: Monotonic,
}

#[derive(Debug)]
struct Dialler {
    clock: Clock,
    registry: Registry,
    ca_der: Vec<u8>,
    leaf: Leaf,
}

impl Peers {
    pub(super) fn new(clock: &Clock, registry: &Registry, ca_der: &[u8], leaf: &Leaf) -> Self {
        Self {
            dialler: Arc::new(Dialler {
                clock: clock.clone(),
                registry: registry.clone(),
                ca_der: ca_der.to_vec(),
                leaf: leaf.clone(),
            }),
            open: Mutex::default(),
        }
    }

    /// A connection to `target`, whose certificate names exactly that instance; waits for it for
    /// `patience` at most.
    pub(super) async fn channel(
        &self,
        service: ServiceId,
        target: &Target,
        lane: Lane,
        patience: Duration,
    ) -> Result<Channel, Unreached> {
        let mut dialled = self.dialled(service, target, lane);
        let there = dialled.borrow().clone();
        let ended = match there {
            Some(ended) => ended,
            None => {
                let waiting = dialled.wait_for(Option::is_some);
                let waited = self.dialler.clock.timeout(patience, waiting).await;
                // A dial that ends without a word is as good as one that takes too long.
                let ended = waited.ok().and_then(Result::ok);
                ended.and_then(|it| it.clone()).ok_or(Unreached::Late)?
            }
        };
        ended.map_err(Unreached::Failed)
    }

    /// The connection that is open, the dial that is under way, or a new one.
    fn dialled(&self, service: ServiceId, target: &Target, lane: Lane) -> watch::Receiver<Dialled> {
        let now = self.dialler.clock.monotonic();
        let mut open = self.open.lock();
        open.retain(|_, it| now.since(it.used) < IDLE_MAX);
        let key = (target.endpoint.clone(), target.instance, lane);
        if let Some(entry) = open.get_mut(&key)
            && entry.is_usable()
        {
            entry.used = now;
            return entry.dialled.clone();
        }
        let (told, dialled) = watch::channel(None);
        let (dialler, endpoint) = (self.dialler.clone(), target.endpoint.clone());
        let instance = target.instance;
        tokio::spawn(async move {
            let ended = dialler
                .dial(endpoint, Peer::Service { service, instance })
                .await;
            if ended.is_err() {
                // Here, and not where calls wait: those may have gone by now.
                dialler.registry.mark_unhealthy(instance);
            }
            // Nobody may be left who wants to know.
            let _ = told.send(Some(ended.map_err(Arc::new)));
        });
        let entry = Open {
            dialled: dialled.clone(),
            used: now,
        };
        open.insert(key, entry);
        dialled
    }
}

impl Open {
    /// A failure is told to those who waited for it; whoever comes later tries again.
    fn is_usable(&self) -> bool {
        match &*self.dialled.borrow() {
            Some(Ok(channel)) => !channel.is_closed(),
            Some(Err(_)) => false,
            None => self.dialled.has_changed().is_ok(),
        }
    }
}

impl Dialler {
    async fn dial(&self, endpoint: String, expected: Peer) -> Result<Channel, DialError> {
        let tls = client_config(&self.ca_der, Some(&self.leaf), expected)
            .expect("the runtime's own authority makes client settings");
        let dial = Dial::new(endpoint, tls).timeout(CONNECT_MAX);
        dial.connect(&self.clock).await
    }
}
