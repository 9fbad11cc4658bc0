//! What a query says: a selector, filters, and perhaps what to count. Pure.

use regex::Regex;

/// A query.
#[derive(Clone, Debug)]
pub(super) enum Query {
    /// Lines.
    Lines(Pipeline),
    /// Numbers over time.
    Numbers(Counting),
    /// A constant, which data sources ask for to see whether anybody answers.
    Constant(f64),
}

/// Which lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipeline {
    pub(super) selector: Vec<Matcher>,
    pub(super) stages: Vec<Stage>,
}

/// A condition on a label.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    pub(super) label: String,
    pub(super) test: Test,
}

/// A condition on text.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Is(String),
    IsNot(String),
    Matches(Regex),
    MatchesNot(Regex),
}

impl Test {
    /// Whether text passes.
    pub(super) fn passes(&self, text: &str) -> bool {
        match self {
            Self::Is(wanted) => text == wanted,
            Self::IsNot(unwanted) => text != unwanted,
            Self::Matches(regex) => regex.is_match(text),
            Self::MatchesNot(regex) => !regex.is_match(text),
        }
    }
}

/// A step behind the selector.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// A condition on the line: one of `any` is in it, or none when `absent`.
    Line { any: Vec<Needle>, absent: bool },
    /// A condition on a label or on structured metadata.
    Label(Matcher),
    /// Labels that are left out of the answer.
    Drop(Vec<String>),
}

/// What is looked for in a line.
#[derive(Clone, Debug)]
pub(super) enum Needle {
    Text(String),
    Regex(Regex),
}

impl Needle {
    /// Whether it is in a line.
    pub(super) fn is_in(&self, line: &str) -> bool {
        match self {
            Self::Text(text) => line.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(line),
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    CountOverTime,
    Rate,
    BytesOverTime,
    BytesRate,
}

/// What is counted, over how long, and by what.
#[derive(Clone, Debug)]
pub(super) struct Counting {
    pub(super) function: Function,
    pub(super) pipeline: Pipeline,
    /// Nanoseconds.
    pub(super) range: i64,
    /// `None` without `sum`: by stream.
    pub(super) sum: Option<Grouping>,
}

/// By which labels to add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}
