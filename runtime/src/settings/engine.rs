//! The settings in use: read without waiting, changed with an audit entry, watched.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use contract::clock::Clock;
use contract::ids::IdMint;
use serde_json::json;
use tokio::sync::{Mutex, watch};

use super::keys::ALL;
use super::model::{FromValue, Key, Setting, SettingView, Snapshot, Value};
use super::store;
use crate::audit::{self, Entry};
use crate::db::{Db, DbError, Store};

/// How often the table is read for changes that another process made.
const POLL: Duration = Duration::from_secs(5);

/// Why a setting was not changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SettingsError {
    /// No such setting.
    #[error("there is no setting `{key}`; `bridge settings list` shows all of them")]
    Unknown {
        /// What was asked for.
        key: String,
    },
    /// The value is not one of those it takes.
    #[error("`{value}` is not a value for setting `{key}`; it takes {bounds}")]
    Invalid {
        /// The setting.
        key: &'static str,
        /// What was given.
        value: String,
        /// What would do.
        bounds: String,
    },
    /// The store failed.
    #[error("the settings could not be read or stored")]
    Store(#[from] DbError),
}

/// The settings. Cheap to clone; all clones see the same values.
#[derive(Clone, Debug)]
pub struct Settings(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    clock: Clock,
    mint: IdMint,
    current: ArcSwap<Snapshot>,
    /// Counts changes; receivers wait for the next.
    changed: watch::Sender<u64>,
    /// Held from reading the table to publishing it, so that an older reading cannot win.
    publishing: Mutex<()>,
}

impl Settings {
    /// Reads the table.
    ///
    /// # Errors
    ///
    /// `Store` when it cannot be read. Rows that make no sense are no error: see
    /// [`Settings::ignored`].
    pub async fn open(db: &Db, clock: &Clock, mint: &IdMint) -> Result<Self, SettingsError> {
        let inner = Inner {
            db: db.clone(),
            clock: clock.clone(),
            mint: mint.clone(),
            current: ArcSwap::from_pointee(Snapshot::from_rows(ALL, &load(db).await?, None)),
            changed: watch::Sender::new(0),
            publishing: Mutex::new(()),
        };
        let settings = Self(Arc::new(inner));
        for (key, why) in settings.ignored() {
            tracing::warn!(key, why, "a stored setting is ignored");
        }
        Ok(settings)
    }

    /// The value in use. Never waits and never fails.
    pub fn get<T: FromValue>(&self, key: Key<T>) -> T {
        let current = self.0.current.load();
        let value = current
            .in_use
            .get(key.setting.key)
            .cloned()
            .unwrap_or_else(|| key.setting.default());
        T::from_value(value)
            .or_else(|| T::from_value(key.setting.default()))
            .expect("every key's type reads all values within its bounds, as a test proves")
    }

