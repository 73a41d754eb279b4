//! Waiting: poll until something is so, give up at a deadline, say what was waited for.

use std::thread;
use std::time::{Duration, Instant};

/// Long enough for anything that is not broken.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(100);

/// Polls until there is a value. Panics with `what` when that takes too long.
#[track_caller]
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, look)
}

/// Polls until there is a value, up to a deadline of its own.
#[track_caller]
pub(crate) fn until_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "waited {patience:?} in vain for {what}"
        );
        thread::sleep(PAUSE);
    }
}
