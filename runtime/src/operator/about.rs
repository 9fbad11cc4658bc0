//! The runtime itself, in a few numbers: what a footer and a badge of health show.

use std::collections::BTreeMap;

use super::engine::{AskError, Operator};
use super::model::{About, TelemetryHealth};
use crate::db::{Db, DbError, History};

impl Operator {
    /// What runs here and how it is.
    ///
    /// # Errors
    ///
    /// [`AskError::Store`] when the store cannot be read.
    pub async fn about(&self) -> Result<About, AskError> {
        let parts = self.parts();
        let described = parts.db.describe().await?;
        let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
        for store in &described.stores {
            sizes.insert(store.store.name().to_owned(), store.bytes);
        }
        for kind in History::ALL {
            sizes.insert(kind.name().to_owned(), size(&parts.db, kind).await?);
        }
        let map = self.map();
        let active = map.services.iter().filter(|it| it.status == "active");
        Ok(About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at_unix_ms: parts.started.0.as_millis(),
            now_unix_ms: parts.clock.now().as_millis(),
            database: match described.kind {
                "postgres" => "postgresql",
                kind => kind,
            }
            .to_owned(),
            services: active.count(),
            instances: parts.registry.counts().0,
            telemetry: self.telemetry_health(),
            sizes,
        })
    }

    fn telemetry_health(&self) -> TelemetryHealth {
        let telemetry = &self.parts().telemetry;
        let (counters, flow) = (telemetry.counters(), telemetry.flow().counters());
        TelemetryHealth {
            level: counters.level,
            queue_bytes: counters.queue_bytes as u64,
            frames: counters.frames,
            dropped: counters.refused,
            turned_away: counters.turned_away,
            pending: flow.pending as u64,
            late_ends: counters.late_ends,
        }
    }
}

/// Bytes of a kind of telemetry.
async fn size(db: &Db, kind: History) -> Result<u64, DbError> {
    let mut total = 0;
    for slice in db.slices(kind).iter() {
        total += match db.slice_bytes(kind, slice.id).await {
            Ok(size) => size,
            // It has just been dropped.
            Err(error) if error.is_gone() => 0,
            Err(error) => return Err(error),
        };
    }
    Ok(total)
}
