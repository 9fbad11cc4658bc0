//! How many calls are under way at each instance, and which of them takes the next one.

use std::collections::HashMap;
use std::sync::Arc;

use contract::ids::InstanceId;
use parking_lot::Mutex;

use crate::registry::Target;

/// Calls under way by instance. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Load(Arc<Mutex<HashMap<InstanceId, usize>>>);

impl Load {
    /// The less busy of two random candidates; instances the caller or we failed to reach only
    /// when nothing else is left.
    pub(super) fn pick<'t>(
        &self,
        targets: &'t [Target],
        left_out: &[String],
    ) -> Option<&'t Target> {
        let fresh = |it: &&Target| !left_out.contains(&it.instance.to_string());
        let healthy: Vec<_> = targets
            .iter()
            .filter(fresh)
            .filter(|it| !it.unhealthy)
            .collect();
        let rest: Vec<_> = targets.iter().filter(fresh).collect();
        let all: Vec<_> = targets.iter().collect();
        let from = [healthy, rest, all]
            .into_iter()
            .find(|some| !some.is_empty())?;
        let (one, two) = (fastrand::usize(..from.len()), fastrand::usize(..from.len()));
        let busy = self.0.lock();
        let load = |it: &Target| busy.get(&it.instance).copied().unwrap_or(0);
        let is_less = load(from[two]) < load(from[one]);
        Some(if is_less { from[two] } else { from[one] })
    }

    /// Counts one call under way, until it is dropped.
    pub(super) fn begin(&self, instance: InstanceId) -> Busy {
        *self.0.lock().entry(instance).or_default() += 1;
        Busy {
            load: self.clone(),
            instance,
        }
    }
}

/// One call under way.
#[derive(Debug)]
pub(super) struct Busy {
    load: Load,
    instance: InstanceId,
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut busy = self.load.0.lock();
        if let Some(calls) = busy.get_mut(&self.instance) {
            *calls -= 1;
            if *calls == 0 {
                busy.remove(&self.instance);
            }
        }
    }
}
