//! A function's head: what is read of it wherever it stands, alone, in an `impl` or in a trait.
//!
//! Decides nothing about the program; says what is written.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Attribute, Visibility};

/// A function but for its block.
pub(super) struct Head<'a> {
    pub(super) name: String,
    pub(super) attributes: &'a [Attribute],
    pub(super) visibility: &'a Visibility,
    pub(super) arguments: Vec<syn::Pat>,
    pub(super) first_type: Option<syn::Path>,
    /// The first token after the attributes.
    pub(super) start: Span,
}

impl<'a> Head<'a> {
    pub(super) fn of(
        attributes: &'a [Attribute],
        visibility: &'a Visibility,
        signature: &syn::Signature,
    ) -> Self {
        let start = match visibility {
            Visibility::Inherited => signature.span(),
            shown => shown.span(),
        };
        let arguments = signature.inputs.iter().filter_map(|it| match it {
            syn::FnArg::Typed(it) => Some((*it.pat).clone()),
            syn::FnArg::Receiver(_) => None,
        });
        let first_type = match signature.inputs.first() {
            Some(syn::FnArg::Typed(it)) => match &*it.ty {
                syn::Type::Path(it) => Some(it.path.clone()),
                _ => None,
            },
            _ => None,
        };
        Self {
            name: signature.ident.to_string(),
            attributes,
            visibility,
            first_type,
            arguments: arguments.collect(),
            start,
        }
    }
}
