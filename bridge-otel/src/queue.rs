//! Between the recorder's thread, which must not wait, and the sender's, which mostly does.
//!
//! Invariant: at most the given bytes of spans wait; what does not fit displaces the oldest and is
//! counted. Of metrics only the newest wait, because each says all that earlier ones said.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use contract::clock::Clock;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::fault::Fault;
use crate::health::{Counters, Health, Pulse, add};

/// Bytes of spans in one request.
pub(crate) const REQUEST_BYTES: usize = 256 * 1_024;
/// Spans in one request.
pub(crate) const REQUEST_SPANS: u64 = 2_048;
/// Questions that wait for an answer at the same time; more are answered with the oldest's fate.
const ASKS_MAX: usize = 64;

/// Encoded spans that go into one request.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    pub(crate) bytes: Vec<u8>,
    pub(crate) count: u64,
}

impl Spans {
    fn has_room_for(&self, more: &Self) -> bool {
        self.bytes.len() + more.bytes.len() <= REQUEST_BYTES
            && self.count + more.count <= REQUEST_SPANS
    }
}

/// Somebody waits for the outcome of an export.
pub(crate) type Ask = oneshot::Sender<Result<(), Fault>>;

/// What both threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) pulse: Pulse,
    pub(crate) counters: Counters,
    /// The next batch brings metrics along, whatever their rhythm.
    pub(crate) wants_metrics: AtomicBool,
    pub(crate) wake: Notify,
    bytes_max: usize,
    pub(crate) waiting: Mutex<Waiting>,
}

/// What waits for the sender.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    spans: VecDeque<Spans>,
    bytes: usize,
    /// Requests that belong together; the newest only.
    metrics: VecDeque<Vec<u8>>,
    /// Wants to know whether an export works now.
    checks: Vec<Ask>,
    /// Wants to know when nothing waits any more.
    flushes: Vec<Ask>,
    /// Nothing more comes.
    pub(crate) is_closed: bool,
}

/// What the sender does next.
#[derive(Debug)]
pub(crate) enum Next {
    Check,
    Metrics(Vec<u8>),
    Spans(Spans),
    /// There are spans, but not so many that they could not wait for more.
    Linger,
    /// Nothing to do.
    Rest,
    /// Nothing to do ever again.
    End,
}

impl Shared {
    pub(crate) fn new(clock: &Clock, bytes_max: usize) -> Self {
        Self {
            clock: clock.clone(),
            pulse: Pulse::new(),
            counters: Counters::default(),
            wants_metrics: AtomicBool::new(false),
            wake: Notify::new(),
            bytes_max,
            waiting: Mutex::default(),
        }
    }

