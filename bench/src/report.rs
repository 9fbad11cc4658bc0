//! What a program found: a table, targets, notes; as text and as JSON.

use std::fmt;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use serde_json::Value;

use crate::failure::{Context, Result};

/// A finished measurement.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) headers: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) targets: Vec<Target>,
    pub(crate) floors: Vec<Floor>,
    /// What a reader has to know to read the numbers: drops, failures, settings.
    pub(crate) notes: Vec<String>,
    /// Every number behind the table.
    pub(crate) samples: Value,
}

/// A number of our own and what it should be at least; there is no peer to it.
#[derive(Debug, Serialize)]
pub(crate) struct Floor {
    pub(crate) name: String,
    pub(crate) us: f64,
    pub(crate) at_least: f64,
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, us, at_least } = self;
        let word = if us >= at_least { "ok" } else { "short" };
        write!(f, "target {name}: {us:.0} (want >= {at_least:.0}) {word}")
    }
}

/// A ratio and what it should be.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) us: f64,
    pub(crate) peer: f64,
    pub(crate) at_most: f64,
}

impl Target {
    fn ratio(&self) -> f64 {
        self.us / self.peer
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            us,
            peer,
            at_most,
        } = self;
        if *us <= 0.0 || *peer <= 0.0 {
            return write!(
                f,
                "target {name}: short: not measured, one side has no calls"
            );
        }
        let ratio = self.ratio();
        let word = if ratio <= *at_most { "ok" } else { "short" };
        write!(
            f,
            "target {name}: {us:.1}/{peer:.1} = {ratio:.2} (want <= {at_most:.2}) {word}"
        )
    }
}

impl Report {
    pub(crate) fn print(&self) {
        let mut table = Table::new();
        table
            .load_preset(presets::ASCII_MARKDOWN)
            .set_header(&self.headers)
            .add_rows(&self.rows);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        println!("{}\n\n{table}\n", self.name);
        for note in &self.notes {
            println!("{note}");
        }
        for target in &self.targets {
            println!("{target}");
        }
        for floor in &self.floors {
            println!("{floor}");
        }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).context("the report")?;
        std::fs::write(path, text + "\n").context(path.display())
    }
}

/// Median, least and greatest of some repetitions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    least: f64,
    greatest: f64,
}

impl Spread {
    /// Of no values: zero.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (Some(&least), Some(&greatest)) = (values.first(), values.last()) else {
            return Self::default();
        };
        let half = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[half]
        } else {
            f64::midpoint(values[half - 1], values[half])
        };
        Self {
            median,
            least,
            greatest,
        }
    }
}

/// `median (least–greatest)`, with as many decimals as the precision says.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = f.precision().unwrap_or(1);
        write!(
            f,
            "{:.places$} ({:.places$}–{:.places$})",
            self.median, self.least, self.greatest
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_shows_its_ends() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!(format!("{spread:.0}"), "2 (1–3)");
        assert_eq!(Spread::of([1.0, 2.0]).median, 1.5);
        assert_eq!(Spread::of([]), Spread::default());
    }

    #[test]
    fn a_target_says_whether_it_was_met() {
        let target = |us, peer| Target {
            name: "cpu".into(),
            us,
            peer,
            at_most: 1.15,
        };
        assert_eq!(
            target(11.0, 10.0).to_string(),
            "target cpu: 11.0/10.0 = 1.10 (want <= 1.15) ok"
        );
        assert!(target(12.0, 10.0).to_string().ends_with("short"));
        assert!(target(12.0, 0.0).to_string().contains("not measured"));
    }
}
