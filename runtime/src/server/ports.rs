//! The ports: bound before anybody is told that the runtime is up.

use contract::grpc::bridge::outcomes_server::OutcomesServer;
use contract::grpc::v1::bootstrap_server::BootstrapServer;
use contract::grpc::v1::control_server::ControlServer;
use contract::grpc::v1::invoke_server::InvokeServer;
use contract::grpc::v1::registry_server::RegistryServer;
use contract::grpc::v1::telemetry_server::TelemetryServer;
use contract::tls::{ClientAuth, server_config};
use contract::transport::{Limits, Listener};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tower::ServiceExt as _;

use super::parts::Core;
use super::refusals::RefusalLog;
use super::{DRAIN, StartError, files};
use crate::config::Config;
use crate::identity::{BootstrapApi, ControlApi};
use crate::outcomes::OutcomesApi;
use crate::registry::RegistryApi;
use crate::rpc::{InvokeApi, Proxy};
use crate::settings::keys;
use crate::telemetry::TelemetryApi;

/// Streams one connection may have open.
const STREAMS_MAX: u32 = 1_024;
/// Largest message of an SDK, in bytes.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

impl Core {
    pub(super) async fn bind_grpc(&self, config: &Config) -> Result<Listener, StartError> {
        let port = self.settings.get(keys::GRPC_PORT);
        let address = config
            .listen
            .clone()
            .unwrap_or_else(|| format!("0.0.0.0:{port}"));
        let tls = server_config(self.identity.ca_der(), &self.leaf, ClientAuth::Optional)?;
        let limits = Limits {
            connections_max: files::connections_max(self.settings.get(keys::MAX_CONNECTIONS)),
            handshake_timeout: self.settings.get(keys::HANDSHAKE_TIMEOUT),
            keepalive: self.settings.get(keys::KEEPALIVE_INTERVAL),
            keepalive_timeout: self.settings.get(keys::KEEPALIVE_TIMEOUT),
            streams_max: STREAMS_MAX,
            drain: DRAIN,
        };
        let bound = Listener::bind(&address, tls, limits, self.clock.clone()).await;
        let refusals = RefusalLog::new(&self.clock);
        bound
            .map(|it| it.on_refusal(move |remote, why| refusals.note(remote, why)))
            .map_err(|source| StartError::Bind { address, source })
    }

    pub(super) async fn bind_console(&self, config: &Config) -> Result<TcpListener, StartError> {
        let port = self.settings.get(keys::UI_PORT);
        let address = config
            .console_listen
            .clone()
            .unwrap_or_else(|| format!("127.0.0.1:{port}"));
        let bound = TcpListener::bind(&address).await;
        bound.map_err(|source| StartError::Bind { address, source })
    }

    pub(super) async fn bind_export(&self, config: &Config) -> Result<TcpListener, StartError> {
        let port = self.settings.get(keys::OBSEXPORT_PORT);
        let address = config
            .export_listen
            .clone()
            .unwrap_or_else(|| format!("127.0.0.1:{port}"));
        let bound = TcpListener::bind(&address).await;
        bound.map_err(|source| StartError::Bind { address, source })
    }

    /// Every gRPC service. What is not here answers UNIMPLEMENTED, which SDKs take as "not yet".
    pub(super) fn routes(
        &self,
    ) -> impl tower::Service<
        http::Request<hyper::body::Incoming>,
        Response = http::Response<tonic::body::Body>,
        Error = std::convert::Infallible,
        Future: Send,
    > + Clone
    + Send
    + 'static {
        let control = ControlApi {
            identity: self.identity.clone(),
            presence: self.presence.clone(),
            mint: self.mint.clone(),
        };
        let proxy = Proxy::new(
            &self.clock,
            &self.registry,
            &self.outcomes,
            &self.settings,
            (self.identity.ca_der(), &self.leaf),
        );
        let telemetry = TelemetryApi::new(
            &self.reports,
            &self.settings,
            &self.presence,
            &self.registry,
            &self.clock,
        );
        let outcomes = OutcomesApi {
            outcomes: self.outcomes.clone(),
            registry: self.registry.clone(),
        };
        let limit = MESSAGE_BYTES_MAX;
        Routes::new(BootstrapServer::new(BootstrapApi(self.identity.clone())))
            .add_service(ControlServer::new(control))
            .add_service(
                RegistryServer::new(RegistryApi(self.registry.clone()))
                    .max_decoding_message_size(limit),
            )
            .add_service(InvokeServer::new(InvokeApi(proxy)).max_decoding_message_size(limit))
            .add_service(OutcomesServer::new(outcomes).max_decoding_message_size(limit))
            .add_service(TelemetryServer::new(telemetry).max_decoding_message_size(limit))
            .prepare()
            .map_request(|request: http::Request<hyper::body::Incoming>| {
                request.map(tonic::body::Body::new)
            })
    }
}
