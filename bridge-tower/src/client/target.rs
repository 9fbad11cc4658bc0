//! Whom a request goes to, and for what: the parts of its url that may be told.
//!
//! Credentials and query stay out of everything that is recorded.

use std::borrow::Cow;

use http::header::HOST;
use http::{HeaderMap, Uri};

/// Where a request goes.
#[derive(Debug)]
pub(super) struct Target<'u> {
    /// Empty when the request does not say.
    scheme: &'u str,
    /// `host:port`; empty when the request does not say.
    peer: Cow<'u, str>,
    path: &'u str,
}

impl<'u> Target<'u> {
    /// Of a uri; one without authority goes to whom the `Host` header names.
    pub(super) fn of(uri: &'u Uri, headers: &HeaderMap) -> Self {
        let scheme = uri.scheme_str().unwrap_or_default();
        let peer = match uri.authority() {
            Some(authority) if authority.port().is_some() => {
                let text = authority.as_str();
                Cow::Borrowed(text.rsplit_once('@').map_or(text, |(_, peer)| peer))
            }
            Some(authority) => Cow::Owned(with_port(authority.host(), scheme)),
            None => {
                let host = headers.get(HOST).and_then(|it| it.to_str().ok());
                Cow::Owned(host.unwrap_or_default().to_owned())
            }
        };
        Self {
            scheme,
            peer,
            path: uri.path(),
        }
    }

    /// Of the parts of a url that was read already; `port` is known when the scheme has one.
    #[cfg(feature = "reqwest")]
    pub(super) fn of_parts(scheme: &'u str, host: &str, port: Option<u16>, path: &'u str) -> Self {
        let peer = match port {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Self {
            scheme,
            peer: Cow::Owned(peer),
            path,
        }
    }

    pub(super) fn peer(&self) -> &str {
        &self.peer
    }

    /// The url without credentials and query.
    pub(super) fn url(&self) -> String {
        let (scheme, peer, path) = (self.scheme, &self.peer, self.path);
        if scheme.is_empty() {
            return format!("{peer}{path}");
        }
        format!("{scheme}://{peer}{path}")
    }
}

fn with_port(host: &str, scheme: &str) -> String {
    match scheme {
        "http" | "ws" => format!("{host}:80"),
        "https" | "wss" => format!("{host}:443"),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_a_port_and_no_credentials() {
        for (uri, peer, url) in [
            ("http://a:8080/x?q=1", "a:8080", "http://a:8080/x"),
            ("http://a/x", "a:80", "http://a:80/x"),
            ("https://me:secret@a", "a:443", "https://a:443/"),
            ("http://me:secret@[::1]:9/", "[::1]:9", "http://[::1]:9/"),
        ] {
            let uri: Uri = uri.parse().expect("a uri");
            let target = Target::of(&uri, &HeaderMap::new());
            assert_eq!((target.peer(), target.url().as_str()), (peer, url), "{uri}");
        }
    }

    #[test]
    fn a_uri_without_authority_goes_to_the_host_header() {
        let uri: Uri = "/only/a/path".parse().expect("a uri");
        let mut headers = HeaderMap::new();
        assert_eq!(Target::of(&uri, &headers).peer(), "");
        headers.insert(HOST, http::HeaderValue::from_static("inside:1"));
        assert_eq!(Target::of(&uri, &headers).peer(), "inside:1");
    }
}
