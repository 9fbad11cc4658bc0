//! Operations on services, keys and certificates.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::{Clock, Timestamp};
use contract::ids::{IdMint, InstanceId, ServiceId};
use contract::key::{Secret, ServiceKey};
use contract::tls::service_uri;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use super::authority::{Authority, AuthorityError, Issued};
use super::secret::{KEY_ID_BYTES, SECRET_BYTES, SecretCheck};
use super::store::{self, NewKey, ServiceStatus};
use crate::audit;
use crate::db::{Db, DbError, Store};
use crate::settings::{Settings, keys};

/// Longest service name, in bytes.
pub(super) const SERVICE_NAME_BYTES_MAX: usize = 63;
/// Keys whose last check is remembered, so that a fleet coming back does not hash for minutes.
const VERIFIED_KEYS_MAX: usize = 10_000;

/// Why an identity operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key id is unknown or the secret is wrong; which of the two is not said.
    #[error("the service key is not known here; it may belong to another runtime")]
    UnknownKey,
    /// The key was revoked.
    #[error("the service key is revoked; create a new one with `bridge service create NAME`")]
    RevokedKey,
    /// The service was revoked.
    #[error("service `{0}` is revoked")]
    RevokedService(String),
    /// No such service.
    #[error("service `{0}` does not exist; `bridge service list` shows those that do")]
    NoService(String),
    /// The service has no such key.
    #[error("service `{service}` has no key `{key}`")]
    NoKey {
        /// Name of the service.
        service: String,
        /// Id of the key.
        key: String,
    },
    /// A service of this name exists.
    #[error("service `{0}` exists already")]
    NameTaken(String),
    /// The name breaks the rule.
    #[error(
        "service name `{0}` is not valid: 1 to {SERVICE_NAME_BYTES_MAX} lower-case letters, digits, `-` or `_`, starting with a letter"
    )]
    Name(String),
    /// The certificate request is malformed or not signed by its own key.
    #[error("the certificate request is malformed or not signed by its own key")]
    Request,
    /// A field of the request has the wrong form.
    #[error("{0} has the wrong length")]
    Malformed(&'static str),
    /// Too many keys are being checked.
    #[error("too many keys are being checked right now; repeat later")]
    Busy,
    /// The system has no randomness.
    #[error("the operating system gives no random bytes")]
    Random,
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Authority(#[source] AuthorityError),
    /// The store could not do it.
    #[error("cannot reach the store")]
    Store(#[from] DbError),
}

/// A service with a fresh key.
#[derive(Debug)]
pub struct CreatedKey {
    /// The service.
    pub service: ServiceId,
    /// Its name.
    pub name: String,
    /// The key's text. This is the only time it exists outside the service.
    pub key: String,
}

/// A leaf, and whose it is.
#[derive(Debug)]
pub struct Provisioned {
    /// The service the key belongs to.
    pub service: ServiceId,
    /// Its name now.
    pub service_name: String,
    /// The new instance.
    pub instance: InstanceId,
    /// Its certificate.
    pub issued: Issued,
}

/// A service as operators see it.
#[derive(Clone, Debug)]
pub struct ServiceView {
    /// Id.
    pub id: ServiceId,
    /// Name.
    pub name: String,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Keys that work.
    pub keys: i64,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What [`Identity`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where services and keys are kept.
    pub db: Db,
    /// Stamps certificates and rows.
    pub clock: Clock,
    /// Makes ids.
    pub mint: IdMint,
    /// Signs.
    pub authority: Authority,
    /// Says how long a leaf is valid.
    pub settings: Settings,
    /// Overrules the setting.
    pub leaf_life: Option<Duration>,
}

/// Services, keys and certificates. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) db: Db,
    pub(super) clock: Clock,
    mint: IdMint,
    authority: Authority,
    settings: Settings,
    /// Overrides the setting, for tests that cannot wait for an hour.
    leaf_life: Option<Duration>,
    check: SecretCheck,
    /// SHA-256 of secrets that were checked in this process, by key id.
    pub(super) verified: Mutex<HashMap<Vec<u8>, [u8; 32]>>,
}

impl Identity {
    /// Joins the parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            db: parts.db,
            clock: parts.clock,
            mint: parts.mint,
            authority: parts.authority,
            settings: parts.settings,
            leaf_life: parts.leaf_life,
            check: SecretCheck::new(),
            verified: Mutex::default(),
        }))
    }

    /// DER of the authority's certificate.
    pub fn ca_der(&self) -> &[u8] {
        self.0.authority.ca_der()
    }

    /// The authority.
    pub fn authority(&self) -> &Authority {
        &self.0.authority
    }

    /// Every service, by name.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn services(&self) -> Result<Vec<ServiceView>, Error> {
        let mut views: Vec<ServiceView> = Vec::new();
        loop {
            let after = views
                .last()
                .map(|last| last.name.clone())
                .unwrap_or_default();
            let mut held = self.0.db.read(Store::Ledger, "list the services").await?;
            let page = store::list_services(&mut held.conn(), &after, store::PAGE_MAX).await?;
            if page.is_empty() {
                return Ok(views);
            }
            views.extend(page.into_iter().map(|it| ServiceView {
                id: it.service.id,
                name: it.service.name,
                revoked_at: it.service.revoked_at,
                keys: it.active_keys,
                created_at: it.service.created_at,
            }));
        }
    }

    /// Creates a service and its first key.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] and [`Error::NameTaken`] name the name.
    pub async fn create_service(&self, name: &str, actor: &str) -> Result<CreatedKey, Error> {
        check_name(name)?;
        let service = ServiceId::mint(&self.0.mint);
        let (key, row) = self.new_key(service).await?;
        let work = Arc::new((
            name.to_owned(),
            row,
            self.audit(actor, "service.create", name),
        ));
        let written = self
            .0
            .db
            .write(Store::Ledger, "create a service", move |conn| {
                let work = work.clone();
                Box::pin(async move {
                    let (name, row, entry) = &*work;
                    store::insert_service(conn, service, name, row.created_at).await?;
                    store::insert_key(conn, &row.borrow()).await?;
                    audit::append(conn, entry).await
                })
            });
        match written.await {
            Ok(()) => Ok(CreatedKey {
                service,
                name: name.to_owned(),
                key: key.to_text(),
            }),
            Err(error) if DbError::is_conflict(&error) => Err(Error::NameTaken(name.to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a key to a service, for example to replace one without a pause.
    ///
    /// # Errors
    ///
    /// [`Error::NoService`] or [`Error::RevokedService`].
    pub async fn create_key(&self, name: &str, actor: &str) -> Result<CreatedKey, Error> {
        let service = self.find(name).await?;
        let (key, row) = self.new_key(service.id).await?;
        let work = Arc::new((row, self.audit(actor, "service.key.create", name)));
        let written =
            self.0
                .db
                .write::<(), DbError, _>(Store::Ledger, "create a key", move |conn| {
                    let work = work.clone();
                    Box::pin(async move {
                        store::insert_key(conn, &work.0.borrow()).await?;
                        audit::append(conn, &work.1).await
                    })
                });
        written.await?;
        Ok(CreatedKey {
            service: service.id,
            name: name.to_owned(),
            key: key.to_text(),
        })
    }

    /// Revokes a service and all its keys. Its sessions are ended by the registry.
    ///
    /// # Errors
    ///
    /// [`Error::NoService`] or [`Error::RevokedService`].
    pub async fn revoke_service(&self, name: &str, actor: &str) -> Result<ServiceId, Error> {
        let service = self.find(name).await?;
        let at = self.0.clock.now();
        let audit = Arc::new(self.audit(actor, "service.revoke", name));
        let id = service.id;
        let written =
            self.0
                .db
                .write::<(), DbError, _>(Store::Ledger, "revoke a service", move |conn| {
                    let audit = audit.clone();
                    Box::pin(async move {
                        store::revoke_service(conn, id, at).await?;
                        audit::append(conn, &audit).await
                    })
                });
        written.await?;
        self.0.verified.lock().clear();
        Ok(id)
    }

    /// Exchanges a key and a certificate request for a leaf of a new instance.
    ///
    /// # Errors
    ///
    /// Each reason its own variant; only [`Error::Busy`] and [`Error::Store`] are worth a repeat.
    pub async fn provision(
        &self,
        key_id: &[u8],
        secret: Vec<u8>,
        csr_der: &[u8],
    ) -> Result<Provisioned, Error> {
        if key_id.len() != KEY_ID_BYTES {
            return Err(Error::Malformed("key_id"));
        }
        if secret.len() != SECRET_BYTES {
            return Err(Error::Malformed("secret"));
        }
        let found = {
            let mut held = self.0.db.read(Store::Ledger, "find a key").await?;
            store::find_key(&mut held.conn(), key_id).await?
        };
        let found = found.ok_or(Error::UnknownKey)?;
        self.verify(key_id, secret, found.secret_hash).await?;
        let service = active(found.service)?;
        if found.revoked_at.is_some() {
            return Err(Error::RevokedKey);
        }
        let instance = InstanceId::mint(&self.0.mint);
        let issued = self.issue(service.id, instance, csr_der)?;
        tracing::info!(service.id = %service.id, instance.id = %instance, "instance provisioned");
        Ok(Provisioned {
            service: service.id,
            service_name: service.name,
            instance,
            issued,
        })
    }

    /// Issues a new leaf for an instance that proved itself with its present one.
    ///
    /// # Errors
    ///
    /// [`Error::RevokedService`] and [`Error::Request`] are final.
    pub async fn refresh(
        &self,
        service: ServiceId,
        instance: InstanceId,
        csr_der: &[u8],
    ) -> Result<Issued, Error> {
        self.active_name(service).await?;
        self.issue(service, instance, csr_der)
    }

    /// The name of a service that is not revoked.
    ///
    /// # Errors
    ///
    /// [`Error::NoService`] or [`Error::RevokedService`].
    pub async fn active_name(&self, service: ServiceId) -> Result<String, Error> {
        let mut held = self.0.db.read(Store::Ledger, "find a service").await?;
        let row = store::find_service(&mut held.conn(), service).await?;
        Ok(active(row.ok_or_else(|| Error::NoService(service.to_string()))?)?.name)
    }

    pub(super) async fn find(&self, name: &str) -> Result<store::Service, Error> {
        if check_name(name).is_err() {
            // No service has such a name, and not every store takes any text.
            return Err(Error::NoService(name.chars().take(80).collect()));
        }
        let mut held = self.0.db.read(Store::Ledger, "find a service").await?;
        let row = store::find_service_by_name(&mut held.conn(), name).await?;
        active(row.ok_or_else(|| Error::NoService(name.to_owned()))?)
    }

    fn issue(
        &self,
        service: ServiceId,
        instance: InstanceId,
        csr_der: &[u8],
    ) -> Result<Issued, Error> {
        let uri = service_uri(service, instance);
        let now = self.0.clock.now();
        let issued = self
            .0
            .authority
            .issue_leaf(csr_der, &uri, now, self.leaf_life());
        issued.map_err(|error| match error {
            AuthorityError::Request => Error::Request,
            other => Error::Authority(other),
        })
    }

    fn leaf_life(&self) -> Duration {
        self.0
            .leaf_life
            .unwrap_or_else(|| self.0.settings.get(keys::LEAF_LIFETIME))
    }

    async fn verify(&self, key_id: &[u8], secret: Vec<u8>, stored: String) -> Result<(), Error> {
        let digest: [u8; 32] = Sha256::digest(&secret).into();
        // Comparing digests leaks nothing: whoever can make a digest agree knows the secret.
        if self.0.verified.lock().get(key_id) == Some(&digest) {
            return Ok(());
        }
        if !self
            .0
            .check
            .verify(secret, stored)
            .await
            .map_err(|_| Error::Busy)?
        {
            return Err(Error::UnknownKey);
        }
        let mut verified = self.0.verified.lock();
        if verified.len() >= VERIFIED_KEYS_MAX {
            verified.clear();
        }
        verified.insert(key_id.to_vec(), digest);
        Ok(())
    }

    async fn new_key(&self, service: ServiceId) -> Result<(ServiceKey, KeyRow), Error> {
        let key_id = SecretCheck::random::<KEY_ID_BYTES>()
            .ok_or(Error::Random)?
            .to_vec();
        let secret = SecretCheck::random::<SECRET_BYTES>()
            .ok_or(Error::Random)?
            .to_vec();
        let secret_hash = self
            .0
            .check
            .hash(secret.clone())
            .await
            .ok_or(Error::Random)?;
        let created_at = self.0.clock.now();
        let row = KeyRow {
            key_id: key_id.clone(),
            service,
            secret_hash,
            created_at,
        };
        let ca_cert_der = self.ca_der().to_vec();
        Ok((
            ServiceKey {
                key_id,
                secret: Secret::new(secret),
                ca_cert_der,
            },
            row,
        ))
    }

    pub(super) fn audit(&self, actor: &str, action: &str, target: &str) -> audit::Entry {
        let at = (&self.0.clock, &self.0.mint);
        audit::Entry::new(at, actor, action, target, serde_json::json!({}))
    }
}

/// A key on its way into the store.
struct KeyRow {
    key_id: Vec<u8>,
    service: ServiceId,
    secret_hash: String,
    created_at: Timestamp,
}

impl KeyRow {
    fn borrow(&self) -> NewKey<'_> {
        NewKey {
            key_id: &self.key_id,
            service: self.service,
            secret_hash: &self.secret_hash,
            created_at: self.created_at,
        }
    }
}

fn active(service: store::Service) -> Result<store::Service, Error> {
    match service.status {
        ServiceStatus::Active => Ok(service),
        ServiceStatus::Revoked => Err(Error::RevokedService(service.name)),
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let letter = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    let valid = name.len() <= SERVICE_NAME_BYTES_MAX
        && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && name.bytes().all(letter);
    if valid {
        Ok(())
    } else {
        Err(Error::Name(name.chars().take(80).collect()))
    }
}
