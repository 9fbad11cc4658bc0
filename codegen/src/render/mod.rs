//! From the model to the text of files: one for each package, and the tree of all.
//!
//! Text is written as it is read: no syntax tree in between, so a build script needs neither a
//! parser nor a printer of Rust.
//!
//! Invariant: the text depends on the contracts and the generator's version, never on the machine
//! or the time.

mod text;

mod docs;
mod paths;

mod oneofs;
mod enums;
mod fields;
mod messages;

mod forms;
mod server;
mod services;

mod header;
mod tree;

use crate::model::{Model, Package};
use paths::Scope;
use services::Pair;
use text::Text;

pub(crate) use docs::plain;
pub(crate) use header::{Origin, is_generated, origin};

/// A generated file.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Renders every package, then the tree; with sums, where somebody may edit what is kept.
pub(crate) fn render(model: &Model, with_sums: bool) -> Vec<Rendered> {
    let answered = services::answered_by(model);
    let mut files = Vec::new();
    for (name, package) in &model.packages {
        let pairs = answered.get(name.as_str()).map(Vec::as_slice);
        let pairs = pairs.unwrap_or_default();
        let others = header::others(model, name, package, pairs);
        let scope = Scope::of_package(model, name, package, &others);
        let body = package_text(model, &scope, package, pairs);
        let mut text = header::of_package(package, &others);
        if with_sums {
            text.push_str(&header::sum(&body));
        }
        text.push('\n');
        text.push_str(&body);
        files.push(Rendered {
            name: file_name(name),
            text,
        });
    }
    files.push(Rendered {
        name: "mod.rs".to_owned(),
        text: tree::render(model),
    });
    files
}

/// The file of a package: its name and `.rs`, or `_.rs` without one.
fn file_name(package: &str) -> String {
    format!("{}.rs", if package.is_empty() { "_" } else { package })
}

fn package_text(model: &Model, scope: &Scope<'_>, package: &Package, pairs: &[Pair<'_>]) -> String {
    let mut text = Text::default();
    for line in scope.uses() {
        text.line("");
        text.line("#[allow(unused_imports)]");
        text.line(line);
    }
    for message in package
        .messages
        .iter()
        .filter_map(|it| model.messages.get(it))
    {
        text.line("");
        messages::render(&mut text, scope, message);
    }
    for found in package.enums.iter().filter_map(|it| model.enums.get(it)) {
        text.line("");
        enums::render(&mut text, found);
    }
    for service in &package.services {
        text.line("");
        services::render(&mut text, scope, service);
    }
    for pair in pairs {
        text.line("");
        services::render_pair(&mut text, scope, pair);
    }
    text.into_string()
}
