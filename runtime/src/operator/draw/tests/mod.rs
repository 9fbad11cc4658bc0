//! Pictures of maps and traces.

mod layout;

use serde_json::json;

use super::{Look, dot, mermaid, svg, tree, tree_as};
use crate::operator::model::{
    Link, LiveMap, LiveService, Load, LogLine, PayloadShown, TraceOp, TraceTree,
};
use crate::registry::{MapInstance, MapMethod, MapService};

fn service(name: &str, instances: usize, methods: &[(&str, &str)]) -> LiveService {
    let instance = |at: usize| MapInstance {
        id: format!("0198c0de-0000-7000-8000-{at:012}"),
        status: "connected".to_owned(),
        call_endpoint: "10.0.0.1:1".to_owned(),
        http_endpoint: String::new(),
        sdk: "rust 0.1".to_owned(),
        unhealthy_since_unix_ms: 0,
        health: "healthy".to_owned(),
        certificate: None,
        connected_since_unix_ms: None,
    };
    let method = |(kind, name): &(&str, &str)| MapMethod {
        kind: (*kind).to_owned(),
        name: (*name).to_owned(),
        contract_hash: String::new(),
        instances,
    };
    LiveService {
        service: MapService {
            id: String::new(),
            name: name.to_owned(),
            status: "active".to_owned(),
            instances: (0..instances).map(instance).collect(),
            methods: methods.iter().map(method).collect(),
        },
        served: None,
    }
}

fn load(per_second: f64, errors: u64, p95_ms: f64) -> Load {
    Load {
        count: (per_second * 300.0) as u64,
        errors,
        per_second,
        p50_ms: p95_ms / 3.0,
        p95_ms,
        p99_ms: p95_ms * 2.0,
    }
}

fn link(from: &str, to: &str, methods: &[&str], load: Option<Load>) -> Link {
    Link {
        from: from.to_owned(),
        to: to.to_owned(),
        methods: methods.iter().map(|it| (*it).to_owned()).collect(),
        declared: true,
        live: true,
        load,
    }
}

/// A shop: everything a picture can show.
fn shop() -> LiveMap {
    let mut orders = service(
        "orders",
        3,
        &[
            ("http", "POST /v1/orders"),
            ("http", "GET /v1/orders/{id}"),
            ("rpc", "Place"),
        ],
    );
    orders.served = Some(load(42.0, 18, 87.0));
    let mut inventory = service("inventory", 2, &[("rpc", "Reserve"), ("rpc", "Release")]);
    inventory.served = Some(load(41.2, 0, 4.0));
    inventory.service.instances[1].unhealthy_since_unix_ms = 1;
    let mut payments = service("payments", 2, &[("rpc", "Charge")]);
    payments.served = Some(load(12.4, 330, 620.0));
    let mut legacy = link("orders", "mailer", &["rpc Send"], None);
    legacy.live = false;
    let mut unsaid = link(
        "payments",
        "ledger",
        &["rpc Book", "rpc Void"],
        Some(load(0.04, 0, 2.4)),
    );
    unsaid.declared = false;
    LiveMap {
        window_ms: 300_000,
        services: vec![
            inventory,
            service("ledger", 1, &[("rpc", "Book"), ("rpc", "Void")]),
            orders,
            payments,
            service("reports", 0, &[]),
        ],
        edges: Vec::new(),
        links: vec![
            link(
                "",
                "orders",
                &["http POST /v1/orders", "http GET /v1/orders/{id}"],
                Some(load(42.0, 18, 87.0)),
            ),
            link(
                "orders",
                "inventory",
                &["rpc Release", "rpc Reserve"],
                Some(load(41.2, 0, 4.0)),
            ),
            legacy,
            link(
                "orders",
                "payments",
                &["rpc Charge"],
                Some(load(12.4, 330, 620.0)),
            ),
            link(
                "payments",
                "orders",
                &["rpc Place"],
                Some(load(0.3, 0, 12.0)),
            ),
            unsaid,
        ],
        uncounted: 0,
    }
}

