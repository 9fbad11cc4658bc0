//! What users get from `#[bridge::service]`, and that their methods stay theirs.
//!
//! Messages are tested with their spans as UI cases of the `bridge` crate.
//!
//! Invariant: what is emitted of the block differs from it between the parentheses of
//! `#[bridge::rpc(…)]` and nowhere else.

use proc_macro2::TokenStream;
use quote::quote;

use crate::golden;
use crate::rpc::tests::ADDED_LINES_MAX;

use super::service;

fn payments() -> TokenStream {
    quote! {
        impl Payments {
            const LIMIT: Limit = Limit { cents: 100 };

            /// Charges a card.
            #[tracing::instrument(skip_all)]
            #[bridge::rpc(name = "ChargeCard")]
            pub async fn charge(&self, req: ChargeRequest, ctx: Context) -> Result<ChargeReply, ChargeError> {
                self.db.charge(req, ctx).await
            }

            #[bridge::rpc]
            fn statement(&self, req: StatementRequest) -> impl Stream<Item = Result<Line, ChargeError>> {
                self.db.lines(req)
            }

            fn inner(&mut self) {}
        }
    }
}

#[test]
fn methods_and_streams_expand_as_reviewed() {
    golden::check("service_full", service(quote!(), payments()));
}

#[test]
fn a_refused_service_expands_as_reviewed() {
    let item =
        quote! { impl Payments { #[rpc] async fn charge(&mut self, req: Req) -> Result<A, B> {} } };
    golden::check("service_refused", service(quote!(crate = my::bridge), item));
}

#[test]
fn one_method_adds_at_most_its_budget_of_lines() {
    let lines = |items| golden::pretty(items).lines().count();
    let added = lines(service(quote!(), payments())) - lines(payments());
    assert!(
        added <= 2 * ADDED_LINES_MAX,
        "{added} lines added for two methods"
    );
}

#[test]
fn the_block_comes_first_and_differs_in_the_attributes_read() {
    let expansion = service(quote!(), payments()).to_string();
    let marked = payments()
        .to_string()
        .replace(r#"rpc (name = "ChargeCard")"#, "rpc (__read_by_service)")
        .replace("rpc]", "rpc (__read_by_service)]");
    assert!(expansion.starts_with(&marked), "{expansion}");
}

#[test]
fn half_typed_bodies_still_yield_the_block_and_its_handlers() {
    let item = quote! {
        impl Payments {
            #[rpc] async fn charge(&self, req: Req) -> Result<A, B> { let x = req. ; if { self. } }
        }
    };
    let expansion = service(quote!(), item);
    assert!(golden::messages(expansion.clone()).is_empty());
    assert!(expansion.to_string().contains("OperationDef"));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let item = quote! {
        impl<T> Payments<T> {
            #[rpc] fn a(&mut self, req: Req) -> Result<A, B> {}
            #[rpc] async fn b(self, req: Req) -> Result<A, B> {}
            #[rpc(name = "B")] async fn c(&self, req: Req) -> Result<A, B> {}
            #[rpc(name = "B")] async fn d(&self, req: Req) -> Result<A, B> {}
            #[rpc(get, "/x")] async fn e(&self) {}
            #[rpc] async fn f(req: Req) -> Result<Self, B> {}
        }
    };
    let messages = golden::messages(service(quote!(), item));
    let codes: Vec<&str> = messages.iter().map(|text| &text[..6]).collect();
    assert_eq!(
        codes,
        [
            "BR0061", "BR0063", "BR0011", "BR0063", "BR0065", "BR0063", "BR0063", "BR0064",
            "BR0064"
        ],
        "{messages:#?}"
    );
}
