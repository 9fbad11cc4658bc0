//! Operations on the registry: open, register, remove, revoke, pick.
//!
//! A registration is stored first and shown second, so that whatever a watcher was told survives
//! a restart. The lock is held for memory work only, never across a wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contract::clock::{Clock, Timestamp};
use contract::grpc::v1;
use contract::ids::{InstanceId, ServiceId};
use contract::tls::Validity;
use parking_lot::{Mutex, MutexGuard};
use prost::Message as _;
use tokio::sync::watch;

use super::foreign;
use super::map::{self, ServiceMap};
use super::model::{self, Invalid, Registration};
use super::state::State;
use super::store::{self, StoredRegistration};
use super::watch::Watcher;
use crate::db::{Db, DbError, Store};
use crate::identity::{Link, Presence};
use crate::settings::{Capture, Settings, keys};

/// How long an instance that could not be reached is marked, unless it registers again.
const UNHEALTHY_WINDOW: Duration = Duration::from_secs(30);
/// Revocations older than this need not be repeated: no leaf issued before them is valid.
const REVOCATION_LIFE: Duration = Duration::from_secs(24 * 24 * 3600);
/// Rhythm of the reaper while it waits for something to fall due.
const REAPER_PERIOD: Duration = Duration::from_millis(500);

/// Why a registry operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The declaration itself is wrong; a repeat gives the same answer.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The service was revoked.
    #[error("service {0} is revoked")]
    Revoked(ServiceId),
    /// No such service.
    #[error("service {0} does not exist")]
    UnknownService(ServiceId),
    /// The store could not do it.
    #[error("cannot store the registration")]
    Store(#[from] DbError),
}

/// Where a proxied call may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The instance.
    pub instance: InstanceId,
    /// `host:port`.
    pub endpoint: String,
    /// Whether the method streams its answer.
    pub streaming: bool,
    /// Whether it is marked unhealthy now.
    pub unhealthy: bool,
}

/// The registry. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    clock: Clock,
    settings: Settings,
    presence: Presence,
    state: Mutex<State>,
}

