//! The measured process: a runtime as shipped, on SQLite in a folder of its own.

use bridge_runtime::config::Config;
use bridge_runtime::server::Runtime;
use serde::{Deserialize, Serialize};

use crate::child::{answer, request, setup, two_workers};
use crate::failure::{Context, Result};

/// Where it keeps its data.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) folder: std::path::PathBuf,
}

/// Asks for services named `svc-FIRST` and on; answered by their keys, in order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Create {
    pub(crate) first: usize,
    pub(crate) count: usize,
}

pub(crate) fn name(index: usize) -> String {
    format!("svc-{index}")
}

/// Runs until the parent leaves.
pub(crate) fn serve() -> Result<()> {
    let setup: Setup = setup()?;
    let workers = two_workers()?;
    let any_port = Some("127.0.0.1:0".to_owned());
    let config = Config {
        listen: any_port.clone(),
        console_listen: any_port.clone(),
        export_listen: any_port,
        ..Config::new(setup.folder)
    };
    let runtime = workers.block_on(Runtime::start(config));
    let runtime = runtime.context("the runtime")?;
    answer(Ok(runtime.grpc_addr().to_string()))?;
    while let Some(create) = request::<Create>()? {
        answer(workers.block_on(keys(&runtime, &create)))?;
    }
    workers.block_on(runtime.stop());
    Ok(())
}

async fn keys(runtime: &Runtime, create: &Create) -> Result<Vec<String>> {
    let operator = runtime.operator();
    let mut keys = Vec::with_capacity(create.count);
    for index in create.first..create.first + create.count {
        let created = operator.create_service(&name(index)).await;
        keys.push(created.context(name(index))?.key);
    }
    Ok(keys)
}
