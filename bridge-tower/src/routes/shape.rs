//! Reads a router while it prints itself, along the grammar of what axum 0.8 prints.
//!
//! It refuses everything else, at the first token that does not fit, so that a table is never half
//! of the truth.
//!
//! Invariant: what is held are the routes, at most [`ROUTES_MAX`] with [`PATHS_BYTES_MAX`] bytes of
//! patterns, and a stack as deep as the grammar, which has no recursion.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use super::grammar::Step::{
    self, Allow, AllowBytes, Endpoint, Fallback, Flag, Handler, Id, Is, More, Path, Paths, Routes,
    RoutesEnd,
};
use super::grammar::{ALLOW, METHOD_ROUTER, PATH, ROUTE, ROUTER};
use super::lexer::{Lexer, Token};
use super::methods::Methods;
use crate::record::Verb;

/// Routes of one router.
const ROUTES_MAX: usize = 65_536;

/// Bytes of all patterns of one router.
const PATHS_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// A router does not print itself as axum 0.8 does, so its routes cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at} of the router's debug output, found {found}")]
pub struct UnknownShape {
    /// What stands there in the output of axum 0.8.
    pub expected: String,
    /// What stands there.
    pub found: String,
    /// Offset in the output at which it was evident, in bytes.
    pub at: u64,
}

impl From<&'static str> for UnknownShape {
    fn from(expected: &'static str) -> Self {
        Self::new(expected, "something else")
    }
}

impl UnknownShape {
    pub(super) fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            found: found.into(),
            at: 0,
        }
    }
}

/// A pattern of a router, as it was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) path: String,
    /// `None`: a service that answers what it likes.
    pub(super) methods: Option<Methods>,
}

/// What a router said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) patterns: Vec<Pattern>,
    /// Patterns of the fallbacks, the router's own default included.
    pub(super) fallbacks: Vec<Pattern>,
    /// Whether the outermost fallback is axum's own 404.
    pub(super) is_default_fallback: bool,
}

/// Reads whatever prints itself like a router of axum 0.8.
///
/// # Errors
///
/// [`UnknownShape`] names the first token that does not fit.
pub(super) fn read(router: &impl fmt::Debug) -> Result<Read, UnknownShape> {
    let mut reader = Reader::default();
    let printed = write!(reader, "{router:?}");
    reader.finish(printed.is_ok())
}

/// Follows the grammar token by token.
#[derive(Debug)]
struct Follower {
    /// What is still to come, the next last.
    stack: Vec<Step>,
    /// The route that is being read.
    id: u32,
    has_own_fallback: bool,
    endpoints: HashMap<u32, Option<Methods>>,
    paths: HashMap<u32, String>,
    paths_bytes: usize,
    read: Read,
}

impl Default for Follower {
    fn default() -> Self {
        Self {
            stack: ROUTER.iter().rev().copied().collect(),
            id: 0,
            has_own_fallback: false,
            endpoints: HashMap::new(),
            paths: HashMap::new(),
            paths_bytes: 0,
            read: Read::default(),
        }
    }
}

impl Follower {
    fn token(&mut self, token: Token<'_>) -> Result<(), UnknownShape> {
        while let Some(step) = self.stack.pop() {
            if self.step(step, token)? {
                return Ok(());
            }
        }
        Err(unlike("the end", token))
    }

