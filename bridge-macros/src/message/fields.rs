//! What one field adds to the functions and to the table of its message.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::paths::Facade;

use super::check::{Field, Group, Message};

/// Writes the parts of a message.
pub(super) struct Writer<'d> {
    pub(super) facade: &'d Facade,
    /// What `Self` means in the types of fields.
    pub(super) ident: &'d Ident,
}

impl Writer<'_> {
    fn rt(&self) -> TokenStream {
        self.facade.rt()
    }

    /// A type where `Self` means nothing.
    fn named(&self, ty: &Type) -> TokenStream {
        fn replaced(tokens: TokenStream, ident: &Ident) -> TokenStream {
            let replace = |token| match token {
                TokenTree::Ident(word) if word == "Self" => TokenTree::Ident(ident.clone()),
                TokenTree::Group(group) => {
                    let inner = replaced(group.stream(), ident);
                    TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inner))
                }
                other => other,
            };
            tokens.into_iter().map(replace).collect()
        }
        replaced(ty.to_token_stream(), self.ident)
    }

    /// `<Type as Field<Kind, Key>>`, underlined at the type.
    fn field(&self, field: &Field<'_>) -> TokenStream {
        let rt = self.facade.rt_at(field.ty.span());
        let ty = self.named(field.ty);
        let (kind, key) = (&field.kind, &field.key);
        quote!(<#ty as #rt::codec::Field<#rt::codec::#kind, #rt::codec::#key>>)
    }

    /// `<Type as Native<Kind>>`, likewise.
    pub(super) fn value(&self, field: &Field<'_>) -> TokenStream {
        let rt = self.facade.rt_at(field.ty.span());
        let ty = self.named(field.ty);
        let kind = &field.kind;
        quote!(<#ty as #rt::codec::Native<#rt::codec::#kind>>)
    }

    /// An item of `<Type as Oneof>`, underlined at the type as a whole.
    pub(super) fn oneof(&self, group: &Group<'_>, item: &str) -> TokenStream {
        let at = Span::call_site().located_at(group.ty.span());
        let (rt, ty, item) = (
            self.facade.rt_at(at),
            self.named(group.ty),
            Ident::new(item, at),
        );
        quote_spanned!(at => <#ty as #rt::codec::Oneof>::#item)
    }

    /// The row of a field of a message.
    pub(super) fn row(&self, field: &Field<'_>) -> TokenStream {
        let of = self.field(field);
        self.row_of(field, quote!(#of::LABEL), quote!(#of::KIND))
    }

    /// The row of a member of a oneof.
    pub(super) fn member_row(&self, field: &Field<'_>) -> TokenStream {
        let rt = self.rt();
        let of = self.value(field);
        self.row_of(
            field,
            quote!(#rt::message::Label::Explicit),
            quote!(#of::KIND),
        )
    }

    fn row_of(&self, field: &Field<'_>, label: TokenStream, kind: TokenStream) -> TokenStream {
        let rt = self.rt();
        let Field {
            number,
            name,
            json,
            doc,
            ..
        } = field;
        quote! {
            #rt::message::FieldTable {
                number: #number,
                name: #name,
                json: #json,
                doc: #doc,
                label: #label,
                kind: #kind,
                oneof: ::core::option::Option::None,
            }
        }
    }

    /// The statements that write a message, ascending by number.
    pub(super) fn puts(&self, message: &Message<'_>) -> TokenStream {
        let mut fields: Vec<_> = message.fields.iter().collect();
        fields.sort_by_key(|it| it.number);
        let mut puts = TokenStream::new();
        let mut after = 0;
        for field in fields {
            let number = field.number;
            puts.extend(self.oneofs_between(message, after, number));
            let (of, ident) = (self.field(field), field.ident);
            puts.extend(quote!(#of::put(&self.#ident, #number, __buf);));
            after = number;
        }
        puts.extend(self.oneofs_between(message, after, u32::MAX));
        puts
    }

    /// Writes those members of oneofs whose numbers lie between two fields.
    fn oneofs_between(&self, message: &Message<'_>, after: u32, until: u32) -> TokenStream {
        if until - after < 2 {
            return TokenStream::new();
        }
        let rt = self.rt();
        let put = |after: TokenStream, until: TokenStream| -> TokenStream {
            let puts = message.oneofs.iter().map(|group| {
                let (fields, put) = (self.oneof(group, "FIELDS"), self.oneof(group, "put"));
                let ident = group.ident;
                quote! {
                    if const { #rt::codec::any_between(#fields, #after, #until) } {
                        if let ::core::option::Option::Some(__it) = &self.#ident {
                            #put(__it, #after, #until, __buf);
                        }
                    }
                }
            });
            puts.collect()
        };
        if message.oneofs.len() < 2 {
            return put(quote!(#after), quote!(#until));
        }
        // Their numbers may alternate, so each turn writes the lowest that is left.
        let numbers = message.oneofs.iter().map(|group| {
            let (number, ident) = (self.oneof(group, "number"), group.ident);
            quote!(self.#ident.as_ref().map_or(0, |__it| #number(__it)))
        });
        let puts = message.oneofs.iter().map(|group| {
            let (put, ident) = (self.oneof(group, "put"), group.ident);
            quote! {
                if let ::core::option::Option::Some(__it) = &self.#ident {
                    #put(__it, __next - 1, __next + 1, __buf);
                }
            }
        });
        quote! {
            {
                let __numbers = [#(#numbers),*];
                let mut __after: u32 = #after;
                while let ::core::option::Option::Some(__next) =
                    #rt::codec::next(&__numbers, __after, #until)
                {
                    #(#puts)*
                    __after = __next;
                }
            }
        }
    }

    /// What each field holds before anything was said.
    pub(super) fn unset(&self, message: &Message<'_>) -> TokenStream {
        let fields = message.fields.iter().map(|field| {
            let (of, ident) = (self.field(field), field.ident);
            quote!(#ident: #of::unset())
        });
        let oneofs = message.oneofs.iter().map(|group| {
            let ident = group.ident;
            quote!(#ident: ::core::option::Option::None)
        });
        let all = fields.chain(oneofs);
        quote!(#(#all),*)
    }

    /// How many bytes a message takes.
    pub(super) fn sizes(&self, message: &Message<'_>) -> TokenStream {
        let fields = message.fields.iter().map(|field| {
            let (of, ident, number) = (self.field(field), field.ident, field.number);
            quote!(#of::size(&self.#ident, #number))
        });
        let oneofs = message.oneofs.iter().map(|group| {
            let (size, ident) = (self.oneof(group, "size"), group.ident);
            quote!(self.#ident.as_ref().map_or(0, |__it| #size(__it)))
        });
        let all = fields.chain(oneofs);
        quote!(0usize #(+ #all)*)
    }

    /// The arms that read a message.
    pub(super) fn takes(&self, message: &Message<'_>) -> TokenStream {
        let rt = self.rt();
        let fields = message.fields.iter().map(|field| {
            let (of, ident, number) = (self.field(field), field.ident, field.number);
            quote!(#number => #of::take(&mut self.#ident, __wire_type, __buf, __ctx),)
        });
        let oneofs = message.oneofs.iter().map(|group| {
            let (fields, take) = (self.oneof(group, "FIELDS"), self.oneof(group, "take"));
            let ident = group.ident;
            quote! {
                __tag if #rt::codec::has(#fields, __tag) => {
                    #take(&mut self.#ident, __tag, __wire_type, __buf, __ctx)
                }
            }
        });
        quote!(#(#fields)* #(#oneofs)*)
    }

    /// The statements that put into files what a message is made of.
    pub(super) fn declares(&self, message: &Message<'_>) -> TokenStream {
        let fields = message.fields.iter().map(|field| {
            let of = self.field(field);
            quote!(#of::declare(__files);)
        });
        let oneofs = message.oneofs.iter().map(|group| {
            let declare = self.oneof(group, "declare");
            quote!(#declare(__files);)
        });
        quote!(#(#fields)* #(#oneofs)*)
    }
}
