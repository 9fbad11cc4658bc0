//! What a variant holds: nothing, a message, fields that travel, a source that stays.
//!
//! Refuses what has no name on the wire.
//!
//! Invariant: a variant has at most one source, and what is not its source travels.

use syn::{Attribute, Field, Fields, Member, Type};

use crate::diag::{Code, Diag};
use crate::rpc::head::{first_type, last_segment};

use super::parse::Variant;

/// What a variant holds.
pub(super) enum Shape<'v> {
    Unit,
    /// One `String` without a name: the message.
    Text,
    /// Named fields, or a source without a name.
    Fields {
        travelling: Vec<&'v Field>,
        source: Option<Source<'v>>,
    },
}

/// The error behind an error.
pub(super) struct Source<'v> {
    pub(super) member: Member,
    pub(super) ty: &'v Type,
    /// Whether it can be made of the source alone, so that `?` does it.
    pub(super) is_from: bool,
}

impl Shape<'_> {
    pub(super) fn travelling(&self) -> &[&Field] {
        match self {
            Self::Unit | Self::Text => &[],
            Self::Fields { travelling, .. } => travelling,
        }
    }

    pub(super) fn source(&self) -> Option<&Source<'_>> {
        match self {
            Self::Unit | Self::Text => None,
            Self::Fields { source, .. } => source.as_ref(),
        }
    }

    /// Whether it holds a failed call and nothing else.
    pub(super) fn is_call(&self) -> bool {
        self.travelling().is_empty() && self.source().is_some_and(Source::is_call)
    }
}

impl Source<'_> {
    /// Whether it is a failed call, told by the last word of its type.
    pub(super) fn is_call(&self) -> bool {
        last_word_is(self.ty, "CallError")
    }

    /// Whether it holds any error on the heap, which is no error itself: `Box<dyn Error>`, or axum's
    /// name for one.
    pub(super) fn is_boxed(&self) -> bool {
        let last = last_segment(self.ty).map(|it| it.ident.to_string());
        match last.as_deref() {
            Some("Box" | "Arc") => matches!(first_type(self.ty), Some(Type::TraitObject(_))),
            Some(word) => word == "BoxError",
            None => false,
        }
    }
}

/// Reads the fields of a variant, or notes what is wrong with them.
pub(super) fn of<'v>(diag: &Diag, variant: &'v Variant) -> Option<Shape<'v>> {
    let fields = &variant.fields;
    if matches!(fields, Fields::Unit) {
        return Some(Shape::Unit);
    }
    let members = fields.members().zip(fields);
    let (sources, travelling): (Vec<_>, Vec<_>) = members.partition(|(_, it)| is_source(it));
    for (_, second) in sources.iter().skip(1) {
        let text = "an error has one source; remove `#[source]` from this one";
        diag.error(Code::ErrorSource, &second.ty, text);
    }
    let source = sources.first().map(|(member, field)| Source {
        member: member.clone(),
        ty: &field.ty,
        is_from: has(&field.attrs, "from"),
    });
    if let (Some(it), false) = (
        source.as_ref().filter(|it| it.is_from),
        travelling.is_empty(),
    ) {
        let text = "`#[from]` makes the error of its source alone; use `#[source]` \
                    beside other fields";
        diag.error(Code::ErrorSource, it.ty, text);
    }
    let travelling: Vec<&Field> = travelling.into_iter().map(|(_, field)| field).collect();
    match (fields, travelling.as_slice()) {
        (Fields::Unnamed(_), [text]) if source.is_none() && last_word_is(&text.ty, "String") => {
            Some(Shape::Text)
        }
        (Fields::Named(_), _) | (_, []) if !(travelling.is_empty() && source.is_none()) => {
            Some(Shape::Fields { travelling, source })
        }
        _ => {
            let name = &variant.ident;
            let text = format!(
                "what travels has a name; write `{name}`, `{name}(String)`, \
                 `{name} {{ field: Type }}` or `{name}(#[source] Type)`"
            );
            diag.error(Code::ErrorShape, fields, text);
            None
        }
    }
}

fn is_source(field: &Field) -> bool {
    has(&field.attrs, "source") || has(&field.attrs, "from")
}

fn has(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident(name))
}

fn last_word_is(ty: &Type, word: &str) -> bool {
    match ty {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|last| last.ident == word && last.arguments.is_none())
        }
        Type::Group(group) => last_word_is(&group.elem, word),
        _ => false,
    }
}
