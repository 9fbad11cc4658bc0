//! The path syntax of axum 0.8: `/v1/orders/{id}`, `/files/{*rest}`, `{{` and `}}` for braces.
//!
//! Refuses what axum would panic at when the router is built, the syntax of axum 0.7, and what no
//! request can ever match, such as letters that clients send percent-encoded. Says the first fault
//! of a path only: the others often follow from it.
//!
//! Invariant: a path without a fault can be mounted.

/// The placeholders of a path, in order, or what is wrong with it.
pub(crate) fn placeholders(path: &str) -> Result<Vec<String>, String> {
    if !path.starts_with('/') {
        return Err(format!("a path begins with `/`; write `\"/{path}\"`"));
    }
    if let Some(mark) = path.chars().find(|it| matches!(it, '?' | '#')) {
        return Err(format!(
            "no path of a request holds `{mark}`; end the path before it"
        ));
    }
    for segment in path.split('/') {
        old_syntax(segment)?;
    }
    let mut found: Vec<String> = Vec::new();
    let mut pieces = Pieces { rest: path };
    let mut segment_has_one = false;
    while let Some(piece) = pieces.next_piece()? {
        match piece {
            Piece::Text('/') => segment_has_one = false,
            Piece::Text(_) if segment_has_one => {
                return Err("nothing may follow a placeholder but `/`".to_owned());
            }
            Piece::Text(_) => {}
            Piece::Placeholder(_) if segment_has_one => {
                return Err("one placeholder for each part between `/`".to_owned());
            }
            Piece::Placeholder(name) => {
                if name.starts_with('*') && !pieces.rest.is_empty() {
                    return Err(format!(
                        "`{{{name}}}` takes all that is left; write it last"
                    ));
                }
                segment_has_one = true;
                found.push(name.trim_start_matches('*').to_owned());
            }
        }
    }
    let sent = as_sent(path)?;
    if sent != path {
        return Err(format!(
            "clients send such letters percent-encoded, and a path is matched as it is sent; \
             write `\"{sent}\"`"
        ));
    }
    Ok(found)
}

/// The path as a client sends it: everything but the names of its placeholders.
fn as_sent(path: &str) -> Result<String, String> {
    let mut sent = String::new();
    let mut pieces = Pieces { rest: path };
    while let Some(piece) = pieces.next_piece()? {
        match piece {
            Piece::Placeholder(name) => sent.push_str(&format!("{{{name}}}")),
            Piece::Text(brace @ ('{' | '}')) => sent.extend([brace, brace]),
            Piece::Text(letter) if is_encoded(letter) => {
                let bytes = letter.to_string().into_bytes();
                sent.extend(bytes.iter().map(|byte| format!("%{byte:02X}")));
            }
            Piece::Text(letter) => sent.push(letter),
        }
    }
    Ok(sent)
}

/// What no client sends as it is. Of signs that some encode and some do not, nothing is said.
fn is_encoded(letter: char) -> bool {
    !letter.is_ascii_graphic() || matches!(letter, '"' | '<' | '>' | '`')
}

/// What axum 0.7 wrote without braces.
fn old_syntax(segment: &str) -> Result<(), String> {
    if let Some(name) = segment.strip_prefix(':') {
        return Err(format!("axum 0.8 writes `:{name}` as `{{{name}}}`"));
    }
    if let Some(name) = segment.strip_prefix('*') {
        return Err(format!("axum 0.8 writes `*{name}` as `{{*{name}}}`"));
    }
    Ok(())
}

enum Piece {
    Text(char),
    /// What is between the braces.
    Placeholder(String),
}

struct Pieces<'a> {
    rest: &'a str,
}

impl Pieces<'_> {
    fn next_piece(&mut self) -> Result<Option<Piece>, String> {
        let Some(letter) = self.take() else {
            return Ok(None);
        };
        match letter {
            Letter::Open => self.placeholder().map(Piece::Placeholder).map(Some),
            Letter::Close => {
                Err("`}` closes nothing; a brace that is meant is written `}}`".into())
            }
            Letter::Plain(letter) => Ok(Some(Piece::Text(letter))),
        }
    }

    fn placeholder(&mut self) -> Result<String, String> {
        let mut name = String::new();
        loop {
            match self.take() {
                Some(Letter::Plain(letter)) => name.push(letter),
                Some(Letter::Open) => name.push('{'),
                Some(Letter::Close) => break,
                None => {
                    let text = format!(
                        "`{{{name}` is not closed; a brace that is meant is written `{{{{`"
                    );
                    return Err(text);
                }
            }
        }
        let plain = name.strip_prefix('*').unwrap_or(&name);
        if plain.is_empty() {
            return Err(format!(
                "`{{{name}}}` has no name; write one, such as `{{{name}id}}`"
            ));
        }
        if plain.contains(['*', '/', '{', '}']) {
            return Err(format!(
                "`{plain}` is no name for a placeholder; use letters and `_`"
            ));
        }
        Ok(name)
    }

    /// The next letter; a doubled brace is a plain one.
    fn take(&mut self) -> Option<Letter> {
        let first = self.rest.chars().next()?;
        self.rest = &self.rest[first.len_utf8()..];
        let is_doubled = matches!(first, '{' | '}') && self.rest.starts_with(first);
        if is_doubled {
            self.rest = &self.rest[1..];
            return Some(Letter::Plain(first));
        }
        Some(match first {
            '{' => Letter::Open,
            '}' => Letter::Close,
            plain => Letter::Plain(plain),
        })
    }
}

