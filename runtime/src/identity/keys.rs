//! Keys of a service as operators see and revoke them; their secrets are seen by nobody.
//!
//! Invariant: a revoked key stays in the list, and nobody joins with it again.

use std::fmt::Write as _;
use std::sync::Arc;

use contract::clock::Timestamp;
use contract::ids::ServiceId;

use super::engine::{Error, Identity};
use super::store;
use crate::audit;
use crate::db::{DbError, Store};

/// A key as operators see it: never its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyView {
    /// Its public id, in hexadecimal.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Identity {
    /// Keys of a service, the newest first, revoked ones too; at most 1,000.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn keys(&self, service: ServiceId) -> Result<Vec<KeyView>, Error> {
        let mut held = self.0.db.read(Store::Ledger, "list service keys").await?;
        let keys = store::list_keys(&mut held.conn(), service).await?;
        let view = |it: store::ListedKey| KeyView {
            id: hex(&it.key_id),
            created_at: it.created_at,
            revoked_at: it.revoked_at,
        };
        Ok(keys.into_iter().map(view).collect())
    }

    /// Revokes one key of a service. Instances that joined with it stay until they end; nobody
    /// joins with it again.
    ///
    /// # Errors
    ///
    /// [`Error::NoService`], [`Error::RevokedService`], or [`Error::NoKey`] when it is not there or
    /// revoked already.
    pub async fn revoke_key(&self, name: &str, key: &str, actor: &str) -> Result<(), Error> {
        let service = self.find(name).await?.id;
        let no_key = || Error::NoKey {
            service: name.to_owned(),
            key: key.to_owned(),
        };
        let key_id = unhex(key).ok_or_else(no_key)?;
        let at = self.0.clock.now();
        let target = format!("{name}/{key}");
        let work = Arc::new((key_id, self.audit(actor, "service.key.revoke", &target)));
        let written =
            self.0
                .db
                .write::<_, DbError, _>(Store::Ledger, "revoke a key", move |conn| {
                    let work = work.clone();
                    Box::pin(async move {
                        let revoked = store::revoke_key(conn, service, &work.0, at).await?;
                        if revoked {
                            audit::append(conn, &work.1).await?;
                        }
                        Ok(revoked)
                    })
                });
        if !written.await? {
            return Err(no_key());
        }
        self.0.verified.lock().clear();
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |it: u8| {
        char::from(it)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_is_shown() {
        let id = [0, 7, 16, 255];
        assert_eq!(hex(&id), "000710ff");
        assert_eq!(unhex("000710ff"), Some(id.to_vec()));
        for no_id in ["0", "0g", "ä"] {
            assert_eq!(unhex(no_id), None, "{no_id}");
        }
    }
}
