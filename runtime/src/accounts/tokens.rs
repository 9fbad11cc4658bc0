//! API tokens: for programs, with a role of their own, independent of who made them.
//!
//! Only an admin makes and sees them; the text is shown once. A token's name is what the audit
//! trail shows for what it does.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::engine::{Accounts, ENTRIES_MAX, Error, taken};
use super::model::{Caller, NAME_BYTES_MAX, NewToken, Proof, Role, Token, Via, is_name};
use super::secret::TokenText;
use super::store;
use crate::audit;
use crate::db::{DbError, Store};

/// Shortest life of a token that ends, in milliseconds.
pub(super) const LIFE_MS_MIN: u64 = 1_000;
/// Longest life of a token that ends, in milliseconds: ten years.
pub(super) const LIFE_MS_MAX: u64 = 10 * 366 * 24 * 3_600_000;

/// A token that has just been made. This is the only time its text exists here.
pub(super) struct Made {
    pub(super) id: String,
    pub(super) text: String,
}

impl Accounts {
    /// Makes a token that ends after `life_ms`, or never.
    ///
    /// # Errors
    ///
    /// [`Error::Name`], [`Error::NameTaken`], [`Error::TooMany`], [`Error::TokenLife`].
    pub(super) async fn create_token(
        &self,
        (name, role): (&str, Role),
        life_ms: Option<u64>,
        actor: &str,
    ) -> Result<Made, Error> {
        if !is_name(name) {
            return Err(Error::Name(name.chars().take(NAME_BYTES_MAX).collect()));
        }
        if life_ms.is_some_and(|it| !(LIFE_MS_MIN..=LIFE_MS_MAX).contains(&it)) {
            return Err(Error::TokenLife(LIFE_MS_MIN, LIFE_MS_MAX));
        }
        let text = TokenText::random().ok_or(Error::Random)?;
        let now = self.0.parts.clock.now();
        let token = NewToken {
            id: text.id.clone(),
            name: name.to_owned(),
            role,
            digest: text.secret.digest(),
            created_by: actor.to_owned(),
            created_at: now,
            expires_at: life_ms.map(|it| now + Duration::from_millis(it)),
        };
        let detail = json!({ "id": token.id, "role": role.word(), "expires_in_ms": life_ms });
        let work = Arc::new((token, self.entry(actor, "token.create", name, detail)));
        let db = &self.0.parts.db;
        let written = db.write(Store::Ledger, "create an API token", move |conn| {
            let work = work.clone();
            Box::pin(async move {
                if store::count_tokens(conn).await? >= ENTRIES_MAX {
                    return Err(Error::TooMany("API tokens"));
                }
                store::insert_token(conn, &work.0).await?;
                Ok(audit::append(conn, &work.1).await?)
            })
        });
        written.await.map_err(|error| taken(error, name))?;
        Ok(Made {
            id: text.id.clone(),
            text: text.text(),
        })
    }

    /// Every token, by name, also those that are over.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub(super) async fn tokens(&self) -> Result<Vec<Token>, Error> {
        let db = &self.0.parts.db;
        let mut held = db.read(Store::Ledger, "list the API tokens").await?;
        Ok(store::list_tokens(&mut held.conn(), ENTRIES_MAX).await?)
    }

    /// Revokes a token. Whoever holds it is nobody from then on.
    ///
    /// # Errors
    ///
    /// [`Error::NoToken`].
    pub(super) async fn revoke_token(&self, id: &str, actor: &str) -> Result<(), Error> {
        let unknown = || Error::NoToken(id.chars().take(NAME_BYTES_MAX).collect());
        let db = &self.0.parts.db;
        let token = {
            let mut held = db.read(Store::Ledger, "find an API token").await?;
            store::find_token(&mut held.conn(), id).await?
        };
        let token = token.ok_or_else(unknown)?;
        let entry = self.entry(actor, "token.revoke", &token.name, json!({ "id": id }));
        let work = Arc::new((token.id, entry));
        let written = db.write(Store::Ledger, "revoke an API token", move |conn| {
            let work = work.clone();
            Box::pin(async move {
                let gone = store::delete_token(conn, &work.0).await?;
                if gone {
                    audit::append(conn, &work.1).await?;
                }
                Ok::<_, DbError>(gone)
            })
        });
        if !written.await? {
            return Err(unknown());
        }
        self.say_changed();
        Ok(())
    }

    /// Whose token this is; `None` when it is nobody's, revoked or over.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn of_token(&self, text: &str) -> Result<Option<Caller>, Error> {
        let Some(text) = TokenText::parse(text) else {
            return Ok(None);
        };
        let found = self.live_token(&text.id).await?;
        // Comparing digests leaks nothing: whoever can make a digest agree knows the secret.
        let found = found.filter(|it| it.digest == text.secret.digest());
        let Some(token) = found else {
            return Ok(None);
        };
        self.note_use(&token).await;
        Ok(Some(Caller {
            name: format!("token:{}", token.name),
            role: token.role,
            via: Via::Token,
            proof: Proof::Token { id: token.id },
        }))
    }

    pub(super) async fn live_token(&self, id: &str) -> Result<Option<Token>, Error> {
        let db = &self.0.parts.db;
        let mut held = db.read(Store::Ledger, "find an API token").await?;
        let found = store::find_token(&mut held.conn(), id).await?;
        let now = self.0.parts.clock.now();
        Ok(found.filter(|it| it.is_valid(now)))
    }

    async fn note_use(&self, token: &Token) {
        let now = self.0.parts.clock.now();
        if !token.is_note_due(now) {
            return;
        }
        let id = Arc::<str>::from(token.id.as_str());
        let db = &self.0.parts.db;
        let noted = db.write::<(), DbError, _>(Store::Ledger, "note a token's use", move |conn| {
            let id = id.clone();
            Box::pin(async move { store::touch_token(conn, &id, now).await })
        });
        if let Err(error) = noted.await {
            // Who may only not be written about may still come in.
            tracing::warn!(%error, "the use of an API token was not noted");
        }
    }
}
