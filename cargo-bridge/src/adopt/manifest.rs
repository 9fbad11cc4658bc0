//! The dependency on `bridge` in a `Cargo.toml`, as one line more.
//!
//! The file stays as it is otherwise: no re-printing, no re-ordering. What was made is read again,
//! and refused if the line is not where it should be.

use std::path::Path;

use super::edit::{Edit, applied};

/// A dependency on the package in a folder.
pub(super) fn from_folder(folder: &Path) -> String {
    format!("{{ path = {:?} }}", folder.display().to_string())
}

/// The dependency that the manifest of a workspace has for its packages, if it has it.
pub(super) fn inherited(text: &str) -> Option<String> {
    let table = text.parse::<toml::Table>().ok()?;
    table.get("workspace")?.get("dependencies")?.get("bridge")?;
    Some("{ workspace = true }".to_owned())
}

/// Whether a manifest depends on `bridge`.
pub(super) fn has_it(text: &str) -> Result<bool, String> {
    let table = text.parse::<toml::Table>();
    let table = table.map_err(|error| error.to_string().trim_end().to_owned())?;
    let dependencies = table.get("dependencies");
    Ok(dependencies.is_some_and(|it| it.get("bridge").is_some()))
}

/// The edit that adds `bridge = requirement` to a manifest that does not have it; an error if no
/// place for it was found.
pub(super) fn edit(text: &str, requirement: &str) -> Result<Edit, String> {
    let line = format!("bridge = {requirement}\n");
    let edit = match table(text) {
        Some(at) => Edit::insert(at, line),
        None => {
            let gap = if text.ends_with('\n') { "\n" } else { "\n\n" };
            Edit::insert(text.len(), format!("{gap}[dependencies]\n{line}"))
        }
    };
    let made = applied(text, std::slice::from_ref(&edit));
    match has_it(&made) {
        Ok(true) => Ok(edit),
        _ => Err(
            "add `bridge` to its dependencies by hand: no place for the line was found".to_owned(),
        ),
    }
}

/// Where in `[dependencies]` the line goes: before the first key that sorts behind it, if keys are
/// sorted, else below the header.
fn table(text: &str) -> Option<usize> {
    let mut at = 0;
    let mut below = None;
    let mut keys: Vec<(&str, usize)> = Vec::new();
    let mut depth = 0_usize;
    let (mut end, mut lead) = (None, None);
    for line in text.split_inclusive('\n') {
        let here = at;
        at += line.len();
        let words = line.trim();
        if depth == 0 && words.starts_with('[') {
            if below.is_some() {
                break;
            }
            let name = words.split('#').next().unwrap_or_default().trim();
            below = (name == "[dependencies]" && line.ends_with('\n')).then_some(at);
            end = below;
            continue;
        }
        if below.is_none() {
            continue;
        }
        if words.starts_with('#') {
            // A comment belongs to the key that it stands above.
            lead = lead.or(Some(here));
            continue;
        }
        if depth == 0
            && let Some((key, _)) = words.split_once('=')
        {
            keys.push((key.trim(), lead.unwrap_or(here)));
        }
        lead = None;
        let count = |letters: [char; 2]| words.matches(letters).count();
        depth = (depth + count(['[', '{'])).saturating_sub(count([']', '}']));
        if !words.is_empty() && line.ends_with('\n') {
            end = Some(at);
        }
    }
    if !keys.is_sorted_by_key(|(key, _)| *key) {
        return below;
    }
    let behind = keys.iter().find(|(key, _)| *key > "bridge");
    behind.map(|(_, at)| *at).or(end)
}

/// The manifest of a copy: a relative path that leads out of `root` is written whole.
pub(super) fn with_whole_paths(text: &str, folder: &Path, root: &Path) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("path") {
        let (before, after) = rest.split_at(at + "path".len());
        made.push_str(before);
        rest = after;
        let value = after.trim_start().strip_prefix('=').map(str::trim_start);
        let Some(value) = value.filter(|it| it.starts_with(['"', '\''])) else {
            continue;
        };
        let (quote, value) = value.split_at(1);
        let Some(path) = value.split_once(quote).map(|(path, _)| path) else {
            continue;
        };
        let whole = folder.join(path).canonicalize().ok();
        if let Some(whole) = whole.filter(|it| !it.starts_with(root)) {
            made.push_str(&format!(" = {:?}", whole.display().to_string()));
            rest = &value[path.len() + quote.len()..];
        }
    }
    made.push_str(rest);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_added_where_a_person_would_add_it() {
        let head = "[package]\nname = \"a\"\n";
        for (before, after) in [
            (
                "\n[dependencies]\naxum = \"0.8\"\ntokio = { version = \"1\", features = [\n  \"net\",\n] }\n\n[lints]\n",
                "\n[dependencies]\naxum = \"0.8\"\nbridge = \"1\"\ntokio = { version = \"1\", features = [\n  \"net\",\n] }\n\n[lints]\n",
            ),
            (
                "\n[dependencies]\ntokio = \"1\"\naxum = \"0.8\"\n",
                "\n[dependencies]\nbridge = \"1\"\ntokio = \"1\"\naxum = \"0.8\"\n",
            ),
            (
                "\n[dependencies]\naxum = \"0.8\"\n\n[features]\nx = []\n",
                "\n[dependencies]\naxum = \"0.8\"\nbridge = \"1\"\n\n[features]\nx = []\n",
            ),
            (
                "\n[dependencies]\naxum = \"0.8\"\n# why\nserde = \"1\"\n",
                "\n[dependencies]\naxum = \"0.8\"\nbridge = \"1\"\n# why\nserde = \"1\"\n",
            ),
            ("", "\n[dependencies]\nbridge = \"1\"\n"),
            (
                "\n[dependencies.axum]\nversion = \"0.8\"\n",
                "\n[dependencies.axum]\nversion = \"0.8\"\n\n[dependencies]\nbridge = \"1\"\n",
            ),
        ] {
            let text = format!("{head}{before}");
            let edit = edit(&text, "\"1\"").unwrap();
            assert_eq!(applied(&text, &[edit]), format!("{head}{after}"));
        }
        let there = "[dependencies]\nbridge = { path = \"x\" }\n";
        assert_eq!(has_it(there), Ok(true));
    }

    #[test]
    fn only_paths_that_lead_out_are_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for inner in ["shop/src", "shop/api", "other"] {
            std::fs::create_dir_all(root.join(inner)).unwrap();
        }
        let text = "[lib]\npath = \"src\"\n[dependencies]\nother = { path='../other' }\napi.path = \"api\"\n";
        let other = root.join("other");
        let expected = text.replace("='../other'", &format!(" = {other:?}"));
        let shop = root.join("shop");
        assert_eq!(with_whole_paths(text, &shop, &shop), expected);
    }
}
