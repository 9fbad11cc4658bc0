//! Services that are not ours: they report over OTLP, have no key and cannot be called.
//!
//! Such a service is known by the name it gives itself. Its id is made from that name, so it is
//! the same in every process and after every restart; the name is stored beside it. Instances and
//! what they serve are remembered only while they report.
//!
//! Refuses more than [`SERVICES_MAX`] names, unless one has not been seen for [`FORGET_AFTER`].
//!
//! Invariant: a foreign service never has the id or the shown name of one with a key.

pub(super) mod store;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use contract::clock::{Monotonic, Timestamp};
use contract::ids::{InstanceId, ServiceId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use store::StoredForeign;

use crate::db::{Db, DbError, Store};

/// Foreign services that are known at the same time.
pub(super) const SERVICES_MAX: usize = 1_000;
/// Instances of one foreign service that are told apart on the map.
const INSTANCES_MAX: usize = 1_000;
/// Routes and methods of one foreign service that are shown.
const METHODS_MAX: usize = 256;
/// Longest name, in bytes; the rest is cut.
const NAME_BYTES_MAX: usize = 128;
/// How long after its last report an instance is taken to be there: three times the slowest rhythm
/// that OpenTelemetry SDKs have by default.
const HERE_FOR: Duration = Duration::from_secs(180);
/// How long after its last report a service stays on the map.
const SHOWN_FOR: Duration = Duration::from_secs(24 * 3_600);
/// How long a service must have been silent to give up its place to another.
const FORGET_AFTER: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How often at most it is written down that a service was seen.
const NOTE_EVERY: Duration = Duration::from_secs(3_600);
/// What a foreign service's name ends in where one with a key has the same.
const SUFFIX: &str = " (otlp)";

/// What a foreign service says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its name, whatever it is.
    pub service: String,
    /// What tells its processes apart; empty when it does not say.
    pub instance: String,
    /// Language and version of its SDK; empty when it does not say.
    pub sdk: String,
}

impl Foreign {
    /// The name as it is kept: printable, of a bounded length, never empty.
    fn name(&self) -> String {
        let clean: String = self.service.chars().filter(|it| !it.is_control()).collect();
        let clean = clean.trim();
        let cut = clean[..clean.floor_char_boundary(NAME_BYTES_MAX)].trim_end();
        let name = if cut.is_empty() {
            "unknown_service"
        } else {
            cut
        };
        name.to_owned()
    }
}

/// A process of a foreign service.
#[derive(Clone, Debug)]
struct Process {
    sdk: String,
    seen: Monotonic,
}

/// One foreign service.
#[derive(Clone, Debug)]
struct Service {
    name: String,
    seen_at: Timestamp,
    noted_at: Timestamp,
    processes: BTreeMap<InstanceId, Process>,
    methods: BTreeSet<(&'static str, String)>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Foreigners {
    services: HashMap<ServiceId, Service>,
}

/// What has to be written down before a service counts as known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Nothing.
    Known,
    /// That it is there.
    Save(StoredForeign),
    /// That it is there instead of another one.
    Replace(StoredForeign, ServiceId),
    /// There are too many.
    Full,
}

/// What the map says of a foreign service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) id: ServiceId,
    pub(super) name: String,
    /// Instance and SDK.
    pub(super) instances: Vec<(InstanceId, String)>,
    /// Kind and name.
    pub(super) methods: Vec<(&'static str, String)>,
}

