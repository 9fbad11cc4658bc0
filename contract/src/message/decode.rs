//! What the generator writes for a message besides its fields: one call for all of it.

use bytes::Buf;
use prost::{DecodeError, Message};

use super::required::check_required;
use super::table::Described;

/// Decodes a message and checks that its required fields are there, at any depth. All of
/// `Message::decode` of a generated message that has some.
///
/// # Errors
///
/// What prost refuses, and a required field that is missing, with the way to it.
pub fn decode_checked<T: Message + Default + Described>(
    mut buf: impl Buf,
) -> Result<T, DecodeError> {
    let bytes = buf.copy_to_bytes(buf.remaining());
    let mut message = T::default();
    message.merge(bytes.clone())?;
    // The constructor is deprecated without another way to say why a message is refused.
    #[allow(deprecated)]
    check_required(T::TABLE, &bytes).map_err(|it| DecodeError::new(it.to_string()))?;
    Ok(message)
}

/// The impls of a message that its table gives: `Described`, `Debug`, `Serialize`, `Deserialize`.
#[cfg(not(feature = "json-schema"))]
#[doc(hidden)]
#[macro_export]
macro_rules! message_impls {
    ($message:ty, $table:expr) => {
        $crate::__message_impls! { $message, $table }
    };
}

/// The impls of a message that its table gives: `Described`, `Debug`, `Serialize`, `Deserialize`,
/// `JsonSchema`.
#[cfg(feature = "json-schema")]
#[doc(hidden)]
#[macro_export]
macro_rules! message_impls {
    ($message:ty, $table:expr) => {
        $crate::__message_impls! { $message, $table }

        impl $crate::message::schemars::JsonSchema for $message {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(<Self as $crate::message::Described>::TABLE.name)
            }

            fn json_schema(
                generator: &mut $crate::message::schemars::SchemaGenerator,
            ) -> $crate::message::schemars::Schema {
                $crate::message::json_schema(<Self as $crate::message::Described>::TABLE, generator)
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __message_impls {
    ($message:ty, $table:expr) => {
        impl $crate::message::Described for $message {
            const TABLE: &'static $crate::message::MessageTable = &$table;
        }

        impl ::core::fmt::Debug for $message {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::message::fmt_debug(self, f)
            }
        }

        impl $crate::message::serde::Serialize for $message {
            fn serialize<S: $crate::message::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::message::to_json(self, serializer)
            }
        }

        impl<'de> $crate::message::serde::Deserialize<'de> for $message {
            fn deserialize<D: $crate::message::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::message::from_json(deserializer)
            }
        }
    };
}
