//! The file that includes all others, as the module tree in which they find each other.
//!
//! Its name is `mod.rs`; no package can take it, because `mod` is a keyword and its file would be
//! named after the package anyway.
//!
//! Invariant: every rendered package appears once.

use std::collections::BTreeMap;

use crate::model::Model;
use crate::names;

#[derive(Default)]
struct Node<'m> {
    package: Option<&'m str>,
    children: BTreeMap<String, Node<'m>>,
}

pub(super) fn render(model: &Model) -> String {
    let mut root = Node::default();
    for package in model.packages.keys() {
        let mut node = &mut root;
        for module in names::modules(package) {
            node = node.children.entry(module).or_default();
        }
        node.package = Some(package);
    }
    let mut text = super::header::of_tree();
    write(&mut text, &root, "");
    text
}

fn write(text: &mut String, node: &Node<'_>, indent: &str) {
    if let Some(package) = node.package {
        let file = super::file_name(package);
        text.push_str(&format!("{indent}include!(\"{file}\");\n"));
    }
    for (module, child) in &node.children {
        if indent.is_empty() {
            text.push_str(&format!("#[allow({})]\n", super::text::QUIET));
        }
        text.push_str(&format!("{indent}pub mod {module} {{\n"));
        write(text, child, &format!("{indent}    "));
        text.push_str(&format!("{indent}}}\n"));
    }
}
