//! A link against a listener that takes its time with the handshake.

use contract::tls::{ClientAuth, server_config};
use contract::transport::Security;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;

const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(10);

struct Far {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Far {
    async fn accept(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }

    async fn shake_hands(&self, tcp: TcpStream) -> TlsStream<TcpStream> {
        self.acceptor.accept(tcp).await.unwrap()
    }

    /// Whether somebody connects now.
    async fn is_asked(&self) -> bool {
        std::future::poll_fn(|cx| std::task::Poll::Ready(self.listener.poll_accept(cx).is_ready()))
            .await
    }
}

/// A server certificate of `localhost` with its key, its authority, and what trusts that for HTTP/2.
pub(crate) fn localhost() -> (Leaf, CertificateDer<'static>, Arc<ClientConfig>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_der = params.self_signed(&key).unwrap().der().clone();
    let issuer = rcgen::Issuer::new(params, key);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let leaf = Leaf::default();
    leaf.replace(certificate.der().to_vec(), key.serialize_der())
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(ca_der.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    (leaf, ca_der, Arc::new(config))
}

async fn far() -> (Far, Link) {
    let (leaf, ca_der, trusting) = localhost();
    let acceptor = server_config(&ca_der, &leaf, ClientAuth::Optional).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("localhost:{}", listener.local_addr().unwrap().port());
    let dial = Dial::to(endpoint, Security::Web(trusting));
    let far = Far {
        listener,
        acceptor: acceptor.into(),
    };
    (far, Link::to_address(dial, Clock::system()))
}

#[tokio::test]
async fn a_dial_outlives_the_caller_that_began_it_and_is_shared() {
    let (far, link) = far().await;
    let link = Arc::new(link);
    let impatient = link.channel(SHORT).await.unwrap_err();
    assert!(
        matches!(impatient, LinkError::Waiting { .. }),
        "{impatient}"
    );
    let text = impatient.to_string();
    assert!(
        text.contains("localhost:") && text.contains("20ms"),
        "{text}"
    );
    let tcp = far.accept().await;
    let waiting = [(); 3].map(|()| {
        let link = link.clone();
        tokio::spawn(async move { link.channel(LONG).await.map(|_| ()) })
    });
    tokio::task::yield_now().await;
    let _held = far.shake_hands(tcp).await;
    for one in waiting {
        one.await.unwrap().unwrap();
    }
    assert!(link.ready().is_some());
    assert!(!far.is_asked().await, "one connection was made for all");
}

#[tokio::test]
async fn a_dial_whose_callers_have_all_left_is_there_for_the_next_one() {
    let (far, link) = far().await;
    assert!(link.channel(SHORT).await.is_err());
    let tcp = far.accept().await;
    let _held = far.shake_hands(tcp).await;
    assert!(link.channel(LONG).await.is_ok());
    assert!(!far.is_asked().await);
}

#[tokio::test]
async fn a_dial_that_fails_is_told_to_everybody_who_waits_and_then_made_anew() {
    let (far, link) = far().await;
    let link = Arc::new(link);
    let waiting = [(); 2].map(|()| {
        let link = link.clone();
        tokio::spawn(async move { link.channel(LONG).await.map(|_| ()) })
    });
    drop(far.accept().await);
    for one in waiting {
        let error = one.await.unwrap().unwrap_err();
        assert!(matches!(error, LinkError::Dial(_)), "{error}");
    }
    let (again, held) = tokio::join!(link.channel(LONG), async {
        far.shake_hands(far.accept().await).await
    });
    assert!(again.is_ok());
    drop(held);
}

#[tokio::test]
async fn what_is_forgotten_while_it_is_made_is_not_kept() {
    let (far, link) = far().await;
    assert!(link.channel(SHORT).await.is_err());
    let old = far.accept().await;
    link.forget();
    let (new, _held) = tokio::join!(link.channel(LONG), async {
        let new = far.accept().await;
        (far.shake_hands(old).await, far.shake_hands(new).await)
    });
    assert!(new.is_ok());
}

#[tokio::test]
async fn a_closed_link_never_dials_and_keeps_nothing_that_was_being_made() {
    let (far, link) = far().await;
    assert!(link.channel(SHORT).await.is_err());
    let tcp = far.accept().await;
    let waiting = link.channel(LONG);
    let closing = async {
        link.close();
        far.shake_hands(tcp).await
    };
    let (closed, _held) = tokio::join!(waiting, closing);
    assert!(matches!(closed, Err(LinkError::Closed)));
    let again = link.channel(LONG).await.unwrap_err();
    assert!(matches!(again, LinkError::Closed), "{again}");
    assert!(!far.is_asked().await && link.ready().is_none());
}

#[test]
fn a_dial_that_went_with_its_tokio_runtime_is_made_anew() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let (staying, leaving) = (runtime(), runtime());
    let (far, link) = staying.block_on(far());
    let impatient = leaving.block_on(link.channel(SHORT)).unwrap_err();
    assert!(
        matches!(impatient, LinkError::Waiting { .. }),
        "{impatient}"
    );
    drop(leaving);
    staying.block_on(async {
        drop(far.accept().await);
        let again = async { link.channel(LONG).await.unwrap() };
        let held = async { far.shake_hands(far.accept().await).await };
        let _both = tokio::join!(again, held);
    });
}
