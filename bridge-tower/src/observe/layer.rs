//! The factory of [`Observe`]: holds the settings that all its services share.

use tower_layer::Layer;

use super::{Observe, RouteOf};

/// Makes [`Observe`] services that record into `R`.
#[derive(Clone, Copy, Debug)]
pub struct ObserveLayer<R> {
    recorder: R,
    route_of: RouteOf,
}

impl<R> ObserveLayer<R> {
    /// Records into `recorder`, with the path as the request's line has it.
    pub fn new(recorder: R) -> Self {
        Self {
            recorder,
            route_of: |_| None,
        }
    }

    /// Looks up the route's template with `route_of`; without one the raw path is recorded, and
    /// every id in a path makes an operation of its own name.
    #[must_use]
    pub fn route_of(mut self, route_of: RouteOf) -> Self {
        self.route_of = route_of;
        self
    }
}

impl<S, R: Clone> Layer<S> for ObserveLayer<R> {
    type Service = Observe<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Observe {
            inner,
            recorder: self.recorder.clone(),
            route_of: self.route_of,
        }
    }
}