    /// Takes one step; true when it used up the token.
    fn step(&mut self, step: Step, token: Token<'_>) -> Result<bool, UnknownShape> {
        match step {
            Is(words) => self.words(words, token)?,
            Routes => return Ok(self.entries(ROUTE, token)),
            Paths => return Ok(self.entries(PATH, token)),
            More(entry) => self.more(entry, token)?,
            Id => self.id = number(token)?,
            Path => self.path(token)?,
            Endpoint => self.endpoint(token)?,
            Handler(verb) => self.handler(verb, token)?,
            Fallback => self.fallback(token)?,
            Allow => self.allow(token)?,
            AllowBytes => match token {
                Token::Bytes(_) => {}
                _ => return Err(unlike("a list of methods", token)),
            },
            Flag => self.flag(token)?,
            RoutesEnd => {
                self.read.patterns = self.join()?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn follow(&mut self, steps: &[Step]) {
        self.stack.extend(steps.iter().rev());
    }

    fn words(&mut self, words: &'static str, token: Token<'_>) -> Result<(), UnknownShape> {
        let (word, rest) = words.split_once(' ').unwrap_or((words, ""));
        if token != Token::Word(word) {
            return Err(unlike(&format!("`{word}`"), token));
        }
        if !rest.is_empty() {
            self.stack.push(Is(rest));
        }
        Ok(())
    }

    fn entries(&mut self, entry: &'static [Step], token: Token<'_>) -> bool {
        if token == Token::Word("}") {
            return true;
        }
        self.stack.push(More(entry));
        self.follow(entry);
        false
    }

    fn more(&mut self, entry: &'static [Step], token: Token<'_>) -> Result<(), UnknownShape> {
        match token {
            Token::Word("}") => {}
            Token::Word(",") => {
                self.stack.push(More(entry));
                self.follow(entry);
            }
            _ => return Err(unlike("`,` or `}`", token)),
        }
        Ok(())
    }

    fn path(&mut self, token: Token<'_>) -> Result<(), UnknownShape> {
        let Token::Text(path) = token else {
            return Err(unlike("a path", token));
        };
        self.paths_bytes += path.len();
        if self.paths_bytes > PATHS_BYTES_MAX {
            let most = format!("at most {PATHS_BYTES_MAX} bytes of paths");
            return Err(UnknownShape::new(most, "more"));
        }
        self.paths.insert(self.id, path.to_owned());
        Ok(())
    }

    fn endpoint(&mut self, token: Token<'_>) -> Result<(), UnknownShape> {
        if self.endpoints.len() == ROUTES_MAX {
            let most = format!("at most {ROUTES_MAX} routes");
            return Err(UnknownShape::new(most, "more"));
        }
        let methods = match token {
            Token::Word("MethodRouter") => {
                self.follow(METHOD_ROUTER);
                Some(Methods::NONE)
            }
            Token::Word("Route") => {
                self.stack.push(Is("( Route )"));
                None
            }
            _ => return Err(unlike("`MethodRouter` or `Route`", token)),
        };
        self.endpoints.insert(self.id, methods);
        Ok(())
    }

    fn handler(&mut self, verb: Verb, token: Token<'_>) -> Result<(), UnknownShape> {
        match token {
            Token::Word("None") => {}
            Token::Word("Route" | "BoxedHandler") => self.methods().insert(verb),
            _ => return Err(unlike("`None`, `Route` or `BoxedHandler`", token)),
        }
        Ok(())
    }

    fn fallback(&mut self, token: Token<'_>) -> Result<(), UnknownShape> {
        self.has_own_fallback = token != Token::Word("Default");
        match token {
            Token::Word("Default" | "Service") => self.stack.push(Is("( Route )")),
            Token::Word("BoxedHandler") => {}
            _ => return Err(unlike("`Default`, `Service` or `BoxedHandler`", token)),
        }
        Ok(())
    }

    /// `any` says that it sets no `Allow` header. A method router that has nothing but a fallback
    /// does the same without saying so. Any other fallback only words the 405.
    fn allow(&mut self, token: Token<'_>) -> Result<(), UnknownShape> {
        let is_any = match token {
            Token::Word("None") => self.has_own_fallback && self.methods().is_empty(),
            Token::Word("Skip") => true,
            Token::Word("Bytes") => {
                self.follow(ALLOW);
                false
            }
            _ => return Err(unlike("`None`, `Skip` or `Bytes`", token)),
        };
        if is_any {
            *self.methods() = self.methods().union(Methods::ANY);
        }
        Ok(())
    }

    fn flag(&mut self, token: Token<'_>) -> Result<(), UnknownShape> {
        self.read.is_default_fallback = match token {
            Token::Word("true") => true,
            Token::Word("false") => false,
            _ => return Err(unlike("`true` or `false`", token)),
        };
        Ok(())
    }

    /// The methods of the route that is being read.
    fn methods(&mut self) -> &mut Methods {
        let methods = self.endpoints.entry(self.id).or_default();
        methods.get_or_insert_default()
    }

    /// Brings endpoints and paths together and forgets them.
    fn join(&mut self) -> Result<Vec<Pattern>, UnknownShape> {
        let mut paths = std::mem::take(&mut self.paths);
        let endpoints = std::mem::take(&mut self.endpoints);
        let mut patterns = Vec::with_capacity(endpoints.len());
        for (id, methods) in endpoints {
            let path = paths.remove(&id);
            let path =
                path.ok_or_else(|| UnknownShape::new(format!("a path for RouteId({id})"), "none"))?;
            patterns.push(Pattern { path, methods });
        }
        if let Some((id, path)) = paths.into_iter().next() {
            let expected = format!("a route for RouteId({id}), {path:?}");
            return Err(UnknownShape::new(expected, "none"));
        }
        // The router prints them in the order of a hash map, another one in each process.
        patterns.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(patterns)
    }

    fn finish(mut self) -> Result<Read, UnknownShape> {
        if !self.stack.is_empty() {
            return Err(UnknownShape::new("the rest of a router", "the end"));
        }
        self.read.fallbacks = self.join()?;
        Ok(self.read)
    }
}

fn number(token: Token<'_>) -> Result<u32, UnknownShape> {
    let number = match token {
        Token::Word(word) => word.parse().ok(),
        Token::Text(_) | Token::Bytes(_) => None,
    };
    number.ok_or_else(|| unlike("a number", token))
}

fn unlike(expected: &str, token: Token<'_>) -> UnknownShape {
    UnknownShape::new(
        expected,
        match token {
            Token::Word(word) => format!("`{word}`"),
            Token::Text(_) => "a text".to_owned(),
            Token::Bytes(_) => "a text of bytes".to_owned(),
        },
    )
}

/// Takes the output as it is printed, and stops the printing at the first token that is wrong.
#[derive(Debug, Default)]
struct Reader {
    lexer: Lexer,
    follower: Follower,
    /// Bytes that were read.
    at: u64,
    unknown: Option<UnknownShape>,
}

impl fmt::Write for Reader {
    fn write_str(&mut self, output: &str) -> fmt::Result {
        for c in output.chars() {
            let follower = &mut self.follower;
            if let Err(unknown) = self.lexer.push(c, &mut |token| follower.token(token)) {
                let at = self.at;
                self.unknown = Some(UnknownShape { at, ..unknown });
                return Err(fmt::Error);
            }
            self.at += c.len_utf8() as u64;
        }
        Ok(())
    }
}

impl Reader {
    fn finish(self, is_printed: bool) -> Result<Read, UnknownShape> {
        let at = self.at;
        if let Some(unknown) = self.unknown {
            return Err(unknown);
        }
        if !is_printed || !self.lexer.is_between() {
            let unknown = UnknownShape::new("the whole router", "an output that was cut short");
            return Err(UnknownShape { at, ..unknown });
        }
        let read = self.follower.finish();
        read.map_err(|unknown| UnknownShape { at, ..unknown })
    }
}
