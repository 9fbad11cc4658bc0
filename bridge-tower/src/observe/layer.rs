//! The factories: settings that all services of a stack share.

use tower_layer::Layer;

use super::{Observe, RouteOf, Stamp};
use crate::recorder::Recorder;

/// Makes [`Observe`] services.
#[derive(Clone, Debug)]
pub struct ObserveLayer {
    recorder: Recorder,
    route_of: Option<RouteOf>,
}

impl ObserveLayer {
    /// Records into `recorder`. The route is learnt from a [`StampLayer`] further inside; without
    /// one every request counts as unmatched.
    pub fn new(recorder: &Recorder) -> Self {
        Self {
            recorder: recorder.clone(),
            route_of: None,
        }
    }

    /// Looks up the route's template with `route_of` when a request arrives: for a layer that
    /// sits inside the router already.
    #[must_use]
    pub fn route_of(mut self, route_of: RouteOf) -> Self {
        self.route_of = Some(route_of);
        self
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Observe {
            inner,
            recorder: self.recorder.clone(),
            route_of: self.route_of,
        }
    }
}

/// Makes [`Stamp`] services: put it inside the router, where the route is known, and an
/// [`ObserveLayer`] of the same recorder outside of it.
#[derive(Clone, Debug)]
pub struct StampLayer {
    recorder: Recorder,
    route_of: RouteOf,
}

impl StampLayer {
    /// Looks up the route's template with `route_of`.
    pub fn new(recorder: &Recorder, route_of: RouteOf) -> Self {
        Self {
            recorder: recorder.clone(),
            route_of,
        }
    }
}

impl<S> Layer<S> for StampLayer {
    type Service = Stamp<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Stamp {
            inner,
            recorder: self.recorder.clone(),
            route_of: self.route_of,
        }
    }
}
