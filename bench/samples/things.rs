//! Things: ten operations over one store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, Query, State};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Thing {
    id: u64,
    name: String,
    owner: String,
    labels: Vec<String>,
    amount_cents: i64,
    state: ThingState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThingState {
    Draft,
    Open,
    Done,
}

#[derive(Debug, Deserialize)]
pub struct NewThing {
    name: String,
    owner: String,
    #[serde(default)]
    labels: Vec<String>,
    amount_cents: i64,
}

#[derive(Debug, Deserialize)]
pub struct ThingName {
    name: String,
}

#[derive(Debug, Deserialize)]
pub struct ThingLabels {
    labels: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct ThingFilter {
    owner: Option<String>,
    state: Option<ThingState>,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
pub struct ThingTotal {
    count: usize,
    amount_cents: i64,
}

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
pub struct Things(Arc<Mutex<BTreeMap<u64, Thing>>>);

impl Things {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Thing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Thing)) -> Result<Json<Thing>, ThingError> {
        let mut all = self.lock();
        let thing = all.get_mut(&id).ok_or(ThingError::Unknown { id })?;
        change(thing);
        Ok(Json(thing.clone()))
    }
}

/// Lists things, the oldest first.
#[bridge::rpc(get, "/v1/things")]
pub async fn list_things(
    State(things): State<Things>,
    Query(filter): Query<ThingFilter>,
) -> Result<Json<Vec<Thing>>, ThingError> {
    let limit = filter.limit.unwrap_or(20).min(100);
    let all = things.lock();
    let wanted = all.values().filter(|thing| {
        filter.owner.as_ref().is_none_or(|owner| thing.owner == *owner)
            && filter.state.is_none_or(|state| thing.state == state)
    });
    Ok(Json(wanted.take(limit).cloned().collect()))
}

/// Reads one thing.
#[bridge::rpc(get, "/v1/things/{id}")]
pub async fn read_thing(
    State(things): State<Things>,
    Path(id): Path<u64>,
) -> Result<Json<Thing>, ThingError> {
    let found = things.lock().get(&id).cloned();
    found.map(Json).ok_or(ThingError::Unknown { id })
}

/// Creates a thing as a draft.
#[bridge::rpc(post, "/v1/things", idempotent_by = "Idempotency-Key")]
pub async fn create_thing(
    State(things): State<Things>,
    Json(new): Json<NewThing>,
) -> Result<Json<Thing>, ThingError> {
    if new.name.is_empty() {
        return Err(ThingError::NameMissing);
    }
    let mut all = things.lock();
    let id = all.keys().next_back().map_or(1, |last| last + 1);
    let thing = Thing {
        id,
        name: new.name,
        owner: new.owner,
        labels: new.labels,
        amount_cents: new.amount_cents,
        state: ThingState::Draft,
    };
    all.insert(id, thing.clone());
    Ok(Json(thing))
}

/// Replaces what a thing says.
#[bridge::rpc(put, "/v1/things/{id}", deadline = "2s")]
pub async fn replace_thing(
    State(things): State<Things>,
    Path(id): Path<u64>,
    Json(new): Json<NewThing>,
) -> Result<Json<Thing>, ThingError> {
    if new.name.is_empty() {
        return Err(ThingError::NameMissing);
    }
    things.change(id, |thing| {
        thing.name = new.name;
        thing.owner = new.owner;
        thing.labels = new.labels;
        thing.amount_cents = new.amount_cents;
    })
}

/// Gives a thing another name.
#[bridge::rpc(put, "/v1/things/{id}/name")]
pub async fn rename_thing(
    State(things): State<Things>,
    Path(id): Path<u64>,
    Json(new): Json<ThingName>,
) -> Result<Json<Thing>, ThingError> {
    if new.name.is_empty() {
        return Err(ThingError::NameMissing);
    }
    things.change(id, |thing| thing.name = new.name)
}

/// Adds labels to a thing.
#[bridge::rpc(post, "/v1/things/{id}/labels")]
pub async fn label_thing(
    State(things): State<Things>,
    Path(id): Path<u64>,
    Json(new): Json<ThingLabels>,
) -> Result<Json<Thing>, ThingError> {
    things.change(id, |thing| {
        let fresh = new.labels.into_iter().filter(|label| !label.is_empty());
        thing.labels.extend(fresh);
    })
}

/// Opens a draft.
#[bridge::rpc(post, "/v1/things/{id}/open")]
pub async fn open_thing(
    State(things): State<Things>,
    Path(id): Path<u64>,
) -> Result<Json<Thing>, ThingError> {
    let mut all = things.lock();
    match all.get_mut(&id) {
        Some(thing) if thing.state == ThingState::Draft => {
            thing.state = ThingState::Open;
            Ok(Json(thing.clone()))
        }
        Some(_) => Err(ThingError::WrongState { id }),
        None => Err(ThingError::Unknown { id }),
    }
}

/// Finishes an open thing.
#[bridge::rpc(post, "/v1/things/{id}/finish")]
pub async fn finish_thing(
    State(things): State<Things>,
    Path(id): Path<u64>,
) -> Result<Json<Thing>, ThingError> {
    let mut all = things.lock();
    match all.get_mut(&id) {
        Some(thing) if thing.state == ThingState::Open => {
            thing.state = ThingState::Done;
            Ok(Json(thing.clone()))
        }
        Some(_) => Err(ThingError::WrongState { id }),
        None => Err(ThingError::Unknown { id }),
    }
}

/// Removes a thing and answers what it was.
#[bridge::rpc(delete, "/v1/things/{id}")]
pub async fn remove_thing(
    State(things): State<Things>,
    Path(id): Path<u64>,
) -> Result<Json<Thing>, ThingError> {
    let removed = things.lock().remove(&id);
    removed.map(Json).ok_or(ThingError::Unknown { id })
}

/// Adds up what an owner has.
#[bridge::rpc(get, "/v1/things/of/{owner}/total")]
pub async fn total_things(
    State(things): State<Things>,
    Path(owner): Path<String>,
) -> Result<Json<ThingTotal>, ThingError> {
    let all = things.lock();
    let own = all.values().filter(|thing| thing.owner == owner);
    let total = own.fold((0, 0), |(count, cents), it| (count + 1, cents + it.amount_cents));
    Ok(Json(ThingTotal {
        count: total.0,
        amount_cents: total.1,
    }))
}

pub fn router() -> Router {
    Router::new()
        .route("/v1/things", get(list_things).post(create_thing))
        .route(
            "/v1/things/{id}",
            get(read_thing).put(replace_thing).delete(remove_thing),
        )
        .route("/v1/things/{id}/name", put(rename_thing))
        .route("/v1/things/{id}/labels", post(label_thing))
        .route("/v1/things/{id}/open", post(open_thing))
        .route("/v1/things/{id}/finish", post(finish_thing))
        .route("/v1/things/of/{owner}/total", get(total_things))
        .with_state(Things::default())
}
