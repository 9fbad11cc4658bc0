//! Operations on accounts, and the handle that all others of this domain hang on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::clock::Clock;
use contract::ids::IdMint;
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

use super::attempts::Attempts;
use super::model::{
    Account, Digest, Lives, NAME_BYTES_MAX, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, Role, is_name,
    is_password,
};
use super::secret::Secret;
use super::store;
use crate::audit;
use crate::db::{Db, DbError, Store};
use crate::identity::SecretCheck;
use crate::settings::{Settings, keys};

/// Most accounts, and most tokens, there may be.
pub(super) const ENTRIES_MAX: i64 = 1_000;

/// Why something about accounts was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name breaks the rule.
    #[error(
        "`{0}` cannot be a name: 1 to {NAME_BYTES_MAX} of a-z, 0-9, `.`, `_` and `-`, and not `local`"
    )]
    Name(String),
    /// The password breaks the rule.
    #[error("a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters; take another")]
    Password,
    /// An account or token of this name exists.
    #[error("`{0}` exists already; take another name")]
    NameTaken(String),
    /// There are as many accounts, or tokens, as there may be.
    #[error("there are {ENTRIES_MAX} {0} already; delete one first")]
    TooMany(&'static str),
    /// No such account.
    #[error("there is no account `{0}`")]
    NoAccount(String),
    /// No such token.
    #[error("there is no API token with the id `{0}`")]
    NoToken(String),
    /// Nobody could change anything afterwards.
    #[error("`{0}` is the only admin; make somebody else one first")]
    LastAdmin(String),
    /// There is nothing to set up.
    #[error("there is an admin already; log in")]
    AlreadySetUp,
    /// The setup token is wrong.
    #[error(
        "the setup token is not the one of this start; the runtime printed it when it started last"
    )]
    SetupToken,
    /// Name or password are wrong; which of the two is not said.
    #[error("the name or the password is wrong")]
    Login,
    /// The present password is wrong.
    #[error("the present password is wrong")]
    CurrentPassword,
    /// The caller is no account.
    #[error("only an account that is logged in changes its own password")]
    NoSession,
    /// Too many wrong tries.
    #[error("too many wrong tries; wait {} s and try again", seconds(.0))]
    TooManyTries(Duration),
    /// The life of a token is out of bounds.
    #[error("a token lives between {0} and {1} ms; leave the time out for one that never ends")]
    TokenLife(u64, u64),
    /// Too many passwords are being checked.
    #[error("too many passwords are being checked right now; try again")]
    Busy,
    /// The system has no randomness.
    #[error("the operating system gives no random bytes")]
    Random,
    /// The store could not do it.
    #[error("cannot reach the store")]
    Store(#[from] DbError),
}

/// Whole seconds that are enough.
pub(super) fn seconds(wait: &Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1_000)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// What [`Accounts`] is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Where accounts are kept.
    pub db: Db,
    /// Ages sessions.
    pub clock: Clock,
    /// Makes ids of audit entries.
    pub mint: IdMint,
    /// Says how long sessions live.
    pub settings: Settings,
}

/// Logins since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// With the right password.
    pub logins: u64,
    /// With a wrong name or password.
    pub failed: u64,
    /// Not looked at, because there were too many wrong ones.
    pub limited: u64,
}

/// Accounts, sessions and tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) parts: Parts,
    pub(super) check: SecretCheck,
    pub(super) attempts: Attempts,
    /// Counts whatever may have ended a session or token; receivers look again.
    pub(super) changed: watch::Sender<u64>,
    /// Digest of the setup token while there is no admin. Held while the accounts change, so
    /// that two changes cannot both take the last admin away, or both set up.
    changing: Mutex<Option<Digest>>,
    pub(super) logins: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) limited: AtomicU64,
}

