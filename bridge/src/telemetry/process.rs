//! What this process uses: its processor time and its memory, as gauges.
//!
//! Read from `/proc`; where there is none (another system than Linux) the memory is left out.

use std::time::Duration;

use contract::clock::{Clock, Monotonic};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{SysconfVar, sysconf};

use super::Telemetry;

/// Time between two readings.
const READ_EVERY: Duration = Duration::from_secs(30);

/// Measures the process at once and then every 30 s, for as long as it is polled.
pub(crate) async fn measure(telemetry: Telemetry, clock: Clock) {
    let cpu = telemetry.gauge("process.cpu_percent").unit("%").bind(&[]);
    let memory = telemetry.gauge("process.rss_bytes").unit("By").bind(&[]);
    let mut usage = Usage::default();
    let mut beat = clock.interval(READ_EVERY);
    loop {
        if let Some(percent) = usage.cpu_percent(clock.monotonic(), cpu_time()) {
            cpu.set(percent);
        }
        if let Some(bytes) = resident_bytes() {
            memory.set(bytes);
        }
        beat.tick().await;
    }
}

/// The previous reading.
#[derive(Debug, Default)]
struct Usage(Option<(Monotonic, Duration)>);

impl Usage {
    /// Percent of one processor since the previous reading; since the process began for the
    /// first. It exceeds 100 when several processors work.
    fn cpu_percent(&mut self, now: Monotonic, used: Duration) -> Option<f64> {
        let (span, used_in_it) = match self.0.replace((now, used)) {
            Some((then, before)) => (now.since(then), used.saturating_sub(before)),
            None => (age()?, used),
        };
        let seconds = span.as_secs_f64();
        (seconds > 0.0).then(|| used_in_it.as_secs_f64() / seconds * 100.0)
    }
}

/// Processor time used so far, in all threads.
fn cpu_time() -> Duration {
    // Every process has this clock.
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Time since the process began.
fn age() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    #[allow(clippy::cast_precision_loss)] // some hundred
    let ticks_per_second = sysconf(SysconfVar::CLK_TCK).ok()?? as f64;
    age_of(&stat, &uptime, ticks_per_second)
}

fn age_of(stat: &str, uptime: &str, ticks_per_second: f64) -> Option<Duration> {
    // The name is in parentheses and may hold anything; field 22 is the start, in ticks.
    let (_, after_name) = stat.rsplit_once(')')?;
    let started: f64 = after_name.split_whitespace().nth(19)?.parse().ok()?;
    let up: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(up - started / ticks_per_second).ok()
}

/// Memory that is in use now.
fn resident_bytes() -> Option<f64> {
    resident_of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn resident_of(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use contract::clock::Timestamp;

    use super::*;

    #[test]
    fn the_files_are_read_whatever_the_process_is_called() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 2 1 0 0 20 0 1 0 6000 9 9";
        let age = age_of(stat, "100.50 12.00\n", 100.0);
        assert_eq!(age, Some(Duration::from_millis(40_500)));
        assert_eq!(age_of("7 (a", "1 1", 100.0), None);
        let status = "Name:\tx\nVmHWM:\t 9 kB\nVmRSS:\t   2048 kB\n";
        assert_eq!(resident_of(status), Some(2.0 * 1024.0 * 1024.0));
        assert_eq!(resident_of("Name: x"), None);
    }

    #[test]
    fn two_busy_processors_are_two_hundred_percent() {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let mut usage = Usage(Some((clock.monotonic(), Duration::from_secs(5))));
        hand.advance(Duration::from_secs(30));
        let percent = usage.cpu_percent(clock.monotonic(), Duration::from_secs(65));
        assert_eq!(percent, Some(200.0));
        hand.advance(Duration::from_secs(30));
        let percent = usage.cpu_percent(clock.monotonic(), Duration::from_secs(65));
        assert_eq!(percent, Some(0.0));
        assert_eq!(usage.cpu_percent(clock.monotonic(), Duration::ZERO), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_something() {
        assert!(resident_bytes().is_some_and(|it| it > 100_000.0));
        assert!(age().is_some_and(|it| it < Duration::from_secs(86_400)));
        assert!(cpu_time() > Duration::ZERO);
    }
}
