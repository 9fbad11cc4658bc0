//! What the derives add: tables, the wire encoding, and what follows from a table.
//!
//! What it makes of a type with a fault is thrown away by the caller.
//!
//! Invariant: everything is in a block of its own, so that no name of ours meets one of the user's;
//! local names start with `__`, and every path is absolute.

use proc_macro2::TokenStream;
use quote::quote;

use super::check::{Field, Message};
use super::fields::Writer;
use super::parse::Declared;
use super::values::Enumeration;

/// What nobody can act on in code that they did not write.
pub(super) fn quiet() -> TokenStream {
    quote!(#[allow(clippy::all, clippy::pedantic, deprecated, unused_variables)])
}

pub(super) fn message(declared: &Declared, checked: &Message<'_>) -> TokenStream {
    let Declared { facade, ident, .. } = declared;
    let rt = facade.rt();
    let writer = Writer { facade, ident };
    let (table, unset) = (
        table(&rt, &writer, declared, checked),
        writer.unset(checked),
    );
    let (encoding, declares) = (encoding(&writer, checked), writer.declares(checked));
    let package = &checked.package;
    let oneofs = checked.oneofs.iter().map(|it| {
        let (name, doc) = (&it.name, it.doc);
        quote!((#name, #doc))
    });
    let quiet = quiet();
    quote! {
        #quiet
        const _: () = {
            #table

            #[automatically_derived]
            impl ::core::default::Default for #ident {
                fn default() -> Self {
                    Self { #unset }
                }
            }

            #encoding

            #[automatically_derived]
            impl #rt::codec::Native for #ident {
                type Codec = #rt::codec::Msg<Self>;
                const KIND: #rt::message::Kind = #rt::message::Kind::Declared(|| &__TABLE);

                fn declare(__files: &mut #rt::message::Files) {
                    if __files.message(&__TABLE, #package, &[#(#oneofs),*]) {
                        #declares
                    }
                }
            }

            #rt::message_impls! { #ident, __TABLE }
        };
    }
}

fn encoding(writer: &Writer<'_>, checked: &Message<'_>) -> TokenStream {
    let (rt, ident) = (writer.facade.rt(), writer.ident);
    let (puts, sizes, takes) = (
        writer.puts(checked),
        writer.sizes(checked),
        writer.takes(checked),
    );
    quote! {
        #[automatically_derived]
        impl #rt::prost::Message for #ident {
            fn encode_raw(&self, __buf: &mut impl #rt::codec::BufMut) {
                #puts
            }

            fn encoded_len(&self) -> usize {
                #sizes
            }

            fn merge_field(
                &mut self,
                __tag: u32,
                __wire_type: #rt::codec::WireType,
                __buf: &mut impl #rt::codec::Buf,
                __ctx: #rt::codec::DecodeContext,
            ) -> #rt::codec::Merged {
                match __tag {
                    #takes
                    _ => #rt::codec::skip_field(__wire_type, __tag, __buf, __ctx),
                }
                .map_err(|__error| #rt::codec::at(__error, &__TABLE, __tag))
            }

            fn clear(&mut self) {
                *self = <Self as ::core::default::Default>::default();
            }

            fn decode(
                __buf: impl #rt::codec::Buf,
            ) -> ::core::result::Result<Self, #rt::codec::DecodeError> {
                static __REQUIRES: ::std::sync::OnceLock<bool> = ::std::sync::OnceLock::new();
                if #rt::codec::requires(&__TABLE, &__REQUIRES) {
                    return #rt::message::decode_checked(__buf);
                }
                let mut __message = <Self as ::core::default::Default>::default();
                <Self as #rt::prost::Message>::merge(&mut __message, __buf)?;
                ::core::result::Result::Ok(__message)
            }
        }
    }
}

