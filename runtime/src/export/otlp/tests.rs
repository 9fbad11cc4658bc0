//! What OTLP in both encodings becomes.

use contract::clock::{Clock, Timestamp};
use contract::ids::{IdMint, InstanceId, ServiceId};
use prost::Message as _;
use serde_json::json;

use super::message::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, LogsRequest, Scope, Span, SpanStatus,
    TracesRequest, Value,
};
use super::points::{MetricsRequest, Number, Points};
use super::spans::{Around, Other, frame, lines, op_id, parent_id, trace_id};
use crate::telemetry::{Actor, Channel, Frame, Level, MaskKeys, Status};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::Text(value.to_owned()))
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn span(kind: i32, attributes: Vec<KeyValue>) -> Span {
    Span {
        trace_id: bytes(TRACE),
        span_id: bytes(SPAN),
        name: "the name".to_owned(),
        kind,
        start_time_unix_nano: 1_700_000_000_123_456_789,
        end_time_unix_nano: 1_700_000_000_223_456_789,
        attributes,
        ..Span::default()
    }
}

fn framed(span: &Span, other: &str) -> Option<Frame> {
    let (clock, _hand) = Clock::manual(Timestamp::from_millis(5));
    let mint = IdMint::seeded(1, &clock);
    let around = Around {
        actor: Actor {
            service: ServiceId::mint(&mint),
            instance: InstanceId::mint(&mint),
        },
        service: "snake",
        scope: Some(&Scope::default()),
        masks: &MaskKeys::default(),
    };
    let other = Other {
        id: None,
        name: other.to_owned(),
    };
    frame(span, around, &other)
}

#[test]
fn json_and_protobuf_say_the_same() {
    let mut sent = span(
        2,
        vec![
            attribute("n", Value::Int(-7)),
            attribute("d", Value::Double(0.5)),
            attribute("b", Value::Bool(true)),
            attribute("x", Value::Bytes(vec![1, 2, 3])),
            attribute(
                "m",
                Value::Map(KeyValueList {
                    values: vec![text("a", "1")],
                }),
            ),
            attribute(
                "l",
                Value::Array(ArrayValue {
                    values: vec![AnyValue {
                        value: Some(Value::Text("e".to_owned())),
                    }],
                }),
            ),
        ],
    );
    sent.parent_span_id = bytes("00f067aa0ba902b7");
    sent.status = Some(SpanStatus {
        message: "no".to_owned(),
        code: 2,
    });
    let json = json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "snake"}}]},
        "scopeSpans": [{"scope": {"name": "lib", "version": null}, "unknown": 1, "spans": [{
            "traceId": TRACE.to_uppercase(), "spanId": SPAN, "parentSpanId": "00f067aa0ba902b7",
            "name": "the name", "kind": 2, "droppedAttributesCount": null, "events": null,
            "startTimeUnixNano": "1700000000123456789", "endTimeUnixNano": 1_700_000_000_223_456_789_u64,
            "status": {"code": 2, "message": "no"},
            "attributes": [
                {"key": "n", "value": {"intValue": "-7"}},
                {"key": "d", "value": {"doubleValue": 0.5}},
                {"key": "b", "value": {"boolValue": true}},
                {"key": "x", "value": {"bytesValue": "AQID"}},
                {"key": "m", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "1"}}]}}},
                {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "e"}]}}},
            ],
        }]}],
    }]});
    let read: TracesRequest = serde_json::from_value(json.clone()).expect("JSON");
    assert_eq!(read.resource_spans[0].scope_spans[0].spans[0], sent);
    let again = TracesRequest::decode(&*read.encode_to_vec()).expect("protobuf");
    assert_eq!(again, read);
    // As text too: there numbers are borrowed or not.
    let read: TracesRequest = serde_json::from_str(&json.to_string()).expect("JSON");
    assert_eq!(again, read);
}

