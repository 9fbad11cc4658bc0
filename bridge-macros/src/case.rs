//! Spells a Rust name the way the contract or the wire wants it.
//!
//! Works on ASCII capitals; other letters are kept as they are.
//!
//! Invariant: equal names give equal spellings, so a default name never depends on its surroundings.

/// `charge_card` → `ChargeCard`: a function as a proto method.
pub(crate) fn upper_camel(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters)
        })
        .collect()
}

/// `OutOfStock` → `OUT_OF_STOCK`: a variant as a code on the wire.
pub(crate) fn screaming_snake(name: &str) -> String {
    words(name).join("_").to_ascii_uppercase()
}

/// `OutOfStock` → `out of stock`: a variant as a message for people.
pub(crate) fn sentence(name: &str) -> String {
    words(name).join(" ").to_ascii_lowercase()
}

/// Cuts before a capital that follows a small letter or digit, and before the last capital of an
/// acronym, so that `HTTPError` is two words.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1);
        let starts = letter.is_ascii_uppercase()
            && (before.is_some_and(|before| !before.is_ascii_uppercase())
                || after.is_some_and(char::is_ascii_lowercase));
        if letter == '_' || starts {
            words.push(String::new());
        }
        if letter != '_'
            && let Some(word) = words.last_mut()
        {
            word.push(letter);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_names_become_method_names() {
        assert_eq!(upper_camel("charge"), "Charge");
        assert_eq!(upper_camel("charge_card_v2"), "ChargeCardV2");
        assert_eq!(upper_camel("_charge__card"), "ChargeCard");
        assert_eq!(upper_camel("__"), "");
    }

    #[test]
    fn variant_names_become_codes() {
        assert_eq!(screaming_snake("OutOfStock"), "OUT_OF_STOCK");
        assert_eq!(screaming_snake("HTTPError"), "HTTP_ERROR");
        assert_eq!(screaming_snake("V2Done"), "V2_DONE");
        assert_eq!(screaming_snake("Card_Declined"), "CARD_DECLINED");
        assert_eq!(screaming_snake("X"), "X");
    }

    #[test]
    fn variant_names_become_messages() {
        assert_eq!(sentence("OutOfStock"), "out of stock");
    }
}
