//! `servicebridge.v1.Bootstrap` and `servicebridge.v1.Control` on the wire.
//!
//! The five statuses that stop an SDK for good are answered only to what is final.

use std::pin::Pin;

use contract::grpc::v1;
use contract::grpc::v1::bootstrap_server::Bootstrap;
use contract::grpc::v1::control_server::Control;
use contract::grpc::v1::server_control::Kind;
use contract::ids::{IdMint, InstanceId, ServiceId, SessionId};
use contract::tls::{Peer, Validity};
use contract::transport::Connection;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::engine::{Error, Identity};
use super::presence::{Ending, Presence};

/// Contract revision this runtime speaks.
pub const PROTOCOL_VERSION: u32 = 1;

/// The service and instance of the verified certificate behind a request.
///
/// # Errors
///
/// UNAUTHENTICATED without a certificate, PERMISSION_DENIED with one that is not a service's.
pub fn caller<T>(request: &Request<T>) -> Result<(ServiceId, InstanceId), Status> {
    match request.extensions().get::<Connection>().map(|it| it.peer) {
        Some(Peer::Service { service, instance }) => Ok((service, instance)),
        Some(Peer::Runtime) => Err(Status::permission_denied("only services may call this")),
        Some(Peer::Unknown) | None => Err(Status::unauthenticated(
            "a client certificate of this runtime is required; provision with a service key first",
        )),
    }
}

/// How long the certificate behind a request is valid.
pub fn certificate<T>(request: &Request<T>) -> Option<Validity> {
    let connection = request.extensions().get::<Connection>();
    connection.and_then(|it| it.certificate)
}

/// Serves provisioning.
#[derive(Clone, Debug)]
pub struct BootstrapApi(pub Identity);

#[tonic::async_trait]
impl Bootstrap for BootstrapApi {
    async fn provision(
        &self,
        request: Request<v1::ProvisionRequest>,
    ) -> Result<Response<v1::ProvisionResponse>, Status> {
        let request = request.into_inner();
        let done = self
            .0
            .provision(&request.key_id, request.secret, &request.csr_der)
            .await?;
        Ok(Response::new(v1::ProvisionResponse {
            cert_der: done.issued.cert_der,
            ca_chain_der: self.0.ca_der().to_vec(),
            service_id: done.service.to_string(),
            service_name: done.service_name,
            instance_id: done.instance.to_string(),
            not_after_unix_ms: done.issued.not_after.as_millis(),
        }))
    }
}

/// Serves sessions and certificate refreshes.
#[derive(Clone, Debug)]
pub struct ControlApi {
    /// Who may join.
    pub identity: Identity,
    /// Who is here.
    pub presence: Presence,
    /// Makes session ids.
    pub mint: IdMint,
}

#[tonic::async_trait]
impl Control for ControlApi {
    type OpenStream = Pin<Box<dyn Stream<Item = Result<v1::ServerControl, Status>> + Send>>;

    async fn open(
        &self,
        request: Request<v1::OpenRequest>,
    ) -> Result<Response<Self::OpenStream>, Status> {
        let (service, instance) = caller(&request)?;
        let shown = certificate(&request);
        let hello = request.into_inner();
        if hello.protocol_version != PROTOCOL_VERSION {
            return Err(Status::failed_precondition(format!(
                "this runtime speaks protocol version {PROTOCOL_VERSION}, the client sent {}; use an SDK that speaks it",
                hello.protocol_version
            )));
        }
        let service_name = self.identity.active_name(service).await?;
        let mut link = self.presence.link(service, instance);
        self.presence.certify(instance, shown);
        let welcome = v1::Welcome {
            session_id: SessionId::mint(&self.mint).to_string(),
            service_id: service.to_string(),
            service_name,
            runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol_version: PROTOCOL_VERSION,
        };
        tracing::info!(service.id = %service, instance.id = %instance, sdk.language = hello.sdk_language, sdk.version = hello.sdk_version, "session opened");
        let (frames, receiver) = tokio::sync::mpsc::channel(2);
        tokio::spawn(async move {
            let first = v1::ServerControl {
                kind: Some(Kind::Welcome(welcome)),
            };
            if frames.send(Ok(first)).await.is_err() {
                return;
            }
            let ending = tokio::select! {
                () = frames.closed() => return,
                ending = link.ended() => ending,
            };
            let last = match ending {
                Ending::Revoked => Err(Status::permission_denied("this service is revoked")),
                Ending::Draining => {
                    let drain = v1::Drain {
                        reason: "the runtime is shutting down".to_owned(),
                    };
                    Ok(v1::ServerControl {
                        kind: Some(Kind::Drain(drain)),
                    })
                }
            };
            // Ends the stream after the last frame; the client may be gone already.
            let _ = frames.send(last).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn refresh_cert(
        &self,
        request: Request<v1::RefreshCertRequest>,
    ) -> Result<Response<v1::RefreshCertResponse>, Status> {
        let (service, instance) = caller(&request)?;
        let issued = self
            .identity
            .refresh(service, instance, &request.into_inner().csr_der)
            .await?;
        let issued_as = Validity::of_certificate(&issued.cert_der);
        self.presence.certify(instance, issued_as);
        Ok(Response::new(v1::RefreshCertResponse {
            cert_der: issued.cert_der,
            ca_chain_der: self.identity.ca_der().to_vec(),
            not_after_unix_ms: issued.not_after.as_millis(),
            instance_id: instance.to_string(),
        }))
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match &error {
            Error::UnknownKey | Error::RevokedKey => Status::unauthenticated(error.to_string()),
            Error::RevokedService(_) => Status::permission_denied(error.to_string()),
            Error::NoService(_) | Error::NoKey { .. } => Status::not_found(error.to_string()),
            Error::Request | Error::Malformed(_) => Status::invalid_argument(error.to_string()),
            Error::Busy => Status::resource_exhausted(error.to_string()),
            Error::NameTaken(_) | Error::Name(_) => Status::invalid_argument(error.to_string()),
            Error::Store(_) | Error::Random | Error::Authority(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "identity operation failed"
                );
                Status::unavailable("the runtime cannot answer now")
            }
        }
    }
}
