//! The dictionary of what operations can be found by: each text once, its words indexed.
//!
//! Subjects repeat endlessly, so the words of a text are indexed when it is first seen and an
//! operation refers to it. Of texts seen before, the latest [`KNOWN_MAX`] are remembered; one that
//! was forgotten is stored again under another id on SQLite, which costs space and nothing else.
//!
//! Refuses to remember what was not committed.

pub(super) mod store;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use contract::clock::Timestamp;
use sha2::{Digest as _, Sha256};

use super::search;

/// Texts of one generation; two are remembered, about 40 bytes each.
const KNOWN_MAX: usize = 32_768;

/// Words of one operation that can be found.
const WORDS_MAX: usize = 32;

/// Random low bits of an id that follows from the time.
const RANDOM_BITS: u32 = 20;

/// A text's number within its slice. 0 stands for a text without words.
pub(super) type TextId = i64;

/// A text that is not in the dictionary yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewText {
    pub(super) id: TextId,
    pub(super) words: String,
}

/// What is remembered of the dictionary.
#[derive(Debug)]
pub(super) struct Texts {
    hasher: RandomState,
    young: HashMap<(i64, u64), TextId>,
    old: HashMap<(i64, u64), TextId>,
    last: TextId,
    /// Other processes write the same dictionary: ids must follow from the words.
    shared: bool,
}

/// The texts of a batch for one slice: those that are known, and those it adds.
#[derive(Debug, Default)]
pub(super) struct Looked {
    found: HashMap<u64, TextId>,
    new: Vec<NewText>,
    saved: usize,
}

impl Looked {
    /// New texts that the transaction has not stored yet.
    pub(super) fn unsaved(&self) -> &[NewText] {
        &self.new[self.saved..]
    }

    /// Notes that it has.
    pub(super) fn saved(&mut self) {
        self.saved = self.new.len();
    }
}

impl Texts {
    /// Remembers nothing yet. `shared` tells whether other processes write the same slices.
    pub(super) fn new(shared: bool) -> Self {
        Self {
            hasher: RandomState::new(),
            young: HashMap::new(),
            old: HashMap::new(),
            last: 0,
            shared,
        }
    }

    /// The text of an operation with this subject and business key; a new one is added to `looked`.
    pub(super) fn look(
        &mut self,
        slice: i64,
        looked: &mut Looked,
        said: (&str, &str),
        now: Timestamp,
    ) -> TextId {
        if said.0.is_empty() && said.1.is_empty() {
            return 0;
        }
        let digest = self.hasher.hash_one(said);
        let known = self.young.get(&(slice, digest));
        let known = known.or_else(|| self.old.get(&(slice, digest)));
        if let Some(known) = known.or_else(|| looked.found.get(&digest)) {
            return *known;
        }
        let words = search::stored(&[said.0, " ", said.1].concat(), WORDS_MAX);
        let id = if words.is_empty() {
            0
        } else {
            let id = self.id(&words, now);
            looked.new.push(NewText { id, words });
            id
        };
        looked.found.insert(digest, id);
        id
    }

    /// Remembers texts that are committed.
    pub(super) fn note(&mut self, slice: i64, looked: Looked) {
        for (digest, id) in looked.found {
            if self.young.len() >= KNOWN_MAX {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert((slice, digest), id);
        }
    }

    /// On SQLite ids only grow, which is what its index is quick at. They begin with the time, so
    /// that they do after a restart too.
    fn id(&mut self, words: &str, now: Timestamp) -> TextId {
        if self.shared {
            let digest = Sha256::digest(words.as_bytes());
            let eight = digest.first_chunk().copied().unwrap_or_default();
            return (i64::from_be_bytes(eight) & i64::MAX).max(1);
        }
        let random = fastrand::i64(..1 << RANDOM_BITS).abs();
        let fresh = (now.as_millis().max(1) << RANDOM_BITS) | random;
        self.last = fresh.max(self.last + 1);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_732_160_000_000);

    #[test]
    fn a_text_is_new_until_it_is_committed_and_known_after() {
        let mut texts = Texts::new(false);
        let mut looked = Looked::default();
        let said = ("http.handle:GET//orders", "order-7");
        let id = texts.look(1, &mut looked, said, NOW);
        assert_eq!(texts.look(1, &mut looked, said, NOW), id, "once per batch");
        let words = "http handle get orders order 7".to_owned();
        assert_eq!(looked.new, [NewText { id, words }]);

        let mut lost = Looked::default();
        assert_ne!(texts.look(1, &mut lost, said, NOW), id, "not committed");
        texts.note(1, looked);
        let mut later = Looked::default();
        assert_eq!(texts.look(1, &mut later, said, NOW), id);
        assert!(later.new.is_empty());
        assert_ne!(
            texts.look(2, &mut later, said, NOW),
            id,
            "each slice has its own"
        );
    }

    #[test]
    fn ids_grow_in_one_process_and_agree_between_two() {
        let mut alone = Texts::new(false);
        let mut looked = Looked::default();
        let ids: Vec<_> = ["a", "b", "c", "d"]
            .iter()
            .map(|it| alone.look(1, &mut looked, (it, ""), NOW))
            .collect();
        assert!(ids.is_sorted() && ids[0] > 0);

        let look = || Texts::new(true).look(1, &mut Looked::default(), ("pay", "7"), NOW);
        assert_eq!(look(), look());
    }

    #[test]
    fn what_has_no_words_needs_no_text() {
        let mut texts = Texts::new(false);
        let mut looked = Looked::default();
        assert_eq!(texts.look(1, &mut looked, ("", ""), NOW), 0);
        assert_eq!(texts.look(1, &mut looked, ("-/-", "…"), NOW), 0);
        assert!(looked.new.is_empty());
    }

    #[test]
    fn it_never_remembers_more_than_two_generations() {
        let mut texts = Texts::new(false);
        for number in 0..3 * KNOWN_MAX {
            let mut looked = Looked::default();
            texts.look(1, &mut looked, ("order", &number.to_string()), NOW);
            texts.note(1, looked);
        }
        assert!(texts.young.len() + texts.old.len() <= 2 * KNOWN_MAX);
    }
}
