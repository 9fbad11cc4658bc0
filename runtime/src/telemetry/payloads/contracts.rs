//! Schemas by contract hash, as the registry has them, parsed once and remembered.
//!
//! Invariant: at most [`CONTRACTS_MAX`] are remembered; that a hash is unknown counts only until
//! the registry changes.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::model::{Direction, RAW_JSON};
use super::schema::Description;
use crate::registry::Registry;

/// Contracts remembered at the same time.
const CONTRACTS_MAX: usize = 1_024;
/// Largest schema of one message, in bytes; a larger one is taken for unknown.
const SCHEMA_BYTES_MAX: usize = 262_144;

/// Both messages of a contract.
#[derive(Debug)]
pub(super) struct Contract {
    pub(super) input_json: Vec<u8>,
    pub(super) output_json: Vec<u8>,
    input: Option<Description>,
    output: Option<Description>,
}

impl Contract {
    pub(super) fn parse(input_json: Vec<u8>, output_json: Vec<u8>) -> Self {
        let parse = |json: &Vec<u8>| {
            let fits = json.len() <= SCHEMA_BYTES_MAX;
            fits.then(|| Description::parse(json)).flatten()
        };
        let (input, output) = (parse(&input_json), parse(&output_json));
        Self {
            input,
            output,
            input_json,
            output_json,
        }
    }

    /// The message that goes this way.
    pub(super) fn message(&self, direction: Direction) -> Option<&Description> {
        match direction {
            Direction::In => self.input.as_ref(),
            Direction::Out => self.output.as_ref(),
        }
    }

    /// Whether it says nothing that could be read by.
    fn is_empty(&self) -> bool {
        self.input.is_none() && self.output.is_none()
    }
}

/// The contracts of the registry.
#[derive(Debug, Default)]
pub(super) struct Contracts {
    registry: OnceLock<Registry>,
    remembered: Mutex<HashMap<String, Remembered>>,
}

#[derive(Clone, Debug)]
enum Remembered {
    Known(Arc<Contract>),
    /// As of this revision of the registry.
    Unknown(u64),
}

impl Contracts {
    /// Takes contracts from this registry from now on.
    pub(super) fn follow(&self, registry: &Registry) {
        self.registry.get_or_init(|| registry.clone());
    }

    /// The contract of this hash, if a service that is here registered it.
    pub(super) fn find(&self, hash: &str) -> Option<Arc<Contract>> {
        if hash.is_empty() || hash == RAW_JSON {
            return None;
        }
        let registry = self.registry.get()?;
        let revision = registry.revision();
        let remembered = self.remembered.lock().get(hash).cloned();
        match remembered {
            Some(Remembered::Known(contract)) => return Some(contract),
            Some(Remembered::Unknown(since)) if since == revision => return None,
            _ => {}
        }
        let found = registry.schemas(hash);
        let found = found.map(|(input, output)| Arc::new(Contract::parse(input, output)));
        let found = found.filter(|it| !it.is_empty());
        let remember = match &found {
            Some(contract) => Remembered::Known(contract.clone()),
            None => Remembered::Unknown(revision),
        };
        let mut remembered = self.remembered.lock();
        if remembered.len() >= CONTRACTS_MAX {
            remembered.clear();
        }
        remembered.insert(hash.to_owned(), remember);
        found
    }
}
