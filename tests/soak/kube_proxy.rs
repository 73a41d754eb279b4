//! Stopping the testbed's kube-proxy for a moment, so that no node learns of anything.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use jiff::Timestamp;

use crate::support::part::testbed;
use crate::support::until;

/// How long it is stopped.
const SECONDS: &str = "3";

/// kube-proxy while it is stopped. It goes on after [`SECONDS`], even if the test is killed, and at
/// the latest when this is dropped.
pub(crate) struct Stopped {
    pid: String,
    since: Timestamp,
    /// A process of its own that lets it go on.
    timer: Child,
}

impl Stopped {
    /// Stops the process.
    pub(crate) fn now(pid: &str) -> Self {
        let mut timer = Command::new("sh");
        timer.args(["-c", &format!("sleep {SECONDS}; kill -CONT {pid}")]);
        // An interrupt from the terminal ends the test, and not this.
        let timer = timer.process_group(0).spawn().unwrap();
        let stopped = Self {
            pid: pid.to_owned(),
            since: Timestamp::now(),
            timer,
        };
        signal("-STOP", pid);
        until("kube-proxy to be stopped", || {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            status.contains("State:\tT").then_some(())
        });
        stopped
    }

    /// Waits until it goes on. Gives from when to when it was stopped.
    pub(crate) fn over(mut self) -> (Timestamp, Timestamp) {
        let ended = self.timer.wait().unwrap();
        assert!(ended.success(), "kube-proxy is gone");
        (self.since, Timestamp::now())
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // Once more, should the timer have been killed.
        let _ = Command::new("kill").args(["-CONT", &self.pid]).status();
        let _ = self.timer.wait();
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
