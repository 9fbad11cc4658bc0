//! The measured process: an axum application through the SDK, and the load on it.
//!
//! The load is a few connections that send at a fixed pace; a request that is due while its
//! connection is busy is sent late, and its latency counts from when it was due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use bridge::Bridge;
use bridge::telemetry::{Counter, Level};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::child::{answer, request, setup, two_workers};
use crate::failure::{Context, Failure, Result};
use crate::histogram::Histogram;
use crate::proc;

/// Connections of the load.
const CONNECTIONS: u32 = 8;

/// How it joins.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Join {
    pub(crate) name: String,
    pub(crate) runtime: String,
    pub(crate) key: String,
}

/// What to send.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    /// Requests per second, over all connections.
    pub(crate) rate: u32,
    pub(crate) span_ms: u64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Processor time of the whole process, the load's own included.
    pub(crate) cpu_us: f64,
    pub(crate) resident_mib: f64,
    pub(crate) dropped_ops: u64,
    pub(crate) dropped_logs: u64,
}

/// Serves and answers every [`Load`] of the parent, until there is none left.
pub(crate) fn serve() -> Result<()> {
    let join: Join = setup()?;
    let workers = two_workers()?;
    let started = workers.block_on(start(join));
    let (bridge, address) = match started {
        Ok(started) => started,
        Err(failure) => return answer::<()>(Err(failure)),
    };
    answer(Ok(()))?;
    let mut before = bridge.telemetry().dropped();
    while let Some(load) = request::<Load>()? {
        let sample = workers.block_on(run(address, load)).map(|mut sample| {
            let dropped = bridge.telemetry().dropped();
            sample.dropped_ops = dropped.operations - before.operations;
            sample.dropped_logs = dropped.logs - before.logs;
            before = dropped;
            sample
        });
        answer(sample)?;
    }
    // The runtime is gone by now: nobody would take a goodbye.
    std::process::exit(0)
}

async fn start(join: Join) -> Result<(Arc<Bridge>, std::net::SocketAddr)> {
    let started = Bridge::builder(join.name)
        .runtime(join.runtime, join.key)
        .advertise("127.0.0.1:0")
        .start()
        .await;
    let bridge = Arc::new(started.context("the service")?);
    let listener = TcpListener::bind("127.0.0.1:0").await.context("a port")?;
    let address = listener.local_addr().context("its address")?;
    let greeted = bridge.telemetry().counter("greetings");
    let telemetry = bridge.telemetry();
    let app = Router::new().route(
        "/hello/{name}",
        get(move |Path(name): Path<String>| {
            let (greeted, telemetry): (Counter, _) = (greeted.clone(), telemetry.clone());
            async move {
                greeted.add(1.0, &[("kind", "bench")]);
                telemetry
                    .log(Level::Info, "greeted")
                    .field("name", &*name)
                    .send();
                name
            }
        }),
    );
    let serving = bridge.clone();
    tokio::spawn(async move { serving.serve_http(listener, app).await });
    Ok((bridge, address))
}

async fn run(address: std::net::SocketAddr, load: Load) -> Result<Sample> {
    let pid = std::process::id();
    let (begun, cpu) = (Instant::now(), proc::cpu(pid)?);
    let span = Duration::from_millis(load.span_ms);
    let pace = Duration::from_secs(1) * CONNECTIONS / load.rate;
    let mut running = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        let first = begun + pace * connection / CONNECTIONS;
        running.spawn(send(address, first, pace, begun + span));
    }
    let (mut latencies, mut failed) = (Histogram::new(), 0);
    while let Some(ended) = running.join_next().await {
        let (some, lost) = ended.context("a connection")??;
        latencies.merge(&some);
        failed += lost;
    }
    let requests = latencies.count();
    if requests == 0 {
        return Err(Failure::new("no request was answered"));
    }
    let spent = proc::cpu(pid)?.saturating_sub(cpu);
    let micros = |span: Duration| span.as_secs_f64() * 1e6;
    Ok(Sample {
        requests,
        failed,
        p50_us: micros(latencies.quantile(0.5)),
        p99_us: micros(latencies.quantile(0.99)),
        cpu_us: micros(spent) / requests as f64,
        resident_mib: proc::memory(pid)?.now as f64 / f64::from(1 << 20),
        dropped_ops: 0,
        dropped_logs: 0,
    })
}

/// One connection: latencies, and how many requests were not answered well.
async fn send(
    address: std::net::SocketAddr,
    first: Instant,
    pace: Duration,
    until: Instant,
) -> Result<(Histogram, u64)> {
    let mut stream = TcpStream::connect(address).await.context("the service")?;
    stream.set_nodelay(true).context("the connection")?;
    let (mut latencies, mut failed, mut due) = (Histogram::new(), 0, first);
    let mut buffer = vec![0; 4_096];
    while due < until {
        // The timer's own slack is nobody's latency; waiting for a busy connection is.
        let begun = if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
            Instant::now()
        } else {
            due
        };
        stream
            .write_all(b"GET /hello/world HTTP/1.1\r\nhost: service\r\n\r\n")
            .await
            .context("a request")?;
        let read = stream.read(&mut buffer).await.context("an answer")?;
        // The whole answer is one small segment.
        let is_answered =
            buffer[..read].starts_with(b"HTTP/1.1 200") && buffer[..read].ends_with(b"world");
        if is_answered {
            latencies.record(begun.elapsed());
        } else {
            failed += 1;
        }
        due += pace;
    }
    Ok((latencies, failed))
}
