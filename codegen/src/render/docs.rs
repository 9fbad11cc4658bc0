//! Proto comments as rustdoc text.
//!
//! A comment in a contract was not written for rustdoc: what looks like a code block there would
//! be compiled and run as a test of the user's crate, and brackets would be taken for links.
//!
//! Invariant: no line of the result opens a code block that rustdoc tests.

use super::text::is_bidirectional;
use crate::place::Comments;

/// What rustdoc reads as "this is Rust" in the line that opens a code block.
const RUST_WORDS: [&str; 9] = [
    "rust",
    "ignore",
    "no_run",
    "should_panic",
    "compile_fail",
    "test_harness",
    "allow_fail",
    "standalone",
    "standalone_crate",
];

/// From how many columns on a paragraph is a code block. The usual space behind the slashes may
/// be missing, and the message generator may add one, so it is not counted on.
const CODE_INDENT: usize = 4;

/// Marks every code block as plain text, unless it names a language other than Rust.
pub(super) fn without_tests(comment: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut fence: Option<String> = None;
    let mut in_indented = false;
    let mut after_blank = true;
    for line in comment.lines() {
        let text = line.trim_start();
        let indent = indent_of(line);
        let marker = fence_marker(text);
        if let Some(open) = &fence {
            let closes = marker.len() >= open.len() && marker.starts_with(open.as_str());
            out.push(line.to_owned());
            if closes && text.trim_end() == marker {
                fence = None;
            }
            continue;
        }
        let is_indented = indent >= CODE_INDENT && (in_indented || after_blank) && !text.is_empty();
        if is_indented && !in_indented {
            out.push(" ```text".to_owned());
        } else if in_indented && !is_indented && !text.is_empty() {
            close_indented(&mut out);
        }
        in_indented = is_indented || (in_indented && text.is_empty());
        after_blank = text.is_empty();
        if is_indented {
            let kept = indent.saturating_sub(CODE_INDENT).max(1);
            out.push(format!("{}{text}", " ".repeat(kept)));
        } else if marker.is_empty() {
            out.push(line.to_owned());
        } else {
            let language = language(text[marker.len()..].trim());
            out.push(format!(
                "{}{marker}{language}",
                &line[..line.len() - text.len()]
            ));
            fence = Some(marker.to_owned());
        }
    }
    if in_indented {
        close_indented(&mut out);
    }
    if let Some(open) = fence {
        out.push(format!(" {open}"));
    }
    out.join("\n")
}

/// Ends a block that indentation had opened, before the blank lines that followed it.
fn close_indented(lines: &mut Vec<String>) {
    let text = lines.iter().rposition(|line| !line.trim().is_empty());
    lines.insert(text.map_or(0, |last| last + 1), " ```".to_owned());
}

/// The lines of a declaration's documentation, each with its leading space.
pub(super) fn lines(comments: &Comments) -> Vec<String> {
    let (leading, trailing) = (&comments.leading, &comments.trailing);
    let gap = if leading.is_empty() || trailing.is_empty() {
        ""
    } else {
        "\n\n"
    };
    let text = format!("{}{gap}{}", without_tests(leading), without_tests(trailing));
    let mut in_fence = false;
    text.lines()
        .map(|line| {
            let line: String = line
                .chars()
                .filter(|c| *c != '\r' && !is_bidirectional(*c))
                .collect();
            let line = line.as_str();
            if !fence_marker(line.trim_start()).is_empty() {
                in_fence = !in_fence;
                return line.to_owned();
            }
            let line = if in_fence {
                line.to_owned()
            } else {
                prose(line)
            };
            let separated = line.is_empty() || line.starts_with(' ');
            if separated { line } else { format!(" {line}") }
        })
        .collect()
}

/// A declaration's comments as plain text, for descriptions: trimmed, lines kept.
pub(crate) fn plain(comments: &Comments) -> String {
    let lines = comments.leading.lines().chain(comments.trailing.lines());
    let lines: Vec<_> = lines.map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}