/// Sixty services in five tiers.
fn city() -> LiveMap {
    let mut random = fastrand::Rng::with_seed(11);
    let name = |at: usize| {
        let tier = ["gateway", "edge", "domain", "core", "store"][at / 12];
        format!("{tier}-{:02}", at % 12)
    };
    let services =
        (0..60).map(|at| service(&name(at), 1 + at % 4, &[("rpc", "Get"), ("rpc", "Put")]));
    let mut links = Vec::new();
    for at in 0..48 {
        for _ in 0..1 + at % 2 {
            let to = (at / 12 + 1) * 12 + random.usize(..12);
            let seen = random.u8(..5) > 0;
            let load =
                seen.then(|| load(random.f64() * 90.0, random.u64(..40), random.f64() * 200.0));
            links.push(link(&name(at), &name(to), &["rpc Get"], load));
        }
    }
    links.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
    links.dedup_by(|a, b| a.from == b.from && a.to == b.to);
    let mut services: Vec<_> = services.collect();
    services.sort_by(|a, b| a.service.name.cmp(&b.service.name));
    LiveMap {
        window_ms: 300_000,
        services,
        links,
        ..LiveMap::default()
    }
}

#[test]
fn a_picture_shows_who_calls_whom_how_often_how_well_and_how_fast() {
    let text = svg(&shop(), "The shop");
    for shown in [
        ">The shop</text>",
        "5 services · 96 calls/s in the last 5 min",
        ">1 of 2 instances well</text>",
        ">1 method · 2 routes</text>",
        ">not registered</text>",
        ">no instance</text>",
        ">callers outside</text>",
        ">12/s · 8.9 % err · p95 620 ms</text>",
        ">2 routes</text>",
        "<title>orders → payments\nrpc Charge</title>",
        "prefers-color-scheme:dark",
    ] {
        assert!(text.contains(shown), "{shown} is not in {text}");
    }
    for kind in ["seen", "failing", "undeclared", "unseen"] {
        assert!(
            text.contains(&format!("<g class=\"link {kind}\"")),
            "{kind}"
        );
    }
    assert_eq!(text, svg(&shop(), "The shop"));
}

#[test]
fn a_legend_explains_only_what_is_there() {
    let text = svg(&city(), "City");
    assert!(text.contains("declared, not called") && !text.contains("called, not declared"));
    assert!(svg(&LiveMap::default(), "Nothing").contains("0 services"));
}

