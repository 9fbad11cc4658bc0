//! Getting a certificate and keeping it fresh. The private key never leaves the process.
//!
//! Margins shrink with a leaf's lifetime: a leaf of one hour is renewed 30 to 25 minutes before
//! its end, as the contract says, and a leaf of ten seconds after about five.
//!
//! Invariant: a new leaf is used by later handshakes only; no connection is closed because the
//! leaf that opened it was replaced.

use std::sync::Arc;
use std::time::Duration;

use contract::clock::Timestamp;
use contract::error_code::ErrorCode;
use contract::grpc::v1::bootstrap_client::BootstrapClient;
use contract::grpc::v1::control_client::ControlClient;
use contract::grpc::v1::{ProvisionRequest, ProvisionResponse, RefreshCertRequest};
use contract::tls::{Peer, client_config};
use contract::transport::{Dial, DialError};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::CertificateError;
use tonic::Code;

use super::{Identity, Session, is_terminal, refusal};
use crate::error::Error;
use crate::link::CONNECT_TIMEOUT_MAX;

const SUBJECT: &str = "servicebridge-instance";
const MARGIN_MAX: Duration = Duration::from_secs(30 * 60);
const JITTER_MAX: Duration = Duration::from_secs(5 * 60);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Even a leaf of a moment's lifetime is not renewed in a busy loop.
const RETRY_MIN: Duration = Duration::from_millis(200);

/// When the leaf in use was issued and when it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeafTimes {
    pub(super) issued: Timestamp,
    pub(super) not_after: Timestamp,
}

impl LeafTimes {
    fn lifetime(self) -> Duration {
        self.not_after.since(self.issued)
    }

    /// Time before the end at which a leaf is no longer good for a new session.
    fn margin(self) -> Duration {
        MARGIN_MAX.min(self.lifetime() / 2)
    }

    /// Whether a session may be opened with it.
    pub(super) fn is_fresh(self, now: Timestamp) -> bool {
        self.not_after.since(now) > self.margin()
    }

    /// Time until it should be renewed; `random` is in 0..1.
    pub(super) fn refresh_in(self, now: Timestamp, random: f64) -> Duration {
        let jitter = JITTER_MAX.min(self.lifetime() / 12).mul_f64(random);
        (self.not_after.since(now) + jitter).saturating_sub(self.margin())
    }

    /// Pause after a renewal that failed.
    pub(super) fn retry_in(self) -> Duration {
        RETRY_MAX.min(self.lifetime() / 12).max(RETRY_MIN)
    }
}

/// A step that failed: for now, or for good.
#[derive(Debug)]
pub(crate) enum Fault {
    Passing(Error),
    Terminal(Error),
}

/// A fresh key with the request to certify it.
struct KeyRequest {
    key_pkcs8: Vec<u8>,
    csr_der: Vec<u8>,
}

fn key_request() -> Result<KeyRequest, rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, SUBJECT);
    let csr = params.serialize_request(&key)?;
    Ok(KeyRequest {
        key_pkcs8: key.serialize_der(),
        csr_der: csr.der().to_vec(),
    })
}

fn broken(what: &'static str) -> impl FnOnce(rcgen::Error) -> Fault {
    move |source| Fault::Terminal(Error::caused(ErrorCode::Internal, what, source))
}

/// Makes sure there is a leaf good for a new session, provisioning one if needed.
pub(crate) async fn provision(session: &Session) -> Result<(), Fault> {
    let _renewing = session.renewing.lock().await;
    let current = *session.leaf.lock();
    if current.is_some_and(|leaf| leaf.is_fresh(session.clock.now())) {
        return Ok(());
    }
    let key = &session.options.key;
    let request = key_request().map_err(broken("cannot make a private key"))?;
    // Server-authenticated only, and pinned to the authority in the key.
    let tls = client_config(&key.ca_cert_der, None, Peer::Runtime).map_err(|error| {
        let text = "the service key holds an unusable authority certificate; create a new key";
        Fault::Terminal(Error::caused(ErrorCode::Config, text, error))
    })?;
    let dial = Dial::new(session.options.runtime.as_str(), tls).timeout(CONNECT_TIMEOUT_MAX);
    let channel = dial
        .connect(&session.clock)
        .await
        .map_err(|error| unreachable(error, current.is_none()))?;
    let origin = channel.origin();
    let answer = BootstrapClient::with_origin(channel, origin)
        .provision(ProvisionRequest {
            key_id: key.key_id.clone(),
            secret: key.secret.expose().to_vec(),
            csr_der: request.csr_der,
        })
        .await
        .map_err(|status| fault("the runtime refused the service key", &status))?;
    adopt(session, answer.into_inner(), request.key_pkcs8)
}

fn adopt(session: &Session, answer: ProvisionResponse, key_pkcs8: Vec<u8>) -> Result<(), Fault> {
    let malformed = || {
        let text =
            "the runtime answered provisioning with ids that are not UUIDs; update the older side";
        Fault::Terminal(Error::config(text))
    };
    let identity = Identity {
        session_id: String::new(),
        service_id: answer.service_id.parse().map_err(|_| malformed())?,
        service_name: answer.service_name,
        instance_id: answer.instance_id.parse().map_err(|_| malformed())?,
    };
    install(
        session,
        answer.cert_der,
        key_pkcs8,
        answer.ca_chain_der,
        answer.not_after_unix_ms,
    )?;
    let _ = session.service.set(identity.service_id);
    *session.identity.write() = Some(identity);
    // The old connection speaks for the old instance.
    session.runtime.forget();
    Ok(())
}

