//! One compiled file: its descriptor, its path, and the places and comments in it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use prost_types::FileDescriptorProto;
use prost_types::source_code_info::Location;

use crate::place::{Comments, Place, Said};

/// Descriptor path elements: the field numbers of `FileDescriptorProto` and below.
pub(crate) mod tag {
    pub(crate) const PACKAGE: i32 = 2;
    pub(crate) const MESSAGE: i32 = 4;
    pub(crate) const ENUM: i32 = 5;
    pub(crate) const SERVICE: i32 = 6;
    pub(crate) const METHOD: i32 = 2;
    pub(crate) const FIELD: i32 = 2;
    pub(crate) const NESTED_MESSAGE: i32 = 3;
    pub(crate) const NESTED_ENUM: i32 = 4;
    pub(crate) const ONEOF: i32 = 8;
    pub(crate) const ENUM_VALUE: i32 = 2;
    pub(crate) const NAME: i32 = 1;
    pub(crate) const CLIENT_STREAMING: i32 = 5;
}

/// Files whose types exist already, by the names that everybody imports them by.
pub(crate) const WELL_KNOWN_FILES: [&str; 7] = [
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
];

/// One compiled file.
pub(crate) struct SourceFile {
    /// The name that others import it by.
    pub(crate) name: String,
    /// Where it is, or the set that it is in; none for what comes with the compiler.
    pub(crate) path: Option<PathBuf>,
    pub(crate) descriptor: FileDescriptorProto,
    shown: Rc<str>,
    locations: HashMap<Vec<i32>, usize>,
}

impl SourceFile {
    pub(super) fn new(
        descriptor: FileDescriptorProto,
        path: Option<PathBuf>,
        set: Option<&Path>,
    ) -> Self {
        let name = descriptor.name().to_owned();
        let shown = match (&path, set) {
            (Some(path), _) => path.display().to_string(),
            (None, Some(set)) => format!("{}: {name}", set.display()),
            (None, None) => name.clone(),
        };
        let info = descriptor.source_code_info.as_ref();
        let locations = info.map(|it| it.location.as_slice()).unwrap_or_default();
        let mut by_path = HashMap::with_capacity(locations.len());
        for (index, location) in locations.iter().enumerate() {
            by_path.entry(location.path.clone()).or_insert(index);
        }
        Self {
            name,
            path: path.or_else(|| set.map(Path::to_path_buf)),
            descriptor,
            shown: shown.into(),
            locations: by_path,
        }
    }

    pub(crate) fn package(&self) -> &str {
        self.descriptor.package()
    }

    /// Whether it is of the older syntax, which is also that of files which name none.
    pub(crate) fn is_proto2(&self) -> bool {
        matches!(self.descriptor.syntax(), "" | "proto2")
    }

    /// Whether Rust types for it exist already.
    pub(crate) fn is_well_known(&self) -> bool {
        WELL_KNOWN_FILES.contains(&self.name.as_str())
    }

    /// The full name of a type in this file, without a leading dot.
    pub(crate) fn qualified(&self, outer: &[String], name: &str) -> String {
        let package = Some(self.package()).filter(|it| !it.is_empty());
        let outer = outer.iter().map(String::as_str);
        let parts = package.into_iter().chain(outer).chain([name]);
        parts.collect::<Vec<_>>().join(".")
    }

    /// The place of a declaration's name, or of the declaration as a whole.
    pub(crate) fn place(&self, declaration: &[i32]) -> Place {
        let name = [declaration, &[tag::NAME]].concat();
        let position = self.position(&name).or_else(|| self.position(declaration));
        Place::new(self.shown.clone(), position)
    }

    /// The place of exactly this element, where it is known.
    pub(crate) fn exact_place(&self, element: &[i32]) -> Option<Place> {
        let position = self.position(element)?;
        Some(Place::new(self.shown.clone(), Some(position)))
    }

    /// What a declaration says about itself.
    pub(crate) fn said(&self, declaration: &[i32], deprecated: bool) -> Said {
        let location = self.location(declaration);
        let text = |comment: Option<&String>| comment.cloned().unwrap_or_default();
        Said {
            place: self.place(declaration),
            comments: Comments {
                leading: text(location.and_then(|it| it.leading_comments.as_ref())),
                trailing: text(location.and_then(|it| it.trailing_comments.as_ref())),
            },
            deprecated,
        }
    }

    fn location(&self, element: &[i32]) -> Option<&Location> {
        let info = self.descriptor.source_code_info.as_ref()?;
        info.location.get(*self.locations.get(element)?)
    }

    fn position(&self, element: &[i32]) -> Option<(u32, u32)> {
        let location = self.location(element)?;
        let line = u32::try_from(*location.span.first()?).ok()?;
        let column = u32::try_from(*location.span.get(1)?).ok()?;
        Some((line.saturating_add(1), column.saturating_add(1)))
    }
}
