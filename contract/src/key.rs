//! The service key: the one text a user copies from the runtime into a service.
//!
//! `sb.` and the URL-safe base64 of three fields: key id, secret, and the certificate of the
//! authority to trust. Reading checks the form only; whether the key is good is the runtime's
//! answer. The secret never shows in `Debug` output or in an error.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message as _;

use crate::grpc::v1::BootstrapKeyPayload;

const PREFIX: &str = "sb.";

/// Longest key text that is looked at, in bytes. A real one is a few hundred bytes.
pub const KEY_TEXT_BYTES_MAX: usize = 16 * 1024;

/// A parsed service key.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceKey {
    /// Which key it is; not secret.
    pub key_id: Vec<u8>,
    /// Proof of possession.
    pub secret: Secret,
    /// DER of the only certificate authority to trust while provisioning.
    pub ca_cert_der: Vec<u8>,
}

/// Bytes that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps secret bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the one place that sends or checks them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Why a text is not a service key. Never contains any part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text was empty.
    #[error("the service key is empty; create one with `bridge service create NAME`")]
    Empty,
    /// It does not begin with `sb.`.
    #[error(
        "the service key does not begin with `sb.`; copy the whole line that `bridge service create NAME` printed"
    )]
    Prefix,
    /// It is longer than any key.
    #[error("the service key is longer than {KEY_TEXT_BYTES_MAX} bytes; copy only the key")]
    TooLong,
    /// It is not base64, or was cut.
    #[error(
        "the service key is damaged or cut; copy the whole line that `bridge service create NAME` printed"
    )]
    Damaged,
    /// A field is missing.
    #[error("the service key has no {0}; create a new one with `bridge service create NAME`")]
    Missing(&'static str),
}

impl FromStr for ServiceKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.len() > KEY_TEXT_BYTES_MAX {
            return Err(KeyError::TooLong);
        }
        let body = text
            .strip_prefix(PREFIX)
            .ok_or(KeyError::Prefix)?
            .trim_end_matches('=');
        let bytes = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| KeyError::Damaged)?;
        let payload = BootstrapKeyPayload::decode(&*bytes).map_err(|_| KeyError::Damaged)?;
        for (field, name) in [
            (&payload.key_id, "key id"),
            (&payload.secret, "secret"),
            (&payload.ca_cert_der, "authority certificate"),
        ] {
            if field.is_empty() {
                return Err(KeyError::Missing(name));
            }
        }
        Ok(Self {
            key_id: payload.key_id,
            secret: Secret(payload.secret),
            ca_cert_der: payload.ca_cert_der,
        })
    }
}

impl ServiceKey {
    /// The text form. It contains the secret: show it once and store it nowhere.
    pub fn to_text(&self) -> String {
        let payload = BootstrapKeyPayload {
            key_id: self.key_id.clone(),
            secret: self.secret.0.clone(),
            ca_cert_der: self.ca_cert_der.clone(),
        };
        format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode(payload.encode_to_vec())
        )
    }
}

impl fmt::Debug for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceKey([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ServiceKey {
        ServiceKey {
            key_id: vec![1; 8],
            secret: Secret::new(vec![2; 32]),
            ca_cert_der: vec![3; 300],
        }
    }

    #[test]
    fn a_key_reads_back_with_and_without_padding() {
        let text = key().to_text();
        assert!(text.starts_with("sb.Cg"), "{text}");
        assert_eq!(text.parse(), Ok(key()));
        assert_eq!(format!("  {text}==\n").parse(), Ok(key()));
    }

    #[test]
    fn a_wrong_key_says_what_is_wrong_and_never_shows_itself() {
        let text = key().to_text();
        assert_eq!("".parse::<ServiceKey>(), Err(KeyError::Empty));
        assert_eq!(text[3..].parse::<ServiceKey>(), Err(KeyError::Prefix));
        assert_eq!(
            text[..text.len() - 9].parse::<ServiceKey>(),
            Err(KeyError::Damaged)
        );
        assert_eq!(
            format!("{text}!").parse::<ServiceKey>(),
            Err(KeyError::Damaged)
        );
        let long = format!("sb.{}", "A".repeat(KEY_TEXT_BYTES_MAX));
        assert_eq!(long.parse::<ServiceKey>(), Err(KeyError::TooLong));
        let empty = ServiceKey {
            secret: Secret::new(vec![]),
            ..key()
        };
        assert_eq!(
            empty.to_text().parse::<ServiceKey>(),
            Err(KeyError::Missing("secret"))
        );
        assert!(!format!("{:?}", key()).contains("[2, 2"));
    }
}
