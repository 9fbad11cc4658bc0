//! Requests that run through the world: which operations, how long, how well, and who reports what
//! when.
//!
//! A trace is decided as a whole at its beginning; its reports wait in a queue until their time has
//! come, so that operations are seen while they run.
//! Refuses to grow without end: a trace has at most [`OPS_MAX`] operations, [`DEPTH_MAX`] deep, and
//! at most [`WAITING_MAX`] reports wait; beyond that no new trace begins.

use std::collections::BTreeMap;

use contract::clock::{Clock, Timestamp};
use contract::grpc::v1::LogLevel;
use contract::ids::{IdMint, OpId, TraceId};
use fastrand::Rng;

use crate::meters::{self, Meters};
use crate::names::{COMPLAINTS, HOSTILE, LINES};
use crate::plan::{Condition, Plan, Tier};
use crate::report::{self, Item, Place, What};

/// Operations of one trace.
const OPS_MAX: usize = 14;
/// Calls below a request.
const DEPTH_MAX: usize = 4;
/// Reports that wait for their time.
const WAITING_MAX: usize = 200_000;
/// One operation in so many says something in the log; one in so many shows what it got.
const LOGS_EVERY: u64 = 12;
const PAYLOADS_EVERY: u64 = 40;

/// Who is where: ids the runtime gave, by place in the plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    pub(crate) services: Vec<String>,
    pub(crate) instances: Vec<Vec<String>>,
}

/// One report of one instance: service, instance, item.
pub(crate) type Due = (usize, usize, Item);

pub(crate) struct Traffic {
    plan: Plan,
    ids: Ids,
    rng: Rng,
    mint: IdMint,
    /// Services in front, each as often as it gets requests.
    fronts: Vec<usize>,
    /// By time in milliseconds and a number that keeps the order.
    waiting: BTreeMap<(i64, u64), Due>,
    queued: u64,
    meters: Meters,
    /// Operations that have begun.
    pub(crate) ops: u64,
    hostile: bool,
}

/// An operation to be decided.
struct Step {
    actor: (usize, usize),
    place: Place,
    what: What,
    /// Who does it: the actor itself, or the service that is called.
    doer: usize,
    depth: usize,
}

impl Traffic {
    pub(crate) fn new(plan: Plan, ids: Ids, clock: &Clock, seed: u64, hostile: bool) -> Self {
        let weight = |tier: Tier| match tier {
            Tier::Gateway => 12,
            Tier::Hub => 0,
            Tier::Api => 2,
            Tier::Helper => 1,
        };
        let places = plan.services.iter().enumerate();
        let fronts = places.flat_map(|(at, it)| std::iter::repeat_n(at, weight(it.tier)));
        Self {
            fronts: fronts.collect(),
            plan,
            ids,
            rng: Rng::with_seed(seed),
            mint: IdMint::system(clock),
            waiting: BTreeMap::new(),
            queued: 0,
            meters: Meters::default(),
            ops: 0,
            hostile,
        }
    }

    /// Begins traces until `ops` operations have begun in all.
    pub(crate) fn begin(&mut self, ops: u64, now: Timestamp) {
        while self.ops < ops && self.waiting.len() < WAITING_MAX {
            let at = self.fronts[self.rng.usize(0..self.fronts.len())];
            let instance = self.rng.usize(0..self.plan.services[at].instances);
            let place = Place {
                trace: TraceId::mint_at(&self.mint, now),
                op: OpId::mint_at(&self.mint, now),
                parent: None,
            };
            let step = Step {
                actor: (at, instance),
                place,
                what: self.begins_with(at),
                doer: at,
                depth: 0,
            };
            let mut room = OPS_MAX;
            self.run(step, now.as_millis(), &mut room);
        }
    }

    /// Reports whose time has come.
    pub(crate) fn due(&mut self, now_ms: i64) -> Vec<Due> {
        let later = self.waiting.split_off(&(now_ms, u64::MAX));
        std::mem::replace(&mut self.waiting, later)
            .into_values()
            .collect()
    }

    /// Points of what was counted since the last time.
    pub(crate) fn points(&mut self, now_ms: i64) -> Vec<Due> {
        let taken = self.meters.take(now_ms).into_iter();
        let mut points: Vec<Due> = taken.map(|((at, who), it)| (at, who, it)).collect();
        for (at, service) in self.plan.services.iter().enumerate() {
            for instance in 0..service.instances {
                let used = meters::process(&mut self.rng, now_ms);
                points.extend(used.map(|it| (at, instance, it)));
            }
        }
        points
    }

    fn begins_with(&mut self, at: usize) -> What {
        let service = &self.plan.services[at];
        if service.tier == Tier::Helper || service.routes.is_empty() {
            let name = format!("nightly {}", service.name);
            return What::Work(if self.hostile {
                HOSTILE[self.rng.usize(0..HOSTILE.len())].to_owned()
            } else {
                name
            });
        }
        // The first ones are the busiest.
        let share = self.rng.f64();
        let route = (share * share * service.routes.len() as f64) as usize;
        let (verb, path) = &service.routes[route.min(service.routes.len() - 1)];
        What::Route(verb.clone(), path.clone())
    }

