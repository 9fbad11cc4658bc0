//! What a refused type gets: the messages, and the impls of its derive, of nothing.
//!
//! So the mistake is the only message: whoever uses the type finds what it would have had.
//!
//! Invariant: a type that no impl can stand in for gets the messages alone.

use proc_macro2::TokenStream;
use quote::quote;

use super::expand::quiet;
use super::parse::{Body, Declared, Member};
use super::values::UNRECOGNIZED;

/// The messages of a refused type, and nothing else if no impl can stand in for it.
fn errors(declared: &Declared, result: Result<(), syn::Error>) -> (TokenStream, bool) {
    let errors = result.err().map(|it| it.to_compile_error());
    let stands_in = declared.generics.params.is_empty();
    (errors.unwrap_or_default(), stands_in)
}

pub(super) fn message(declared: &Declared, result: Result<(), syn::Error>) -> TokenStream {
    let (errors, stands_in) = errors(declared, result);
    if !stands_in || !matches!(declared.body, Body::Struct(_)) {
        return errors;
    }
    let Declared { facade, ident, .. } = declared;
    let rt = facade.rt();
    let name = ident.to_string();
    let quiet = quiet();
    quote! {
        #quiet
        const _: () = {
            static __TABLE: #rt::message::MessageTable = #rt::message::MessageTable {
                name: #name,
                doc: "",
                form: #rt::message::Form::Fields,
                requires: false,
                fields: &[],
            };

            #[automatically_derived]
            impl ::core::default::Default for #ident {
                fn default() -> Self {
                    #errors
                }
            }

            #[automatically_derived]
            impl #rt::prost::Message for #ident {
                fn encode_raw(&self, _: &mut impl #rt::codec::BufMut) {}

                fn encoded_len(&self) -> usize {
                    0
                }

                fn merge_field(
                    &mut self,
                    __tag: u32,
                    __wire_type: #rt::codec::WireType,
                    __buf: &mut impl #rt::codec::Buf,
                    __ctx: #rt::codec::DecodeContext,
                ) -> #rt::codec::Merged {
                    #rt::codec::skip_field(__wire_type, __tag, __buf, __ctx)
                }

                fn clear(&mut self) {}
            }

            #[automatically_derived]
            impl #rt::codec::Native for #ident {
                type Codec = #rt::codec::Msg<Self>;
                const KIND: #rt::message::Kind = #rt::message::Kind::Declared(|| &__TABLE);
            }

            #rt::message_impls! { #ident, __TABLE }
        };
    }
}

pub(super) fn oneof(declared: &Declared, result: Result<(), syn::Error>) -> TokenStream {
    let (errors, stands_in) = errors(declared, result);
    if !stands_in {
        return errors;
    }
    let Declared { facade, ident, .. } = declared;
    let rt = facade.rt();
    quote! {
        #[automatically_derived]
        impl #rt::codec::Oneof for #ident {
            const FIELDS: &'static [#rt::message::FieldTable] = &[];

            fn number(&self) -> u32 {
                #errors
            }

            fn put(&self, _: u32, _: u32, _: &mut impl #rt::codec::BufMut) {}

            fn size(&self) -> usize {
                0
            }

            fn take(
                _: &mut ::core::option::Option<Self>,
                __tag: u32,
                __wire_type: #rt::codec::WireType,
                __buf: &mut impl #rt::codec::Buf,
                __ctx: #rt::codec::DecodeContext,
            ) -> #rt::codec::Merged {
                #rt::codec::skip_field(__wire_type, __tag, __buf, __ctx)
            }

            fn declare(_: &mut #rt::message::Files) {}
        }
    }
}

pub(super) fn enumeration(declared: &Declared, result: Result<(), syn::Error>) -> TokenStream {
    let (errors, stands_in) = errors(declared, result);
    let Body::Enum(members) = &declared.body else {
        return errors;
    };
    let is_plain = |it: &&Member| it.types.is_empty() && it.ident != UNRECOGNIZED;
    // What holds something may not be what a number can stand for.
    let holds = |it: &Member| !it.types.is_empty() && it.ident != UNRECOGNIZED;
    let stands_in = stands_in && !members.iter().any(holds);
    let first = members.iter().find(is_plain).filter(|_| stands_in);
    let Some(first) = first.map(|it| &it.ident) else {
        return errors;
    };
    let Declared { facade, ident, .. } = declared;
    let rt = facade.rt();
    let name = ident.to_string();
    quote! {
        const _: () = {
            static __TABLE: #rt::message::EnumTable = #rt::message::EnumTable {
                name: #name,
                doc: "",
                closed: false,
                values: &[],
            };

            #[automatically_derived]
            impl ::core::default::Default for #ident {
                fn default() -> Self {
                    #errors
                    #[allow(unreachable_code)]
                    Self::#first
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<i32> for #ident {
                fn from(_: i32) -> Self {
                    Self::#first
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<#ident> for i32 {
                fn from(_: #ident) -> i32 {
                    0
                }
            }

            #[automatically_derived]
            impl #rt::codec::Native for #ident where for<'__any> #ident: ::core::marker::Copy {
                type Codec = #rt::codec::Enum<Self>;
                const KIND: #rt::message::Kind = #rt::message::Kind::Enum(&__TABLE);
            }

            #rt::codec::implicit_field! {
                #ident, #rt::codec::ByType, where for<'__any> #ident: ::core::marker::Copy
            }
        };
    }
}
