//! The only source of time, for the runtime and for services.
//!
//! Everything that waits or stamps takes a [`Clock`]. Production uses [`Clock::system`]; a test
//! that wants to move time by hand uses [`Clock::manual`] and leaves the async runtime alone,
//! because pausing that one breaks database pools and sockets.
//!
//! Invariant: monotonic time never goes back, whatever the wall clock does; deadlines and waits
//! are monotonic, only stamps that people or other machines read are wall time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::future::Future;
use std::ops::Add;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use parking_lot::Mutex;
use pin_project_lite::pin_project;
use tokio::sync::oneshot;

/// Wall time in microseconds since the Unix epoch, UTC. Negative before 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds since the Unix epoch; saturates beyond ±292,000 years.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the Unix epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Time passed since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        u64::try_from(micros).map_or(Duration::ZERO, Duration::from_micros)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

/// A point on a clock that never goes back. Only differences mean anything, and only between
/// points of one [`Clock`] and its clones: each system clock counts from its own making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(u64);

impl Monotonic {
    /// Time passed since `earlier`; zero when `earlier` is later.
    #[inline]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// Nanoseconds passed since `earlier`; zero when `earlier` is later.
    #[inline]
    pub const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Monotonic {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

/// The time ran out before the future was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("time ran out")]
pub struct Elapsed;

/// A handle on time. Cheap to clone; every clone is the same clock.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    /// Its origin: nanoseconds of the machine's monotonic clock.
    System(u64),
    Manual(Arc<Mutex<ManualState>>),
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System(_) => "Clock(system)",
            Source::Manual(_) => "Clock(manual)",
        })
    }
}

impl Clock {
    /// The clocks of this machine.
    pub fn system() -> Self {
        Self(Source::System(machine_nanos()))
    }

    /// A clock that stands at `start` until its [`ManualClock`] moves it.
    pub fn manual(start: Timestamp) -> (Self, ManualClock) {
        let state = Arc::new(Mutex::new(ManualState {
            wall: start,
            passed: Duration::ZERO,
            sleepers: BinaryHeap::new(),
            next: 0,
        }));
        (Self(Source::Manual(state.clone())), ManualClock(state))
    }

    /// The wall time.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System(_) => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => Timestamp::EPOCH + since,
                Err(before) => {
                    let micros = i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX);
                    Timestamp(-micros)
                }
            },
            Source::Manual(state) => state.lock().wall,
        }
    }

    /// The monotonic time.
    #[inline]
    pub fn monotonic(&self) -> Monotonic {
        match &self.0 {
            Source::System(origin) => Monotonic(machine_nanos().saturating_sub(*origin)),
            Source::Manual(state) => Monotonic(0) + state.lock().passed,
        }
    }

    /// Waits for `span`.
    pub fn sleep(&self, span: Duration) -> Sleep {
        let inner = match &self.0 {
            Source::System(_) => SleepInner::System {
                sleep: tokio::time::sleep(span),
            },
            Source::Manual(state) => SleepInner::Manual {
                woken: ManualState::wait(state, span),
            },
        };
        Sleep { inner }
    }

    /// Waits until the clock reads `at`; does not wait when it already does.
    pub fn sleep_until(&self, at: Monotonic) -> Sleep {
        self.sleep(at.since(self.monotonic()))
    }

    /// Runs `future` for at most `span`.
    ///
    /// # Errors
    ///
    /// [`Elapsed`] when `span` passed first; the future is dropped then.
    pub async fn timeout<F: Future>(
        &self,
        span: Duration,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        if let Source::System(_) = self.0 {
            return tokio::time::timeout(span, future)
                .await
                .map_err(|_| Elapsed);
        }
        let mut future = std::pin::pin!(future);
        let mut sleep = std::pin::pin!(self.sleep(span));
        std::future::poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            sleep.as_mut().poll(cx).map(|()| Err(Elapsed))
        })
        .await
    }

    /// A beat every `period`, the first one period from now. Beats that nobody waited for are
    /// skipped, not made up for.
    pub fn interval(&self, period: Duration) -> Interval {
        Interval {
            clock: self.clone(),
            period,
            next: self.monotonic() + period,
        }
    }
}

/// The machine's monotonic clock as one number, which it never exceeds in 584 years. The standard
/// library's `Instant` keeps seconds and nanoseconds apart, and joining them twice a request costs
/// more than reading the clock's page does.
#[inline]
fn machine_nanos() -> u64 {
    // Every Unix has this clock, and neither part of it is ever negative.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |now| {
        now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned()
    })
}

pin_project! {
    /// Future of [`Clock::sleep`].
    #[derive(Debug)]
    #[must_use = "a sleep does nothing until awaited"]
    pub struct Sleep {
        #[pin]
        inner: SleepInner,
    }
}

