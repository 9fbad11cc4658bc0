//! The two ends a user holds: what the recorder feeds, and what tells how it goes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bridge_tower::record::Ending;
use bridge_tower::{Batch, Export, Recorder};
use contract::clock::{Monotonic, Timestamp};

use crate::fault::Fault;
use crate::health::{Counts, Health, add};
use crate::metrics::{self, Window};
use crate::proto::Writer;
use crate::queue::{REQUEST_BYTES, REQUEST_SPANS, Shared, Spans};
use crate::spans;

/// Encodes a recorder's records and counts on the recorder's own thread.
#[derive(Debug)]
pub struct OtlpExporter {
    pub(crate) shared: Arc<Shared>,
    pub(crate) scheme: Box<str>,
    pub(crate) counting_since: Timestamp,
    pub(crate) metrics_every: Duration,
    pub(crate) metrics_at: Monotonic,
}

impl OtlpExporter {
    fn spans(&self, batch: &Batch<'_>) {
        let mut waiting = Writer::default();
        let mut count = 0;
        let ended = batch.records.iter();
        for record in ended.filter(|it| it.ending != Ending::Running) {
            spans::encode(record, batch.recorder, &self.scheme, &mut waiting);
            count += 1;
            if waiting.0.len() >= REQUEST_BYTES || count >= REQUEST_SPANS {
                let bytes = std::mem::take(&mut waiting.0);
                self.shared.push(Spans { bytes, count });
                count = 0;
            }
        }
        let bytes = waiting.0;
        self.shared.push(Spans { bytes, count });
    }

    fn metrics(&mut self, recorder: &Recorder) {
        let clock = &self.shared.clock;
        let now = clock.monotonic();
        if !self.shared.wants_metrics() && now < self.metrics_at {
            return;
        }
        self.metrics_at = now + self.metrics_every;
        let window = Window {
            start: self.counting_since,
            now: clock.now(),
        };
        let counts = self.shared.counters.read();
        let contents = metrics::encode(recorder, &counts, &self.scheme, window);
        self.shared.put_metrics(contents);
    }
}

impl Export for OtlpExporter {
    fn export(&mut self, batch: &Batch<'_>) {
        add(&self.shared.counters.recorder_dropped, batch.dropped);
        self.spans(batch);
        self.metrics(batch.recorder);
    }
}

impl Drop for OtlpExporter {
    fn drop(&mut self) {
        self.shared.close();
    }
}

/// A running exporter. Dropping it stops nothing: the exporter lives as long as its recorder.
#[derive(Clone, Debug)]
pub struct Otlp {
    pub(crate) shared: Arc<Shared>,
    pub(crate) recorder: Recorder,
}

impl Otlp {
    /// How it is doing.
    pub fn health(&self) -> Health {
        self.shared.pulse.read()
    }

    /// What became of spans and metrics since the start.
    pub fn counts(&self) -> Counts {
        self.shared.counters.read()
    }

    /// Sends a request without spans, or what is under way anyway, and says how that went.
    ///
    /// # Errors
    ///
    /// What is wrong, in words that say what to do.
    pub async fn check(&self) -> Result<(), Fault> {
        let answer = self.shared.check().await;
        answer.unwrap_or_else(|_| self.unanswered())
    }

    /// Sends everything that was recorded until now, metrics included. Waits as long as that
    /// takes, but not for a collector that is away: put a timeout around it.
    ///
    /// # Errors
    ///
    /// Why something was not taken; what may still be taken later is kept.
    pub async fn flush(&self) -> Result<(), Fault> {
        self.shared.wants_metrics.store(true, Ordering::Relaxed);
        self.recorder.flush();
        let answer = self.shared.flush().await;
        answer.unwrap_or_else(|_| self.unanswered())
    }

    /// Nobody answers when the thread is gone, or when too many ask.
    fn unanswered(&self) -> Result<(), Fault> {
        Err(self.shared.death().unwrap_or_else(|| Fault::Stopped {
            why: "too many ask at the same time".to_owned(),
        }))
    }
}
