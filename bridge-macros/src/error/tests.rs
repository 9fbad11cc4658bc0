//! What users get from `#[derive(bridge::Error)]`.
//!
//! Messages are tested with their spans as UI cases of the `bridge` crate.
//!
//! Invariant: a refused enum still implements the traits, so nothing else complains.

use quote::quote;

use crate::golden;

use super::error;

#[test]
fn units_and_messages_expand_as_reviewed() {
    let input = quote! {
        #[derive(Debug)]
        pub enum ChargeError {
            OutOfStock,
            #[bridge(code = "CARD_DECLINED")]
            Declined(String),
            #[deprecated]
            Legacy(std::string::String),
        }
    };
    golden::check("error_full", error(input));
}

#[test]
fn statuses_fields_and_sources_expand_as_reviewed() {
    let input = quote! {
        enum OrderError {
            #[bridge(status = 409, message = "{left} of {sku} left")]
            OutOfStock { sku: String, left: u32 },
            #[bridge(status = 503, code = "PAYMENTS_DOWN", retryable)]
            Payments(#[source] bridge::CallError),
            #[bridge(grpc = "ABORTED")]
            Storage { order: String, #[source] cause: sqlx::Error },
            Closed,
            #[bridge(transparent)]
            Call(#[from] CallError),
        }
    };
    golden::check("error_rich", error(input));
}

#[test]
fn an_enum_without_variants_expands_as_reviewed() {
    golden::check(
        "error_empty",
        error(quote! { #[bridge(crate = my::bridge)] enum Never {} }),
    );
}

#[test]
fn a_refused_enum_expands_as_reviewed() {
    golden::check(
        "error_refused",
        error(quote! { enum Broken { Fields(String, u32) } }),
    );
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let input = quote! {
        #[bridge(code = "X")]
        enum Broken<T> {
            Twice,
            #[bridge(code = "TWICE")] Again,
            #[bridge(code = "")] Empty(u32),
            #[bridge(code = "A")] #[bridge(code = "B")] Keys,
            #[bridge] Bare,
            #[bridge(code = 7)] Number,
            Two(String, T),
        }
    };
    let messages = golden::messages(error(input));
    let mut codes: Vec<&str> = messages.iter().map(|text| &text[..6]).collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            "BR0001", "BR0001", "BR0002", "BR0003", "BR0031", "BR0032", "BR0032", "BR0033",
            "BR0034"
        ],
    );
}

#[test]
fn all_mistakes_about_what_travels_are_reported_at_once() {
    let input = quote! {
        enum Broken {
            #[bridge(status = 200)] Fine,
            #[bridge(grpc = "OK")] Good,
            Named { status: u32 },
            #[bridge(message = "x")] Text(String),
            Sources { #[source] a: A, #[source] b: B },
            From { #[from] a: A, b: u32 },
            #[bridge(transparent)] Through(A),
            #[bridge(transparent)] Again(#[from] CallError),
            #[bridge(transparent, code = "X")] Coded(#[source] CallError),
            Nothing {},
        }
    };
    let messages = golden::messages(error(input));
    let codes: Vec<&str> = messages.iter().map(|text| &text[..6]).collect();
    assert_eq!(
        codes,
        [
            "BR0035", "BR0036", "BR0037", "BR0032", "BR0039", "BR0039", "BR0032", "BR0038",
            "BR0032", "BR0038", "BR0038"
        ],
        "{messages:#?}"
    );
}

#[test]
fn a_message_that_prints_its_source_is_one_fault() {
    for variant in [
        quote!(
            #[bridge(message = "db: {cause}")]
            Db {
                #[source]
                cause: A,
                b: u32
            }
        ),
        quote!(
            #[bridge(message = "db: {cause:?} {b}")]
            Db {
                #[source]
                cause: A,
                b: u32
            }
        ),
        quote!(
            #[bridge(message = "db: {0}")]
            Db(
                #[source]
                A
            )
        ),
        quote!(
            #[bridge(message = "db: {}")]
            Db(
                #[from]
                A
            )
        ),
        quote!(
            #[bridge(message = "db: {{{r}")]
            Db {
                #[source]
                r#r: A
            }
        ),
    ] {
        let text = variant.to_string();
        let messages = golden::messages(error(quote!(enum Broken { #variant })));
        assert_eq!(messages.len(), 1, "{text}: {messages:?}");
        assert!(messages[0].starts_with("BR0039"), "{text}: {messages:?}");
    }
    let right = quote! {
        enum Storage { #[bridge(message = "{b}: {{cause}}")] Db { #[source] cause: A, b: u32 } }
    };
    assert!(golden::messages(error(right)).is_empty());
}

#[test]
fn a_struct_is_refused_once() {
    assert_eq!(
        golden::messages(error(quote! { struct Broken { field: u32 } })).len(),
        1
    );
}
