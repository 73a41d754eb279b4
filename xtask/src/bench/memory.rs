//! The memory of a process: the most that it had at once, and what it has now.

use std::path::PathBuf;
use std::process::Child;
use std::thread::JoinHandle;
use std::time::Duration;

/// How often to look. The kernel keeps the peak, so only what a process
/// reaches in its last moment can be missed.
const INTERVAL: Duration = Duration::from_millis(20);

/// Looks at a process until it ends.
pub(super) struct Watched(JoinHandle<Option<u32>>);

impl Watched {
    pub(super) fn new(child: &Child) -> Self {
        let pid = child.id();
        Self(std::thread::spawn(move || {
            let mut peak = None;
            while let Some(now) = peak_of(pid) {
                peak = Some(now);
                std::thread::sleep(INTERVAL);
            }
            peak
        }))
    }

    /// The peak in kB, once the process has ended.
    pub(super) fn peak(self) -> Option<u32> {
        self.0.join().ok().flatten()
    }
}

/// The peak of a process that runs, in kB.
pub(super) fn peak_of(pid: u32) -> Option<u32> {
    of(pid, "VmHWM:")
}

/// What a process that runs has now, in kB.
pub(super) fn resident_of(pid: u32) -> Option<u32> {
    of(pid, "VmRSS:")
}

/// The unit that people are told memory in.
pub(super) fn megabytes(kilobytes: u32) -> f64 {
    f64::from(kilobytes) * 1.024 / 1000.0
}

fn of(pid: u32, what: &str) -> Option<u32> {
    let file = PathBuf::from(format!("/proc/{pid}/status"));
    read(&std::fs::read_to_string(file).ok()?, what)
}

/// A process that has ended and was not waited for has no such line.
fn read(status: &str, what: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_and_what_it_has_now_are_read() {
        let status = "VmPeak:\t 9 kB\nVmHWM:\t   40960 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(read(status, "VmHWM:"), Some(40_960));
        assert_eq!(read(status, "VmRSS:"), Some(1));
        assert_eq!(read("State:\tZ (zombie)\n", "VmHWM:"), None);
    }
}
