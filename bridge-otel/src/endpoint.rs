//! Where spans go: the collector's address, checked before anything is sent there.

use http::Uri;
use http::uri::{PathAndQuery, Scheme};

/// What the collector speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP/HTTP with protocol buffers; collectors listen for it on port 4318.
    #[default]
    HttpProtobuf,
    /// OTLP/gRPC; collectors listen for it on port 4317.
    Grpc,
}

impl Protocol {
    /// The name that `OTEL_EXPORTER_OTLP_PROTOCOL` uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::Grpc => "grpc",
        }
    }

    /// Where a collector on this machine listens.
    pub(crate) const fn default_endpoint(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "http://127.0.0.1:4318",
            Self::Grpc => "http://127.0.0.1:4317",
        }
    }
}

/// What is wrong with an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the OTLP endpoint `{given}` {wrong}")]
pub struct EndpointError {
    /// As it was given.
    pub given: String,
    /// What is wrong and what to do, as the end of a sentence.
    pub wrong: &'static str,
}

/// What of the telemetry a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
}

/// A collector's address.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) protocol: Protocol,
    pub(crate) is_tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// `host:port` as a person would write it.
    pub(crate) authority: String,
    traces: PathAndQuery,
    metrics: PathAndQuery,
}

impl Endpoint {
    pub(crate) fn new(given: &str, protocol: Protocol) -> Result<Self, EndpointError> {
        let wrong = |wrong| EndpointError {
            given: given.to_owned(),
            wrong,
        };
        let uri: Uri = given
            .trim_end_matches('/')
            .parse()
            .map_err(|_| wrong("is no url: write it like `http://127.0.0.1:4318`"))?;
        let scheme = uri.scheme().filter(|_| given.contains("://"));
        let scheme = scheme.ok_or_else(|| wrong("has no scheme: put `http://` in front of it"))?;
        let is_tls = *scheme == Scheme::HTTPS;
        if !is_tls && *scheme != Scheme::HTTP {
            return Err(wrong("must begin with `http://` or `https://`"));
        }
        let base = uri.path().trim_end_matches('/');
        if ["/v1/traces", "/v1/metrics"]
            .iter()
            .any(|it| base.ends_with(it))
        {
            return Err(wrong(
                "must be the base of all signals: leave `/v1/…` away, it is added per signal",
            ));
        }
        if protocol == Protocol::Grpc && !base.is_empty() {
            return Err(wrong(
                "has a path, which gRPC has no use for: leave it away",
            ));
        }
        if uri.query().is_some() {
            return Err(wrong("has a query: keys belong into headers"));
        }
        let host = uri.host().unwrap_or_default();
        let default_port = if is_tls { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let path = |signal| {
            let path = match protocol {
                Protocol::HttpProtobuf => format!("{base}{}", http_path(signal)),
                Protocol::Grpc => grpc_path(signal).to_owned(),
            };
            PathAndQuery::try_from(path).map_err(|_| wrong("has a path that no request can have"))
        };
        Ok(Self {
            protocol,
            is_tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            authority: format!("{host}:{port}"),
            traces: path(Signal::Traces)?,
            metrics: path(Signal::Metrics)?,
        })
    }

    pub(crate) fn path(&self, signal: Signal) -> &PathAndQuery {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
        }
    }

    /// Where requests of a signal go, to be shown.
    pub(crate) fn url(&self, signal: Signal) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.path(signal))
    }
}

fn http_path(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/v1/traces",
        Signal::Metrics => "/v1/metrics",
    }
}

fn grpc_path(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_added_to_the_base_whatever_slashes_it_ends_with() {
        for base in ["https://a.example/otlp", "https://a.example/otlp/"] {
            let endpoint = Endpoint::new(base, Protocol::HttpProtobuf).expect("valid");
            let url = endpoint.url(Signal::Traces);
            assert_eq!(url, "https://a.example:443/otlp/v1/traces");
        }
        let endpoint = Endpoint::new("http://[::1]:4317", Protocol::Grpc).expect("valid");
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("::1", 4317));
        assert!(
            endpoint
                .url(Signal::Metrics)
                .ends_with("MetricsService/Export")
        );
    }

    #[test]
    fn a_wrong_endpoint_says_what_to_do() {
        for (given, protocol, advice) in [
            (
                "localhost:4318",
                Protocol::HttpProtobuf,
                "put `http://` in front",
            ),
            (
                "collector",
                Protocol::HttpProtobuf,
                "put `http://` in front",
            ),
            ("ftp://a:1", Protocol::HttpProtobuf, "`https://`"),
            (
                "http://a:1/v1/traces",
                Protocol::HttpProtobuf,
                "leave `/v1/…` away",
            ),
            (
                "http://a:1/v1/traces/",
                Protocol::HttpProtobuf,
                "leave `/v1/…` away",
            ),
            ("http://a:1/base", Protocol::Grpc, "leave it away"),
            (
                "http://a:1?key=1",
                Protocol::HttpProtobuf,
                "belong into headers",
            ),
            ("http://a b", Protocol::HttpProtobuf, "write it like"),
        ] {
            let error = Endpoint::new(given, protocol).expect_err(given).to_string();
            assert!(error.contains(given) && error.contains(advice), "{error}");
        }
    }
}