fn table(
    rt: &TokenStream,
    writer: &Writer<'_>,
    declared: &Declared,
    checked: &Message<'_>,
) -> TokenStream {
    let name = format!("{}.{}", checked.package, checked.name);
    let doc = &declared.doc;
    let rows = checked.fields.iter().map(|it| writer.row(it));
    let oneofs = checked.oneofs.iter().map(|it| writer.oneof(it, "FIELDS"));
    let clash = format!(
        "two fields of `{}` have the same number, name or JSON name, counting the variants of its \
         oneofs; give one of them another one: `",
        declared.ident
    );
    let names: Vec<_> = checked.oneofs.iter().map(|it| &it.name).collect();
    let called_alike = format!(
        "a oneof of `{}` is called like one of its fields, counting the variants of its oneofs; say \
         another name, as `#[bridge(oneof, name = \"…\")]` or `name = \"…\"` at the variant: `",
        declared.ident
    );
    let names_differ = (!names.is_empty()).then(|| {
        quote!(const _: () = #rt::codec::names_differ(&__FIELDS, &[#(#names),*], #called_alike);)
    });
    quote! {
        const __OWN: &[#rt::message::FieldTable] = &[#(#rows),*];
        const __ONEOFS: &[&[#rt::message::FieldTable]] = &[#(#oneofs),*];
        const __FIELDS: [#rt::message::FieldTable; #rt::codec::count(__OWN, __ONEOFS)] =
            #rt::codec::joined(__OWN, __ONEOFS, #clash);
        #names_differ
        static __TABLE: #rt::message::MessageTable = #rt::message::MessageTable {
            name: #name,
            doc: #doc,
            form: #rt::message::Form::Fields,
            requires: #rt::codec::holds_messages(&__FIELDS),
            fields: &__FIELDS,
        };
    }
}

pub(super) fn oneof(declared: &Declared, fields: &[Field<'_>]) -> TokenStream {
    let Declared { facade, ident, .. } = declared;
    let rt = facade.rt();
    let writer = Writer { facade, ident };
    let mut ordered: Vec<_> = fields.iter().collect();
    ordered.sort_by_key(|it| it.number);
    let rows = ordered.iter().map(|it| writer.member_row(it));
    let numbers = fields.iter().map(|it| {
        let (ident, number) = (it.ident, it.number);
        quote!(Self::#ident(_) => #number,)
    });
    let puts = arms(&writer, fields, quote!(encode), quote!(, __buf));
    let sizes = arms(&writer, fields, quote!(encoded_len), TokenStream::new());
    let take = take(&writer, fields);
    let declares = fields.iter().map(|it| {
        let of = writer.value(it);
        quote!(#of::declare(__files);)
    });
    let quiet = quiet();
    quote! {
        #quiet
        #[automatically_derived]
        impl #rt::codec::Oneof for #ident {
            const FIELDS: &'static [#rt::message::FieldTable] = &[#(#rows),*];

            fn number(&self) -> u32 {
                match *self { #(#numbers)* }
            }

            fn put(&self, __after: u32, __until: u32, __buf: &mut impl #rt::codec::BufMut) {
                let __number = <Self as #rt::codec::Oneof>::number(self);
                if __number <= __after || __number >= __until {
                    return;
                }
                match self { #puts }
            }

            fn size(&self) -> usize {
                match self { #sizes }
            }

            #take

            fn declare(__files: &mut #rt::message::Files) {
                #(#declares)*
            }
        }
    }
}

/// For each variant a call of its kind, with its number and its value.
fn arms(
    writer: &Writer<'_>,
    fields: &[Field<'_>],
    function: TokenStream,
    rest: TokenStream,
) -> TokenStream {
    let rt = writer.facade.rt();
    let arms = fields.iter().map(|it| {
        let (ident, number, of) = (it.ident, it.number, writer.value(it));
        quote! {
            Self::#ident(__it) => {
                <#of::Codec as #rt::codec::Codec>::#function(#number, __it #rest)
            }
        }
    });
    arms.collect()
}

/// What reads a member: over the one that is there, if it is the same.
fn take(writer: &Writer<'_>, fields: &[Field<'_>]) -> TokenStream {
    let rt = writer.facade.rt();
    let takes = fields.iter().map(|it| {
        let (ident, number, of) = (it.ident, it.number, writer.value(it));
        quote! {
            #number => {
                let mut __it = match __field.take() {
                    ::core::option::Option::Some(Self::#ident(__it)) => __it,
                    _ => ::core::default::Default::default(),
                };
                <#of::Codec as #rt::codec::Codec>::merge(__wire_type, &mut __it, __buf, __ctx)?;
                Self::#ident(__it)
            }
        }
    });
    quote! {
        fn take(
            __field: &mut ::core::option::Option<Self>,
            __tag: u32,
            __wire_type: #rt::codec::WireType,
            __buf: &mut impl #rt::codec::Buf,
            __ctx: #rt::codec::DecodeContext,
        ) -> #rt::codec::Merged {
            let __read = match __tag {
                #(#takes)*
                _ => return #rt::codec::skip_field(__wire_type, __tag, __buf, __ctx),
            };
            *__field = ::core::option::Option::Some(__read);
            ::core::result::Result::Ok(())
        }
    }
}

pub(super) fn enumeration(declared: &Declared, checked: &Enumeration<'_>) -> TokenStream {
    let Declared { facade, ident, .. } = declared;
    let rt = facade.rt();
    let Enumeration { package, name, .. } = checked;
    let (full_name, doc) = (format!("{package}.{name}"), &declared.doc);
    let values = &checked.values;
    let numbers: Vec<_> = values.iter().map(|it| signed(it.number)).collect();
    let idents = values.iter().map(|it| it.ident);
    let names = values.iter().map(|it| &it.name);
    let docs = values.iter().map(|it| it.doc);
    let first = values.iter().map(|it| it.ident).take(1);
    let quiet = quiet();
    quote! {
        #quiet
        const _: () = {
            #rt::describe_enum! {
                #ident as __TABLE, #full_name, closed: false, doc: #doc;
                variants { #(#idents = #numbers),* }
                names { #(#names = #numbers),* }
                native {
                    fn declare(__files: &mut #rt::message::Files) {
                        __files.enumeration(&__TABLE, #package, &[#(#docs),*]);
                    }
                }
            }

            #[automatically_derived]
            impl ::core::default::Default for #ident {
                fn default() -> Self {
                    #(Self::#first)*
                }
            }
        };
    }
}

fn signed(number: i32) -> TokenStream {
    let literal = proc_macro2::Literal::u32_unsuffixed(number.unsigned_abs());
    if number < 0 {
        quote!(-#literal)
    } else {
        quote!(#literal)
    }
}