    /// Wakes after every change; the number itself means nothing.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Every setting with its value, in the order of [`keys::ALL`](super::keys::ALL).
    pub fn list(&self) -> Vec<SettingView> {
        let current = self.0.current.load();
        let view = |setting: &&'static Setting| SettingView {
            setting,
            value: current
                .in_use
                .get(setting.key)
                .cloned()
                .unwrap_or_else(|| setting.default()),
            pending: current.pending.get(setting.key).cloned(),
        };
        ALL.iter().map(view).collect()
    }

    /// Rows of the table that are not used, with the reason.
    pub fn ignored(&self) -> Vec<(String, String)> {
        self.0.current.load().ignored.clone().into_iter().collect()
    }

    /// Changes a setting on behalf of `actor`, with an audit entry, and makes it live.
    ///
    /// # Errors
    ///
    /// `Unknown` and `Invalid` say what would do; `Store` means that nothing changed.
    pub async fn set(&self, key: &str, text: &str, actor: &str) -> Result<Value, SettingsError> {
        let (setting, value) = check(key, text)?;
        let inner = &self.0;
        let text = value.to_string();
        let (clock, mint, actor) = (inner.clock.clone(), inner.mint.clone(), actor.to_owned());
        inner
            .db
            .write::<(), DbError, _>(Store::Ledger, "change a setting", move |conn| {
                let (clock, mint, actor) = (clock.clone(), mint.clone(), actor.clone());
                let text = text.clone();
                Box::pin(async move {
                    let before = store::find(conn, setting.key).await?;
                    store::set(conn, setting.key, &text, clock.now()).await?;
                    let detail = json!({ "from": before, "to": text });
                    let by = (&clock, &mint);
                    audit::append(
                        conn,
                        &Entry::new(by, &actor, "setting.set", setting.key, detail),
                    )
                    .await
                })
            })
            .await?;
        self.refresh().await?;
        Ok(value)
    }

    /// Gives a setting its default back on behalf of `actor`, with an audit entry.
    ///
    /// # Errors
    ///
    /// `Unknown` when there is no such setting; `Store` means that nothing changed.
    pub async fn reset(&self, key: &str, actor: &str) -> Result<(), SettingsError> {
        let setting = find(key)?;
        let inner = &self.0;
        let (clock, mint, actor) = (inner.clock.clone(), inner.mint.clone(), actor.to_owned());
        inner
            .db
            .write::<(), DbError, _>(Store::Ledger, "reset a setting", move |conn| {
                let (clock, mint, actor) = (clock.clone(), mint.clone(), actor.clone());
                Box::pin(async move {
                    let before = store::find(conn, setting.key).await?;
                    store::unset(conn, setting.key).await?;
                    let detail = json!({ "from": before, "to": null });
                    let (by, action) = ((&clock, &mint), "setting.reset");
                    audit::append(conn, &Entry::new(by, &actor, action, setting.key, detail)).await
                })
            })
            .await?;
        self.refresh().await?;
        Ok(())
    }

    /// Stores first values, from the configuration file, where nobody has set one yet.
    ///
    /// # Errors
    ///
    /// As [`Settings::set`]; with any fault nothing is stored.
    pub async fn seed(&self, values: &[(String, String)]) -> Result<(), SettingsError> {
        let checked = values.iter().map(|(key, text)| check(key, text));
        let checked: Arc<[_]> = checked.collect::<Result<Vec<_>, _>>()?.into();
        let now = self.0.clock.now();
        self.0
            .db
            .write::<(), DbError, _>(Store::Ledger, "seed the settings", move |conn| {
                let checked = checked.clone();
                Box::pin(async move {
                    for (setting, value) in checked.iter() {
                        store::seed(conn, setting.key, &value.to_string(), now).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        self.refresh_as(None).await?;
        Ok(())
    }

    /// Reads the table again and publishes what changed. True when something did.
    ///
    /// # Errors
    ///
    /// `Store` when it cannot be read; the values stay as they were.
    pub async fn refresh(&self) -> Result<bool, SettingsError> {
        let running = self.0.current.load_full();
        self.refresh_as(Some(&running)).await
    }

    /// `running` keeps the values that wait for a restart; without it they count at once, which
    /// is right only while the runtime is still starting.
    async fn refresh_as(&self, running: Option<&Snapshot>) -> Result<bool, SettingsError> {
        let _publishing = self.0.publishing.lock().await;
        let next = Snapshot::from_rows(ALL, &load(&self.0.db).await?, running);
        let changed = next.differs_from(&self.0.current.load());
        if changed {
            self.0.current.store(Arc::new(next));
            self.0.changed.send_modify(|count| *count += 1);
        }
        Ok(changed)
    }

    /// Picks up changes that other processes make, for ever. Run it as a background task.
    pub async fn follow(&self) {
        let mut beats = self.0.clock.interval(POLL);
        loop {
            beats.tick().await;
            match self.refresh().await {
                Ok(false) => {}
                Ok(true) => tracing::info!("settings changed"),
                Err(error) => {
                    tracing::warn!(%error, "settings could not be read; they stay as they are")
                }
            }
        }
    }
}

async fn load(db: &Db) -> Result<std::collections::BTreeMap<String, String>, DbError> {
    let mut held = db.read(Store::Ledger, "load the settings").await?;
    store::load(&mut held.conn()).await
}

fn find(key: &str) -> Result<&'static Setting, SettingsError> {
    let unknown = || SettingsError::Unknown {
        key: key.chars().take(100).collect(),
    };
    ALL.iter()
        .copied()
        .find(|setting| setting.key == key)
        .ok_or_else(unknown)
}

fn check(key: &str, text: &str) -> Result<(&'static Setting, Value), SettingsError> {
    let setting = find(key)?;
    let invalid = || SettingsError::Invalid {
        key: setting.key,
        value: text.chars().take(100).collect(),
        bounds: setting.bounds(),
    };
    setting
        .parse(text)
        .map(|value| (setting, value))
        .ok_or_else(invalid)
}
