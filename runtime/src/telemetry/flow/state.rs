//! Where operations are counted: a series per actor, peer, channel and subject.
//!
//! Refuses a series beyond [`KEYS_MAX`]: what has none is counted as "other", or, when only its
//! caller would tell it apart, as from outside.
//!
//! Invariant: an operation is counted in one series at any time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::Monotonic;
use contract::ids::ServiceId;

use super::callers::{self, Callers, Request};
use super::pending::{Pending, Started};
use super::window::Windows;
use crate::telemetry::model::{Actor, Channel, Frame, Status};

/// Series that are told apart; operations of further ones are counted as "other".
pub(in crate::telemetry) const KEYS_MAX: usize = 4_096;
/// Operations that have begun and not ended, of which their START is remembered.
pub(in crate::telemetry) const PENDING_MAX: usize = 65_536;
/// Longest subject that is told apart, in bytes; the rest is cut.
pub(super) const SUBJECT_BYTES_MAX: usize = 256;
/// Pause between two searches for series that have gone idle.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The first series is "other".
pub(super) const OTHER: u32 = 0;

/// Actor, peer and number of the channel.
type Place = (ServiceId, Option<ServiceId>, i32);

#[derive(Debug)]
pub(super) struct State {
    pub(super) begun: Monotonic,
    /// Per actor, peer and channel: where each subject is counted.
    index: HashMap<Place, HashMap<Arc<str>, u32>>,
    pub(super) series: Vec<Series>,
    pub(super) pending: Pending,
    callers: Callers,
    swept: Monotonic,
    pub(super) unjoined: u64,
}

#[derive(Debug)]
pub(super) struct Series {
    pub(super) actor: ServiceId,
    pub(super) peer: Option<ServiceId>,
    pub(super) channel: Option<Channel>,
    pub(super) subject: Arc<str>,
    pub(super) windows: Windows,
    /// Of requests whose caller is not known: who was, the last time that one came to be known.
    likely: Option<ServiceId>,
}

impl State {
    pub(super) fn new(now: Monotonic) -> Self {
        let other = Series {
            actor: ServiceId::from_uuid(uuid::Uuid::nil()),
            peer: None,
            channel: None,
            subject: "".into(),
            windows: Windows::new(),
            likely: None,
        };
        Self {
            begun: now,
            index: HashMap::new(),
            series: vec![other],
            pending: Pending::new(PENDING_MAX),
            callers: Callers::new(),
            swept: now,
            unjoined: 0,
        }
    }

    /// Counts an END; says what it ended and when it began.
    pub(super) fn note(
        &mut self,
        actor: Actor,
        frame: &Frame,
        now: Monotonic,
        followed: bool,
    ) -> Option<((Status, i64), Started)> {
        let Some((finished_at_ms, status)) = frame.finished_at_ms.zip(frame.status) else {
            let started = self.started(actor, frame, now, followed);
            self.pending.insert(frame.op, started);
            return None;
        };
        let begun = self.pending.remove(frame.op);
        let Some(mut started) = begun.or_else(|| {
            // A reporter that says everything at the end.
            let whole = !frame.subject.is_empty() && frame.started_at_ms > 0;
            whole.then(|| self.started(actor, frame, now, followed))
        }) else {
            self.unjoined += 1;
            return None;
        };
        let duration_ms = finished_at_ms.saturating_sub(started.at_ms);
        let counted = Request {
            series: started.series,
            outside: started.series,
            age: now.since(self.begun),
            duration_ms: u64::try_from(duration_ms).unwrap_or(0),
            failed: status != Status::Success,
        };
        started.series = self.of_caller(actor, frame, &started, counted);
        let windows = &mut self.series[started.series as usize].windows;
        windows.add(counted.age, counted.duration_ms, counted.failed);
        Some(((status, finished_at_ms), started))
    }

    /// Where an operation is counted that is about to be: a request in the series of its caller,
    /// as far as one can tell; everything else where it was.
    fn of_caller(
        &mut self,
        actor: Actor,
        frame: &Frame,
        started: &Started,
        counted: Request,
    ) -> u32 {
        let series = &self.series[started.series as usize];
        if series.channel == Some(Channel::User) && callers::is_call(&series.subject) {
            let span = callers::span(frame.trace, frame.op);
            let led_to = self.callers.called(span, actor.service, counted.age);
            if let Some(request) = led_to {
                self.claim(request, actor.service);
            }
            return started.series;
        }
        let of_somebody = series.channel == Some(Channel::Http)
            && series.peer.is_none()
            && callers::is_request(&series.subject);
        let Some(parent) = started.parent.filter(|_| of_somebody) else {
            return started.series;
        };
        if !self.callers.listens(counted.age) {
            return started.series;
        }
        let likely = series.likely;
        let span = callers::span(frame.trace, parent);
        if let Some(caller) = self.callers.caller(span) {
            return self.called_by(started.series, caller);
        }
        let series = likely.map_or(started.series, |it| self.called_by(started.series, it));
        let forgotten = self.callers.wait(span, Request { series, ..counted });
        if let Some(forgotten) = forgotten {
            self.settle(forgotten);
        }
        series
    }

