//! Records as spans: names, kinds and attributes of the stable HTTP conventions.
//!
//! A span's id is the low half of its operation's id, as in the headers that named it to others.

use bridge_tower::Recorder;
use bridge_tower::record::{Ending, Kind, Record, Verb};

use crate::attributes::{number, peer, text};
use crate::proto::Writer;

/// `SPAN_KIND_SERVER` and `SPAN_KIND_CLIENT`.
const SERVER: u64 = 2;
const CLIENT: u64 = 3;
/// `STATUS_CODE_ERROR`.
const ERROR: u64 = 2;
/// Flags of a span: its trace is recorded, it is known whether the parent is another process's,
/// and it is.
const SAMPLED: u32 = 0x01;
const REMOTE_IS_KNOWN: u32 = 0x100;
const REMOTE: u32 = 0x200;

/// Number of the attributes' field in a span.
const ATTRIBUTES: u8 = 9;

/// Appends the span of an ended request, as field 2 of what it is part of.
pub(crate) fn encode(record: &Record, recorder: &Recorder, scheme: &str, into: &mut Writer) {
    let route = recorder.route_name(record.route);
    let route = route.as_deref();
    into.message(2, |span| {
        identity(record, span);
        let name = method_in_name(record.verb);
        match route {
            Some(route) => span.message(5, |it| {
                for part in [name, " ", route] {
                    it.0.extend_from_slice(part.as_bytes());
                }
            }),
            None => span.text(5, name),
        }
        let started = nanos(record.started.as_micros());
        let took = u64::try_from(record.duration.as_nanos()).unwrap_or(u64::MAX);
        span.number(
            6,
            if record.kind == Kind::Server {
                SERVER
            } else {
                CLIENT
            },
        );
        span.fixed64(7, started);
        span.fixed64(8, started.saturating_add(took));
        match record.kind {
            Kind::Server => server(record, route, scheme, span),
            Kind::Client => client(record, route, span),
        }
        both(record, span);
        status(record, span);
    });
}

/// Microseconds since the epoch as the wire counts them.
pub(crate) fn nanos(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or(0).saturating_mul(1_000)
}

/// Status from which on an answer is an error of this side.
pub(crate) fn error_status(kind: Kind) -> u16 {
    match kind {
        Kind::Server => 500,
        Kind::Client => 400,
    }
}

fn identity(record: &Record, span: &mut Writer) {
    span.bytes(1, record.context.trace.as_uuid().as_bytes());
    span.bytes(2, &record.context.span_id().to_be_bytes());
    if let Some(state) = record.carried.as_ref().and_then(|it| it.state()) {
        span.text(3, state.header().to_str().unwrap_or_default());
    }
    let mut flags = SAMPLED | REMOTE_IS_KNOWN;
    if let Some(parent) = record.parent {
        let (_, low) = parent.as_uuid().as_u64_pair();
        span.bytes(4, &low.to_be_bytes());
        if record.kind == Kind::Server {
            flags |= REMOTE;
        }
    }
    span.fixed32(16, flags);
}

/// The conventions put `HTTP` where the method is not one that HTTP defines.
fn method_in_name(verb: Verb) -> &'static str {
    match verb {
        Verb::Other => "HTTP",
        known => known.as_str(),
    }
}

fn server(record: &Record, route: Option<&str>, scheme: &str, span: &mut Writer) {
    text(span, ATTRIBUTES, "url.path", record.path.as_str());
    text(span, ATTRIBUTES, "url.scheme", scheme);
    if let Some(route) = route {
        text(span, ATTRIBUTES, "http.route", route);
    }
}

fn client(record: &Record, template: Option<&str>, span: &mut Writer) {
    text(span, ATTRIBUTES, "url.full", record.path.as_str());
    if let Some(address) = &record.peer {
        peer(span, ATTRIBUTES, address);
    }
    if let Some(template) = template {
        text(span, ATTRIBUTES, "url.template", template);
    }
}

fn both(record: &Record, span: &mut Writer) {
    text(
        span,
        ATTRIBUTES,
        "http.request.method",
        record.verb.as_str(),
    );
    if record.status != 0 {
        number(
            span,
            ATTRIBUTES,
            "http.response.status_code",
            record.status.into(),
        );
    }
    let version = match record.version {
        9 => "0.9",
        10 => "1.0",
        11 => "1.1",
        20 => "2",
        30 => "3",
        _ => return,
    };
    text(span, ATTRIBUTES, "network.protocol.version", version);
}

/// A client that left is nobody's error here, though the span says why it is short.
fn status(record: &Record, span: &mut Writer) {
    let is_error = record.status >= error_status(record.kind);
    let (kind, is_error) = match record.ending {
        Ending::Panicked => ("panic", true),
        Ending::Failed => ("failed", true),
        Ending::Aborted => ("cancelled", record.kind == Kind::Client),
        Ending::Running | Ending::Answered => ("", is_error),
    };
    if !kind.is_empty() {
        text(span, ATTRIBUTES, "error.type", kind);
    } else if is_error {
        text(span, ATTRIBUTES, "error.type", &record.status.to_string());
    }
    if is_error {
        span.message(15, |it| it.number(3, ERROR));
    }
}