fn install(
    session: &Session,
    cert_der: Vec<u8>,
    key_pkcs8: Vec<u8>,
    ca_der: Vec<u8>,
    not_after_ms: i64,
) -> Result<(), Fault> {
    session
        .credentials
        .leaf
        .replace(cert_der, key_pkcs8)
        .map_err(|error| {
            let text = "the runtime issued a certificate that does not fit our key";
            Fault::Passing(Error::caused(ErrorCode::Connection, text, error))
        })?;
    session.credentials.ca_der.store(Arc::new(ca_der));
    let not_after = Timestamp::from_millis(not_after_ms);
    *session.leaf.lock() = Some(LeafTimes {
        issued: session.clock.now(),
        not_after,
    });
    session.advance(|progress| progress.leaves += 1);
    Ok(())
}

/// A key of another runtime never starts to fit, so nobody has to wait for that to be said.
fn unreachable(error: DialError, is_first: bool) -> Fault {
    let foreign = matches!(
        error.tls(),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature
        ))
    );
    if foreign && is_first {
        let text = "the service key belongs to another runtime than the one at this address; \
                    check both, or create a key there with `bridge service create NAME`";
        return Fault::Terminal(Error::caused(ErrorCode::Config, text, error));
    }
    let text = format!("cannot reach the runtime: {error}");
    Fault::Passing(Error::caused(ErrorCode::Connection, text, error))
}

fn fault(what: &str, status: &tonic::Status) -> Fault {
    let error = refusal(what, status);
    if is_terminal(status.code()) {
        Fault::Terminal(error)
    } else {
        Fault::Passing(error)
    }
}

/// Renews the leaf before it expires, for as long as the bridge lives.
pub(crate) async fn refresh(session: Arc<Session>) {
    let mut progress = session.progress();
    let mut wait = None;
    loop {
        let leaves = progress.borrow_and_update().leaves;
        let leaf = *session.leaf.lock();
        let due = leaf.map(|it| it.refresh_in(session.clock.now(), fastrand::f64()));
        let due = due.map(|due| wait.take().unwrap_or(due));
        let sleep = async {
            match due {
                Some(due) => session.clock.sleep(due.max(RETRY_MIN)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            // A new leaf, by whatever way, has its own schedule.
            changed = progress.wait_for(|it| it.leaves != leaves) => match changed {
                Ok(_) => continue,
                Err(_) => return,
            },
        }
        match refresh_once(&session).await {
            Ok(()) => tracing::debug!("certificate renewed"),
            Err(Fault::Terminal(error)) => return session.fail(error),
            Err(Fault::Passing(error)) => {
                tracing::warn!(%error, "certificate not renewed yet");
                wait = leaf.map(LeafTimes::retry_in);
            }
        }
    }
}

async fn refresh_once(session: &Session) -> Result<(), Fault> {
    let _renewing = session.renewing.lock().await;
    let request = key_request().map_err(broken("cannot make a private key"))?;
    let channel = session
        .runtime
        .channel(CONNECT_TIMEOUT_MAX)
        .await
        .map_err(|error| {
            let text = format!("cannot reach the runtime: {error}");
            Fault::Passing(Error::caused(ErrorCode::Connection, text, error))
        })?;
    let origin = channel.origin();
    let asked = RefreshCertRequest {
        csr_der: request.csr_der,
    };
    let answer = ControlClient::with_origin(channel, origin)
        .refresh_cert(asked)
        .await;
    let answer = answer.map_err(|status| {
        let what = "the runtime did not renew the certificate";
        match status.code() {
            // No live session at this moment; there will be one.
            Code::FailedPrecondition => Fault::Passing(refusal(what, &status)),
            _ => fault(what, &status),
        }
    })?;
    let answer = answer.into_inner();
    install(
        session,
        answer.cert_der,
        request.key_pkcs8,
        answer.ca_chain_der,
        answer.not_after_unix_ms,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(lifetime: Duration) -> LeafTimes {
        let issued = Timestamp::from_millis(1_000_000);
        LeafTimes {
            issued,
            not_after: issued + lifetime,
        }
    }

    #[test]
    fn an_hour_is_renewed_thirty_to_twenty_five_minutes_before_its_end() {
        let hour = leaf(Duration::from_secs(3_600));
        assert_eq!(
            hour.refresh_in(hour.issued, 0.0),
            Duration::from_secs(30 * 60)
        );
        assert_eq!(
            hour.refresh_in(hour.issued, 1.0),
            Duration::from_secs(35 * 60)
        );
        assert!(hour.is_fresh(hour.issued + Duration::from_secs(29 * 60)));
        assert!(!hour.is_fresh(hour.issued + Duration::from_secs(30 * 60)));
        assert_eq!(hour.retry_in(), Duration::from_secs(60));
    }

    #[test]
    fn a_leaf_of_seconds_keeps_the_same_proportions() {
        let short = leaf(Duration::from_secs(12));
        assert_eq!(short.refresh_in(short.issued, 0.0), Duration::from_secs(6));
        assert!(short.is_fresh(short.issued));
        assert_eq!(short.retry_in(), Duration::from_secs(1));
        assert_eq!(short.refresh_in(short.not_after, 0.0), Duration::ZERO);
    }

    #[test]
    fn a_request_holds_the_fixed_subject_and_nothing_else() {
        let request = key_request().unwrap();
        let csr =
            rcgen::CertificateSigningRequestParams::from_der(&request.csr_der.into()).unwrap();
        let name = csr.params.distinguished_name.get(&DnType::CommonName);
        assert_eq!(name, Some(&rcgen::DnValue::Utf8String(SUBJECT.into())));
        assert!(csr.params.subject_alt_names.is_empty());
        assert_eq!(csr.public_key.algorithm(), &PKCS_ECDSA_P256_SHA256);
    }
}
