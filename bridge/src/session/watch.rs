//! The registry stream: our declaration out, the mesh's changes in.
//!
//! It is opened after a welcome, and anew whenever there is another welcome or our declaration
//! changes. The runtime takes the latest stream of an instance as the valid one.

use std::sync::Arc;

use contract::grpc::v1::RegistryEvent;
use contract::grpc::v1::registry_client::RegistryClient;
use contract::grpc::v1::registry_event::Kind;
use tokio::sync::watch as channel;
use tonic::{Status, Streaming};

use super::{Progress, Registration, Session, is_terminal, refusal};
use crate::link::CONNECT_TIMEOUT_MAX;

/// Why a stream is not read any further.
enum End {
    /// There is another welcome or another declaration: open again at once.
    Outdated,
    Lost(Status),
}

/// Registers and follows the registry for as long as the bridge lives.
pub(crate) async fn watch(session: Arc<Session>) {
    let mut progress = session.progress();
    let mut registration = session.registration.subscribe();
    let mut failures = 0_u32;
    loop {
        let Ok(at) = progress
            .wait_for(|it| it.welcomes > 0)
            .await
            .map(|it| it.welcomes)
        else {
            return;
        };
        let declared = registration.borrow_and_update().clone();
        let end = tokio::select! {
            () = outdated(&mut progress, at, &mut registration) => End::Outdated,
            status = follow(&session, &declared, &mut failures) => End::Lost(status),
        };
        let End::Lost(status) = end else { continue };
        if is_terminal(status.code()) {
            return session.fail(refusal("the runtime refused the registration", &status));
        }
        failures = failures.saturating_add(1);
        tracing::debug!(error = %status, failures, "registry stream lost");
        let pause = session.ladder().pause(failures, fastrand::f64());
        tokio::select! {
            () = outdated(&mut progress, at, &mut registration) => {}
            () = session.clock.sleep(pause) => {}
        }
    }
}

async fn outdated(
    progress: &mut channel::Receiver<Progress>,
    welcomes: u64,
    registration: &mut channel::Receiver<Registration>,
) {
    tokio::select! {
        _ = progress.wait_for(|it| it.welcomes != welcomes) => {}
        _ = registration.changed() => {}
    }
}

/// Reads one stream to its end.
async fn follow(session: &Session, declared: &Registration, failures: &mut u32) -> Status {
    let mut stream = match open(session, declared).await {
        Ok(stream) => stream,
        Err(status) => return status,
    };
    loop {
        match stream.message().await {
            Ok(Some(event)) => {
                *failures = 0;
                apply(session, event, declared.version);
            }
            Ok(None) => return Status::unavailable("the registry stream ended"),
            Err(status) => return status,
        }
    }
}

async fn open(
    session: &Session,
    declared: &Registration,
) -> Result<Streaming<RegistryEvent>, Status> {
    let channel = session.runtime.channel(CONNECT_TIMEOUT_MAX).await;
    let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
    let origin = channel.origin();
    let mut client = RegistryClient::with_origin(channel, origin);
    let stream = client.register_and_watch(declared.request.clone()).await?;
    Ok(stream.into_inner())
}

fn apply(session: &Session, event: RegistryEvent, version: u64) {
    let is_snapshot = matches!(event.kind, Some(Kind::Snapshot(_)));
    let warnings = session.registry.apply(event);
    let registry = &session.registry;
    session
        .telemetry
        .follow_runtime(registry.telemetry_enabled(), registry.capture().as_ref());
    session.violations(warnings);
    if is_snapshot {
        session.advance(|progress| {
            progress.has_snapshot = true;
            progress.registered = progress.registered.max(version);
        });
    }
}
