//! The certificate authority: one self-signed certificate that signs the runtime and every leaf.
//!
//! Its private key is made at first start and kept in the data folder, readable by the owner
//! alone; or an operator brings certificate and key as PEM files. A request for a certificate
//! contributes its public key and nothing else.

use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::clock::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber, SubjectPublicKeyInfo,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509CertificationRequest};

const CERT_FILE: &str = "ca.pem";
const KEY_FILE: &str = "ca.key";
/// Certificates start this long before they are made, so that a peer's slow clock accepts them.
pub const LEAF_SKEW: Duration = Duration::from_secs(5 * 60);
/// Life of the authority: ten years.
const AUTHORITY_LIFE: Duration = Duration::from_secs(3650 * 24 * 3600);

/// Why the authority cannot work.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file could not be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// Completes the sentence.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Only one of the two files is there.
    #[error(
        "{present} is there but {missing} is not; restore it, or remove both to make a new authority (every service key and certificate becomes void)"
    )]
    Half {
        /// The file that is there.
        present: PathBuf,
        /// The file that is not.
        missing: PathBuf,
    },
    /// The key file can be read by others.
    #[error("{path} can be read by others (mode {mode:03o}); run `chmod 600` on it")]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file does not hold what it should.
    #[error("{path} is not usable as {what}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The certificate and key do not belong together.
    #[error("the key in {key} does not belong to the certificate in {cert}")]
    Mismatch {
        /// The certificate file.
        cert: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// The authority's certificate is outside its validity.
    #[error(
        "the authority certificate is not valid at this machine's time; check the clock, or renew {path}"
    )]
    Expired {
        /// The certificate file.
        path: PathBuf,
    },
    /// The request for a certificate is malformed or not signed by its own key.
    #[error("the certificate request is malformed or not signed by its own key")]
    Request,
    /// Making a certificate failed.
    #[error("cannot make a certificate")]
    Issue(#[source] rcgen::Error),
}

/// A certificate the authority signed.
#[derive(Clone, Debug)]
pub struct Issued {
    /// One DER certificate.
    pub cert_der: Vec<u8>,
    /// Its end; always a whole second.
    pub not_after: Timestamp,
}

/// A certificate with the private key this process made for it.
pub struct OwnCertificate {
    /// The certificate.
    pub issued: Issued,
    /// PKCS#8.
    pub key_der: Vec<u8>,
}

impl std::fmt::Debug for OwnCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnCertificate")
            .field("issued", &self.issued)
            .finish_non_exhaustive()
    }
}

/// The authority of one runtime.
pub struct Authority {
    ca_der: Vec<u8>,
    not_after: Timestamp,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    /// Opens the authority in `folder`, making it when the folder has none.
    ///
    /// # Errors
    ///
    /// When one of the two files is missing, exposed, malformed or does not match the other.
    pub fn in_folder(folder: &Path, now: Timestamp) -> Result<Self, AuthorityError> {
        let (cert, key) = (folder.join(CERT_FILE), folder.join(KEY_FILE));
        match (cert.exists(), key.exists()) {
            (true, true) => Self::from_files(&cert, &key, now),
            (false, false) => {
                let (cert_pem, key_pem) = make(now)?;
                // The key first: a certificate without its key would look like lost data.
                write_new(&key, 0o600, key_pem.as_bytes())?;
                write_new(&cert, 0o644, cert_pem.as_bytes())?;
                Self::from_files(&cert, &key, now)
            }
            (true, false) => Err(AuthorityError::Half {
                present: cert,
                missing: key,
            }),
            (false, true) => Err(AuthorityError::Half {
                present: key,
                missing: cert,
            }),
        }
    }

    /// Opens an authority the operator brings.
    ///
    /// # Errors
    ///
    /// As [`in_folder`](Self::in_folder).
    pub fn from_files(cert: &Path, key: &Path, now: Timestamp) -> Result<Self, AuthorityError> {
        let mode = fs::metadata(key)
            .map_err(file("read", key))?
            .permissions()
            .mode()
            & 0o777;
        if mode & 0o077 != 0 {
            return Err(AuthorityError::Exposed {
                path: key.to_owned(),
                mode,
            });
        }
        let bad_cert = || AuthorityError::Malformed {
            path: cert.to_owned(),
            what: "an authority certificate",
        };
        let cert_pem = fs::read(cert).map_err(file("read", cert))?;
        let ca_der = CertificateDer::from_pem_slice(&cert_pem).map_err(|_| bad_cert())?;
        let key_pem = fs::read_to_string(key).map_err(file("read", key))?;
        let key_pair = KeyPair::from_pem(&key_pem).map_err(|_| AuthorityError::Malformed {
            path: key.to_owned(),
            what: "a private key",
        })?;
        let (not_after, public_key) = {
            let (_, parsed) = X509Certificate::from_der(&ca_der).map_err(|_| bad_cert())?;
            if !parsed.is_ca() {
                return Err(bad_cert());
            }
            let (from, to) = (parsed.validity.not_before, parsed.validity.not_after);
            let now_s = now.as_millis() / 1000;
            if now_s < from.timestamp() || now_s > to.timestamp() {
                return Err(AuthorityError::Expired {
                    path: cert.to_owned(),
                });
            }
            let public_key = parsed.public_key().subject_public_key.data.to_vec();
            (Timestamp::from_millis(to.timestamp() * 1000), public_key)
        };
        if rcgen::PublicKeyData::der_bytes(&key_pair) != public_key.as_slice() {
            let (cert, key) = (cert.to_owned(), key.to_owned());
            return Err(AuthorityError::Mismatch { cert, key });
        }
        let issuer = Issuer::from_ca_cert_der(&ca_der, key_pair).map_err(|_| bad_cert())?;
        Ok(Self {
            ca_der: ca_der.to_vec(),
            not_after,
            issuer,
        })
    }

