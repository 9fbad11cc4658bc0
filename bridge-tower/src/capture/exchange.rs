//! Both bodies of one request, from its arrival to the end of its answer.

use std::sync::Arc;

use contract::headers::TraceContext;
use http::HeaderMap;
use parking_lot::Mutex;

use super::tap::Tap;
use super::{Direction, Mode, Settings};
use crate::context;

/// A request whose bodies are kept. Dropped before its end it has failed.
#[derive(Debug)]
pub(super) struct Exchange {
    settings: Arc<Settings>,
    mode: Mode,
    bytes_max: usize,
    /// Known once the request runs.
    op: Option<TraceContext>,
    /// Shared with the request's body, which the handler may keep as long as it likes.
    input: Arc<Mutex<Tap>>,
    output: Option<Tap>,
    is_open: bool,
}

impl Exchange {
    pub(super) fn begin(settings: &Arc<Settings>, mode: Mode, headers: &HeaderMap) -> Self {
        let bytes_max = settings.capture.bytes_max();
        Self {
            settings: settings.clone(),
            mode,
            bytes_max,
            op: None,
            input: Arc::new(Mutex::new(Tap::new(headers, bytes_max))),
            output: None,
            is_open: true,
        }
    }

    pub(super) fn input(&self) -> Arc<Mutex<Tap>> {
        self.input.clone()
    }

    /// Looks up the operation that the current task works for. Returns whether there is a
    /// recorded one; without one nothing is kept.
    pub(super) fn runs(&mut self) -> bool {
        if self.op.is_some() {
            return true;
        }
        let current = context::current().filter(|it| it.flags.is_sampled());
        self.op = current.map(|it| it.trace);
        if self.op.is_none() {
            self.input.lock().close();
            self.is_open = false;
        }
        self.is_open
    }

    /// Keeps the answer's body too.
    pub(super) fn answers(&mut self, headers: &HeaderMap) {
        self.output = Some(Tap::new(headers, self.bytes_max));
    }

    /// Lets `data` of the answer pass.
    pub(super) fn pass(&mut self, data: &[u8]) {
        if let Some(output) = &mut self.output {
            output.pass(data);
        }
    }

    /// The answer is through, or will never be. Does nothing the second time.
    pub(super) fn end(&mut self, has_failed: bool) {
        let Some(op) = self.op.filter(|_| std::mem::take(&mut self.is_open)) else {
            return;
        };
        if self.mode == Mode::Errors && !has_failed {
            return;
        }
        let Settings { sink, secrets, .. } = &*self.settings;
        let input = self.input.lock().take(secrets);
        let output = self.output.as_mut().and_then(|tap| tap.take(secrets));
        for (direction, kept) in [(Direction::Input, input), (Direction::Output, output)] {
            if let Some((bytes, original_bytes)) = kept {
                sink.payload(op, direction, bytes, original_bytes);
            }
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.end(true);
    }
}
