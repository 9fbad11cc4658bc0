//! Lists of handlers in the source: those that are there, and what they lack.
//!
//! A handler that can be named where the application is served is listed there. One that only its
//! module can name is listed by a function of that module, which the list above it calls, so nothing
//! gets more visible than it was.
//!
//! Invariant: a handler is listed once.

use std::collections::BTreeMap;

use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Path, Token};

use super::edit::Edit;
use super::names::{Found, words};
use super::source::{End, FileId, FunctionId, ModuleId, Sources};

/// Letters of names, and of a list with the calls of others, that are written in one line.
const NAMES_WIDTH: usize = 60;
const LINE_WIDTH: usize = 60;

/// The function that lists the handlers of a module.
pub(super) const LIST: &str = "bridge_handlers";

/// A `handlers![…]` in the source.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) function: FunctionId,
    pub(super) handlers: Vec<FunctionId>,
    file: FileId,
    /// Its closing bracket.
    close: usize,
    /// The end of what is in it, if anything is.
    last: Option<usize>,
    has_comma: bool,
}

/// What a list gets.
#[derive(Debug, Default)]
struct List {
    names: Vec<String>,
    /// Modules that list for themselves.
    modules: BTreeMap<ModuleId, String>,
    /// Another crate calls it.
    is_public: bool,
}

/// What all lists get.
pub(super) struct Listing<'s> {
    sources: &'s Sources,
    written: &'s [Written],
    lists: BTreeMap<ModuleId, List>,
}

/// Every list that is there.
pub(super) fn written(sources: &Sources) -> Vec<Written> {
    let mut found = Finder {
        sources,
        function: 0,
        found: Vec::new(),
    };
    for (id, function) in sources.functions.iter().enumerate() {
        found.function = id;
        found.visit_block(&function.block);
    }
    found.found
}

struct Finder<'s> {
    sources: &'s Sources,
    function: FunctionId,
    found: Vec<Written>,
}

impl<'s> Visit<'s> for Finder<'s> {
    fn visit_macro(&mut self, call: &'s syn::Macro) {
        visit::visit_macro(self, call);
        let is_list = call
            .path
            .segments
            .last()
            .is_some_and(|it| it.ident == "handlers");
        let parser = Punctuated::<Path, Token![,]>::parse_terminated;
        let Ok(paths) = call.parse_body_with(parser) else {
            return;
        };
        if !is_list {
            return;
        }
        let function = &self.sources.functions[self.function];
        let resolve = |it: &Path| match self.sources.resolve(function.module, &words(it)) {
            Found::Function(id) => Some(id),
            _ => None,
        };
        let range = |span| self.sources.range(function.file, span);
        self.found.push(Written {
            function: self.function,
            handlers: paths.iter().filter_map(resolve).collect(),
            file: function.file,
            close: range(call.delimiter.span().close()).start,
            last: paths.last().map(|it| range(it.span()).end),
            has_comma: paths.trailing_punct(),
        });
    }
}

impl<'s> Listing<'s> {
    pub(super) fn new(sources: &'s Sources, written: &'s [Written]) -> Self {
        Self {
            sources,
            written,
            lists: BTreeMap::new(),
        }
    }

    /// Lists `functions` in `module`, by way of the modules that can name them. Returns those that
    /// nothing can name from there.
    pub(super) fn add(&mut self, module: ModuleId, functions: &[FunctionId]) -> Vec<FunctionId> {
        let mut lost = Vec::new();
        let mut further = BTreeMap::<ModuleId, Vec<FunctionId>>::new();
        let list = self.lists.entry(module).or_default();
        for id in functions {
            let function = &self.sources.functions[*id];
            if self.sources.names(module, *id) {
                let mut path = self.sources.path_to(module, function.module);
                path.push(function.name.clone());
                list.names.push(path.join("::"));
            } else if let Some(nearest) = self.sources.nearest(module, *id) {
                further.entry(nearest).or_default().push(*id);
            } else {
                lost.push(*id);
            }
        }
        for (nearest, functions) in further {
            let mut path = self.sources.path_to(module, nearest);
            path.push(LIST.to_owned());
            let list = self.lists.entry(module).or_default();
            list.modules.insert(nearest, path.join("::"));
            let below = self.lists.entry(nearest).or_default();
            let root = |it: ModuleId| self.sources.modules[it].root;
            below.is_public |= root(nearest) != root(module);
            lost.extend(self.add(nearest, &functions));
        }
        lost
    }

    /// The edits that make the lists. `site` is where the first of them is used, and `there` the
    /// list that is used there already, if it is no function of ours.
    pub(super) fn edits(&self, site: ModuleId, there: Option<&Written>) -> Vec<(FileId, Edit)> {
        let mut edits = Vec::new();
        for (module, list) in &self.lists {
            let known = self.sources.modules[*module].functions.get(LIST);
            let known = known.and_then(|id| self.written.iter().find(|it| it.function == *id));
            match known.or(there.filter(|_| *module == site)) {
                Some(written) => edits.extend(self.extended(written, list)),
                None => edits.push(self.new_list(*module, list, *module == site)),
            }
        }
        edits
    }

