//! The map as text that other programs make pictures of: Mermaid and Graphviz.

use std::fmt::Write as _;

use super::words;
use crate::operator::model::{Link, LiveMap};

/// Methods named on an arrow; more are a number.
const NAMED_MAX: usize = 3;

/// A Mermaid flowchart of services and their calls.
pub fn mermaid(map: &LiveMap) -> String {
    let mut text = String::from("flowchart LR\n");
    let names = names(map);
    let id = |name: &str| format!("s{}", names.iter().position(|it| *it == name).unwrap_or(0));
    for name in &names {
        let known = map.services.iter().find(|it| it.service.name == **name);
        let label = match (known, name.is_empty()) {
            (Some(it), _) => format!("{}<br/>{} live", plain(name), it.service.instances.len()),
            (None, true) => "callers outside".to_owned(),
            (None, false) => format!("{}<br/>not registered", plain(name)),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    {}[\"{label}\"]", id(name));
    }
    for link in &map.links {
        let arrow = if is_solid(link) { "-->" } else { "-.->" };
        let lines: Vec<_> = label(link).iter().map(|it| plain(it)).collect();
        let label = lines.join("<br/>");
        let (from, to) = (id(&link.from), id(&link.to));
        let _ = writeln!(text, "    {from} {arrow}|\"{label}\"| {to}");
    }
    text.trim_end().to_owned()
}

/// A Graphviz digraph of services and their calls.
pub fn dot(map: &LiveMap) -> String {
    let escape = |text: &str| {
        let text = words::visible(text).replace('\\', "\\\\");
        text.replace('"', "\\\"")
    };
    let quote = |text: &str| format!("\"{}\"", escape(text));
    let mut text = String::from("digraph services {\n    rankdir=LR;\n    node [shape=box];\n");
    for name in names(map) {
        let known = map.services.iter().find(|it| it.service.name == *name);
        let label = match (known, name.is_empty()) {
            (Some(it), _) => format!("{name} ({} live)", it.service.instances.len()),
            (None, true) => "callers outside".to_owned(),
            (None, false) => format!("{name} (not registered)"),
        };
        let _ = writeln!(text, "    {} [label={}];", quote(name), quote(&label));
    }
    for link in &map.links {
        let style = if is_solid(link) { "" } else { ", style=dashed" };
        let lines: Vec<_> = label(link).iter().map(|it| escape(it)).collect();
        let label = lines.join("\\n");
        let (from, to) = (quote(&link.from), quote(&link.to));
        let _ = writeln!(text, "    {from} -> {to} [label=\"{label}\"{style}];");
    }
    text.push('}');
    text
}

/// Everybody: the services by name, then who is only named.
fn names(map: &LiveMap) -> Vec<&str> {
    let mut names: Vec<&str> = map.services.iter().map(|it| &*it.service.name).collect();
    let ends = map.links.iter().flat_map(|it| [&*it.from, &*it.to]);
    let mut others: Vec<&str> = ends.filter(|it| !names.contains(it)).collect();
    others.sort_unstable();
    others.dedup();
    names.extend(others);
    names
}

/// Dashed is what nobody serves and nobody calls.
fn is_solid(link: &Link) -> bool {
    link.live || link.load.is_some()
}

/// The methods, and what went on.
fn label(link: &Link) -> Vec<String> {
    let bare = |it: &String| {
        it.split_once(' ')
            .map_or(it.clone(), |(_, name)| name.to_owned())
    };
    let mut methods: Vec<_> = link.methods.iter().take(NAMED_MAX).map(bare).collect();
    if let Some(more @ 1..) = link.methods.len().checked_sub(NAMED_MAX) {
        methods.push(format!("{more} more"));
    }
    let load = link.load.as_ref().map(words::load);
    std::iter::once(methods.join(", ")).chain(load).collect()
}

/// Mermaid's text has no escape for some letters, and entities for the rest.
fn plain(text: &str) -> String {
    let text = words::visible(text).replace('&', "&amp;").replace('"', "'");
    text.replace('<', "&lt;").replace('>', "&gt;")
}
