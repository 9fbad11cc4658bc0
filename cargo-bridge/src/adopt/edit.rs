//! Changes of texts by byte ranges, and the same as a patch that `git apply` takes.
//!
//! Whatever is not in a range stays byte for byte, line ends included.
//!
//! Invariant: ranges of one text do not overlap.

use std::fmt::Write as _;
use std::ops::Range;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Edit {
    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self {
            range: at..at,
            text: text.into(),
        }
    }
}

/// The text with all edits made. New lines end as those of the text do.
pub(super) fn applied(text: &str, edits: &[Edit]) -> String {
    let edits = edits.iter().map(|it| Edit {
        range: it.range.clone(),
        text: ended_like(text, &it.text),
    });
    spliced(text, &edits.collect::<Vec<_>>())
}

fn spliced(text: &str, edits: &[Edit]) -> String {
    let mut made = String::with_capacity(text.len());
    let mut at = 0;
    for edit in in_order(edits) {
        made.push_str(&text[at..edit.range.start]);
        made.push_str(&edit.text);
        at = edit.range.end;
    }
    made.push_str(&text[at..]);
    made
}

/// Where the byte at `offset` is after all edits: behind what was inserted there.
pub(super) fn moved(text: &str, edits: &[Edit], offset: usize) -> usize {
    let before = edits.iter().filter(|it| it.range.start <= offset);
    let (added, removed) = before.fold((0, 0), |(added, removed), it| {
        (
            added + ended_like(text, &it.text).len(),
            removed + it.range.len(),
        )
    });
    (offset + added).saturating_sub(removed)
}

fn in_order(edits: &[Edit]) -> Vec<&Edit> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|it| (it.range.start, it.range.end));
    edits
}

fn ended_like(text: &str, added: &str) -> String {
    if text.contains("\r\n") {
        added.replace('\n', "\r\n")
    } else {
        added.to_owned()
    }
}

/// Lines of the old text, and what is there instead.
struct Change {
    old: Range<usize>,
    new: Vec<String>,
}

/// A unified diff of one file.
pub(super) fn diff(name: &str, text: &str, edits: &[Edit]) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let changes = changes(text, &lines, edits);
    let mut out = format!("--- a/{name}\n+++ b/{name}\n");
    let mut shift = 0_isize;
    for group in grouped(&changes) {
        hunk(&mut out, &lines, group, &mut shift);
    }
    out
}

fn changes(text: &str, lines: &[&str], edits: &[Edit]) -> Vec<Change> {
    let mut starts = vec![0];
    for line in lines {
        starts.push(starts[starts.len() - 1] + line.len());
    }
    let line_of = |at: usize| starts.partition_point(|it| *it <= at) - 1;
    let mut found: Vec<(Range<usize>, Vec<Edit>)> = Vec::new();
    for edit in in_order(edits) {
        let is_whole_lines = edit.range.is_empty()
            && starts.contains(&edit.range.start)
            && edit.text.ends_with('\n');
        let first = line_of(edit.range.start).min(lines.len());
        let old = match is_whole_lines {
            true => first..first,
            false => first..(line_of(edit.range.end) + 1).min(lines.len()),
        };
        match found.last_mut() {
            Some((range, edits)) if old.start < range.end => {
                range.end = range.end.max(old.end);
                edits.push(edit.clone());
            }
            _ => found.push((old, vec![edit.clone()])),
        }
    }
    let change = |(old, edits): (Range<usize>, Vec<Edit>)| {
        let (start, end) = (starts[old.start], starts[old.end]);
        let shifted = edits.into_iter().map(|it| Edit {
            range: it.range.start - start..it.range.end - start,
            text: ended_like(text, &it.text),
        });
        let shifted: Vec<Edit> = shifted.collect();
        let new = spliced(&text[start..end], &shifted);
        let new = new.split_inclusive('\n').map(str::to_owned).collect();
        Change { old, new }
    };
    found.into_iter().map(change).collect()
}

/// Changes that are so near that they share their surroundings.
fn grouped(changes: &[Change]) -> Vec<&[Change]> {
    changes
        .chunk_by(|a, b| b.old.start - a.old.end <= 2 * CONTEXT)
        .collect()
}

fn hunk(out: &mut String, lines: &[&str], changes: &[Change], shift: &mut isize) {
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else {
        return;
    };
    let start = first.old.start.saturating_sub(CONTEXT);
    let end = (last.old.end + CONTEXT).min(lines.len());
    let added: usize = changes.iter().map(|it| it.new.len()).sum();
    let removed: usize = changes.iter().map(|it| it.old.len()).sum();
    let (old, new) = (end - start, end - start + added - removed);
    // An empty side is counted from the line before.
    let from = |at: usize, count: usize| if count == 0 { at } else { at + 1 };
    let new_start = start.saturating_add_signed(*shift);
    let _ = writeln!(
        out,
        "@@ -{},{old} +{},{new} @@",
        from(start, old),
        from(new_start, new)
    );
    let mut at = start;
    for change in changes {
        lines[at..change.old.start]
            .iter()
            .for_each(|it| line(out, ' ', it));
        lines[change.old.clone()]
            .iter()
            .for_each(|it| line(out, '-', it));
        change.new.iter().for_each(|it| line(out, '+', it));
        at = change.old.end;
    }
    lines[at..end].iter().for_each(|it| line(out, ' ', it));
    *shift += isize::try_from(added).unwrap_or(0) - isize::try_from(removed).unwrap_or(0);
}

fn line(out: &mut String, mark: char, text: &str) {
    out.push(mark);
    out.push_str(text);
    if !text.ends_with('\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// What `git apply` makes of a patch.
    fn patched(text: &str, patch: &str) -> String {
        use std::io::Write as _;

        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.rs"), text).unwrap();
        let mut git = Command::new("git")
            .args(["apply", "--whitespace=nowarn", "-"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        git.stdin
            .take()
            .unwrap()
            .write_all(patch.as_bytes())
            .unwrap();
        assert!(git.wait().unwrap().success(), "{patch}");
        std::fs::read_to_string(folder.path().join("a.rs")).unwrap()
    }

    #[test]
    fn git_makes_of_a_patch_what_the_edits_make() {
        let long: String = (0..30).map(|it| format!("line {it}\n")).collect();
        let windows = long.replace('\n', "\r\n");
        let open = long.trim_end().to_owned();
        for text in [&long, &windows, &open] {
            let lines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
            for edits in [
                vec![Edit::insert(0, "first\n")],
                vec![Edit::insert(text.len(), "\nlast\n")],
                vec![
                    Edit::insert(lines[4], "a\nb\n"),
                    Edit::insert(lines[9], "c\n"),
                ],
                vec![
                    Edit::insert(lines[4], "a\n"),
                    Edit::insert(lines[20], "c\n"),
                ],
                vec![
                    Edit::insert(lines[4] + 2, "x("),
                    Edit::insert(lines[4] + 4, ")"),
                    Edit::insert(lines[5], "a\n"),
                ],
                vec![Edit {
                    range: lines[6] + 1..lines[7] + 2,
                    text: "new\ntext".to_owned(),
                }],
            ] {
                let patch = diff("a.rs", text, &edits);
                assert_eq!(patched(text, &patch), applied(text, &edits), "{patch}");
            }
        }
    }

    #[test]
    fn an_offset_moves_with_the_text_before_it() {
        let text = "one\ntwo\nthree\n";
        let edits = [Edit::insert(4, "a\n"), Edit::insert(8, "bc\n")];
        let made = applied(text, &edits);
        let at = moved(text, &edits, 8);
        assert_eq!(&made[at..at + 5], "three");
    }
}
