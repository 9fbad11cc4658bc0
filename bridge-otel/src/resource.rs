//! Who sends: the attributes that all spans and metrics of a process have in common.

use contract::clock::Clock;
use contract::ids::IdMint;

use crate::attributes::text;
use crate::proto::Writer;

/// Name and version under which our own instrumentation goes.
const SCOPE: (&str, &str) = ("bridge-tower", env!("CARGO_PKG_VERSION"));

/// Longest list of attributes or headers in a variable of the environment, in bytes.
pub(crate) const LIST_BYTES_MAX: usize = 65_536;

/// Resource and scope, as the fields of a request that come before its content.
#[derive(Clone, Debug)]
pub(crate) struct Preamble {
    resource: Vec<u8>,
    scope: Vec<u8>,
}

impl Preamble {
    /// What `attributes` do not say gets its usual value; a later one wins over an earlier one.
    pub(crate) fn new(attributes: &[(String, String)], clock: &Clock) -> Self {
        let instance = IdMint::system(clock).v7().to_string();
        let usual = [
            ("service.name", "unknown_service"),
            ("service.instance.id", &instance),
            ("telemetry.sdk.name", "bridge"),
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ];
        let said = attributes.iter().map(|(key, value)| (&**key, &**value));
        let mut all: Vec<(&str, &str)> = Vec::new();
        for (key, value) in usual.into_iter().chain(said) {
            match all.iter_mut().find(|it| it.0 == key) {
                Some(known) => known.1 = value,
                None => all.push((key, value)),
            }
        }
        let mut resource = Writer::default();
        resource.message(1, |it| {
            for (key, value) in all {
                text(it, 1, key, value);
            }
        });
        let mut scope = Writer::default();
        scope.message(1, |it| {
            it.text(1, SCOPE.0);
            it.text(2, SCOPE.1);
        });
        Self {
            resource: resource.0,
            scope: scope.0,
        }
    }

    /// A request with this content: spans or metrics, each as field 2. The layout of the two kinds
    /// of requests is the same.
    pub(crate) fn request(&self, content: &[u8]) -> Vec<u8> {
        let mut scoped = Writer::default();
        scoped.joined(2, &[&self.scope, content]);
        let mut request = Writer::default();
        request.joined(1, &[&self.resource, &scoped.0]);
        request.0
    }
}

/// Reads `key=value,key=value` with percent-encoded values, as variables of the environment
/// spell resource attributes and headers. `None` when it is anything else.
pub(crate) fn read_list(text: &str) -> Option<Vec<(String, String)>> {
    if text.len() > LIST_BYTES_MAX {
        return None;
    }
    let entries = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let read = |entry: &str| {
        let (key, value) = entry.split_once('=')?;
        let key = percent_decoded(key.trim())?;
        (!key.is_empty()).then_some(())?;
        Some((key, percent_decoded(value.trim())?))
    };
    entries.map(read).collect()
}

/// Text with `%41` read as `A`. `None` when what comes out is not UTF-8.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let code = digits
            .filter(|it| *first == b'%' && it.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_the_environment_spells_them() {
        let list = read_list(" a=1, b = x%2Cy%20z ,,c=,d=e=f,e=100%");
        let pairs = [
            ("a", "1"),
            ("b", "x,y z"),
            ("c", ""),
            ("d", "e=f"),
            ("e", "100%"),
        ];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(list, Some(pairs.to_vec()));
        assert_eq!(read_list(""), Some(Vec::new()));
        for wrong in ["a", "=b", "a=%ff", &"a=1,".repeat(LIST_BYTES_MAX)] {
            assert_eq!(read_list(wrong), None);
        }
    }
}