pin_project! {
    #[project = SleepProj]
    #[derive(Debug)]
    enum SleepInner {
        System { #[pin] sleep: tokio::time::Sleep },
        Manual { #[pin] woken: oneshot::Receiver<()> },
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project().inner.project() {
            SleepProj::System { sleep } => sleep.poll(cx),
            // A manual clock that was dropped can never wake anyone: its sleepers wait for ever,
            // as they would on a clock that nobody moves.
            SleepProj::Manual { woken } => match woken.poll(cx) {
                Poll::Ready(Ok(())) => Poll::Ready(()),
                Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
            },
        }
    }
}

/// Beats of [`Clock::interval`].
#[derive(Debug)]
pub struct Interval {
    clock: Clock,
    period: Duration,
    next: Monotonic,
}

impl Interval {
    /// Waits for the next beat.
    pub async fn tick(&mut self) {
        self.clock.sleep_until(self.next).await;
        let (planned, now) = (self.next + self.period, self.clock.monotonic());
        self.next = if planned > now {
            planned
        } else {
            now + self.period
        };
    }
}

/// Moves a [`Clock::manual`] clock.
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<ManualState>>);

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManualClock")
    }
}

impl ManualClock {
    /// Moves both clocks forward by `span` and wakes whoever waited for a point in between, in
    /// the order of those points.
    pub fn advance(&self, span: Duration) {
        let mut state = self.0.lock();
        state.passed += span;
        state.wall = state.wall + span;
        let passed = state.passed;
        while state
            .sleepers
            .peek()
            .is_some_and(|first| first.0.at <= passed)
        {
            if let Some(Reverse(sleeper)) = state.sleepers.pop() {
                // The sleeper may have been dropped; then nobody is listening.
                let _ = sleeper.wake.send(());
            }
        }
    }

    /// Sets the wall clock alone, as an administrator or a time server would. Nobody wakes.
    pub fn jump_wall(&self, to: Timestamp) {
        self.0.lock().wall = to;
    }

    /// How many waits are pending. A test that wants to advance past a wait first checks that
    /// the wait has begun.
    pub fn sleepers(&self) -> usize {
        self.0
            .lock()
            .sleepers
            .iter()
            .filter(|it| !it.0.wake.is_closed())
            .count()
    }
}

struct ManualState {
    wall: Timestamp,
    passed: Duration,
    sleepers: BinaryHeap<Reverse<Sleeper>>,
    next: u64,
}

struct Sleeper {
    at: Duration,
    order: u64,
    wake: oneshot::Sender<()>,
}

impl ManualState {
    fn wait(state: &Mutex<Self>, span: Duration) -> oneshot::Receiver<()> {
        let (wake, woken) = oneshot::channel();
        let mut state = state.lock();
        if span.is_zero() {
            let _ = wake.send(());
            return woken;
        }
        state.next += 1;
        let sleeper = Sleeper {
            at: state.passed.saturating_add(span),
            order: state.next,
            wake,
        };
        state.sleepers.push(Reverse(sleeper));
        woken
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_sleep_ends_only_when_its_time_has_come() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1_000));
        let mut sleep = std::pin::pin!(clock.sleep(Duration::from_secs(5)));
        hand.advance(Duration::from_millis(4_999));
        assert!(futures_poll(sleep.as_mut()).await.is_pending());
        hand.advance(Duration::from_millis(1));
        sleep.await;
        assert_eq!(clock.now(), Timestamp::from_millis(6_000));
    }

    #[tokio::test]
    async fn a_wall_jump_wakes_nobody_and_keeps_monotonic_time() {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let before = clock.monotonic();
        let mut sleep = std::pin::pin!(clock.sleep(Duration::from_secs(1)));
        hand.jump_wall(Timestamp::from_millis(99_000_000));
        assert!(futures_poll(sleep.as_mut()).await.is_pending());
        assert_eq!(clock.monotonic(), before);
        assert_eq!(clock.now().as_millis(), 99_000_000);
    }

    #[tokio::test]
    async fn timeout_prefers_a_ready_future_and_reports_a_late_one() {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let ready = clock.timeout(Duration::ZERO, std::future::ready(7)).await;
        assert_eq!(ready, Ok(7));
        let waiting = clock.timeout(Duration::from_secs(1), std::future::pending::<()>());
        let mut waiting = std::pin::pin!(waiting);
        assert!(futures_poll(waiting.as_mut()).await.is_pending());
        hand.advance(Duration::from_secs(1));
        assert_eq!(waiting.await, Err(Elapsed));
    }

    #[tokio::test]
    async fn an_interval_skips_the_beats_nobody_waited_for() {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let mut beats = clock.interval(Duration::from_secs(1));
        hand.advance(Duration::from_millis(10_500));
        beats.tick().await;
        let mut next = std::pin::pin!(beats.tick());
        assert!(futures_poll(next.as_mut()).await.is_pending());
        hand.advance(Duration::from_secs(1));
        next.await;
    }

    async fn futures_poll<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
        std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
    }
}
