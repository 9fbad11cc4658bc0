//! Logins: a password becomes a session, which lives until its time is over, its owner logs out
//! or what it was begun with (password, role, account) changes.
//!
//! Wrong tries cost the same work whether the name exists or not, and are limited before that
//! work is done.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use contract::clock::Timestamp;
use serde_json::json;

use super::engine::{Accounts, Error};
use super::model::{
    Account, Caller, Digest, NAME_BYTES_MAX, PASSWORD_CHARS_MAX, Proof, Session, Token, Via,
};
use super::secret::Secret;
use super::store;
use crate::audit;
use crate::db::{DbError, Store};

/// Sessions one account may have; a further one ends the oldest.
const SESSIONS_MAX: i64 = 32;
/// Longest wait until a session or token that is watched is looked at again: another process, or
/// a setting, may have ended it.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// What noting is, for its errors.
const NOTE: &str = "note the use of a session";
/// Stands in for the password of an account that does not exist: as much work, and nobody's.
pub(super) const NOBODYS: &str = "$argon2id$v=19$m=7168,t=5,p=1$YnJpZGdlIG5vYm9keSEhIQ$\
                       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A session that has just begun.
#[derive(Debug)]
pub(super) struct Begun {
    /// For the cookie.
    pub(super) secret: Secret,
    pub(super) caller: Caller,
}

/// Who wants in, with what.
#[derive(Clone, Copy)]
pub(super) struct Login<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
    pub(super) remote: Option<IpAddr>,
    /// The session the browser has now. It ends, so that nobody who planted it gets a login.
    pub(super) replaces: Option<&'a Secret>,
}

impl Accounts {
    /// Begins a session.
    ///
    /// # Errors
    ///
    /// [`Error::Login`], [`Error::TooManyTries`], [`Error::Busy`].
    pub(super) async fn log_in(&self, login: Login<'_>) -> Result<Begun, Error> {
        let account = self.check_password(&login).await?;
        let secret = Secret::random().ok_or(Error::Random)?;
        let (digest, now) = (secret.digest(), self.0.parts.clock.now());
        let username = account.username.clone();
        let entry = self.entry(&username, "session.begin", &username, json!({}));
        let replaced = login.replaces.map(Secret::digest);
        let work = Arc::new((account, entry));
        let lives = self.lives();
        let db = &self.0.parts.db;
        let written = db.write(Store::Ledger, "begin a session", move |conn| {
            let work = work.clone();
            Box::pin(async move {
                let (account, entry) = &*work;
                // The password may have changed while it was being checked.
                let same = store::find_account(conn, &account.username).await?;
                let same = same.filter(|it| it.password_hash == account.password_hash);
                let role = same.ok_or(Error::Login)?.role;
                let stale = (before(now, lives.absolute), before(now, lives.idle));
                store::delete_stale_sessions(conn, stale.0, stale.1).await?;
                if let Some(replaced) = &replaced {
                    store::delete_session(conn, replaced).await?;
                }
                store::insert_session(conn, &digest, &account.username, now).await?;
                store::delete_surplus_sessions(conn, &account.username, SESSIONS_MAX).await?;
                store::set_last_login(conn, &account.username, now).await?;
                audit::append(conn, entry).await?;
                Ok::<_, Error>(role)
            })
        });
        let role = written.await?;
        self.say_changed();
        self.0.logins.fetch_add(1, Ordering::Relaxed);
        let session = Session {
            username,
            role,
            created_at: now,
            seen_at: now,
        };
        let caller = caller(&session, &secret, now + lives.absolute);
        Ok(Begun { secret, caller })
    }