#[test]
fn points_are_read_from_json() {
    let json = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"a","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"asInt":"5","timeUnixNano":"7"}]}},
        {"name":"b","gauge":{"dataPoints":[{"asDouble":"NaN"},{"asDouble":1}]}},
        {"name":"c","histogram":{"dataPoints":[{"count":"3","sum":1.5,"bucketCounts":["1","2"],"explicitBounds":[0.5]}]}},
        {"name":"d","exponentialHistogram":{"dataPoints":[{"scale":-1,"zeroCount":1,"positive":{"offset":-2,"bucketCounts":[1,"2"]}}]}}
    ]}]}]}"#;
    let read: MetricsRequest = serde_json::from_str(json).expect("JSON");
    let metrics = &read.resource_metrics[0].scope_metrics[0].metrics;
    let Some(Points::Sum(sum)) = &metrics[0].points else {
        panic!("{metrics:?}");
    };
    assert!(sum.is_monotonic && sum.data_points[0].value == Some(Number::Int(5)));
    let Some(Points::Gauge(gauge)) = &metrics[1].points else {
        panic!("{metrics:?}");
    };
    assert!(
        gauge.data_points[0]
            .value
            .is_some_and(|it| it.value().is_nan())
    );
    let Some(Points::Histogram(histogram)) = &metrics[2].points else {
        panic!("{metrics:?}");
    };
    assert_eq!(histogram.data_points[0].bucket_counts, [1, 2]);
    let Some(Points::Exponential(it)) = &metrics[3].points else {
        panic!("{metrics:?}");
    };
    assert_eq!(
        it.data_points[0].positive.as_ref().map(|it| it.offset),
        Some(-2)
    );
    for bad in [
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"x"}]}]}]}"#,
        r#"{"resourceLogs":7}"#,
    ] {
        serde_json::from_str::<LogsRequest>(bad).expect_err(bad);
    }
}

#[test]
fn spans_become_operations_with_our_channels_and_subjects() {
    let http = |extra: Vec<KeyValue>| [vec![text("http.request.method", "GET")], extra].concat();
    for (kind, attributes, channel, subject) in [
        (
            2,
            http(vec![
                text("http.route", "/a/{id}"),
                text("url.path", "/a/7"),
            ]),
            Channel::Http,
            "http.handle:GET//a/{id}",
        ),
        (
            2,
            vec![text("http.method", "PUT"), text("http.target", "/a?x=1")],
            Channel::Http,
            "http.handle:PUT//a",
        ),
        (
            3,
            http(vec![text("url.full", "http://desk/a?x=1")]),
            Channel::User,
            "http.call:desk/GET /a",
        ),
        (
            3,
            http(vec![
                text("url.template", "/a/{x}"),
                text("url.full", "http://desk/a/1"),
            ]),
            Channel::User,
            "http.call:desk/GET /a/{x}",
        ),
        (
            3,
            vec![
                text("rpc.system", "grpc"),
                text("rpc.service", "p.Desk"),
                text("rpc.method", "Echo"),
            ],
            Channel::Rpc,
            "rpc.call:desk/p.Desk/Echo",
        ),
        (
            2,
            vec![text("rpc.service", "p.Desk"), text("rpc.method", "Echo")],
            Channel::Rpc,
            "rpc.handle:p.Desk/Echo",
        ),
        (
            4,
            vec![text("messaging.destination.name", "orders")],
            Channel::Event,
            "event.publish:orders",
        ),
        (
            5,
            vec![text("messaging.destination.name", "orders")],
            Channel::Event,
            "event.deliver:orders/snake",
        ),
        (1, http(vec![]), Channel::User, "the name"),
        (3, vec![text("db.system", "x")], Channel::User, "the name"),
    ] {
        let frame = framed(&span(kind, attributes), "desk").expect("sound");
        assert_eq!((frame.channel, &*frame.subject), (Some(channel), subject));
    }
}

#[test]
fn ids_join_with_ours_in_both_directions() {
    let mut sent = span(2, Vec::new());
    sent.parent_span_id = bytes("00f067aa0ba902b7");
    let frame = framed(&sent, "").expect("sound");
    assert_eq!(
        frame.trace.to_string(),
        "0af76519-16cd-43dd-8448-eb211c80319c"
    );
    let parent = frame.parent.expect("has one").to_string();
    assert_eq!(parent, "00000000-0000-0000-00f0-67aa0ba902b7");
    let (high, low) = frame.op.as_uuid().as_u64_pair();
    assert_eq!(low, 0xb7ad_6b71_6920_3331, "what our child was told");
    assert_ne!(high, 0);
    assert_ne!(frame.op.as_uuid().get_version_num(), 7, "tells no time");
    let other = trace_id(&[7; 16]).expect("an id");
    assert_ne!(op_id(other, &sent.span_id), Some(frame.op), "another trace");
    assert_eq!(parent_id(&[]), None);
    assert_eq!(
        (frame.started_at_ms, frame.finished_at_ms),
        (1_700_000_000_123, Some(1_700_000_000_223))
    );
}

