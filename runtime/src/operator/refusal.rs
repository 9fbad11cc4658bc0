//! Why the operator API says no, as a status and a sentence.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::doctor;
use super::engine::AskError;
use super::model::Problem;
use crate::db::DbError;
use crate::identity;
use crate::settings::SettingsError;

/// A refusal as the API answers it.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

/// An answer, or a refusal.
pub(super) type Answer<T> = Result<Json<T>, Refusal>;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(Problem { error: self.1 })).into_response()
    }
}

impl From<identity::Error> for Refusal {
    fn from(error: identity::Error) -> Self {
        let status = match &error {
            identity::Error::NoService(_) => StatusCode::NOT_FOUND,
            identity::Error::NameTaken(_) | identity::Error::RevokedService(_) => {
                StatusCode::CONFLICT
            }
            identity::Error::Name(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, doctor::chain(&error))
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, doctor::chain(&error))
    }
}

impl From<AskError> for Refusal {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Wrong(text) => Self(StatusCode::UNPROCESSABLE_ENTITY, text),
            AskError::Store(error) => error.into(),
        }
    }
}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Self {
        let status = match &error {
            SettingsError::Unknown { .. } => StatusCode::NOT_FOUND,
            SettingsError::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            SettingsError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, doctor::chain(&error))
    }
}