    /// Ends the caller's session, if it has one.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub(super) async fn log_out(&self, caller: &Caller) -> Result<(), Error> {
        let Proof::Session { digest, .. } = caller.proof else {
            return Ok(());
        };
        let entry = self.entry(&caller.name, "session.end", &caller.name, json!({}));
        let entry = Arc::new(entry);
        let db = &self.0.parts.db;
        let written = db.write::<(), DbError, _>(Store::Ledger, "end a session", move |conn| {
            let entry = entry.clone();
            Box::pin(async move {
                store::delete_session(conn, &digest).await?;
                audit::append(conn, &entry).await
            })
        });
        written.await?;
        self.say_changed();
        Ok(())
    }

    /// Gives the caller's account another password and ends its other sessions.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::CurrentPassword`], [`Error::Password`],
    /// [`Error::TooManyTries`].
    pub(super) async fn change_own_password(
        &self,
        caller: &Caller,
        (current, new): (&str, &str),
        remote: Option<IpAddr>,
    ) -> Result<(), Error> {
        let Proof::Session { digest, .. } = caller.proof else {
            return Err(Error::NoSession);
        };
        let login = Login {
            username: &caller.name,
            password: current,
            remote,
            replaces: None,
        };
        let account = match self.check_password(&login).await {
            Err(Error::Login) => return Err(Error::CurrentPassword),
            other => other?,
        };
        let hash = self.hash(new).await?;
        let name = &caller.name;
        let entry = self.entry(name, "account.password", name, json!({}));
        let work = Arc::new((account, hash, entry));
        let db = &self.0.parts.db;
        let written = db.write::<(), Error, _>(Store::Ledger, "change a password", move |conn| {
            let work = work.clone();
            Box::pin(async move {
                let (account, hash, entry) = &*work;
                let same = store::find_account(conn, &account.username).await?;
                if same.is_none_or(|it| it.password_hash != account.password_hash) {
                    return Err(Error::CurrentPassword);
                }
                store::set_password(conn, &account.username, hash).await?;
                store::delete_sessions_of(conn, &account.username, Some(&digest)).await?;
                Ok(audit::append(conn, entry).await?)
            })
        });
        written.await?;
        self.say_changed();
        Ok(())
    }

    /// Whose session this is; `None` when it is nobody's any more.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn of_session(&self, cookie: &str) -> Result<Option<Caller>, Error> {
        let Some(secret) = Secret::from_text(cookie) else {
            return Ok(None);
        };
        let found = self.live_session(&secret.digest()).await?;
        Ok(found.map(|(session, ends_at)| caller(&session, &secret, ends_at)))
    }

    /// The session, if it lives, and when it will end at the latest. Notes that it is in use.
    async fn live_session(&self, digest: &Digest) -> Result<Option<(Session, Timestamp)>, Error> {
        let (db, now, lives) = (&self.0.parts.db, self.0.parts.clock.now(), self.lives());
        let found = {
            let mut held = db.read(Store::Ledger, "find a session").await?;
            store::find_session(&mut held.conn(), digest).await?
        };
        let live = found.and_then(|it| it.ends_at(lives, now).map(|end| (it, end)));
        if live
            .as_ref()
            .is_some_and(|(it, _)| it.is_note_due(lives, now))
        {
            let digest = *digest;
            let noted = db.write::<(), DbError, _>(Store::Ledger, NOTE, move |conn| {
                Box::pin(async move { store::touch_session(conn, &digest, now).await })
            });
            if let Err(error) = noted.await {
                // Who may only not be written about may still come in.
                tracing::warn!(%error, "the use of a session was not noted");
            }
        }
        Ok(live)
    }

    /// Waits until what the caller showed is no longer good: its session has ended, its token is
    /// revoked or over, its role has changed. Waiting counts as using. Never ends for the socket,
    /// nor because the store cannot be asked.
    pub async fn ended(&self, caller: &Caller) {
        let mut changes = self.0.changed.subscribe();
        while let Some(left) = self.left_of(caller).await {
            let look = self.0.parts.clock.sleep(left.min(LOOK_EVERY));
            tokio::select! {
                changed = changes.changed() => {
                    // The sender lives in `self`.
                    if changed.is_err() { return }
                }
                () = look => {}
            }
        }
    }

    /// Longest time that what the caller showed can still be good; `None` when it is not.
    async fn left_of(&self, caller: &Caller) -> Option<Duration> {
        let now = self.0.parts.clock.now();
        let found = match &caller.proof {
            Proof::Socket => return Some(LOOK_EVERY),
            Proof::Session { digest, .. } => {
                let found = self.live_session(digest).await;
                found.map(|it| it.map(|(session, ends_at)| (session.role, ends_at.since(now))))
            }
            Proof::Token { id } => {
                let found = self.live_token(id).await;
                let left = |it: &Token| it.expires_at.map_or(LOOK_EVERY, |end| end.since(now));
                found.map(|it| it.map(|token| (token.role, left(&token))))
            }
        };
        let Ok(found) = found else {
            // The store cannot be asked, which is no reason to turn anybody out.
            return Some(LOOK_EVERY);
        };
        let (role, left) = found?;
        (role == caller.role).then_some(left)
    }

    /// The account whose password this is.
    async fn check_password(&self, login: &Login<'_>) -> Result<Account, Error> {
        let (name, clock) = (login.username, &self.0.parts.clock);
        // Longer ones are nobody's; they share a bucket and are not hashed at their length.
        let sane = name.len() <= NAME_BYTES_MAX && login.password.len() <= 4 * PASSWORD_CHARS_MAX;
        let (name, password) = if sane {
            (name, login.password)
        } else {
            ("", "")
        };
        let taken = self.0.attempts.take(name, login.remote, clock.monotonic());
        let bucket = match taken {
            Ok(bucket) => bucket,
            Err(wait) => {
                self.0.limited.fetch_add(1, Ordering::Relaxed);
                return Err(Error::TooManyTries(wait));
            }
        };
        let found = {
            let db = &self.0.parts.db;
            let mut held = db.read(Store::Ledger, "find an account").await?;
            store::find_account(&mut held.conn(), name).await?
        };
        let stored = found
            .as_ref()
            .map_or_else(|| NOBODYS.to_owned(), |it| it.password_hash.clone());
        let checked = self.0.check.verify(password.as_bytes().to_vec(), stored);
        let right = checked.await.map_err(|_| Error::Busy)?;
        match found.filter(|_| right) {
            Some(account) => {
                let now = clock.monotonic();
                self.0.attempts.give_back(bucket, name, login.remote, now);
                Ok(account)
            }
            None => {
                self.0.failed.fetch_add(1, Ordering::Relaxed);
                Err(Error::Login)
            }
        }
    }
}

fn caller(session: &Session, secret: &Secret, expires_at: Timestamp) -> Caller {
    Caller {
        name: session.username.clone(),
        role: session.role,
        via: Via::Session,
        proof: Proof::Session {
            digest: secret.digest(),
            csrf_token: secret.csrf_token(),
            expires_at,
        },
    }
}

fn before(now: Timestamp, span: Duration) -> Timestamp {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_sub(micros))
}
