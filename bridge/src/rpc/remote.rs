//! A service at an address the user knows, called without any runtime.

use std::sync::Arc;
use std::time::Duration;

use bridge_tower::Observed;
use contract::clock::Clock;
use contract::error_code::ErrorCode;
use contract::transport::{Dial, Security};
use http::uri::Scheme;
use http::{HeaderValue, Uri};
use rustls::{ClientConfig, RootCertStore};

use super::application::Application;
use super::asked::ClientOptions;
use super::fixed::{Far, Fixed, Server};
use super::problems::Base;
use super::target::{Client, Contract, Reach, Target};
use super::web::Web;
use crate::error::Error;
use crate::handler::MethodMeta;
use crate::link::Link;
use crate::options::Retry;

/// Longest call that says nothing itself.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A service at a URL that speaks gRPC, or HTTP with JSON. Its clients have the same methods as
/// those of the mesh; there is no identity, no balancing and no record of the calls on the map.
///
/// Connections are made when they are first needed, within 5 s each, shared by all clients made of
/// one `Remote`, and made again when they break. A call whose deadline ends before there is one is
/// `CONNECTION`, which is retryable, because nothing was sent; later it is `TIMEOUT`. Calls carry the trace and the deadline of the task they are
/// made in, an idempotency key as `idempotency-key`, a request id as `x-request-id`.
///
/// ```
/// # struct Payments;
/// # #[derive(Clone)] struct PaymentsClient;
/// # impl From<bridge::__rt::Target> for PaymentsClient { fn from(_: bridge::__rt::Target) -> Self { Self } }
/// # impl bridge::Contract for Payments {
/// #     const NAME: &'static str = "shop.payments.v1.Payments";
/// #     const DEFAULT_TARGET: &'static str = "payments";
/// #     const METHODS: &'static [bridge::__rt::MethodMeta] = &[];
/// #     type Client = PaymentsClient;
/// # }
/// # fn example() -> Result<(), bridge::Error> {
/// let payments = bridge::Remote::grpc("http://127.0.0.1:50051")?.client::<Payments>();
/// # Ok(()) }
/// # example().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Remote {
    endpoint: String,
    speaks: Speaks,
    timeout: Duration,
    retry: Retry,
    clock: Clock,
}

#[derive(Clone, Debug)]
enum Speaks {
    Grpc { link: Arc<Link>, url: Uri },
    Json { server: Server, base: Base },
}

impl Remote {
    /// A server of plain gRPC at `url`: `http://host:port`, or `https://host` with a certificate
    /// of an authority this machine knows. A status whose details give a reason
    /// (`google.rpc.ErrorInfo`) is a handler's error of that code, as a service says with
    /// [`grpc_details`](crate::grpc_details); any other is a failure of the call.
    ///
    /// # Errors
    ///
    /// `CONFIG` for a URL that is not one of those, or when this machine knows no authority.
    pub fn grpc(url: &str) -> Result<Self, Error> {
        let parsed = parsed(url)?;
        let tls = parsed.is_secure.then(|| web_tls(b"h2")).transpose()?;
        Self::over_grpc(url, parsed, tls)
    }

    /// The same for an `https` URL, trusting what `config` trusts, which is a value of
    /// [`bridge::rustls`](crate::rustls). The configuration has to offer HTTP/2 (ALPN `h2`).
    ///
    /// # Errors
    ///
    /// `CONFIG` for a URL that is not one of those.
    pub fn grpc_with_tls(url: &str, config: Arc<ClientConfig>) -> Result<Self, Error> {
        let parsed = parsed(url)?.secured(url)?;
        Self::over_grpc(url, parsed, Some(config))
    }

    /// A server of HTTP/1.1 with JSON at `url`: `http://host:port`, or `https://host`, with the
    /// path in front of the methods' own, if there is one. A method is asked for as its
    /// `google.api.http` option says, or at `POST /package.Service/Method`; errors are problem
    /// details. Streams have no such form.
    ///
    /// # Errors
    ///
    /// `CONFIG` for a URL that is not one of those, or when this machine knows no authority.
    pub fn json(url: &str) -> Result<Self, Error> {
        let parsed = parsed(url)?;
        let tls = parsed.is_secure.then(|| web_tls(b"http/1.1")).transpose()?;
        Self::over_json(url, parsed, tls)
    }

    /// The same for an `https` URL, trusting what `config` trusts, which is a value of
    /// [`bridge::rustls`](crate::rustls). The configuration has to offer HTTP/1.1, or nothing (ALPN).
    ///
    /// # Errors
    ///
    /// `CONFIG` for a URL that is not one of those.
    pub fn json_with_tls(url: &str, config: Arc<ClientConfig>) -> Result<Self, Error> {
        let parsed = parsed(url)?.secured(url)?;
        Self::over_json(url, parsed, Some(config))
    }