/// Escapes what would be a link by accident and marks what is one on purpose.
fn prose(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut in_code = false;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let before = out.chars().next_back();
        let is_url = rest.starts_with("https://") || rest.starts_with("http://");
        if is_url && !in_code && !matches!(before, Some('<' | '(')) {
            let end = rest.find(|c: char| c.is_whitespace() || "()<>`".contains(c));
            let (url, after) = rest.split_at(end.unwrap_or(rest.len()));
            let link = url.trim_end_matches(['.', ',', ';', ':']);
            out.push_str(&format!("<{link}>{}", &url[link.len()..]));
            rest = after;
            continue;
        }
        if c == '`' {
            in_code = !in_code;
        }
        if c == '[' && !in_code && before != Some('\\') && !links(rest) {
            out.push('\\');
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Whether the bracket that `rest` begins with is closed and followed by a target.
fn links(rest: &str) -> bool {
    rest.find(']')
        .is_some_and(|end| rest[end + 1..].starts_with('('))
}

fn indent_of(line: &str) -> usize {
    let blanks = line.chars().take_while(|c| c.is_whitespace());
    blanks.map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

/// The run of three or more backticks or tildes that the text begins with, or nothing.
fn fence_marker(text: &str) -> &str {
    let run = |c: char| &text[..text.len() - text.trim_start_matches(c).len()];
    let marker = if text.starts_with('~') {
        run('~')
    } else {
        run('`')
    };
    if marker.len() >= 3 { marker } else { "" }
}

fn language(info: &str) -> &str {
    let is_plain = !info.is_empty() && info.chars().all(|c| c.is_ascii_alphanumeric() || c == '+');
    let is_rust = RUST_WORDS.contains(&info)
        || info.starts_with("edition")
        || info.starts_with(['E', 'e']) && info[1..].chars().all(|c| c.is_ascii_digit());
    if is_plain && !is_rust { info } else { "text" }
}

#[cfg(test)]
mod tests {
    use super::{lines, without_tests};
    use crate::place::Comments;

    #[test]
    fn code_blocks_become_text_unless_they_name_another_language() {
        for (info, expected) in [
            ("", "text"),
            ("rust", "text"),
            ("rust,no_run", "text"),
            ("ignore", "text"),
            ("edition2024", "text"),
            ("E0308", "text"),
            ("{.rust}", "text"),
            ("json", "json"),
            ("proto", "proto"),
        ] {
            let comment = format!(" Say:\n ```{info}\n let x = [1];\n ```\n");
            let expected = format!(" Say:\n ```{expected}\n let x = [1];\n ```");
            assert_eq!(without_tests(&comment), expected, "{info}");
        }
    }

    #[test]
    fn indented_blocks_become_text_and_wrapped_paragraphs_stay() {
        assert_eq!(
            without_tests(" A list:\n      wrapped\n\n     let x = 1;\n\n     x + 1\n\n Done.\n"),
            " A list:\n      wrapped\n\n ```text\n let x = 1;\n\n x + 1\n ```\n\n Done."
        );
    }

    #[test]
    fn an_open_code_block_is_closed() {
        assert_eq!(without_tests(" ~~~\n x\n"), " ~~~text\n x\n ~~~");
    }

    #[test]
    fn a_shorter_fence_inside_a_longer_one_does_not_close_it() {
        let comment = " ````\n ```\n fn f() {}\n ````";
        assert_eq!(without_tests(comment), " ````text\n ```\n fn f() {}\n ````");
    }

    #[test]
    fn brackets_are_not_links_and_addresses_are() {
        let comments = Comments {
            leading: " See [Order], `a[0]`, [docs](https://a.b) and https://c.d/e.\n".to_owned(),
            trailing: "And more.".to_owned(),
        };
        assert_eq!(
            lines(&comments),
            [
                " See \\[Order], `a[0]`, [docs](https://a.b) and <https://c.d/e>.",
                "",
                " And more."
            ]
        );
    }
}
