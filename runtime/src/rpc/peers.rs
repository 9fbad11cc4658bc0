//! Connections from the proxy to instances: one each, opened when needed, dropped when idle.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::{Clock, Monotonic};
use contract::ids::{InstanceId, ServiceId};
use contract::tls::{Leaf, Peer, client_config};
use contract::transport::{Channel, Dial, DialError};
use parking_lot::Mutex;

use crate::registry::Target;

/// A connection without calls for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(5 * 60);
/// Longest wait for a connection, however much time the call has left.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Connections by endpoint and identity: endpoints are reused, identities are not.
#[derive(Debug)]
pub(super) struct Peers {
    clock: Clock,
    ca_der: Vec<u8>,
    leaf: Leaf,
    open: Mutex<HashMap<Key, Open>>,
}

type Key = (String, InstanceId);

#[derive(Debug)]
struct Open {
    /// Only one caller dials; the others wait for its result.
    dialling: Arc<tokio::sync::Mutex<Option<Channel>>>,
    used: Monotonic,
}

impl Peers {
    pub(super) fn new(clock: &Clock, ca_der: &[u8], leaf: &Leaf) -> Self {
        Self {
            clock: clock.clone(),
            ca_der: ca_der.to_vec(),
            leaf: leaf.clone(),
            open: Mutex::default(),
        }
    }

    /// A connection to `target`, whose certificate names exactly that instance.
    pub(super) async fn channel(
        &self,
        service: ServiceId,
        target: &Target,
        left: Duration,
    ) -> Result<Channel, DialError> {
        let key = (target.endpoint.clone(), target.instance);
        let dialling = {
            let now = self.clock.monotonic();
            let mut open = self.open.lock();
            open.retain(|_, it| now.since(it.used) < IDLE_MAX);
            let entry = open.entry(key).or_insert_with(|| Open {
                dialling: Arc::default(),
                used: now,
            });
            entry.used = now;
            entry.dialling.clone()
        };
        let mut held = dialling.lock().await;
        if let Some(channel) = held.as_ref().filter(|channel| !channel.is_closed()) {
            return Ok(channel.clone());
        }
        let expected = Peer::Service {
            service,
            instance: target.instance,
        };
        let tls = client_config(&self.ca_der, Some(&self.leaf), expected)
            .expect("the runtime's own authority makes client settings");
        let dial = Dial::new(target.endpoint.clone(), tls).timeout(CONNECT_MAX.min(left));
        let channel = dial.connect(&self.clock).await?;
        *held = Some(channel.clone());
        Ok(channel)
    }
}
