//! The HTTP routes of accounts, sessions and tokens: the same for the socket and the port.
//!
//! Refuses whoever is no admin where accounts and tokens are listed or changed; that a viewer
//! changes nothing else, and that a foreign page changes nothing at all, is the door's business.

use std::net::IpAddr;

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use contract::clock::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::engine::{Accounts, Error, seconds};
use super::model::{Account, Caller, Role, Token, Via};
use super::secret::Secret;
use super::sessions::{Begun, Login};
use crate::problem::Problem;
use crate::rest::{
    Api, Ask, Body, Done, Headed, Made, NoBody, Nothing, Shown, delete, get, patch, post, put,
};

/// Name of the session's cookie.
pub(crate) const COOKIE_NAME: &str = "bridge_session";

/// Where a request over TCP came from. The door puts it into the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    /// Of the browser or program, or of the proxy before it.
    pub(crate) address: IpAddr,
    /// Whether a proxy in front speaks TLS with the browser.
    pub(crate) https: bool,
}

/// The routes.
pub(crate) fn routes(accounts: &Accounts) -> Api {
    with_tokens(with_accounts(with_sessions(Api::new(), accounts), accounts), accounts)
}

fn with_sessions(api: Api, accounts: &Accounts) -> Api {
    let (setup, session) = (("setup", accounts), ("session", accounts));
    let limited = [StatusCode::TOO_MANY_REQUESTS];
    let forbidden = [StatusCode::FORBIDDEN];
    api.add(
        setup,
        get("show_setup", "/setup", "Whether the runtime waits for its first admin.").open(),
        show_setup,
    )
    .add(
        setup,
        post(
            "set_up",
            "/setup",
            "Makes the first admin and logs it in.\nNeeds the token that the runtime printed when \
             it started last; works once. Sets the cookie `bridge_session`.",
        )
        .open()
        .refuses(&[StatusCode::CONFLICT, StatusCode::UNAUTHORIZED])
        .refuses(&forbidden)
        .refuses(&limited)
        .stored(),
        set_up,
    )
    .add(
        session,
        get("show_session", "/session", "Who one is; 401 when nobody.")
            .open()
            .refuses(&[StatusCode::UNAUTHORIZED])
            .stored(),
        show_session,
    )
    .add(
        session,
        post(
            "log_in",
            "/session",
            "Begins a session.\nSets the cookie `bridge_session`; a session that the browser had \
             ends. Wrong tries are limited per account and per address.",
        )
        .open()
        .refuses(&[StatusCode::UNAUTHORIZED])
        .refuses(&forbidden)
        .refuses(&limited)
        .stored(),
        log_in,
    )
    .add(
        session,
        delete("log_out", "/session", "Ends the session.").stored(),
        log_out,
    )
    .add(
        session,
        put(
            "change_own_password",
            "/session/password",
            "Changes the password of whoever is logged in.\nIts other sessions end.",
        )
        .refuses(&limited)
        .stored(),
        change_own_password,
    )
}

fn with_accounts(api: Api, accounts: &Accounts) -> Api {
    let it = ("accounts", accounts);
    let conflict = [StatusCode::CONFLICT];
    api.add(
        it,
        get("list_accounts", "/accounts", "Every account, by name. For admins.")
            .admin()
            .stored(),
        list,
    )
    .add(
        it,
        post("create_account", "/accounts", "Makes an account. 409 when the name is taken.")
            .refuses(&conflict)
            .stored(),
        create,
    )
    .add(
        it,
        patch(
            "change_account",
            "/accounts/{username}",
            "Changes an account's role or password and ends its sessions.\n409 for the only admin.",
        )
        .refuses(&conflict)
        .stored(),
        change,
    )
    .add(
        it,
        delete(
            "delete_account",
            "/accounts/{username}",
            "Deletes an account and ends its sessions.\n409 for the only admin.",
        )
        .refuses(&conflict)
        .stored(),
        remove,
    )
}

fn with_tokens(api: Api, accounts: &Accounts) -> Api {
    let it = ("tokens", accounts);
    api.add(
        it,
        get("list_tokens", "/tokens", "Every API token, by name. For admins.")
            .admin()
            .stored(),
        list_tokens,
    )
    .add(
        it,
        post(
            "create_token",
            "/tokens",
            "Makes an API token.\nIt is shown this once. 409 when the name is taken.",
        )
        .refuses(&[StatusCode::CONFLICT])
        .stored(),
        create_token,
    )
    .add(
        it,
        delete("revoke_token", "/tokens/{id}", "Revokes an API token.").stored(),
        revoke_token,
    )
}

