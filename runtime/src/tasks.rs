//! Background tasks that may not die quietly.
//!
//! A supervised task that returns or panics is logged, counted, shown by `bridge doctor` and
//! started again after a growing pause. It ends for good only when the runtime stops.
//!
//! Invariant: between start and stop every supervised task is running or about to be.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::{Clock, Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Pause before the first restart; doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// Longest pause before a restart.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The tasks of one runtime. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    stop: watch::Sender<bool>,
    running: Mutex<Vec<JoinHandle<()>>>,
    reports: Mutex<Vec<TaskReport>>,
}

/// What `bridge doctor` says about one task.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TaskReport {
    /// Its name.
    pub name: &'static str,
    /// Whether it runs now.
    pub running: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// Why it last ended, if it did.
    pub last_end: Option<String>,
    /// When it last ended, in unix milliseconds.
    pub last_end_unix_ms: Option<i64>,
}

impl Tasks {
    /// No tasks yet.
    pub fn new(clock: &Clock) -> Self {
        let inner = Inner {
            clock: clock.clone(),
            stop: watch::Sender::new(false),
            running: Mutex::default(),
            reports: Mutex::default(),
        };
        Self(Arc::new(inner))
    }

    /// Runs the future that `start` makes, again whenever it ends.
    pub fn supervise<F, Fut>(&self, name: &'static str, start: F)
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let report = TaskReport {
            name,
            running: true,
            restarts: 0,
            last_end: None,
            last_end_unix_ms: None,
        };
        let index = {
            let mut reports = self.0.reports.lock();
            reports.push(report);
            reports.len() - 1
        };
        let handle = tokio::spawn(run(self.0.clone(), index, start));
        self.0.running.lock().push(handle);
    }

    /// How every task is doing.
    pub fn reports(&self) -> Vec<TaskReport> {
        self.0.reports.lock().clone()
    }

    /// Stops every task and waits until all are gone.
    pub async fn stop(&self) {
        self.0.stop.send_replace(true);
        let running = std::mem::take(&mut *self.0.running.lock());
        for task in running {
            // A supervisor catches what its task does; it cannot fail itself.
            let _ = task.await;
        }
    }
}

async fn run<F, Fut>(tasks: Arc<Inner>, index: usize, start: F)
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let mut stop = tasks.stop.subscribe();
    let mut pause = PAUSE_MIN;
    loop {
        let begun = tasks.clock.monotonic();
        let mut task = tokio::spawn(start());
        let ended = tokio::select! {
            () = told(&mut stop) => { task.abort(); let _ = task.await; return }
            ended = &mut task => ended,
        };
        if tasks.clock.monotonic().since(begun) > PAUSE_MAX {
            pause = PAUSE_MIN;
        }
        let why = match ended {
            Ok(()) => "returned".to_owned(),
            Err(error) => panic_text(error),
        };
        tasks.ended(index, why, tasks.clock.now());
        tokio::select! {
            () = told(&mut stop) => return,
            () = tasks.clock.sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSE_MAX);
        let mut reports = tasks.reports.lock();
        reports[index].running = true;
        reports[index].restarts += 1;
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that everybody who could say it is gone, which says it too.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Inner {
    fn ended(&self, index: usize, why: String, at: Timestamp) {
        let mut reports = self.reports.lock();
        let report = &mut reports[index];
        tracing::error!(
            task.name = report.name,
            task.end = why,
            "background task ended, restarting"
        );
        report.running = false;
        report.last_end = Some(why);
        report.last_end_unix_ms = Some(at.as_millis());
    }
}

fn panic_text(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "was cancelled".to_owned();
    };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!(
        "panicked: {}",
        text.unwrap_or_else(|| "no message".to_owned())
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_dead_task_is_reported_and_started_again() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(77));
        let tasks = Tasks::new(&clock);
        let starts = Arc::new(AtomicU32::new(0));
        let counter = starts.clone();
        tasks.supervise("brittle", move || {
            let starts = counter.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(starts > 0, "first start fails");
                std::future::pending::<()>().await;
            }
        });
        while tasks.reports()[0].last_end.is_none() || hand.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        let report = tasks.reports().remove(0);
        assert_eq!(
            report.last_end.as_deref(),
            Some("panicked: first start fails")
        );
        assert_eq!(report.last_end_unix_ms, Some(77));
        assert!(!report.running);
        hand.advance(PAUSE_MIN);
        while starts.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(tasks.reports()[0].restarts, 1);
        tasks.stop().await;
    }
}
