//! Who is on the other end: certificates, the names inside them, and the TLS settings both sides use.
//!
//! A peer is known by exactly one URI in its certificate. Host names are not looked at, so that
//! instances can live at any address; an address can therefore never vouch for an identity.
//! Sessions are never resumed, so that each connection presents a certificate of its own.
//!
//! Invariant: a client configuration made here accepts one identity only, the expected one.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert,
    WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig,
    SignatureScheme,
};
use webpki::EndEntityCert;

use crate::clock::Timestamp;
use crate::der;
use crate::ids::{InstanceId, ServiceId};

/// The one URI of the runtime's certificate.
pub const RUNTIME_URI: &str = "spiffe://service-bridge/runtime";
const SERVICE_PREFIX: &str = "spiffe://service-bridge/service/";
/// Name sent in SNI and `:authority`; endpoints are usually bare addresses.
pub const PEER_AUTHORITY: &str = "servicebridge.peer";
/// HTTP/2, the protocol every SDK speaks.
pub const ALPN_H2: &[u8] = b"h2";

/// Who a certificate belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The runtime.
    Runtime,
    /// One process of a service.
    Service {
        /// Whose key it provisioned with.
        service: ServiceId,
        /// Which process.
        instance: InstanceId,
    },
    /// No certificate, or one whose names say neither.
    Unknown,
}

impl Peer {
    /// The URI this identity has in a certificate; `None` for an unknown one.
    pub fn uri(&self) -> Option<String> {
        match self {
            Self::Runtime => Some(RUNTIME_URI.to_owned()),
            Self::Service { service, instance } => Some(service_uri(*service, *instance)),
            Self::Unknown => None,
        }
    }

    /// Reads the identity out of a DER certificate that was already verified.
    pub fn of_certificate(der: &[u8]) -> Self {
        uri_of(der).map_or(Self::Unknown, |uri| Self::of_uri(&uri))
    }

    fn of_uri(uri: &str) -> Self {
        if uri == RUNTIME_URI {
            return Self::Runtime;
        }
        let ids = uri
            .strip_prefix(SERVICE_PREFIX)
            .and_then(|rest| rest.split_once("/instance/"));
        match ids.map(|(service, instance)| (service.parse(), instance.parse())) {
            Some((Ok(service), Ok(instance))) => Self::Service { service, instance },
            _ => Self::Unknown,
        }
    }
}

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Its beginning, a whole second.
    pub from: Timestamp,
    /// Its end, a whole second.
    pub until: Timestamp,
}

impl Validity {
    /// Reads it out of a DER certificate; `None` when it cannot be read.
    pub fn of_certificate(der: &[u8]) -> Option<Self> {
        let (from, until) = der::validity(der)?;
        Some(Self {
            from: Timestamp::from_millis(from * 1000),
            until: Timestamp::from_millis(until * 1000),
        })
    }
}

/// The URI in the leaf of one process of a service.
pub fn service_uri(service: ServiceId, instance: InstanceId) -> String {
    format!("{SERVICE_PREFIX}{service}/instance/{instance}")
}

/// The URI name of a certificate when it has exactly one.
fn uri_of(der: &[u8]) -> Option<String> {
    let der = CertificateDer::from(der);
    let certificate = EndEntityCert::try_from(&der).ok()?;
    let mut uris = certificate.valid_uri_names();
    let first = uris.next()?;
    // The iterator ends at a name that it does not understand, and there may be more behind it.
    let is_only = uris.next().is_none() && der::uris(&der) == Some(1);
    is_only.then(|| first.to_owned())
}

/// Why TLS settings could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The authority certificate is unusable.
    #[error("the authority certificate is not usable")]
    Authority(#[source] rustls::Error),
    /// The leaf or its key is unusable.
    #[error("the certificate or its private key is not usable")]
    Leaf(#[source] rustls::Error),
    /// The verifier could not be made.
    #[error("cannot verify client certificates with this authority")]
    Verifier(#[source] rustls::server::VerifierBuilderError),
}

/// The certificate this process presents. Replacing it changes every later handshake and no
/// connection that exists.
#[derive(Clone, Default)]
pub struct Leaf(Arc<RwLock<Option<Arc<CertifiedKey>>>>);

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.read().is_some() {
            "Leaf(set)"
        } else {
            "Leaf(none)"
        })
    }
}

impl Leaf {
    /// Takes `cert_der` with its PKCS#8 private key into use.
    ///
    /// # Errors
    ///
    /// [`TlsError::Leaf`] when the key is malformed or does not belong to the certificate; the
    /// one in use stays.
    pub fn replace(&self, cert_der: Vec<u8>, key_pkcs8: Vec<u8>) -> Result<(), TlsError> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key_pkcs8));
        let chain = vec![CertificateDer::from(cert_der)];
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(TlsError::Leaf)?;
        *self.0.write() = Some(Arc::new(certified));
        Ok(())
    }

    /// The DER certificate in use.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        let current = self.0.read().clone()?;
        current.cert.first().map(|der| der.to_vec())
    }
}