impl Registry {
    /// Loads what was registered before; its instances have `registry.restart_grace_ms` to come
    /// back. `services` are id, name and when revoked.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn open(
        db: &Db,
        clock: &Clock,
        settings: &Settings,
        presence: &Presence,
        services: impl IntoIterator<Item = (ServiceId, String, Option<Timestamp>)>,
    ) -> Result<Self, DbError> {
        let mut state = State::default();
        for (id, name, revoked_at) in services {
            state.add_service(id, &name);
            if let Some(at) = revoked_at {
                state.revoke(id, at);
            }
        }
        let mut after: Option<InstanceId> = None;
        loop {
            let mut held = db.read(Store::Ledger, "load the registrations").await?;
            let page = store::load_page(&mut held.conn(), after, store::PAGE_MAX).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.instance);
            let known = page.into_iter().filter_map(returning);
            for registration in known
                .filter(|it| state.is_active(it.service))
                .collect::<Vec<_>>()
            {
                state.put(registration);
            }
        }
        for stored in foreign::load(db).await? {
            state.foreign.restore(stored);
        }
        let inner = Inner {
            db: db.clone(),
            clock: clock.clone(),
            settings: settings.clone(),
            presence: presence.clone(),
            state: Mutex::new(state),
        };
        Ok(Self(Arc::new(inner)))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }

    pub(super) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn link(
        &self,
        service: ServiceId,
        instance: InstanceId,
        certificate: Option<Validity>,
    ) -> Link {
        let link = self.0.presence.link(service, instance);
        self.0.presence.certify(instance, certificate);
        link
    }

    /// Changes whenever something changes that the map shows: who is registered, and with what.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.state().changes.subscribe()
    }

    /// Makes a service known that was created while running.
    pub fn add_service(&self, id: ServiceId, name: &str) {
        self.state().add_service(id, name);
    }

    /// Takes a registration in place of the instance's earlier one and starts watching for it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] and [`Error::Revoked`] are final; [`Error::Store`] is worth a repeat.
    pub async fn register(
        &self,
        service: ServiceId,
        instance: InstanceId,
        request: v1::RegisterRequest,
    ) -> Result<Watcher, Error> {
        model::check(&request)?;
        let (attempt, unchanged, scope) = {
            let mut state = self.state();
            let known = state
                .services
                .get(&service)
                .ok_or(Error::UnknownService(service))?;
            if known.revoked {
                return Err(Error::Revoked(service));
            }
            let mut scope: BTreeSet<_> = request
                .outgoing
                .iter()
                .map(|dep| dep.service_name.clone())
                .collect();
            scope.insert(known.name.clone());
            let attempt = state.next_number();
            state.attempts.insert(instance, attempt);
            let stored = state.instances.get(&instance);
            (
                attempt,
                stored.is_some_and(|it| *it.request == request),
                scope,
            )
        };
        if !unchanged {
            self.store(service, instance, &request).await?;
        }
        self.show(attempt, service, instance, request)?;
        Ok(Watcher::new(self, scope))
    }

    async fn store(
        &self,
        service: ServiceId,
        instance: InstanceId,
        request: &v1::RegisterRequest,
    ) -> Result<(), DbError> {
        let row = Arc::new([StoredRegistration {
            instance,
            service,
            request: request.encode_to_vec(),
            updated_at: self.0.clock.now(),
        }]);
        let write = self
            .0
            .db
            .write(Store::Ledger, "store a registration", move |conn| {
                let row = row.clone();
                Box::pin(async move { store::upsert(conn, &*row).await })
            });
        write.await
    }

    fn show(
        &self,
        attempt: u64,
        service: ServiceId,
        instance: InstanceId,
        request: v1::RegisterRequest,
    ) -> Result<(), Error> {
        let mut state = self.state();
        if state.services.get(&service).is_none_or(|it| it.revoked) {
            return Err(Error::Revoked(service));
        }
        if state.attempts.get(&instance) != Some(&attempt) {
            // A newer registration of the same process overtook this one; its rows stand.
            return Ok(());
        }
        let same = state
            .instances
            .get(&instance)
            .is_some_and(|it| *it.request == request && it.confirmed && it.unhealthy_since_ms == 0);
        if !same {
            let request = Arc::new(request);
            state.put(Registration {
                service,
                instance,
                request,
                unhealthy_since_ms: 0,
                confirmed: true,
                revision: 0,
            });
        }
        Ok(())
    }

    /// What SDKs may capture, from the settings.
    pub fn capture_modes(&self) -> v1::CaptureModes {
        let settings = &self.0.settings;
        let mode = |key| match settings.get(key) {
            Capture::All => v1::CaptureMode::All as i32,
            Capture::Errors => v1::CaptureMode::Errors as i32,
            Capture::None => v1::CaptureMode::None as i32,
        };
        // A cap of 0 would make an SDK overlook the switch beside it.
        let payload_max_bytes = settings.get(keys::TELEMETRY_PAYLOAD_BYTES_MAX).max(1);
        v1::CaptureModes {
            rpc: mode(keys::RPC_CAPTURE),
            http: mode(keys::HTTP_CAPTURE),
            event: mode(keys::EVENTS_CAPTURE),
            workflow: mode(keys::WORKFLOWS_CAPTURE),
            telemetry_enabled: settings.get(keys::TELEMETRY_ENABLE),
            payload_max_bytes,
        }
    }

    /// Ends every instance of a service for good and tells everybody.
    pub async fn revoke(&self, service: ServiceId) {
        self.state().revoke(service, self.0.clock.now());
        self.0.presence.revoke(service);
        let deleted = self
            .0
            .db
            .write(Store::Ledger, "remove registrations", move |conn| {
                Box::pin(async move { store::delete_by_service(conn, service).await.map(|_| ()) })
            });
        if let Err(error) = deleted.await {
            // Rows of a revoked service are skipped when they are loaded.
            let error: DbError = error;
            tracing::warn!(error = %error, "cannot remove a revoked service's registrations");
        }
    }

    /// Whether a service is known and active.
    pub fn is_active(&self, service: ServiceId) -> bool {
        self.state().is_active(service)
    }

    /// Whether an instance is registered, returning ones included.
    pub fn is_registered(&self, instance: InstanceId) -> bool {
        self.state().instances.contains_key(&instance)
    }

    /// The service of this name; of two, the one with a key.
    pub fn service_named(&self, name: &str) -> Option<ServiceId> {
        let state = self.state();
        let known = state.names.get(name).copied();
        known.or_else(|| state.foreign.named(name))
    }

    /// The name of a service, as the map shows it.
    pub fn service_name(&self, service: ServiceId) -> Option<String> {
        let state = self.state();
        let known = state.services.get(&service).map(|it| it.name.clone());
        let is_taken = |name: &str| state.names.contains_key(name);
        known.or_else(|| state.foreign.shown_name(service, is_taken))
    }

    /// Instances of `service` that serve `method` as RPC with exactly this contract hash and can
    /// be called.
    pub fn targets(&self, service: ServiceId, method: &str, contract_hash: &str) -> Vec<Target> {
        let state = self.state();
        let serving = |it: &Registration| {
            let found = it.request.incoming.iter().find(|row| {
                row.r#type == v1::MethodType::Rpc as i32
                    && row.name == method
                    && row.contract_hash == contract_hash
            })?;
            (!it.request.call_endpoint.is_empty()).then(|| Target {
                instance: it.instance,
                endpoint: it.request.call_endpoint.clone(),
                streaming: found.streaming,
                unhealthy: it.unhealthy_since_ms != 0,
            })
        };
        state.of_service(service).filter_map(serving).collect()
    }

    /// Opens an unhealthy window for an instance that could not be reached.
    pub fn mark_unhealthy(&self, instance: InstanceId) {
        let now_ms = self.0.clock.now().as_millis();
        let mut state = self.state();
        if state
            .instances
            .get(&instance)
            .is_some_and(|it| it.unhealthy_since_ms == 0)
        {
            state.touch(instance, |it| it.unhealthy_since_ms = now_ms);
        }
    }

    /// Everything, for people; foreign services too.
    pub fn map(&self) -> ServiceMap {
        let mut map = map::draw(&self.state(), &self.0.presence);
        map.services.extend(self.guests());
        map.services.sort_by(|a, b| a.name.cmp(&b.name));
        map
    }

    /// Number of instances and of watchers.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.instances.len(), state.watcher_count())
    }

    /// Wakes every watcher when a setting they carry changes. Runs for ever.
    pub async fn follow_settings(self) {
        let mut changes = self.0.settings.watch();
        while changes.changed().await.is_ok() {
            self.state().wake_all();
        }
    }

    /// Removes instances that are gone, and ends unhealthy windows. Runs for ever.
    pub async fn reap(self) {
        let (clock, settings) = (&self.0.clock, &self.0.settings);
        let begun = clock.monotonic();
        let mut restart_over = false;
        loop {
            let grace = settings.get(keys::DISCONNECT_GRACE);
            let (departed, next) = self.0.presence.take_departed(grace);
            self.remove(departed).await;
            let restart_grace = settings.get(keys::RESTART_GRACE);
            if !restart_over && clock.monotonic().since(begun) >= restart_grace {
                restart_over = true;
                let missing = self.unconfirmed();
                self.remove(missing).await;
            }
            let waiting = self.end_unhealthy_windows() || !restart_over;
            let pause = next.unwrap_or(REAPER_PERIOD).min(REAPER_PERIOD);
            if next.is_some() || waiting {
                tokio::select! {
                    () = clock.sleep(pause) => {}
                    () = self.0.presence.changed() => {}
                }
            } else {
                // Unhealthy marks are made elsewhere; a slow beat finds them too.
                tokio::select! {
                    () = clock.sleep(REAPER_PERIOD * 4) => {}
                    () = self.0.presence.changed() => {}
                }
            }
        }
    }

    fn unconfirmed(&self) -> Vec<InstanceId> {
        let state = self.state();
        state
            .instances
            .values()
            .filter(|it| !it.confirmed)
            .map(|it| it.instance)
            .collect()
    }

    fn end_unhealthy_windows(&self) -> bool {
        let now_ms = self.0.clock.now().as_millis();
        let window_ms = i64::try_from(UNHEALTHY_WINDOW.as_millis()).unwrap_or(i64::MAX);
        let mut state = self.state();
        let marked: Vec<_> = state
            .instances
            .values()
            .filter(|it| it.unhealthy_since_ms != 0)
            .map(|it| (it.instance, it.unhealthy_since_ms))
            .collect();
        for (instance, since_ms) in &marked {
            if now_ms - since_ms >= window_ms {
                state.touch(*instance, |it| it.unhealthy_since_ms = 0);
            }
        }
        let oldest = self.0.clock.now();
        state
            .revocations
            .retain(|it| oldest.since(it.at) < REVOCATION_LIFE);
        !marked.is_empty()
    }

    /// Takes instances out of memory at once and out of the store soon.
    async fn remove(&self, instances: Vec<InstanceId>) {
        if instances.is_empty() {
            return;
        }
        let attempts: BTreeMap<_, _> = {
            let mut state = self.state();
            for instance in &instances {
                state.remove(*instance);
            }
            instances
                .iter()
                .map(|it| (*it, state.attempts.get(it).copied()))
                .collect()
        };
        tracing::info!(
            registry.removed = instances.len(),
            "instances left the registry"
        );
        let (registry, attempts) = (self.clone(), Arc::new(attempts));
        let deleted = self
            .0
            .db
            .write(Store::Ledger, "remove registrations", move |conn| {
                let gone = registry.still_gone(&attempts);
                Box::pin(async move { store::delete(conn, &gone).await.map(|_| ()) })
            });
        if let Err(error) = deleted.await {
            // The rows do no harm: after a restart nobody confirms them and they go then.
            let error: DbError = error;
            tracing::warn!(error = %error, "cannot remove registrations from the store");
        }
    }

    /// Which of the removed instances did not begin to register again meanwhile.
    fn still_gone(&self, attempts: &BTreeMap<InstanceId, Option<u64>>) -> Vec<InstanceId> {
        let mut state = self.state();
        let gone: Vec<_> = attempts
            .iter()
            .filter(|(instance, attempt)| state.attempts.get(instance) == attempt.as_ref())
            .map(|(instance, _)| *instance)
            .collect();
        for instance in &gone {
            state.attempts.remove(instance);
        }
        gone
    }
}

/// A stored registration as it stands while its process is expected back. A row that cannot be
/// read was written by another version: its instance will register anew.
fn returning(row: StoredRegistration) -> Option<Registration> {
    let request = v1::RegisterRequest::decode(row.request.as_slice()).ok()?;
    Some(Registration {
        service: row.service,
        instance: row.instance,
        request: Arc::new(request),
        unhealthy_since_ms: 0,
        confirmed: false,
        revision: 0,
    })
}