    fn over_grpc(url: &str, parsed: Parsed, tls: Option<Arc<ClientConfig>>) -> Result<Self, Error> {
        let Parsed {
            url: at, endpoint, ..
        } = parsed;
        if !matches!(at.path(), "" | "/") {
            return Err(wrong(
                url,
                "has a path; gRPC methods have paths of their own",
            ));
        }
        let clock = Clock::system();
        let security = tls.map_or(Security::Open, Security::Web);
        let dial = Dial::to(endpoint.as_str(), security);
        let link = Arc::new(Link::to_address(dial, clock.clone()));
        Ok(Self::new(endpoint, Speaks::Grpc { link, url: at }))
    }

    fn over_json(url: &str, parsed: Parsed, tls: Option<Arc<ClientConfig>>) -> Result<Self, Error> {
        let Parsed {
            url: at, endpoint, ..
        } = parsed;
        let authority = at.authority().map_or("", |it| it.as_str());
        let base = Base {
            authority: authority.parse().map_err(|_| wrong(url, "has no host"))?,
            prefix: at.path().trim_end_matches('/').into(),
        };
        let web = Web::new(endpoint.clone(), tls, Clock::system());
        let server = Server::Web(Arc::new(web));
        Ok(Self::new(endpoint, Speaks::Json { server, base }))
    }

    pub(crate) fn to_application(app: Observed) -> Self {
        let base = Base {
            authority: HeaderValue::from_static("localhost"),
            prefix: "".into(),
        };
        let server = Server::Application(Application::new(app));
        Self::new("in process".to_owned(), Speaks::Json { server, base })
    }

    fn new(endpoint: String, speaks: Speaks) -> Self {
        Self {
            endpoint,
            speaks,
            timeout: CALL_TIMEOUT,
            retry: Retry::default(),
            clock: Clock::system(),
        }
    }

    /// Bounds a call that says nothing itself. Default 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How calls that were provably not executed are repeated. Default [`Retry::default`].
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// A typed client of the service there.
    pub fn client<C: Contract>(&self) -> Client<C> {
        self.target::<C>().into()
    }

    /// The same with other defaults than those of this address.
    pub fn client_with<C: Contract>(&self, options: &ClientOptions) -> Client<C> {
        self.target::<C>().with(options).into()
    }

    fn target<C: Contract>(&self) -> Target {
        let far = match &self.speaks {
            Speaks::Grpc { link, url } => {
                let uris = C::METHODS.iter().map(|it| method_at(url, it));
                Far::Grpc {
                    link: link.clone(),
                    uris: uris.collect(),
                }
            }
            Speaks::Json { server, base } => Far::Json {
                server: server.clone(),
                base: base.clone(),
                forms: C::FORMS,
            },
        };
        let fixed = Fixed {
            far,
            clock: self.clock.clone(),
            timeout: self.timeout,
            retry: self.retry,
        };
        let service = self.endpoint.as_str().into();
        let reach = Reach::Fixed(fixed);
        Target::new(service, C::METHODS, reach)
    }
}

/// Where gRPC has a method.
fn method_at(url: &Uri, method: &MethodMeta) -> Uri {
    let mut parts = url.clone().into_parts();
    parts.path_and_query = format!("/{}/{}", method.service, method.name).parse().ok();
    // Names of a contract are a path; a contract without a name has no method to reach.
    Uri::from_parts(parts).unwrap_or_default()
}

/// A URL that can be meant.
struct Parsed {
    url: Uri,
    /// `host:port`
    endpoint: String,
    is_secure: bool,
}

impl Parsed {
    fn secured(self, url: &str) -> Result<Self, Error> {
        match self.is_secure {
            true => Ok(self),
            false => Err(wrong(url, "asks for no TLS")),
        }
    }
}

fn wrong(url: &str, why: &str) -> Error {
    let text = format!("the URL `{url}` {why}; expected `http://host:port` or `https://host`");
    Error::config(text)
}

fn parsed(text: &str) -> Result<Parsed, Error> {
    let url: Uri = text.parse().map_err(|_| wrong(text, "cannot be read"))?;
    let is_secure = match url.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(scheme) if *scheme == Scheme::HTTP => false,
        _ => return Err(wrong(text, "is neither http nor https")),
    };
    if url.query().is_some() {
        return Err(wrong(text, "has a query"));
    }
    let host = url.host().unwrap_or_default();
    if host.is_empty() {
        return Err(wrong(text, "has no host"));
    }
    let authority = url.authority().map_or("", |it| it.as_str());
    if authority.contains('@') {
        return Err(wrong(
            text,
            "names a user; whoever calls is told in headers",
        ));
    }
    let port = match authority.strip_prefix(host) {
        Some("") => Some(if is_secure { 443 } else { 80 }),
        _ => url.port_u16().filter(|port| *port != 0),
    };
    let port = port.ok_or_else(|| wrong(text, "has a port outside 1 to 65535"))?;
    Ok(Parsed {
        endpoint: format!("{host}:{port}"),
        url,
        is_secure,
    })
}

/// TLS as the web has it, with the authorities this machine knows.
fn web_tls(protocol: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        let text = "this machine knows no certificate authority; install its list, or give what to trust with `grpc_with_tls` or `json_with_tls`";
        return Err(Error::config(text));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::caused(ErrorCode::Config, error.to_string(), error))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod tests;
