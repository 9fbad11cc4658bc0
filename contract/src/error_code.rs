//! The closed list of public error codes: what each means, what to do, how it travels.
//!
//! This is the error catalogue: `bridge explain`, the documentation and both sides of the wire
//! read the same table. Handlers' own codes (`CARD_DECLINED`) are not here: they are free text
//! inside [`ErrorCode::Handler`].

use std::fmt;

/// What went wrong, as a program would ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// An option, key or schema is wrong.
    Config,
    /// The operation does not fit the present state.
    State,
    /// A connection could not be made or was lost.
    Connection,
    /// The deadline passed; the outcome is unknown.
    Timeout,
    /// The caller gave up.
    Cancelled,
    /// Policy, revocation or identity forbids it.
    AccessDenied,
    /// There is no such thing.
    NotFound,
    /// An argument or declaration is wrong.
    Validation,
    /// Something with this key is there already or under way.
    Conflict,
    /// The workflow run has ended.
    Terminal,
    /// No instance can take the call now.
    NoLiveInstance,
    /// The other side has no room now.
    Overloaded,
    /// A local queue is at its bound.
    QueueFull,
    /// The event name breaks the naming rule.
    InvalidEventName,
    /// The called handler answered with an error of its own.
    Handler,
    /// Everything else.
    Internal,
}

struct Entry {
    code: ErrorCode,
    text: &'static str,
    grpc: i32,
    http: u16,
    retryable: bool,
    meaning: &'static str,
    advice: &'static str,
}

macro_rules! catalogue {
    ($($code:ident $text:literal grpc $grpc:literal http $http:literal $retry:ident: $meaning:literal => $advice:literal;)*) => {
        const CATALOGUE: &[Entry] = &[$(Entry {
            code: ErrorCode::$code,
            text: $text,
            grpc: $grpc,
            http: $http,
            retryable: catalogue!(@ $retry),
            meaning: $meaning,
            advice: $advice,
        }),*];

        impl ErrorCode {
            /// Every code, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$code),*];
        }
    };
    (@ retry) => { true };
    (@ once) => { false };
}

catalogue! {
    Config "CONFIG" grpc 9 http 500 once:
        "an option, key, schema or address is wrong" =>
        "correct the option the message names and start again";
    State "STATE" grpc 9 http 500 once:
        "the operation does not fit the present state, such as a call before start" =>
        "start the bridge first, and start it once";
    Connection "CONNECTION" grpc 14 http 503 retry:
        "a connection could not be made, or the other side refused before any handler ran" =>
        "check that the address is reachable and the peer is up, then repeat";
    Timeout "TIMEOUT" grpc 4 http 504 once:
        "the deadline passed; whether the work was done is unknown" =>
        "repeat only what may run twice, or ask for the outcome; give more time if it needs it";
    Cancelled "CANCELLED" grpc 1 http 499 once:
        "the caller gave up before the answer" =>
        "nothing, unless nobody meant to cancel";
    AccessDenied "ACCESS_DENIED" grpc 7 http 403 once:
        "policy, revocation or a missing identity forbids it" =>
        "check the key and the rules of both services";
    NotFound "NOT_FOUND" grpc 5 http 404 once:
        "the callee does not serve this method, or there is no such thing" =>
        "check the name and that the service runs the version you expect";
    Validation "VALIDATION" grpc 3 http 400 once:
        "an argument or declaration is wrong" =>
        "correct what the message names; a repeat gives the same answer";
    Conflict "CONFLICT" grpc 6 http 409 once:
        "the same idempotency key is in use, or the thing exists already" =>
        "wait for the first, or use a new key for new work";
    Terminal "TERMINAL" grpc 9 http 409 once:
        "the workflow run has ended" =>
        "start a new run, or replay this one";
    NoLiveInstance "NO_LIVE_INSTANCE" grpc 14 http 503 retry:
        "no instance serves this method with this contract hash now" =>
        "start the service, deploy both sides with the same contract, or repeat later";
    Overloaded "OVERLOADED" grpc 8 http 503 retry:
        "the other side has no free slot" =>
        "repeat after a pause, or add instances";
    QueueFull "QUEUE_FULL" grpc 8 http 503 retry:
        "a local queue is at its bound" =>
        "send slower or raise the bound";
    InvalidEventName "INVALID_EVENT_NAME" grpc 3 http 400 once:
        "an event name is lower-case letters, digits, `_` and `-` in segments joined by dots" =>
        "rename the event";
    Handler "HANDLER" grpc 2 http 422 once:
        "the called handler ran and answered with an error of its own" =>
        "look at the handler's code and message";
    Internal "INTERNAL" grpc 13 http 500 once:
        "something broke that should not" =>
        "look at the log of the side the message names, and report it";
}

