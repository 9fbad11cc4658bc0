//! The inbound server's socket, and the endpoint peers are told.

use std::net::SocketAddr;
use std::time::Duration;

use contract::clock::Clock;
use contract::error_code::ErrorCode;
use contract::tls::{ClientAuth, Leaf, server_config};
use contract::transport::{Limits, Listener};

use crate::error::Error;
use crate::options::{Advertise, Options};

/// Open inbound connections; peers need one each.
const CONNECTIONS_MAX: usize = 4_096;

/// Binds the inbound server; returns it with the endpoint peers are told.
pub(super) async fn bind(
    options: &Options,
    leaf: &Leaf,
    clock: &Clock,
) -> Result<Option<(Listener, String)>, Error> {
    let Advertise::At(address) = &options.advertise else {
        return Ok(None);
    };
    let refuse = |error: std::io::Error| {
        let text = format!("cannot listen on `{address}`; choose a free port of this machine");
        Error::caused(ErrorCode::Config, text, error)
    };
    let tls =
        server_config(&options.key.ca_cert_der, leaf, ClientAuth::Required).map_err(|error| {
            let text = "the service key holds an unusable authority certificate; create a new key";
            Error::caused(ErrorCode::Config, text, error)
        })?;
    let calls = options
        .limits
        .concurrent_calls_max
        .saturating_add(options.limits.queued_calls_max)
        .saturating_add(options.limits.concurrent_streams_max);
    let limits = Limits {
        connections_max: CONNECTIONS_MAX,
        handshake_timeout: Duration::from_secs(10),
        keepalive: Duration::from_secs(30),
        keepalive_timeout: Duration::from_secs(10),
        streams_max: calls,
        drain: Duration::from_secs(1),
    };
    let listener = Listener::bind(address, tls, limits, clock.clone())
        .await
        .map_err(refuse)?;
    let bound = listener.local_addr().map_err(refuse)?;
    let endpoint = endpoint(address, bound, &options.runtime)
        .await
        .map_err(refuse)?;
    Ok(Some((listener, endpoint)))
}

/// What peers are told: the host as given with the real port. Nobody can call "any address", so
/// for that one it is the address that packets to the runtime leave from.
pub(super) async fn endpoint(
    given: &str,
    bound: SocketAddr,
    runtime: &str,
) -> std::io::Result<String> {
    let port = bound.port();
    if bound.ip().is_unspecified() {
        let any = SocketAddr::new(bound.ip(), 0);
        let probe = tokio::net::UdpSocket::bind(any).await?;
        probe.connect(runtime).await?;
        return Ok(SocketAddr::new(probe.local_addr()?.ip(), port).to_string());
    }
    let host = given.rsplit_once(':').map_or(given, |(host, _)| host);
    Ok(format!("{host}:{port}"))
}
