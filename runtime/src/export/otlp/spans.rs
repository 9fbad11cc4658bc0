//! Spans as operations: channels and subjects like those of our own services. Pure.
//!
//! | span | channel | subject |
//! |---|---|---|
//! | server, HTTP | HTTP | `http.handle:GET//orders/{id}` |
//! | client, HTTP | USER | `http.call:<peer>/GET /orders/{id}` |
//! | client, RPC | RPC | `rpc.call:<peer>/<service>/<method>` |
//! | server, RPC | RPC | `rpc.handle:<service>/<method>` |
//! | producer | EVENT | `event.publish:<destination>` |
//! | consumer | EVENT | `event.deliver:<destination>/<service>` |
//! | everything else | USER | its name |
//!
//! A span id is the low half of an operation's id, as everywhere; the high half is made from the
//! trace, so that two traces may use one span id.
//!
//! Refuses spans without valid ids or a start.

use contract::ids::{OpId, ServiceId, TraceId};
use serde_json::json;
use uuid::Uuid;

use super::attributes::{self, Bag, number, text};
use super::message::{Event, KeyValue, Link, Scope, Span};
use crate::telemetry::{
    ATTRS_BYTES_MAX, Actor, Channel, Frame, Level, LogEntry, META_BYTES_MAX, MaskKeys, Status,
};

/// Events of one span that become log lines.
const EVENTS_MAX: usize = 128;
/// Links of one span that are kept.
const LINKS_MAX: usize = 8;

/// What a span did, by its kind and attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Work {
    HttpServer { method: String, route: String },
    HttpClient { method: String, route: String },
    RpcServer { method: String },
    RpcClient { method: String },
    Publish { destination: String },
    Deliver { destination: String },
    Own,
}

/// What is known besides the span itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    pub(super) actor: Actor,
    pub(super) service: &'a str,
    pub(super) scope: Option<&'a Scope>,
    pub(super) masks: &'a MaskKeys,
}

/// The service on the other side, and what it is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) id: Option<ServiceId>,
    pub(super) name: String,
}

/// The trace of a span; `None` when its id is not one.
pub(super) fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let id = Uuid::from_bytes(bytes);
    (!id.is_nil()).then(|| TraceId::from_uuid(id))
}

fn span_number(bytes: &[u8]) -> Option<u64> {
    let bytes: [u8; 8] = bytes.try_into().ok()?;
    Some(u64::from_be_bytes(bytes)).filter(|it| *it != 0)
}