impl ErrorCode {
    fn entry(self) -> &'static Entry {
        // The table is in the order of the enum; a test holds it there.
        &CATALOGUE[self as usize]
    }

    /// The code as it is written everywhere: `NO_LIVE_INSTANCE`.
    pub fn as_str(self) -> &'static str {
        self.entry().text
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        CATALOGUE
            .iter()
            .find(|entry| entry.text == text)
            .map(|entry| entry.code)
    }

    /// Whether repeating the same request later may succeed. `TIMEOUT` is not: the work may have
    /// been done.
    pub fn retryable(self) -> bool {
        self.entry().retryable
    }

    /// The code a gRPC status number stands for at the caller.
    pub fn from_grpc(status: i32) -> Self {
        match status {
            1 => Self::Cancelled,
            3 | 9 | 11 => Self::Validation,
            4 => Self::Timeout,
            5 | 12 => Self::NotFound,
            6 => Self::Conflict,
            7 | 16 => Self::AccessDenied,
            8 => Self::Overloaded,
            14 => Self::Connection,
            _ => Self::Internal,
        }
    }

    /// The gRPC status number that carries this code best.
    pub fn to_grpc(self) -> i32 {
        self.entry().grpc
    }

    /// The HTTP status that carries this code best.
    pub fn http_status(self) -> u16 {
        self.entry().http
    }

    /// What it means, in one sentence.
    pub fn meaning(self) -> &'static str {
        self.entry().meaning
    }

    /// What to do about it, in one sentence.
    pub fn advice(self) -> &'static str {
        self.entry().advice
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_has_every_code_once_and_in_order() {
        assert_eq!(ErrorCode::ALL.len(), 16);
        for (index, code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(*code as usize, index);
            assert_eq!(code.entry().code, *code);
            assert_eq!(ErrorCode::parse(code.as_str()), Some(*code));
            assert!(!code.meaning().is_empty() && !code.advice().is_empty());
        }
    }

    #[test]
    fn exactly_four_codes_invite_a_repeat() {
        let retryable: Vec<_> = ErrorCode::ALL
            .iter()
            .filter(|c| c.retryable())
            .map(|c| c.as_str())
            .collect();
        assert_eq!(
            retryable,
            ["CONNECTION", "NO_LIVE_INSTANCE", "OVERLOADED", "QUEUE_FULL"]
        );
    }

    #[test]
    fn grpc_statuses_map_as_the_contract_says() {
        let table = [
            (1, "CANCELLED"),
            (2, "INTERNAL"),
            (3, "VALIDATION"),
            (4, "TIMEOUT"),
            (5, "NOT_FOUND"),
            (6, "CONFLICT"),
            (7, "ACCESS_DENIED"),
            (8, "OVERLOADED"),
            (9, "VALIDATION"),
            (10, "INTERNAL"),
            (11, "VALIDATION"),
            (12, "NOT_FOUND"),
            (13, "INTERNAL"),
            (14, "CONNECTION"),
            (15, "INTERNAL"),
            (16, "ACCESS_DENIED"),
            (99, "INTERNAL"),
        ];
        for (status, code) in table {
            assert_eq!(
                ErrorCode::from_grpc(status).as_str(),
                code,
                "status {status}"
            );
        }
    }
}
