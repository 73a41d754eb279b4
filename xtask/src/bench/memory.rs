//! The most memory that a process had at once.

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
    let file = PathBuf::from(format!("/proc/{pid}/status"));
    read(&std::fs::read_to_string(file).ok()?)
}

/// A process that has ended and was not waited for has no such line.
fn read(status: &str) -> Option<u32> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read() {
        assert_eq!(
            read("VmPeak:\t 9 kB\nVmHWM:\t   40960 kB\nVmRSS:\t 1 kB\n"),
            Some(40_960)
        );
        assert_eq!(read("State:\tZ (zombie)\n"), None);
    }
}