impl Accounts {
    /// Reads whether there is an admin. While there is none, the secret is what
    /// [`set_up`](Self::set_up) asks for; it is kept nowhere else and is another one next time.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] or [`Error::Random`].
    pub async fn open(parts: Parts) -> Result<(Self, Option<Secret>), Error> {
        let admins = {
            let mut held = parts.db.read(Store::Ledger, "count the admins").await?;
            store::count_admins(&mut held.conn()).await?
        };
        let setup = match admins {
            0 => Some(Secret::random().ok_or(Error::Random)?),
            _ => None,
        };
        let inner = Inner {
            parts,
            check: SecretCheck::new(),
            attempts: Attempts::default(),
            changed: watch::Sender::new(0),
            changing: Mutex::new(setup.as_ref().map(Secret::digest)),
            logins: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            limited: AtomicU64::new(0),
        };
        Ok((Self(Arc::new(inner)), setup))
    }

    /// Whether nobody is an admin yet.
    pub async fn is_setup_required(&self) -> bool {
        self.0.changing.lock().await.is_some()
    }

    /// How many tried to log in.
    pub fn counts(&self) -> Counts {
        Counts {
            logins: self.0.logins.load(Ordering::Relaxed),
            failed: self.0.failed.load(Ordering::Relaxed),
            limited: self.0.limited.load(Ordering::Relaxed),
        }
    }

    /// Makes the first account, an admin, for whoever knows the setup token. Works once.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadySetUp`], [`Error::SetupToken`], [`Error::Name`], [`Error::Password`].
    pub async fn set_up(&self, token: &str, username: &str, password: &str) -> Result<(), Error> {
        let mut changing = self.0.changing.lock().await;
        let wanted = changing.ok_or(Error::AlreadySetUp)?;
        // Comparing digests leaks nothing: whoever can make a digest agree knows the secret.
        let given = Secret::from_text(token.trim()).map(|it| it.digest());
        if given != Some(wanted) {
            return Err(Error::SetupToken);
        }
        self.add((username, password, Role::Admin), "setup").await?;
        *changing = None;
        Ok(())
    }

