//! A runtime inside the tests' own process, for what only tests may set: certificates of seconds.
//!
//! Refuses nothing a process of its own can do; those tests use `World`.

use std::path::Path;
use std::time::Duration;

use bridge_runtime::config::Config;
use bridge_runtime::server::Runtime;

/// A runtime on free ports of loopback whose certificates live for `leaf_life`.
pub(crate) async fn short_leaved(data: &Path, leaf_life: Duration) -> Runtime {
    let any = Some("127.0.0.1:0".to_owned());
    let started = Runtime::start(Config {
        leaf_life: Some(leaf_life),
        listen: any.clone(),
        console_listen: any.clone(),
        export_listen: any,
        ..Config::new(data.to_owned())
    });
    started.await.expect("the runtime starts")
}

/// Creates the service and gives its key.
pub(crate) async fn key_of(runtime: &Runtime, service: &str) -> String {
    let made = runtime.operator().create_service(service).await;
    made.expect("created").key
}
