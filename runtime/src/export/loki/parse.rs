//! Words to query: a descent of a fixed depth.
//!
//! Refuses, naming the part and its column, what the language has and we do not answer.
//!
//! Invariant: time and memory grow with the length of the text, which is bounded.

use regex::{Regex, RegexBuilder};

use super::logql::{Counting, Function, Grouping, Matcher, Needle, Pipeline, Query, Stage, Test};
use super::scan::{ParseError, Token, scan};

/// Longest query, in bytes.
const QUERY_BYTES_MAX: usize = 8_192;
/// Conditions in one query.
const CONDITIONS_MAX: usize = 64;
/// Memory of one compiled regular expression, in bytes.
const REGEX_BYTES_MAX: usize = 1 << 20;
/// Longest range, in nanoseconds: 30 days.
const RANGE_MAX: i64 = 30 * 86_400 * 1_000_000_000;

#[derive(Debug)]
struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    end: usize,
    conditions: usize,
}

/// Reads a query.
pub(super) fn parse(text: &str) -> Result<Query, ParseError> {
    let mut parser = Parser::new(text)?;
    let query = parser.query()?;
    parser.done()?;
    Ok(query)
}

/// Reads a selector, perhaps with filters.
pub(super) fn parse_selector(text: &str) -> Result<Pipeline, ParseError> {
    match parse(text)? {
        Query::Lines(pipeline) => Ok(pipeline),
        Query::Numbers(_) | Query::Constant(_) => Err(ParseError {
            column: 1,
            message: "a selector is wanted here, such as {service=\"orders\"}".to_owned(),
        }),
    }
}

/// A span such as `1h30m`, `500ms`, in nanoseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: f64 = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit() && it != '.')?;
        let amount: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|it: char| it.is_ascii_digit() || it == '.');
        let (unit, next) = rest.split_at(letters.unwrap_or(rest.len()));
        rest = next;
        total += amount
            * match unit {
                "ns" => 1.0,
                "us" | "µs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3_600e9,
                "d" => 86_400e9,
                "w" => 604_800e9,
                "y" => 31_536_000e9,
                _ => return None,
            };
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (total > 0.0 && total < 9e18).then_some(total as i64)
}

