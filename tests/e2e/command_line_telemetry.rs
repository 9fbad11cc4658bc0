//! Traces, logs and metrics on the command line: filters, pages, following, also over a restart.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::grpc::v1::{
    Channel, Log, LogBatch, LogLevel, MetricBatch, MetricKind, MetricPoint, OpBatch, OpReport,
    PayloadAttachment, PayloadBatch, Status, TelemetryBatch,
};
use contract::ids::{IdMint, OpId, TraceId};
use rustix::process::Signal;
use serde_json::Value;
use tokio_stream::StreamExt as _;

use crate::contracts::v1::{Desk, EchoRequest};
use crate::harness::{Member, Process, World, eventually, on_both_databases};

const SOON: Duration = Duration::from_secs(20);

/// A service that reports what a test wants to read.
struct Reporter {
    member: Member,
    mint: IdMint,
    now_ms: i64,
}

impl Reporter {
    async fn join(world: &World, service: &str) -> Self {
        Self {
            member: Member::provision(&world.address(), &world.key(service).await).await,
            mint: IdMint::system(&world.clock),
            now_ms: world.clock.now().as_millis(),
        }
    }

    /// Reports and waits for the acknowledgement.
    async fn report(&self, world: &World, kinds: Vec<Kind>) {
        let channel = self.member.runtime(&world.address()).await;
        let origin = channel.origin();
        let mut telemetry = TelemetryClient::with_origin(channel, origin);
        let last = kinds.len() as u64;
        let batch = |(sequence, kind)| TelemetryBatch {
            kind: Some(kind),
            sequence,
        };
        let batches: Vec<_> = (1..).zip(kinds).map(batch).collect();
        let frames = tokio_stream::iter(batches).chain(tokio_stream::pending());
        let mut acks = telemetry.report(frames).await.expect("taken").into_inner();
        loop {
            let ack = acks.message().await.expect("no error").expect("no end");
            if ack.acknowledged_sequence == last {
                return;
            }
        }
    }

    /// START and END of an operation that began a while ago and took so long.
    fn op(&self, subject: &str, ago_ms: i64, took_ms: i64, status: Status) -> [OpReport; 2] {
        let start = OpReport {
            trace_id: TraceId::mint(&self.mint).to_string(),
            op_id: OpId::mint(&self.mint).to_string(),
            channel: Channel::User as i32,
            kind: 1,
            subject: subject.to_owned(),
            attempt: 1,
            started_at_ms: self.now_ms - ago_ms,
            status: Status::Pending as i32,
            ..OpReport::default()
        };
        let end = OpReport {
            trace_id: start.trace_id.clone(),
            op_id: start.op_id.clone(),
            finished_at_ms: Some(start.started_at_ms + took_ms),
            status: status as i32,
            status_message: if status == Status::Success {
                ""
            } else {
                "no luck"
            }
            .to_owned(),
            ..OpReport::default()
        };
        [start, end]
    }

    fn log(&self, level: LogLevel, message: &str, op: Option<&OpReport>) -> Log {
        Log {
            at_unix_ms: self.now_ms,
            level: level as i32,
            message: message.to_owned(),
            fields_json: br#"{"sku":"tea"}"#.to_vec(),
            trace_id: op.map(|it| it.trace_id.clone()).unwrap_or_default(),
            op_id: op.map(|it| it.op_id.clone()).unwrap_or_default(),
            instance_id: String::new(),
            source: "sdk".to_owned(),
        }
    }
}

fn ops(items: impl IntoIterator<Item = OpReport>) -> Kind {
    let items = items.into_iter().collect();
    Kind::Ops(OpBatch { items })
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("text")
}

async fn told(world: &World, arguments: &[&str]) -> String {
    text(&world.command_line(arguments).await)
}

async fn json(world: &World, arguments: &[&str]) -> Value {
    let output = told(world, &[arguments, &["-o", "json"]].concat()).await;
    serde_json::from_str(&output).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output}"))
}

/// Subjects of the traces that a command lists.
async fn subjects(world: &World, filters: &[&str]) -> Vec<String> {
    let page = json(world, &[&["trace", "list"], filters].concat()).await;
    let traces = page["traces"].as_array().expect("a list").iter();
    let subject = |it: &Value| it["subject"].as_str().expect("text").to_owned();
    traces.map(subject).collect()
}

