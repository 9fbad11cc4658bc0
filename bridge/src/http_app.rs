//! An application, observed already or not yet, and what is mounted in it.
//!
//! Invariant: an application is observed once.

use bridge_tower::Observed;
#[cfg(feature = "mesh")]
use bridge_tower::Recorder;
use bridge_tower::routes::RouteTable;

/// An application to serve: a router as it is, or one that was observed already, with limits or
/// deadlines of its own.
#[derive(Debug)]
pub struct HttpApp(Kind);

#[derive(Debug)]
enum Kind {
    Router(axum::Router),
    Observed(Observed),
}

impl From<axum::Router> for HttpApp {
    fn from(router: axum::Router) -> Self {
        Self(Kind::Router(router))
    }
}

impl From<Observed> for HttpApp {
    fn from(observed: Observed) -> Self {
        Self(Kind::Observed(observed))
    }
}

impl HttpApp {
    /// The application, observed if it was not yet.
    pub(crate) fn observed(self) -> Observed {
        match self.0 {
            Kind::Router(router) => bridge_tower::observe(router),
            Kind::Observed(observed) => observed,
        }
    }

    /// The same, recording to `recorder` from now on.
    #[cfg(feature = "mesh")]
    pub(crate) fn recording_to(self, recorder: &Recorder) -> Observed {
        match self.0 {
            Kind::Router(router) => Observed::new(router, recorder),
            Kind::Observed(observed) => observed.record_to(recorder),
        }
    }
}

/// What has routes that can be read: an axum router, with or without its state, and an application
/// that is [`Observed`].
pub trait Routed: sealed::Sealed {
    /// Its routes.
    #[doc(hidden)]
    fn table(&self) -> RouteTable;

    /// The application, where requests are counted.
    #[doc(hidden)]
    fn counted(&self) -> Option<&Observed>;
}

mod sealed {
    pub trait Sealed {}

    impl<S> Sealed for axum::Router<S> {}
    impl Sealed for bridge_tower::Observed {}
}

impl<S> Routed for axum::Router<S> {
    fn table(&self) -> RouteTable {
        routes_of(self)
    }

    fn counted(&self) -> Option<&Observed> {
        None
    }
}

impl Routed for Observed {
    fn table(&self) -> RouteTable {
        self.routes().clone()
    }

    fn counted(&self) -> Option<&Observed> {
        Some(self)
    }
}

/// The routes of `app`; none, with a warning, when they cannot be read.
fn routes_of<S>(app: &axum::Router<S>) -> RouteTable {
    RouteTable::of(app).unwrap_or_else(|unknown| {
        tracing::warn!(
            reason = %unknown,
            "the router's routes cannot be read and are not on the map"
        );
        RouteTable::default()
    })
}