    fn new_list(&self, module: ModuleId, list: &List, is_site: bool) -> (FileId, Edit) {
        let this = &self.sources.modules[module];
        let text = &self.sources.files[this.file].text;
        let End {
            at,
            is_inline,
            is_before,
        } = this.end;
        let line = text[..at].rfind('\n').map_or(0, |it| it + 1);
        let before = &text[line..at];
        let own_line = is_inline && before.trim().is_empty();
        let indent = if own_line {
            format!("{before}    ")
        } else {
            String::new()
        };
        let visibility = match (is_site, list.is_public) {
            (true, _) => "",
            (false, true) => "pub ",
            (false, false) => "pub(crate) ",
        };
        let mut lines = vec![
            "/// The operations that are declared here, for `bridge::declare`.".to_owned(),
            format!(
                "{visibility}fn {LIST}() -> {}::Handlers {{",
                self.facade(module)
            ),
        ];
        lines.extend(
            self.body(module, list)
                .into_iter()
                .map(|it| format!("    {it}")),
        );
        lines.push("}".to_owned());
        let body: String = lines.iter().map(|it| format!("{indent}{it}\n")).collect();
        let edit = if is_before {
            Edit::insert(line, format!("{body}\n"))
        } else if own_line {
            Edit::insert(line, format!("\n{body}"))
        } else if text[..at].ends_with('\n') {
            Edit::insert(at, format!("\n{body}"))
        } else {
            Edit::insert(at, format!("\n\n{body}"))
        };
        (this.file, edit)
    }

    /// The list, as rustfmt would write it.
    fn body(&self, module: ModuleId, list: &List) -> Vec<String> {
        let facade = self.facade(module);
        let names = list.names.join(", ");
        let calls: Vec<String> = list
            .modules
            .values()
            .map(|it| format!(".and({it}())"))
            .collect();
        if names.len() > NAMES_WIDTH {
            let mut lines = vec![format!("{facade}::handlers![")];
            lines.extend(list.names.iter().map(|it| format!("    {it},")));
            lines.push("]".to_owned());
            lines.extend(calls);
            return lines;
        }
        let line = format!("{facade}::handlers![{names}]");
        match &calls[..] {
            [] => vec![line],
            [only] if line.len() + only.len() <= LINE_WIDTH => vec![format!("{line}{only}")],
            _ => {
                let calls = calls.iter().map(|it| format!("    {it}"));
                std::iter::once(line).chain(calls).collect()
            }
        }
    }

    /// A list that is there, with more in it.
    fn extended(&self, written: &Written, list: &List) -> Vec<(FileId, Edit)> {
        let text = &self.sources.files[written.file].text;
        let close = written.close;
        let line = text[..close].rfind('\n').map_or(0, |it| it + 1);
        let indent = &text[line..close];
        let mut edits = Vec::new();
        let known = &self.sources.functions[written.function];
        let body = &text[known.range.clone()];
        if !list.names.is_empty() {
            let comma = written.last.filter(|_| !written.has_comma);
            if indent.trim().is_empty() {
                edits.extend(comma.map(|at| Edit::insert(at, ",")));
                let more = list.names.iter();
                let more: String = more.map(|it| format!("{indent}    {it},\n")).collect();
                edits.push(Edit::insert(line, more));
            } else {
                let lead = match (written.last, written.has_comma) {
                    (None, _) => "",
                    (Some(_), true) => " ",
                    (Some(_), false) => ", ",
                };
                let more = list.names.join(", ");
                edits.push(Edit::insert(close, format!("{lead}{more}")));
            }
        }
        let calls = list.modules.values().map(|it| format!(".and({it}())"));
        let calls: String = calls.filter(|it| !body.contains(it.as_str())).collect();
        if !calls.is_empty() {
            edits.push(Edit::insert(close + 1, calls));
        }
        edits.into_iter().map(|it| (written.file, it)).collect()
    }

    /// `bridge` as `module` can name it.
    fn facade(&self, module: ModuleId) -> &'static str {
        facade(self.sources, module)
    }
}

/// `bridge` as `module` can name it: a module of that name would be in the way.
pub(super) fn facade(sources: &Sources, module: ModuleId) -> &'static str {
    let this = &sources.modules[module];
    let is_taken = this.children.contains_key("bridge")
        || this
            .uses
            .get("bridge")
            .is_some_and(|it| it.first().is_none_or(|it| it != "bridge"));
    if is_taken { "::bridge" } else { "bridge" }
}
