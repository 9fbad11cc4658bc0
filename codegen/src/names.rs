//! Rust names of protobuf names.
//!
//! Invariant: what these functions return is a valid Rust identifier, raw where it must be.

use heck::{ToKebabCase, ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// Words that are no names unless they are raw.
const KEYWORDS: [&str; 47] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static",
    "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// A type name.
pub(crate) fn camel(name: &str) -> String {
    identifier(&name.to_upper_camel_case())
}

/// A module, function or field name.
pub(crate) fn snake(name: &str) -> String {
    identifier(&name.to_snake_case())
}

/// The variant of an enum's constant, without the enum's name in front.
pub(crate) fn variant(of: &str, constant: &str) -> String {
    let name = constant.to_upper_camel_case();
    let short = name.strip_prefix(&camel(of)).unwrap_or(&name);
    let starts_a_word = short.starts_with(char::is_uppercase);
    let name = identifier(if starts_a_word { short } else { &name });
    // The variant of numbers without a name has this one in every enum.
    match name.as_str() {
        "Unrecognized" => "UnrecognizedValue".to_owned(),
        _ => name,
    }
}

/// A constant name without a leading underscore problem: it always gets a prefix.
pub(crate) fn shouty(name: &str) -> String {
    name.to_shouty_snake_case()
}

/// The service name that a contract's clients call by default.
pub(crate) fn kebab(name: &str) -> String {
    name.to_kebab_case()
}

/// The modules of a package, outermost first.
pub(crate) fn modules(package: &str) -> Vec<String> {
    package
        .split('.')
        .filter(|segment| !segment.is_empty())
        .map(snake)
        .collect()
}

/// Whether a part of a path has a letter to make a module's name of.
pub(crate) fn can_name_a_module(part: &str) -> bool {
    let name = part.to_snake_case();
    name.chars().any(char::is_alphabetic)
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

fn identifier(name: &str) -> String {
    let name = &in_ascii(name);
    match name.as_str() {
        "" => "_empty".to_owned(),
        "_" | "super" | "self" | "Self" | "extern" | "crate" => format!("{name}_"),
        _ if name.starts_with(|first: char| first.is_numeric()) => format!("_{name}"),
        name if KEYWORDS.contains(&name) => format!("r#{name}"),
        _ => name.to_owned(),
    }
}

/// Names of `.schema.json` may have any characters; not all letters and digits are Rust's.
fn in_ascii(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            plain.push(c);
        } else {
            plain.push_str(&format!("u{:x}", u32::from(c)));
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{camel, kebab, snake, variant};

    #[test]
    fn variants_lose_the_name_of_their_enum() {
        assert_eq!(variant("Kind", "KIND_ONCE"), "Once");
        assert_eq!(variant("Kind", "KINDLY"), "Kindly");
        assert_eq!(variant("Kind", "KIND_2"), "Kind2");
        assert_eq!(variant("Kind", "KIND"), "Kind");
        assert_eq!(variant("Kind", "KIND_UNRECOGNIZED"), "UnrecognizedValue");
    }

    #[test]
    fn keywords_become_raw_or_get_an_underscore() {
        assert_eq!(snake("Type"), "r#type");
        assert_eq!(snake("gen"), "r#gen");
        assert_eq!(snake("Crate"), "crate_");
        assert_eq!(camel("self"), "Self_");
        assert_eq!(snake("2fa"), "_2fa");
    }

    #[test]
    fn letters_and_digits_that_rust_has_not_become_their_numbers() {
        assert_eq!(super::snake("a\u{b9}b"), "aub9b");
        assert_eq!(super::camel("\u{e9}t\u{e9}"), "uc9tue9");
    }

    #[test]
    fn words_are_split_at_case_changes() {
        assert_eq!(snake("GetHTTPStatus"), "get_http_status");
        assert_eq!(camel("line_item"), "LineItem");
        assert_eq!(kebab("OrderBook"), "order-book");
    }
}
