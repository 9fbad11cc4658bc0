//! The switch: what is kept, and how much of it. Turned while requests run; each request goes by
//! how it stands when the request arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Bytes of a body that are kept by default.
pub const CAPTURE_BYTES_MAX: usize = 65_536;

/// Which bodies are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mode {
    /// None. Nothing is read along.
    #[default]
    None = 0,
    /// Those of requests that fail: a status from 400 on, or an answer that was not completed.
    /// Until that is known both bodies are held, each up to the cap.
    Errors = 1,
    /// All.
    All = 2,
}

/// What the layer keeps at present. Clones are the same switch; off by default.
#[derive(Clone, Debug)]
pub struct Capture(Arc<State>);

#[derive(Debug)]
struct State {
    mode: AtomicU8,
    bytes_max: AtomicUsize,
}

impl Default for Capture {
    fn default() -> Self {
        Self::new(Mode::default())
    }
}

impl Capture {
    /// A switch that stands like this, with a cap of [`CAPTURE_BYTES_MAX`].
    pub fn new(mode: Mode) -> Self {
        Self(Arc::new(State {
            mode: AtomicU8::new(mode as u8),
            bytes_max: AtomicUsize::new(CAPTURE_BYTES_MAX),
        }))
    }

    /// Turns it, for requests that arrive from now on.
    pub fn set(&self, mode: Mode) {
        self.0.mode.store(mode as u8, Ordering::Relaxed);
    }

    /// How it stands.
    pub fn mode(&self) -> Mode {
        match self.0.mode.load(Ordering::Relaxed) {
            1 => Mode::Errors,
            2 => Mode::All,
            _ => Mode::None,
        }
    }

    /// Keeps at most so many bytes of a body, for requests that arrive from now on.
    pub fn set_bytes_max(&self, bytes: usize) {
        self.0.bytes_max.store(bytes, Ordering::Relaxed);
    }

    /// Bytes of a body that are kept at most.
    pub fn bytes_max(&self) -> usize {
        self.0.bytes_max.load(Ordering::Relaxed)
    }
}
