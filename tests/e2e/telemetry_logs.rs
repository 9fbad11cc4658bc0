//! Logs, metrics and payloads as an independent client reports and reads them.

use std::collections::HashMap;
use std::time::Duration;

use contract::clock::Clock;
use contract::grpc::v1::control_client::ControlClient;
use contract::grpc::v1::registry_client::RegistryClient;
use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::grpc::v1::{
    self, GetPayloadRequest, IncomingMethod, Log, LogBatch, LogLevel, MethodType, MetricBatch,
    MetricKind, MetricPoint, OpBatch, OpReport, OpenRequest, PayloadAttachment, PayloadBatch,
    QueryLogsRequest, QueryMetricsRequest, RegisterRequest, TelemetryAck, TelemetryBatch,
};
use contract::ids::{IdMint, OpId, TraceId};
use contract::transport::Channel;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use crate::harness::{Member, World, eventually, on_both_databases};

const ANSWER_MAX: Duration = Duration::from_secs(5);

async fn member(world: &World, service: &str) -> Member {
    Member::provision(&world.address(), &world.key(service).await).await
}

async fn client(world: &World, member: &Member) -> TelemetryClient<Channel> {
    let channel = member.runtime(&world.address()).await;
    let origin = channel.origin();
    TelemetryClient::with_origin(channel, origin)
}

/// A client of a service that may ask.
async fn reader(world: &World) -> TelemetryClient<Channel> {
    world.set("telemetry.services_may_query", "true").await;
    let reader = client(world, &member(world, "reader").await).await;
    let ask = async || {
        let asked = QueryLogsRequest::default();
        reader.clone().query_logs(asked).await.ok()
    };
    eventually(ANSWER_MAX, "allowed to ask", ask).await;
    reader
}

/// One open report stream.
struct Report {
    frames: tokio::sync::mpsc::Sender<TelemetryBatch>,
    acks: Streaming<TelemetryAck>,
    sequence: u64,
}

impl Report {
    async fn open(world: &World, member: &Member) -> Self {
        let (frames, receiver) = tokio::sync::mpsc::channel(16);
        let mut client = client(world, member).await;
        let acks = client.report(ReceiverStream::new(receiver)).await;
        Self {
            frames,
            acks: acks.expect("taken").into_inner(),
            sequence: 0,
        }
    }

    /// Sends a batch and waits until it is acknowledged.
    async fn send(&mut self, kind: Kind) -> TelemetryAck {
        self.sequence += 1;
        let batch = TelemetryBatch {
            kind: Some(kind),
            sequence: self.sequence,
        };
        self.frames.send(batch).await.expect("the stream is open");
        loop {
            let ack = Clock::system().timeout(ANSWER_MAX, self.acks.next()).await;
            let ack = ack.expect("in time").expect("no end").expect("no error");
            assert!(ack.acknowledged_sequence <= self.sequence);
            if ack.acknowledged_sequence == self.sequence {
                return ack;
            }
        }
    }

    async fn logs(&mut self, items: Vec<Log>) -> TelemetryAck {
        self.send(Kind::Logs(LogBatch { items })).await
    }

    async fn metrics(&mut self, items: Vec<MetricPoint>) -> TelemetryAck {
        self.send(Kind::Metrics(MetricBatch { items })).await
    }

    async fn payloads(&mut self, items: Vec<PayloadAttachment>) -> TelemetryAck {
        self.send(Kind::Payloads(PayloadBatch { items })).await
    }
}

fn log(at_unix_ms: i64, level: LogLevel, message: &str) -> Log {
    Log {
        at_unix_ms,
        level: level as i32,
        message: message.to_owned(),
        fields_json: b"{}".to_vec(),
        source: "sdk".to_owned(),
        ..Log::default()
    }
}

async fn messages(reader: &TelemetryClient<Channel>, asked: QueryLogsRequest) -> Vec<String> {
    let page = reader.clone().query_logs(asked).await.expect("answers");
    let entries = page.into_inner().entries.into_iter();
    entries.map(|it| it.message).collect()
}