    /// DER of the authority's own certificate.
    pub fn ca_der(&self) -> &[u8] {
        &self.ca_der
    }

    /// When the authority ends.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Signs a leaf named `uri` for the key of a PKCS#10 request.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Request`] when the request is malformed or does not prove possession.
    pub fn issue_leaf(
        &self,
        csr_der: &[u8],
        uri: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Issued, AuthorityError> {
        let (rest, request) =
            X509CertificationRequest::from_der(csr_der).map_err(|_| AuthorityError::Request)?;
        if !rest.is_empty() || request.verify_signature().is_err() {
            return Err(AuthorityError::Request);
        }
        let spki = request.certification_request_info.subject_pki.raw;
        let key = SubjectPublicKeyInfo::from_der(spki).map_err(|_| AuthorityError::Request)?;
        self.sign(&key, vec![uri_name(uri)?], now, life)
    }

    /// Makes the runtime's own certificate: its URI, and the names stock gRPC clients look for.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Issue`] when a name is not encodable.
    pub fn issue_runtime(
        &self,
        names: &[String],
        now: Timestamp,
        life: Duration,
    ) -> Result<OwnCertificate, AuthorityError> {
        let mut sans = vec![uri_name(contract::tls::RUNTIME_URI)?];
        for name in names {
            sans.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => {
                    SanType::DnsName(name.as_str().try_into().map_err(AuthorityError::Issue)?)
                }
            });
        }
        let key = KeyPair::generate().map_err(AuthorityError::Issue)?;
        let issued = self.sign(&key, sans, now, life)?;
        Ok(OwnCertificate {
            issued,
            key_der: key.serialize_der(),
        })
    }

    fn sign(
        &self,
        key: &impl rcgen::PublicKeyData,
        names: Vec<SanType>,
        now: Timestamp,
        life: Duration,
    ) -> Result<Issued, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "service-bridge");
        params.subject_alt_names = names;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        let end_s = ((now + life).as_millis() / 1000).min(self.not_after.as_millis() / 1000);
        params.not_before =
            date(now.as_millis() / 1000 - i64::try_from(LEAF_SKEW.as_secs()).unwrap_or(0))?;
        params.not_after = date(end_s)?;
        params.serial_number = Some(serial()?);
        let certificate = params
            .signed_by(key, &self.issuer)
            .map_err(AuthorityError::Issue)?;
        let not_after = Timestamp::from_millis(end_s * 1000);
        Ok(Issued {
            cert_der: certificate.der().to_vec(),
            not_after,
        })
    }
}

fn make(now: Timestamp) -> Result<(String, String), AuthorityError> {
    let key = KeyPair::generate().map_err(AuthorityError::Issue)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "service-bridge authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date((now.as_millis() / 1000).saturating_sub(24 * 3600))?;
    params.not_after = date((now + AUTHORITY_LIFE).as_millis() / 1000)?;
    params.serial_number = Some(serial()?);
    let certificate = params.self_signed(&key).map_err(AuthorityError::Issue)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn uri_name(uri: &str) -> Result<SanType, AuthorityError> {
    Ok(SanType::URI(uri.try_into().map_err(AuthorityError::Issue)?))
}

fn date(unix_s: i64) -> Result<OffsetDateTime, AuthorityError> {
    OffsetDateTime::from_unix_timestamp(unix_s)
        .map_err(|_| AuthorityError::Issue(rcgen::Error::Time))
}

fn serial() -> Result<SerialNumber, AuthorityError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|_| AuthorityError::Issue(rcgen::Error::RingUnspecified))?;
    // Positive and not zero, as X.509 wants it.
    bytes[0] = (bytes[0] & 0x7f) | 0x01;
    Ok(SerialNumber::from_slice(&bytes))
}

fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), AuthorityError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let mut out = options.open(path).map_err(file("create", path))?;
    out.write_all(bytes)
        .and_then(|()| out.sync_all())
        .map_err(file("write", path))
}

fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> AuthorityError {
    let path = path.to_owned();
    move |source| AuthorityError::File {
        action,
        path,
        source,
    }
}

/// The end of a DER certificate.
pub fn not_after(cert_der: &[u8]) -> Option<Timestamp> {
    let (_, parsed) = X509Certificate::from_der(cert_der).ok()?;
    Some(Timestamp::from_millis(
        parsed.validity.not_after.timestamp() * 1000,
    ))
}
