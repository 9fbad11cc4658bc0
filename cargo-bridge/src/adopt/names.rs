//! What a path in the source stands for, and how one thing is named from another place.
//!
//! Follows modules, `use`, globs and the libraries of the workspace; what leads out of the workspace
//! is told by its path. Types are not known: a method is found by its name alone.
//!
//! Invariant: a name that is given for a place can be seen from there.

use super::source::{FunctionId, ModuleId, Seen, Sources};

/// Steps that following one path may take.
const STEPS_MAX: usize = 24;

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Function(FunctionId),
    Module(ModuleId),
    Text(String),
    /// Outside of the workspace, or unknown.
    Outside(Vec<String>),
}

/// The path as written.
pub(super) fn words(path: &syn::Path) -> Vec<String> {
    let mut words: Vec<String> = path
        .segments
        .iter()
        .map(|it| it.ident.to_string())
        .collect();
    if path.leading_colon.is_some() {
        words.insert(0, String::new());
    }
    words
}

impl Sources {
    /// What `path` stands for in `module`.
    pub(super) fn resolve(&self, module: ModuleId, path: &[String]) -> Found {
        let unknown = || Found::Outside(path.iter().filter(|it| !it.is_empty()).cloned().collect());
        self.follow(module, path, STEPS_MAX).unwrap_or_else(unknown)
    }

    fn follow(&self, module: ModuleId, path: &[String], steps: usize) -> Option<Found> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        let this = &self.modules[module];
        match first.as_str() {
            "crate" | "$crate" => return self.inside(this.root, rest, steps),
            "self" => return self.inside(module, rest, steps),
            "super" => return self.follow_up(this.parent?, rest, steps),
            "" => {
                let (library, rest) = rest.split_first()?;
                return self.inside(*self.libraries.get(library)?, rest, steps);
            }
            _ => {}
        }
        let local = self.inside(module, path, steps);
        if local.is_some() {
            return local;
        }
        let library = self.libraries.get(first)?;
        self.inside(*library, rest, steps)
    }

    /// After `super`, another `super` may follow.
    fn follow_up(&self, module: ModuleId, path: &[String], steps: usize) -> Option<Found> {
        match path.first().map(String::as_str) {
            Some("super") => self.follow(module, path, steps),
            _ => self.inside(module, path, steps),
        }
    }

    /// `path` as it is seen when it starts in `module`.
    fn inside(&self, module: ModuleId, path: &[String], steps: usize) -> Option<Found> {
        let steps = steps.checked_sub(1)?;
        let this = &self.modules[module];
        let Some((first, rest)) = path.split_first() else {
            return Some(Found::Module(module));
        };
        if rest.is_empty() {
            if let Some(function) = this.functions.get(first) {
                return Some(Found::Function(*function));
            }
            if let Some(text) = this.texts.get(first) {
                return Some(Found::Text(text.clone()));
            }
        }
        // A function may have the name of a module: `use axum::routing::get; mod get;`.
        let is_used = rest.is_empty() && this.uses.contains_key(first);
        if let Some(child) = this.children.get(first).filter(|_| !is_used) {
            let found = self.inside(*child, rest, steps);
            if found.is_some() {
                return found;
            }
        }
        if let Some(used) = this.uses.get(first) {
            let whole: Vec<String> = used.iter().chain(rest).cloned().collect();
            // `use name::name`: the first word is another `name`, which is outside.
            if used.first() != Some(first) || self.libraries.contains_key(first) {
                let found = self.follow(module, &whole, steps);
                if found.is_some() {
                    return found;
                }
            }
            return Some(Found::Outside(whole));
        }
        this.globs.iter().find_map(|glob| {
            let whole: Vec<String> = glob.iter().chain(path).cloned().collect();
            match self.follow(module, glob, steps) {
                Some(Found::Module(other)) if other != module => self.inside(other, path, steps),
                // Only what is looked for here is worth guessing.
                None if glob.last().is_some_and(|it| it == "routing") => {
                    Some(Found::Outside(whole))
                }
                _ => None,
            }
        })
    }

    /// The modules from the root of its crate to `module`.
    fn trail(&self, module: ModuleId) -> Vec<ModuleId> {
        let mut trail = vec![module];
        while let Some(parent) = self.modules[trail[trail.len() - 1]].parent {
            trail.push(parent);
        }
        trail.reverse();
        trail
    }

    fn can_see(&self, from: ModuleId, seen: Seen) -> bool {
        match seen {
            Seen::Everywhere => true,
            Seen::Within(module) => self.trail(from).contains(&module),
        }
    }

    /// Whether every module down to `module` can be named from `from`.
    fn reaches(&self, from: ModuleId, module: ModuleId) -> bool {
        let trail = self.trail(module);
        let mut below_root = trail.iter().skip(1);
        below_root.all(|it| self.can_see(from, self.modules[*it].seen_in))
    }

    /// Whether `function` can be named from `from`.
    pub(super) fn names(&self, from: ModuleId, function: FunctionId) -> bool {
        let function = &self.functions[function];
        self.can_see(from, function.seen_in) && self.reaches(from, function.module)
    }

    /// The module nearest to `function` that can be named from `from`; something has to be added to
    /// it when the function cannot.
    pub(super) fn nearest(&self, from: ModuleId, function: FunctionId) -> Option<ModuleId> {
        let trail = self.trail(self.functions[function].module);
        let mut near = trail.into_iter().rev();
        near.find(|it| *it != from && self.reaches(from, *it))
    }

    /// `module` as it is written in `from`; empty for itself.
    pub(super) fn path_to(&self, from: ModuleId, module: ModuleId) -> Vec<String> {
        let name = |it: &ModuleId| self.modules[*it].name.clone();
        let (here, there) = (self.trail(from), self.trail(module));
        if here[0] != there[0] {
            return there.iter().map(name).collect();
        }
        if there.starts_with(&here) {
            return there[here.len()..].iter().map(name).collect();
        }
        let below_root = there.iter().skip(1).map(name);
        std::iter::once("crate".to_owned())
            .chain(below_root)
            .collect()
    }
}
