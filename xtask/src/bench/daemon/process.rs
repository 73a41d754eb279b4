//! A `promoter serve` that runs, and what can be seen of it from outside.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::super::memory;
use crate::{http, run};

const READY_WITHIN: Duration = Duration::from_mins(2);
const INTERVAL: Duration = Duration::from_millis(20);
/// What the kernel counts the time of processes in.
const TICKS_PER_SECOND: f64 = 100.0;

/// It. Dropped, it is stopped.
pub(super) struct Daemon {
    child: Child,
    log: PathBuf,
    address: String,
    /// How long it took until it was ready.
    pub(super) start: Duration,
}

impl Daemon {
    /// Starts it and waits until it is ready. Its log goes into a file.
    pub(super) fn start(mut serve: Command, log: PathBuf) -> Result<Self> {
        let begun = Instant::now();
        let child = serve
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .context("failed to start promoter serve")?;
        let mut daemon = Self {
            child,
            log,
            address: String::new(),
            start: Duration::ZERO,
        };
        while !daemon.is_ready()? {
            if begun.elapsed() > READY_WITHIN || daemon.child.try_wait()?.is_some() {
                let said = run::tail(&daemon.log);
                bail!("promoter serve does not get ready:\n{said}");
            }
            std::thread::sleep(INTERVAL);
        }
        daemon.start = begun.elapsed();
        Ok(daemon)
    }

    fn is_ready(&mut self) -> Result<bool> {
        if self.address.is_empty() {
            let log = std::fs::read_to_string(&self.log)?;
            self.address = address(&log).unwrap_or_default();
        }
        let url = format!("http://{}/readyz", self.address);
        Ok(!self.address.is_empty() && http::answers(&url))
    }

    /// What it answers on `/metrics`.
    pub(super) fn metrics(&self) -> Result<String> {
        let url = format!("http://{}/metrics", self.address);
        let answer = http::client(Duration::from_secs(10)).get(&url).call();
        let mut answer = answer.with_context(|| format!("failed to reach {url}"))?;
        Ok(answer.body_mut().read_to_string()?)
    }

    /// The memory that it has now, in MB.
    pub(super) fn resident(&self) -> Result<f64> {
        let found = memory::resident_of(self.child.id());
        found.map(memory::megabytes).with_context(|| self.ended())
    }

    /// The most that it had at once, in MB.
    pub(super) fn peak(&self) -> Result<f64> {
        let found = memory::peak_of(self.child.id());
        found.map(memory::megabytes).with_context(|| self.ended())
    }

    /// The processor's seconds that it took so far.
    pub(super) fn busy(&self) -> Result<f64> {
        let file = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(file).with_context(|| self.ended())?;
        let ticks = ticks(&stat).context("the kernel tells no times of a process")?;
        Ok(f64::from(ticks) / TICKS_PER_SECOND)
    }

    fn ended(&self) -> String {
        format!("promoter serve has ended:\n{}", run::tail(&self.log))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where it listens, by its log.
fn address(log: &str) -> Option<String> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut serving = lines.filter(|line| line["message"] == "serving");
    let address = serving.next()?["fields"]["address"].as_str()?.to_owned();
    Some(address)
}

/// The ticks that a process took in user space and in the kernel.
fn ticks(stat: &str) -> Option<u32> {
    // Its name, in brackets, may have spaces in it.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11);
    let user: u32 = times.next()?.parse().ok()?;
    let kernel: u32 = times.next()?.parse().ok()?;
    Some(user + kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_process_are_behind_its_name() {
        let stat = "42 (a b) c) S 1 1 1 0 -1 4194560 500 0 0 0 17 5 0 0 20 0 3 0 1 2 3";
        assert_eq!(ticks(stat), Some(22));
        assert_eq!(ticks("42 (promoter) S 1"), None);
    }

    #[test]
    fn where_it_listens_is_in_its_log() {
        let log = "no JSON\n{\"message\":\"took\"}\n\
                   {\"message\":\"serving\",\"fields\":{\"address\":\"127.0.0.1:7\"}}\n{\"half";
        assert_eq!(address(log).as_deref(), Some("127.0.0.1:7"));
        assert_eq!(address("{\"message\":\"took\"}\n"), None);
    }
}