fn attached(mint: &IdMint, bytes: &[u8], contract_hash: &str) -> PayloadAttachment {
    PayloadAttachment {
        trace_id: TraceId::mint(mint).to_string(),
        op_id: OpId::mint(mint).to_string(),
        direction: 1,
        bytes: bytes.to_vec(),
        original_size: i32::try_from(bytes.len()).expect("small"),
        contract_hash: contract_hash.to_owned(),
    }
}

async fn payload(
    reader: &TelemetryClient<Channel>,
    of: &PayloadAttachment,
) -> Result<v1::GetPayloadResponse, tonic::Status> {
    let asked = GetPayloadRequest {
        trace_id: of.trace_id.clone(),
        op_id: of.op_id.clone(),
        direction: of.direction,
    };
    let found = reader.clone().get_payload(asked).await;
    found.map(tonic::Response::into_inner)
}

on_both_databases! {
    async fn logs_are_filtered_by_trace_level_service_and_words(world: World) {
        let (shop, desk) = (member(&world, "shop").await, member(&world, "desk").await);
        let mint = IdMint::system(&Clock::system());
        let (trace, at) = (TraceId::mint(&mint), world.clock.now().as_millis());
        let zero = OpId::NONE.to_string();
        let of_trace = Log {
            trace_id: trace.to_string(),
            op_id: OpId::mint(&mint).to_string(),
            // Said to be somebody else's: the certificate counts.
            instance_id: desk.instance.to_string(),
            ..log(at - 30, LogLevel::Warn, "card declined")
        };
        let mut reports = Report::open(&world, &shop).await;
        reports.logs(vec![
            Log { op_id: zero.clone(), trace_id: zero, source: "console".to_owned(),
                  ..log(at - 40, LogLevel::Debug, "cart opened") },
            of_trace.clone(),
            Log { fields_json: b"not json".to_vec(), level: 0, source: "runtime".to_owned(),
                  ..log(at - 20, LogLevel::Info, "mail sent") },
        ]).await;
        let mut theirs = Report::open(&world, &desk).await;
        let ack = theirs.logs(vec![log(at - 10, LogLevel::Error, "card reader on fire")]).await;
        assert_eq!((ack.drop_count_server_side, ack.backpressure_level), (0, 0));
        assert!(ack.received_bytes_high_water > 0);

        let reader = reader(&world).await;
        let any = QueryLogsRequest::default;
        let all = ["card reader on fire", "mail sent", "card declined", "cart opened"];
        let answer = reader.clone().query_logs(any()).await.expect("answers").into_inner();
        let told: Vec<_> = answer.entries.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(told, all);
        let declined = &answer.entries[2];
        assert_eq!(declined, &Log { instance_id: shop.instance.to_string(), ..of_trace });
        let opened = &answer.entries[3];
        assert_eq!((&*opened.trace_id, &*opened.op_id, &*opened.source), ("", "", "console"));
        let sent = &answer.entries[1];
        assert_eq!((sent.level, &*sent.source), (LogLevel::Info as i32, "sdk"));
        assert_eq!(sent.fields_json, br#"{"_truncated":true}"#);

        for (asked, expected) in [
            (QueryLogsRequest { service_id: desk.service.to_string(), ..any() }, &all[..1]),
            (QueryLogsRequest { instance_id: shop.instance.to_string(), ..any() }, &all[1..]),
            (QueryLogsRequest { trace_id: trace.to_string(), ..any() }, &all[2..3]),
            (QueryLogsRequest { min_level: LogLevel::Error as i32, ..any() }, &all[..1]),
            (QueryLogsRequest { text_query: "DECL card".to_owned(), ..any() }, &[]),
            (QueryLogsRequest { text_query: "card DECL".to_owned(), ..any() }, &all[2..3]),
            (QueryLogsRequest { from_unix_ms: at - 30, to_unix_ms: at - 20, ..any() }, &all[1..3]),
        ] {
            assert_eq!(messages(&reader, asked.clone()).await, expected, "{asked:?}");
        }
        let first = reader.clone().query_logs(QueryLogsRequest { limit: 3, ..any() }).await;
        let cursor = first.expect("answers").into_inner().next_cursor;
        let rest = QueryLogsRequest { limit: 3, cursor, ..any() };
        assert_eq!(messages(&reader, rest).await, &all[3..]);
        for bad in [
            QueryLogsRequest { cursor: "x".to_owned(), ..any() },
            QueryLogsRequest { service_id: "shop".to_owned(), ..any() },
            QueryLogsRequest { min_level: 9, ..any() },
        ] {
            let refused = reader.clone().query_logs(bad).await.expect_err("refused");
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        }
    }

    async fn what_is_sent_again_on_a_new_stream_is_there_once(world: World) {
        let shop = member(&world, "shop").await;
        let at = world.clock.now().as_millis() - 60_000;
        let lines = vec![log(at, LogLevel::Info, "one"), log(at, LogLevel::Info, "one")];
        let delta = MetricPoint {
            at_unix_ms: at,
            name: "orders".to_owned(),
            kind: MetricKind::Counter as i32,
            value: 10.0,
            ..MetricPoint::default()
        };
        for _ in 0..3 {
            let mut reports = Report::open(&world, &shop).await;
            reports.logs(lines.clone()).await;
            let ack = reports.metrics(vec![delta.clone()]).await;
            assert_eq!(ack.drop_count_server_side, 0, "a repeat is no loss");
        }
        let reader = reader(&world).await;
        assert_eq!(messages(&reader, QueryLogsRequest::default()).await, ["one", "one"]);
        let asked = QueryMetricsRequest {
            name: "orders".to_owned(),
            from_unix_ms: at,
            to_unix_ms: at + 30_000,
            step_seconds: 10,
            ..QueryMetricsRequest::default()
        };
        let answer = reader.clone().query_metrics(asked).await.expect("answers").into_inner();
        assert_eq!(answer.series[0].values.iter().sum::<f64>(), 1.0, "10 in 10 seconds, once");
    }

    async fn metrics_are_added_up_and_unsound_ones_counted(world: World) {
        let shop = member(&world, "shop").await;
        let minute = world.clock.now().as_millis() / 60_000 * 60_000 - 120_000;
        let labels = HashMap::from([("route".to_owned(), "/a".to_owned())]);
        let point = |kind: MetricKind, at: i64, name: &str, value: f64| MetricPoint {
            at_unix_ms: minute + at,
            name: name.to_owned(),
            kind: kind as i32,
            labels: labels.clone(),
            value,
            unit: "1".to_owned(),
            ..MetricPoint::default()
        };
        let buckets = br#"[{"le":0.1,"count":1},{"le":1,"count":3},{"le":"+Inf","count":4}]"#;
        let latency = MetricPoint {
            buckets_json: buckets.to_vec(),
            ..point(MetricKind::Histogram, 1, "latency", 2.0)
        };
        let mut reports = Report::open(&world, &shop).await;
        reports.metrics(vec![
            point(MetricKind::Counter, 1, "orders", 30.0),
            point(MetricKind::Counter, 251, "orders", 30.0),
            point(MetricKind::Counter, 20_001, "orders", 120.0),
            point(MetricKind::Gauge, 0, "depth", 4.0),
            point(MetricKind::Gauge, 45_000, "depth", 8.0),
            latency.clone(),
            MetricPoint { at_unix_ms: minute + 300, ..latency.clone() },
        ]).await;
        let ack = reports.metrics(vec![
            point(MetricKind::Gauge, 0, "depth", f64::NAN),
            point(MetricKind::Unspecified, 0, "depth", 1.0),
            MetricPoint { buckets_json: Vec::new(), ..latency },
        ]).await;
        assert_eq!(ack.drop_count_server_side, 3);

        let reader = reader(&world).await;
        let ask = async |name: &str, percentiles: &[f64]| {
            let asked = QueryMetricsRequest {
                service_id: shop.service.to_string(),
                instance_id: shop.instance.to_string(),
                name: name.to_owned(),
                from_unix_ms: minute,
                to_unix_ms: minute + 59_999,
                label_filters: labels.clone(),
                step_seconds: 60,
                percentiles: percentiles.to_vec(),
            };
            reader.clone().query_metrics(asked).await.map(|it| it.into_inner().series)
        };
        let orders = ask("orders", &[]).await.expect("answers");
        assert_eq!(orders.len(), 1);
        assert_eq!((&orders[0].labels, &orders[0].instance_id), (&labels, &shop.instance.to_string()));
        assert_eq!((&*orders[0].ts_unix_ms, &*orders[0].values, &*orders[0].max_values),
                   (&[minute][..], &[3.0][..], &[12.0][..]));
        let depth = ask("depth", &[]).await.expect("answers");
        assert_eq!((&*depth[0].values, &*depth[0].max_values), (&[5.0][..], &[8.0][..]));
        let latency = ask("latency", &[0.5]).await.expect("answers");
        assert_eq!((latency.len(), &*latency[0].values), (2, &[0.5][..]));
        assert_eq!(latency[1].labels["quantile"], "0.5");
        assert!((latency[1].values[0] - 0.55).abs() < 1e-9, "{latency:?}");
        for (name, percentiles) in [("", &[][..]), ("latency", &[95.0][..])] {
            let refused = ask(name, percentiles).await.expect_err("refused");
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        }
    }

    async fn payloads_are_masked_cut_and_shown_to_their_operation_only(world: World) {
        let (shop, desk) = (member(&world, "shop").await, member(&world, "desk").await);
        let mint = IdMint::system(&Clock::system());
        let reader = reader(&world).await;
        let mut reports = Report::open(&world, &shop).await;
        let body = attached(&mint, br#"{"user":"ada","password":"hunter2","pin":7}"#, "raw/json");
        let ack = reports.payloads(vec![body.clone(), PayloadAttachment { direction: 3, ..body.clone() }]).await;
        assert_eq!(ack.drop_count_server_side, 1, "there is no third direction");
        let found = payload(&reader, &body).await.expect("is there");
        assert_eq!(found.raw_bytes, br#"{"user":"ada","password":"***","pin":7}"#);
        assert_eq!(found.decoded_bytes, found.raw_bytes);
        assert_eq!((found.original_size, found.schema_drift), (body.original_size, false));

        // What is a secret and how much is kept are settings, and live.
        world.set("telemetry.mask_keys", "pin").await;
        world.set("telemetry.payload_max_bytes", "20").await;
        let (again, _) = eventually(ANSWER_MAX, "masked otherwise", async || {
            reports.payloads(vec![body.clone()]).await;
            let found = payload(&reader, &body).await.expect("is there");
            (found.raw_bytes.len() == 20).then_some(found)
        }).await;
        assert_eq!(again.raw_bytes, br#"{"user":"ada","passw"#);
        assert_eq!(again.original_size, body.original_size);

        // Somebody else cannot put words into an operation's mouth.
        let op = OpReport {
            trace_id: body.trace_id.clone(),
            op_id: body.op_id.clone(),
            channel: v1::Channel::Http as i32,
            kind: 1,
            started_at_ms: world.clock.now().as_millis(),
            ..OpReport::default()
        };
        reports.send(Kind::Ops(OpBatch { items: vec![op] })).await;
        let forged = PayloadAttachment { bytes: b"[\"forged\"]".to_vec(), ..body.clone() };
        let other_way = PayloadAttachment { direction: 2, ..forged.clone() };
        let mut theirs = Report::open(&world, &desk).await;
        theirs.payloads(vec![forged, other_way.clone()]).await;
        assert_eq!(payload(&reader, &body).await.expect("is there").raw_bytes, again.raw_bytes);
        let missing = payload(&reader, &other_way).await.expect_err("none of its own");
        assert_eq!(missing.code(), Code::NotFound, "{missing}");
    }

    async fn a_message_is_decoded_and_masked_by_its_registered_schema(world: World) {
        let (shop, desk) = (member(&world, "shop").await, member(&world, "desk").await);
        let channel = desk.runtime(&world.address()).await;
        let origin = channel.origin();
        let open = OpenRequest { protocol_version: 1, ..OpenRequest::default() };
        let mut control = ControlClient::with_origin(channel.clone(), origin.clone());
        let _session = control.open(open).await.expect("a session").into_inner();
        let declared = RegisterRequest {
            incoming: vec![IncomingMethod {
                r#type: MethodType::Rpc as i32,
                name: "Login".to_owned(),
                contract_hash: "v2:login".to_owned(),
                input_schema_json: br#"{"fields":{"user":{"type":"string","id":1},"password":{"type":"string","id":2}}}"#.to_vec(),
                output_schema_json: br#"{"fields":{"session":{"type":"uint64","id":1}}}"#.to_vec(),
                ..IncomingMethod::default()
            }],
            call_endpoint: "127.0.0.1:1".to_owned(),
            protocol_version: 1,
            ..RegisterRequest::default()
        };
        let mut registry = RegistryClient::with_origin(channel, origin);
        let mut watch = registry.register_and_watch(declared).await.expect("taken").into_inner();
        watch.message().await.expect("no error").expect("a snapshot");

        let mint = IdMint::system(&Clock::system());
        let request = attached(&mint, b"\x0a\x03ada\x12\x07hunter2", "v2:login");
        let answer = PayloadAttachment { direction: 2, ..attached(&mint, b"\x08\x2a", "v2:login") };
        let unknown = attached(&mint, b"\x0a\x03ada", "v2:other");
        let mut reports = Report::open(&world, &shop).await;
        reports.payloads(vec![request.clone(), answer.clone(), unknown.clone()]).await;
        let reader = reader(&world).await;
        let found = payload(&reader, &request).await.expect("is there");
        assert_eq!(found.raw_bytes, b"\x0a\x03ada\x12\x03***");
        assert_eq!(found.decoded_bytes, br#"{"password":"***","user":"ada"}"#);
        assert!(!found.schema_drift);
        let found = payload(&reader, &answer).await.expect("is there");
        assert_eq!(found.decoded_bytes, br#"{"session":42}"#);
        let found = payload(&reader, &unknown).await.expect("is there");
        assert_eq!((found.raw_bytes, found.decoded_bytes), (unknown.bytes, Vec::new()));
        assert!(found.schema_drift);
    }

    async fn everything_acknowledged_survives_a_kill(world: World) {
        let shop = member(&world, "shop").await;
        let mint = IdMint::system(&Clock::system());
        let at = world.clock.now().as_millis();
        let mut reports = Report::open(&world, &shop).await;
        reports.logs(vec![log(at, LogLevel::Info, "kept")]).await;
        let point = MetricPoint {
            at_unix_ms: at,
            name: "depth".to_owned(),
            kind: MetricKind::Gauge as i32,
            value: 3.0,
            ..MetricPoint::default()
        };
        reports.metrics(vec![point]).await;
        let body = attached(&mint, b"[1]", "raw/json");
        reports.payloads(vec![body.clone()]).await;
        world.runtime().kill();
        world.restart().await;
        let reader = reader(&world).await;
        assert_eq!(messages(&reader, QueryLogsRequest::default()).await, ["kept"]);
        let asked = QueryMetricsRequest { name: "depth".to_owned(), ..QueryMetricsRequest::default() };
        let answer = reader.clone().query_metrics(asked).await.expect("answers").into_inner();
        assert_eq!(answer.series[0].max_values[0], 3.0);
        assert_eq!(payload(&reader, &body).await.expect("is there").raw_bytes, b"[1]");
    }

    async fn disabled_telemetry_is_acknowledged_and_discarded(world: World) {
        let shop = member(&world, "shop").await;
        let reader = reader(&world).await;
        world.set("telemetry.enable", "false").await;
        let mut reports = Report::open(&world, &shop).await;
        let at = world.clock.now().as_millis();
        let mut nth = 0;
        // The setting reaches the running process within moments.
        eventually(ANSWER_MAX, "a discarded line", async || {
            nth += 1;
            let message = format!("line {nth}");
            reports.logs(vec![log(at + nth, LogLevel::Info, &message)]).await;
            let all = messages(&reader, QueryLogsRequest::default()).await;
            (!all.contains(&message)).then_some(())
        })
        .await;
        world.set("telemetry.enable", "true").await;
        eventually(ANSWER_MAX, "a line that is kept", async || {
            nth += 1;
            let message = format!("line {nth}");
            reports.logs(vec![log(at + nth, LogLevel::Info, &message)]).await;
            let all = messages(&reader, QueryLogsRequest::default()).await;
            all.contains(&message).then_some(())
        })
        .await;
    }
}
