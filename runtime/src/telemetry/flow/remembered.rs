//! What is remembered until it is asked for, the oldest forgotten first.
//!
//! Invariant: at most `max` are remembered, and at most twice as many keys are queued.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

#[derive(Debug)]
pub(super) struct Remembered<K, V> {
    max: usize,
    all: HashMap<K, V>,
    /// In the order of arrival; also keys that have been taken since.
    order: VecDeque<K>,
}

impl<K: Copy + Eq + Hash, V> Remembered<K, V> {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            all: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.all.get(&key)
    }

    /// Remembers it, unless there is one already; says what had to be forgotten for it.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if self.all.contains_key(&key) {
            return None;
        }
        let full = self.all.len() >= self.max;
        let forgotten = if full { self.take_oldest() } else { None };
        if self.order.len() >= 2 * self.max {
            let all = &self.all;
            self.order.retain(|it| all.contains_key(it));
        }
        self.all.insert(key, value);
        self.order.push_back(key);
        forgotten
    }

    pub(super) fn take(&mut self, key: K) -> Option<V> {
        self.all.remove(&key)
    }

    /// The oldest one, if it is as wanted.
    pub(super) fn take_oldest_if(&mut self, wanted: impl Fn(&V) -> bool) -> Option<V> {
        while let Some(key) = self.order.front() {
            match self.all.get(key) {
                Some(oldest) if wanted(oldest) => return self.take_oldest(),
                Some(_) => return None,
                None => self.order.pop_front(),
            };
        }
        None
    }

    fn take_oldest(&mut self) -> Option<V> {
        // Keys are queued as long as what they name is remembered.
        while let Some(key) = self.order.pop_front() {
            if let Some(oldest) = self.all.remove(&key) {
                return Some(oldest);
            }
        }
        None
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.all.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_and_what_was_taken_takes_no_place() {
        let mut all = Remembered::new(2);
        assert_eq!([all.insert(1, 'a'), all.insert(2, 'b')], [None, None]);
        assert_eq!(all.insert(1, 'z'), None, "the first stays");
        assert_eq!(all.insert(3, 'c'), Some('a'));
        assert_eq!((all.take(2), all.take(2)), (Some('b'), None));
        assert_eq!(all.insert(4, 'd'), None);
        assert_eq!(all.take_oldest_if(|it| *it == 'd'), None);
        assert_eq!(all.take_oldest_if(|it| *it == 'c'), Some('c'));
        for key in 5..100 {
            all.insert(key, 'e');
            all.take(key);
        }
        assert!(all.order.len() <= 4, "{}", all.order.len());
        assert_eq!((all.len(), all.get(4)), (1, Some(&'d')));
    }
}
