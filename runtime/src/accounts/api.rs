//! The HTTP routes of accounts, sessions and tokens: the same for the socket and the port.
//!
//! Refuses whoever is no admin where accounts and tokens are listed or changed; that a viewer
//! changes nothing else, and that a foreign page changes nothing at all, is the door's business.

use std::net::IpAddr;

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::engine::{Accounts, Error, seconds};
use super::model::Caller;
use super::secret::Secret;
use super::sessions::{Begun, Login};
use super::wire::{
    AccountNamed, AccountShown, ChangeAccount, ChangePassword, CreateAccount, CreateToken, LogIn,
    SessionShown, SetUp, SetupShown, TokenMade, TokenNamed, TokenShown, account_shown, shown,
    token_shown,
};
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
    let api = with_sessions(Api::new(), accounts);
    let api = with_accounts(api, accounts);
    with_tokens(api, accounts)
}

fn with_sessions(api: Api, accounts: &Accounts) -> Api {
    let (setup, session) = (("setup", accounts), ("session", accounts));
    let limited = [StatusCode::TOO_MANY_REQUESTS];
    let forbidden = [StatusCode::FORBIDDEN];
    api.add(
        setup,
        get(
            "show_setup",
            "/setup",
            "Whether the runtime waits for its first admin.",
        )
        .open(),
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
        .refuses(&limited),
        set_up,
    )
    .add(
        session,
        get("show_session", "/session", "Who one is; 401 when nobody.")
            .open()
            .refuses(&[StatusCode::UNAUTHORIZED]),
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
        .refuses(&limited),
        log_in,
    )
    .add(
        session,
        delete("log_out", "/session", "Ends the session."),
        log_out,
    )
    .add(
        session,
        put(
            "change_own_password",
            "/session/password",
            "Changes the password of whoever is logged in.\nIts other sessions end.",
        )
        .refuses(&limited),
        change_own_password,
    )
}

fn with_accounts(api: Api, accounts: &Accounts) -> Api {
    let it = ("accounts", accounts);
    let conflict = [StatusCode::CONFLICT];
    api.add(
        it,
        get(
            "list_accounts",
            "/accounts",
            "Every account, by name. For admins.",
        )
        .admin(),
        list,
    )
    .add(
        it,
        post(
            "create_account",
            "/accounts",
            "Makes an account. 409 when the name is taken.",
        )
        .refuses(&conflict),
        create,
    )
    .add(
        it,
        patch(
            "change_account",
            "/accounts/{username}",
            "Changes an account's role or password and ends its sessions.\n409 for the only admin.",
        )
        .refuses(&conflict),
        change,
    )
    .add(
        it,
        delete(
            "delete_account",
            "/accounts/{username}",
            "Deletes an account and ends its sessions.\n409 for the only admin.",
        )
        .refuses(&conflict),
        remove,
    )
}

fn with_tokens(api: Api, accounts: &Accounts) -> Api {
    let it = ("tokens", accounts);
    api.add(
        it,
        get(
            "list_tokens",
            "/tokens",
            "Every API token, by name. For admins.",
        )
        .admin(),
        list_tokens,
    )
    .add(
        it,
        post(
            "create_token",
            "/tokens",
            "Makes an API token.\nIt is shown this once. 409 when the name is taken.",
        )
        .refuses(&[StatusCode::CONFLICT]),
        create_token,
    )
    .add(
        it,
        delete("revoke_token", "/tokens/{id}", "Revokes an API token."),
        revoke_token,
    )
}

type Answer<T> = Result<T, Problem>;
type Asked<B> = Ask<Nothing, Nothing, B>;

async fn show_setup(accounts: Accounts, ask: Asked<NoBody>) -> Answer<Shown<SetupShown>> {
    Ok(Shown(SetupShown {
        required: accounts.is_setup_required().await,
        signed_in: caller(&ask.parts).is_ok(),
    }))
}

async fn set_up(accounts: Accounts, ask: Asked<Body<SetUp>>) -> Answer<Headed<Made<SessionShown>>> {
    let wanted = &ask.body.0;
    let (token, username, password) = (&wanted.token, &wanted.username, &wanted.password);
    accounts.set_up(token, username, password).await?;
    begin(&accounts, &ask.parts, (username, password)).await
}

async fn log_in(accounts: Accounts, ask: Asked<Body<LogIn>>) -> Answer<Headed<Made<SessionShown>>> {
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

async fn change_own_password(accounts: Accounts, ask: Asked<Body<ChangePassword>>) -> Answer<Done> {
    let (caller, wanted) = (caller(&ask.parts)?, &ask.body.0);
    let passwords = (wanted.current.as_str(), wanted.new.as_str());
    let remote = remote(&ask.parts).map(|it| it.address);
    accounts
        .change_own_password(caller, passwords, remote)
        .await?;
    Ok(Done)
}

async fn list(accounts: Accounts, ask: Asked<NoBody>) -> Answer<Shown<Vec<AccountShown>>> {
    admin(&ask.parts)?;
    let found = accounts.list().await?;
    Ok(Shown(found.into_iter().map(account_shown).collect()))
}

async fn create(accounts: Accounts, ask: Asked<Body<CreateAccount>>) -> Answer<Made<AccountShown>> {
    let actor = admin(&ask.parts)?;
    let wanted = &ask.body.0;
    let account = (
        wanted.username.as_str(),
        wanted.password.as_str(),
        wanted.role,
    );
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

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Name(_) | Error::Password | Error::CurrentPassword | Error::TokenLife(..) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Error::NameTaken(_) | Error::TooMany(_) | Error::LastAdmin(_) | Error::AlreadySetUp => {
                StatusCode::CONFLICT
            }
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
