//! Files whose names mean something else among strangers.
//!
//! A relative name such as `config.v3.Kind` is looked for in the packages around it, of the file's
//! own imports. The compiler looks in those of every file it has read so far, and then stops at a
//! package that the file never heard of. So a file that fails by that is compiled once more with
//! nothing but its imports; what comes out names every type in full, and means the same anywhere.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use protox::Error;
use protox::file::{File, FileResolver};

/// How many files may need one another's help; imports are hardly ever that deep.
const MAX_DEPTH: usize = 64;

/// The files that were compiled alone, by name; found before their sources.
#[derive(Clone, Default)]
pub(super) struct Alone(Rc<RefCell<BTreeMap<String, Vec<u8>>>>);

impl Alone {
    /// Tries to take away the reason of `error`; whether it is worth trying again.
    ///
    /// `fresh` makes a compiler that has read nothing yet and finds files here first.
    pub(super) fn help(&self, error: &Error, fresh: &dyn Fn() -> protox::Compiler) -> bool {
        self.help_below(error, fresh, MAX_DEPTH)
    }

    fn help_below(
        &self,
        error: &Error,
        fresh: &dyn Fn() -> protox::Compiler,
        depth: usize,
    ) -> bool {
        let Some(name) = error.file().filter(|_| is_a_stranger(error)) else {
            return false;
        };
        if depth == 0 || self.0.borrow().contains_key(name) {
            return false;
        }
        let mut compiler = fresh();
        if let Err(inner) = compiler.open_file(name) {
            let other = inner.file() != Some(name);
            let helped = other && self.help_below(&inner, fresh, depth - 1);
            return helped && self.help_below(error, fresh, depth - 1);
        }
        let pool = compiler.descriptor_pool();
        let Some(file) = pool.get_file_by_name(name) else {
            return false;
        };
        self.0
            .borrow_mut()
            .insert(name.to_owned(), file.encode_to_vec());
        true
    }
}

fn is_a_stranger(error: &Error) -> bool {
    let text = error.to_string();
    text.contains(" resolves to ") && text.contains("which is not defined")
}

impl FileResolver for Alone {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        let found = self.0.borrow().get(name).cloned();
        let file = found.and_then(|bytes| File::decode_file_descriptor_proto(&*bytes).ok());
        file.ok_or_else(|| Error::file_not_found(name))
    }
}
