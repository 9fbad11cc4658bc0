//! Our side: a service and a caller through the SDK, as a user writes them.

use std::convert::Infallible;

use bridge::embedded::Runtime;
use bridge::{Bridge, Transport};
use serde::{Deserialize, Serialize};

use super::load::{Caller, PAYLOAD_BYTES, answer_runs};
use super::{Pair, START, pair};
use crate::child::{Peer, Role, answer, request, setup, two_workers};
use crate::failure::{Context, Failure, Result};

// One package, included once; tonic's copy of the messages lives beside its own client.
bridge::include_contract!("bench.echo.v1");

const SERVICE: &str = "echo";
const CALLER: &str = "caller";

/// How a process joins.
#[derive(Debug, Serialize, Deserialize)]
struct Join {
    runtime: String,
    key: String,
}

/// Starts both processes.
pub(super) async fn start(runtime: &Runtime) -> Result<Pair> {
    let join = async |name| {
        let key = runtime.key(name).await.context("a key")?;
        Ok(Join {
            runtime: runtime.address(),
            key,
        })
    };
    let mut server = Peer::start(Role::SdkServer, &join(SERVICE).await?)?;
    server.hear::<()>(START)?;
    pair("bridge", server, Role::SdkClient, &join(CALLER).await?)
}

#[bridge::rpc]
async fn echo(req: EchoRequest) -> std::result::Result<EchoReply, Infallible> {
    Ok(EchoReply {
        payload: req.payload,
    })
}

/// The serving process: until the parent leaves.
pub(crate) fn serve() -> Result<()> {
    let join: Join = setup()?;
    let workers = two_workers()?;
    let bridge = workers.block_on(
        Bridge::builder(SERVICE)
            .runtime(join.runtime, join.key)
            .advertise("127.0.0.1:0")
            .serve(bridge::handlers![echo])
            .start(),
    );
    let bridge = bridge.context("the service");
    answer(
        bridge
            .as_ref()
            .map(drop)
            .map_err(|it| Failure::new(it.to_string())),
    )?;
    let bridge = bridge?;
    while request::<()>()?.is_some() {}
    workers.block_on(bridge.stop());
    Ok(())
}

#[derive(Clone)]
struct SdkCaller {
    client: bridge::Client<Echo>,
    payload: Vec<u8>,
    bridge: Bridge,
}

impl Caller for SdkCaller {
    async fn call(&mut self) -> std::result::Result<(), String> {
        let payload = self.payload.clone().into();
        let reply = self.client.echo(EchoRequest { payload }).await;
        match reply {
            Ok(reply) if reply.payload.len() == PAYLOAD_BYTES => Ok(()),
            Ok(_) => Err("the reply has another length".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn dropped(&self) -> u64 {
        self.bridge.status().operations_dropped
    }
}

/// The calling process.
pub(crate) fn call() -> Result<()> {
    let join: Join = setup()?;
    let workers = two_workers()?;
    let started = workers.block_on(connect(join));
    answer(
        started
            .as_ref()
            .map(drop)
            .map_err(|it| Failure::new(it.to_string())),
    )?;
    let caller = started?;
    let ended = answer_runs(&workers, &caller);
    workers.block_on(caller.bridge.stop());
    ended
}

async fn connect(join: Join) -> Result<SdkCaller> {
    let mut builder = Bridge::builder(CALLER)
        .runtime(join.runtime, join.key)
        // A call through the runtime would be another measurement.
        .transport(Transport::Direct);
    let client = builder.client::<Echo>();
    let bridge = builder.start().await.context("the caller")?;
    let mut caller = SdkCaller {
        client,
        payload: vec![7; PAYLOAD_BYTES],
        bridge,
    };
    // The service may have joined a moment ago: the first call waits for its registration.
    caller.call().await.map_err(Failure::new)?;
    Ok(caller)
}
