//! The control stream: welcome, drain, and coming back after a loss.

use std::sync::Arc;

use contract::error_code::ErrorCode;
use contract::grpc::v1::control_client::ControlClient;
use contract::grpc::v1::server_control::Kind;
use contract::grpc::v1::{OpenRequest, ServerControl, Welcome};
use tonic::Streaming;

use super::certificate::{Fault, provision};
use super::{
    Identity, Lifecycle, PROTOCOL_VERSION, Phase, SDK_LANGUAGE, Session, is_terminal, refusal,
};
use crate::error::Error;
use crate::link::CONNECT_TIMEOUT_MAX;

/// Keeps a session open for as long as the bridge lives.
pub(crate) async fn control(session: Arc<Session>) {
    let mut failures = 0_u32;
    loop {
        let error = match converse(&session, &mut failures).await {
            Fault::Terminal(error) => return session.fail(error),
            Fault::Passing(error) => error,
        };
        failures = failures.saturating_add(1);
        let bound = session.options.limits.reconnect.attempts;
        if bound > 0 && failures > bound {
            let text = format!("gave up after {failures} attempts in a row: {error}");
            return session.fail(Error::caused(ErrorCode::Connection, text, error));
        }
        lost(&session, failures, error).await;
    }
}

/// Says that the connection is lost and waits for the next rung.
async fn lost(session: &Session, failures: u32, reason: Error) {
    let delay = session.ladder().pause(failures - 1, fastrand::f64());
    session.advance(|progress| {
        progress.trouble = Some(reason.clone());
        if progress.phase == Phase::Connected {
            progress.phase = Phase::Reconnecting;
        }
    });
    session.emit(Lifecycle::Reconnecting {
        attempt: failures,
        delay,
        reason,
    });
    session.clock.sleep(delay).await;
}

/// One session from provisioning to its end.
async fn converse(session: &Session, failures: &mut u32) -> Fault {
    let mut stream = match open(session).await {
        Ok(stream) => stream,
        Err(fault) => return fault,
    };
    loop {
        let message = match stream.message().await {
            Ok(Some(message)) => message,
            Ok(None) => {
                let text = "the runtime ended the session";
                return Fault::Passing(Error::new(ErrorCode::Connection, text));
            }
            Err(status) => return lost_by(&status),
        };
        match message.kind {
            Some(Kind::Welcome(welcome)) => {
                if let Err(error) = welcomed(session, welcome) {
                    return Fault::Terminal(error);
                }
                *failures = 0;
            }
            // Everything keeps running until the stream really ends.
            Some(Kind::Drain(drain)) => session.emit(Lifecycle::Draining {
                reason: drain.reason,
            }),
            None => {}
        }
    }
}

async fn open(session: &Session) -> Result<Streaming<ServerControl>, Fault> {
    provision(session).await?;
    let channel = session
        .runtime
        .channel(CONNECT_TIMEOUT_MAX)
        .await
        .map_err(|error| {
            let text = format!("cannot reach the runtime: {error}");
            Fault::Passing(Error::caused(ErrorCode::Connection, text, error))
        })?;
    let origin = channel.origin();
    let request = OpenRequest {
        protocol_version: PROTOCOL_VERSION,
        sdk_language: SDK_LANGUAGE.to_owned(),
        sdk_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let opened = ControlClient::with_origin(channel, origin)
        .open(request)
        .await;
    opened
        .map(tonic::Response::into_inner)
        .map_err(|status| lost_by(&status))
}

fn lost_by(status: &tonic::Status) -> Fault {
    if is_terminal(status.code()) {
        Fault::Terminal(refusal("the runtime refused the session", status))
    } else {
        Fault::Passing(refusal("the session was lost", status))
    }
}

fn welcomed(session: &Session, welcome: Welcome) -> Result<(), Error> {
    // 0 means the field was not sent.
    if welcome.protocol_version > PROTOCOL_VERSION {
        return Err(Error::config(format!(
            "the runtime ({}) speaks contract revision {}, this library {PROTOCOL_VERSION}; update the older side",
            welcome.runtime_version, welcome.protocol_version
        )));
    }
    let identity = {
        let mut current = session.identity.write();
        let Some(known) = current.as_mut() else {
            return Err(Error::new(
                ErrorCode::Internal,
                "welcomed before being provisioned",
            ));
        };
        *known = Identity {
            session_id: welcome.session_id,
            service_name: welcome.service_name,
            ..known.clone()
        };
        known.clone()
    };
    check_name(session, &identity)?;
    session.advance(|progress| {
        progress.welcomes += 1;
        progress.trouble = None;
        progress.phase = progress.phase.max(Phase::Connected);
        if progress.phase == Phase::Reconnecting {
            progress.phase = Phase::Connected;
        }
    });
    let runtime_version = welcome.runtime_version;
    session.emit(Lifecycle::Connected {
        identity,
        runtime_version,
    });
    Ok(())
}

/// The key decides who we are; the name in the code is there to notice a mix-up.
fn check_name(session: &Session, identity: &Identity) -> Result<(), Error> {
    let expected = &session.options.name;
    if *expected == identity.service_name || session.progress.borrow().welcomes > 0 {
        return Ok(());
    }
    Err(Error::config(format!(
        "the key belongs to service `{}`, the code says `{expected}`; use the key of `{expected}` or correct the name",
        identity.service_name
    )))
}
