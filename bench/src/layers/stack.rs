//! The stacks that are compared: one small router under each layer.
//!
//! Everything is dispatched in process, so that nothing but the layer differs. A request carries
//! what a browser or a client library would send, and its answer is read to the end.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::get;
use bridge_tower::{Batch, Export, ObserveLayer, Recorder, Sampler};
use clap::ValueEnum;
use http::Request;
use http_body_util::BodyExt as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler as OtelSampler, SdkTracerProvider, SpanData, SpanExporter};
use serde::{Deserialize, Serialize};
use tower::{Service, ServiceExt as _};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::failure::{Context as _, Result};

/// A router under a layer, or alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Variant {
    /// No layer
    Bare,
    /// tower-http TraceLayer, no subscriber
    TraceLayer,
    /// axum-tracing-opentelemetry, recorded and exported
    OtelRecorded,
    /// axum-tracing-opentelemetry, the caller does not sample
    OtelSampledOut,
    /// bridge, recorded and exported
    BridgeRecorded,
    /// bridge, the caller does not sample
    BridgeSampledOut,
    /// bridge, nobody exports
    BridgeOff,
    /// bridge as a layer inside the router, recorded and exported
    BridgeLayerRecorded,
}

impl Variant {
    pub(crate) const ALL: &[Self] = &[
        Self::Bare,
        Self::TraceLayer,
        Self::OtelRecorded,
        Self::OtelSampledOut,
        Self::BridgeRecorded,
        Self::BridgeSampledOut,
        Self::BridgeOff,
        Self::BridgeLayerRecorded,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare router",
            Self::TraceLayer => "TraceLayer, no subscriber",
            Self::OtelRecorded => "OtelAxumLayer, recorded",
            Self::OtelSampledOut => "OtelAxumLayer, sampled out",
            Self::BridgeRecorded => "bridge, recorded",
            Self::BridgeSampledOut => "bridge, sampled out",
            Self::BridgeOff => "bridge, off",
            Self::BridgeLayerRecorded => "bridge as inner layer, recorded",
        }
    }

    fn is_sampled(self) -> bool {
        !matches!(self, Self::OtelSampledOut | Self::BridgeSampledOut)
    }
}

fn router() -> Router {
    let mut router = Router::new().route("/hello/{name}", get(hello));
    // A few neighbours, so that matching is not a comparison with a constant.
    for path in ["/orders", "/orders/{id}", "/orders/{id}/lines", "/health"] {
        router = router.route(path, get(|| async { "neighbour" }));
    }
    router
}

async fn hello(Path(name): Path<String>) -> String {
    name
}

/// Takes spans and forgets them.
#[derive(Debug)]
struct Forget;

impl SpanExporter for Forget {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

impl Export for Forget {
    fn export(&mut self, batch: &Batch<'_>) {
        std::hint::black_box(batch.records.len());
    }
}

/// Sends so many requests through a stack, on a runtime.
type Driver = Box<dyn FnMut(&tokio::runtime::Runtime, u64)>;

/// Handles requests under one layer.
pub(crate) struct Stack {
    workers: tokio::runtime::Runtime,
    run: Driver,
}

impl Stack {
    pub(crate) fn new(variant: Variant) -> Result<Self> {
        // Every server has a second thread, and from the first one on memory costs more to
        // allocate: without it the layers that bring one would pay for what is nobody's.
        std::thread::Builder::new()
            .spawn(std::thread::park)
            .context("an idle thread")?;
        let workers = tokio::runtime::Builder::new_current_thread()
            .build()
            .context("the async runtime")?;
        let run = match variant {
            Variant::Bare => driver(router(), variant),
            Variant::TraceLayer => driver(
                router().layer(tower_http::trace::TraceLayer::new_for_http()),
                variant,
            ),
            Variant::OtelRecorded | Variant::OtelSampledOut => {
                subscribe()?;
                let layer = axum_tracing_opentelemetry::middleware::OtelAxumLayer::default();
                driver(router().layer(layer), variant)
            }
            Variant::BridgeRecorded | Variant::BridgeSampledOut | Variant::BridgeOff => {
                let app = bridge_tower::app::Observed::new(router(), &recorder(variant)?);
                driver(app, variant)
            }
            Variant::BridgeLayerRecorded => {
                let layer = ObserveLayer::new(&recorder(variant)?).route_of(|extensions| {
                    extensions
                        .get::<axum::extract::MatchedPath>()
                        .map(axum::extract::MatchedPath::as_str)
                });
                driver(router().layer(layer), variant)
            }
        };
        Ok(Self { workers, run })
    }

    pub(crate) fn run(&mut self, count: u64) {
        (self.run)(&self.workers, count);
    }
}

fn recorder(variant: Variant) -> Result<Recorder> {
    if variant == Variant::BridgeOff {
        return Ok(Recorder::builder()
            .sampler(Sampler::Never)
            .counts(false)
            .build());
    }
    let recorder = Recorder::new();
    recorder.attach(Forget).context("the exporting thread")?;
    Ok(recorder)
}

/// What a service with OpenTelemetry sets up, with an exporter that costs nothing.
fn subscribe() -> Result<()> {
    let provider = SdkTracerProvider::builder()
        .with_sampler(OtelSampler::ParentBased(Box::new(OtelSampler::AlwaysOn)))
        .with_batch_exporter(Forget)
        .build();
    let tracer = provider.tracer("bench");
    opentelemetry::global::set_tracer_provider(provider);
    opentelemetry::global::set_text_map_propagator(
        opentelemetry_sdk::propagation::TraceContextPropagator::new(),
    );
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    let filter = tracing_subscriber::filter::LevelFilter::INFO;
    let subscriber = tracing_subscriber::registry().with(filter).with(layer);
    tracing::subscriber::set_global_default(subscriber).context("the subscriber")
}

fn driver<S>(service: S, variant: Variant) -> Driver
where
    S: Service<Request<Body>, Response = http::Response<Body>> + Clone + 'static,
    S::Error: std::fmt::Debug,
{
    Box::new(move |workers, count| {
        workers.block_on(async {
            for _ in 0..count {
                let answer = service.clone().oneshot(request(variant)).await;
                let answer = answer.expect("axum does not fail");
                let body = answer.into_body().collect().await.expect("a whole body");
                std::hint::black_box(body.to_bytes());
            }
        });
    })
}

const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

fn request(variant: Variant) -> Request<Body> {
    let traceparent = if variant.is_sampled() {
        SAMPLED
    } else {
        NOT_SAMPLED
    };
    Request::get("/hello/world")
        .header("host", "127.0.0.1:8080")
        .header("user-agent", "bench/1")
        .header("accept", "*/*")
        .header("traceparent", traceparent)
        .body(Body::empty())
        .expect("a request")
}