impl ResolvesClientCert for Leaf {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.read().clone()
    }

    fn has_certs(&self) -> bool {
        self.0.read().is_some()
    }
}

impl ResolvesServerCert for Leaf {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().clone()
    }
}

/// What a server does with clients that present no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// Let them in as [`Peer::Unknown`]: the runtime, where provisioning needs no certificate.
    Optional,
    /// Refuse them in the handshake: every instance.
    Required,
}

/// Settings of a client that trusts `ca_der` alone, presents `leaf` if any, and accepts the peer
/// `expected` alone.
///
/// # Errors
///
/// [`TlsError::Authority`] when `ca_der` is not a certificate.
pub fn client_config(
    ca_der: &[u8],
    leaf: Option<&Leaf>,
    expected: Peer,
) -> Result<Arc<ClientConfig>, TlsError> {
    let verifier = Arc::new(ExpectPeer {
        roots: roots(ca_der)?,
        expected,
        provider: provider(),
    });
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Authority)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match leaf {
        Some(leaf) => builder.with_client_cert_resolver(Arc::new(leaf.clone())),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Settings of a server that presents `leaf` and verifies clients against `ca_der`.
///
/// # Errors
///
/// [`TlsError::Authority`] or [`TlsError::Verifier`] when `ca_der` is not a usable authority.
pub fn server_config(
    ca_der: &[u8],
    leaf: &Leaf,
    clients: ClientAuth,
) -> Result<Arc<ServerConfig>, TlsError> {
    let roots = Arc::new(roots(ca_der)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
    let verifier = match clients {
        ClientAuth::Optional => verifier.allow_unauthenticated(),
        ClientAuth::Required => verifier,
    };
    let verifier = verifier.build().map_err(TlsError::Verifier)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Authority)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(leaf.clone()));
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: std::sync::OnceLock<Arc<CryptoProvider>> = std::sync::OnceLock::new();
    PROVIDER
        .get_or_init(|| Arc::new(rustls::crypto::ring::default_provider()))
        .clone()
}

fn roots(ca_der: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(ca_der.to_vec()))
        .map_err(TlsError::Authority)?;
    Ok(roots)
}

#[derive(Debug)]
struct ExpectPeer {
    roots: RootCertStore,
    expected: Peer,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ExpectPeer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        rustls::client::verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        let presented = Peer::of_certificate(end_entity);
        if presented == Peer::Unknown || presented != self.expected {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// What to tell a person about a failed handshake, when more than the bare error can be said.
pub fn handshake_advice(error: &rustls::Error) -> Option<&'static str> {
    use CertificateError as Bad;
    use rustls::AlertDescription as Alert;
    match error {
        rustls::Error::InvalidCertificate(bad) => Some(match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => {
                "the peer's certificate has expired; compare the clocks of both machines"
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "the peer's certificate is not valid yet; compare the clocks of both machines"
            }
            Bad::UnknownIssuer | Bad::BadSignature => {
                "the peer's certificate is from another authority; the key belongs to another runtime"
            }
            Bad::ApplicationVerificationFailure => {
                "the peer's certificate names another identity than the expected one"
            }
            _ => return None,
        }),
        rustls::Error::AlertReceived(alert) => Some(match alert {
            Alert::CertificateExpired => {
                "the peer refused our certificate as expired; compare the clocks of both machines"
            }
            Alert::UnknownCA | Alert::DecryptError => {
                "the peer refused our certificate: it trusts another authority"
            }
            Alert::CertificateRequired => "the peer demands a client certificate",
            _ => return None,
        }),
        rustls::Error::InvalidMessage(_) => Some("the peer does not speak TLS on this port"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_read_exactly() {
        let (service, instance) = (
            "0198c0de-0000-7000-8000-0000000000ab".parse().expect("id"),
            "0198c0de-0000-7000-8000-0000000000cd".parse().expect("id"),
        );
        let peer = Peer::Service { service, instance };
        assert_eq!(Peer::of_uri(&peer.uri().expect("has one")), peer);
        assert_eq!(Peer::of_uri(RUNTIME_URI), Peer::Runtime);
        for other in [
            "spiffe://servicebridge/runtime",
            "spiffe://service-bridge/runtime/",
            "spiffe://service-bridge/service/x/instance/y",
            &format!("{}/more", service_uri(service, instance)),
        ] {
            assert_eq!(Peer::of_uri(other), Peer::Unknown, "{other}");
        }
    }

    #[test]
    fn what_is_not_a_certificate_is_unknown() {
        assert_eq!(Peer::of_certificate(b""), Peer::Unknown);
        assert_eq!(Peer::of_certificate(&[0x30; 64]), Peer::Unknown);
    }
}
