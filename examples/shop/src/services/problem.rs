//! What goes wrong while ordering, as HTTP says it (RFC 9457, `application/problem+json`).
//!
//! Invariant: a business error of another service keeps its code; a technical one never shows
//! the customer more than that trying again may help.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bridge::CallError;
use serde_json::json;

use crate::contracts::inventory::ReserveError;
use crate::contracts::payments::ChargeError;

/// An answer that is not an order.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
}

impl Problem {
    fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: detail.into(),
        }
    }

    pub(super) fn full(orders: usize) -> Self {
        let text = format!("this shop keeps {orders} orders, and has them");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "BOOKS_FULL", text)
    }

    pub(super) fn no_order(id: &str) -> Self {
        let text = format!("there is no order `{id}`");
        Self::new(StatusCode::NOT_FOUND, "UNKNOWN_ORDER", text)
    }
}

/// Handlers' errors come back as the type they were returned as; the rest has the SDK's codes.
impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let status = match (
            error.business::<ReserveError>(),
            error.business::<ChargeError>(),
        ) {
            (Some(ReserveError::OutOfStock(_)), _) => StatusCode::CONFLICT,
            (Some(ReserveError::UnknownSku(_)), _) => StatusCode::NOT_FOUND,
            (Some(ReserveError::InvalidQuantity(_)), _) => StatusCode::UNPROCESSABLE_ENTITY,
            (_, Some(ChargeError::CardDeclined)) => StatusCode::PAYMENT_REQUIRED,
            _ => return Self::technical(&error),
        };
        let code = error.handler_code().unwrap_or_default();
        Self::new(status, code, error.message())
    }
}

impl Problem {
    fn technical(error: &CallError) -> Self {
        let code = error.code();
        let status = StatusCode::from_u16(code.http_status()).ok();
        let again = if error.retryable() {
            "nothing was done, try again"
        } else {
            "the order could not be placed"
        };
        Self::new(
            status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code.as_str(),
            again,
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let problem = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, problem, Json(body)).into_response()
    }
}
