//! The open doors, by the tools they are for: Prometheus and promtool, a stock OpenTelemetry SDK in
//! another language, a stock client of Loki's API.
//!
//! Debian's `prometheus` is installed when it is missing and this may; Python's packages go into
//! `target/doors`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use bridge::telemetry::Level;
use bridge::{Bridge, Telemetry};
use bridge_runtime::operator::model::{LiveMap, TraceTree, TracesPage};
use bridge_tower::client::Reqwest;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Database, Process, World, eventually, on_both_databases, said};
use crate::python::installed;

/// Longest wait for what another process does.
const PATIENCE: Duration = Duration::from_secs(60);

/// One of Debian's tools, installed when it is missing.
fn tool(name: &str) -> PathBuf {
    let path = Path::new("/usr/bin").join(name);
    let installer = std::fs::File::create(std::env::temp_dir().join("bridge-prometheus.lock"));
    let lock = installer.expect("a temporary file");
    lock.lock().expect("the lock can be waited for");
    if !path.exists() {
        let arguments = [
            "-q",
            "install",
            "-y",
            "--no-install-recommends",
            "prometheus",
        ];
        let mut install = Command::new("apt-get");
        install
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        let done = install.stdin(Stdio::null()).output().expect("apt-get runs");
        assert!(
            done.status.success(),
            "install Debian's package prometheus: {done:?}"
        );
    }
    path
}

async fn scrape(world: &World, accept: &str) -> String {
    let url = format!("http://{}/metrics", world.health());
    let asked = reqwest::Client::new().get(url).header("accept", accept);
    let answer = asked.send().await.expect("the door answers");
    assert_eq!(answer.status(), 200);
    answer.text().await.expect("text")
}

/// The value of the line that begins with `name` and has these words.
fn value(text: &str, name: &str, words: &[&str]) -> Option<f64> {
    let is_it = |line: &&str| line.starts_with(name) && words.iter().all(|it| line.contains(it));
    let line = text.lines().find(is_it)?;
    line.rsplit_once(' ')?.1.parse().ok()
}

/// A service in this process that counts.
async fn counting(world: &World) -> Bridge {
    let key = world.key("orders").await;
    let builder = Bridge::builder("orders").runtime(world.address(), key);
    builder.caller_only().start().await.expect("starts")
}

fn sell(telemetry: &Telemetry, count: u32) {
    let sold = telemetry
        .counter("shop.sold")
        .unit("{order}")
        .bind(&[("kind", "a \"b\"")]);
    sold.add(f64::from(count));
    let took = telemetry.histogram("shop.took").unit("s").bind(&[]);
    took.record(0.2);
}

on_both_databases! {
    async fn a_real_parser_reads_what_is_scraped_and_a_counter_only_grows(world: World) {
        let promtool = tokio::task::spawn_blocking(|| tool("promtool")).await.expect("installs");
        let bridge = counting(&world).await;
        for round in 1..=3_u32 {
            sell(&bridge.telemetry(), 2);
            let (text, _) = eventually(PATIENCE, "the counter", async || {
                let text = scrape(&world, "text/plain").await;
                let sold = value(&text, "shop_sold_total", &["service=\"orders\""])?;
                (sold >= f64::from(2 * round)).then_some(text)
            })
            .await;
            let sold = value(&text, "shop_sold_total", &["kind=\"a \\\"b\\\"\""]);
            assert_eq!(sold, Some(f64::from(2 * round)));
            let took = value(&text, "shop_took_seconds_count", &["service=\"orders\""]);
            assert!(took.is_some_and(|it| it <= f64::from(round)), "{took:?}");
            for name in [
                "bridge_build_info", "bridge_uptime_seconds", "process_cpu_seconds_total",
                "process_resident_memory_bytes", "bridge_registered_instances",
                "bridge_telemetry_queue_bytes", "bridge_database_size_bytes",
                "bridge_database_commit_seconds_sum",
                "sb_telemetry_late_end_after_abandoned_total", "bridge_task_restarts_total",
            ] {
                assert!(value(&text, name, &[]).is_some(), "{name}");
            }
            let checked = piped(Command::new(&promtool).args(["check", "metrics"]), &text);
            assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
            let complaints = String::from_utf8_lossy(&checked.stderr).into_owned();
            assert!(!complaints.contains("bridge_") && !complaints.contains("sb_"), "{complaints}");
        }
        let open = scrape(&world, "application/openmetrics-text; version=1.0.0").await;
        assert!(open.ends_with("# EOF\n") && open.contains("# TYPE shop_sold counter"));
        bridge.stop().await;
    }
}

