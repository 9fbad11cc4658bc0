//! Options that somebody added to the options of protobuf, each under a number of its own.
//!
//! Refuses a file with an option whose number another option of the same kind has. `protoc` does so,
//! too; the compiler that is used here would look for the value of one in the value of the other, and a
//! build script would end without a word.
//!
//! Invariant: every file that is compiled has passed here before.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use protox::Error;
use protox::file::{ChainFileResolver, File, FileResolver};

/// The options of a file, of a field and so on, without their package.
const PACKAGE: &str = "google.protobuf";

/// Finds files where others find them.
pub(super) struct Numbered {
    files: ChainFileResolver,
    /// File and name of an option, by what it is added to and its number.
    seen: RefCell<BTreeMap<(String, i32), (String, String)>>,
}

impl Numbered {
    pub(super) fn of(files: ChainFileResolver) -> Self {
        Self {
            files,
            seen: RefCell::default(),
        }
    }

    fn check(&self, file: &FileDescriptorProto) -> Result<(), Error> {
        let mut added = Vec::new();
        added.extend(&file.extension);
        for message in &file.message_type {
            below(message, &mut added);
        }
        let mut seen = self.seen.borrow_mut();
        for option in added {
            let Some(options) = options_of(file, option) else {
                continue;
            };
            let own = (file.name().to_owned(), option.name().to_owned());
            let key = (options.to_owned(), option.number());
            let first = seen.entry(key).or_insert_with(|| own.clone());
            // A file may be opened once more, to be compiled with its imports alone.
            if *first != own {
                // As it is mostly written, so that it is shown there and not where it is used.
                let text = format!(
                    "option '{} = {}' of {options} in {} has the number that '{}' in {} has: give it \
                     another one",
                    own.1,
                    option.number(),
                    own.0,
                    first.1,
                    first.0,
                );
                return Err(Error::new(text));
            }
        }
        Ok(())
    }
}

/// What is added to within a message and those in it.
fn below<'f>(message: &'f DescriptorProto, added: &mut Vec<&'f FieldDescriptorProto>) {
    added.extend(&message.extension);
    for nested in &message.nested_type {
        below(nested, added);
    }
}

/// Which options of protobuf it is added to, if it is.
fn options_of<'f>(file: &FileDescriptorProto, option: &'f FieldDescriptorProto) -> Option<&'f str> {
    let to = option.extendee().trim_start_matches('.');
    let (package, options) = to.rsplit_once('.').unwrap_or((file.package(), to));
    // Within `google` the first part may be left out.
    let is_theirs =
        package == PACKAGE || package == "protobuf" && file.package().starts_with("google");
    (is_theirs && options.ends_with("Options")).then_some(options)
}

impl FileResolver for Numbered {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        self.files.resolve_path(path)
    }

    fn open_file(&self, name: &str) -> Result<File, Error> {
        let file = self.files.open_file(name)?;
        self.check(file.file_descriptor_proto())?;
        Ok(file)
    }
}
