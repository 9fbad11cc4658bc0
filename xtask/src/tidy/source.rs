//! Splits Rust text into what the compiler runs and what it only carries.
//! Refuses to be a parser: comments and literals are told apart, nothing else is understood.
//! Invariant: a line of the input is a line of the result, under the same number.

/// One file of the repository, as text.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Relative to the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// One line of a Rust file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    /// Without comments and without what stands between quotes.
    pub(crate) code: String,
    /// What stands between quotes that open on this line, to its end on whatever line.
    pub(crate) literals: Vec<String>,
    /// Below the file's `#[cfg(test)]`, where this repository keeps unit tests.
    pub(crate) test: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    LineComment,
    BlockComment(usize),
    Text,
    RawText(usize),
}

/// Splits a Rust file into lines of code and literals.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let characters: Vec<char> = text.chars().collect();
    let mut lines = vec![Line::default()];
    let mut state = State::Code;
    let mut opened = 0;
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        let after_name = at > 0 && is_name(characters[at - 1]);
        let (next, taken) = match (state, rest[0]) {
            (State::LineComment, '\n') => (State::Code, 1),
            (_, '\n') => (state, 1),
            _ => step(state, rest, after_name),
        };
        let last = lines.len() - 1;
        match (state, next) {
            (State::Code, State::Text | State::RawText(_)) => {
                opened = last;
                lines[last].literals.push(String::new());
            }
            (State::Text | State::RawText(_), State::Text | State::RawText(_)) => {
                if let Some(literal) = lines[opened].literals.last_mut() {
                    literal.extend(&rest[..taken]);
                }
            }
            (State::Code, State::Code) if rest[0] != '\n' => {
                lines[last].code.extend(&rest[..taken]);
            }
            _ => {}
        }
        if rest[0] == '\n' {
            lines.push(Line::default());
        }
        state = next;
        at += taken;
    }
    mark_tests(&mut lines);
    lines
}

/// The state after the next few characters, and how many those are.
fn step(state: State, rest: &[char], after_name: bool) -> (State, usize) {
    match state {
        State::Code => step_code(rest, after_name),
        State::LineComment => (state, 1),
        State::BlockComment(depth) if starts(rest, "/*") => (State::BlockComment(depth + 1), 2),
        State::BlockComment(1) if starts(rest, "*/") => (State::Code, 2),
        State::BlockComment(depth) if starts(rest, "*/") => (State::BlockComment(depth - 1), 2),
        State::BlockComment(_) => (state, 1),
        // A backslash before a line break leaves the break to the caller, who counts lines.
        State::Text if rest[0] == '\\' && rest.len() > 1 && rest[1] != '\n' => (state, 2),
        State::Text if rest[0] == '"' => (State::Code, 1),
        State::Text => (state, 1),
        State::RawText(hashes) if rest[0] == '"' && hashes_at(&rest[1..]) >= hashes => {
            (State::Code, 1 + hashes)
        }
        State::RawText(_) => (state, 1),
    }
}

fn step_code(rest: &[char], after_name: bool) -> (State, usize) {
    if starts(rest, "//") {
        return (State::LineComment, 2);
    }
    if starts(rest, "/*") {
        return (State::BlockComment(1), 2);
    }
    match rest[0] {
        '"' => (State::Text, 1),
        'r' | 'b' | 'c' if !after_name => step_prefix(rest),
        '\'' => (State::Code, character_length(rest)),
        _ => (State::Code, 1),
    }
}

/// `r"`, `r#"`, `br"` and their kin; `r#name` stays code.
fn step_prefix(rest: &[char]) -> (State, usize) {
    let letters = rest
        .iter()
        .take(2)
        .take_while(|c| matches!(c, 'r' | 'b' | 'c'))
        .count();
    if rest[letters - 1] != 'r' {
        return (State::Code, 1);
    }
    let hashes = hashes_at(&rest[letters..]);
    if rest.get(letters + hashes) == Some(&'"') {
        return (State::RawText(hashes), letters + hashes + 1);
    }
    (State::Code, 1)
}

/// A character literal as a whole, so that `'"'` opens no text; a lifetime is one quote.
fn character_length(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', _, tail @ ..] => tail
            .iter()
            .take(10)
            .position(|c| *c == '\'')
            .map_or(1, |closing| closing + 4),
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
}

fn mark_tests(lines: &mut [Line]) {
    let mut test = false;
    for line in lines {
        test |= line.code.trim_start().starts_with("#[cfg(test)]");
        line.test = test;
    }
}

fn starts(rest: &[char], what: &str) -> bool {
    what.chars()
        .enumerate()
        .all(|(index, c)| rest.get(index) == Some(&c))
}

fn hashes_at(rest: &[char]) -> usize {
    rest.iter().take_while(|c| **c == '#').count()
}

pub(crate) fn is_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}