    /// Puts spans at the end; the oldest go when there is no room.
    pub(crate) fn push(&self, spans: Spans) {
        if spans.count == 0 {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.is_closed {
            add(&self.counters.dropped, spans.count);
            return;
        }
        waiting.bytes += spans.bytes.len();
        match waiting.spans.back_mut() {
            Some(last) if last.has_room_for(&spans) => {
                last.bytes.extend_from_slice(&spans.bytes);
                last.count += spans.count;
            }
            _ => waiting.spans.push_back(spans),
        }
        while waiting.bytes > self.bytes_max
            && let Some(oldest) = waiting.spans.pop_front()
        {
            waiting.bytes -= oldest.bytes.len();
            add(&self.counters.dropped, oldest.count);
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Replaces what metrics wait.
    pub(crate) fn put_metrics(&self, requests: Vec<Vec<u8>>) {
        let mut waiting = self.waiting.lock();
        if !waiting.is_closed {
            waiting.metrics = requests.into();
            drop(waiting);
            self.wake.notify_one();
        }
    }

    pub(crate) fn wants_metrics(&self) -> bool {
        self.wants_metrics.swap(false, Ordering::Relaxed)
    }

    /// Asks whether an export works now.
    pub(crate) fn check(&self) -> oneshot::Receiver<Result<(), Fault>> {
        self.ask(|waiting| &mut waiting.checks)
    }

    /// Asks to be told when nothing waits any more.
    pub(crate) fn flush(&self) -> oneshot::Receiver<Result<(), Fault>> {
        self.ask(|waiting| &mut waiting.flushes)
    }

    fn ask(
        &self,
        among: impl FnOnce(&mut Waiting) -> &mut Vec<Ask>,
    ) -> oneshot::Receiver<Result<(), Fault>> {
        let (ask, answer) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        if !waiting.is_closed {
            let asks = among(&mut waiting);
            // Who gave up waiting makes room; the rest is bounded by tasks that wait.
            asks.retain(|it| !it.is_closed());
            if asks.len() < ASKS_MAX {
                asks.push(ask);
            }
        }
        drop(waiting);
        self.wake.notify_one();
        answer
    }

    /// Nothing more comes; what waits is still sent.
    pub(crate) fn close(&self) {
        self.waiting.lock().is_closed = true;
        self.wake.notify_one();
    }

    /// The sender has ended: drops what waits and says so to everyone.
    pub(crate) fn end(&self, reason: &str) {
        self.pulse.stop(reason, self.clock.now());
        let mut waiting = self.waiting.lock();
        waiting.is_closed = true;
        waiting.metrics.clear();
        drop(waiting);
        self.drop_spans();
        let mut waiting = self.waiting.lock();
        let fault = Fault::Stopped {
            why: reason.to_owned(),
        };
        waiting.answer_checks(&Err(fault.clone()));
        waiting.answer_flushes(&Err(fault));
    }

    /// Drops the spans that wait, and counts them.
    pub(crate) fn drop_spans(&self) {
        let mut waiting = self.waiting.lock();
        let lost = waiting.spans.drain(..).map(|it| it.count).sum();
        waiting.bytes = 0;
        add(&self.counters.dropped, lost);
    }

    /// Why nothing is sent any more, if that is so.
    pub(crate) fn death(&self) -> Option<Fault> {
        match self.pulse.read() {
            Health::Dead { reason, .. } => Some(Fault::Stopped { why: reason }),
            _ => None,
        }
    }
}

impl Waiting {
    /// What to do next; `is_due` when spans have waited long enough.
    pub(crate) fn next(&mut self, is_due: bool) -> Next {
        if let Some(request) = self.metrics.pop_front() {
            return Next::Metrics(request);
        }
        if !self.checks.is_empty() {
            return Next::Check;
        }
        let is_urgent = is_due || self.is_closed || !self.flushes.is_empty();
        if !is_urgent && self.spans.len() < 2 && !self.spans.is_empty() {
            return Next::Linger;
        }
        if let Some(spans) = self.spans.pop_front() {
            self.bytes -= spans.bytes.len();
            return Next::Spans(spans);
        }
        self.answer_flushes(&Ok(()));
        if self.is_closed {
            Next::End
        } else {
            Next::Rest
        }
    }

    /// Whether somebody waits for an outcome, so that a pause must end.
    pub(crate) fn is_urgent(&self) -> bool {
        self.is_closed || !self.checks.is_empty() || !self.flushes.is_empty()
    }

    pub(crate) fn answer_checks(&mut self, outcome: &Result<(), Fault>) {
        for ask in self.checks.drain(..) {
            // Who does not wait any more need not know.
            let _ = ask.send(outcome.clone());
        }
    }

    pub(crate) fn answer_flushes(&mut self, outcome: &Result<(), Fault>) {
        for ask in self.flushes.drain(..) {
            let _ = ask.send(outcome.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(bytes: usize, count: u64) -> Spans {
        Spans {
            bytes: vec![0; bytes],
            count,
        }
    }

    #[test]
    fn what_does_not_fit_displaces_the_oldest_and_is_counted() {
        let shared = Shared::new(&Clock::system(), 2 * REQUEST_BYTES);
        for count in 1..=3 {
            shared.push(spans(REQUEST_BYTES, count));
        }
        assert_eq!(shared.counters.read().dropped, 1);
        let mut waiting = shared.waiting.lock();
        assert_eq!(waiting.bytes, 2 * REQUEST_BYTES);
        assert!(matches!(waiting.next(true), Next::Spans(it) if it.count == 2));
    }

    #[test]
    fn small_batches_wait_to_become_one_request() {
        let shared = Shared::new(&Clock::system(), 2 * REQUEST_BYTES);
        shared.push(spans(10, 1));
        shared.push(spans(10, 2));
        let mut waiting = shared.waiting.lock();
        assert!(matches!(waiting.next(false), Next::Linger));
        assert!(matches!(waiting.next(true), Next::Spans(it) if it.count == 3));
        assert!(matches!(waiting.next(true), Next::Rest));
    }

    #[test]
    fn after_the_end_everything_is_dropped_and_everyone_told() {
        let shared = Shared::new(&Clock::system(), REQUEST_BYTES);
        shared.push(spans(10, 1));
        let mut answer = shared.flush();
        shared.end("gone");
        shared.push(spans(10, 1));
        assert_eq!(shared.counters.read().dropped, 2);
        assert!(matches!(answer.try_recv(), Ok(Err(Fault::Stopped { .. }))));
        assert!(shared.check().try_recv().is_err());
        assert!(shared.death().is_some());
    }
}
