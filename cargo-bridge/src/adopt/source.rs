//! The source of the crates: files, modules, functions, and where in the text they are.
//!
//! Follows `mod` items from each crate's root. What a macro makes is not seen. Tests are left out:
//! nobody adopts a test's router.
//!
//! Invariant: every offset is a byte offset into the file's text as it is on the disk.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{AttrStyle, Attribute, Block, ImplItem, Item, TraitItem, UseTree, Visibility};

use crate::failure::Failure;

use super::head::Head;
use super::syntax::{
    flatten, is_conditional, is_test, is_test_module, prelude, text_of, typed_path,
};

/// Files that are read at most.
const FILES_MAX: usize = 20_000;
/// Bytes of a file that is read at most.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// Names of things in [`Sources`].
pub(super) type FileId = usize;
pub(super) type ModuleId = usize;
pub(super) type FunctionId = usize;

/// All that was read.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) files: Vec<File>,
    pub(super) modules: Vec<Module>,
    pub(super) functions: Vec<Function>,
    /// Root modules of libraries, by the name that code calls them.
    pub(super) libraries: HashMap<String, ModuleId>,
    /// Files that could not be understood, and why.
    pub(super) unread: Vec<String>,
}

/// A file.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// What comes before the first byte that the parser saw.
    shift: usize,
}

/// A module.
pub(super) struct Module {
    pub(super) name: String,
    pub(super) parent: Option<ModuleId>,
    /// The root of its crate.
    pub(super) root: ModuleId,
    /// Which package of the workspace it belongs to.
    pub(super) package: usize,
    pub(super) seen_in: Seen,
    pub(super) file: FileId,
    /// Where a function can be added.
    pub(super) end: End,
    pub(super) children: HashMap<String, ModuleId>,
    pub(super) functions: HashMap<String, FunctionId>,
    pub(super) texts: HashMap<String, String>,
    pub(super) uses: HashMap<String, Vec<String>>,
    pub(super) globs: Vec<Vec<String>>,
    /// Functions inside of its functions.
    pub(super) inner: HashSet<String>,
}

/// The end of a module.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) at: usize,
    pub(super) is_inline: bool,
    /// Something comes after it: the module's tests.
    pub(super) is_before: bool,
}

/// From where something can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Everywhere,
    /// In this module and those in it.
    Within(ModuleId),
}

/// A function.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) module: ModuleId,
    pub(super) seen_in: Seen,
    pub(super) file: FileId,
    /// Where an attribute is added: after its documentation, before other attributes.
    pub(super) attribute_at: usize,
    pub(super) range: Range<usize>,
    pub(super) attributes: Vec<Attribute>,
    /// What its arguments are called; `self` is none of them.
    pub(super) arguments: Vec<syn::Pat>,
    /// The type of the first of them, where it is a path.
    pub(super) first_type: Option<syn::Path>,
    pub(super) is_conditional: bool,
    /// It stands in an `impl` block.
    pub(super) is_method: bool,
    pub(super) block: Block,
}

impl Sources {
    /// Reads a crate from its root file.
    pub(super) fn add(
        &mut self,
        name: &str,
        root: &Path,
        package: usize,
        is_library: bool,
    ) -> Result<ModuleId, Failure> {
        let file = self.file(root).map_err(Failure::refused)?;
        let id = self.modules.len();
        let place = Place {
            name: name.to_owned(),
            parent: None,
            package,
            seen_in: Seen::Everywhere,
            is_conditional: false,
            folder: root.parent().unwrap_or(Path::new("/")).to_path_buf(),
        };
        self.module_of_file(place, file);
        if is_library {
            self.libraries.insert(name.to_owned(), id);
        }
        Ok(id)
    }

    /// `file:line` of an offset.
    pub(super) fn line(&self, file: FileId, at: usize) -> usize {
        let text = &self.files[file].text;
        let before = text.get(..at).unwrap_or(text);
        before.bytes().filter(|it| *it == b'\n').count() + 1
    }

    pub(super) fn range(&self, file: FileId, span: Span) -> Range<usize> {
        let (range, shift) = (span.byte_range(), self.files[file].shift);
        range.start + shift..range.end + shift
    }

    fn file(&mut self, path: &Path) -> Result<FileId, String> {
        let shown = path.display();
        let cannot = |error| format!("{shown}: cannot read ({error})");
        if self.files.len() >= FILES_MAX {
            return Err(format!("{shown}: is one of more than {FILES_MAX} files"));
        }
        if fs::metadata(path).map_err(cannot)?.len() > FILE_BYTES_MAX {
            return Err(format!("{shown}: is larger than {FILE_BYTES_MAX} bytes"));
        }
        let text = fs::read_to_string(path).map_err(cannot)?;
        let shift = prelude(&text);
        let path = path.to_path_buf();
        self.files.push(File { path, text, shift });
        Ok(self.files.len() - 1)
    }

