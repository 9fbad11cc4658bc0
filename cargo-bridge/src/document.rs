//! JSON documents that others wrote: OpenAPI, JSON Schema, descriptions.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;

/// Bytes of a JSON document that is read.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// A JSON document from a file.
pub(crate) fn read_json(path: &Path) -> Result<Value, Failure> {
    let shown = path.display();
    let cannot = |error| Failure::usage(format!("{shown}: cannot read ({error})"));
    let size = fs::metadata(path).map_err(cannot)?.len();
    if size > DOCUMENT_BYTES_MAX {
        let text = format!("{shown}: is larger than {DOCUMENT_BYTES_MAX} bytes");
        return Err(Failure::usage(text));
    }
    let text = fs::read_to_string(path).map_err(cannot)?;
    // Editors on Windows put a mark first that is no part of the text.
    serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(&text))
        .map_err(|error| Failure::usage(format!("{shown}: no json: {error}")))
}
