//! Everything a user can set, with its default and its bound, checked once before start.
//!
//! Invariant: a value in [`Options`] has been checked; nothing later looks at raw text.

use std::time::Duration;

use bridge_tower::Sampler;
use contract::key::ServiceKey;

use crate::error::Error;

/// How a call travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// Straight to an instance; through the runtime when none could be reached.
    #[default]
    Auto,
    /// Straight to an instance, or not at all. Needs no runtime once the registry is known.
    Direct,
    /// Through the runtime.
    Proxy,
}

/// How calls that provably were not executed are repeated. Nothing else ever is.
///
/// ```
/// let mut once = bridge::Retry::default();
/// once.attempts = 1;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Retry {
    /// Attempts in total, the first included; 1 means no repeat.
    pub attempts: u32,
    /// Pause before the first repeat that needs one. Going to another instance needs none.
    pub base: Duration,
    /// Growth of the pause.
    pub factor: f64,
    /// Longest pause.
    pub max: Duration,
    /// Share of the pause that is random, 0 to 1, in both directions.
    pub jitter: f64,
}

impl Default for Retry {
    /// 3 attempts, 200 ms growing by 2 up to 5 s, 30 % jitter.
    fn default() -> Self {
        Self {
            attempts: 3,
            base: Duration::from_millis(200),
            factor: 2.0,
            max: Duration::from_secs(5),
            jitter: 0.3,
        }
    }
}

impl Retry {
    /// The pause after failure number `failure`, counted from 0; `random` is in 0..1.
    pub(crate) fn pause(&self, failure: u32, random: f64) -> Duration {
        let grown = self.base.as_secs_f64() * self.factor.powi(failure.min(64) as i32);
        let capped = grown.min(self.max.as_secs_f64());
        let jittered = capped * (1.0 - self.jitter + 2.0 * self.jitter * random);
        Duration::from_millis((jittered * 1_000.0).round() as u64)
    }
}

/// Where inbound calls arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Advertise {
    /// `host:port`; the host is both bound and told to peers, port 0 lets the system choose.
    At(String),
    /// No inbound calls.
    Nowhere,
}

/// When repeated connection failures end the bridge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reconnect {
    /// A flat pause instead of the ladder.
    pub(crate) interval: Option<Duration>,
    /// Consecutive failures that are survived; 0 means any number.
    pub(crate) attempts: u32,
}

/// Checked settings of one bridge.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) name: String,
    pub(crate) runtime: String,
    pub(crate) key: ServiceKey,
    pub(crate) advertise: Advertise,
    /// Host of HTTP servers on the map.
    pub(crate) http_host: Option<String>,
    /// Which HTTP requests are recorded.
    pub(crate) sampler: Sampler,
    pub(crate) limits: Limits,
}

/// The numbers among the settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) call_timeout: Duration,
    pub(crate) transport: Transport,
    pub(crate) retry: Retry,
    pub(crate) reconnect: Reconnect,
    pub(crate) concurrent_calls_max: u32,
    pub(crate) queued_calls_max: u32,
    pub(crate) concurrent_streams_max: u32,
    pub(crate) start_timeout: Duration,
    pub(crate) stop_timeout: Duration,
    /// Longest time that work with an idempotency key runs.
    pub(crate) work_max: Duration,
    pub(crate) fail_on_policy_violation: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call_timeout: Duration::from_secs(30),
            transport: Transport::Auto,
            retry: Retry::default(),
            reconnect: Reconnect {
                interval: None,
                attempts: 0,
            },
            concurrent_calls_max: 256,
            queued_calls_max: 256,
            concurrent_streams_max: 256,
            start_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(10),
            work_max: Duration::from_secs(10 * 60),
            fail_on_policy_violation: false,
        }
    }
}

