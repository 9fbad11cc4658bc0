//! Who may pass, and how many at once.
//!
//! On loopback everybody on this machine may, unless a token is configured; then, and on every other
//! address, a request brings that token or an API token of an account, as `Authorization: Bearer` or
//! as the password of `Authorization: Basic`, whatever the user. Any role will do: nothing here
//! changes anything.
//!
//! Refuses requests for a foreign host name, and those that a browser makes for a foreign page, where
//! no token is asked for: no web page can make a browser on this machine read or write for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::otlp::refusal_in_protobuf;
use crate::accounts::Accounts;

/// Requests that are answered at the same time. Each holds a body and what is made of it.
pub(super) const REQUESTS_MAX: usize = 16;
/// Shortest token that a file may hold, in bytes.
const TOKEN_BYTES_MIN: usize = 16;
/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 512;

/// The token of a file; only its digest is kept.
#[derive(Clone)]
pub struct ScrapeToken([u8; 32]);

impl std::fmt::Debug for ScrapeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScrapeToken")
    }
}

/// Why a token cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("cannot read the token of the open doors from {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is too short, too long, or has more than one line.
    #[error(
        "the token in {path} has to be one line of {TOKEN_BYTES_MIN} to {TOKEN_BYTES_MAX} visible characters; `openssl rand -hex 32` makes one"
    )]
    Form {
        /// Which file.
        path: PathBuf,
    },
}

impl ScrapeToken {
    /// Reads the token, a line of text.
    ///
    /// # Errors
    ///
    /// [`TokenError`] names the file.
    pub fn from_file(path: &Path) -> Result<Self, TokenError> {
        let text = std::fs::read_to_string(path).map_err(|source| TokenError::Read {
            path: path.to_owned(),
            source,
        })?;
        let token = text.trim();
        let fits = (TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&token.len());
        if !fits || !token.bytes().all(|it| it.is_ascii_graphic()) {
            return Err(TokenError::Form {
                path: path.to_owned(),
            });
        }
        Ok(Self(Sha256::digest(token.as_bytes()).into()))
    }

    fn is(&self, token: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        // Of digests, so that nothing can be learnt from how long it takes.
        digest == self.0
    }
}

/// Decides about each request.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    accounts: Accounts,
    token: Option<ScrapeToken>,
    /// Whether only this machine can connect.
    loopback: bool,
    slots: Arc<Semaphore>,
}

impl Guard {
    pub(super) fn new(accounts: &Accounts, token: Option<ScrapeToken>, loopback: bool) -> Self {
        Self {
            accounts: accounts.clone(),
            token,
            loopback,
            slots: Arc::new(Semaphore::new(REQUESTS_MAX)),
        }
    }

    async fn let_in(&self, headers: &HeaderMap, refuse: &Refuse) -> Result<(), Response> {
        if self.loopback && self.token.is_none() {
            if is_for_a_foreign_page(headers) {
                let text = "this door does not answer to web pages; configure a token \
                            (--export-token-file) and bring it";
                return Err(refuse.with(StatusCode::FORBIDDEN, text));
            }
            if is_local(headers) {
                return Ok(());
            }
            let text = "this door answers to localhost and its addresses only; configure a token \
                        (--export-token-file) to use another name";
            return Err(refuse.with(StatusCode::FORBIDDEN, text));
        }
        let Some(token) = brought(headers) else {
            return Err(stranger(refuse));
        };
        if self.token.as_ref().is_some_and(|it| it.is(&token)) {
            return Ok(());
        }
        match self.accounts.of_token(&token).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(stranger(refuse)),
            Err(error) => {
                tracing::warn!(%error, "a token could not be checked");
                let text = "the token cannot be checked now; ask again";
                Err(refuse.for_now(text))
            }
        }
    }
}

/// Lets a request in, or says why not.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let refuse = Refuse::of(&request);
    if let Err(refused) = guard.let_in(request.headers(), &refuse).await {
        return refused;
    }
    let Ok(_slot) = guard.slots.try_acquire() else {
        let text = format!("{REQUESTS_MAX} requests are being answered already; ask again");
        return refuse.for_now(&text);
    };
    next.run(request).await
}

/// Says no in a form that whoever asks can read: protobuf for an OTLP sender that speaks it, JSON
/// with `message`, as Loki's and OTLP's have it, for everybody else.
#[derive(Clone, Debug)]
pub(super) struct Refuse {
    path: String,
    headers: HeaderMap,
}

impl Refuse {
    pub(super) fn of<B>(request: &axum::http::Request<B>) -> Self {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.map(|it| (CONTENT_TYPE, it.clone()));
        Self {
            path: request.uri().path().to_owned(),
            headers: kind.into_iter().collect(),
        }
    }

