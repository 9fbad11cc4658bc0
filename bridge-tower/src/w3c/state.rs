//! `tracestate`: what tracing systems add to a trace, each under a key of its own.
//!
//! A list that breaks one rule is left out whole, because nobody can tell which of its entries
//! still mean something. A valid one is handed on as it came. What is over the limit is cut by
//! whole entries: those longer than 128 bytes first, then from the end.
//!
//! Invariant: a [`TraceState`] is valid and has at least one entry.

use http::HeaderValue;

use super::list;

/// Entries of a valid list.
const ENTRIES_MAX: usize = 32;
/// Bytes of a list that are handed on. The specification asks for 512 at least; servers and
/// proxies commonly refuse a header line beyond 4 KiB or 8 KiB.
const BYTES_MAX: usize = 4_096;
/// Entries longer than this go first when a list is over [`BYTES_MAX`].
const LONG_ENTRY_BYTES: usize = 128;
/// Bytes of a key.
const KEY_BYTES_MAX: usize = 256;
/// Bytes of a value.
const VALUE_BYTES_MAX: usize = 256;

/// A valid `tracestate`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceState(HeaderValue);

/// The key or the value of an entry breaks the grammar of `tracestate`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{key}={value}` cannot be an entry of tracestate; a key is 1 to 256 of a-z 0-9 _ - * / @ and \
     starts with a letter or digit, a value is 1 to 256 printable ASCII characters without `,` \
     and `=` that do not end with a space"
)]
pub struct InvalidEntry {
    key: String,
    value: String,
}

impl TraceState {
    /// Reads a header's value; several headers are one value, joined by commas in their order.
    /// `None` when it breaks a rule or has no entry.
    pub fn read(value: &HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let (mut entries, mut pieces) = (0, 0);
        for piece in bytes.split(|byte| *byte == b',') {
            pieces += 1;
            let piece = list::trim(piece);
            if piece.is_empty() {
                continue;
            }
            entries += 1;
            if entries > ENTRIES_MAX || !is_entry(piece) {
                return None;
            }
        }
        if entries == pieces && bytes.len() <= BYTES_MAX {
            return Some(Self(value.clone()));
        }
        Self::of(list::members(bytes).collect())
    }

    /// The entries, the most recent one first.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        list::members(self.0.as_bytes())
            .filter_map(|entry| list::split_once(entry, b'='))
            .map(|(key, value)| (list::ascii(key), list::ascii(value)))
    }

    /// The most recent value under `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries().find(|it| it.0 == key).map(|it| it.1)
    }

    /// `state` with this entry in front, in place of those with the same key. Where there is no
    /// room the entries at the end are left out.
    ///
    /// # Errors
    ///
    /// [`InvalidEntry`] when `key` or `value` breaks the grammar.
    pub fn with(state: Option<&Self>, key: &str, value: &str) -> Result<Self, InvalidEntry> {
        let invalid = || InvalidEntry {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        if !is_key(key.as_bytes()) || !is_value(value.as_bytes()) {
            return Err(invalid());
        }
        let first = [key.as_bytes(), value.as_bytes()].join(&b'=');
        let mut entries = vec![first.as_slice()];
        let others = state.map_or(&b""[..], |it| it.0.as_bytes());
        entries.extend(list::members(others).filter(|it| !is_under(it, key)));
        entries.truncate(ENTRIES_MAX);
        Self::of(entries).ok_or_else(invalid)
    }

    /// The state without the entries under `key`; `None` when that leaves nothing.
    pub fn without(&self, key: &str) -> Option<Self> {
        let others = list::members(self.0.as_bytes()).filter(|it| !is_under(it, key));
        Self::of(others.collect())
    }

    /// The header's value.
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }

    /// Cuts valid entries to what is handed on.
    fn of(mut entries: Vec<&[u8]>) -> Option<Self> {
        while list::joined_len(&entries) > BYTES_MAX {
            let long = entries.iter().rposition(|it| it.len() > LONG_ENTRY_BYTES);
            entries.remove(long.unwrap_or(entries.len() - 1));
        }
        list::join(&entries).map(Self)
    }
}

fn is_under(entry: &[u8], key: &str) -> bool {
    list::split_once(entry, b'=').is_some_and(|it| it.0 == key.as_bytes())
}

fn is_entry(entry: &[u8]) -> bool {
    list::split_once(entry, b'=').is_some_and(|(key, value)| is_key(key) && is_value(value))
}

/// Level 1 allowed one `@` with 241 bytes before and 14 behind it; level 2 allows it anywhere but
/// in front, which every key of level 1 satisfies too.
fn is_key(key: &[u8]) -> bool {
    let starts = matches!(key.first(), Some(b'a'..=b'z' | b'0'..=b'9'));
    let continues =
        |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    starts && key.len() <= KEY_BYTES_MAX && key.iter().all(continues)
}

