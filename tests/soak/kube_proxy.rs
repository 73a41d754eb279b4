//! Stopping the testbed's kube-proxy for a moment, so that no node learns of anything.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::support::part::testbed;
use crate::support::until;

/// How long it is stopped at least.
const LEAST: Duration = Duration::from_secs(3);
/// How long it is still stopped after what it is stopped around.
const AFTER: Duration = Duration::from_secs(1);
/// How long it is stopped at most.
const MOST: Duration = Duration::from_secs(20);

/// kube-proxy while it is stopped. It goes on when this is dropped, when the test is killed, and
/// after [`MOST`] whatever happens.
pub(crate) struct Stopped {
    since: Timestamp,
    began: Instant,
    /// A process of its own that lets it go on once nobody writes to it any more.
    guard: Child,
}

impl Stopped {
    /// Stops the process.
    pub(crate) fn now(pid: &str) -> Self {
        let mut guard = Command::new("sh");
        let most = MOST.as_secs();
        guard.args(["-c", &format!("timeout {most} cat; kill -CONT {pid}")]);
        // An interrupt from the terminal ends the test, and not this.
        guard.process_group(0).stdin(Stdio::piped());
        let stopped = Self {
            since: Timestamp::now(),
            began: Instant::now(),
            guard: guard.spawn().unwrap(),
        };
        signal("-STOP", pid);
        until("kube-proxy to be stopped", || {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            status.contains("State:\tT").then_some(())
        });
        stopped
    }

    /// Lets it go on a moment after what it was stopped around, which is now. Gives from when to
    /// when it was stopped.
    pub(crate) fn over(mut self) -> (Timestamp, Timestamp) {
        sleep(AFTER.max(LEAST.saturating_sub(self.began.elapsed())));
        let until = Timestamp::now();
        assert!(self.began.elapsed() < MOST, "kube-proxy went on before");
        assert!(self.go_on(), "kube-proxy is gone");
        (self.since, until)
    }

    fn go_on(&mut self) -> bool {
        drop(self.guard.stdin.take());
        self.guard.wait().is_ok_and(|ended| ended.success())
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.go_on();
    }
}

/// The process id of the testbed's kube-proxy.
pub(crate) fn pid() -> String {
    let pid = testbed("pid", "kube-proxy");
    let pid = pid.unwrap_or_else(|said| {
        panic!("there is no kube-proxy of the testbed's own to stop:\n{said}")
    });
    pid.trim().to_owned()
}

fn signal(signal: &str, pid: &str) {
    let sent = Command::new("kill").args([signal, pid]).status().unwrap();
    assert!(sent.success(), "failed to send {signal} to kube-proxy");
}
