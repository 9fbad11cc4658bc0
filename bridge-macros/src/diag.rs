//! Collects the mistakes of one macro call, so that all of them are reported at once.
//!
//! Refuses a message without a number: users look the number up, and tests name one UI case by it.
//! A number is never reused for another mistake.
//!
//! Invariant: a [`Diag`] is read by [`Diag::finish`]; dropping it unread panics, so a macro cannot
//! forget to report what it found.

use std::cell::RefCell;
use std::fmt;

use quote::ToTokens;

/// What a mistake is, printed as `BR` and four digits. Texts may change, numbers may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    // Keys of any attribute.
    KeyMalformed = 1,
    KeyUnknown = 2,
    KeyTwice = 3,
    KeyDuration = 4,
    KeyOfOtherForm = 5,
    // `#[rpc]`.
    RpcNotAFunction = 10,
    RpcNotAsync = 11,
    RpcMethod = 12,
    RpcGeneric = 13,
    RpcNoMessage = 14,
    RpcTwoMessages = 15,
    RpcTwoContexts = 16,
    RpcNoReturnType = 17,
    RpcName = 18,
    RpcReference = 19,
    RpcStateType = 20,
    RpcQualifier = 21,
    RpcStream = 22,
    RpcIdempotent = 23,
    RpcMesh = 24,
    // `#[derive(Error)]`.
    ErrorNotAnEnum = 30,
    ErrorGeneric = 31,
    ErrorShape = 32,
    ErrorCodeTwice = 33,
    ErrorCodeEmpty = 34,
    ErrorStatus = 35,
    ErrorGrpc = 36,
    ErrorField = 37,
    ErrorTransparent = 38,
    ErrorSource = 39,
    // `handlers!`.
    HandlersNotAPath = 40,
    HandlersTwice = 41,
    // `#[rpc]` above an axum handler.
    HttpMethod = 50,
    HttpPath = 51,
    HttpPlaceholderTwice = 52,
    HttpPlaceholderCount = 53,
    HttpBodyNotLast = 54,
    HttpHeader = 55,
    HttpIdempotent = 56,
    // `#[service]`.
    ServiceNotAnImpl = 60,
    ServiceGeneric = 61,
    ServiceEmpty = 62,
    ServiceReceiver = 63,
    ServiceMethodTwice = 64,
    ServiceHttp = 65,
    // `#[derive(Message)]`, `#[derive(Oneof)]`, `#[derive(Enumeration)]`.
    MessageShape = 70,
    MessageGeneric = 71,
    MessageName = 72,
    MessageNumberMissing = 73,
    MessageNumber = 74,
    MessageNumberTwice = 75,
    MessageFieldType = 76,
    MessageNameTwice = 77,
    MessageKind = 78,
    MessageMapKey = 79,
    MessageOneof = 80,
    EnumerationZero = 81,
    EnumerationUnrecognized = 82,
}

