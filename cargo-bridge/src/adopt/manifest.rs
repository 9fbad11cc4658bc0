//! The dependency on `bridge` in a `Cargo.toml`, as one line more.
//!
//! The file stays as it is otherwise: no re-printing, no re-ordering. What was made is read again,
//! and refused if the line is not where it should be.

use std::path::{Component, Path, PathBuf};

use super::edit::{Edit, applied};

/// A dependency on the package in a folder, with what annotated handlers need and no more.
pub(super) fn from_folder(folder: &Path) -> String {
    format!(
        "{{ path = {:?}, default-features = false }}",
        folder.display().to_string()
    )
}

/// The dependency that the manifest of a workspace has for its packages, if it has it. Its features are
/// the workspace's: Cargo lets no member take default ones away.
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
        let Some(value) = assigned(after).filter(|it| it.starts_with(['"', '\''])) else {
            continue;
        };
        let (quote, value) = value.split_at(1);
        let Some(path) = value.split_once(quote).map(|(path, _)| path) else {
            continue;
        };
        let outer = Some(folder.join(path)).filter(|it| !is_inside(it, root));
        if let Some(whole) = outer.and_then(|it| it.canonicalize().ok()) {
            made.push_str(&format!(" = {:?}", whole.display().to_string()));
            rest = &value[path.len() + quote.len()..];
        }
    }
    made.push_str(rest);
    made
}

/// What comes after the `=` that follows a key.
fn assigned(after: &str) -> Option<&str> {
    after.trim_start().strip_prefix('=').map(str::trim_start)
}

/// Whether a path is below `root` as it is written, which is how Cargo reads paths: where a link in
/// the workspace leads is no matter.
fn is_inside(path: &Path, root: &Path) -> bool {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain.starts_with(root)
}

/// The manifest of a copy: members of the workspace that are outside of `root` are none of the copy.
pub(super) fn without_outer_members(text: &str, folder: &Path, root: &Path) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("members") {
        let (before, after) = rest.split_at(at + "members".len());
        made.push_str(before);
        rest = after;
        let Some(list) = assigned(after).filter(|it| it.starts_with('[')) else {
            continue;
        };
        let Some(end) = list.find(']').map(|it| it + 1) else {
            continue;
        };
        let Some(all) = strings(&list[..end]) else {
            continue;
        };
        let inner = all.iter().filter(|it| is_inside(&folder.join(it), root));
        let inner: Vec<String> = inner.map(|it| format!("{it:?}")).collect();
        made.push_str(&format!(" = [{}]", inner.join(", ")));
        rest = &list[end..];
    }
    made.push_str(rest);
    made
}

/// The texts in a list of TOML.
fn strings(list: &str) -> Option<Vec<String>> {
    let table = format!("list = {list}").parse::<toml::Table>().ok()?;
    let all = table.get("list")?.as_array()?.iter();
    all.map(|it| it.as_str().map(str::to_owned)).collect()
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

    #[test]
    fn members_outside_of_the_workspace_are_none_of_its_copy() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for inner in ["shop/api", "other"] {
            std::fs::create_dir_all(root.join(inner)).unwrap();
        }
        let text = "[workspace]\nmembers = [\n  'api', # it, and\n  \"../other\",\n  \"../othe?/*\",\n]\n\
                    default-members = [\"api\", \"../shop/api\"]\n";
        let shop = root.join("shop");
        assert_eq!(
            without_outer_members(text, &shop, &shop),
            "[workspace]\nmembers = [\"api\"]\ndefault-members = [\"api\", \"../shop/api\"]\n"
        );
    }
}
