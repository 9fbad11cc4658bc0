//! Spells names as contracts do.
//!
//! Invariant: the default JSON name of a field is the one that every compiler of `.proto` gives it.

use crate::case::screaming_snake;

/// `order_id` → `orderId`: what protobuf calls a field in JSON.
pub(super) fn json(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut is_start = false;
    for letter in name.chars() {
        match letter {
            '_' => is_start = true,
            letter if is_start => {
                out.push(letter.to_ascii_uppercase());
                is_start = false;
            }
            letter => out.push(letter),
        }
    }
    out
}

/// `CardNumber` → `card_number`: a variant as a field of the contract.
pub(super) fn field(variant: &str) -> String {
    screaming_snake(variant).to_ascii_lowercase()
}

/// `OrderStatus`, `PaidLate` → `ORDER_STATUS_PAID_LATE`: a variant as a value of the contract.
pub(super) fn value(of: &str, variant: &str) -> String {
    format!("{}_{}", screaming_snake(of), screaming_snake(variant))
}

/// Whether a contract can have the name: letters, digits and `_`, a letter first.
pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_as_contracts_do() {
        assert_eq!(json("order_id"), "orderId");
        assert_eq!(json("a__b_1c"), "aB1c");
        assert_eq!(json("x_"), "x");
        assert_eq!(field("CardNumber"), "card_number");
        assert_eq!(value("OrderStatus", "PaidLate"), "ORDER_STATUS_PAID_LATE");
        assert!(is_identifier("a_1") && !is_identifier("_a") && !is_identifier("é"));
    }
}