    fn module_of_file(&mut self, mut place: Place, file: FileId) {
        let File { text, shift, path } = &self.files[file];
        let items = match syn::parse_str::<syn::File>(&text[*shift..]) {
            // `#![cfg(test)]`: the module is there, and holds nothing that is adopted.
            Ok(parsed) if is_test(&parsed.attrs) => Vec::new(),
            Ok(parsed) => {
                place.is_conditional |= is_conditional(&parsed.attrs);
                parsed.items
            }
            Err(error) => {
                let (path, line) = (path.display(), error.span().start().line);
                self.unread
                    .push(format!("{path}:{line}: is no Rust ({error})"));
                Vec::new()
            }
        };
        let tests = items.last().filter(|it| is_test_module(it));
        let tests = tests.map(|it| self.range(file, it.span()).start);
        let end = End {
            at: tests.unwrap_or(self.files[file].text.len()),
            is_inline: false,
            is_before: tests.is_some(),
        };
        self.module(place, file, end, items);
    }

    fn module(&mut self, place: Place, file: FileId, end: End, items: Vec<Item>) -> ModuleId {
        let id = self.modules.len();
        let root = place.parent.map_or(id, |it| self.modules[it].root);
        self.modules.push(Module {
            name: place.name,
            parent: place.parent,
            root,
            package: place.package,
            seen_in: place.seen_in,
            file,
            end,
            children: HashMap::new(),
            functions: HashMap::new(),
            texts: HashMap::new(),
            uses: HashMap::new(),
            globs: Vec::new(),
            inner: HashSet::new(),
        });
        let start = match self.files[file].path.parent() {
            Some(parent) if !end.is_inline => parent.to_path_buf(),
            _ => place.folder.clone(),
        };
        let shared = Shared {
            module: id,
            file,
            start,
            folder: place.folder,
            is_conditional: place.is_conditional,
        };
        for item in items {
            self.item(&shared, item);
        }
        id
    }

    fn item(&mut self, shared: &Shared, item: Item) {
        match item {
            Item::Fn(item) => {
                let found = self.function(shared, Head::of(&item.attrs, &item.vis, &item.sig), {
                    let span = item.span();
                    (*item.block, span)
                });
                if let Some(found) = found {
                    let name = self.functions[found].name.clone();
                    let known = &mut self.modules[shared.module].functions;
                    if let Some(twin) = known.insert(name, found) {
                        // Two of a name exclude each other by a condition.
                        self.functions[twin].is_conditional = true;
                        self.functions[found].is_conditional = true;
                    }
                }
            }
            Item::Impl(item) if !is_test(&item.attrs) => {
                for part in item.items {
                    if let ImplItem::Fn(part) = part {
                        let head = Head::of(&part.attrs, &part.vis, &part.sig);
                        let span = part.span();
                        self.method(shared, head, (part.block, span));
                    }
                }
            }
            Item::Trait(item) if !is_test(&item.attrs) => {
                for part in item.items {
                    let span = part.span();
                    if let TraitItem::Fn(part) = part
                        && let Some(block) = part.default
                    {
                        let head = Head::of(&part.attrs, &item.vis, &part.sig);
                        self.method(shared, head, (block, span));
                    }
                }
            }
            Item::Struct(item) => {
                // Where a router is asked for its path, such a type stands for that text.
                if let Some(path) = typed_path(&item.attrs) {
                    let texts = &mut self.modules[shared.module].texts;
                    texts.insert(item.ident.to_string(), path);
                }
            }
            Item::Mod(item) if !is_test(&item.attrs) => self.child(shared, item),
            Item::Use(item) => {
                let lead = item.leading_colon.is_some();
                self.uses(shared.module, &item.tree, lead);
            }
            Item::Const(item) => {
                if let Some(text) = text_of(&item.expr) {
                    let texts = &mut self.modules[shared.module].texts;
                    texts.insert(item.ident.to_string(), text);
                }
            }
            _ => {}
        }
    }

    fn method(&mut self, shared: &Shared, head: Head<'_>, body: (Block, Span)) {
        if let Some(found) = self.function(shared, head, body) {
            self.functions[found].is_method = true;
        }
    }

