//! Taking payloads in, and finding the one that belongs to an operation.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use contract::clock::Clock;
use contract::ids::{OpId, ServiceId};
use parking_lot::Mutex;

use super::super::mask::MaskKeys;
use super::super::model::Actor;
use super::contracts::{Contract, Contracts};
use super::model::{Direction, Kept, Payload, PayloadReport, PayloadsIngested, Rules, read};
use super::store::{self, Found};
use crate::db::{Conn, Db, DbError, History, Slice};
use crate::registry::Registry;

/// Bytes of payloads stored in one transaction; larger batches are cut.
const BYTES_MAX: usize = 4 << 20;
/// Contracts remembered as stored.
const KNOWN_MAX: usize = 4_096;

/// Captured payloads. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Payloads(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    clock: Clock,
    contracts: Contracts,
    /// Slices and contract hashes that need not be stored again.
    known: Mutex<HashSet<(i64, String)>>,
}

/// Payloads of one slice, and the contracts they need.
#[derive(Clone)]
struct Batch {
    payloads: Arc<[Kept]>,
    contracts: Arc<[(String, Arc<Contract>)]>,
}

impl Payloads {
    /// In the slices of `db`.
    pub(in super::super) fn new(db: &Db, clock: &Clock) -> Self {
        Self(Arc::new(Inner {
            db: db.clone(),
            clock: clock.clone(),
            contracts: Contracts::default(),
            known: Mutex::default(),
        }))
    }

    /// Reads payloads by the schemas that services have registered here, from now on.
    pub fn follow(&self, registry: &Registry) {
        self.0.contracts.follow(registry);
    }

    /// Masks, cuts and stores payloads, and returns once they are committed. One that was sent
    /// before takes the place of the first.
    ///
    /// # Errors
    ///
    /// `QueueFull` and `Unavailable`: some may have been stored; all of them may be sent again.
    pub async fn ingest(
        &self,
        actor: Actor,
        reports: Vec<PayloadReport>,
        rules: Rules<'_>,
    ) -> Result<PayloadsIngested, DbError> {
        let ingested = PayloadsIngested {
            payloads: reports.len(),
        };
        let mut contracts = BTreeMap::new();
        let mut kept: BTreeMap<(i64, OpId, Direction), Kept> = BTreeMap::new();
        let slices = self.0.db.slices(History::Payloads);
        let now_ms = self.0.clock.now().as_millis();
        for report in reports {
            let found = self.0.contracts.find(&report.contract_hash);
            let message = found.as_ref().and_then(|it| it.message(report.direction));
            let one = report.keep((actor.service, actor.instance), message, rules);
            if let Some(contract) = found {
                contracts.insert(one.contract_hash.clone(), contract);
            }
            let slice = home(&slices, one.op, now_ms);
            kept.insert((slice, one.op, one.direction), one);
        }
        for (slice, batch) in self.batches(kept, &contracts) {
            self.store(slice, batch).await?;
        }
        Ok(ingested)
    }

    fn batches(
        &self,
        kept: BTreeMap<(i64, OpId, Direction), Kept>,
        contracts: &BTreeMap<String, Arc<Contract>>,
    ) -> Vec<(i64, Batch)> {
        let mut parts: Vec<(i64, Vec<Kept>, usize)> = Vec::new();
        for ((slice, ..), one) in kept {
            let bytes = one.bytes.len();
            match parts.last_mut() {
                Some((of, part, size)) if *of == slice && *size + bytes <= BYTES_MAX => {
                    *size += bytes;
                    part.push(one);
                }
                _ => parts.push((slice, vec![one], bytes)),
            }
        }
        let batch = |(slice, part, _): (i64, Vec<Kept>, usize)| {
            let hashes: HashSet<&String> = part.iter().map(|it| &it.contract_hash).collect();
            let of_part = contracts.iter().filter(|(hash, _)| hashes.contains(hash));
            let contracts = of_part
                .map(|(hash, it)| (hash.clone(), it.clone()))
                .collect();
            let payloads = part.into();
            (
                slice,
                Batch {
                    payloads,
                    contracts,
                },
            )
        };
        parts.into_iter().map(batch).collect()
    }

