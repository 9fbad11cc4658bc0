//! Things, contract first: the same ten operations over one store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

bridge::include_contract!("sample.things.v1");

#[derive(Debug, bridge::Error)]
pub enum ThingError {
    #[bridge(status = 404)]
    Unknown { id: u64 },
    #[bridge(status = 409)]
    WrongState { id: u64 },
    #[bridge(status = 422)]
    NameMissing,
}

#[derive(Clone, Debug, Default)]
pub struct ThingHost(Arc<Mutex<BTreeMap<u64, Thing>>>);

impl ThingHost {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Thing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Thing)) -> Result<Thing, ThingError> {
        let mut all = self.lock();
        let thing = all.get_mut(&id).ok_or(ThingError::Unknown { id })?;
        change(thing);
        Ok(thing.clone())
    }
}

#[bridge::service]
impl ThingHost {
    #[bridge::rpc]
    async fn list_things(&self, request: ListThingsRequest) -> Result<ListThingsReply, ThingError> {
        let limit = request.limit.unwrap_or(20).min(100);
        let all = self.lock();
        let wanted = all.values().filter(|thing| {
            request.owner.as_ref().is_none_or(|owner| thing.owner == *owner)
        });
        let reply = ListThingsReply {
            things: wanted.take(limit as usize).cloned().collect(),
        };
        Ok(reply)
    }

    #[bridge::rpc]
    async fn read_thing(&self, request: ReadThingRequest) -> Result<Thing, ThingError> {
        let found = self.lock().get(&request.id).cloned();
        let reply = found.ok_or(ThingError::Unknown { id: request.id })?;
        Ok(reply)
    }

    #[bridge::rpc]
    async fn create_thing(&self, request: CreateThingRequest) -> Result<Thing, ThingError> {
        let new = request.thing.unwrap_or_default();
        if new.name.is_empty() {
            Err(ThingError::NameMissing)?;
        }
        let mut all = self.lock();
        let id = all.keys().next_back().map_or(1, |last| last + 1);
        let reply = Thing {
            id,
            name: new.name,
            owner: new.owner,
            labels: new.labels,
            amount_cents: new.amount_cents,
            state: ThingState::Draft.into(),
        };
        all.insert(id, reply.clone());
        Ok(reply)
    }

    #[bridge::rpc]
    async fn replace_thing(&self, request: ReplaceThingRequest) -> Result<Thing, ThingError> {
        let new = request.thing.unwrap_or_default();
        if new.name.is_empty() {
            Err(ThingError::NameMissing)?;
        }
        let reply = self.change(request.id, |thing| {
            thing.name = new.name;
            thing.owner = new.owner;
            thing.labels = new.labels;
            thing.amount_cents = new.amount_cents;
        })?;
        Ok(reply)
    }

    #[bridge::rpc]
    async fn rename_thing(&self, request: RenameThingRequest) -> Result<Thing, ThingError> {
        if request.name.is_empty() {
            Err(ThingError::NameMissing)?;
        }
        let reply = self.change(request.id, |thing| thing.name = request.name)?;
        Ok(reply)
    }

    #[bridge::rpc]
    async fn label_thing(&self, request: LabelThingRequest) -> Result<Thing, ThingError> {
        let reply = self.change(request.id, |thing| {
            let fresh = request.labels.into_iter().filter(|label| !label.is_empty());
            thing.labels.extend(fresh);
        })?;
        Ok(reply)
    }

    #[bridge::rpc]
    async fn open_thing(&self, request: OpenThingRequest) -> Result<Thing, ThingError> {
        let id = request.id;
        let mut all = self.lock();
        let thing = all.get_mut(&id).ok_or(ThingError::Unknown { id })?;
        if i32::from(thing.state) != i32::from(ThingState::Draft) {
            Err(ThingError::WrongState { id })?;
        }
        thing.state = ThingState::Open.into();
        let reply = thing.clone();
        Ok(reply)
    }

    #[bridge::rpc]
    async fn finish_thing(&self, request: FinishThingRequest) -> Result<Thing, ThingError> {
        let id = request.id;
        let mut all = self.lock();
        let thing = all.get_mut(&id).ok_or(ThingError::Unknown { id })?;
        if i32::from(thing.state) != i32::from(ThingState::Open) {
            Err(ThingError::WrongState { id })?;
        }
        thing.state = ThingState::Done.into();
        let reply = thing.clone();
        Ok(reply)
    }

    #[bridge::rpc]
    async fn remove_thing(&self, request: RemoveThingRequest) -> Result<Thing, ThingError> {
        let removed = self.lock().remove(&request.id);
        let reply = removed.ok_or(ThingError::Unknown { id: request.id })?;
        Ok(reply)
    }

    #[bridge::rpc]
    async fn total_things(&self, request: TotalThingsRequest) -> Result<ThingTotal, ThingError> {
        let all = self.lock();
        let own = all.values().filter(|thing| thing.owner == request.owner);
        let reply = own.fold(ThingTotal::default(), |total, it| ThingTotal {
            count: total.count + 1,
            amount_cents: total.amount_cents + it.amount_cents,
        });
        Ok(reply)
    }
}