/// The command line as a process that goes on.
fn following(world: &World, arguments: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge-under-test"));
    command.env("BRIDGE_DATA", world.data()).args(arguments);
    Process::spawn(&arguments.join(" "), &mut command)
}

on_both_databases! {
    async fn traces_are_found_by_what_they_are(world: World) {
        let tea = Reporter::join(&world, "tea").await;
        let mug = Reporter::join(&world, "mug").await;
        let mut slow = tea.op("brew green", 60_000, 2_500, Status::Success);
        slow[0].channel = Channel::Http as i32;
        tea.report(&world, vec![ops(slow), ops(tea.op("brew black", 40_000, 20, Status::Timeout))]).await;
        mug.report(&world, vec![ops(mug.op("glaze blue", 7_200_000, 30, Status::Error))]).await;

        assert_eq!(subjects(&world, &[]).await, ["brew black", "brew green", "glaze blue"]);
        let two_hours_ago = (mug.now_ms - 7_200_000).to_string();
        for (filters, found) in [
            (&["--service", "mug"][..], &["glaze blue"][..]),
            (&["--service", "nobody"], &[]),
            (&["--failed"], &["brew black", "glaze blue"]),
            (&["--status", "error"], &["glaze blue"]),
            (&["--status", "success,timeout"], &["brew black", "brew green"]),
            (&["--status", "success", "--status", "error"], &["brew green", "glaze blue"]),
            (&["--channel", "http"], &["brew green"]),
            (&["--channel", "user,rpc"], &["brew black", "glaze blue"]),
            (&["--min-duration", "1s"], &["brew green"]),
            (&["--since", "1h"], &["brew black", "brew green"]),
            (&["--until", "1h"], &["glaze blue"]),
            (&["--until", &two_hours_ago], &["glaze blue"]),
            (&["--since", "2100-01-01T00:00:00Z"], &[]),
            (&["--text", "green brew"], &["brew green"]),
            (&["--text", "brew bla"], &["brew black"]),
            (&["--limit", "1", "--failed"], &["brew black"]),
        ] {
            assert_eq!(subjects(&world, filters).await, found, "{filters:?}");
        }
        assert!(told(&world, &["trace", "list", "--service", "nobody"]).await.contains("no traces match"));

        // Page by page, and all at once.
        let page = json(&world, &["trace", "list", "--limit", "2"]).await;
        let next = page["next"].as_str().expect("there is more");
        let rest = subjects(&world, &["--limit", "2", "--cursor", next]).await;
        assert_eq!(rest, ["glaze blue"]);
        assert!(told(&world, &["trace", "list", "--limit", "2"]).await.contains(next));
        let all = told(&world, &["trace", "list", "--all", "-o", "json"]).await;
        let all: Vec<Value> = all.lines().map(|it| serde_json::from_str(it).expect("JSON")).collect();
        assert_eq!(all.len(), 3);
        assert_eq!(told(&world, &["trace", "list", "--all"]).await.lines().count(), 4);
    }

    async fn a_trace_is_shown_with_what_was_logged_sent_and_received_in_it(world: World) {
        let tea = Reporter::join(&world, "tea").await;
        let root = tea.op("brew green", 1_000, 200, Status::Success);
        let mut child = tea.op("boil water", 900, 90, Status::Error);
        for frame in &mut child {
            frame.trace_id = root[0].trace_id.clone();
        }
        child[0].parent_op_id = root[0].op_id.clone();
        let log = tea.log(LogLevel::Warn, "hard water", Some(&child[0]));
        let payload = PayloadAttachment {
            trace_id: root[0].trace_id.clone(),
            op_id: root[0].op_id.clone(),
            direction: 1,
            bytes: br#"{"cups":2,"password":"secret"}"#.to_vec(),
            original_size: 30,
            contract_hash: "raw/json".to_owned(),
        };
        let id = root[0].trace_id.clone();
        tea.report(&world, vec![
            ops(root.into_iter().chain(child)),
            Kind::Logs(LogBatch { items: vec![log] }),
            Kind::Payloads(PayloadBatch { items: vec![payload] }),
        ]).await;

        let plain = json(&world, &["trace", "show", &id]).await;
        assert!(plain.get("logs").is_none() && plain.get("payloads").is_none(), "{plain}");
        let critical = |it: &Value| it["critical"] == true;
        assert!(plain["ops"].as_array().is_some_and(|it| it.len() == 2 && it.iter().all(critical)));
        let shown = json(&world, &["trace", "show", &id.replace('-', ""), "--logs", "--payloads"]).await;
        assert_eq!(shown["logs"][0]["message"], "hard water");
        assert_eq!(shown["payloads"][0]["decoded"]["cups"], 2);
        assert_eq!(shown["payloads"][0]["decoded"]["password"], "***");
        let drawn = told(&world, &["trace", "show", &id, "--logs", "--payloads"]).await;
        for part in ["✗ tea  boil water  ERROR  no luck", "└─ boil water", "hard water sku=", "\"cups\":2"] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        assert!(!drawn.contains('\u{1b}'), "colours only on a terminal: {drawn}");
    }

    async fn a_tail_tells_what_ends_also_after_a_restart_and_ends_with_ctrl_c(world: World) {
        let tea = Reporter::join(&world, "tea").await;
        let mut tail = following(&world, &["trace", "tail", "--failed", "--text", "brew", "-o", "json"]);
        // Whatever ends before the tail has begun is nobody's business, so it is told again.
        let ended = async |subject: &'static str| {
            let (line, _) = eventually(SOON, "told", async || {
                tea.report(&world, vec![
                    ops(tea.op("brew well", 500, 20, Status::Success)),
                    ops(tea.op("glaze badly", 500, 20, Status::Error)),
                    ops(tea.op(subject, 500, 20, Status::Error)),
                ]).await;
                tail.seen(|line| line.contains(subject).then(|| line.to_owned()))
            }).await;
            serde_json::from_str::<Value>(&line).expect("JSON")
        };
        let line = ended("brew badly").await;
        assert_eq!((&line["event"], &line["service"], &line["status"]), (&"op".into(), &"tea".into(), &"ERROR".into()));
        assert_eq!((&line["duration_ms"], &line["message"]), (&20.into(), &"no luck".into()));
        assert_eq!(tail.seen(|line| (line.contains("well") || line.contains("glaze")).then_some(())), None);

        world.runtime().kill();
        tail.line(SOON, "word of the runtime's absence", |line| line.contains("is away").then_some(())).await;
        world.restart().await;
        tail.line(SOON, "word of its return", |line| line.contains("is back").then_some(())).await;
        let again = Reporter::join(&world, "tea").await;
        eventually(SOON, "told after the restart", async || {
            again.report(&world, vec![ops(again.op("brew again", 500, 20, Status::Error))]).await;
            tail.seen(|line| line.contains("brew again").then_some(()))
        }).await;
        tail.signal(Signal::INT);
        let (status, _) = tail.ended(SOON).await;
        assert_eq!(status.code(), Some(0));
    }

    async fn a_runtime_that_stops_does_not_wait_for_who_follows(world: World) {
        let tail = following(&world, &["trace", "tail", "-o", "json"]);
        // The runtime says when it is followed.
        eventually(SOON, "followed", async || {
            let findings = json(&world, &["doctor"]).await.to_string();
            findings.contains("1 followers").then_some(())
        }).await;
        world.terminate();
        let (status, took) = world.runtime().ended(SOON).await;
        assert!(status.success(), "{status}");
        assert!(took < Duration::from_secs(2), "it waited {took:?}");
        tail.line(SOON, "word of the runtime's absence", |line| line.contains("is away").then_some(())).await;
    }

    async fn logs_are_found_by_what_they_say_and_followed_as_they_come(world: World) {
        let tea = Reporter::join(&world, "tea").await;
        let op = tea.op("brew", 500, 20, Status::Success);
        let logs = vec![
            tea.log(LogLevel::Info, "kettle on", None),
            tea.log(LogLevel::Warn, "kettle too hot", Some(&op[0])),
            tea.log(LogLevel::Error, "leaves burnt", None),
        ];
        let trace = op[0].trace_id.clone();
        tea.report(&world, vec![ops(op), Kind::Logs(LogBatch { items: logs })]).await;
        let found = async |filters: &[&str]| {
            let page = json(&world, &[&["logs"], filters].concat()).await;
            let mut lines: Vec<String> = page["logs"].as_array().expect("a list").iter()
                .map(|it| it["message"].as_str().expect("text").to_owned()).collect();
            lines.sort();
            lines
        };
        for (filters, lines) in [
            (&[][..], &["kettle on", "kettle too hot", "leaves burnt"][..]),
            (&["--service", "tea", "--level", "warn"], &["kettle too hot", "leaves burnt"]),
            (&["--service", "nobody"], &[]),
            (&["--trace", &trace], &["kettle too hot"]),
            (&["--text", "kettle"], &["kettle on", "kettle too hot"]),
            (&["--text", "kettle ho"], &["kettle too hot"]),
            (&["--since", "1h", "--level", "error"], &["leaves burnt"]),
            (&["--until", "1h"], &[]),
        ] {
            assert_eq!(found(filters).await, lines, "{filters:?}");
        }
        assert_eq!(told(&world, &["logs", "--all", "-o", "json"]).await.lines().count(), 3);
        let page = json(&world, &["logs", "--limit", "2"]).await;
        let next = page["next"].as_str().expect("there is more");
        assert_eq!(found(&["--limit", "2", "--cursor", next]).await.len(), 1);
        let table = told(&world, &["logs", "--level", "error"]).await;
        assert!(table.contains("error") && table.contains("leaves burnt  sku=\"tea\""), "{table}");

        let mut follow = following(&world, &["logs", "--follow", "--level", "warn", "--limit", "1"]);
        follow.line(SOON, "one of the last lines", |line| line.contains("tea").then_some(())).await;
        let late = Reporter::join(&world, "tea").await;
        let logs = vec![
            late.log(LogLevel::Warn, "cup full", None),
            late.log(LogLevel::Info, "not for us", None),
        ];
        late.report(&world, vec![Kind::Logs(LogBatch { items: logs })]).await;
        follow.line(SOON, "the new line", |line| line.contains("cup full").then_some(())).await;
        assert_eq!(follow.seen(|line| line.contains("not for us").then_some(())), None);
        follow.signal(Signal::TERM);
        assert_eq!(follow.ended(SOON).await.0.code(), Some(0));
        let all = follow.count(|line| line.contains("cup full"));
        assert_eq!(all, 1, "a line is printed once");
    }

    async fn metrics_are_listed_and_drawn(world: World) {
        let tea = Reporter::join(&world, "tea").await;
        let point = |name: &str, kind: MetricKind, ago_ms: i64, value: f64, buckets: &str| MetricPoint {
            at_unix_ms: tea.now_ms - ago_ms,
            name: name.to_owned(),
            kind: kind as i32,
            labels: [("leaf".to_owned(), "green".to_owned())].into(),
            instance_id: String::new(),
            value,
            unit: "s".to_owned(),
            buckets_json: buckets.as_bytes().to_vec(),
        };
        let buckets = r#"[{"le":0.1,"count":9},{"le":1,"count":10},{"le":"+Inf","count":10}]"#;
        let items = vec![
            point("tea.cups", MetricKind::Counter, 60_000, 30.0, ""),
            point("tea.cups", MetricKind::Counter, 30_000, 90.0, ""),
            point("tea.brewing", MetricKind::Histogram, 30_000, 1.4, buckets),
        ];
        tea.report(&world, vec![Kind::Metrics(MetricBatch { items })]).await;
        let names = json(&world, &["metrics", "list"]).await;
        assert_eq!((&names[0]["name"], &names[0]["kind"]), (&"tea.brewing".into(), &"histogram".into()));
        assert!(told(&world, &["metrics", "list", "--service", "nobody"]).await.contains("no metrics"));
        let shown = json(&world, &["metrics", "show", "tea.cups", "--service", "tea", "--since", "10m", "--step", "10s"]).await;
        let points = shown["series"][0]["points"].as_array().expect("points");
        assert_eq!(shown["step_ms"], 10_000);
        assert!(points.iter().any(|it| it["value"] == 9.0), "90 in 10 s: {shown}");
        let course = told(&world, &["metrics", "show", "tea.cups", "--label", "leaf=green", "--since", "5m"]).await;
        assert!(course.contains('█') && course.contains("leaf=green") && course.contains("per second"), "{course}");
        let none = told(&world, &["metrics", "show", "tea.cups", "--label", "leaf=black"]).await;
        assert!(none.contains("no points"), "{none}");
        let shares = json(&world, &["metrics", "show", "tea.brewing", "--quantile", "0.5", "--quantile", "0.95"]).await;
        let labels: Vec<_> = shares["series"].as_array().expect("a list").iter()
            .map(|it| it["labels"]["quantile"].clone()).collect();
        assert!(labels.contains(&"0.5".into()) && labels.contains(&"0.95".into()), "{shares}");
    }

    async fn the_map_shows_what_goes_on(world: World) {
        let _desk = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Desk>();
        let bridge = builder.start().await.expect("starts");
        for _ in 0..10 {
            client.echo(EchoRequest::default()).await.expect("answers");
        }
        let (map, _) = eventually(SOON, "the calls on the map", async || {
            let map = json(&world, &["map", "--window", "1m"]).await;
            (map["links"][0]["load"]["count"] == 10).then_some(map)
        }).await;
        let edge = |it: &&Value| it["method"].as_str().is_some_and(|it| it.contains("Echo"));
        let edge = map["edges"].as_array().expect("edges").iter().find(edge).expect("Echo");
        assert_eq!((&edge["from"], &edge["to"], &edge["declared"]), (&"orders".into(), &"desk".into(), &true.into()));
        assert_eq!(edge["load"]["errors"], 0);
        assert!(map["services"][0]["served"]["count"] == 10, "{map}");
        let picture = told(&world, &["map", "--format", "svg", "--title", "Tea & mugs"]).await;
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
        assert!(picture.contains("Tea &amp; mugs") && picture.contains("/s · p95 "), "{picture}");
        let still = told(&world, &["map", "--format", "svg", "--no-traffic"]).await;
        assert!(!still.contains("p95"), "{still}");
        assert_eq!(still, told(&world, &["map", "--format", "svg", "--no-traffic"]).await);
        assert!(told(&world, &["map"]).await.contains("/s · p95 "));
        assert!(told(&world, &["map", "--format", "mermaid"]).await.contains("/s · p95 "));
        bridge.stop().await;
    }

    async fn wrong_questions_are_answered_with_how_to_ask(world: World) {
        for (arguments, code, told) in [
            (&["trace", "list", "--channel", "smoke"][..], 2, "possible values: http, rpc"),
            (&["trace", "list", "--status", "sad"], 2, "possible values: pending"),
            (&["trace", "list", "--since", "yesterday"], 2, "15m"),
            (&["trace", "list", "--min-duration", "long"], 2, "250ms"),
            (&["trace", "list", "--limit", "0"], 2, "0 is not in"),
            (&["trace", "list", "--cursor", "nonsense"], 1, "start again without one"),
            (&["trace", "show", "nonsense"], 1, "not known"),
            (&["trace", "tail", "--limit", "1"], 2, "--limit"),
            (&["logs", "--level", "loud"], 2, "possible values: debug"),
            (&["logs", "--trace", "nonsense"], 1, "32 hex digits"),
            (&["logs", "--instance", "nonsense"], 1, "not a instance id"),
            (&["logs", "--follow", "--until", "1h"], 2, "cannot be used with"),
            (&["metrics", "show", "x", "--label", "y"], 2, "KEY=VALUE"),
            (&["metrics", "show", "x", "--quantile", "95"], 2, "0 to 1"),
            (&["map", "--format", "oil"], 2, "possible values"),
        ] {
            let output = world.command_line(arguments).await;
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
            assert!(said.contains(told), "{arguments:?}: {said}");
        }
        let findings = json(&world, &["doctor"]).await;
        for check in ["telemetry ops", "telemetry logs", "telemetry metrics", "telemetry payloads",
            "telemetry intake", "telemetry now"] {
            let found = |it: &Value| it["check"] == check && it["verdict"] == "ok";
            assert!(findings.as_array().is_some_and(|it| it.iter().any(found)), "{check}: {findings}");
        }
        world.runtime().kill();
        for command in [&["trace", "tail"][..], &["logs", "--follow"], &["map"], &["trace", "list"]] {
            let output = world.command_line(command).await;
            assert_eq!(output.status.code(), Some(3), "nobody to ask: {command:?}");
            assert!(String::from_utf8_lossy(&output.stderr).contains("start one with"));
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_command_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bridge-under-test"))
        .arg("explain")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}
