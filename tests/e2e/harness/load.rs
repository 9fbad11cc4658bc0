//! Steady calls to a desk, each noted with its times and its outcome.

use std::time::Duration;

use bridge::{CallError, Client, Transport};
use contract::clock::{Clock, Interval, Monotonic};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::contracts::v1::{Desk, EchoReply, EchoRequest};

/// Longest call of a load.
const CALL_MAX: Duration = Duration::from_secs(5);

/// One call.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) started: Monotonic,
    pub(crate) ended: Monotonic,
    pub(crate) result: Result<EchoReply, CallError>,
}

/// Calls that go on until they are stopped.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    calls: JoinHandle<Vec<Outcome>>,
}

impl Load {
    /// Times are those of `clock`; another clock's cannot be compared with them.
    pub(crate) fn start(
        clock: &Clock,
        desk: &Client<Desk>,
        per_second: u32,
        transport: Transport,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let beat = clock.interval(Duration::from_secs(1) / per_second);
        let calls = generate(clock.clone(), desk.clone(), beat, transport, stopped);
        let calls = tokio::spawn(calls);
        Self { stop, calls }
    }

    pub(crate) async fn finish(self) -> Vec<Outcome> {
        self.stop.send_replace(true);
        self.calls.await.expect("the load itself does not fail")
    }
}

async fn generate(
    clock: Clock,
    desk: Client<Desk>,
    mut beat: Interval,
    transport: Transport,
    mut stopped: watch::Receiver<bool>,
) -> Vec<Outcome> {
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            () = beat.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => break,
        }
        let (desk, clock) = (desk.clone(), clock.clone());
        calls.spawn(async move {
            let started = clock.monotonic();
            let request = EchoRequest {
                text: "load".to_owned(),
            };
            let call = desk.echo(request).timeout(CALL_MAX).transport(transport);
            let result = call.await;
            let ended = clock.monotonic();
            Outcome {
                started,
                ended,
                result,
            }
        });
    }
    calls.join_all().await
}

/// Those that failed, for a person.
pub(crate) fn failures(outcomes: &[Outcome], counts: impl Fn(&Outcome) -> bool) -> Vec<String> {
    let failed = outcomes.iter().filter(|it| counts(it));
    failed
        .filter_map(|it| {
            let error = it.result.as_ref().err()?;
            Some(format!("{}: {error}", error.code().as_str()))
        })
        .collect()
}
