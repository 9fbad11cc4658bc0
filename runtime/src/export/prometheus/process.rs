//! What the operating system says of this process. Absent where it does not say.

use std::fs;

/// This process, now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Process {
    /// Time on processors, in seconds.
    pub(super) cpu_seconds: f64,
    /// Memory in use, in bytes.
    pub(super) resident_bytes: Option<f64>,
    /// Open files.
    pub(super) open_files: Option<f64>,
    /// Most files it may open.
    pub(super) files_max: Option<f64>,
}

impl Process {
    pub(super) fn now() -> Self {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds and nanoseconds of one life"
        )]
        let cpu_seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
        let status = fs::read_to_string("/proc/self/status").ok();
        // The folder that is being read is open too.
        let open = fs::read_dir("/proc/self/fd").ok();
        let open = open.map(|it| it.count().saturating_sub(1));
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        Self {
            cpu_seconds,
            resident_bytes: status.as_deref().and_then(resident),
            open_files: open.and_then(|it| u32::try_from(it).ok()).map(f64::from),
            #[expect(clippy::cast_precision_loss, reason = "a limit far below 2^53")]
            files_max: limit.current.map(|it| it as f64),
        }
    }
}

fn resident(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_line_of_the_kernel() {
        assert_eq!(
            resident("Name:\tx\nVmRSS:\t   2048 kB\n"),
            Some(2.0 * 1024.0 * 1024.0)
        );
        assert_eq!(resident("Name: x"), None);
        assert!(Process::now().cpu_seconds >= 0.0);
    }
}
