//! How ProtoJSON is read and written, where the specification leaves a choice.

use super::table::MessageTable;
use super::text::quoted;
use super::well_known;

/// How JSON is read and written. The default is what the specification says where nothing is said.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonOptions {
    /// Reading: keys and enum names that the message does not have are passed over, not refused.
    pub ignore_unknown: bool,
    /// Writing: fields without presence are written also when they have their default.
    pub print_defaults: bool,
    /// Writing: names as the contract spells them, not in lowerCamelCase. Reading takes both.
    pub original_names: bool,
    /// Writing: enums as numbers.
    pub enum_numbers: bool,
    /// What an `Any` may hold, besides the well-known messages.
    pub types: &'static [&'static MessageTable],
}

impl JsonOptions {
    /// The table that the type url of an `Any` means.
    pub(super) fn resolve(&self, url: &str) -> Result<&'static MessageTable, String> {
        let name = url.rsplit_once('/').map_or(url, |(_, name)| name);
        let given = self.types.iter().find(|it| it.name == name).copied();
        given.or_else(|| well_known::find(name)).ok_or_else(|| {
            format!("an Any of type {} cannot be shown as JSON here: its message is not known; give its table in `JsonOptions::types`", quoted(url))
        })
    }
}