/// Runs a command with this text as its input.
fn piped(command: &mut Command, text: &str) -> std::process::Output {
    use std::io::Write as _;
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    child.wait_with_output().expect("it ends")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_prometheus_scrapes_and_computes_the_rate_of_a_known_counter() {
    let prometheus = tokio::task::spawn_blocking(|| tool("prometheus")).await;
    let prometheus = prometheus.expect("installs");
    let world = World::start(Database::sqlite()).await;
    let bridge = counting(&world).await;
    let folder = world.scratch().join("prometheus");
    std::fs::create_dir_all(&folder).expect("a folder");
    let config = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- {{job_name: bridge, honor_labels: true, static_configs: [{{targets: ['{}']}}]}}\n",
        world.health()
    );
    let file = folder.join("prometheus.yml");
    std::fs::write(&file, config).expect("written");
    let port = free_port();
    let mut command = Command::new(prometheus);
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let _server = Process::spawn("prometheus", &mut command);
    let telemetry = bridge.telemetry();
    // Ten a second for as long as it takes to be seen in a rate over ten seconds.
    let selling = tokio::spawn(async move {
        let clock = contract::clock::Clock::system();
        let mut beats = clock.interval(Duration::from_millis(100));
        loop {
            beats.tick().await;
            sell(&telemetry, 1);
        }
    });
    let client = reqwest::Client::new();
    let ask = async |query: &str| {
        let url = format!("http://127.0.0.1:{port}/api/v1/query?query={query}");
        let answer = client.get(url).send().await.ok()?.text().await.ok()?;
        let answer: Value = serde_json::from_str(&answer).ok()?;
        let value = answer["data"]["result"][0]["value"][1].as_str()?;
        value.parse::<f64>().ok()
    };
    let (rate, _) = eventually(PATIENCE, "a steady rate", async || {
        let rate = ask("rate(shop_sold_total%7Bservice=%22orders%22%7D%5B10s%5D)").await?;
        (8.0..=12.0).contains(&rate).then_some(rate)
    })
    .await;
    assert!((8.0..=12.0).contains(&rate), "{rate}");
    assert_eq!(ask("up%7Bjob=%22bridge%22%7D").await, Some(1.0));
    let quantile = "histogram_quantile(0.5,sum%20by(le)(rate(shop_took_seconds_bucket%5B10s%5D)))";
    let (median, _) = eventually(PATIENCE, "a median", async || ask(quantile).await).await;
    assert!(
        (0.1..=0.25).contains(&median),
        "the bucket of 0.2 s: {median}"
    );
    selling.abort();
    bridge.stop().await;
}

fn free_port() -> u16 {
    let any = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    any.local_addr().expect("an address").port()
}

/// `GET /orders/{id}` asks the stranger, which asks `GET /stock`.
#[derive(Clone)]
struct Shop {
    client: Reqwest,
    ask: String,
}

async fn order(State(shop): State<Shop>) -> String {
    let request = shop
        .client
        .inner()
        .get(&shop.ask)
        .build()
        .expect("a request");
    let answered = shop.client.execute_as("/work", request).await;
    answered
        .expect("the stranger answers")
        .text()
        .await
        .expect("text")
}

/// A service of ours with HTTP; says where it listens.
async fn serving(
    world: &World,
    name: &str,
    app: impl FnOnce(&Bridge) -> Router,
) -> (Bridge, String) {
    let key = world.key(name).await;
    let builder = Bridge::builder(name).runtime(world.address(), key);
    let bridge = builder.caller_only().start().await.expect("starts");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (served, app) = (bridge.clone(), app(&bridge));
    tokio::spawn(async move { served.serve_http(listener, app).await });
    (bridge, address)
}

