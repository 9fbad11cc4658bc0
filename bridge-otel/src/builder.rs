//! Settings of an exporter, from code and from the environment; everything is checked before the
//! first request.

use std::sync::Arc;
use std::time::Duration;

use bridge_tower::Recorder;
use contract::clock::Clock;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::connection::{self, Connection};
use crate::endpoint::{Endpoint, EndpointError, Protocol};
use crate::exporter::{Otlp, OtlpExporter};
use crate::health::{Health, Hook};
use crate::queue::{REQUEST_BYTES, Shared};
use crate::resource::{Preamble, read_list};
use crate::worker::Worker;

/// Longest wait for an answer, by default.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Rhythm of metrics, by default.
const METRICS_EVERY: Duration = Duration::from_secs(60);
/// Bytes of spans that wait at most, by default.
const QUEUE_BYTES: usize = 8 * 1_024 * 1_024;

/// What the settings of an exporter lack.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Not a place that spans can be sent to.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A variable of the environment cannot be read.
    #[error("{name}=`{value}` cannot be read: write it like `{like}`")]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value; of headers, which hold secrets, nothing.
        value: String,
        /// An example.
        like: &'static str,
    },
    /// A header that HTTP does not allow.
    #[error("the header `{name}` has a name or a value that HTTP does not allow")]
    Header {
        /// Its name; the value may be a secret.
        name: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {why}")]
    Tls {
        /// Why.
        why: String,
    },
    /// The sending thread cannot be started.
    #[error("the exporter's thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// Settings of an [`OtlpExporter`].
pub struct Builder {
    endpoint: Option<String>,
    protocol: Option<Protocol>,
    headers: Vec<(String, String)>,
    resource: Vec<(String, String)>,
    service_name: Option<String>,
    authority: Vec<u8>,
    timeout: Option<Duration>,
    metrics_every: Option<Duration>,
    queue_bytes: usize,
    scheme: Box<str>,
    clock: Clock,
    hook: Option<Hook>,
    wrong: Option<BuildError>,
}

impl std::fmt::Debug for Builder {
    /// Leaves out the headers: they hold keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("endpoint", &self.endpoint)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

impl OtlpExporter {
    /// To say where to and as whom.
    pub fn builder() -> Builder {
        Builder {
            endpoint: None,
            protocol: None,
            headers: Vec::new(),
            resource: Vec::new(),
            service_name: None,
            authority: Vec::new(),
            timeout: None,
            metrics_every: None,
            queue_bytes: QUEUE_BYTES,
            scheme: "http".into(),
            clock: Clock::system(),
            hook: None,
            wrong: None,
        }
    }
}

impl Builder {
    /// Base url of the collector; `/v1/traces` and `/v1/metrics` are added for OTLP/HTTP. The
    /// default is this machine, on the usual port of the protocol.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// What the collector speaks; OTLP/HTTP by default.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// Goes with every request, for example a key.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Name of this service, `service.name`.
    #[must_use]
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// A further attribute of everything this process sends, as `deployment.environment.name`.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.resource.push((key.into(), value.into()));
        self
    }

    /// Certificate authorities in PEM that are trusted besides those this machine knows.
    #[must_use]
    pub fn certificate_authority(mut self, pem: &[u8]) -> Self {
        self.authority.extend_from_slice(pem);
        self.authority.push(b'\n');
        self
    }

    /// Longest wait for an answer, connecting included; 10 s by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Rhythm of metrics; 60 s by default.
    #[must_use]
    pub fn metrics_every(mut self, period: Duration) -> Self {
        self.metrics_every = Some(period);
        self
    }

    /// Bytes of spans that may wait to be sent, at least 256 KiB; 8 MiB by default. Beyond that
    /// the oldest are dropped and counted. A span takes some 300 bytes.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes.max(REQUEST_BYTES);
        self
    }

    /// Whether clients reach this service by `http`, the default, or `https`: behind a proxy only
    /// you know.
    #[must_use]
    pub fn scheme(mut self, scheme: &str) -> Self {
        self.scheme = scheme.into();
        self
    }

    /// Tells `hook` of every change of health, on the exporter's thread. A hook that panics ends
    /// that thread, and the health says so.
    #[must_use]
    pub fn on_health(mut self, hook: impl Fn(&Health) + Send + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// Takes what was not said in code from the environment: `OTEL_EXPORTER_OTLP_ENDPOINT`,
    /// `OTEL_EXPORTER_OTLP_PROTOCOL`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_TIMEOUT`
    /// (ms), `OTEL_METRIC_EXPORT_INTERVAL` (ms), `OTEL_SERVICE_NAME` and
    /// `OTEL_RESOURCE_ATTRIBUTES`. An empty variable is as good as none; one that cannot be read
    /// fails [`Builder::build`].
    #[must_use]
    pub fn read_env(self) -> Self {
        self.read_variables(|name| std::env::var(name).ok())
    }

    pub(crate) fn read_variables(mut self, read: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name: &str| read(name).filter(|it| !it.trim().is_empty());
        let said = (self.endpoint.take(), self.service_name.take());
        self.endpoint = said.0.or_else(|| read("OTEL_EXPORTER_OTLP_ENDPOINT"));
        self.service_name = said.1.or_else(|| read("OTEL_SERVICE_NAME"));
        if let Err(wrong) = self.read_checked(read) {
            self.wrong = Some(wrong);
        }
        self
    }

    fn read_checked(&mut self, read: impl Fn(&str) -> Option<String>) -> Result<(), BuildError> {
        let wrong = |name, like| move |value: String| BuildError::Variable { name, value, like };
        let millis = |name| match read(name) {
            Some(value) => match value.trim().parse().ok().filter(|it| *it > 0) {
                Some(millis) => Ok(Some(Duration::from_millis(millis))),
                None => Err(wrong(name, "10000")(value)),
            },
            None => Ok(None),
        };
        let timeout = millis("OTEL_EXPORTER_OTLP_TIMEOUT")?;
        self.timeout = self.timeout.or(timeout);
        let period = millis("OTEL_METRIC_EXPORT_INTERVAL")?;
        self.metrics_every = self.metrics_every.or(period);
        let name = "OTEL_EXPORTER_OTLP_PROTOCOL";
        if let (None, Some(value)) = (self.protocol, read(name)) {
            let known = [Protocol::HttpProtobuf, Protocol::Grpc];
            let found = known.into_iter().find(|it| it.as_str() == value.trim());
            self.protocol =
                Some(found.ok_or_else(|| wrong(name, "http/protobuf` or `grpc")(value))?);
        }
        let name = "OTEL_RESOURCE_ATTRIBUTES";
        if let Some(value) = read(name) {
            let list = read_list(&value);
            let list = list.ok_or_else(|| wrong(name, "key=value,key=value")(value))?;
            // What code says comes later and wins.
            self.resource.splice(0..0, list);
        }
        let name = "OTEL_EXPORTER_OTLP_HEADERS";
        if let Some(value) = read(name) {
            let hidden = || wrong(name, "name=value,name=value")("…".to_owned());
            self.headers
                .splice(0..0, read_list(&value).ok_or_else(hidden)?);
        }
        Ok(())
    }

    /// Starts exporting what `recorder` records from now on. The first thing sent is a self-test:
    /// see [`Otlp::check`] and [`Otlp::health`].
    ///
    /// # Errors
    ///
    /// [`BuildError`] names the setting that is wrong.
    pub fn build(mut self, recorder: &Recorder) -> Result<Otlp, BuildError> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        let connection = self.connection()?;
        let mut resource = std::mem::take(&mut self.resource);
        let name = self.service_name.take();
        resource.extend(name.map(|name| ("service.name".to_owned(), name)));
        let shared = Arc::new(Shared::new(&self.clock, self.queue_bytes));
        let worker = Worker {
            shared: shared.clone(),
            connection,
            preamble: Preamble::new(&resource, &self.clock),
            timeout: self.timeout.unwrap_or(TIMEOUT),
            hook: self.hook,
        };
        start(worker).map_err(BuildError::Thread)?;
        let metrics_every = self.metrics_every.unwrap_or(METRICS_EVERY);
        let exporter = OtlpExporter {
            shared: shared.clone(),
            scheme: self.scheme,
            counting_since: self.clock.now(),
            metrics_every,
            metrics_at: self.clock.monotonic() + metrics_every,
        };
        recorder.attach(exporter).map_err(BuildError::Thread)?;
        let recorder = recorder.clone();
        Ok(Otlp { shared, recorder })
    }

    fn connection(&self) -> Result<Connection, BuildError> {
        let protocol = self.protocol.unwrap_or_default();
        let given = self.endpoint.as_deref();
        let endpoint = Endpoint::new(given.unwrap_or(protocol.default_endpoint()), protocol)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let wrong = || BuildError::Header { name: name.clone() };
            let key = HeaderName::try_from(name).map_err(|_| wrong())?;
            let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        let tls = if endpoint.is_tls {
            let tls = connection::tls(protocol, &self.authority);
            Some(tls.map_err(|why| BuildError::Tls { why })?)
        } else {
            None
        };
        Ok(Connection::new(endpoint, headers, tls))
    }
}

/// Runs the worker on a thread and a runtime of its own: a service that blocks its own runtime
/// does not hold up what tells of it.
fn start(worker: Worker) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()?;
    std::thread::Builder::new()
        .name("bridge-otlp".to_owned())
        .spawn(move || runtime.block_on(worker.run()))
        .map(drop)
}