    pub(super) fn with(&self, status: StatusCode, message: &str) -> Response {
        let json = || (status, Json(json!({"status": "error", "message": message})));
        let protobuf = refusal_in_protobuf(&self.path, &self.headers, (status, message));
        protobuf.unwrap_or_else(|| json().into_response())
    }

    /// 503: the same may be asked again in a moment.
    pub(super) fn for_now(&self, message: &str) -> Response {
        let mut response = self.with(StatusCode::SERVICE_UNAVAILABLE, message);
        let seconds = HeaderValue::from_static("1");
        response.headers_mut().insert(RETRY_AFTER, seconds);
        response
    }
}

fn stranger(refuse: &Refuse) -> Response {
    let text = "bring a token: `Authorization: Bearer TOKEN`, or TOKEN as the password of basic \
                authentication; `bridge token create` makes one";
    let mut response = refuse.with(StatusCode::UNAUTHORIZED, text);
    let how = HeaderValue::from_static("Bearer realm=\"bridge\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, how);
    response
}

/// The token of a request.
fn brought(headers: &HeaderMap) -> Option<String> {
    let said = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = said.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(rest.trim())
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':')
        .map(|(_, password)| password.to_owned())
}

/// Whether the host that a request is for is this machine by one of its own names.
fn is_local(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|it| it.to_str().ok()) else {
        // HTTP/1.0, which no browser speaks.
        return true;
    };
    is_own(host)
}

/// Whether `host` or `host:port` names this machine.
fn is_own(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |it| it.0),
    };
    let address: Option<std::net::IpAddr> = name.parse().ok();
    name.eq_ignore_ascii_case("localhost") || address.is_some_and(|it| it.is_loopback())
}

/// Whether a browser says that a page of another machine asks. Exporters and scrapers say nothing.
fn is_for_a_foreign_page(headers: &HeaderMap) -> bool {
    let crosses = headers
        .get("sec-fetch-site")
        .is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"cross-site"));
    let is_own_origin = |it: &HeaderValue| {
        let host = it.to_str().ok().and_then(|it| it.split_once("://"));
        host.is_some_and(|(_, host)| is_own(host))
    };
    let all = headers.get_all(ORIGIN);
    crosses || !all.iter().all(is_own_origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: axum::http::HeaderName, value: &str) -> HeaderMap {
        let value = value.parse().expect("a header");
        HeaderMap::from_iter([(name, value)])
    }

    #[test]
    fn a_token_comes_as_bearer_or_as_a_password() {
        let of = |value: &str| brought(&with(AUTHORIZATION, value));
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(of("Basic dXNlcjphOmI=").as_deref(), Some("a:b"));
        for bad in ["abc", "Digest abc", "Basic !", "Basic YWJj"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        for (host, expected) in [
            ("localhost:14446", true),
            ("127.0.0.1", true),
            ("127.9.9.9:1", true),
            ("[::1]:14446", true),
            ("evil.example:14446", false),
            ("localhost.evil.example", false),
            ("10.0.0.1:14446", false),
            ("", false),
        ] {
            assert_eq!(is_local(&with(HOST, host)), expected, "{host}");
        }
    }

    #[test]
    fn what_a_foreign_page_asks_is_known_by_its_origin_and_by_where_it_comes_from() {
        for (origin, expected) in [
            ("http://localhost:3000", false),
            ("http://127.0.0.1", false),
            ("http://[::1]:14444", false),
            ("https://evil.example", true),
            ("http://localhost.evil.example", true),
            ("null", true),
            ("", true),
        ] {
            let is_foreign = is_for_a_foreign_page(&with(ORIGIN, origin));
            assert_eq!(is_foreign, expected, "{origin}");
        }
        let site = axum::http::HeaderName::from_static("sec-fetch-site");
        for (said, expected) in [
            ("cross-site", true),
            ("same-origin", false),
            ("none", false),
        ] {
            let is_foreign = is_for_a_foreign_page(&with(site.clone(), said));
            assert_eq!(is_foreign, expected, "{said}");
        }
        assert!(!is_for_a_foreign_page(&HeaderMap::new()), "an exporter");
    }

    #[test]
    fn a_token_file_holds_one_long_line() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("token");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            ScrapeToken::from_file(&path)
        };
        assert!(
            read("0123456789abcdef\n")
                .expect("fits")
                .is("0123456789abcdef")
        );
        assert!(
            !read("0123456789abcdef")
                .expect("fits")
                .is("0123456789abcdeF")
        );
        for bad in ["", "short", "0123456789 abcdef", "0123456789abcde\nf"] {
            let error = read(bad).expect_err(bad).to_string();
            assert!(
                error.contains("token in") && error.contains("openssl"),
                "{error}"
            );
        }
        ScrapeToken::from_file(&folder.path().join("none")).expect_err("is not there");
    }
}