#[test]
fn names_cannot_break_out_of_a_picture() {
    let evil = "a\"]<script>alert('&')</script>\u{1b}\u{0}\u{ffff}";
    let mut map = shop();
    map.services[0].service.name = evil.to_owned();
    map.links = vec![link("orders", evil, &[&format!("rpc {evil}")], None)];
    let text = svg(&map, evil);
    assert!(!text.contains("<script") && !text.contains(['\u{1b}', '\0', '\u{ffff}']));
    assert!(text.contains("a&quot;]&lt;script&gt;"), "{text}");
    let text = mermaid(&map);
    assert!(
        !text.contains("<script") && !text.contains('\u{1b}'),
        "{text}"
    );
    assert!(text.contains("a'"), "a quote would end the name: {text}");
    let text = dot(&map);
    assert!(
        text.contains(r#"label="a\"]<script>"#) && !text.contains('\u{1b}'),
        "{text}"
    );
    let mut trace = checkout();
    trace.ops[1].subject = evil.to_owned();
    trace.ops[1].message = evil.to_owned();
    trace.ops[1].service = evil.to_owned();
    trace.logs[0].message = evil.to_owned();
    assert!(!tree(&trace).contains('\u{1b}'));
}

#[test]
fn the_languages_of_other_programs_say_the_same() {
    let text = mermaid(&shop());
    assert!(text.starts_with("flowchart LR\n"), "{text}");
    assert!(text.contains("s2[\"orders<br/>3 live\"]"), "{text}");
    assert!(
        text.contains("s2 -->|\"Charge<br/>12/s · 8.9 % err · p95 620 ms\"| s3"),
        "{text}"
    );
    assert!(text.contains("s2 -.->|\"Send\"| s6"), "{text}");
    let text = dot(&shop());
    assert!(text.starts_with("digraph services {"), "{text}");
    assert!(
        text.contains(r#""orders" -> "mailer" [label="Send", style=dashed];"#),
        "{text}"
    );
    assert!(
        text.contains(r#""" -> "orders""#) && text.ends_with('}'),
        "{text}"
    );
}

/// Depth, subject, service, start, duration and status.
type Line = (
    usize,
    &'static str,
    &'static str,
    i64,
    Option<i64>,
    &'static str,
);

fn trace(lines: &[Line]) -> TraceTree {
    let op = |(at, line): (usize, &Line)| TraceOp {
        op_id: at.to_string(),
        depth: line.0,
        subject: line.1.to_owned(),
        service: line.2.to_owned(),
        started_at_unix_ms: 1_000 + line.3,
        duration_ms: line.4,
        status: line.5.to_owned(),
        ..TraceOp::default()
    };
    TraceTree {
        trace_id: "0198c0de-0000-7000-8000-000000000001".to_owned(),
        ops: lines.iter().enumerate().map(op).collect(),
        ..TraceTree::default()
    }
}

fn checkout() -> TraceTree {
    let mut trace = trace(&[
        (
            0,
            "http.handle:POST//v1/orders",
            "orders",
            0,
            Some(120),
            "ERROR",
        ),
        (
            1,
            "rpc.call:inventory/Reserve",
            "orders",
            10,
            Some(20),
            "SUCCESS",
        ),
        (
            1,
            "rpc.call:payments/Charge",
            "orders",
            30,
            Some(90),
            "ERROR",
        ),
        (2, "charge card", "payments", 40, Some(60), "ERROR"),
        (1, "audit", "orders", 115, None, "PENDING"),
    ]);
    for at in [0, 2, 3] {
        trace.ops[at].critical = true;
    }
    trace.ops[3].message = "declined".to_owned();
    trace.logs.push(LogLine {
        op_id: "2".to_owned(),
        level: "warn".to_owned(),
        message: "slow bank".to_owned(),
        fields: json!({ "bank": "north" }),
        ..LogLine::default()
    });
    trace.payloads.push(PayloadShown {
        op_id: "2".to_owned(),
        direction: "in".to_owned(),
        original_bytes: 90,
        kept_bytes: 20,
        decoded: Some(json!({ "card": "***" })),
        ..PayloadShown::default()
    });
    trace
}

#[test]
fn a_tree_names_what_failed_first_and_shows_everything_in_its_place() {
    let text = tree(&checkout());
    let expected = "\
trace 0198c0de-0000-7000-8000-000000000001  5 operations · 2 services · 120 ms · 3 failed
✗ payments  charge card  ERROR  declined
✗ orders  rpc.call:payments/Charge  ERROR
✗ orders  http.handle:POST//v1/orders  ERROR
http.handle:POST//v1/orders    orders    ████████████████████████     120 ms  ERROR
├─ rpc.call:inventory/Reserve  orders      ▒▒▒▒                        20 ms  SUCCESS
├─ rpc.call:payments/Charge    orders          ██████████████████      90 ms  ERROR
│  │    → in {\"card\":\"***\"}  (20 of 90 bytes)
│  │    · warn  slow bank bank=\"north\"
│  └─ charge card              payments          ████████████          60 ms  ERROR    declined
└─ audit                       orders                           ▒    running  PENDING";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_narrow_terminal_gets_no_line_that_it_must_wrap() {
    let mut trace = checkout();
    trace.ops[1].subject = "注文サービス".repeat(20);
    trace.ops[3].message = "declined ".repeat(40);
    trace.logs[0].message = "slow ".repeat(100);
    for width in [60, 80, 120, 300] {
        let look = Look {
            width: Some(width),
            colour: false,
        };
        let text = tree_as(&trace, look);
        for line in text.lines().skip(1) {
            assert!(super::words::columns(line) <= width, "{width}: {line}");
        }
    }
    let colours = Look {
        width: Some(80),
        colour: true,
    };
    let text = tree_as(&trace, colours);
    assert!(
        text.contains("\u{1b}[31m✗ payments") && text.contains("\u{1b}[32m"),
        "{text}"
    );
}

#[test]
fn a_trace_deeper_than_a_terminal_is_wide_is_drawn_all_the_same() {
    let mut lines: Vec<Line> = Vec::new();
    for depth in 0..5_000 {
        lines.push((depth, "deeper", "a", 0, Some(1), "SUCCESS"));
    }
    let text = tree(&trace(&lines));
    assert_eq!(text.lines().count(), 5_001);
    assert!(text.contains("⋯ ") && text.lines().all(|it| it.chars().count() < 200));
    assert!(tree(&TraceTree::default()).contains("0 operations"));
}
