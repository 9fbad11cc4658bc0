//! Random secrets of sessions, tokens and the setup, and what is kept instead of them.
//!
//! Refuses to be used for passwords: SHA-256 keeps a secret only when it is random.
//! Invariant: a secret has 256 random bits, and none of it is in a `Debug` text.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

use super::model::Digest;

/// Bytes of a secret.
const SECRET_BYTES: usize = 32;
/// Bytes of a token's id.
const TOKEN_ID_BYTES: usize = 8;
/// What a token begins with, so that scanners of leaked secrets know it.
const TOKEN_PREFIX: &str = "brt_";

/// A secret as its owner keeps it: lowercase hex digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one; `None` when the system has no randomness.
    pub(super) fn random() -> Option<Self> {
        random::<SECRET_BYTES>().map(Self)
    }

    /// A text that somebody claims to be a secret, when it has the form of one.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        is_hex(text, SECRET_BYTES).then(|| Self(text.to_owned()))
    }

    /// The digits, for the one place that shows or sends them.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(super) fn digest(&self) -> Digest {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// What a page of this session has to send with its changes: nobody who does not know the
    /// secret can know it, and it does not tell the secret.
    pub(super) fn csrf_token(&self) -> String {
        let mut hash = Sha256::new_with_prefix(b"bridge csrf\0");
        hash.update(self.0.as_bytes());
        hex(&hash.finalize())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A token's text: `brt_ID_SECRET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenText {
    pub(super) id: String,
    pub(super) secret: Secret,
}

impl TokenText {
    /// A new one; `None` when the system has no randomness.
    pub(super) fn random() -> Option<Self> {
        Some(Self {
            id: random::<TOKEN_ID_BYTES>()?,
            secret: Secret::random()?,
        })
    }

    /// The token in a text that has the form of one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(TOKEN_PREFIX)?.split_once('_')?;
        let secret = Secret::from_text(secret)?;
        is_hex(id, TOKEN_ID_BYTES).then(|| Self {
            id: id.to_owned(),
            secret,
        })
    }

    /// As its owner keeps it.
    pub(super) fn text(&self) -> String {
        format!("{TOKEN_PREFIX}{}_{}", self.id, self.secret.expose())
    }
}

fn random<const N: usize>() -> Option<String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_hex(text: &str, bytes: usize) -> bool {
    text.len() == 2 * bytes && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_nothing_else_does() {
        let token = TokenText::random().expect("randomness");
        let text = token.text();
        assert_eq!(TokenText::parse(&text), Some(token));
        let upper = text.to_uppercase();
        let doubled = format!("{text}0");
        for wrong in [
            "",
            "brt_",
            "brt__",
            &text[1..],
            &text[..text.len() - 1],
            &upper,
            &doubled,
        ] {
            assert_eq!(TokenText::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_not_told_by_what_is_derived_from_it() {
        let secret = Secret::random().expect("randomness");
        assert_ne!(secret, Secret::random().expect("randomness"));
        assert_eq!(format!("{secret:?}"), "[secret]");
        let csrf = secret.csrf_token();
        assert!(!csrf.contains(secret.expose()) && csrf.len() == 64);
        assert_ne!(csrf, hex(&secret.digest()));
        assert_eq!(Secret::from_text(secret.expose()), Some(secret));
    }
}
