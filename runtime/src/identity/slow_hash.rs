//! Slow hashes of secrets, worked out in memory that is used again.
//!
//! Each takes 7 MiB for a moment. Asked of the allocator each time, a burst of services that join
//! leaves hundreds of MiB behind that it keeps for threads which do other things by then.
//!
//! Refuses nothing that is a hash: one with other parameters than ours takes the general way, with
//! memory of its own.
//!
//! Invariant: texts are those of the PHC format that every argon2 library reads, and what is
//! compared is compared in constant time.

use argon2::password_hash::{
    Output, ParamsString, PasswordHash, PasswordVerifier as _, Salt, SaltString,
};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::Mutex;

/// KiB and passes: the smallest of the memory sizes OWASP lists for argon2id.
const MEMORY_KIB: u32 = 7 * 1024;
const PASSES: u32 = 5;
const LANES: u32 = 1;
/// Bytes of a hash, and of the longest salt that PHC texts can have.
const HASH_BYTES: usize = 32;
const SALT_BYTES_MAX: usize = 48;

/// Rooms to work in; as many are kept as have ever been in use at once.
#[derive(Default)]
pub(super) struct Rooms(Mutex<Vec<Box<[Block]>>>);

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rooms").field(&self.0.lock().len()).finish()
    }
}

impl Rooms {
    /// The text to store for `secret`.
    pub(super) fn hash(&self, secret: &[u8], salt: &[u8]) -> Option<String> {
        let output = self.output(secret, salt)?;
        let salt = SaltString::encode_b64(salt).ok()?;
        let text = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(params()).ok()?,
            salt: Some(salt.as_salt()),
            hash: Some(output),
        };
        Some(text.to_string())
    }

    /// Whether `secret` is the one `stored` was made from; what is no hash is of nobody.
    pub(super) fn verify(&self, secret: &[u8], stored: &str) -> bool {
        let Ok(stored) = PasswordHash::new(stored) else {
            return false;
        };
        let Some((salt, expected)) = ours(&stored) else {
            return hasher().verify_password(secret, &stored).is_ok();
        };
        let mut bytes = [0; SALT_BYTES_MAX];
        let Ok(salt) = salt.decode_b64(&mut bytes) else {
            return false;
        };
        // Equality of outputs takes the same time whatever they are.
        self.output(secret, salt).is_some_and(|it| it == expected)
    }

    fn output(&self, secret: &[u8], salt: &[u8]) -> Option<Output> {
        let taken = self.0.lock().pop();
        let hasher = hasher();
        let blocks = hasher.params().block_count();
        // What is left in them of another one is written over before it is read.
        let mut room = taken.unwrap_or_else(|| vec![Block::default(); blocks].into());
        let mut bytes = [0; HASH_BYTES];
        let done = hasher.hash_password_into_with_memory(secret, salt, &mut bytes, &mut room);
        self.0.lock().push(room);
        done.ok()?;
        Output::new(&bytes).ok()
    }
}

/// Salt and hash, when the text was made as ours are.
fn ours<'a>(stored: &PasswordHash<'a>) -> Option<(Salt<'a>, Output)> {
    let made = Params::try_from(stored).ok()?;
    let same = stored.algorithm == Algorithm::Argon2id.ident()
        && stored.version == Some(Version::V0x13.into())
        && (made.m_cost(), made.t_cost(), made.p_cost()) == (MEMORY_KIB, PASSES, LANES)
        && made.keyid().is_empty()
        && made.data().is_empty();
    let (salt, hash) = stored.salt.zip(stored.hash)?;
    (same && hash.len() == HASH_BYTES).then_some((salt, hash))
}

fn params() -> Params {
    Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default()
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params())
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordHasher as _;

    use super::*;

    const SALT: &[u8] = b"sixteen bytes ok";

    #[test]
    fn texts_are_those_of_every_argon2_and_theirs_are_verified_here() {
        let rooms = Rooms::default();
        let ours = rooms.hash(b"secret", SALT).expect("hashes");
        let salt = SaltString::encode_b64(SALT).expect("a salt");
        let theirs = hasher().hash_password(b"secret", &salt).expect("hashes");
        assert_eq!(ours, theirs.to_string());
        for (secret, right) in [(&b"secret"[..], true), (b"Secret", false), (b"", false)] {
            assert_eq!(rooms.verify(secret, &ours), right);
            let parsed = PasswordHash::new(&ours).expect("a hash");
            assert_eq!(hasher().verify_password(secret, &parsed).is_ok(), right);
        }
        assert_eq!(
            rooms.0.lock().len(),
            1,
            "one after the other needs one room"
        );
    }

    #[test]
    fn a_hash_with_other_parameters_is_verified_by_them() {
        let rooms = Rooms::default();
        let salt = SaltString::encode_b64(SALT).expect("a salt");
        for (algorithm, params) in [
            (Algorithm::Argon2id, Params::new(64, 2, 1, None)),
            (Algorithm::Argon2id, Params::new(MEMORY_KIB, 1, 1, None)),
            (
                Algorithm::Argon2id,
                Params::new(MEMORY_KIB, PASSES, 1, Some(16)),
            ),
            (Algorithm::Argon2i, Params::new(64, PASSES, 2, None)),
        ] {
            let other = Argon2::new(algorithm, Version::V0x13, params.expect("sound"));
            let text = other.hash_password(b"secret", &salt).expect("hashes");
            let text = text.to_string();
            assert!(rooms.verify(b"secret", &text), "{text}");
            assert!(!rooms.verify(b"secreT", &text), "{text}");
        }
    }

    #[test]
    fn what_was_in_a_room_before_changes_nothing() {
        let rooms = Rooms::default();
        let first = rooms.hash(b"secret", SALT).expect("hashes");
        assert!(!rooms.verify(b"something else entirely", &first));
        assert_eq!(rooms.hash(b"secret", SALT).expect("hashes"), first);
    }

    #[test]
    fn what_is_no_hash_is_of_nobody() {
        let rooms = Rooms::default();
        let whole = rooms.hash(b"secret", SALT).expect("hashes");
        for text in ["", "secret", "$argon2id$", &whole[..whole.len() - 1]] {
            assert!(!rooms.verify(b"secret", text), "{text}");
        }
        let (unsalted, _) = whole.rsplit_once('$').expect("a hash");
        assert!(!rooms.verify(b"secret", unsalted));
    }
}
