//! The text of a lock, which people edit and merge.

use std::path::Path;

use bridge_codegen::lock::{Lock, Places, compare};

use crate::judge::{check_lock, check_refusal};

/// A lock with everything that one can hold.
const SAMPLE: &str = include_str!("../corpus/lock/seed-everything");

/// The text of a `bridge.lock`.
pub fn lock(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let lock = match Lock::parse(Path::new("bridge.lock"), text) {
        Ok(lock) => lock,
        Err(error) => return check_refusal(&error),
    };
    check_lock(&lock);
    let sample = Lock::parse(Path::new("sample"), SAMPLE).expect("the sample is a lock");
    for (accepted, present) in [(&lock, &sample), (&sample, &lock)] {
        for change in compare(accepted, present, &Places::default()).changes {
            assert!(!change.what.is_empty(), "a change of nothing: {change:?}");
        }
    }
}
