//! What goes over the wire about accounts, and its limits: the published schema is read from here.
//!
//! Invariant: what holds a password or a token has no `Debug`.

use contract::clock::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{Account, Caller, Role, Token, Via};

/// Whether the runtime waits for its first admin, and whether it knows who asks.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct SetupShown {
    /// Whether nobody is an admin yet.
    pub(crate) required: bool,
    /// Whether whoever asks has a session or token that is good.
    pub(crate) signed_in: bool,
}

/// The first admin, and the proof that one may make it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUp {
    /// What the runtime printed when it started last.
    #[schemars(length(max = 256))]
    pub(crate) token: String,
    /// Name of the admin: a-z, 0-9, `.`, `_`, `-`; not `local`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z0-9._-]{1,64}$"))]
    pub(crate) username: String,
    /// Its password.
    #[schemars(length(min = 12, max = 256))]
    pub(crate) password: String,
}

/// A login.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogIn {
    /// Name of the account.
    #[schemars(length(max = 64))]
    pub(crate) username: String,
    /// Its password.
    #[schemars(length(max = 256))]
    pub(crate) password: String,
}

/// Who one is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct SessionShown {
    /// The account; `token:NAME`; `local` on the socket.
    pub(crate) username: String,
    /// What it may do.
    pub(crate) role: Role,
    /// To be sent as `x-csrf-token` with every change; null for tokens and on the socket.
    pub(crate) csrf_token: Option<String>,
    /// When the login is over at the latest; null for tokens and on the socket.
    pub(crate) expires_at_unix_ms: Option<i64>,
    /// How that is known: `session`, `token` or `local`.
    pub(crate) via: Via,
}

/// One's own next password.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The present one.
    #[schemars(length(max = 256))]
    pub(crate) current: String,
    /// The next one.
    #[schemars(length(min = 12, max = 256))]
    pub(crate) new: String,
}

/// An account as admins see it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct AccountShown {
    /// Its name.
    pub(crate) username: String,
    /// What it may do.
    pub(crate) role: Role,
    /// When it was made.
    pub(crate) created_at_unix_ms: i64,
    /// When it last logged in.
    pub(crate) last_login_at_unix_ms: Option<i64>,
}

/// An account to make.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateAccount {
    /// Its name: a-z, 0-9, `.`, `_`, `-`; not `local`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z0-9._-]{1,64}$"))]
    pub(crate) username: String,
    /// Its first password.
    #[schemars(length(min = 12, max = 256))]
    pub(crate) password: String,
    /// What it may do.
    pub(crate) role: Role,
}

/// What of an account to change; at least one of both.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeAccount {
    /// What it may do from now on.
    pub(crate) role: Option<Role>,
    /// The next password.
    #[schemars(length(min = 12, max = 256))]
    pub(crate) password: Option<String>,
}

/// An account by its name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountNamed {
    /// Name of the account.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z0-9._-]{1,64}$"))]
    pub(super) username: String,
}

/// A token as admins see it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct TokenShown {
    /// For revoking it; part of the token, not secret.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// Who made it.
    pub(crate) created_by: String,
    /// When it was made.
    pub(crate) created_at_unix_ms: i64,
    /// When it was last used, to the minute.
    pub(crate) last_used_at_unix_ms: Option<i64>,
    /// When it ends by itself.
    pub(crate) expires_at_unix_ms: Option<i64>,
}

/// A token to make.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateToken {
    /// Its name: a-z, 0-9, `.`, `_`, `-`; not `local`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z0-9._-]{1,64}$"))]
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// How long it works; for ever without it.
    #[schemars(range(min = 1_000, max = 316_224_000_000_i64))]
    pub(crate) expires_in_ms: Option<u64>,
}

/// A token by its id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenNamed {
    /// Id of the token.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[0-9a-f]{16}$"))]
    pub(super) id: String,
}

/// A token, this once.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct TokenMade {
    /// For revoking it.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// What to send as `authorization: Bearer …`. Shown this once.
    pub(crate) token: String,
}

pub(super) fn shown(caller: &Caller) -> SessionShown {
    SessionShown {
        username: caller.name.clone(),
        role: caller.role,
        csrf_token: caller.csrf_token().map(str::to_owned),
        expires_at_unix_ms: caller.expires_at().map(Timestamp::as_millis),
        via: caller.via,
    }
}

pub(super) fn account_shown(account: Account) -> AccountShown {
    AccountShown {
        username: account.username,
        role: account.role,
        created_at_unix_ms: account.created_at.as_millis(),
        last_login_at_unix_ms: account.last_login_at.map(Timestamp::as_millis),
    }
}

pub(super) fn token_shown(token: Token) -> TokenShown {
    TokenShown {
        id: token.id,
        name: token.name,
        role: token.role,
        created_by: token.created_by,
        created_at_unix_ms: token.created_at.as_millis(),
        last_used_at_unix_ms: token.last_used_at.map(Timestamp::as_millis),
        expires_at_unix_ms: token.expires_at.map(Timestamp::as_millis),
    }
}