    /// Stores a batch in a slice, or in the newest when that one has just been dropped.
    async fn store(&self, slice: i64, batch: Batch) -> Result<(), DbError> {
        match self.write_slice(slice, batch.clone()).await {
            Err(error) if error.is_gone() => {
                self.0.db.refresh_slices().await?;
                let slices = self.0.db.slices(History::Payloads);
                let newest = slices.last().map_or(slice, |it| it.id);
                self.write_slice(newest, batch).await
            }
            outcome => outcome,
        }
    }

    async fn write_slice(&self, slice: i64, mut batch: Batch) -> Result<(), DbError> {
        batch.contracts = {
            let known = self.0.known.lock();
            let is_new = |(hash, _): &&(String, _)| !known.contains(&(slice, hash.clone()));
            batch.contracts.iter().filter(is_new).cloned().collect()
        };
        let stored = batch.contracts.clone();
        let db = &self.0.db;
        db.write_slice(History::Payloads, slice, "store payloads", move |conn| {
            let batch = batch.clone();
            Box::pin(async move { save(conn, slice, &batch).await })
        })
        .await?;
        let mut known = self.0.known.lock();
        if known.len() + stored.len() > KNOWN_MAX {
            known.clear();
        }
        known.extend(stored.iter().map(|(hash, _)| (slice, hash.clone())));
        Ok(())
    }

    /// The payload that `owner`'s operation has; without `owner`, of whoever attached one. Masked
    /// again when the schema was not known at the time.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the database is; `Corrupt` when a row cannot be read back.
    pub async fn get(
        &self,
        op: OpId,
        direction: Direction,
        owner: Option<ServiceId>,
        mask_keys: &MaskKeys,
    ) -> Result<Option<Payload>, DbError> {
        const ACTION: &str = "load a payload";
        let slices = self.0.db.slices(History::Payloads);
        let home = home(&slices, op, self.0.clock.now().as_millis());
        let others = slices.iter().rev().map(|it| it.id).filter(|id| *id != home);
        for slice in std::iter::once(home).chain(others) {
            let found = match self.0.db.read_slice(History::Payloads, slice, ACTION).await {
                Err(error) if error.is_gone() => continue,
                held => store::get(&mut held?.conn(), slice, op, direction).await?,
            };
            let mut of_owner = found
                .into_iter()
                .filter(|it| owner.is_none_or(|owner| it.service == owner));
            if let Some(found) = of_owner.next() {
                return Ok(Some(self.show(found, op, direction, mask_keys)));
            }
        }
        Ok(None)
    }

    fn show(&self, found: Found, op: OpId, direction: Direction, mask_keys: &MaskKeys) -> Payload {
        let stored = found.schemas;
        let contract = stored.map(|(input, output)| Arc::new(Contract::parse(input, output)));
        let contract = contract.or_else(|| self.0.contracts.find(&found.contract_hash));
        let message = contract.as_ref().and_then(|it| it.message(direction));
        let cut = usize::try_from(found.original_size).unwrap_or(0) > found.content.len();
        let read = read(
            &found.contract_hash,
            &found.content,
            cut,
            message,
            mask_keys,
        );
        Payload {
            trace: found.trace,
            op,
            direction,
            service: found.service,
            bytes: if found.decodable {
                found.content
            } else {
                read.masked
            },
            json: read.json,
            original_size: found.original_size,
            contract_hash: found.contract_hash,
            schema_drift: read.drift,
        }
    }
}

/// The slice of the operation's own time, if its id tells one that is kept and not in the future;
/// else the current one. So what is sent twice meets.
fn home(slices: &[Slice], op: OpId, now_ms: i64) -> i64 {
    let id = op.as_uuid();
    let (high, _) = id.as_u64_pair();
    let at_ms = i64::try_from(high >> 16).ok();
    let at_ms = at_ms.filter(|at| id.get_version_num() == 7 && *at <= now_ms);
    let own = at_ms.and_then(|at| Slice::holding(slices, at));
    own.unwrap_or_else(|| Slice::current(slices, now_ms)).id
}

/// One transaction: the contracts, then the payloads.
async fn save(conn: &mut Conn<'_>, slice: i64, batch: &Batch) -> Result<(), DbError> {
    for (hash, it) in batch.contracts.iter() {
        store::save_contract(conn, slice, hash, (&it.input_json, &it.output_json)).await?;
    }
    store::save(conn, slice, &batch.payloads.iter().collect::<Vec<_>>()).await
}
