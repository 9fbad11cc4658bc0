//! Who gets in and who does not, on both databases.

use std::time::Duration;

use contract::clock::{Clock, Timestamp};
use contract::ids::{IdMint, InstanceId};
use contract::key::ServiceKey;
use contract::tls::Peer;
use rcgen::{CertificateParams, KeyPair};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Authority, AuthorityError, Error, Identity, Parts};
use crate::audit;
use crate::db::testing::{TestDb, on_both_databases};
use crate::settings::Settings;

async fn identity(t: &TestDb) -> Identity {
    let folder = tempfile::tempdir().expect("folder");
    let clock = Clock::system();
    Identity::new(Parts {
        db: t.db.clone(),
        clock: clock.clone(),
        mint: t.mint.clone(),
        authority: Authority::in_folder(folder.path(), clock.now()).expect("made"),
        settings: Settings::open(&t.db, &t.clock, &t.mint)
            .await
            .expect("settings"),
        leaf_life: None,
    })
}

fn csr() -> Vec<u8> {
    let key = KeyPair::generate().expect("key");
    let params = CertificateParams::new(vec!["evil.example".to_owned()]).expect("params");
    params
        .serialize_request(&key)
        .expect("request")
        .der()
        .to_vec()
}

async fn provision(identity: &Identity, key: &ServiceKey) -> Result<super::Provisioned, Error> {
    identity
        .provision(&key.key_id, key.secret.expose().to_vec(), &csr())
        .await
}

on_both_databases! {
    async fn a_key_buys_a_leaf_named_after_its_service_and_a_new_instance(t: TestDb) {
        let identity = identity(&t).await;
        let created = identity.create_service("payments", "ada").await.expect("created");
        let key: ServiceKey = created.key.parse().expect("parses");
        let one = provision(&identity, &key).await.expect("provisioned");
        let two = provision(&identity, &key).await.expect("provisioned");
        assert_ne!(one.instance, two.instance);
        assert_eq!(one.service, created.service);
        let expected = Peer::Service { service: one.service, instance: one.instance };
        assert_eq!(Peer::of_certificate(&one.issued.cert_der), expected);

        let (_, leaf) = X509Certificate::from_der(&one.issued.cert_der).expect("DER");
        let end_ms = leaf.validity.not_after.timestamp() * 1000;
        assert_eq!(end_ms, one.issued.not_after.as_millis(), "the reported end is the real one");
        let names = leaf.subject_alternative_name().expect("readable").expect("there");
        assert_eq!(names.value.general_names.len(), 1, "the request's own names are ignored");
        let usage = leaf.extended_key_usage().expect("readable").expect("there").value;
        assert!(usage.client_auth && usage.server_auth);
    }

    async fn each_bad_key_has_its_own_answer(t: TestDb) {
        let identity = identity(&t).await;
        let created = identity.create_service("payments", "ada").await.expect("created");
        let key: ServiceKey = created.key.parse().expect("parses");
        let mut wrong = key.clone();
        wrong.secret = contract::key::Secret::new(vec![0; 32]);
        assert!(matches!(provision(&identity, &wrong).await, Err(Error::UnknownKey)));
        let mut unknown = key.clone();
        unknown.key_id = vec![0; 8];
        assert!(matches!(provision(&identity, &unknown).await, Err(Error::UnknownKey)));
        let short = identity.provision(&key.key_id[1..], vec![0; 32], &csr()).await;
        assert!(matches!(short, Err(Error::Malformed("key_id"))));
        let secret = key.secret.expose().to_vec();
        let garbage = identity.provision(&key.key_id, secret.clone(), b"no request").await;
        assert!(matches!(garbage, Err(Error::Request)));
        let mut forged = csr();
        *forged.last_mut().expect("bytes") ^= 1;
        let forged = identity.provision(&key.key_id, secret, &forged).await;
        assert!(matches!(forged, Err(Error::Request)), "a request must be signed by its own key");
    }

    async fn a_revoked_service_gets_no_leaf_and_no_refresh(t: TestDb) {
        let identity = identity(&t).await;
        let created = identity.create_service("payments", "ada").await.expect("created");
        let key: ServiceKey = created.key.parse().expect("parses");
        provision(&identity, &key).await.expect("works before");
        identity.revoke_service("payments", "ada").await.expect("revoked");
        assert!(matches!(provision(&identity, &key).await, Err(Error::RevokedService(_))));
        let instance = InstanceId::mint(&IdMint::system(&Clock::system()));
        let refresh = identity.refresh(created.service, instance, &csr()).await;
        assert!(matches!(refresh, Err(Error::RevokedService(_))));
        let again = identity.revoke_service("payments", "ada").await;
        assert!(matches!(again, Err(Error::RevokedService(_))));
        let trail = audit::list(&t.db, 10, None).await.expect("lists").entries;
        let actions: Vec<_> = trail.iter().map(|it| it.action.as_str()).collect();
        assert_eq!(actions, ["service.revoke", "service.create"]);
        assert!(trail.iter().all(|it| !it.detail.to_string().contains("secret")));
    }

    async fn a_second_key_works_beside_the_first(t: TestDb) {
        let identity = identity(&t).await;
        let first = identity.create_service("payments", "ada").await.expect("created");
        let second = identity.create_key("payments", "ada").await.expect("created");
        for text in [first.key, second.key] {
            provision(&identity, &text.parse().expect("parses")).await.expect("provisioned");
        }
        assert_eq!(identity.services().await.expect("lists")[0].keys, 2);
    }

    async fn names_are_checked_and_taken_once(t: TestDb) {
        let identity = identity(&t).await;
        for bad in ["", "Payments", "1st", "a b", "a/b", &"a".repeat(64)] {
            let refused = identity.create_service(bad, "ada").await;
            assert!(matches!(refused, Err(Error::Name(_))), "{bad}");
        }
        identity.create_service(&"a".repeat(63), "ada").await.expect("the longest name");
        identity.create_service("payments", "ada").await.expect("created");
        let twice = identity.create_service("payments", "ada").await;
        assert!(matches!(twice, Err(Error::NameTaken(_))));
        assert!(matches!(identity.create_key("nobody", "ada").await, Err(Error::NoService(_))));
    }
}