impl Limits {
    /// # Errors
    ///
    /// `CONFIG`, naming the first option that cannot be meant.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = [
            (
                self.call_timeout.is_zero(),
                "call_timeout is zero; give calls time to be answered",
            ),
            (
                self.start_timeout.is_zero(),
                "start_timeout is zero; give the bridge time to connect",
            ),
            (
                !(Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&self.work_max),
                "idempotent_work_max is not within 1 second and 24 hours",
            ),
            (
                self.concurrent_calls_max == 0,
                "max_concurrent_calls is 0; allow at least 1",
            ),
            (
                self.concurrent_streams_max == 0,
                "max_concurrent_streams is 0; allow at least 1",
            ),
            (
                self.retry.attempts == 0,
                "retry.attempts is 0; 1 means a single attempt",
            ),
            (
                self.retry.factor < 1.0,
                "retry.factor is below 1; pauses must not shrink",
            ),
            (
                !(0.0..=1.0).contains(&self.retry.jitter),
                "retry.jitter is not between 0 and 1",
            ),
        ];
        match wrong.iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, text)) => Err(Error::config(*text)),
            None => Ok(()),
        }
    }
}

/// Reads the runtime's address: `host:port`, a leading `https://` allowed.
pub(crate) fn runtime_address(text: &str) -> Result<String, Error> {
    let address = text.trim();
    let address = address
        .strip_prefix("https://")
        .unwrap_or(address)
        .trim_end_matches('/');
    let wrong = |why: &str| {
        Error::config(format!(
            "the runtime address `{text}` {why}; expected `host:port`"
        ))
    };
    if address.starts_with("http://") {
        return Err(wrong("asks for an unencrypted connection"));
    }
    let (host, port) = address
        .rsplit_once(':')
        .ok_or_else(|| wrong("has no port"))?;
    match port.parse::<u16>() {
        _ if host.is_empty() => Err(wrong("has no host")),
        Ok(0) | Err(_) => Err(wrong("has a port outside 1 to 65535")),
        Ok(_) => Ok(address.to_owned()),
    }
}

/// Reads where to listen: `host:port`, port 0 allowed.
pub(crate) fn advertise_address(text: &str) -> Result<Advertise, Error> {
    let wrong = |why: &str| {
        Error::config(format!(
            "the advertised address `{text}` {why}; expected `host:port` that peers can reach, port 0 for any"
        ))
    };
    let (host, port) = text
        .trim()
        .rsplit_once(':')
        .ok_or_else(|| wrong("has no port"))?;
    if host.is_empty() {
        return Err(wrong("has no host"));
    }
    port.parse::<u16>()
        .map_err(|_| wrong("has a port outside 0 to 65535"))?;
    Ok(Advertise::At(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_address_is_split_at_the_last_colon() {
        assert_eq!(
            runtime_address("localhost:14445").unwrap(),
            "localhost:14445"
        );
        assert_eq!(
            runtime_address(" https://bridge.internal:443/ ").unwrap(),
            "bridge.internal:443"
        );
        assert_eq!(runtime_address("[::1]:14445").unwrap(), "[::1]:14445");
        for bad in [
            "",
            "localhost",
            "localhost:",
            "localhost:0",
            "localhost:70000",
            ":1",
            "http://a:1",
        ] {
            let error = runtime_address(bad).unwrap_err();
            assert_eq!(error.code().as_str(), "CONFIG", "{bad}");
        }
    }

    #[test]
    fn an_advertised_address_may_leave_the_port_to_the_system() {
        assert_eq!(
            advertise_address("127.0.0.1:0").unwrap(),
            Advertise::At("127.0.0.1:0".into())
        );
        assert!(advertise_address("127.0.0.1").is_err());
        assert!(advertise_address(":7").is_err());
    }

    #[test]
    fn impossible_numbers_are_refused_by_name() {
        let zero = Limits {
            concurrent_calls_max: 0,
            ..Limits::default()
        };
        assert!(
            zero.check()
                .unwrap_err()
                .to_string()
                .contains("max_concurrent_calls")
        );
        assert!(Limits::default().check().is_ok());
    }

    #[test]
    fn pauses_grow_to_their_bound_and_vary_by_the_jitter() {
        let retry = Retry::default();
        assert_eq!(retry.pause(0, 0.5), Duration::from_millis(200));
        assert_eq!(retry.pause(1, 0.5), Duration::from_millis(400));
        assert_eq!(retry.pause(20, 0.5), Duration::from_secs(5));
        assert_eq!(retry.pause(0, 0.0), Duration::from_millis(140));
        assert_eq!(retry.pause(0, 1.0), Duration::from_millis(260));
    }
}