impl Parser {
    fn new(text: &str) -> Result<Self, ParseError> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(ParseError {
                column: QUERY_BYTES_MAX,
                message: format!("a query has {QUERY_BYTES_MAX} bytes at most"),
            });
        }
        Ok(Self {
            tokens: scan(text)?,
            at: 0,
            end: text.len(),
            conditions: 0,
        })
    }

    fn fault<T>(&self, message: impl Into<String>) -> Result<T, ParseError> {
        let at = self.tokens.get(self.at).map_or(self.end, |it| it.0);
        Err(ParseError {
            column: at + 1,
            message: message.into(),
        })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|it| &it.1)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(it)) if *it == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let there = self.is(sign);
        self.at += usize::from(there);
        there
    }

    fn want(&mut self, sign: &str) -> Result<(), ParseError> {
        if self.take(sign) {
            return Ok(());
        }
        self.fault(format!("`{sign}` is wanted here"))
    }

    fn name(&mut self) -> Result<String, ParseError> {
        let Some(Token::Name(name)) = self.peek() else {
            return self.fault("a name is wanted here");
        };
        let name = name.clone();
        self.at += 1;
        Ok(name)
    }

    fn text(&mut self) -> Result<String, ParseError> {
        let Some(Token::Text(text)) = self.peek() else {
            return self.fault("text in quotes is wanted here");
        };
        let text = text.clone();
        self.at += 1;
        Ok(text)
    }

    fn done(&self) -> Result<(), ParseError> {
        match self.peek() {
            None => Ok(()),
            Some(Token::Sign(sign)) => self.fault(format!(
                "`{sign}` is not supported here: arithmetic and comparisons of results are not"
            )),
            Some(_) => self.fault("this is not supported behind the query"),
        }
    }

    fn query(&mut self) -> Result<Query, ParseError> {
        if self.is("{") {
            return self.pipeline(false).map(|it| Query::Lines(it.0));
        }
        if self.take("(") {
            let query = self.one()?;
            self.want(")")?;
            return Ok(query);
        }
        self.one()
    }

    /// What is not a bare selector.
    fn one(&mut self) -> Result<Query, ParseError> {
        if self.is("{") {
            return self.pipeline(false).map(|it| Query::Lines(it.0));
        }
        let start = self.at;
        let name = self.name()?;
        match name.as_str() {
            "vector" => {
                let mut sum = self.vector()?;
                while self.take("+") {
                    let name = self.name()?;
                    if name != "vector" {
                        return self.fault("only vectors can be added");
                    }
                    sum += self.vector()?;
                }
                Ok(Query::Constant(sum))
            }
            "sum" => self.sum().map(Query::Numbers),
            _ => {
                self.at = start;
                self.counting().map(Query::Numbers)
            }
        }
    }

    fn vector(&mut self) -> Result<f64, ParseError> {
        self.want("(")?;
        let Some(Token::Number(digits)) = self.peek() else {
            return self.fault("a number is wanted here");
        };
        let Ok(value) = digits.parse() else {
            return self.fault("a number is wanted here");
        };
        self.at += 1;
        self.want(")")?;
        Ok(value)
    }

    fn sum(&mut self) -> Result<Counting, ParseError> {
        let before = self.grouping()?;
        self.want("(")?;
        let mut counting = self.counting()?;
        self.want(")")?;
        let after = match before {
            Some(_) => None,
            None => self.grouping()?,
        };
        counting.sum = Some(before.or(after).unwrap_or(Grouping::By(Vec::new())));
        Ok(counting)
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, ParseError> {
        let by = match self.peek() {
            Some(Token::Name(name)) if name == "by" => true,
            Some(Token::Name(name)) if name == "without" => false,
            _ => return Ok(None),
        };
        self.at += 1;
        self.want("(")?;
        let mut labels = Vec::new();
        while !self.is(")") {
            labels.push(self.name()?);
            if !self.take(",") {
                break;
            }
        }
        self.want(")")?;
        Ok(Some(if by {
            Grouping::By(labels)
        } else {
            Grouping::Without(labels)
        }))
    }

    fn counting(&mut self) -> Result<Counting, ParseError> {
        let start = self.at;
        let function = match self.name()?.as_str() {
            "count_over_time" => Function::CountOverTime,
            "rate" => Function::Rate,
            "bytes_over_time" => Function::BytesOverTime,
            "bytes_rate" => Function::BytesRate,
            other => {
                let other = other.to_owned();
                self.at = start;
                return self.fault(format!(
                    "`{other}` is not supported; these are: count_over_time, rate, bytes_over_time, bytes_rate, and sum of one of them"
                ));
            }
        };
        self.want("(")?;
        let (pipeline, range) = self.pipeline(true)?;
        let Some(range) = range else {
            return self.fault("a range such as [5m] is wanted here");
        };
        if matches!(self.peek(), Some(Token::Name(name)) if name == "offset") {
            return self.fault("`offset` is not supported");
        }
        self.want(")")?;
        Ok(Counting {
            function,
            pipeline,
            range,
            sum: None,
        })
    }

    /// A selector with its filters; where `ranged`, with a range before or behind them.
    fn pipeline(&mut self, ranged: bool) -> Result<(Pipeline, Option<i64>), ParseError> {
        let wrapped = self.take("(");
        let mut pipeline = Pipeline {
            selector: self.selector()?,
            stages: Vec::new(),
        };
        let mut range = None;
        loop {
            if ranged && range.is_none() && self.is("[") {
                range = Some(self.range()?);
            } else if let Some(stage) = self.stage()? {
                pipeline.stages.push(stage);
            } else {
                break;
            }
        }
        if wrapped {
            self.want(")")?;
            if ranged && range.is_none() && self.is("[") {
                range = Some(self.range()?);
            }
        }
        Ok((pipeline, range))
    }

    fn range(&mut self) -> Result<i64, ParseError> {
        self.want("[")?;
        let Some(Token::Number(text)) = self.peek() else {
            return self.fault("a span such as 5m is wanted here");
        };
        let Some(span) = duration(text).filter(|it| *it <= RANGE_MAX) else {
            return self.fault("a span from 1ns to 30d is wanted here, such as 5m");
        };
        self.at += 1;
        self.want("]")?;
        Ok(span)
    }

    fn selector(&mut self) -> Result<Vec<Matcher>, ParseError> {
        self.want("{")?;
        let mut matchers = Vec::new();
        while !self.is("}") {
            matchers.push(self.matcher()?);
            if !self.take(",") {
                break;
            }
        }
        self.want("}")?;
        Ok(matchers)
    }

    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        let label = self.name()?;
        self.counted()?;
        let sign = ["=~", "!~", "!=", "="].into_iter().find(|it| self.take(it));
        let Some(sign) = sign else {
            return self.fault(
                "`=`, `!=`, `=~` or `!~` is wanted here; other comparisons are not supported",
            );
        };
        let start = self.at;
        let text = self.text()?;
        let anchored = |text: &str| ["^(?s:", text, ")$"].concat();
        let test = match sign {
            "=" => Test::Is(text),
            "!=" => Test::IsNot(text),
            "=~" => Test::Matches(self.regex(&anchored(&text), start)?),
            _ => Test::MatchesNot(self.regex(&anchored(&text), start)?),
        };
        Ok(Matcher { label, test })
    }

    fn counted(&mut self) -> Result<(), ParseError> {
        self.conditions += 1;
        if self.conditions > CONDITIONS_MAX {
            return self.fault(format!("a query has {CONDITIONS_MAX} conditions at most"));
        }
        Ok(())
    }

    fn regex(&mut self, text: &str, start: usize) -> Result<Regex, ParseError> {
        let compiled = RegexBuilder::new(text).size_limit(REGEX_BYTES_MAX).build();
        compiled.or_else(|error| {
            self.at = start;
            self.fault(format!("the regular expression cannot be used: {error}"))
        })
    }

    fn stage(&mut self) -> Result<Option<Stage>, ParseError> {
        for (sign, regex, absent) in [
            ("|=", false, false),
            ("!=", false, true),
            ("|~", true, false),
            ("!~", true, true),
        ] {
            if self.take(sign) {
                return self.needles(regex, absent).map(Some);
            }
        }
        if self.is("|>") || self.is("!>") {
            return self.fault("pattern filters (`|>`, `!>`) are not supported; use |= or |~");
        }
        if !self.take("|") {
            return Ok(None);
        }
        let start = self.at;
        let name = self.name()?;
        let compares = ["=", "!=", "=~", "!~"].iter().any(|it| self.is(it));
        if name == "drop" && !compares {
            let mut labels = vec![self.name()?];
            while self.take(",") {
                labels.push(self.name()?);
            }
            return Ok(Some(Stage::Drop(labels)));
        }
        self.at = start;
        if !compares {
            return self.fault(format!(
                "`| {name}` is not supported; filter with |=, |~ or a label such as | level=\"error\""
            ));
        }
        let matcher = self.matcher()?;
        if let Some(Token::Name(word)) = self.peek()
            && ["and", "or"].contains(&word.as_str())
        {
            return self.fault("`and` and `or` between label filters are not supported; put one filter behind the other for `and`, use =~ for `or`");
        }
        Ok(Some(Stage::Label(matcher)))
    }

    fn needles(&mut self, regex: bool, absent: bool) -> Result<Stage, ParseError> {
        let mut any = Vec::new();
        loop {
            self.counted()?;
            if matches!(self.peek(), Some(Token::Name(name)) if name == "ip") {
                return self.fault("`ip()` is not supported; use |= or |~");
            }
            let start = self.at;
            let text = self.text()?;
            any.push(if regex {
                Needle::Regex(self.regex(&text, start)?)
            } else {
                Needle::Text(text)
            });
            let more = matches!(self.peek(), Some(Token::Name(name)) if name == "or");
            if !more {
                return Ok(Stage::Line { any, absent });
            }
            self.at += 1;
        }
    }
}