#[test]
fn an_authority_is_made_once_and_its_files_are_guarded() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("folder");
    let now = Clock::system().now();
    let made = Authority::in_folder(folder.path(), now)
        .expect("made")
        .ca_der()
        .to_vec();
    let opened = Authority::in_folder(folder.path(), now).expect("opened");
    assert_eq!(opened.ca_der(), made);
    let key = folder.path().join("ca.key");
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&key), 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("set");
    let exposed = Authority::in_folder(folder.path(), now);
    assert!(matches!(
        exposed,
        Err(AuthorityError::Exposed { mode: 0o644, .. })
    ));
    std::fs::remove_file(&key).expect("removed");
    let half = Authority::in_folder(folder.path(), now);
    assert!(matches!(half, Err(AuthorityError::Half { .. })));
    let other = tempfile::tempdir().expect("folder");
    Authority::in_folder(other.path(), now).expect("made");
    std::fs::copy(other.path().join("ca.key"), &key).expect("copied");
    let mixed = Authority::in_folder(folder.path(), now);
    assert!(matches!(mixed, Err(AuthorityError::Mismatch { .. })));
}

#[test]
fn a_clock_far_off_is_told_apart_from_a_broken_authority() {
    let folder = tempfile::tempdir().expect("folder");
    let now = Clock::system().now();
    Authority::in_folder(folder.path(), now).expect("made");
    let past = Timestamp::from_millis(0);
    let early = Authority::in_folder(folder.path(), past);
    assert!(matches!(early, Err(AuthorityError::Expired { .. })));
    let late = Authority::in_folder(folder.path(), now + Duration::from_secs(4000 * 24 * 3600));
    assert!(matches!(late, Err(AuthorityError::Expired { .. })));
}
