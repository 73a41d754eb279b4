//! What a task tells the person who runs it.
//!
//! Steps go to standard error, so that standard output holds results alone
//! (`eval "$(cargo xtask testbed env)"`).

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Tells what is being done, and how long it took where that was noticeable.
#[derive(Debug)]
pub(crate) struct Progress {
    start: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// How long the task has been at work.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Says one line.
    #[expect(
        clippy::unused_self,
        reason = "whoever may say something was given the means"
    )]
    pub(crate) fn note(&mut self, text: &str) {
        say(text);
    }

    /// Says what begins, does it, and says how long it took if that was long.
    pub(crate) fn step<T>(&mut self, doing: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.note(&format!("  {doing} ..."));
        let begun = Instant::now();
        let value = work()?;
        let took = begun.elapsed();
        if took > Duration::from_secs(2) {
            self.note(&format!("    done in {}", human(took)));
        }
        Ok(value)
    }
}

/// A duration as people say it.
pub(crate) fn human(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Writes a line to standard error. There is nobody to tell when that fails.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes a result to standard output. A closed pipe (`| head`) is no error.
pub(crate) fn print(text: &str) {
    let _ = write!(std::io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(human(Duration::from_millis(2340)), "2.3 s");
        assert_eq!(human(Duration::from_secs(42)), "42 s");
        assert_eq!(human(Duration::from_secs(273)), "4 min 33 s");
    }
}
