//! Contracts for other tools and other languages: `.proto`, `.schema.json`, OpenAPI, AsyncAPI.
//!
//! Everything is made from the model or the compiled files, never from generated code. What a
//! format cannot say is refused with the field's place, never left out in silence.
//!
//! Invariant: the same contracts give the same bytes on every machine.

mod text;
mod json_schema;
mod http_request;
mod openapi;
mod asyncapi;
mod merge;
mod proto_options;
mod proto_field;
mod proto;
mod schema_proto;
mod schema_json;
mod convert;
mod link;

pub use asyncapi::Event;
pub(crate) use asyncapi::{asyncapi, known};
pub use convert::{Converted, NUMBER_KEY, Schemas as JsonSchemas, convert};
pub use link::Linked;
pub(crate) use link::link;
pub use merge::{Site, merge, place_in_file};
pub(crate) use openapi::openapi;
pub use openapi::{About, OpenApi};
pub(crate) use proto::proto;
pub(crate) use schema_json::{is_same_contract, schema_json};
pub(crate) use schema_proto::protos as protos_of_schemas;
pub use text::{MARK, is_exported, json as json_text};
