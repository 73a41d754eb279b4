//! Waiting with a deadline.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const PAUSE: Duration = Duration::from_millis(50);

/// Waits until something is so. After `limit` the error says what was awaited,
/// followed by what `why` finds out. An error of `so` ends the waiting at once.
pub(crate) fn until(
    what: &str,
    limit: Duration,
    mut so: impl FnMut() -> Result<bool>,
    why: impl FnOnce() -> String,
) -> Result<()> {
    let start = Instant::now();
    while !so()? {
        if start.elapsed() > limit {
            bail!(
                "waited {} s for {what} in vain:\n{}",
                limit.as_secs(),
                why()
            );
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
