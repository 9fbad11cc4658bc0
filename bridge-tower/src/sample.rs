//! Which requests leave a record. Metrics are never sampled: they count every request.
//!
//! Invariant: the decision needs nothing but the flag in the caller's header and the trace id, so
//! it is made before anything is allocated, and two services with the same ratio agree on a trace.

/// Decides whether a request is recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Sampler {
    /// Every request, whatever its caller decided.
    Always,
    /// None. Metrics and propagation go on.
    Never,
    /// What the caller decided; where nobody did, this share of traces, from 0.0 to 1.0.
    Parent {
        /// Share of the traces that begin here.
        roots: f64,
    },
}

impl Default for Sampler {
    /// What the caller decided, and every trace that begins here.
    fn default() -> Self {
        Self::Parent { roots: 1.0 }
    }
}

/// A [`Sampler`] ready to be asked once per request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decider {
    follows: bool,
    /// Traces whose random part is below are recorded.
    below: u64,
}

/// Bits of the trace id that decide.
const RATIO_BITS: u32 = 56;

impl From<Sampler> for Decider {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    #[allow(clippy::cast_sign_loss)] // clamped to what fits
    fn from(sampler: Sampler) -> Self {
        let all = 1_u64 << RATIO_BITS;
        match sampler {
            Sampler::Always => Self {
                follows: false,
                below: all,
            },
            Sampler::Never => Self {
                follows: false,
                below: 0,
            },
            Sampler::Parent { roots } => Self {
                follows: true,
                below: (roots.clamp(0.0, 1.0) * all as f64) as u64,
            },
        }
    }
}

impl Decider {
    /// `parent` is the caller's decision if it made one, `random` the low half of the trace id.
    pub(crate) fn records(self, parent: Option<bool>, random: u64) -> bool {
        match parent {
            Some(decided) if self.follows => decided,
            _ => random & ((1 << RATIO_BITS) - 1) < self.below,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_decides_unless_told_otherwise() {
        let parent = Decider::from(Sampler::Parent { roots: 0.0 });
        assert!(parent.records(Some(true), u64::MAX));
        assert!(!parent.records(None, 0));
        assert!(Decider::from(Sampler::Always).records(Some(false), u64::MAX));
        assert!(!Decider::from(Sampler::Never).records(Some(true), 0));
        assert!(!Decider::from(Sampler::default()).records(Some(false), 0));
        assert!(Decider::from(Sampler::default()).records(None, u64::MAX));
    }

    #[test]
    fn a_ratio_takes_its_share_of_the_roots() {
        let tenth = Decider::from(Sampler::Parent { roots: 0.1 });
        let mut random = fastrand::Rng::with_seed(7);
        let taken = (0..100_000)
            .filter(|_| tenth.records(None, random.u64(..)))
            .count();
        assert!((9_000..11_000).contains(&taken), "{taken}");
    }

    #[test]
    fn a_ratio_that_is_no_share_is_clamped() {
        assert!(Decider::from(Sampler::Parent { roots: 7.0 }).records(None, u64::MAX));
        assert!(!Decider::from(Sampler::Parent { roots: f64::NAN }).records(None, 0));
    }
}
