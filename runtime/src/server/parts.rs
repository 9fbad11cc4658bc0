//! Every part between the data folder and the ports: opened in order, and its background tasks.

use std::path::PathBuf;
use std::time::Duration;

use contract::clock::Clock;
use contract::ids::IdMint;
use contract::tls::Leaf;

use super::StartError;
use crate::accounts::{self, Accounts, Secret};
use crate::config::Config;
use crate::db::{Database, Db, DbConfig};
use crate::export;
use crate::identity::{self, Authority, Identity, Presence};
use crate::operator::{self, Operator};
use crate::outcomes::{self, Outcomes};
use crate::registry::Registry;
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::telemetry::{Reports, Telemetry};

/// Life of the runtime's own certificate, renewed at half of it.
const OWN_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Everything between the data folder and the ports.
pub(super) struct Core {
    pub(super) data: PathBuf,
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) mint: IdMint,
    pub(super) settings: Settings,
    pub(super) identity: Identity,
    pub(super) presence: Presence,
    pub(super) registry: Registry,
    pub(super) outcomes: Outcomes,
    pub(super) telemetry: Telemetry,
    pub(super) reports: Reports,
    pub(super) tasks: Tasks,
    pub(super) leaf: Leaf,
    pub(super) accounts: Accounts,
    /// While there is no admin: what makes one.
    pub(super) setup: Option<Secret>,
}

impl Core {
    pub(super) async fn open(config: &Config, data: PathBuf) -> Result<Self, StartError> {
        let clock = config.clock.clone();
        let mint = IdMint::system(&clock);
        let authority = match &config.authority {
            Some((cert, key)) => Authority::from_files(cert, key, clock.now())?,
            None => Authority::in_folder(&data, clock.now())?,
        };
        let database = match &config.database {
            Some(url) => Database::Postgres { url: url.clone() },
            None => Database::Sqlite {
                folder: data.clone(),
            },
        };
        let db = Db::open(DbConfig {
            database,
            clock: clock.clone(),
        })
        .await?;
        let settings = Settings::open(&db, &clock, &mint).await?;
        let (accounts, setup) = Accounts::open(accounts::Parts {
            db: db.clone(),
            clock: clock.clone(),
            mint: mint.clone(),
            settings: settings.clone(),
        })
        .await?;
        let leaf = Leaf::default();
        let identity = Identity::new(identity::Parts {
            db: db.clone(),
            clock: clock.clone(),
            mint: mint.clone(),
            authority,
            settings: settings.clone(),
            leaf_life: config.leaf_life,
        });
        renew_own(&identity, &leaf, &clock, &names(config))?;
        let presence = Presence::new(&clock);
        let services = identity.services().await?;
        let services = services
            .into_iter()
            .map(|it| (it.id, it.name, it.revoked_at));
        let registry = Registry::open(&db, &clock, &settings, &presence, services).await?;
        let outcomes = Outcomes::open(outcomes::Parts {
            db: db.clone(),
            clock: clock.clone(),
            settings: settings.clone(),
        })
        .await?;
        let telemetry = Telemetry::new(&db);
        let reports = Reports::new(&telemetry);
        let tasks = Tasks::new(&clock);
        Ok(Self {
            data,
            db,
            clock,
            mint,
            settings,
            identity,
            presence,
            registry,
            outcomes,
            telemetry,
            reports,
            tasks,
            leaf,
            accounts,
            setup,
        })
    }

    pub(super) fn operator(&self) -> Operator {
        Operator::new(operator::Parts {
            data: self.data.clone(),
            db: self.db.clone(),
            clock: self.clock.clone(),
            started: (self.clock.now(), self.clock.monotonic()),
            settings: self.settings.clone(),
            identity: self.identity.clone(),
            presence: self.presence.clone(),
            registry: self.registry.clone(),
            telemetry: self.telemetry.clone(),
            tasks: self.tasks.clone(),
            leaf: self.leaf.clone(),
            accounts: self.accounts.clone(),
        })
    }

    pub(super) fn doors(&self) -> export::Parts {
        export::Parts {
            db: self.db.clone(),
            clock: self.clock.clone(),
            started: (self.clock.now(), self.clock.monotonic()),
            settings: self.settings.clone(),
            presence: self.presence.clone(),
            registry: self.registry.clone(),
            outcomes: self.outcomes.clone(),
            telemetry: self.telemetry.clone(),
            reports: self.reports.clone(),
            tasks: self.tasks.clone(),
            accounts: self.accounts.clone(),
        }
    }

    pub(super) fn supervise(&self, config: &Config) {
        let registry = self.registry.clone();
        self.tasks
            .supervise("registry.reaper", move || registry.clone().reap());
        let registry = self.registry.clone();
        self.tasks.supervise("registry.settings", move || {
            registry.clone().follow_settings()
        });
        let settings = self.settings.clone();
        self.tasks.supervise("settings.poll", move || {
            let settings = settings.clone();
            async move { settings.follow().await }
        });
        let renewal = (
            self.identity.clone(),
            self.leaf.clone(),
            self.clock.clone(),
            names(config),
        );
        self.tasks.supervise("identity.own_certificate", move || {
            let (identity, leaf, clock, names) = renewal.clone();
            async move {
                let mut beats = clock.interval(OWN_LIFE / 2);
                loop {
                    beats.tick().await;
                    if let Err(error) = renew_own(&identity, &leaf, &clock, &names) {
                        let error: &dyn std::error::Error = &error;
                        tracing::error!(error, "cannot renew the runtime's certificate");
                    }
                }
            }
        });
        let outcomes = self.outcomes.clone();
        self.tasks
            .supervise("outcomes.sweep", move || outcomes.clone().sweep_for_ever());
        let reports = self.reports.clone();
        self.tasks
            .supervise("telemetry.store", move || reports.clone().store_for_ever());
        let sweep = (
            self.telemetry.clone(),
            self.clock.clone(),
            self.settings.clone(),
            self.registry.clone(),
        );
        self.tasks.supervise("telemetry.sweep", move || {
            let (telemetry, clock, settings, registry) = sweep.clone();
            telemetry.sweep_for_ever(clock, settings, registry)
        });
    }
}

fn renew_own(
    identity: &Identity,
    leaf: &Leaf,
    clock: &Clock,
    names: &[String],
) -> Result<(), StartError> {
    let own = identity
        .authority()
        .issue_runtime(names, clock.now(), OWN_LIFE)?;
    leaf.replace(own.issued.cert_der, own.key_der)?;
    Ok(())
}

/// What stock gRPC clients may call this machine.
fn names(config: &Config) -> Vec<String> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    names.extend(
        rustix::system::uname()
            .nodename()
            .to_str()
            .ok()
            .map(str::to_owned),
    );
    names.extend(config.names.iter().cloned());
    if let Some(host) = config
        .listen
        .as_deref()
        .and_then(|it| it.rsplit_once(':'))
        .map(|it| it.0)
    {
        names.push(host.trim_matches(['[', ']']).to_owned());
    }
    names.retain(|name| !name.is_empty() && name != "0.0.0.0" && name != "::");
    names.sort();
    names.dedup();
    names
}
