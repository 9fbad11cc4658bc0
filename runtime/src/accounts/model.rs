//! Who may ask the runtime something and what they may do: accounts, roles, sessions, tokens.
//! Pure.

use std::time::Duration;

use contract::clock::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an account or a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Admin,
    /// See everything but accounts and tokens; change nothing.
    Viewer,
}

impl Role {
    /// As the API and the store spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
        }
    }

    /// The role of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "admin" => Some(Self::Admin),
            "viewer" => Some(Self::Viewer),
            _ => None,
        }
    }
}

/// How a request proved who it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The cookie of a login.
    Session,
    /// An API token.
    Token,
    /// The operator's socket, which only the owner of the data folder can open.
    Local,
}

impl Via {
    /// As the API spells it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::Local => "local",
        }
    }
}

/// Who a request is from. Doors put it into the request's extensions; handlers trust it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// For the audit trail: an account, `token:NAME`, or `local`.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// How it proved that.
    pub via: Via,
    pub(super) proof: Proof,
}

/// What a caller showed, so that it can be looked at again while an answer goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Socket,
    Session {
        digest: Digest,
        csrf_token: String,
        expires_at: Timestamp,
    },
    Token {
        id: String,
    },
}

/// SHA-256 of a random secret: what is kept instead of it.
pub(super) type Digest = [u8; 32];

impl Caller {
    /// Whoever can open the operator's socket.
    pub fn local() -> Self {
        Self {
            name: LOCAL.to_owned(),
            role: Role::Admin,
            via: Via::Local,
            proof: Proof::Socket,
        }
    }

    /// Whether it may change things and see accounts and tokens.
    pub const fn is_admin(&self) -> bool {
        matches!(self.role, Role::Admin)
    }

    /// What changes by this session have to carry besides its cookie; `None` for tokens and the
    /// socket, which no foreign page can use.
    pub fn csrf_token(&self) -> Option<&str> {
        match &self.proof {
            Proof::Session { csrf_token, .. } => Some(csrf_token),
            Proof::Socket | Proof::Token { .. } => None,
        }
    }

    /// When its session is over at the latest; `None` for tokens and the socket.
    pub const fn expires_at(&self) -> Option<Timestamp> {
        match &self.proof {
            Proof::Session { expires_at, .. } => Some(*expires_at),
            Proof::Socket | Proof::Token { .. } => None,
        }
    }
}

/// Name of the socket's caller. No account may have it.
pub(super) const LOCAL: &str = "local";

/// An account as stored.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) username: String,
    pub(super) role: Role,
    pub(super) password_hash: String,
    pub(super) created_at: Timestamp,
    pub(super) last_login_at: Option<Timestamp>,
}

/// A session as stored, with the role its account has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) username: String,
    pub(super) role: Role,
    pub(super) created_at: Timestamp,
    pub(super) seen_at: Timestamp,
}

/// A token as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) digest: Digest,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) last_used_at: Option<Timestamp>,
}

/// A token to store.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct NewToken {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) digest: Digest,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
}

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lives {
    /// From the login on, whatever happens.
    pub(super) absolute: Duration,
    /// Without being used.
    pub(super) idle: Duration,
}

impl Session {
    /// When it ends however much it is used; `None` when it has ended by now.
    pub(super) fn ends_at(&self, lives: Lives, now: Timestamp) -> Option<Timestamp> {
        let ends_at = self.created_at + lives.absolute;
        (now < ends_at && now < self.seen_at + lives.idle).then_some(ends_at)
    }

    /// Whether its use is worth noting again.
    pub(super) fn is_note_due(&self, lives: Lives, now: Timestamp) -> bool {
        // A fraction of a short life, so that using it does prolong it.
        now >= self.seen_at + NOTE_EVERY.min(lives.idle / 4)
    }
}

impl Token {
    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether its use is worth noting again.
    pub(super) fn is_note_due(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|at| now >= at + NOTE_EVERY)
    }
}

/// Uses closer together than this are one note.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// Longest name of an account or token, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 64;
/// Fewest characters of a password.
pub(super) const PASSWORD_CHARS_MIN: usize = 12;
/// Most characters of a password.
pub(super) const PASSWORD_CHARS_MAX: usize = 256;

/// Whether an account or token may have this name.
pub(super) fn is_name(name: &str) -> bool {
    let letter = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(letter) && name != LOCAL
}

/// Whether this may be a password.
pub(super) fn is_password(password: &str) -> bool {
    (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&password.chars().count())
}