/// An id that follows from words.
fn derived(kind: &str, words: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for word in [&["foreign", kind], words].concat() {
        hash.update((word.len() as u64).to_le_bytes());
        hash.update(word.as_bytes());
    }
    let digest = hash.finalize();
    let bytes = digest.first_chunk().copied().unwrap_or_default();
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The ids of a foreign service and of its process.
pub(super) fn ids(foreign: &Foreign) -> (ServiceId, InstanceId) {
    let name = foreign.name();
    let instance = derived("instance", &[&name, &foreign.instance]);
    let service = derived("service", &[&name]);
    (
        ServiceId::from_uuid(service),
        InstanceId::from_uuid(instance),
    )
}

impl Foreigners {
    /// Takes in what was stored.
    pub(super) fn restore(&mut self, stored: StoredForeign) {
        let service = Service {
            name: stored.name,
            seen_at: stored.seen_at,
            noted_at: stored.seen_at,
            processes: BTreeMap::new(),
            methods: BTreeSet::new(),
        };
        self.services.insert(stored.id, service);
    }

    /// Decides what is to be done before `foreign` may report.
    pub(super) fn admit(&self, foreign: &Foreign, now: Timestamp) -> Admission {
        let (id, _) = ids(foreign);
        let stored = StoredForeign {
            id,
            name: foreign.name(),
            seen_at: now,
        };
        match self.services.get(&id) {
            Some(known) if now.since(known.noted_at) < NOTE_EVERY => return Admission::Known,
            Some(_) => return Admission::Save(stored),
            None => {}
        }
        if self.services.len() < SERVICES_MAX {
            return Admission::Save(stored);
        }
        let oldest = self.services.iter().min_by_key(|(_, it)| it.seen_at);
        match oldest {
            Some((oldest, it)) if now.since(it.seen_at) >= FORGET_AFTER => {
                Admission::Replace(stored, *oldest)
            }
            _ => Admission::Full,
        }
    }

    /// Forgets a service.
    pub(super) fn remove(&mut self, id: ServiceId) {
        self.services.remove(&id);
    }

    /// Notes what was written down.
    pub(super) fn saved(&mut self, stored: StoredForeign) {
        match self.services.get_mut(&stored.id) {
            Some(known) => known.noted_at = stored.seen_at,
            None => self.restore(stored),
        }
    }

    /// Notes that a process reports now.
    pub(super) fn seen(&mut self, foreign: &Foreign, at: (Timestamp, Monotonic)) {
        let (id, instance) = ids(foreign);
        let Some(service) = self.services.get_mut(&id) else {
            return;
        };
        service.seen_at = at.0;
        service
            .processes
            .retain(|_, it| at.1.since(it.seen) < HERE_FOR);
        if service.processes.len() < INSTANCES_MAX || service.processes.contains_key(&instance) {
            let process = Process {
                sdk: foreign.sdk.clone(),
                seen: at.1,
            };
            service.processes.insert(instance, process);
        }
    }

    /// Notes that a service serves this, as long as there is room.
    pub(super) fn serves(&mut self, id: ServiceId, kind: &'static str, name: &str) {
        if let Some(service) = self.services.get_mut(&id)
            && service.methods.len() < METHODS_MAX
        {
            service.methods.insert((kind, name.to_owned()));
        }
    }

    /// Whether this is one of them.
    pub(super) fn contains(&self, id: ServiceId) -> bool {
        self.services.contains_key(&id)
    }

    /// Whether an instance of one of them reports.
    pub(super) fn is_here(&self, instance: InstanceId, now: Monotonic) -> bool {
        let here = |it: &Service| {
            let process = it.processes.get(&instance);
            process.is_some_and(|it| now.since(it.seen) < HERE_FOR)
        };
        self.services.values().any(here)
    }

    /// The name it is shown by. `is_taken` tells whether a service with a key has a name.
    pub(super) fn shown_name(
        &self,
        id: ServiceId,
        is_taken: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let name = &self.services.get(&id)?.name;
        let suffix = if is_taken(name) { SUFFIX } else { "" };
        Some([name, suffix].concat())
    }

    /// The service of a name as it is shown.
    pub(super) fn named(&self, name: &str) -> Option<ServiceId> {
        let find = |name: &str| {
            let id = ServiceId::from_uuid(derived("service", &[name]));
            self.services.contains_key(&id).then_some(id)
        };
        find(name).or_else(|| find(name.strip_suffix(SUFFIX)?))
    }

    /// Those that the map shows.
    pub(super) fn shown(
        &self,
        (now, tick): (Timestamp, Monotonic),
        is_taken: impl Fn(&str) -> bool,
    ) -> Vec<Shown> {
        let recent = |it: &&Service| now.since(it.seen_at) < SHOWN_FOR;
        let shown = |(id, it): (&ServiceId, &Service)| Shown {
            id: *id,
            name: self.shown_name(*id, &is_taken).unwrap_or_default(),
            instances: it
                .processes
                .iter()
                .filter(|(_, process)| tick.since(process.seen) < HERE_FOR)
                .map(|(id, process)| (*id, process.sdk.clone()))
                .collect(),
            methods: it.methods.iter().cloned().collect(),
        };
        let services = self.services.iter().filter(|(_, it)| recent(it));
        services.map(shown).collect()
    }
}

/// Those that were seen last.
pub(super) async fn load(db: &Db) -> Result<Vec<StoredForeign>, DbError> {
    let mut held = db
        .read(Store::Telemetry, "load the foreign services")
        .await?;
    store::load(&mut held.conn(), SERVICES_MAX).await
}

#[cfg(test)]
mod tests {
    use contract::clock::Clock;

    use super::*;

    fn foreign(service: &str, instance: &str) -> Foreign {
        Foreign {
            service: service.to_owned(),
            instance: instance.to_owned(),
            sdk: "python opentelemetry 1.0".to_owned(),
        }
    }

    fn admitted(all: &mut Foreigners, who: &Foreign, clock: &Clock) {
        if let Admission::Save(stored) = all.admit(who, clock.now()) {
            all.saved(stored);
        }
        all.seen(who, (clock.now(), clock.monotonic()));
    }

    #[test]
    fn an_id_follows_from_the_name_alone_and_an_instance_from_both() {
        let (service, one) = ids(&foreign("shop", "1"));
        let (same, two) = ids(&foreign(" shop\0", "2"));
        assert_eq!(service, same);
        assert_ne!(one, two);
        assert_ne!(ids(&foreign("desk", "1")).0, service);
        let nobody = ids(&foreign("", ""));
        assert_eq!(nobody, ids(&foreign("unknown_service", "")));
        assert_eq!(foreign(&"é".repeat(100), "").name().len(), NAME_BYTES_MAX);
    }

    #[test]
    fn a_name_that_a_service_with_a_key_has_is_shown_with_a_suffix() {
        let (clock, _hand) = Clock::manual(Timestamp::from_millis(9_000));
        let mut all = Foreigners::default();
        admitted(&mut all, &foreign("shop", "1"), &clock);
        let (id, _) = ids(&foreign("shop", "1"));
        assert_eq!(all.shown_name(id, |_| false).as_deref(), Some("shop"));
        let shown = all.shown_name(id, |it| it == "shop").expect("known");
        assert_eq!(shown, "shop (otlp)");
        assert_eq!((all.named(&shown), all.named("desk")), (Some(id), None));
    }

    #[test]
    fn an_instance_goes_when_it_is_silent_and_the_service_a_day_later() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(9_000));
        let mut all = Foreigners::default();
        let who = foreign("shop", "1");
        admitted(&mut all, &who, &clock);
        all.serves(ids(&who).0, "http", "GET /orders");
        let shown = |all: &Foreigners| all.shown((clock.now(), clock.monotonic()), |_| false);
        assert_eq!(shown(&all)[0].instances.len(), 1);
        assert_eq!(shown(&all)[0].methods, [("http", "GET /orders".to_owned())]);
        assert!(all.is_here(ids(&who).1, clock.monotonic()));
        hand.advance(HERE_FOR);
        assert!(shown(&all)[0].instances.is_empty());
        assert!(!all.is_here(ids(&who).1, clock.monotonic()));
        hand.advance(SHOWN_FOR);
        assert!(shown(&all).is_empty() && all.contains(ids(&who).0));
    }

    #[test]
    fn too_many_names_are_refused_until_one_is_old() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(9_000));
        let mut all = Foreigners::default();
        for nth in 0..SERVICES_MAX {
            admitted(&mut all, &foreign(&nth.to_string(), ""), &clock);
        }
        let late = foreign("late", "");
        assert_eq!(all.admit(&late, clock.now()), Admission::Full);
        assert_eq!(all.admit(&foreign("7", ""), clock.now()), Admission::Known);
        hand.advance(FORGET_AFTER);
        assert!(matches!(
            all.admit(&foreign("7", ""), clock.now()),
            Admission::Save(_)
        ));
        assert!(matches!(
            all.admit(&late, clock.now()),
            Admission::Replace(..)
        ));
    }
}