    /// Every account, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub(super) async fn list(&self) -> Result<Vec<Account>, Error> {
        let db = &self.0.parts.db;
        let mut held = db.read(Store::Ledger, "list the accounts").await?;
        Ok(store::list_accounts(&mut held.conn(), ENTRIES_MAX).await?)
    }

    /// Makes an account.
    ///
    /// # Errors
    ///
    /// [`Error::Name`], [`Error::Password`], [`Error::NameTaken`], [`Error::TooMany`].
    pub(super) async fn create(
        &self,
        (username, password, role): (&str, &str, Role),
        actor: &str,
    ) -> Result<Account, Error> {
        let mut changing = self.0.changing.lock().await;
        let account = self.add((username, password, role), actor).await?;
        // A first admin made over the socket is a setup too.
        if role == Role::Admin {
            *changing = None;
        }
        Ok(account)
    }

    async fn add(
        &self,
        (username, password, role): (&str, &str, Role),
        actor: &str,
    ) -> Result<Account, Error> {
        if !is_name(username) {
            return Err(Error::Name(username.chars().take(NAME_BYTES_MAX).collect()));
        }
        let account = Account {
            username: username.to_owned(),
            role,
            password_hash: self.hash(password).await?,
            created_at: self.0.parts.clock.now(),
            last_login_at: None,
        };
        let detail = json!({ "role": role.word() });
        let entry = self.entry(actor, "account.create", username, detail);
        let work = Arc::new((account.clone(), entry));
        let db = &self.0.parts.db;
        let written = db.write(Store::Ledger, "create an account", move |conn| {
            let work = work.clone();
            Box::pin(async move {
                if store::count_accounts(conn).await? >= ENTRIES_MAX {
                    return Err(Error::TooMany("accounts"));
                }
                store::insert_account(conn, &work.0).await?;
                Ok(audit::append(conn, &work.1).await?)
            })
        });
        match written.await {
            Ok(()) => Ok(account),
            Err(error) => Err(taken(error, username)),
        }
    }

    /// Changes role, password or both, and ends the account's sessions: what they were begun with
    /// no longer holds.
    ///
    /// # Errors
    ///
    /// [`Error::NoAccount`], [`Error::LastAdmin`], [`Error::Password`].
    pub(super) async fn change(
        &self,
        username: &str,
        (role, password): (Option<Role>, Option<&str>),
        actor: &str,
    ) -> Result<Account, Error> {
        let mut changing = self.0.changing.lock().await;
        let hash = match password {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        let detail = json!({ "role": role.map(Role::word), "password": hash.is_some() });
        let entry = self.entry(actor, "account.change", username, detail);
        let work = Arc::new((username.to_owned(), role, hash, entry));
        let db = &self.0.parts.db;
        let written = db.write(Store::Ledger, "change an account", move |conn| {
            let work = work.clone();
            Box::pin(async move {
                let (username, role, hash, entry) = &*work;
                let before = store::find_account(conn, username).await?;
                let before = before.ok_or_else(|| Error::NoAccount(username.clone()))?;
                if let Some(role) = *role {
                    keep_an_admin(conn, &before, role).await?;
                    store::set_role(conn, username, role).await?;
                }
                if let Some(hash) = hash {
                    store::set_password(conn, username, hash).await?;
                }
                store::delete_sessions_of(conn, username, None).await?;
                audit::append(conn, entry).await?;
                Ok::<_, Error>(Account {
                    role: role.unwrap_or(before.role),
                    ..before
                })
            })
        });
        let account = written.await?;
        // A viewer made the first admin over the socket is a setup too.
        if account.role == Role::Admin {
            *changing = None;
        }
        self.say_changed();
        Ok(account)
    }

    /// Deletes an account and ends its sessions.
    ///
    /// # Errors
    ///
    /// [`Error::NoAccount`] or [`Error::LastAdmin`].
    pub(super) async fn delete(&self, username: &str, actor: &str) -> Result<(), Error> {
        let _changing = self.0.changing.lock().await;
        let entry = self.entry(actor, "account.delete", username, json!({}));
        let work = Arc::new((username.to_owned(), entry));
        let db = &self.0.parts.db;
        let written = db.write(Store::Ledger, "delete an account", move |conn| {
            let work = work.clone();
            Box::pin(async move {
                let (username, entry) = &*work;
                let before = store::find_account(conn, username).await?;
                let before = before.ok_or_else(|| Error::NoAccount(username.clone()))?;
                keep_an_admin(conn, &before, Role::Viewer).await?;
                store::delete_sessions_of(conn, username, None).await?;
                store::delete_account(conn, username).await?;
                Ok::<_, Error>(audit::append(conn, entry).await?)
            })
        });
        written.await?;
        self.say_changed();
        Ok(())
    }

    pub(super) async fn hash(&self, password: &str) -> Result<String, Error> {
        if !is_password(password) {
            return Err(Error::Password);
        }
        let hash = self.0.check.hash(password.as_bytes().to_vec()).await;
        hash.ok_or(Error::Random)
    }

    pub(super) fn lives(&self) -> Lives {
        Lives {
            absolute: self.0.parts.settings.get(keys::CONSOLE_SESSION_TTL),
            idle: self.0.parts.settings.get(keys::CONSOLE_SESSION_IDLE),
        }
    }

    /// Those who watch a session or token look again whether it still is one.
    pub(super) fn say_changed(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }

    pub(super) fn entry(
        &self,
        actor: &str,
        action: &str,
        target: &str,
        detail: Value,
    ) -> audit::Entry {
        let by = (&self.0.parts.clock, &self.0.parts.mint);
        audit::Entry::new(by, actor, action, target, detail)
    }
}

/// Refuses to make `role` of the only admin.
async fn keep_an_admin(
    conn: &mut crate::db::Conn<'_>,
    before: &Account,
    role: Role,
) -> Result<(), Error> {
    let loses = before.role == Role::Admin && role != Role::Admin;
    if loses && store::count_admins(conn).await? <= 1 {
        return Err(Error::LastAdmin(before.username.clone()));
    }
    Ok(())
}

/// The same error, or that the name is taken.
pub(super) fn taken(error: Error, name: &str) -> Error {
    match error {
        Error::Store(cause) if cause.is_conflict() => Error::NameTaken(name.to_owned()),
        other => other,
    }
}
