//! The patch: annotations, lists, the line where the application is served, the dependency.
//!
//! Decides which handlers can be annotated by what the source says; what only the compiler knows is
//! found out later, and the handler is left out then.
//!
//! Invariant: what is not edited stays as it was, and a second run has nothing to add.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::annotation::{is_annotated, operations, own_name};
use super::edit::{self, Edit};
use super::join::{Proposal, Route};
use super::listing::{self, Listing, Written};
use super::manifest;
use super::serve::{Form, Site};
use super::source::{FunctionId, Sources};
use super::workspace::Workspace;

const OUTSIDE: &str = "is in a file outside of the folder of the workspace, or behind a link, and only \
                       what is in the workspace's own folders is changed";

/// What patches are made of.
pub(super) struct Ground<'s> {
    pub(super) workspace: &'s Workspace,
    pub(super) sources: &'s Sources,
    pub(super) written: &'s [Written],
    /// Where the application is served; the same at each.
    pub(super) sites: &'s [Site],
}

/// How `bridge` is found, by the folder of the package that depends on it.
pub(super) type Requirement<'r> = &'r dyn Fn(&Path) -> Result<String, String>;

/// Edits by file.
#[derive(Debug, Default)]
pub(super) struct Patch {
    pub(super) edits: BTreeMap<PathBuf, Vec<Edit>>,
}

impl Patch {
    fn add(&mut self, path: &Path, edit: Edit) {
        let edits = self.edits.entry(path.to_path_buf()).or_default();
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }
}

