//! What gathers between two events of one stream, bounded.

use super::LiveQuery;
use crate::operator::engine::{AskError, Operator};
use crate::operator::logs;
use crate::operator::model::LogLine;
use crate::telemetry::{self, LogFilter, Words};

/// Things of one event.
pub(super) const BATCH_MAX: usize = 256;

/// Things to tell next, and how many more there were.
#[derive(Debug)]
pub(super) struct Batch<T> {
    things: Vec<T>,
    missed: u64,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self {
            things: Vec::new(),
            missed: 0,
        }
    }
}

impl<T> Batch<T> {
    /// Whether one more is told; it is missed otherwise.
    pub(super) fn has_room(&self) -> bool {
        self.things.len() < BATCH_MAX
    }

    pub(super) fn add(&mut self, thing: T) {
        if self.has_room() {
            self.things.push(thing);
        } else {
            self.missed += 1;
        }
    }

    pub(super) fn miss(&mut self, count: u64) {
        self.missed += count;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.things.is_empty() && self.missed == 0
    }

    /// What has gathered, and how many were missed.
    pub(super) fn take(&mut self) -> (Vec<T>, u64) {
        (
            std::mem::take(&mut self.things),
            std::mem::take(&mut self.missed),
        )
    }
}

/// Which lines one stream tells.
#[derive(Debug)]
pub(super) struct LineSieve {
    operator: Operator,
    filter: LogFilter,
    /// Compared by name: a service may become known while the stream goes on.
    service: Option<String>,
    words: Words,
}

impl LineSieve {
    pub(super) fn new(operator: &Operator, query: &LiveQuery) -> Result<Self, AskError> {
        let asked = logs::LogQuery {
            instance: query.instance.clone(),
            level: query.level.clone(),
            trace: query.trace.clone(),
            ..logs::LogQuery::default()
        };
        let filter = logs::filter(operator, &asked)?;
        Ok(Self {
            operator: operator.clone(),
            filter: filter.unwrap_or_default(),
            service: query.service.clone(),
            words: Words::of(query.text.as_deref().unwrap_or_default()),
        })
    }

    /// The line as it is told, if it is.
    pub(super) fn pass(&self, it: &telemetry::LogLine) -> Option<LogLine> {
        let (entry, filter) = (&it.entry, &self.filter);
        let wanted = filter.min_level.is_none_or(|least| entry.level >= least)
            && filter.instance.is_none_or(|only| entry.instance == only)
            && filter.trace.is_none_or(|only| entry.trace == Some(only))
            && self.words.are_in_line(entry);
        if !wanted {
            return None;
        }
        let line = logs::line(&self.operator, it.clone());
        let is_of = |name: &String| *name == line.service;
        self.service.as_ref().is_none_or(is_of).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_as_missed() {
        let mut batch = Batch::default();
        (0..BATCH_MAX + 3).for_each(|nth| batch.add(nth));
        batch.miss(4);
        let (told, missed) = batch.take();
        assert_eq!((told.len(), missed), (BATCH_MAX, 7));
        assert!(batch.is_empty() && batch.has_room());
    }
}
