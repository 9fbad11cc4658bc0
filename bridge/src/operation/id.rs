//! What an operation is known by, so that a list holds it once.
//!
//! Compared while compiling: two handlers of one operation are an error of the compiler, and it
//! names both.
//!
//! Invariant: a path is compared without the names of its placeholders, as axum routes it.

use contract::const_text::{ConstText, is_same};

/// Which operation a handler is, and where it is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationId {
    /// `POST`, or nothing for a method of a contract.
    pub(crate) verb: &'static str,
    /// The path, or the name of the method.
    pub(crate) name: &'static str,
    /// `shop::orders::place`
    pub(crate) site: &'static str,
}

impl OperationId {
    /// Of a handler that was refused: like no other, so that only its refusal is reported.
    pub const REFUSED: Self = Self::rpc("", "");

    /// A method of a contract. An instance serves a name once, whatever the contract.
    pub const fn rpc(name: &'static str, site: &'static str) -> Self {
        Self {
            verb: "",
            name,
            site,
        }
    }

    /// An HTTP operation: `POST`, `/v1/orders/{id}`.
    pub const fn http(verb: &'static str, path: &'static str, site: &'static str) -> Self {
        Self {
            verb,
            name: path,
            site,
        }
    }

    const fn is_same(&self, other: &Self) -> bool {
        if self.name.is_empty() || !is_same(self.verb, other.verb) {
            return false;
        }
        if self.verb.is_empty() {
            return is_same(self.name, other.name);
        }
        is_same_path(self.name.as_bytes(), other.name.as_bytes())
    }
}

/// The same list, unless two of its operations are one.
///
/// # Panics
///
/// While compiling, when an operation is in the list twice.
#[track_caller]
pub const fn distinct<const N: usize>(
    list: &'static [super::Listed; N],
) -> &'static [super::Listed] {
    let mut second = 1;
    while second < N {
        let mut first = 0;
        while first < second {
            if list[first].id.is_same(&list[second].id) {
                refuse(&list[first].id, &list[second].id);
            }
            first += 1;
        }
        second += 1;
    }
    list
}

#[track_caller]
const fn refuse(first: &OperationId, second: &OperationId) -> ! {
    let gap = if first.verb.is_empty() { "" } else { " " };
    let message = ConstText::new("`")
        .with(second.verb)
        .with(gap)
        .with(second.name)
        .with("` is in the list twice, as `")
        .with(first.site)
        .with("` and as `")
        .with(second.site)
        .with("`; remove one of them")
        .with(if first.verb.is_empty() {
            ""
        } else {
            ", or write the whole path that each is mounted at, with what it is nested below"
        });
    panic!("{}", message.as_str())
}

/// Compares paths that the macro has checked, so every brace has its counterpart.
const fn is_same_path(left: &[u8], right: &[u8]) -> bool {
    let (mut l, mut r) = (0, 0);
    while l < left.len() && r < right.len() {
        if left[l] != right[r] {
            return false;
        }
        let is_placeholder = is_open(left, l) && is_open(right, r);
        if is_open(left, l) != is_open(right, r) {
            return false;
        }
        if !is_placeholder {
            // A doubled brace stands for itself.
            let step = if left[l] == b'{' { 2 } else { 1 };
            (l, r) = (l + step, r + step);
            continue;
        }
        // One that takes the whole rest is another one.
        if (left[l + 1] == b'*') != (right[r + 1] == b'*') {
            return false;
        }
        (l, r) = (behind(left, l), behind(right, r));
    }
    l >= left.len() && r >= right.len()
}

const fn is_open(path: &[u8], at: usize) -> bool {
    path[at] == b'{' && at + 1 < path.len() && path[at + 1] != b'{'
}

/// The place behind the placeholder that begins at `at`.
const fn behind(path: &[u8], mut at: usize) -> usize {
    while at < path.len() && path[at] != b'}' {
        at += 1;
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn post(path: &'static str) -> OperationId {
        OperationId::http("POST", path, "a")
    }

    #[test]
    fn paths_are_the_same_whatever_their_placeholders_are_called() {
        for (left, right, is_same) in [
            ("/orders", "/orders", true),
            ("/orders", "/orders/", false),
            ("/orders/{id}", "/orders/{order}", true),
            ("/orders/{id}/lines", "/orders/{o}/lines", true),
            ("/orders/{id}", "/orders/id", false),
            ("/files/{*rest}", "/files/{*all}", true),
            ("/files/{*rest}", "/files/{name}", false),
            ("/a/{{x}}", "/a/{{x}}", true),
            ("/a/{{x}}", "/a/{x}", false),
        ] {
            assert_eq!(post(left).is_same(&post(right)), is_same, "{left} {right}");
            assert_eq!(post(right).is_same(&post(left)), is_same, "{right} {left}");
        }
    }

    #[test]
    fn methods_of_contracts_and_http_operations_are_different() {
        let get = OperationId::http("GET", "/orders", "a");
        assert!(!get.is_same(&post("/orders")));
        assert!(!OperationId::rpc("/orders", "a").is_same(&post("/orders")));
        assert!(OperationId::rpc("Charge", "a").is_same(&OperationId::rpc("Charge", "b")));
        assert!(!OperationId::REFUSED.is_same(&OperationId::REFUSED));
    }
}
