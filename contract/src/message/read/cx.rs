//! Where a reading is, and what it has.

use std::fmt;

use serde::de::Error;

use super::leaf::At;
use super::sink::Sink;
use crate::message::options::JsonOptions;
use crate::message::path::Path;
use crate::message::wire::DEPTH_MAX;

/// What all steps of one reading share.
pub(in crate::message) struct Reading<'o> {
    pub(super) sink: Sink,
    pub(super) options: &'o JsonOptions,
}

impl<'o> Reading<'o> {
    pub(in crate::message) fn new(options: &'o JsonOptions) -> Self {
        Self {
            sink: Sink::default(),
            options,
        }
    }

    pub(in crate::message) fn into_bytes(self) -> Vec<u8> {
        self.sink.into_bytes()
    }
}

/// Where a reading is.
pub(super) struct Cx<'r, 'o> {
    pub(super) reading: &'r mut Reading<'o>,
    pub(super) path: &'r Path<'r>,
    /// How many levels may still follow.
    pub(super) depth: u32,
}

impl<'o> Cx<'_, 'o> {
    pub(super) fn at<'c>(&'c mut self, path: &'c Path<'c>) -> Cx<'c, 'o> {
        Cx {
            reading: self.reading,
            path,
            depth: self.depth,
        }
    }

    pub(super) fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(self.fail(format_args!("messages are nested deeper than {DEPTH_MAX}"))),
        }
    }

    pub(super) fn fail<E: Error>(&self, error: impl fmt::Display) -> E {
        E::custom(format_args!("{error}{}", At(self.path)))
    }
}

/// A set of small numbers.
#[derive(Debug, Default)]
pub(super) struct Bits {
    low: u64,
    high: Vec<u64>,
}

impl Bits {
    /// False if it was there.
    pub(super) fn insert(&mut self, number: usize) -> bool {
        let (word, bit) = (number / 64, 1 << (number % 64));
        if word > self.high.len() {
            self.high.resize(word, 0);
        }
        let word = match word {
            0 => &mut self.low,
            _ => &mut self.high[word - 1],
        };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        let word = match number / 64 {
            0 => Some(&self.low),
            word => self.high.get(word - 1),
        };
        word.is_some_and(|it| it & (1 << (number % 64)) != 0)
    }
}
