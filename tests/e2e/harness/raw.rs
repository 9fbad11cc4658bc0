//! Clients below the SDK: they say what no SDK would say, over the same TLS.

use bridge::{InstanceId, ServiceId};
use contract::clock::Clock;
use contract::grpc::v1::ProvisionRequest;
use contract::grpc::v1::bootstrap_client::BootstrapClient;
use contract::key::ServiceKey;
use contract::tls::{Leaf, Peer, client_config, service_uri};
use contract::transport::{Channel, Dial};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};

/// Somebody with a certificate.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) service: ServiceId,
    pub(crate) instance: InstanceId,
    pub(crate) ca_der: Vec<u8>,
    pub(crate) leaf: Leaf,
}

/// A new private key, PKCS#8, and the request to certify it.
pub(crate) fn certificate_request() -> (Vec<u8>, Vec<u8>) {
    let key = KeyPair::generate().expect("a key");
    let request = CertificateParams::default().serialize_request(&key);
    let request = request.expect("a request");
    (key.serialize_der(), request.der().to_vec())
}

/// A connection to the runtime without a certificate.
pub(crate) async fn stranger(address: &str, key: &str) -> Channel {
    let key: ServiceKey = key.parse().expect("a key");
    let tls = client_config(&key.ca_cert_der, None, Peer::Runtime).expect("an authority");
    let dial = Dial::new(address, tls);
    dial.connect(&Clock::system())
        .await
        .expect("the runtime answers")
}

impl Member {
    /// Joins with a service key.
    pub(crate) async fn provision(address: &str, key: &str) -> Self {
        let parsed: ServiceKey = key.parse().expect("a key");
        let (key_pkcs8, csr_der) = certificate_request();
        let channel = stranger(address, key).await;
        let request = ProvisionRequest {
            key_id: parsed.key_id.clone(),
            secret: parsed.secret.expose().to_vec(),
            csr_der,
        };
        let origin = channel.origin();
        let answer = BootstrapClient::with_origin(channel, origin)
            .provision(request)
            .await
            .expect("the key is good")
            .into_inner();
        let leaf = Leaf::default();
        leaf.replace(answer.cert_der, key_pkcs8).expect("they fit");
        Self {
            service: answer.service_id.parse().expect("a UUID"),
            instance: answer.instance_id.parse().expect("a UUID"),
            ca_der: answer.ca_chain_der,
            leaf,
        }
    }

    /// Connects to `expected` at `endpoint`.
    pub(crate) async fn dial(&self, endpoint: &str, expected: Peer) -> Channel {
        let tls = client_config(&self.ca_der, Some(&self.leaf), expected).expect("an authority");
        let dial = Dial::new(endpoint, tls);
        dial.connect(&Clock::system()).await.expect("it answers")
    }

    pub(crate) async fn runtime(&self, address: &str) -> Channel {
        self.dial(address, Peer::Runtime).await
    }
}

/// The same names as `member`, certified by an authority of its own.
pub(crate) fn foreign_member(member: &Member) -> Member {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    let uri = service_uri(member.service, member.instance);
    let uri = uri.as_str().try_into().expect("plain letters");
    params.subject_alt_names = vec![SanType::URI(uri)];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let leaf = Leaf::default();
    leaf.replace(certificate.der().to_vec(), key.serialize_der())
        .expect("they fit");
    Member {
        service: member.service,
        instance: member.instance,
        ca_der: member.ca_der.clone(),
        leaf,
    }
}