    /// Decides an operation and all below it; says when it ends and whether it failed.
    fn run(&mut self, step: Step, at_ms: i64, room: &mut usize) -> (i64, bool) {
        *room = room.saturating_sub(1);
        let number = self.ops;
        self.ops += 1;
        self.queue(
            at_ms,
            step.actor,
            report::start(step.place, &step.what, number, at_ms),
        );
        let mut now_ms = at_ms + self.pause(step.doer);
        let mut failed_below = false;
        for edge in self.chosen(&step, *room) {
            let Some(child) = self.call(&step, edge) else {
                continue;
            };
            let (ended, failed) = self.run(child, now_ms, room);
            now_ms = ended + 1;
            failed_below |= failed;
        }
        now_ms += self.pause(step.doer);
        let said = self.outcome(step.doer, failed_below, &step.what);
        let peer = match step.actor.0 == step.doer {
            true => String::new(),
            false => self.ids.instances[step.doer]
                .first()
                .cloned()
                .unwrap_or_default(),
        };
        let end = report::end(step.place, &step.what, &peer, now_ms, said.as_deref());
        self.queue(now_ms, step.actor, end);
        if let What::Route(verb, path) = &step.what {
            self.meters
                .request(step.actor, (verb, path), now_ms - at_ms, said.is_some());
        }
        self.tell(&step, number, now_ms, said.as_deref());
        (now_ms, said.is_some())
    }

    /// The calls this operation makes, in order.
    fn chosen(&mut self, step: &Step, room: usize) -> Vec<usize> {
        let calls = &self.plan.services[step.doer].calls;
        if step.depth >= DEPTH_MAX || room == 0 || calls.is_empty() {
            return Vec::new();
        }
        let most = if step.depth == 0 { 4 } else { 2 };
        let count = self.rng.usize(0..=most).min(room);
        let pick = |_| self.rng.usize(0..calls.len());
        let mut chosen: Vec<usize> = (0..count).map(pick).collect();
        chosen.retain(|at| calls[*at].warm);
        chosen
    }

    fn call(&mut self, from: &Step, edge: usize) -> Option<Step> {
        let edge = &self.plan.services[from.doer].calls[edge];
        let to = edge.to?;
        let target = &self.plan.services[to];
        let hash = target.methods.iter().find(|it| it.name == edge.method)?;
        let what = What::Call {
            service: edge.service.clone(),
            service_id: self.ids.services[to].clone(),
            method: edge.method.clone(),
            hash: hash.hash.clone(),
        };
        let place = Place {
            trace: from.place.trace,
            op: OpId::mint(&self.mint),
            parent: Some(from.place.op),
        };
        let instance = self.rng.usize(0..self.plan.services[from.doer].instances);
        Some(Step {
            actor: (from.doer, instance),
            place,
            what,
            doer: to,
            depth: from.depth + 1,
        })
    }

    /// Work in between, milliseconds: short, with a long tail.
    fn pause(&mut self, service: usize) -> i64 {
        let tail = self.rng.f64().powi(6);
        let base = match self.plan.services[service].condition {
            Condition::Slow => 120.0,
            _ => 2.0,
        };
        (base * (0.5 + self.rng.f64()) + tail * base * 20.0) as i64
    }

    fn outcome(&mut self, service: usize, failed_below: bool, what: &What) -> Option<String> {
        let condition = self.plan.services[service].condition;
        let share = match condition {
            Condition::Failing => 0.25,
            Condition::Unhealthy => 0.08,
            _ => 0.002,
        };
        let fails = self.rng.f64() < share || (failed_below && self.rng.f64() < 0.6);
        if !fails {
            return None;
        }
        if self.hostile {
            return Some(HOSTILE[self.rng.usize(0..HOSTILE.len())].to_owned());
        }
        Some(match what {
            What::Route(..) => "HTTP 500".to_owned(),
            _ if condition == Condition::Slow => "TIMEOUT".to_owned(),
            _ => COMPLAINTS[self.rng.usize(0..COMPLAINTS.len())].to_owned(),
        })
    }

    /// What the operation leaves besides itself.
    fn tell(&mut self, step: &Step, number: u64, now_ms: i64, said: Option<&str>) {
        let mut rng = self.rng.fork();
        let note = if self.hostile {
            HOSTILE[rng.usize(0..HOSTILE.len())]
        } else {
            LINES[rng.usize(0..LINES.len())]
        };
        if let Some(said) = said {
            let line = report::line(step.place, now_ms, LogLevel::Error, said, number);
            self.queue(now_ms, step.actor, line);
        } else if number.is_multiple_of(LOGS_EVERY) {
            let levels = [
                LogLevel::Info,
                LogLevel::Info,
                LogLevel::Debug,
                LogLevel::Warn,
            ];
            let level = levels[rng.usize(0..levels.len())];
            let line = report::line(step.place, now_ms, level, note, number);
            self.queue(now_ms, step.actor, line);
        }
        if said.is_some() || number.is_multiple_of(PAYLOADS_EVERY) {
            for payload in report::payloads(step.place, &step.what, note, number) {
                self.queue(now_ms, step.actor, payload);
            }
        }
    }

    fn queue(&mut self, at_ms: i64, (service, instance): (usize, usize), item: Item) {
        self.queued += 1;
        self.waiting
            .insert((at_ms, self.queued), (service, instance, item));
    }
}
