//! Pauses between tries that fail, each twice as long as the one before.

use std::time::Duration;

/// The pauses of one thing that is tried again and again.
#[derive(Debug, Clone)]
pub struct Pauses {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Pauses {
    /// From the first to the longest one.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failures: 0,
        }
    }

    /// How long to wait, as it has failed once more.
    pub fn failed(&mut self) -> Duration {
        let pause = self.first.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        pause.min(self.longest)
    }

    /// It did not fail; says whether it had before.
    pub fn begin_anew(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }

    /// Whether it has failed since it last did not.
    pub fn are_begun(&self) -> bool {
        self.failures > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_grow_to_the_longest_and_begin_anew() {
        let mut pauses = Pauses::new(Duration::from_secs(30), Duration::from_mins(2));
        let failed: Vec<_> = (0..4).map(|_| pauses.failed().as_secs()).collect();
        assert_eq!(failed, [30, 60, 120, 120]);
        assert!(pauses.are_begun() && pauses.begin_anew() && !pauses.begin_anew());
        assert_eq!(pauses.failed(), Duration::from_secs(30));
    }
}
