//! The order of dependency inside a crate: a file uses only what is declared above its own room.
//! Refuses cycles before they start: the `mod` list of lib.rs is the architecture.
//! Invariant: only names of that list count, so a re-export of the crate's root is nobody's room.

use super::rules::{Violation, is_generated, is_rust, is_test};
use super::source::{File, Line, is_name, lines};
use std::collections::BTreeMap;

/// Checks every crate of the repository.
pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    let lists = mod_lists(files);
    files
        .iter()
        .filter(|file| is_rust(file) && !is_generated(file) && !is_test(file))
        .filter_map(|file| {
            let (source, inside) = split_at_src(&file.path)?;
            let list = lists.get(source)?;
            let room = inside.split('/').next()?.trim_end_matches(".rs");
            let own = list.iter().position(|name| name == room)?;
            Some(check_file(file, list, own))
        })
        .flatten()
        .collect()
}

fn check_file(file: &File, list: &[String], own: usize) -> Vec<Violation> {
    let code: Vec<Line> = lines(&file.text)
        .into_iter()
        .take_while(|line| !line.test)
        .collect();
    let mut found = Vec::new();
    for (line, used) in crate_paths(&code) {
        let Some(position) = list.iter().position(|name| *name == used) else {
            continue;
        };
        if position > own {
            let advice = format!(
                "`{used}` is declared below `{}`: turn the dependency round or move what both need up",
                list[own]
            );
            found.push(Violation::new(file, line, "order", advice));
        }
    }
    found
}

/// Crate source folder to the names of its `mod` list, in order; lib.rs wins over main.rs.
fn mod_lists(files: &[File]) -> BTreeMap<&str, Vec<String>> {
    let mut lists = BTreeMap::new();
    for root in ["main.rs", "lib.rs"] {
        for file in files {
            if let Some((source, inside)) = split_at_src(&file.path)
                && inside == root
            {
                let names = lines(&file.text).iter().filter_map(declared).collect();
                lists.insert(source, names);
            }
        }
    }
    lists
}

fn declared(line: &Line) -> Option<String> {
    let code = line.code.trim().strip_suffix(';')?;
    let (visibility, name) = code.rsplit_once("mod ")?;
    let plain = visibility.is_empty() || visibility.starts_with("pub");
    (plain && name.chars().all(is_name)).then(|| name.to_owned())
}

/// `("bridge/src", "rpc/client.rs")`
fn split_at_src(path: &str) -> Option<(&str, &str)> {
    let at = path.find("/src/")?;
    Some((&path[..at + "/src".len()], &path[at + "/src/".len()..]))
}

/// Line and first segment of every path that starts at the crate's root.
fn crate_paths(lines: &[Line]) -> Vec<(usize, String)> {
    let text: Vec<(usize, char)> = lines
        .iter()
        .enumerate()
        .flat_map(|(index, line)| line.code.chars().chain(['\n']).map(move |c| (index + 1, c)))
        .collect();
    let root: Vec<char> = "crate::".chars().collect();
    let mut found = Vec::new();
    for at in 0..text.len() {
        let here = text[at..].iter().map(|(_, c)| *c);
        let before = at.checked_sub(1).map(|before| text[before].1);
        // `$crate` in a macro is a path of its user.
        let inner = before.is_some_and(|c| is_name(c) || c == '$');
        if !inner && here.take(root.len()).eq(root.iter().copied()) {
            found.extend(segments(&text[at + root.len()..]));
        }
    }
    found
}

/// The names after `crate::`: one, or those directly inside its braces.
fn segments(text: &[(usize, char)]) -> Vec<(usize, String)> {
    let Some((&(line, first), rest)) = text.split_first() else {
        return Vec::new();
    };
    if first != '{' {
        return vec![(line, name_at(text))];
    }
    let (mut depth, mut expecting, mut found) = (1, true, Vec::new());
    for (index, &(line, character)) in rest.iter().enumerate() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => expecting = true,
            _ if expecting && is_name(character) => {
                found.push((line, name_at(&rest[index..])));
                expecting = false;
            }
            _ => {}
        }
    }
    found
}

fn name_at(text: &[(usize, char)]) -> String {
    text.iter()
        .map(|(_, c)| *c)
        .take_while(|c| is_name(*c))
        .collect()
}
