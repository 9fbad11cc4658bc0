//! Which instances are here right now: one link per open control, registry or report stream.
//!
//! Presence does not decide what absence means; the registry asks who has been gone for how
//! long. It also carries the order to leave: a revoked instance's links end with a reason.
//!
//! Invariant: an instance without links was stamped with the moment its last link ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::{Clock, Monotonic, Timestamp};
use contract::ids::{InstanceId, ServiceId};
use contract::tls::Validity;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

/// Why a stream must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The service was revoked: final for its instances.
    Revoked,
    /// The runtime stops; come back later.
    Draining,
}

/// What is known of an instance that is here, or was a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Streams it has open.
    pub links: u32,
    /// When the first of them began.
    pub came_at: Timestamp,
    /// The newest certificate it showed or was given.
    pub certificate: Option<Validity>,
}

/// Links of every instance. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Presence(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    here: Mutex<HashMap<InstanceId, Entry>>,
    changed: Notify,
    draining: watch::Sender<bool>,
}

#[derive(Debug)]
struct Entry {
    service: ServiceId,
    links: u32,
    since: Monotonic,
    came_at: Timestamp,
    certificate: Option<Validity>,
    ending: watch::Sender<Option<Ending>>,
}

impl Presence {
    /// Nobody is here.
    pub fn new(clock: &Clock) -> Self {
        let inner = Inner {
            clock: clock.clone(),
            here: Mutex::default(),
            changed: Notify::new(),
            draining: watch::Sender::new(false),
        };
        Self(Arc::new(inner))
    }

    /// Counts one more stream of `instance`, until the link is dropped.
    pub fn link(&self, service: ServiceId, instance: InstanceId) -> Link {
        let mut here = self.0.here.lock();
        let entry = here.entry(instance).or_insert_with(|| Entry {
            service,
            links: 0,
            since: self.0.clock.monotonic(),
            came_at: self.0.clock.now(),
            certificate: None,
            ending: watch::Sender::new(None),
        });
        entry.links += 1;
        let ending = entry.ending.subscribe();
        drop(here);
        Link {
            presence: self.clone(),
            instance,
            ending,
            draining: self.0.draining.subscribe(),
        }
    }

    /// Notes a certificate that an instance showed or was given; the one that ends last counts.
    pub fn certify(&self, instance: InstanceId, certificate: Option<Validity>) {
        if let Some(entry) = self.0.here.lock().get_mut(&instance) {
            let newer = |it: &Validity| entry.certificate.is_none_or(|old| it.until > old.until);
            entry.certificate = certificate.filter(newer).or(entry.certificate);
        }
    }

    /// An instance that has streams open, or had some within the grace.
    pub fn sighting(&self, instance: InstanceId) -> Option<Sighting> {
        let here = self.0.here.lock();
        here.get(&instance).map(|entry| Sighting {
            links: entry.links,
            came_at: entry.came_at,
            certificate: entry.certificate,
        })
    }

    /// Instances with at least one link.
    pub fn count(&self) -> usize {
        self.0
            .here
            .lock()
            .values()
            .filter(|entry| entry.links > 0)
            .count()
    }

    /// Takes out the instances that have had no link for `grace`, and tells how long until the
    /// next one is due.
    pub fn take_departed(&self, grace: Duration) -> (Vec<InstanceId>, Option<Duration>) {
        let now = self.0.clock.monotonic();
        let mut here = self.0.here.lock();
        let mut departed = Vec::new();
        let mut next: Option<Duration> = None;
        here.retain(|instance, entry| {
            if entry.links > 0 {
                return true;
            }
            let left = grace.saturating_sub(now.since(entry.since));
            if left.is_zero() {
                departed.push(*instance);
                return false;
            }
            next = Some(next.map_or(left, |soonest| soonest.min(left)));
            true
        });
        (departed, next)
    }

    /// Waits until some link ended since the last call.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Ends every link of a service for good.
    pub fn revoke(&self, service: ServiceId) {
        for entry in self
            .0
            .here
            .lock()
            .values()
            .filter(|entry| entry.service == service)
        {
            entry.ending.send_replace(Some(Ending::Revoked));
        }
    }

    /// Tells every link, present and future, that the runtime stops.
    pub fn drain(&self) {
        self.0.draining.send_replace(true);
    }
}

/// One stream of one instance. Dropping it ends the link.
#[derive(Debug)]
pub struct Link {
    presence: Presence,
    instance: InstanceId,
    ending: watch::Receiver<Option<Ending>>,
    draining: watch::Receiver<bool>,
}

impl Link {
    /// Waits until this stream must end.
    pub async fn ended(&mut self) -> Ending {
        let Self {
            ending, draining, ..
        } = self;
        tokio::select! {
            biased;
            revoked = ending.wait_for(Option::is_some) => {
                revoked.ok().and_then(|why| *why).unwrap_or(Ending::Draining)
            }
            _ = draining.wait_for(|draining| *draining) => Ending::Draining,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let inner = &self.presence.0;
        let mut here = inner.here.lock();
        if let Some(entry) = here.get_mut(&self.instance) {
            entry.links -= 1;
            entry.since = inner.clock.monotonic();
        }
        drop(here);
        inner.changed.notify_one();
    }
}