async fn stranger(world: &World) -> (Process, String) {
    let packages = include_str!("../python/requirements-doors.txt");
    let bin = tokio::task::spawn_blocking(move || installed("doors", packages)).await;
    let mut command = Command::new(bin.expect("installs").join("python"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/open_doors.py");
    let base = format!("http://{}", world.health());
    command.arg(script).args(["otel", &base]);
    let process = Process::spawn_open("stranger", &mut command);
    let listening = process
        .line(PATIENCE, "port", |line| said(line, "listening"))
        .await;
    (process, format!("http://127.0.0.1:{}", listening["port"]))
}

on_both_databases! {
    async fn a_stock_opentelemetry_service_joins_our_traces_in_both_directions(world: World) {
        let (snake, at) = stranger(&world).await;
        let stock = |_: &Bridge| Router::new().route("/stock", get(async || "seven"));
        let (desk, stock) = serving(&world, "desk", stock).await;
        let (orders, shop) = serving(&world, "orders", |bridge| {
            let client = Reqwest::new(bridge.recorder()).expect("a client");
            let ask = format!("{at}/work?url={stock}/stock");
            Router::new().route("/orders/{id}", get(order)).with_state(Shop { client, ask })
        })
        .await;
        let log = orders.telemetry();
        log.log(Level::Info, "orders is up").send();
        let answer = reqwest::get(format!("{shop}/orders/7")).await.expect("answers");
        assert_eq!(answer.text().await.expect("text"), "seven");
        let flushed = snake.line(PATIENCE, "flush", |line| said(line, "flushed")).await;
        assert_eq!(flushed["all"], true);

        // One tree: our server, our client, their server, their client, our server.
        let (tree, _) = eventually(PATIENCE, "one tree", async || {
            let page: TracesPage = world.get("/api/v1/traces?limit=50").await;
            let found = page.traces.iter().find(|it| it.subject.contains("/orders/"))?;
            let path = format!("/api/v1/traces/{}?logs=true", found.trace_id);
            let tree: TraceTree = world.get(&path).await;
            (tree.ops.len() == 5 && tree.logs.len() == 2).then_some(tree)
        })
        .await;
        let told: Vec<_> = tree.ops.iter().map(|it| (it.depth, &*it.service, &*it.subject)).collect();
        assert_eq!(told[0], (0, "orders", "http.handle:GET//orders/{id}"));
        assert_eq!((told[1].0, told[1].1), (1, "orders"));
        assert_eq!(told[2], (2, "snake", "http.handle:GET//work"));
        assert_eq!((told[3].0, told[3].1), (3, "snake"));
        assert_eq!(told[4], (4, "desk", "http.handle:GET//stock"));
        assert!(tree.ops[3].subject.starts_with("http.call:desk/GET"), "{}", tree.ops[3].subject);
        assert!(tree.ops.iter().all(|it| it.status == "SUCCESS"), "{tree:?}");
        let whole = serde_json::to_string(&tree).expect("JSON");
        assert!(!whole.contains("hunter2"), "a secret came through: {whole}");

        // Its call is its own on the map, and nobody's from outside; once it is known that it
        // reports calls.
        let again = reqwest::get(format!("{shop}/orders/8")).await.expect("answers");
        assert_eq!(again.text().await.expect("text"), "seven");
        let called = |map: &LiveMap, from: &str, to: &str| {
            let link = map.links.iter().find(|it| it.from == from && it.to == to);
            link.and_then(|it| it.load).map_or(0, |it| it.count)
        };
        eventually(PATIENCE, "who called the desk", async || {
            let map: LiveMap = world.get("/api/v1/map?window_ms=3600000").await;
            let whole = called(&map, "snake", "desk") + called(&map, "", "desk");
            assert!(whole <= 2, "counted twice");
            (called(&map, "snake", "desk") >= 1 && called(&map, "orders", "snake") >= 1).then_some(())
        })
        .await;

        // On the map, as what it is; its numbers at the scraper's door.
        let map = world.map().await;
        let snake_there = map.services.iter().find(|it| it.name == "snake").expect("on the map");
        assert_eq!((&*snake_there.status, snake_there.instances.len()), ("foreign", 1));
        assert!(snake_there.methods.iter().any(|it| it.name == "GET /work"));
        let (text, _) = eventually(PATIENCE, "its counter", async || {
            let text = scrape(&world, "").await;
            // Twice for each of the two requests.
            (value(&text, "snake_worked_total", &["kind=\"call\""]) == Some(4.0)).then_some(text)
        })
        .await;
        assert!(text.contains("\nsnake_worked_total{service=\"snake\""));
        assert_eq!(value(&text, "snake_took_seconds_sum", &[]), Some(0.04));
        orders.stop().await;
        desk.stop().await;
    }

    async fn a_stock_client_of_lokis_api_reads_our_logs(world: World) {
        let bridge = counting(&world).await;
        let log = bridge.telemetry();
        for (level, message) in [
            (Level::Info, "starts"),
            (Level::Warn, "works slowly"),
            (Level::Error, "works not at all"),
            (Level::Warn, "works for nobody"),
        ] {
            log.log(level, message).field("round", 7).send();
        }
        let base = format!("http://{}", world.health());
        let client = reqwest::Client::new();
        let query = "/loki/api/v1/query_range?query=%7Bservice=%22orders%22%7D";
        let (answer, _) = eventually(PATIENCE, "four lines", async || {
            let asked = client.get(format!("{base}{query}"));
            let asked = asked.header("x-loki-response-encoding-flags", "categorize-labels");
            let answer = asked.send().await.ok()?.text().await.ok()?;
            let answer: Value = serde_json::from_str(&answer).ok()?;
            let lines = answer["data"]["stats"]["summary"]["totalEntriesReturned"].as_u64();
            (lines == Some(4)).then_some(answer)
        })
        .await;
        assert_eq!(answer["data"]["encodingFlags"], json!(["categorize-labels"]));
        let value = &answer["data"]["result"][0]["values"][0];
        assert_eq!(value[2]["structuredMetadata"]["round"], "7");

        let packages = include_str!("../python/requirements-doors.txt");
        let bin = tokio::task::spawn_blocking(move || installed("doors", packages)).await;
        let mut command = Command::new(bin.expect("installs").join("python"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/open_doors.py");
        command.arg(script).args(["loki", &base, "orders", "unused"]);
        let loki = Process::spawn_open("loki", &mut command);
        let read = loki.line(PATIENCE, "answers", |line| said(line, "read")).await;
        assert_eq!(read["labels"], json!(["instance", "level", "service", "source"]));
        assert!(read["services"].as_array().expect("a list").contains(&json!("orders")));
        let sorted = |name: &str| {
            let mut lines: Vec<_> = read[name].as_array().expect("a list").clone();
            lines.sort_by_key(|it| it.as_str().map(str::to_owned));
            lines
        };
        assert_eq!(sorted("by_app"), ["works for nobody", "works not at all", "works slowly"]);
        assert_eq!(sorted("found"), ["works not at all", "works slowly"]);
        assert_eq!(read["oldest"], json!(["starts"]));
        assert_eq!(read["series"].as_array().map(Vec::len), Some(3), "one for each level");
        let counted = read["counted"].as_array().expect("a list");
        let of = |level: &str| counted.iter().find(|it| it[0]["level"] == level).map(|it| it[1].as_f64());
        assert_eq!((of("warn"), of("info")), (Some(Some(2.0)), Some(Some(1.0))), "{counted:?}");
        let refused = loki.line(PATIENCE, "refusal", |line| said(line, "refused")).await;
        let error = refused["error"].as_str().expect("text");
        assert!(error.contains("400") && error.contains("`| json` is not supported"), "{error}");
        bridge.stop().await;
    }
}
