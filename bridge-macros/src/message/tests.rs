//! What users get from the derives of contracts.
//!
//! Messages are tested with their spans as UI cases of the `bridge` crate.

use quote::quote;

use crate::golden;

use super::{enumeration, message, oneof};

#[test]
fn a_message_expands_as_reviewed() {
    let input = quote! {
        /// An order.
        #[bridge(package = "shop.orders.v1", name = "PlaceOrder")]
        pub struct Place {
            /// Who.
            #[bridge(1)]
            customer: String,
            #[bridge(7, fixed64, json = "seenAt")]
            seen: Option<u64>,
            #[bridge(oneof)]
            method: Option<Method>,
            #[bridge(3, key = "sint32")]
            counts: BTreeMap<i32, Line>,
        }
    };
    golden::check("message", message(input));
}

#[test]
fn a_message_with_two_oneofs_expands_as_reviewed() {
    let input = quote! {
        #[bridge(package = "shop.v1", crate = my::bridge)]
        struct Two {
            #[bridge(oneof)]
            left: Option<Left>,
            #[bridge(4)]
            inner: Option<Box<Self>>,
            #[bridge(oneof)]
            right: Option<Right>,
        }
    };
    golden::check("message_oneofs", message(input));
}

#[test]
fn a_oneof_expands_as_reviewed() {
    let input = quote! {
        enum Method {
            #[bridge(5)]
            Card(Card),
            #[bridge(4, sint32, name = "points_used")]
            Points(i32),
        }
    };
    golden::check("oneof", oneof(input));
}

#[test]
fn an_enum_expands_as_reviewed() {
    let input = quote! {
        #[bridge(package = "shop.orders.v1")]
        enum OrderStatus {
            #[bridge(0)]
            Unspecified,
            /// Money came.
            #[bridge(-1)]
            Paid,
            Unrecognized(i32),
        }
    };
    golden::check("enumeration", enumeration(input));
}

#[test]
fn a_refused_message_expands_as_reviewed() {
    let input = quote! {
        #[bridge(package = "shop.v1")]
        struct Broken {
            text: String,
        }
    };
    golden::check("message_refused", message(input));
}
