//! What the kernel knows about a process: time on a processor, memory, open files.
//!
//! Refuses to guess: a number that cannot be read is an error, because a zero would look like a
//! very good result.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::failure::{Context, Failure, Result};

/// Time all threads of `pid` have spent on a processor so far.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let folder = format!("/proc/{pid}/task");
    let mut nanos = 0;
    for thread in fs::read_dir(&folder).context(&folder)? {
        let path = thread.context(&folder)?.path().join("schedstat");
        // A thread that ended between listing and reading takes its few microseconds along.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let first = text.split_whitespace().next().unwrap_or_default();
        nanos += first.parse::<u64>().context(path.display())?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// Time that all threads of this process have spent on a processor so far, to the nanosecond: the
/// kernel counts others only when a thread of theirs is stopped.
pub(crate) fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Time that the processes this one has started, and waited for, have spent on a processor, with all
/// that they started; to a hundredth of a second.
pub(crate) fn children_cpu() -> Result<Duration> {
    let path = "/proc/self/stat";
    let text = fs::read_to_string(path).context(path)?;
    // Behind the program's name, which may hold anything: state is the first, these are 14 and 15.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks: Vec<u64> = ticks.map_while(|it| it.parse().ok()).collect();
    let [user, system] = ticks[..] else {
        return Err(Failure::new(format!(
            "{path} does not tell the time of children"
        )));
    };
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Ok(Duration::from_millis((user + system) * 1_000 / per_second))
}

/// Resident memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).context(&path)?;
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|kib| kib.parse::<u64>().ok())
            .map(|kib| kib * 1024)
            .ok_or_else(|| Failure::new(format!("{path} has no {name}")))
    };
    Ok(Memory {
        now: field("VmRSS:")?,
        peak: field("VmHWM:")?,
    })
}

/// How many files this process, and those it starts, may have open.
pub(crate) fn files_max() -> Result<u64> {
    let path = "/proc/self/limits";
    let text = fs::read_to_string(path).context(path)?;
    let line = text.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    match soft {
        Some("unlimited") => Ok(u64::MAX),
        Some(number) => number.parse().context(path),
        None => Err(Failure::new(format!("{path} does not tell the file limit"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_memory() {
        let pid = std::process::id();
        assert!(cpu(pid).expect("readable") > Duration::ZERO);
        assert!(own_cpu() > Duration::ZERO);
        children_cpu().expect("readable");
        let memory = memory(pid).expect("readable");
        assert!(memory.now > 0 && memory.peak >= memory.now);
        assert!(files_max().expect("readable") > 0);
    }
}
