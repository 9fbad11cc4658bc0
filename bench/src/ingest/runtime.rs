//! The measured process: a runtime as shipped, which also tells how long its own answers take.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bridge_runtime::config::Config;
use bridge_runtime::operator::TraceQuery;
use bridge_runtime::server::Runtime;
use serde::{Deserialize, Serialize};

use crate::child::{answer, request, setup, two_workers};
use crate::failure::{Context, Result};

/// Where it keeps its data.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) folder: PathBuf,
    pub(crate) database: Option<String>,
}

/// What the parent asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// The keys of so many new services.
    Keys(usize),
    /// How long a list of traces takes, in nanoseconds, and how many it has.
    List(Listing),
}

/// A list of traces.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Listing {
    pub(crate) text: Option<String>,
    pub(crate) failed: bool,
}

/// How long a list took and what was in it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) nanos: u64,
    pub(crate) traces: usize,
}

/// Runs until the parent leaves.
pub(crate) fn serve() -> Result<()> {
    let setup: Setup = setup()?;
    let workers = two_workers()?;
    let any_port = Some("127.0.0.1:0".to_owned());
    let config = Config {
        database: setup.database,
        listen: any_port.clone(),
        console_listen: any_port.clone(),
        export_listen: any_port,
        ..Config::new(setup.folder)
    };
    let runtime = workers.block_on(Runtime::start(config));
    let runtime = runtime.context("the runtime")?;
    answer(Ok(runtime.grpc_addr().to_string()))?;
    while let Some(ask) = request::<Ask>()? {
        match ask {
            Ask::Keys(count) => answer(workers.block_on(keys(&runtime, count)))?,
            Ask::List(listing) => answer(workers.block_on(list(&runtime, listing)))?,
        }
    }
    workers.block_on(runtime.stop());
    Ok(())
}

async fn keys(runtime: &Runtime, count: usize) -> Result<Vec<String>> {
    let mut keys = Vec::with_capacity(count);
    for index in 0..count {
        let name = format!("reporter-{index}");
        let created = runtime.operator().create_service(&name).await;
        keys.push(created.context(name)?.key);
    }
    Ok(keys)
}

async fn list(runtime: &Runtime, listing: Listing) -> Result<Listed> {
    let query = TraceQuery {
        text: listing.text,
        failed: listing.failed,
        ..TraceQuery::default()
    };
    let begun = Instant::now();
    let page = runtime.operator().traces(&query).await;
    let took: Duration = begun.elapsed();
    let page = page.context("a list of traces")?;
    Ok(Listed {
        nanos: u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
        traces: page.traces.len(),
    })
}