#[test]
fn spans_without_ids_or_a_start_are_refused() {
    let sound = span(2, Vec::new());
    let broken: [fn(&mut Span); 5] = [
        |it| it.trace_id = vec![0; 16],
        |it| it.trace_id.truncate(15),
        |it| it.span_id = vec![0; 8],
        |it| it.span_id.clear(),
        |it| it.start_time_unix_nano = 0,
    ];
    for breaks in broken {
        let mut bad = sound.clone();
        breaks(&mut bad);
        assert_eq!(framed(&bad, ""), None, "{bad:?}");
    }
    let mut late = sound;
    late.end_time_unix_nano = 1;
    let frame = framed(&late, "").expect("sound");
    assert_eq!(
        frame.finished_at_ms,
        Some(frame.started_at_ms),
        "never ends before it starts"
    );
}

#[test]
fn how_a_span_ended_is_read_as_ours_are() {
    let code = |status: i64| attribute("http.response.status_code", Value::Int(status));
    let said = |code: i32, message: &str| {
        Some(SpanStatus {
            message: message.to_owned(),
            code,
        })
    };
    for (status, attributes, expected, message) in [
        (None, vec![], Status::Success, ""),
        (None, vec![code(204)], Status::Success, ""),
        (None, vec![code(404)], Status::Error, "HTTP 404"),
        (said(1, ""), vec![code(404)], Status::Success, ""),
        (said(2, "broke"), vec![], Status::Error, "broke"),
        (
            said(2, ""),
            vec![text("error.type", "KeyError")],
            Status::Error,
            "KeyError",
        ),
        (
            said(2, ""),
            vec![text("error.type", "timeout")],
            Status::Timeout,
            "timeout",
        ),
        (
            said(2, ""),
            vec![attribute("rpc.grpc.status_code", Value::Int(4))],
            Status::Timeout,
            "",
        ),
    ] {
        let mut sent = span(2, attributes);
        sent.status = status;
        let frame = framed(&sent, "").expect("sound");
        assert_eq!(
            (frame.status, &*frame.status_message),
            (Some(expected), message)
        );
    }
}

#[test]
fn events_become_lines_of_their_span() {
    let (clock, _hand) = Clock::manual(Timestamp::from_millis(5));
    let mint = IdMint::seeded(1, &clock);
    let masks = MaskKeys::new(&["password".to_owned()]);
    let around = Around {
        actor: Actor {
            service: ServiceId::mint(&mint),
            instance: InstanceId::mint(&mint),
        },
        service: "snake",
        scope: None,
        masks: &masks,
    };
    let mut sent = span(2, Vec::new());
    let event = |name: &str, attributes| super::message::Event {
        time_unix_nano: 1_700_000_000_150_000_000,
        name: name.to_owned(),
        attributes,
    };
    sent.events = vec![
        event("began", vec![text("password", "hunter2")]),
        event(
            "exception",
            vec![
                text("exception.type", "KeyError"),
                text("exception.message", "'x'"),
            ],
        ),
    ];
    let told = lines(&sent, around, 1);
    let short: Vec<_> = told
        .iter()
        .map(|it| (it.level, &*it.message, it.at_ms))
        .collect();
    assert_eq!(
        short,
        [
            (Level::Info, "began", 1_700_000_000_150),
            (Level::Error, "KeyError: 'x'", 1_700_000_000_150),
        ]
    );
    assert!(
        told.iter()
            .all(|it| it.op.is_some() && !it.fields_json.contains("hunter2"))
    );
}

/// Garbage in both encodings: an error or a message, never a panic.
#[test]
fn no_bytes_break_the_readers() {
    let mut random = fastrand::Rng::with_seed(3);
    let whole = TracesRequest {
        resource_spans: vec![super::message::ResourceSpans {
            resource: None,
            scope_spans: vec![super::message::ScopeSpans {
                scope: None,
                spans: vec![span(2, vec![text("a", "b")])],
            }],
        }],
    };
    let whole = whole.encode_to_vec();
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        if let Ok(read) = TracesRequest::decode(&*bytes) {
            for span in read
                .resource_spans
                .iter()
                .flat_map(|it| &it.scope_spans)
                .flat_map(|it| &it.spans)
            {
                let _ = framed(span, "x");
            }
        }
        let _ = MetricsRequest::decode(&*bytes);
        let _ = LogsRequest::decode(&*bytes);
        let _ = serde_json::from_slice::<TracesRequest>(&bytes);
    }
}