/// Whether the runtime waits for its first admin.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct SetupShown {
    /// Whether it does.
    pub(crate) required: bool,
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
struct AccountNamed {
    /// Name of the account.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z0-9._-]{1,64}$"))]
    username: String,
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
struct TokenNamed {
    /// Id of the token.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[0-9a-f]{16}$"))]
    id: String,
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

type Answer<T> = Result<T, Problem>;
type Asked<B> = Ask<Nothing, Nothing, B>;

async fn show_setup(accounts: Accounts, _: Asked<NoBody>) -> Answer<Shown<SetupShown>> {
    let required = accounts.is_setup_required().await;
    Ok(Shown(SetupShown { required }))
}

async fn set_up(
    accounts: Accounts,
    ask: Asked<Body<SetUp>>,
) -> Answer<Headed<Made<SessionShown>>> {
    let wanted = &ask.body.0;
    let (token, username, password) = (&wanted.token, &wanted.username, &wanted.password);
    accounts.set_up(token, username, password).await?;
    begin(&accounts, &ask.parts, (username, password)).await
}

async fn log_in(
    accounts: Accounts,
    ask: Asked<Body<LogIn>>,
) -> Answer<Headed<Made<SessionShown>>> {
    let wanted = &ask.body.0;
    begin(&accounts, &ask.parts, (&wanted.username, &wanted.password)).await
}

async fn begin(
    accounts: &Accounts,
    parts: &Parts,
    (username, password): (&str, &str),
) -> Answer<Headed<Made<SessionShown>>> {
    let replaces = cookie(&parts.headers).and_then(Secret::from_text);
    let login = Login {
        username,
        password,
        remote: remote(parts).map(|it| it.address),
        replaces: replaces.as_ref(),
    };
    let Begun { secret, caller } = accounts.log_in(login).await?;
    let headers = cookie_header(secret.expose(), parts, "");
    Ok(Headed(headers, Made(shown(&caller))))
}

async fn show_session(_: Accounts, ask: Asked<NoBody>) -> Answer<Shown<SessionShown>> {
    Ok(Shown(shown(caller(&ask.parts)?)))
}

async fn log_out(accounts: Accounts, ask: Asked<NoBody>) -> Answer<Headed<Done>> {
    accounts.log_out(caller(&ask.parts)?).await?;
    Ok(Headed(cookie_header("", &ask.parts, "; Max-Age=0"), Done))
}

async fn change_own_password(
    accounts: Accounts,
    ask: Asked<Body<ChangePassword>>,
) -> Answer<Done> {
    let (caller, wanted) = (caller(&ask.parts)?, &ask.body.0);
    let passwords = (wanted.current.as_str(), wanted.new.as_str());
    let remote = remote(&ask.parts).map(|it| it.address);
    accounts.change_own_password(caller, passwords, remote).await?;
    Ok(Done)
}

async fn list(accounts: Accounts, ask: Asked<NoBody>) -> Answer<Shown<Vec<AccountShown>>> {
    admin(&ask.parts)?;
    let found = accounts.list().await?;
    Ok(Shown(found.into_iter().map(account_shown).collect()))
}

async fn create(
    accounts: Accounts,
    ask: Asked<Body<CreateAccount>>,
) -> Answer<Made<AccountShown>> {
    let actor = admin(&ask.parts)?;
    let wanted = &ask.body.0;
    let account = (wanted.username.as_str(), wanted.password.as_str(), wanted.role);
    let made = accounts.create(account, &actor.name).await?;
    Ok(Made(account_shown(made)))
}

async fn change(
    accounts: Accounts,
    ask: Ask<AccountNamed, Nothing, Body<ChangeAccount>>,
) -> Answer<Shown<AccountShown>> {
    let actor = admin(&ask.parts)?;
    let wanted = &ask.body.0;
    if wanted.role.is_none() && wanted.password.is_none() {
        let text = "say what to change: `role`, `password` or both";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    let wanted = (wanted.role, wanted.password.as_deref());
    let changed = accounts.change(&ask.path.username, wanted, &actor.name);
    Ok(Shown(account_shown(changed.await?)))
}

async fn remove(accounts: Accounts, ask: Ask<AccountNamed, Nothing, NoBody>) -> Answer<Done> {
    let actor = admin(&ask.parts)?;
    accounts.delete(&ask.path.username, &actor.name).await?;
    Ok(Done)
}

async fn list_tokens(accounts: Accounts, ask: Asked<NoBody>) -> Answer<Shown<Vec<TokenShown>>> {
    admin(&ask.parts)?;
    let found = accounts.tokens().await?;
    Ok(Shown(found.into_iter().map(token_shown).collect()))
}

async fn create_token(
    accounts: Accounts,
    ask: Asked<Body<CreateToken>>,
) -> Answer<Made<TokenMade>> {
    let actor = admin(&ask.parts)?;
    let wanted = &ask.body.0;
    let token = (wanted.name.as_str(), wanted.role);
    let made = accounts.create_token(token, wanted.expires_in_ms, &actor.name);
    let made = made.await?;
    Ok(Made(TokenMade {
        id: made.id,
        name: wanted.name.clone(),
        role: wanted.role,
        token: made.text,
    }))
}

async fn revoke_token(accounts: Accounts, ask: Ask<TokenNamed, Nothing, NoBody>) -> Answer<Done> {
    let actor = admin(&ask.parts)?;
    accounts.revoke_token(&ask.path.id, &actor.name).await?;
    Ok(Done)
}

/// Who asks.
fn caller(parts: &Parts) -> Answer<&Caller> {
    parts.extensions.get().ok_or_else(nobody)
}

/// Who asks, if it is an admin.
fn admin(parts: &Parts) -> Answer<&Caller> {
    let caller = caller(parts)?;
    if caller.is_admin() {
        return Ok(caller);
    }
    let text = "only an admin sees and changes accounts and API tokens";
    Err(Problem::new(StatusCode::FORBIDDEN, text))
}

fn remote(parts: &Parts) -> Option<&Remote> {
    parts.extensions.get()
}

/// Nobody has shown who it is.
pub(crate) fn nobody() -> Problem {
    let text = "log in, or send an API token as `authorization: Bearer …`";
    Problem::new(StatusCode::UNAUTHORIZED, text)
}

/// The session's cookie in a request; the first one when there are several.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let texts = headers.get_all(COOKIE).into_iter();
    let pairs = texts
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'));
    let mut pairs = pairs.filter_map(|it| it.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value)
}

fn cookie_header(value: &str, parts: &Parts, more: &str) -> HeaderMap {
    let https = remote(parts).is_some_and(|it| it.https);
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{COOKIE_NAME}={value}; HttpOnly; SameSite=Strict; Path=/{secure}{more}");
    let value = HeaderValue::try_from(text).expect("hex digits and words of ours fit a header");
    HeaderMap::from_iter([(SET_COOKIE, value)])
}

fn shown(caller: &Caller) -> SessionShown {
    SessionShown {
        username: caller.name.clone(),
        role: caller.role,
        csrf_token: caller.csrf_token().map(str::to_owned),
        expires_at_unix_ms: caller.expires_at().map(Timestamp::as_millis),
        via: caller.via,
    }
}

fn account_shown(account: Account) -> AccountShown {
    AccountShown {
        username: account.username,
        role: account.role,
        created_at_unix_ms: account.created_at.as_millis(),
        last_login_at_unix_ms: account.last_login_at.map(Timestamp::as_millis),
    }
}

fn token_shown(token: Token) -> TokenShown {
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

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Name(_) | Error::Password | Error::CurrentPassword | Error::TokenLife(..) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Error::NameTaken(_)
            | Error::TooMany(_)
            | Error::LastAdmin(_)
            | Error::AlreadySetUp => StatusCode::CONFLICT,
            Error::NoAccount(_) | Error::NoToken(_) => StatusCode::NOT_FOUND,
            Error::SetupToken | Error::NoSession => StatusCode::FORBIDDEN,
            Error::Login => StatusCode::UNAUTHORIZED,
            Error::TooManyTries(_) => StatusCode::TOO_MANY_REQUESTS,
            Error::Busy | Error::Random | Error::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let problem = Self::new(status, error.to_string());
        match &error {
            Error::TooManyTries(wait) => problem.retry_after(seconds(wait)),
            Error::Busy | Error::Store(_) => problem.retry_after(1),
            _ => problem,
        }
    }
}
