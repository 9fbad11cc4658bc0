//! Handlers that answer with streams, and a count of what became of them.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bridge::{Context, State, Stream};
use contract::clock::Clock;
use tokio_stream::StreamExt as _;

use super::Me;

pub(super) mod wire {
    bridge::include_contract!("e2e.ticker.v1");
}

/// What the streams of this process did.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    made: AtomicU64,
    running: AtomicU32,
    cancelled: AtomicU32,
}

/// A stream that runs; tells when it goes.
struct Running {
    seen: Seen,
    context: Context,
}

impl Running {
    fn begin(seen: Seen, context: Context) -> Self {
        seen.0.running.fetch_add(1, Ordering::Relaxed);
        Self { seen, context }
    }

    fn tick(&self, nth: u32, instance: &str, bytes: u32) -> wire::Tick {
        self.seen.0.made.fetch_add(1, Ordering::Relaxed);
        let caller = self.context.caller();
        wire::Tick {
            nth,
            instance: instance.to_owned(),
            filling: vec![0; bytes as usize].into(),
            caller_service: caller.map_or_else(String::new, |it| it.service.to_string()),
            idempotency_key: self
                .context
                .idempotency_key()
                .unwrap_or_default()
                .to_owned(),
            request_id: self.context.request_id().to_owned(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let counts = &self.seen.0;
        if self.context.is_cancelled() {
            counts.cancelled.fetch_add(1, Ordering::Relaxed);
        }
        counts.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, bridge::Error)]
pub(super) enum TickerError {
    Worn(String),
}

type Ticked = Result<wire::Tick, TickerError>;

#[bridge::rpc]
pub(super) fn count(
    State(me): State<Me>,
    State(seen): State<Seen>,
    req: wire::CountRequest,
    ctx: Context,
) -> impl Stream<Item = Result<wire::Tick, TickerError>> {
    let running = Arc::new(Running::begin(seen, ctx));
    let to_its_end = running.clone();
    let instance = me.instance();
    let pause = Duration::from_millis(req.pause_ms.into());
    let ticks = tokio_stream::iter(1..=req.messages).then(move |nth| {
        let tick = running.tick(nth, &instance, req.bytes);
        async move {
            if !pause.is_zero() {
                Clock::system().sleep(pause).await;
            }
            Ok(tick)
        }
    });
    ticks.chain(end(&req.end)).map(move |ticked| {
        let _ = &to_its_end;
        ticked
    })
}

fn end(end: &str) -> Box<dyn Stream<Item = Ticked> + Send + Unpin> {
    match end {
        "worn" => {
            let worn = TickerError::Worn("the spring broke".to_owned());
            Box::new(tokio_stream::once(Err(worn)))
        }
        "panic" => Box::new(tokio_stream::iter(std::iter::from_fn(|| {
            panic!("the spring left the room")
        }))),
        "hang" => Box::new(tokio_stream::pending()),
        _ => Box::new(tokio_stream::empty()),
    }
}

#[bridge::rpc]
pub(super) async fn seen(
    State(seen): State<Seen>,
    _req: wire::SeenRequest,
) -> Result<wire::SeenReply, Infallible> {
    let counts = &seen.0;
    Ok(wire::SeenReply {
        made: counts.made.load(Ordering::Relaxed),
        running: counts.running.load(Ordering::Relaxed),
        cancelled: counts.cancelled.load(Ordering::Relaxed),
    })
}