    /// Requests that nobody claimed in time were from outside.
    pub(super) fn settle_late(&mut self, now: Monotonic) {
        let age = now.since(self.begun);
        while let Some(late) = self.callers.unclaimed(age) {
            self.settle(late);
        }
    }

    fn settle(&mut self, request: Request) {
        if request.series != request.outside {
            self.series[request.outside as usize].likely = None;
            self.move_to(request, request.outside);
        }
    }

    /// Counts a request as that of its caller.
    fn claim(&mut self, request: Request, caller: ServiceId) {
        self.series[request.outside as usize].likely = Some(caller);
        let series = self.called_by(request.outside, caller);
        self.move_to(request, series);
    }

    fn move_to(&mut self, request: Request, series: u32) {
        if series != request.series {
            let (age, duration_ms, failed) = (request.age, request.duration_ms, request.failed);
            let from = &mut self.series[request.series as usize].windows;
            from.take_back(age, duration_ms, failed);
            let to = &mut self.series[series as usize].windows;
            to.add_late(age, duration_ms, failed);
        }
    }

    /// The same requests, by whom they were called; that of all callers when there is no room, or
    /// when a service calls itself.
    fn called_by(&mut self, outside: u32, caller: ServiceId) -> u32 {
        let of = &self.series[outside as usize];
        let (actor, channel, subject) = (of.actor, of.channel, of.subject.clone());
        let place = (actor, Some(caller), channel.map_or(0, Channel::number));
        let known = self.index.get(&place).and_then(|it| it.get(&subject));
        match known {
            Some(known) => *known,
            None if caller == actor || self.series.len() > KEYS_MAX => outside,
            None => self.add(place, channel, subject).unwrap_or(outside),
        }
    }

    fn started(&mut self, actor: Actor, frame: &Frame, now: Monotonic, followed: bool) -> Started {
        let business_key = if followed { &*frame.business_key } else { "" };
        Started {
            series: self.series_of(actor.service, frame, now),
            at_ms: frame.started_at_ms,
            parent: frame.parent,
            business_key: business_key.into(),
        }
    }

    fn series_of(&mut self, actor: ServiceId, frame: &Frame, now: Monotonic) -> u32 {
        let peer = frame.peer_service.parse().ok();
        let place = (actor, peer, frame.channel.map_or(0, Channel::number));
        let subject = cut(&frame.subject);
        let known = self.index.get(&place);
        if let Some(known) = known.and_then(|it| it.get(subject)) {
            return *known;
        }
        if self.series.len() > KEYS_MAX && !self.sweep(now) {
            return OTHER;
        }
        let added = self.add(place, frame.channel, subject.into());
        added.unwrap_or(OTHER)
    }

    fn add(&mut self, place: Place, channel: Option<Channel>, subject: Arc<str>) -> Option<u32> {
        let at = u32::try_from(self.series.len()).ok()?;
        self.series.push(Series {
            actor: place.0,
            peer: place.1,
            channel,
            subject: subject.clone(),
            windows: Windows::new(),
            likely: None,
        });
        self.index.entry(place).or_default().insert(subject, at);
        Some(at)
    }

    /// Forgets series in which nothing happened for the longest window; says whether there are
    /// any less. Searches at most once in [`SWEEP_EVERY`].
    fn sweep(&mut self, now: Monotonic) -> bool {
        if now.since(self.swept) < SWEEP_EVERY {
            return false;
        }
        self.swept = now;
        let age = now.since(self.begun);
        let mut moved = Vec::with_capacity(self.series.len());
        let mut kept = OTHER;
        for (at, it) in self.series.iter().enumerate() {
            let stays = at > 0 && !it.windows.is_idle(age);
            kept += u32::from(stays);
            moved.push(if stays { kept } else { OTHER });
        }
        let mut at = 0;
        self.series.retain(|_| {
            at += 1;
            at == 1 || moved[at - 1] != OTHER
        });
        for known in self.index.values_mut() {
            known.retain(|_, at| {
                *at = moved[*at as usize];
                *at != OTHER
            });
        }
        self.index.retain(|_, known| !known.is_empty());
        self.pending.recount(|at| moved[at as usize]);
        self.callers.recount(|at| moved[at as usize]);
        self.series.len() <= KEYS_MAX
    }
}

fn cut(subject: &str) -> &str {
    &subject[..subject.floor_char_boundary(SUBJECT_BYTES_MAX)]
}