/// The operation of a span of a trace.
pub(super) fn op_id(trace: TraceId, span: &[u8]) -> Option<OpId> {
    let span = span_number(span)?;
    let (high, low) = trace.as_uuid().as_u64_pair();
    // A mixture of all bits; without the version of an id that tells a time.
    let mixed = (high ^ low.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let high = (mixed & !0xf000).max(1);
    Some(OpId::from_uuid(Uuid::from_u64_pair(high, span)))
}

/// How a parent is named of which only the span id is known.
pub(super) fn parent_id(span: &[u8]) -> Option<OpId> {
    let span = span_number(span)?;
    Some(OpId::from_uuid(Uuid::from_u64_pair(0, span)))
}

/// What a span did.
pub(super) fn work(span: &Span) -> Work {
    const SERVER: i32 = 2;
    const CLIENT: i32 = 3;
    const PRODUCER: i32 = 4;
    const CONSUMER: i32 = 5;
    let all = &span.attributes;
    let verb = text(all, &["http.request.method", "http.method"]).to_owned();
    let rpc = rpc_method(all);
    match span.kind {
        SERVER if !verb.is_empty() => Work::HttpServer {
            route: path(all, &["http.route"]),
            method: verb,
        },
        CLIENT if !verb.is_empty() && rpc.is_none() => Work::HttpClient {
            route: path(all, &["url.template", "http.route"]),
            method: verb,
        },
        SERVER | CLIENT if rpc.is_some() => {
            let method = rpc.unwrap_or_default();
            match span.kind {
                SERVER => Work::RpcServer { method },
                _ => Work::RpcClient { method },
            }
        }
        PRODUCER => Work::Publish {
            destination: destination(span),
        },
        CONSUMER => Work::Deliver {
            destination: destination(span),
        },
        _ => Work::Own,
    }
}

fn rpc_method(all: &[KeyValue]) -> Option<String> {
    let method = text(all, &["rpc.method"]);
    let service = text(all, &["rpc.service"]);
    match (service, method) {
        ("", "") => None,
        ("", method) => Some(method.trim_start_matches('/').to_owned()),
        (service, method) => Some([service, "/", method].concat()),
    }
}

fn destination(span: &Span) -> String {
    const KEYS: [&str; 2] = ["messaging.destination.name", "messaging.destination"];
    let named = text(&span.attributes, &KEYS);
    if named.is_empty() { &span.name } else { named }.to_owned()
}

/// The route, or the path of the address without its query.
fn path(all: &[KeyValue], routes: &[&str]) -> String {
    let route = text(all, routes);
    if !route.is_empty() {
        return route.to_owned();
    }
    let path = text(all, &["url.path", "http.target"]);
    let path = if path.is_empty() {
        let url = text(all, &["url.full", "http.url"]);
        let rest = url.split_once("://").map_or("", |it| it.1);
        rest.find('/').map_or("", |at| &rest[at..])
    } else {
        path
    };
    path.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// Where a client's span went, as `host:port` or `host`.
pub(super) fn address(span: &Span) -> String {
    let all = &span.attributes;
    let host = text(
        all,
        &["server.address", "net.peer.name", "network.peer.address"],
    );
    let port = number(all, &["server.port", "net.peer.port", "network.peer.port"]);
    if !host.is_empty() {
        return port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    }
    let url = text(all, &["url.full", "http.url"]);
    let rest = url.split_once("://").map_or("", |it| it.1);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default().to_owned()
}

/// The operation of a span, complete; `None` when it has no valid ids or no start.
pub(super) fn frame(span: &Span, around: Around<'_>, other: &Other) -> Option<Frame> {
    let trace = trace_id(&span.trace_id)?;
    let op = op_id(trace, &span.span_id)?;
    let started_at_ms = millis(span.start_time_unix_nano).filter(|it| *it > 0)?;
    let finished_at_ms = millis(span.end_time_unix_nano).unwrap_or(0);
    let work = work(span);
    let (channel, kind) = channel(&work);
    let (status, status_message) = status(span);
    Some(Frame {
        trace,
        op,
        parent: parent_id(&span.parent_span_id),
        channel: Some(channel),
        kind,
        subject: subject(&work, span, around.service, &other.name),
        peer_service: other.id.map(|id| id.to_string()).unwrap_or_default(),
        peer_instance: String::new(),
        business_key: business_key(&work, span),
        attempt: 1,
        started_at_ms,
        finished_at_ms: Some(finished_at_ms.max(started_at_ms)),
        status: Some(status),
        status_message: around.masks.text(&status_message),
        meta_json: meta(span, around),
        attrs_json: attrs(span, around),
    })
}

fn channel(work: &Work) -> (Channel, u32) {
    match work {
        Work::HttpServer { .. } => (Channel::Http, 1),
        Work::RpcServer { .. } | Work::RpcClient { .. } => (Channel::Rpc, 1),
        Work::Publish { .. } => (Channel::Event, 1),
        Work::Deliver { .. } => (Channel::Event, 2),
        Work::HttpClient { .. } | Work::Own => (Channel::User, 1),
    }
}

fn subject(work: &Work, span: &Span, service: &str, other: &str) -> String {
    match work {
        Work::HttpServer { method, route } => ["http.handle:", method, "/", route].concat(),
        Work::HttpClient { method, route } => {
            let gap = if route.is_empty() { "" } else { " " };
            ["http.call:", other, "/", method, gap, route].concat()
        }
        Work::RpcServer { method } => ["rpc.handle:", method].concat(),
        Work::RpcClient { method } => ["rpc.call:", other, "/", method].concat(),
        Work::Publish { destination } => ["event.publish:", destination].concat(),
        Work::Deliver { destination } => ["event.deliver:", destination, "/", service].concat(),
        Work::Own => span.name.clone(),
    }
}

fn business_key(work: &Work, span: &Span) -> String {
    let all = &span.attributes;
    match work {
        Work::HttpServer { method, .. } | Work::HttpClient { method, .. } => {
            [method, " ", &path(all, &[])].concat()
        }
        Work::Publish { .. } | Work::Deliver { .. } => {
            text(all, &["messaging.message.id", "messaging.message_id"]).to_owned()
        }
        Work::RpcServer { .. } | Work::RpcClient { .. } | Work::Own => String::new(),
    }
}

/// Our rule for HTTP, from 400 on an error, where the span does not say; a deadline is a timeout.
fn status(span: &Span) -> (Status, String) {
    const OK: i32 = 1;
    const ERROR: i32 = 2;
    const DEADLINE_EXCEEDED: i64 = 4;
    let all = &span.attributes;
    let said = span.status.as_ref();
    let message = said.map(|it| it.message.clone()).unwrap_or_default();
    let code = said.map_or(0, |it| it.code);
    let http = number(all, &["http.response.status_code", "http.status_code"]);
    let http = http.filter(|it| *it >= 400);
    let kind = text(all, &["error.type", "exception.type"]);
    let grpc = number(all, &["rpc.grpc.status_code"]);
    if code != ERROR && (http.is_none() || code == OK) {
        return (Status::Success, String::new());
    }
    let timed_out = grpc == Some(DEADLINE_EXCEEDED)
        || ["timeout", "deadline_exceeded", "deadline exceeded"]
            .iter()
            .any(|it| kind.eq_ignore_ascii_case(it));
    let message = match (message.is_empty(), http) {
        (false, _) => message,
        (true, Some(http)) => format!("HTTP {http}"),
        (true, None) => kind.to_owned(),
    };
    let status = if timed_out {
        Status::Timeout
    } else {
        Status::Error
    };
    (status, message)
}

fn attrs(span: &Span, around: Around<'_>) -> Vec<u8> {
    let mut bag = Bag::new(ATTRS_BYTES_MAX, around.masks);
    let link = |it: &Link| {
        let trace = trace_id(&it.trace_id)?;
        let span = span_number(&it.span_id)?;
        Some(json!({"trace_id": trace.to_string(), "span_id": format!("{span:016x}")}))
    };
    let links: Vec<_> = span.links.iter().filter_map(link).take(LINKS_MAX).collect();
    if !links.is_empty() {
        bag.add("links", json!(links));
    }
    bag.extend(&span.attributes);
    bag.finish()
}

fn meta(span: &Span, around: Around<'_>) -> Vec<u8> {
    const KINDS: [&str; 6] = [
        "unspecified",
        "internal",
        "server",
        "client",
        "producer",
        "consumer",
    ];
    let mut bag = Bag::new(META_BYTES_MAX, around.masks);
    bag.add("via", json!("otlp"));
    let kind = usize::try_from(span.kind).ok().and_then(|it| KINDS.get(it));
    bag.add("kind", json!(kind));
    bag.add("name", json!(span.name));
    bag.add("trace_state", json!(span.trace_state));
    if let Some(scope) = around.scope {
        bag.add("scope", json!(scope.name));
        bag.add("scope_version", json!(scope.version));
    }
    bag.finish()
}

/// The events of a span as log lines.
pub(super) fn lines(span: &Span, around: Around<'_>, now_ms: i64) -> Vec<LogEntry> {
    let trace = trace_id(&span.trace_id);
    let op = trace.and_then(|trace| op_id(trace, &span.span_id));
    let line = |event: &Event| {
        let is_exception = event.name == "exception";
        let level = if is_exception {
            Level::Error
        } else {
            Level::Info
        };
        let message = if is_exception {
            let kind = text(&event.attributes, &["exception.type"]);
            let said = text(&event.attributes, &["exception.message"]);
            let gap = if kind.is_empty() || said.is_empty() {
                ""
            } else {
                ": "
            };
            [kind, gap, said].concat()
        } else {
            event.name.clone()
        };
        let message = around.masks.text(&message);
        let at_ms = millis(event.time_unix_nano).unwrap_or(0);
        let mut entry = LogEntry::new(around.actor, at_ms, now_ms, level, &message);
        entry.trace = trace;
        entry.op = op;
        let mut bag = Bag::new(crate::telemetry::FIELDS_BYTES_MAX, around.masks);
        bag.add("event", json!(event.name));
        bag.extend(&event.attributes);
        entry.with_fields(&bag.finish())
    };
    span.events.iter().take(EVENTS_MAX).map(line).collect()
}

/// Nanoseconds as the wire has them; `None` when they are not a time that we can hold.
pub(super) fn millis(nanos: u64) -> Option<i64> {
    i64::try_from(nanos / 1_000_000).ok()
}

/// What the map says that this span serves: kind and name.
pub(super) fn served(work: &Work) -> Option<(&'static str, String)> {
    match work {
        Work::HttpServer { method, route } => Some(("http", [method, " ", route].concat())),
        Work::RpcServer { method } => Some(("rpc", method.clone())),
        _ => None,
    }
}

/// What a client's span calls the other side, where it does not tell who that is.
pub(super) fn said_peer(span: &Span) -> &str {
    attributes::text(&span.attributes, &["peer.service", "service.peer.name"])
}