enum Letter {
    Plain(char),
    Open,
    Close,
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn placeholders_are_found_in_order() {
        for (path, names) in [
            ("/", &[][..]),
            ("/v1/orders", &[]),
            ("/orders/{id}/lines/{line}", &["id", "line"]),
            ("/files/v-{version}/{*rest}", &["version", "rest"]),
            ("/{{not}}/{one}", &["one"]),
        ] {
            assert_eq!(
                placeholders(path),
                Ok(names.iter().map(|it| (*it).to_owned()).collect()),
                "{path}"
            );
        }
    }

    #[test]
    fn each_fault_says_what_to_write() {
        for (path, part) in [
            ("", "begins with `/`"),
            ("orders", "`\"/orders\"`"),
            ("/orders/:id", "`{id}`"),
            ("/files/*rest", "`{*rest}`"),
            ("/orders/{id", "not closed"),
            ("/orders/id}", "closes nothing"),
            ("/orders/{}", "no name"),
            ("/files/{*}", "no name"),
            ("/files/{*rest}/x", "write it last"),
            ("/a/{b}c", "nothing may follow"),
            ("/a/{b}{c}", "one placeholder"),
            ("/a/{b*}", "no name for"),
            ("/a?b={c}", "end the path before"),
            ("/a b/{c}", "`\"/a%20b/{c}\"`"),
            ("/{{größe}}/{größe}", "`\"/{{gr%C3%B6%C3%9Fe}}/{größe}\"`"),
        ] {
            let fault = placeholders(path).unwrap_err();
            assert!(fault.contains(part), "{path}: {fault}");
        }
    }

    /// Of all short paths over the letters that matter, those without a fault are mounted by axum,
    /// and those with one are not. axum takes names of odd letters, too.
    #[test]
    fn what_is_refused_is_what_axum_refuses() {
        const LETTERS: [char; 6] = ['/', '{', '}', '*', ':', 'a'];
        const LENGTH_MAX: u32 = 6;
        for length in 0..=LENGTH_MAX {
            for number in 0..LETTERS.len().pow(length) {
                let path = spelled(number, length, &LETTERS);
                let found = placeholders(&path);
                let names = path.split('{').skip(1);
                let mut names = names.map(|it| it.strip_prefix('*').unwrap_or(it));
                let is_odd = found.as_ref().is_err_and(|it| it.contains("no name for"));
                if found.is_ok() || (names.all(|it| it.starts_with('a')) && !is_odd) {
                    assert_eq!(found.is_ok(), axum_takes(&path), "{path}");
                }
            }
        }
    }

    fn spelled(mut number: usize, length: u32, letters: &[char]) -> String {
        let mut path = String::new();
        for _ in 0..length {
            path.push(letters[number % letters.len()]);
            number /= letters.len();
        }
        path
    }

    #[test]
    fn axum_finds_what_a_client_sends_under_the_encoded_path_alone() {
        for (written, sent) in [
            ("/a b", "/a%20b"),
            ("/größe", "/gr%C3%B6%C3%9Fe"),
            ("/\"a\"", "/%22a%22"),
        ] {
            assert_eq!(as_sent(written).as_deref(), Ok(sent));
            assert_eq!(axum_answers(written, sent), 404, "{written}");
            assert_eq!(axum_answers(sent, sent), 200, "{sent}");
        }
    }

    /// The status of what is asked for at `sent`, of a router with one route.
    fn axum_answers(route: &str, sent: &str) -> u16 {
        let router = axum::Router::new().route(route, axum::routing::get(|| async {}));
        let request = axum::http::Request::get(sent).body(axum::body::Body::empty());
        let mut running = std::pin::pin!(router.oneshot(request.expect("a request")));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match running.as_mut().poll(&mut context) {
            std::task::Poll::Ready(answer) => answer.expect("axum answers").status().as_u16(),
            std::task::Poll::Pending => panic!("the router waits for something"),
        }
    }

    fn axum_takes(path: &str) -> bool {
        let mount = || axum::Router::<()>::new().route(path, axum::routing::get(|| async {}));
        std::panic::catch_unwind(mount).is_ok()
    }
}
