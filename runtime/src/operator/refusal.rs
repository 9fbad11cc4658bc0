//! How the API says no to what an operator asked: each error as a status and a sentence.
//!
//! A store that cannot answer is 503 with its chain of causes; the same question may be asked
//! again. Nothing here is a 500.

use axum::http::StatusCode;

use super::doctor;
use super::engine::AskError;
use crate::db::DbError;
use crate::identity;
use crate::problem::Problem;
use crate::settings::SettingsError;

/// When to try again after a store that could not answer, in seconds.
const STORE_RETRY_SECONDS: u64 = 1;

fn store(error: &(dyn std::error::Error + 'static)) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, doctor::chain(error))
        .retry_after(STORE_RETRY_SECONDS)
}

impl From<identity::Error> for Problem {
    fn from(error: identity::Error) -> Self {
        let status = match &error {
            identity::Error::NoService(_) | identity::Error::NoKey { .. } => StatusCode::NOT_FOUND,
            identity::Error::NameTaken(_) | identity::Error::RevokedService(_) => {
                StatusCode::CONFLICT
            }
            identity::Error::Name(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => return store(&error),
        };
        Self::new(status, doctor::chain(&error))
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        store(&error)
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Wrong(text) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, text),
            AskError::Store(error) => store(&error),
        }
    }
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        let status = match &error {
            SettingsError::Unknown { .. } => StatusCode::NOT_FOUND,
            SettingsError::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            SettingsError::Store(_) => return store(&error),
        };
        Self::new(status, doctor::chain(&error))
    }
}
