//! An instance of a service by hand: a certificate and a session, over raw gRPC and our own
//! transport. No SDK, so that thousands of them fit into one process.
//!
//! Invariant: it is an instance of its service for as long as its control stream is held.

use std::time::Duration;

use contract::clock::Clock;
use contract::grpc::v1::bootstrap_client::BootstrapClient;
use contract::grpc::v1::control_client::ControlClient;
use contract::grpc::v1::{OpenRequest, ProvisionRequest, ServerControl};
use contract::key::ServiceKey;
use contract::tls::{Leaf, Peer, client_config};
use contract::transport::{Channel, Dial};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use tonic::Streaming;

use crate::failure::{Context, Result};

/// Longest wait for any one answer of the runtime.
pub(crate) const ANSWER: Duration = Duration::from_secs(60);

/// A connected instance that has not registered.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) channel: Channel,
    pub(crate) control: Streaming<ServerControl>,
}

impl Guest {
    /// Provisions an instance with `key`, and opens its session.
    pub(crate) async fn join(address: &str, key: &ServiceKey) -> Result<Self> {
        let clock = Clock::system();
        let leaf = provision(address, key, &clock).await?;
        let channel = connect(address, key, Some(&leaf), &clock).await?;
        let open = OpenRequest {
            protocol_version: 1,
            sdk_language: "rust".to_owned(),
            sdk_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut client = ControlClient::with_origin(channel.clone(), channel.origin());
        let control = client.open(open).await.context("Control.Open")?;
        let mut control = control.into_inner();
        let welcome = clock.timeout(ANSWER, control.message()).await;
        welcome.context("Welcome")?.context("Welcome")?;
        Ok(Self { channel, control })
    }
}

async fn provision(address: &str, key: &ServiceKey, clock: &Clock) -> Result<Leaf> {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("a key pair")?;
    let csr = CertificateParams::default()
        .serialize_request(&pair)
        .context("a certificate request")?;
    let channel = connect(address, key, None, clock).await?;
    let origin = channel.origin();
    let request = ProvisionRequest {
        key_id: key.key_id.clone(),
        secret: key.secret.expose().to_vec(),
        csr_der: csr.der().to_vec(),
    };
    let answer = BootstrapClient::with_origin(channel, origin)
        .provision(request)
        .await;
    let answer = answer.context("Provision")?.into_inner();
    let leaf = Leaf::default();
    leaf.replace(answer.cert_der, pair.serialize_der())
        .context("the certificate")?;
    Ok(leaf)
}

async fn connect(
    address: &str,
    key: &ServiceKey,
    leaf: Option<&Leaf>,
    clock: &Clock,
) -> Result<Channel> {
    let tls = client_config(&key.ca_cert_der, leaf, Peer::Runtime).context("TLS")?;
    let dial = Dial::new(address, tls).timeout(ANSWER);
    dial.connect(clock).await.context("the runtime")
}
