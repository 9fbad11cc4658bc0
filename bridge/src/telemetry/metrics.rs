//! Counters, gauges and histograms as a user holds them.
//!
//! Adding never fails and never waits: a number or a series that exceeds a limit is dropped and
//! counted, see [`Telemetry::dropped`]. Bind labels once where a value is added often; a bound
//! instrument neither looks a series up nor allocates.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Telemetry;
use super::series::{BOUNDS_DEFAULT, Kind, Metric, Series};

macro_rules! instrument {
    ($(#[$docs:meta])* $name:ident, $(#[$bound_docs:meta])* $bound:ident) => {
        $(#[$docs])*
        #[derive(Clone, Debug)]
        pub struct $name {
            telemetry: Telemetry,
            metric: Metric,
        }

        $(#[$bound_docs])*
        #[derive(Clone, Debug)]
        pub struct $bound {
            telemetry: Telemetry,
            /// `None` when there was no room for another series.
            series: Option<Arc<Series>>,
        }

        impl $name {
            /// Names the unit in UCUM notation: `By`, `s`, `1`.
            #[must_use]
            pub fn unit(mut self, unit: &str) -> Self {
                self.metric.unit = unit.into();
                self
            }

            /// The series with these labels, at most 32; of two with one name the last counts.
            /// Names are up to 256 characters, values up to 1,024.
            #[must_use]
            pub fn bind(&self, labels: &[(&str, &str)]) -> $bound {
                $bound {
                    telemetry: self.telemetry.clone(),
                    series: self.telemetry.0.series.of(&self.metric, labels),
                }
            }
        }

        impl $bound {
            fn with(&self, put: impl FnOnce(&Series) -> bool) {
                if self.telemetry.is_enabled() && !self.series.as_deref().is_some_and(put) {
                    self.telemetry.0.lost_metrics.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    };
}

instrument! {
    /// Something that is counted. See [`Telemetry::counter`].
    Counter,
    /// A [`Counter`] with its labels.
    BoundCounter
}
instrument! {
    /// Something that goes up and down. See [`Telemetry::gauge`].
    Gauge,
    /// A [`Gauge`] with its labels.
    BoundGauge
}
instrument! {
    /// Something whose distribution matters. See [`Telemetry::histogram`].
    Histogram,
    /// A [`Histogram`] with its labels.
    BoundHistogram
}

impl Counter {
    /// Counts `number` more; it has to be finite and not negative.
    pub fn add(&self, number: f64, labels: &[(&str, &str)]) {
        self.bind(labels).add(number);
    }
}

impl BoundCounter {
    /// Counts `number` more; it has to be finite and not negative.
    pub fn add(&self, number: f64) {
        self.with(|series| series.put(number));
    }
}

impl Gauge {
    /// Says what it is now; a finite number.
    pub fn set(&self, number: f64, labels: &[(&str, &str)]) {
        self.bind(labels).set(number);
    }
}

impl BoundGauge {
    /// Says what it is now; a finite number.
    pub fn set(&self, number: f64) {
        self.with(|series| series.put(number));
    }
}

impl Histogram {
    /// Upper bounds of the buckets instead of the default ones: up to 256 finite numbers,
    /// ascending; one more bucket has no bound. They are set by the first use of a series.
    #[must_use]
    pub fn bounds(mut self, bounds: &[f64]) -> Self {
        self.metric.bounds = bounds.into();
        self
    }

    /// Observes `number`; a finite one.
    pub fn record(&self, number: f64, labels: &[(&str, &str)]) {
        self.bind(labels).record(number);
    }
}

impl BoundHistogram {
    /// Observes `number`; a finite one.
    pub fn record(&self, number: f64) {
        self.with(|series| series.put(number));
    }
}

impl Telemetry {
    /// A counter. Its unit is `1` unless another is given.
    ///
    /// ```no_run
    /// # fn example(bridge: &bridge::Bridge) {
    /// let orders = bridge.telemetry().counter("shop.orders");
    /// orders.add(1.0, &[("kind", "web")]);
    /// // Where it is counted often:
    /// let from_web = orders.bind(&[("kind", "web")]);
    /// from_web.add(1.0);
    /// # }
    /// ```
    pub fn counter(&self, name: &str) -> Counter {
        Counter {
            telemetry: self.clone(),
            metric: metric(Kind::Counter, name, "1", &[]),
        }
    }

    /// A gauge. Its unit is `1` unless another is given.
    pub fn gauge(&self, name: &str) -> Gauge {
        Gauge {
            telemetry: self.clone(),
            metric: metric(Kind::Gauge, name, "1", &[]),
        }
    }

    /// A histogram of seconds, with bounds from 5 ms to 10 s, unless a unit and bounds are given.
    pub fn histogram(&self, name: &str) -> Histogram {
        Histogram {
            telemetry: self.clone(),
            metric: metric(Kind::Histogram, name, "s", &BOUNDS_DEFAULT),
        }
    }
}

pub(super) fn metric(kind: Kind, name: &str, unit: &str, bounds: &[f64]) -> Metric {
    Metric {
        kind,
        name: name.into(),
        unit: unit.into(),
        bounds: bounds.into(),
    }
}
