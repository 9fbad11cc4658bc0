//! How the command line reaches a runtime: the socket in its data folder, or an address with an
//! API token.
//!
//! `https` needs a certificate that this machine trusts; the console itself speaks plain HTTP, a
//! proxy in front of it speaks TLS.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Uri;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::SOCKET_FILE;

/// A connection of whichever kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Why an address cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none, or has more than a host and a port.
    #[error("`{0}` is not the address of a console; write http://HOST:PORT or https://HOST")]
    Form(String),
    /// The token could not be part of a request.
    #[error("the API token has characters no token has; copy the whole of it")]
    Token,
}

/// Where a runtime is.
#[derive(Clone)]
pub(super) enum Reach {
    /// The data folder's socket.
    Socket(PathBuf),
    /// The console's address.
    Address(Address),
}

/// A console's address, and what to show there.
#[derive(Clone)]
pub(super) struct Address {
    host: String,
    port: u16,
    https: bool,
    /// `host:port`, as it was given.
    authority: String,
    token: Option<String>,
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

impl Reach {
    pub(super) fn socket(data: &Path) -> Self {
        Self::Socket(data.join(SOCKET_FILE))
    }

    pub(super) fn address(url: &str, token: Option<&str>) -> Result<Self, AddressError> {
        let wrong = || AddressError::Form(url.chars().take(200).collect());
        let uri: Uri = url.trim().parse().map_err(|_| wrong())?;
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !bare || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(wrong());
        }
        let token = token.map(str::trim).filter(|it| !it.is_empty());
        if token.is_some_and(|it| !it.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(AddressError::Token);
        }
        Ok(Self::Address(Address {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if https { 443 } else { 80 }),
            https,
            authority: authority.as_str().to_owned(),
            token: token.map(str::to_owned),
        }))
    }

    /// For people: where it is looked for.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Socket(path) => path.display().to_string(),
            Self::Address(it) => {
                let scheme = if it.https { "https" } else { "http" };
                format!("{scheme}://{}", it.authority)
            }
        }
    }

    /// The `Host` of a request.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Socket(_) => "bridge",
            Self::Address(it) => &it.authority,
        }
    }

    /// What proves who asks, where the connection does not.
    pub(super) fn token(&self) -> Option<&str> {
        match self {
            Self::Socket(_) => None,
            Self::Address(it) => it.token.as_deref(),
        }
    }

    /// Whether a token travels through a network as plain text.
    pub(super) fn is_overheard(&self) -> bool {
        let Self::Address(it) = self else {
            return false;
        };
        let parsed = it.host.parse::<IpAddr>();
        let is_here = it.host == "localhost" || parsed.is_ok_and(|it| it.is_loopback());
        !it.https && !is_here && it.token.is_some()
    }

    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let address = match self {
            Self::Socket(path) => return Ok(Box::new(UnixStream::connect(path).await?)),
            Self::Address(it) => it,
        };
        let socket = TcpStream::connect((address.host.as_str(), address.port)).await?;
        socket.set_nodelay(true)?;
        if !address.https {
            return Ok(Box::new(socket));
        }
        let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
        Ok(Box::new(trusting()?.connect(name, socket).await?))
    }
}

/// TLS that trusts what this machine trusts.
fn trusting() -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    // Some that cannot be read are no reason to refuse the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_perhaps_a_port() {
        for (url, host, port) in [
            ("http://bridge.test:14444", "bridge.test", 14_444),
            ("http://bridge.test/", "bridge.test", 80),
            ("https://bridge.test", "bridge.test", 443),
            ("http://[::1]:5", "::1", 5),
        ] {
            let Ok(Reach::Address(found)) = Reach::address(url, Some(" brt_x ")) else {
                panic!("{url} is refused");
            };
            assert_eq!((found.host.as_str(), found.port), (host, port));
            assert_eq!(found.token.as_deref(), Some("brt_x"));
        }
        for url in [
            "",
            "bridge.test:14444",
            "ftp://x",
            "http://",
            "http://x/y",
            "http://x?y",
            "http://u:p@x",
        ] {
            let refused = Reach::address(url, None).err();
            assert!(
                matches!(refused, Some(AddressError::Form(_))),
                "{url}: {refused:?}"
            );
        }
        let refused = Reach::address("http://x", Some("a\nb")).err();
        assert_eq!(refused, Some(AddressError::Token));
    }

    #[test]
    fn a_token_is_not_in_what_is_printed() {
        let reach = Reach::address("http://bridge.test:1", Some("brt_secret")).expect("fine");
        assert_eq!(format!("{reach:?}"), "http://bridge.test:1");
    }

    #[test]
    fn a_token_over_plain_http_is_overheard_unless_it_stays_here() {
        for (url, token, overheard) in [
            ("http://bridge.test", Some("t"), true),
            ("http://10.0.0.1:1", Some("t"), true),
            ("http://bridge.test", None, false),
            ("https://bridge.test", Some("t"), false),
            ("http://127.0.0.1:1", Some("t"), false),
            ("http://[::1]:1", Some("t"), false),
            ("http://localhost:1", Some("t"), false),
        ] {
            let reach = Reach::address(url, token).expect("an address");
            assert_eq!(reach.is_overheard(), overheard, "{url}");
        }
    }
}
