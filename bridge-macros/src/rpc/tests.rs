//! What users get from `#[bridge::rpc]`, and that their function stays theirs.
//!
//! Messages are tested with their spans as UI cases of the `bridge` crate; here only how many there
//! are.
//!
//! Invariant: the budget below counts what is added per handler, not what the user wrote.

use proc_macro2::TokenStream;
use quote::quote;

use crate::golden;

use super::rpc;

/// Formatted lines that one handler may add to what the compiler has to read.
const ADDED_LINES_MAX: usize = 60;

fn charge() -> TokenStream {
    quote! {
        /// Charges a card.
        #[tracing::instrument(skip_all)]
        #[must_use]
        pub(crate) async fn charge(
            State(db): State<Db>,
            ChargeRequest { cents, .. }: ChargeRequest,
            ctx: Context,
            prices: bridge::State<Arc<Prices>>,
        ) -> Result<ChargeReply, ChargeError> {
            db.charge(cents, ctx).await
        }
    }
}

fn begins_with(expansion: &TokenStream, item: &TokenStream) -> bool {
    expansion.to_string().starts_with(&item.to_string())
}

#[test]
fn a_handler_with_states_and_context_expands_as_reviewed() {
    golden::check("rpc_full", rpc(quote!(name = "ChargeCard"), charge()));
}

#[test]
fn the_smallest_handler_expands_as_reviewed() {
    let item = quote! {
        async fn r#move(req: MoveRequest) -> Result<MoveReply, MoveError> { step(req).await }
    };
    golden::check("rpc_small", rpc(quote!(crate = my::bridge), item));
}

#[test]
fn a_refused_handler_expands_as_reviewed() {
    let item = quote! { pub fn charge(ctx: Context) {} };
    golden::check("rpc_refused", rpc(quote!(), item));
}

#[test]
fn one_handler_adds_at_most_its_budget_of_lines() {
    let lines = |items| golden::pretty(items).lines().count();
    let added = lines(rpc(quote!(), charge())) - lines(charge());
    assert!(
        added <= ADDED_LINES_MAX,
        "{added} lines added, {ADDED_LINES_MAX} allowed"
    );
}

#[test]
fn the_item_comes_first_and_token_for_token() {
    assert!(begins_with(&rpc(quote!(), charge()), &charge()));
}

#[test]
fn other_attributes_keep_their_order() {
    let expansion = rpc(quote!(), charge()).to_string();
    let instrument = expansion.find("instrument").unwrap();
    let must_use = expansion.find("must_use").unwrap();
    let twin = expansion.find("non_camel_case_types").unwrap();
    assert!(instrument < must_use && must_use < twin);
    assert_eq!(expansion.matches("instrument").count(), 1);
}

#[test]
fn a_half_typed_body_still_yields_the_item_and_its_operation() {
    let item = quote! {
        async fn charge(req: ChargeRequest) -> Result<ChargeReply, ChargeError> {
            let x = req. ;
            if req.cents > { db.
        } }
    };
    let expansion = rpc(quote!(), item.clone());
    assert!(begins_with(&expansion, &item));
    assert!(golden::messages(expansion.clone()).is_empty());
    assert!(expansion.to_string().contains("OperationDef"));
}

#[test]
fn a_half_typed_signature_is_left_to_the_compiler() {
    let item = quote! { async fn charge(req: ) -> Result<ChargeReply, ChargeError> { } };
    assert_eq!(rpc(quote!(), item.clone()).to_string(), item.to_string());
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let item = quote! { fn charge<T>(a: Context, b: &Context, c: State) {} };
    let messages = golden::messages(rpc(quote!(nam = "x", name = ""), item));
    let codes: Vec<&str> = messages.iter().map(|text| &text[..6]).collect();
    assert_eq!(
        codes,
        [
            "BR0002", "BR0011", "BR0013", "BR0019", "BR0016", "BR0020", "BR0018", "BR0014",
            "BR0017"
        ],
    );
}

#[test]
fn a_borrowed_message_is_one_fault() {
    let item = quote! { async fn charge(req: &ChargeRequest) -> Result<A, B> {} };
    assert_eq!(golden::messages(rpc(quote!(), item)).len(), 1);
}

#[test]
fn a_sync_function_that_returns_a_future_is_one_fault() {
    let item = quote! { fn charge(req: ChargeRequest) -> impl Future<Output = Result<A, B>> {} };
    assert_eq!(golden::messages(rpc(quote!(), item)).len(), 1);
}

#[test]
fn types_from_macro_rules_keep_their_role() {
    let group = |tokens| proc_macro2::Group::new(proc_macro2::Delimiter::None, tokens);
    let (state, request) = (group(quote!(State<Db>)), group(quote!(Req)));
    let item = quote! { async fn charge(s: #state, r: #request) -> Result<A, B> {} };
    assert!(golden::messages(rpc(quote!(), item)).is_empty());
}
