//! The real runtime inside this process: development, tests, a whole system on one machine.
//!
//! Nothing here is a lesser runtime: the same store, certificates and sockets, and services of
//! other processes join it. What a separate process adds is that it outlives this one.

use std::path::PathBuf;

use bridge_runtime::config::Config;
use bridge_runtime::server;
use contract::error_code::ErrorCode;

// What a program around a runtime needs besides: its time, and new names for traces it begins.
pub use contract::clock::Clock;
pub use contract::ids::IdMint;

pub use bridge_runtime::operator::draw;
pub use bridge_runtime::operator::model::{
    LogLine, MetricDot, MetricLine, ServiceSummary, TraceLine, TraceOp, TraceTree, TracesPage,
};
pub use bridge_runtime::operator::{LogQuery, MetricQuery, TraceQuery};
pub use bridge_runtime::registry::{MapEdge, MapInstance, MapMethod, MapService, ServiceMap};

use crate::error::Error;

/// How to start an embedded runtime.
#[derive(Clone, Debug)]
pub struct RuntimeBuilder(Config);

impl RuntimeBuilder {
    /// Uses this PostgreSQL database (`postgres://USER:PASSWORD@HOST/DB`) instead of SQLite in
    /// the data folder.
    pub fn database(mut self, url: impl Into<String>) -> Self {
        self.0.database = Some(url.into());
        self
    }

    /// Listens for services here; `127.0.0.1:0` by default.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.0.listen = Some(address.into());
        self
    }

    /// Starts it; resolves when services can join.
    ///
    /// # Errors
    ///
    /// `CONFIG`, naming the part that failed: a folder in use, a taken port, an unreachable
    /// database, a schema from a newer version.
    pub async fn start(self) -> Result<Runtime, Error> {
        let started = server::Runtime::start(self.0).await.map_err(failed)?;
        Ok(Runtime(started))
    }
}

/// A runtime in this process.
#[derive(Debug)]
pub struct Runtime(server::Runtime);

impl Runtime {
    /// A runtime with its data in `data`, on loopback ports the system picks.
    pub fn builder(data: impl Into<PathBuf>) -> RuntimeBuilder {
        let any_port = Some("127.0.0.1:0".to_owned());
        RuntimeBuilder(Config {
            listen: any_port.clone(),
            console_listen: any_port.clone(),
            export_listen: any_port,
            ..Config::new(data)
        })
    }

    /// Where services join: `host:port`.
    pub fn address(&self) -> String {
        self.0.grpc_addr().to_string()
    }

    /// The web console's address. Until somebody has an account, the link that makes the first one.
    pub fn console(&self) -> String {
        let setup = self.0.setup_link();
        setup.unwrap_or_else(|| self.0.console_url())
    }

    /// A new key for the service `name`, which is created when it does not exist.
    ///
    /// # Errors
    ///
    /// `CONFIG` when the name is not allowed or the service is revoked.
    pub async fn key(&self, name: &str) -> Result<String, Error> {
        let operator = self.0.operator();
        let known = operator
            .services()
            .await
            .map_err(failed)?
            .iter()
            .any(|it| it.name == name);
        let created = if known {
            operator.create_key(name).await
        } else {
            operator.create_service(name).await
        };
        Ok(created.map_err(failed)?.key)
    }

    /// Revokes a service: its keys stop working, its sessions end, its peers are told.
    ///
    /// # Errors
    ///
    /// `CONFIG` when it does not exist or is revoked already.
    pub async fn revoke(&self, name: &str) -> Result<(), Error> {
        self.0.operator().revoke_service(name).await.map_err(failed)
    }

    /// Every service with its instances and methods, and every declared call.
    pub fn map(&self) -> ServiceMap {
        self.0.operator().map()
    }

    /// The newest traces, at most `limit` (500 at most).
    ///
    /// # Errors
    ///
    /// `CONFIG` when the store cannot be read.
    pub async fn traces(&self, limit: u32) -> Result<Vec<TraceLine>, Error> {
        let query = TraceQuery {
            limit: Some(limit),
            ..TraceQuery::default()
        };
        Ok(self.traces_page(&query).await?.traces)
    }

    /// A page of the traces that match, newest first.
    ///
    /// # Errors
    ///
    /// `CONFIG` when the query cannot be meant, or the store cannot be read.
    pub async fn traces_page(&self, query: &TraceQuery) -> Result<TracesPage, Error> {
        self.0.operator().traces(query).await.map_err(failed)
    }

    /// One trace as a tree; `None` while nothing of it has arrived. [`draw::tree`] draws it.
    ///
    /// # Errors
    ///
    /// `CONFIG` when the store cannot be read.
    pub async fn trace(&self, id: &str) -> Result<Option<TraceTree>, Error> {
        self.0.operator().trace(id).await.map_err(failed)
    }

    /// Lines that services logged, newest first.
    ///
    /// # Errors
    ///
    /// `CONFIG` when the query cannot be meant, or the store cannot be read.
    pub async fn logs(&self, query: &LogQuery) -> Result<Vec<LogLine>, Error> {
        let page = self.0.operator().logs(query).await.map_err(failed)?;
        Ok(page.logs)
    }

    /// A metric over time, one line for each series.
    ///
    /// # Errors
    ///
    /// `CONFIG` when the query cannot be meant, or the store cannot be read.
    pub async fn metric(&self, query: &MetricQuery) -> Result<Vec<MetricLine>, Error> {
        let shown = self.0.operator().metric(query).await.map_err(failed)?;
        Ok(shown.series)
    }

    /// Tells every session, lets running requests finish for two seconds, closes the store.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::caused(ErrorCode::Config, "the embedded runtime refused", error)
}
