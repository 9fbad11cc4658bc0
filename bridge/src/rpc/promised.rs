//! A handler that promises to do its work once: all calls with one key are answered alike, by
//! running it for one of them.

use bridge_tower::Deadline;
use tonic::Status;

use super::running::{self, Given};
use super::said::{respond, undecodable};
use crate::handler::{Answering, Starts};
use crate::idempotency::{self, Answered, Hold, Outcomes};
use crate::key::Idempotent;

/// Answers a call. The handler goes on when its caller leaves, and `hold` is taken as long as it
/// does.
pub(super) async fn answer(
    outcomes: &Outcomes,
    promise: (&Idempotent, &Starts<Answering>),
    given: Given,
    deadline: Option<Deadline>,
    hold: impl Hold,
) -> Result<Answered, Status> {
    let (idempotent, start) = promise;
    let (context, payload) = (given.context.clone(), given.payload.clone());
    let asked = idempotency::Asked {
        idempotent,
        method: given.method,
        caller: context.caller(),
        key: context.idempotency_key().unwrap_or_default(),
        payload: &payload,
        deadline,
    };
    let handler = || {
        let running = running::once(start, given).map_err(undecodable)?;
        Ok(async move {
            let handled = running.await;
            let is_retryable = handled.answer.as_ref().is_err_and(|it| it.is_retryable);
            idempotency::Ended {
                is_final: !handled.panicked && !is_retryable,
                response: respond(handled.answer),
            }
        })
    };
    idempotency::once(outcomes, asked, hold, handler).await
}
