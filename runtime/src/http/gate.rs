//! Who may ask the API what: looked at before anything else runs. The body is the route's business:
//! it is read where one is taken, up to the route's limit.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use contract::clock::Clock;
use tower::ServiceExt as _;

use super::origin;
use crate::accounts::{self, Accounts, Caller, Remote, Via};
use crate::problem::Problem;
use crate::rest::Patience;

/// Header that a page's changes carry besides the cookie.
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// What one becomes a caller with, and what says whether one is.
const OPEN: [(Method, &str); 4] = [
    (Method::GET, "/api/v1/setup"),
    (Method::POST, "/api/v1/setup"),
    (Method::GET, "/api/v1/session"),
    (Method::POST, "/api/v1/session"),
];

/// What a viewer changes all the same: nothing but its own.
const OWN: [(Method, &str); 2] = [
    (Method::DELETE, "/api/v1/session"),
    (Method::PUT, "/api/v1/session/password"),
];

/// The API behind its checks. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) accounts: Accounts,
    pub(super) routes: Router,
    pub(super) clock: Clock,
}

impl Gate {
    /// The API's answer, or why there is none.
    pub(super) async fn answer(&self, request: Request, remote: Remote) -> Response {
        match self.checked(request, remote).await {
            Ok(request) => {
                let Ok(response) = self.routes.clone().oneshot(request).await;
                response
            }
            Err(problem) => problem.into_response(),
        }
    }

    /// The request as handlers trust it: with its caller, where it came from, and how long its
    /// body is waited for.
    async fn checked(&self, request: Request, remote: Remote) -> Result<Request, Problem> {
        let (mut parts, body) = request.into_parts();
        // Only this door says who somebody is.
        parts.extensions.clear();
        if let Some(caller) = self.let_in(&parts).await? {
            parts.extensions.insert(caller);
        }
        parts.extensions.insert(remote);
        parts.extensions.insert(Patience(self.clock.clone()));
        Ok(Request::from_parts(parts, body))
    }

    /// Whose request this is, if it may be made at all.
    async fn let_in(&self, request: &Parts) -> Result<Option<Caller>, Problem> {
        let (method, path, headers) = (&request.method, request.uri.path(), &request.headers);
        let caller = self.who(headers).await?;
        let is_open = is_one_of(&OPEN, method, path);
        if caller.is_none() && !is_open {
            return Err(accounts::nobody());
        }
        if method.is_safe() {
            return Ok(caller);
        }
        let refused = |text: &str| Err(Problem::new(StatusCode::FORBIDDEN, text));
        let by_token = caller.as_ref().is_some_and(|it| it.via == Via::Token);
        if !by_token && origin::is_foreign(headers) {
            return refused(
                "a page of another site asked for this; a proxy in front has to pass `Host` on",
            );
        }
        if let Some(caller) = caller.as_ref().filter(|_| !is_open) {
            if !has_csrf_token(caller, headers) {
                return refused(
                    "send the session's `csrf_token` (GET /api/v1/session) as `x-csrf-token`",
                );
            }
            if !caller.is_admin() && !is_one_of(&OWN, method, path) {
                return refused("a viewer changes nothing; ask an admin");
            }
        }
        Ok(caller)
    }

    /// Who a request says it is from, as far as that is proved. A token that is no good is not
    /// made up for by a cookie that is.
    async fn who(&self, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
        let mut shown = headers.get_all(AUTHORIZATION).into_iter();
        let found = match (shown.next(), accounts::cookie(headers)) {
            (Some(_), _) if shown.next().is_some() => None,
            (Some(one), _) => match one.to_str().ok().and_then(bearer) {
                Some(token) => self.accounts.of_token(token).await?,
                None => None,
            },
            (None, Some(cookie)) => self.accounts.of_session(cookie).await?,
            (None, None) => None,
        };
        Ok(found)
    }
}

fn is_one_of(list: &[(Method, &str)], method: &Method, path: &str) -> bool {
    // HEAD is GET without the body.
    let method = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    list.iter()
        .any(|(known, at)| known == method && *at == path)
}

fn bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether a session's request carries what only the session's own page can know. Others need
/// nothing: no foreign page can send their token.
fn has_csrf_token(caller: &Caller, headers: &HeaderMap) -> bool {
    let Some(wanted) = caller.csrf_token() else {
        return true;
    };
    let given = headers.get(CSRF).map_or(&[][..], |it| it.as_bytes());
    is_same(given, wanted.as_bytes())
}

/// Compares in a time that does not depend on where the difference is.
fn is_same(given: &[u8], wanted: &[u8]) -> bool {
    let differs = |(a, b): (&u8, &u8)| a ^ b;
    let same = given
        .iter()
        .zip(wanted)
        .map(differs)
        .fold(0, |all, it| all | it)
        == 0;
    given.len() == wanted.len() && same
}