impl Ground<'_> {
    /// Why a handler cannot be annotated, if the source says so.
    pub(super) fn refusal(&self, id: FunctionId) -> Option<String> {
        let function = &self.sources.functions[id];
        let module = &self.sources.modules[function.module];
        if function.is_conditional {
            return Some(
                "is there under a condition (`#[cfg]`) only, and a list is not".to_owned(),
            );
        }
        let is_listed = self.written.iter().any(|it| it.handlers.contains(&id));
        let is_done = is_listed && is_annotated(self.sources, id);
        let path = &self.sources.files[function.file].path;
        if !is_done && !self.workspace.holds(path) {
            return Some(OUTSIDE.to_owned());
        }
        if module.children.contains_key(&function.name) {
            let name = &function.name;
            return Some(format!(
                "a module is called `{name}` too, and the annotation makes a type of that name"
            ));
        }
        let site = &self.sources.modules[self.sites.first()?.module];
        let is_elsewhere = module.root != site.root;
        let library = &self.sources.modules[module.root].name;
        let is_library = self.sources.libraries.get(library) == Some(&module.root);
        if is_elsewhere && !is_library {
            return Some("is in the program, and the library serves it".to_owned());
        }
        let serving = &self.workspace.packages[site.package];
        let is_own = module.package == site.package;
        if is_elsewhere && !is_own && !serving.may_name(library) {
            let name = &serving.name;
            return Some(format!(
                "is in `{library}`, on which `{name}`, which serves it, does not depend"
            ));
        }
        None
    }

    /// The patch for these handlers; those that nothing can name are returned, too.
    pub(super) fn patch(
        &self,
        proposals: &[Proposal],
        requirement: Requirement<'_>,
    ) -> Result<(Patch, Vec<FunctionId>), String> {
        let mut patch = Patch::default();
        let Some(site) = self.sites.first() else {
            return Ok((patch, Vec::new()));
        };
        let listed: BTreeSet<_> = self.written.iter().flat_map(|it| &it.handlers).collect();
        let missing = proposals.iter().map(|it| it.function);
        let missing: Vec<_> = missing.filter(|it| !listed.contains(it)).collect();
        let mut listing = Listing::new(self.sources, self.written);
        let lost = listing.add(site.module, &missing);
        let named = proposals.iter().filter(|it| !lost.contains(&it.function));
        let names = operations(self.sources, named.clone().map(|it| it.function));
        for proposal in named {
            let name = &names[&proposal.function];
            self.annotate(&mut patch, proposal.function, (&proposal.route, name));
        }
        if missing.len() > lost.len() {
            for (file, edit) in listing.edits(site.module, self.list_there(site)?) {
                patch.add(&self.sources.files[file].path, edit);
            }
            self.declare(&mut patch);
        }
        self.depend(&mut patch, requirement)?;
        Ok((patch, lost))
    }

    /// The patch that declares nothing of the application, so that it can say what it mounts.
    pub(super) fn observing(&self, requirement: Requirement<'_>) -> Result<Patch, String> {
        let mut patch = Patch::default();
        for site in self.sites {
            let path = &self.sources.files[site.file].path;
            let facade = listing::facade(self.sources, site.module);
            let none = format!(", &{facade}::Handlers::default())");
            match &site.form {
                Form::Plain => {
                    let open = format!("{facade}::declare(");
                    patch.add(path, Edit::insert(site.router.start, open));
                    patch.add(path, Edit::insert(site.router.end, none));
                }
                Form::Observed { .. } => self.redeclared(&mut patch, site, &none[..none.len() - 1]),
                Form::Declared { .. } | Form::ByBridge => {}
            }
        }
        self.depend(&mut patch, requirement)?;
        Ok(patch)
    }

    fn annotate(&self, patch: &mut Patch, id: FunctionId, (route, name): (&Route, &str)) {
        let function = &self.sources.functions[id];
        if is_annotated(self.sources, id) {
            return;
        }
        let file = &self.sources.files[function.file];
        let at = function.attribute_at;
        let line = file.text[..at].rfind('\n').map_or(0, |it| it + 1);
        let before = &file.text[line..at];
        let facade = listing::facade(self.sources, function.module);
        let verb = route.verb.to_lowercase();
        let name = match name == own_name(self.sources, id) {
            true => String::new(),
            false => format!(", name = {name:?}"),
        };
        let text = format!("#[{facade}::rpc({verb}, {:?}{name})]", route.path);
        let is_alone = before.trim().is_empty();
        let edit = if is_alone {
            Edit::insert(line, format!("{before}{text}\n"))
        } else {
            Edit::insert(at, format!("{text} "))
        };
        patch.add(&file.path, edit);
    }

    /// The list that a site uses already, where that is no function of ours.
    fn list_there(&self, site: &Site) -> Result<Option<&Written>, String> {
        if matches!(site.form, Form::Plain | Form::Observed { .. }) {
            return Ok(None);
        }
        let file = &self.sources.files[site.file];
        if let Form::Declared { handlers } = &site.form
            && file.text[handlers.clone()].contains(listing::LIST)
        {
            return Ok(None);
        }
        let holds = |it: &&Written| {
            let function = &self.sources.functions[it.function];
            function.file == site.file && function.range.contains(&site.router.start)
        };
        let mut all = self.written.iter().filter(holds);
        match (all.next(), all.next()) {
            (Some(only), None) => Ok(Some(only)),
            _ => Err(format!(
                "{}:{}: the application is served with handlers that are not listed there: list \
                 them as `bridge::handlers![…]` in the function that serves",
                self.workspace.shown(&file.path),
                self.sources.line(site.file, site.router.start)
            )),
        }
    }

    fn declare(&self, patch: &mut Patch) {
        for site in self.sites {
            let path = &self.sources.files[site.file].path;
            let facade = listing::facade(self.sources, site.module);
            let list = format!(", &{}()", listing::LIST);
            match &site.form {
                Form::Plain => {
                    let open = format!("{facade}::declare(");
                    patch.add(path, Edit::insert(site.router.start, open));
                    patch.add(path, Edit::insert(site.router.end, format!("{list})")));
                }
                Form::Observed { .. } => self.redeclared(patch, site, &list),
                Form::Declared { .. } | Form::ByBridge => {}
            }
        }
    }

    /// `bridge::observe(app)` becomes `bridge::declare(app, …)`.
    fn redeclared(&self, patch: &mut Patch, site: &Site, list: &str) {
        let Form::Observed { callee, close } = &site.form else {
            return;
        };
        let path = &self.sources.files[site.file].path;
        let text = format!("{}::declare", listing::facade(self.sources, site.module));
        let range = callee.clone();
        patch.add(path, Edit { range, text });
        patch.add(path, Edit::insert(*close, list));
    }

    /// Every package whose source names `bridge` now depends on it.
    fn depend(&self, patch: &mut Patch, requirement: Requirement<'_>) -> Result<(), String> {
        let mut packages = BTreeSet::new();
        for module in &self.sources.modules {
            if patch
                .edits
                .contains_key(&self.sources.files[module.file].path)
            {
                packages.insert(module.package);
            }
        }
        for package in packages {
            let package = &self.workspace.packages[package];
            let shown = self.workspace.shown(&package.manifest);
            let text = std::fs::read_to_string(&package.manifest)
                .map_err(|error| format!("{shown}: cannot read ({error})"))?;
            let edit = match manifest::has_it(&text) {
                Ok(true) => Ok(None),
                Ok(false) => requirement(package.folder())
                    .and_then(|requirement| manifest::edit(&text, &requirement).map(Some)),
                Err(error) => Err(error),
            };
            let edit = edit.map_err(|error| format!("{shown}: {error}"))?;
            if let Some(edit) = edit {
                patch.add(&package.manifest, edit);
            }
        }
        Ok(())
    }

    /// The lines of a handler in the patched file, its annotation included.
    pub(super) fn lines(&self, patch: &Patch, id: FunctionId) -> (PathBuf, std::ops::Range<usize>) {
        let function = &self.sources.functions[id];
        let file = &self.sources.files[function.file];
        let none = Vec::new();
        let edits = patch.edits.get(&file.path).unwrap_or(&none);
        let text = edit::applied(&file.text, edits);
        let line = |at: usize| text[..at].bytes().filter(|it| *it == b'\n').count() + 1;
        let before = edits
            .iter()
            .filter(|it| it.range.start < function.range.start);
        let before: Vec<Edit> = before.cloned().collect();
        let start = line(edit::moved(&file.text, &before, function.range.start).min(text.len()));
        let end = edit::moved(&file.text, edits, function.range.end.saturating_sub(1));
        let end = line(end.min(text.len()));
        // The annotation may stand on the line before.
        (file.path.clone(), start.saturating_sub(1)..end + 1)
    }
}
