//! `servicebridge.v1.Registry` on the wire.

use std::pin::Pin;

use contract::grpc::v1;
use contract::grpc::v1::registry_server::Registry as RegistryService;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::engine::{Error, Registry};
use crate::identity::{Ending, caller, certificate};

/// Frames waiting for a slow watcher; the next are computed only when it has taken these.
const FRAMES_WAITING_MAX: usize = 2;

/// Serves [`Registry`] over gRPC.
#[derive(Clone, Debug)]
pub struct RegistryApi(pub Registry);

#[tonic::async_trait]
impl RegistryService for RegistryApi {
    type RegisterAndWatchStream =
        Pin<Box<dyn Stream<Item = Result<v1::RegistryEvent, Status>> + Send>>;

    async fn register_and_watch(
        &self,
        request: Request<v1::RegisterRequest>,
    ) -> Result<Response<Self::RegisterAndWatchStream>, Status> {
        let (service, instance) = caller(&request)?;
        let mut link = self.0.link(service, instance, certificate(&request));
        let mut watcher = self
            .0
            .register(service, instance, request.into_inner())
            .await?;
        let (frames, receiver) = tokio::sync::mpsc::channel(FRAMES_WAITING_MAX);
        tokio::spawn(async move {
            let ended = loop {
                let event = tokio::select! {
                    () = frames.closed() => return,
                    ending = link.ended() => break ending,
                    event = watcher.next() => event,
                };
                if frames.send(Ok(event)).await.is_err() {
                    return;
                }
            };
            let last = match ended {
                Ending::Revoked => Status::permission_denied("this service is revoked"),
                // The control stream carries the notice.
                Ending::Draining => return,
            };
            // The watcher may be gone already; then nobody needs to be told.
            let _ = frames.send(Err(last)).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(invalid) => Status::invalid_argument(invalid.to_string()),
            Error::Revoked(_) | Error::UnknownService(_) => {
                Status::permission_denied(error.to_string())
            }
            Error::Store(source) => {
                tracing::warn!(error = %source, "cannot store a registration");
                Status::unavailable("the runtime cannot store the registration now")
            }
        }
    }
}