    fn function(
        &mut self,
        shared: &Shared,
        head: Head<'_>,
        (block, span): (Block, Span),
    ) -> Option<FunctionId> {
        if is_test(head.attributes) {
            return None;
        }
        let range = self.range(shared.file, span);
        let is_doc = |it: &&Attribute| it.path().is_ident("doc");
        // Those that stand in its body come last in the list.
        let is_outer = |it: &&Attribute| matches!(it.style, AttrStyle::Outer);
        let mut outer = head.attributes.iter().filter(is_outer);
        let next = outer.find(|it| !is_doc(it));
        let next = next.map_or(head.start, |it| it.span());
        for statement in &block.stmts {
            match statement {
                syn::Stmt::Item(Item::Use(item)) => {
                    self.uses(shared.module, &item.tree, item.leading_colon.is_some());
                }
                syn::Stmt::Item(Item::Fn(item)) => {
                    let inner = &mut self.modules[shared.module].inner;
                    inner.insert(item.sig.ident.to_string());
                }
                _ => {}
            }
        }
        self.functions.push(Function {
            name: head.name,
            module: shared.module,
            seen_in: self.seen(shared.module, head.visibility),
            file: shared.file,
            attribute_at: self.range(shared.file, next).start,
            range,
            is_conditional: shared.is_conditional || is_conditional(head.attributes),
            attributes: head.attributes.to_vec(),
            arguments: head.arguments,
            first_type: head.first_type,
            is_method: false,
            block,
        });
        Some(self.functions.len() - 1)
    }

    fn child(&mut self, shared: &Shared, item: syn::ItemMod) {
        let name = item.ident.to_string();
        let place = Place {
            name: name.clone(),
            parent: Some(shared.module),
            package: self.modules[shared.module].package,
            seen_in: self.seen(shared.module, &item.vis),
            is_conditional: shared.is_conditional || is_conditional(&item.attrs),
            folder: folder_of(shared, &item.attrs, &name),
        };
        let id = self.modules.len();
        if let Some((brace, items)) = item.content {
            let close = self.range(shared.file, brace.span.close()).start;
            let end = End {
                at: close,
                is_inline: true,
                is_before: false,
            };
            self.module(place, shared.file, end, items);
        } else {
            let Some((path, folder)) = file_of(shared, &item.attrs, &name) else {
                return;
            };
            match self.file(&path) {
                Ok(file) => self.module_of_file(Place { folder, ..place }, file),
                Err(text) => return self.unread.push(text),
            }
        }
        self.modules[shared.module].children.insert(name, id);
    }

    fn seen(&self, module: ModuleId, visibility: &Visibility) -> Seen {
        let this = &self.modules[module];
        match visibility {
            Visibility::Public(_) => Seen::Everywhere,
            Visibility::Inherited => Seen::Within(module),
            Visibility::Restricted(it) if it.path.is_ident("crate") => Seen::Within(this.root),
            Visibility::Restricted(it) if it.path.is_ident("super") => {
                Seen::Within(this.parent.unwrap_or(module))
            }
            // A path to some module around this one: taken as the least it can be.
            Visibility::Restricted(_) => Seen::Within(module),
        }
    }

    fn uses(&mut self, module: ModuleId, tree: &UseTree, is_absolute: bool) {
        let start = if is_absolute {
            vec![String::new()]
        } else {
            Vec::new()
        };
        let mut found = Vec::new();
        flatten(tree, start, &mut found);
        let module = &mut self.modules[module];
        for (name, path) in found {
            match name {
                Some(name) => {
                    module.uses.insert(name, path);
                }
                None => module.globs.push(path),
            }
        }
    }
}

/// What a module is, before it is read.
struct Place {
    name: String,
    parent: Option<ModuleId>,
    package: usize,
    seen_in: Seen,
    is_conditional: bool,
    /// Where files of its modules are.
    folder: PathBuf,
}

/// What the items of a module share.
struct Shared {
    module: ModuleId,
    file: FileId,
    /// Where `#[path]` starts from: the folder of the file, and of a module that is `mod name { … }`
    /// that of its own modules.
    start: PathBuf,
    folder: PathBuf,
    is_conditional: bool,
}

/// The folder of the modules in `mod name`.
fn folder_of(shared: &Shared, attributes: &[Attribute], name: &str) -> PathBuf {
    let name = name.strip_prefix("r#").unwrap_or(name);
    said_path(shared, attributes).unwrap_or_else(|| shared.folder.join(name))
}

/// What `#[path = "…"]` leads to.
fn said_path(shared: &Shared, attributes: &[Attribute]) -> Option<PathBuf> {
    let said = attributes.iter().find(|it| it.path().is_ident("path"))?;
    let syn::Meta::NameValue(pair) = &said.meta else {
        return None;
    };
    Some(shared.start.join(text_of(&pair.value)?))
}

/// The file of `mod name;`, and the folder of its own modules.
fn file_of(shared: &Shared, attributes: &[Attribute], name: &str) -> Option<(PathBuf, PathBuf)> {
    let name = name.strip_prefix("r#").unwrap_or(name);
    if let Some(path) = said_path(shared, attributes) {
        let folder = path.parent()?.to_path_buf();
        return Some((path, folder));
    }
    let folder = shared.folder.join(name);
    let flat = shared.folder.join(format!("{name}.rs"));
    let path = if flat.is_file() {
        flat
    } else {
        folder.join("mod.rs")
    };
    path.is_file().then_some((path, folder))
}
