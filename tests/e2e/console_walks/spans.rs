//! Traces whose times are known: spans of services that only report, over OTLP.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::harness::World;

/// What a span did, as OpenTelemetry says it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Did {
    /// A request of this method and route.
    Served(&'static str, &'static str),
    /// A call of this service and method, and its other end.
    Called(&'static str, &'static str),
    Answered(&'static str, &'static str),
    Published(&'static str),
    Own(&'static str),
}

/// A span; ids are numbers, times milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) trace: u128,
    pub(super) id: u64,
    /// 0 for none.
    pub(super) parent: u64,
    pub(super) service: &'static str,
    pub(super) did: Did,
    pub(super) at_ms: i64,
    pub(super) took_ms: i64,
    /// Why it failed.
    pub(super) error: Option<&'static str>,
}

impl Did {
    fn kind(self) -> u8 {
        match self {
            Self::Own(_) => 1,
            Self::Served(..) | Self::Answered(..) => 2,
            Self::Called(..) => 3,
            Self::Published(_) => 4,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Served(method, route) => [method, " ", route].concat(),
            Self::Called(service, method) | Self::Answered(service, method) => {
                [service, "/", method].concat()
            }
            Self::Published(name) | Self::Own(name) => name.to_owned(),
        }
    }

    fn attributes(self) -> Value {
        let word =
            |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
        match self {
            Self::Served(method, route) => json!([
                word("http.request.method", method),
                word("http.route", route),
            ]),
            Self::Called(service, method) | Self::Answered(service, method) => {
                json!([word("rpc.service", service), word("rpc.method", method),])
            }
            Self::Published(name) => json!([word("messaging.destination.name", name)]),
            Self::Own(_) => json!([]),
        }
    }
}

/// How OTLP names a trace.
pub(super) fn trace_hex(id: u128) -> String {
    format!("{id:032x}")
}

fn nanos(ms: i64) -> String {
    let mut text = ms.to_string();
    text.write_str("000000").expect("a text takes letters");
    text
}

fn service_of(name: &str) -> Value {
    json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": name } }] })
}

fn told(it: &Span) -> Value {
    let status = it
        .error
        .map_or_else(|| json!({}), |why| json!({ "code": 2, "message": why }));
    let mut attributes = it.did.attributes();
    if it.error == Some("timeout") {
        let kind = json!({ "key": "error.type", "value": { "stringValue": "timeout" } });
        attributes.as_array_mut().expect("a list").push(kind);
    }
    json!({
        "traceId": trace_hex(it.trace),
        "spanId": format!("{:016x}", it.id),
        "parentSpanId": if it.parent == 0 { String::new() } else { format!("{:016x}", it.parent) },
        "name": it.did.name(),
        "kind": it.did.kind(),
        "startTimeUnixNano": nanos(it.at_ms),
        "endTimeUnixNano": nanos(it.at_ms + it.took_ms),
        "attributes": attributes,
        "status": status,
    })
}

async fn post(world: &World, path: &str, body: &Value) {
    let url = format!("http://{}{path}", world.health());
    let client = reqwest::Client::new();
    let sent = client.post(url).header("content-type", "application/json");
    let answer = sent.body(body.to_string()).send().await.expect("answered");
    assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
}

/// Sends spans as their services would.
pub(super) async fn send(world: &World, spans: &[Span]) {
    let mut services: Vec<&str> = spans.iter().map(|it| it.service).collect();
    services.sort_unstable();
    services.dedup();
    let of = |name: &str| -> Vec<Value> {
        let mine = spans.iter().filter(|it| it.service == name);
        mine.map(told).collect()
    };
    let parts: Vec<Value> = services
        .into_iter()
        .map(|name| json!({ "resource": service_of(name), "scopeSpans": [{ "spans": of(name) }] }))
        .collect();
    post(world, "/v1/traces", &json!({ "resourceSpans": parts })).await;
}

/// Says something in a span.
pub(super) async fn say(world: &World, span: &Span, after_ms: i64, severity: u8, message: &str) {
    let record = json!({
        "timeUnixNano": nanos(span.at_ms + after_ms),
        "severityNumber": severity,
        "body": { "stringValue": message },
        "traceId": trace_hex(span.trace),
        "spanId": format!("{:016x}", span.id),
    });
    let logs = json!({ "resourceLogs": [{
        "resource": service_of(span.service),
        "scopeLogs": [{ "logRecords": [record] }],
    }]});
    post(world, "/v1/logs", &logs).await;
}