fn is_value(value: &[u8]) -> bool {
    let printable = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'=');
    let ends = value.last().is_some_and(|byte| *byte != b' ');
    ends && value.len() <= VALUE_BYTES_MAX && value.iter().all(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<TraceState> {
        TraceState::read(&HeaderValue::from_str(text).expect("a header value"))
    }

    fn text(state: &TraceState) -> &str {
        state.header().to_str().expect("ASCII")
    }

    #[test]
    fn a_valid_list_is_handed_on_as_it_came() {
        let raw = HeaderValue::from_static("rojo=00f0, congo= t61@x ");
        let state = TraceState::read(&raw).expect("valid");
        assert_eq!(state.header(), raw);
        let entries: Vec<_> = state.entries().collect();
        assert_eq!(entries, [("rojo", "00f0"), ("congo", " t61@x")]);
        assert_eq!(state.get("congo"), Some(" t61@x"));
        assert_eq!(state.get("con"), None);
    }

    #[test]
    fn empty_members_are_left_out_and_nothing_is_no_state() {
        assert_eq!(text(&read(",a=1,, \t,b=2,").expect("valid")), "a=1,b=2");
        for nothing in ["", " ", ",", " , \t,"] {
            assert_eq!(read(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn one_bad_entry_discards_the_list() {
        for bad in [
            "foo", "foo=", "foo= ", "=1", "foo=1=2", "Foo=1", "foo.x=1", "foo =1", "@foo=1",
            "_foo=1", "foo=a\tb", "foo=é",
        ] {
            assert_eq!(read(&format!("a=1,{bad}")), None, "{bad:?}");
        }
        assert!(read(&format!("{}={}", "k".repeat(256), "v".repeat(256))).is_some());
        assert_eq!(read(&format!("{}=1", "k".repeat(257))), None);
        assert_eq!(read(&format!("k={}", "v".repeat(257))), None);
    }

    #[test]
    fn thirty_two_entries_are_a_list_and_thirty_three_are_none() {
        let list = |count| (0..count).map(|at| format!("k{at}=1")).collect::<Vec<_>>();
        assert_eq!(
            read(&list(32).join(",")).map(|it| it.entries().count()),
            Some(32)
        );
        assert_eq!(read(&list(33).join(",")), None);
    }

    #[test]
    fn a_list_over_the_limit_loses_long_entries_first_and_then_its_end() {
        let long = format!("long={}", "x".repeat(200));
        let short = |at| format!("k{at:02}={}", "y".repeat(100));
        let many: Vec<_> = (0..10).map(|_| long.replace("long", "l")).collect();
        let mut entries = vec![long.clone()];
        entries.extend((0..20).map(short));
        entries.extend(many);
        let cut = read(&entries.join(",")).expect("valid");
        assert!(text(&cut).len() <= BYTES_MAX && text(&cut).len() >= 512);
        assert_eq!(cut.entries().filter(|it| it.0.starts_with('k')).count(), 20);
        assert_eq!(
            cut.get("long").map(str::len),
            Some(200),
            "nearest to us, kept longest"
        );

        let mut shorts: Vec<_> = (0..32)
            .map(|at| format!("{}={:0>127}", at % 10, at))
            .collect();
        shorts.iter_mut().for_each(|it| it.truncate(128));
        let cut = read(&shorts.join(",")).expect("valid");
        assert_eq!(cut.entries().count(), 31);
        assert!(text(&cut).starts_with(&shorts[..31].join(",")));
    }

    #[test]
    fn what_we_write_is_in_front_and_the_rest_keeps_its_order() {
        let state = read("a=1,bridge=old,b=2").expect("valid");
        let written = TraceState::with(Some(&state), "bridge", "new").expect("valid");
        assert_eq!(text(&written), "bridge=new,a=1,b=2");
        assert_eq!(
            written.without("bridge").as_ref().map(text),
            Some("a=1,b=2")
        );
        let alone = TraceState::with(None, "bridge", "x").expect("valid");
        assert_eq!(alone.without("bridge"), None);
        for (key, value) in [
            ("Bridge", "x"),
            ("", "x"),
            ("k", ""),
            ("k", "x "),
            ("k", "a,b"),
        ] {
            assert!(
                TraceState::with(Some(&state), key, value).is_err(),
                "{key}={value}"
            );
        }
    }

    #[test]
    fn a_full_list_loses_its_last_entry_to_a_new_one() {
        let full: Vec<_> = (0..32).map(|at| format!("k{at}=1")).collect();
        let full = read(&full.join(",")).expect("valid");
        let written = TraceState::with(Some(&full), "bridge", "x").expect("valid");
        assert_eq!(written.entries().count(), 32);
        assert_eq!(written.get("k31"), None);
        assert_eq!(written.get("k30"), Some("1"));
    }

    #[test]
    fn random_lists_never_panic_and_read_back_as_they_are() {
        let mut random = fastrand::Rng::with_seed(11);
        let alphabet = b"ab1_-*/@=,, \t;Z\xff";
        for _ in 0..100_000 {
            let bytes: Vec<u8> = (0..random.usize(..40))
                .map(|_| alphabet[random.usize(..alphabet.len())])
                .collect();
            let Ok(raw) = HeaderValue::from_bytes(&bytes) else {
                continue;
            };
            let Some(state) = TraceState::read(&raw) else {
                continue;
            };
            assert!(state.entries().count() >= 1);
            assert_eq!(TraceState::read(state.header()), Some(state));
        }
    }
}