impl Code {
    /// Every code, so that a test can ask for its UI case.
    #[cfg(test)]
    pub(crate) const ALL: [Code; 58] = [
        Code::KeyMalformed,
        Code::KeyUnknown,
        Code::KeyTwice,
        Code::KeyDuration,
        Code::KeyOfOtherForm,
        Code::RpcNotAFunction,
        Code::RpcNotAsync,
        Code::RpcMethod,
        Code::RpcGeneric,
        Code::RpcNoMessage,
        Code::RpcTwoMessages,
        Code::RpcTwoContexts,
        Code::RpcNoReturnType,
        Code::RpcName,
        Code::RpcReference,
        Code::RpcStateType,
        Code::RpcQualifier,
        Code::RpcStream,
        Code::RpcIdempotent,
        Code::RpcMesh,
        Code::ErrorNotAnEnum,
        Code::ErrorGeneric,
        Code::ErrorShape,
        Code::ErrorCodeTwice,
        Code::ErrorCodeEmpty,
        Code::ErrorStatus,
        Code::ErrorGrpc,
        Code::ErrorField,
        Code::ErrorTransparent,
        Code::ErrorSource,
        Code::HandlersNotAPath,
        Code::HandlersTwice,
        Code::HttpMethod,
        Code::HttpPath,
        Code::HttpPlaceholderTwice,
        Code::HttpPlaceholderCount,
        Code::HttpBodyNotLast,
        Code::HttpHeader,
        Code::HttpIdempotent,
        Code::ServiceNotAnImpl,
        Code::ServiceGeneric,
        Code::ServiceEmpty,
        Code::ServiceReceiver,
        Code::ServiceMethodTwice,
        Code::ServiceHttp,
        Code::MessageShape,
        Code::MessageGeneric,
        Code::MessageName,
        Code::MessageNumberMissing,
        Code::MessageNumber,
        Code::MessageNumberTwice,
        Code::MessageFieldType,
        Code::MessageNameTwice,
        Code::MessageKind,
        Code::MessageMapKey,
        Code::MessageOneof,
        Code::EnumerationZero,
        Code::EnumerationUnrecognized,
    ];
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BR{:04}", *self as u16)
    }
}

/// The mistakes found so far in one macro call.
#[derive(Default)]
pub(crate) struct Diag {
    found: RefCell<Option<syn::Error>>,
    read: bool,
}

impl Diag {
    /// Notes a mistake that the user sees underlined at the tokens of `at`.
    pub(crate) fn error(&self, code: Code, at: impl ToTokens, text: impl fmt::Display) {
        self.note(syn::Error::new_spanned(at, format!("{code}: {text}")));
    }

    /// Notes what syn could not parse, at the place where syn stopped.
    pub(crate) fn syntax(&self, code: Code, error: &syn::Error, text: impl fmt::Display) {
        self.note(syn::Error::new(error.span(), format!("{code}: {text}")));
    }

    /// Ends the collection: every mistake in the order found, or none.
    pub(crate) fn finish(mut self) -> Result<(), syn::Error> {
        self.read = true;
        self.found.take().map_or(Ok(()), Err)
    }

    fn note(&self, error: syn::Error) {
        let mut found = self.found.borrow_mut();
        match found.as_mut() {
            Some(earlier) => earlier.combine(error),
            None => *found = Some(error),
        }
    }
}

impl Drop for Diag {
    fn drop(&mut self) {
        // A second panic while unwinding would abort and hide the first one.
        if !self.read && !std::thread::panicking() {
            panic!("a macro dropped its diagnostics without reporting them");
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn every_mistake_is_kept_in_the_order_found() {
        let diag = Diag::default();
        diag.error(Code::RpcNotAsync, quote!(fn), "first");
        diag.error(Code::RpcName, quote!(name), "second");
        let texts: Vec<String> = diag
            .finish()
            .unwrap_err()
            .into_iter()
            .map(|error| error.to_string())
            .collect();
        assert_eq!(texts, ["BR0011: first", "BR0018: second"]);
    }

    #[test]
    fn nothing_found_is_no_error() {
        assert!(Diag::default().finish().is_ok());
    }

    #[test]
    #[should_panic(expected = "without reporting")]
    fn dropping_diagnostics_unread_panics() {
        drop(Diag::default());
    }

    #[test]
    fn every_code_has_a_ui_case() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../bridge/tests/ui");
        let mut reports = String::new();
        let macros = ["rpc", "http", "service", "error", "handlers", "message"];
        for macro_dir in macros.into_iter().chain(["without_mesh"]) {
            let dir = root.join(macro_dir);
            let entries = std::fs::read_dir(&dir);
            for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|ext| ext == "stderr") {
                    reports.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let missing: Vec<String> = Code::ALL
            .iter()
            .map(Code::to_string)
            .filter(|code| !reports.contains(code.as_str()))
            .collect();
        assert!(missing.is_empty(), "codes without a UI case: {missing:?}");
    }
}
