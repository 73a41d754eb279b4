//! How many more requests GitHub takes, as it says with every answer.
//!
//! Input: an answer's headers. Output: what is left, and how long not to ask
//! once nothing is. Times are compared with GitHub's own clock only.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, warn};

/// How long not to ask where GitHub does not say, which is what it wants then.
const PAUSE: Duration = Duration::from_mins(1);

/// A tenth of the limit is little enough to say so.
const LITTLE: u64 = 10;

/// What an answer says of the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Limit {
    /// Requests in an hour.
    most: Option<u64>,
    /// Requests that are left of them.
    remaining: Option<u64>,
    /// When they are as many again.
    reset: Option<Timestamp>,
    /// What it says without counting: come back later than that.
    retry_after: Option<Duration>,
    /// When it answered.
    answered: Option<Timestamp>,
}

impl Limit {
    /// Reads it from headers, by their names.
    pub(super) fn read<'a>(header: impl Fn(&'static str) -> Option<&'a str>) -> Self {
        let number = |name| header(name).and_then(|text| text.trim().parse::<u64>().ok());
        let reset = number("x-ratelimit-reset").and_then(|second| i64::try_from(second).ok());
        let answered = header("date").map(jiff::fmt::rfc2822::parse);
        Self {
            most: number("x-ratelimit-limit"),
            remaining: number("x-ratelimit-remaining"),
            reset: reset.and_then(|second| Timestamp::from_second(second).ok()),
            retry_after: number("retry-after").map(Duration::from_secs),
            answered: answered.and_then(Result::ok).map(|date| date.timestamp()),
        }
    }

    /// Requests that are left, of how many in an hour.
    pub(super) fn left(&self) -> Option<(u64, u64)> {
        self.remaining.zip(self.most)
    }

    /// Tells the log what is left.
    pub(super) fn log(&self, host: &str) {
        let (Some(most), Some(remaining)) = (self.most, self.remaining) else {
            return;
        };
        let reset = self.reset.map(|at| at.to_string());
        if self.is_low() {
            warn!(
                host,
                remaining, most, reset, "little is left of the rate limit"
            );
        } else {
            debug!(host, remaining, most, reset, "rate limit");
        }
    }

    fn is_low(&self) -> bool {
        let both = self.most.zip(self.remaining);
        both.is_some_and(|(most, remaining)| remaining.saturating_mul(LITTLE) < most)
    }

    /// Whether an answer of this status and text was given because of it.
    pub(super) fn is_exceeded(&self, status: u16, message: &str) -> bool {
        let says_so = message.to_lowercase().contains("rate limit");
        let counts = self.remaining == Some(0) || self.retry_after.is_some();
        status == 429 || (status == 403 && (counts || says_so))
    }

    /// When it answers again, if it says so.
    pub(super) fn until(&self) -> Option<Timestamp> {
        let later = self.answered.zip(self.retry_after);
        let later = later.and_then(|(at, after)| at.checked_add(after).ok());
        later.or(self.reset.filter(|_| self.remaining == Some(0)))
    }

    /// How long not to ask it again.
    pub(super) fn pause(&self) -> Duration {
        let left = self.until().zip(self.answered);
        let left = left.map(|(until, at)| until.duration_since(at));
        left.and_then(|left| Duration::try_from(left).ok())
            .or(self.retry_after)
            .unwrap_or(PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &'static str)]) -> Limit {
        Limit::read(|name| {
            let found = headers.iter().find(|(header, _)| *header == name);
            found.map(|(_, value)| *value)
        })
    }

    const DATE: (&str, &str) = ("date", "Sat, 21 Nov 2026 10:40:00 GMT");
    const RESET: (&str, &str) = ("x-ratelimit-reset", "1795259400");

    #[test]
    fn a_used_up_limit_says_until_when() {
        let limit = read(&[DATE, RESET, ("x-ratelimit-remaining", "0")]);
        assert_eq!(limit.until().unwrap().to_string(), "2026-11-21T11:10:00Z");
        assert_eq!(limit.pause(), Duration::from_mins(30));
        assert!(limit.is_exceeded(403, "") && limit.is_exceeded(429, ""));
        assert!(!limit.is_exceeded(404, "") && !limit.is_exceeded(200, ""));
    }

    #[test]
    fn a_second_limit_says_how_long() {
        let limit = read(&[
            DATE,
            RESET,
            ("x-ratelimit-remaining", "40"),
            ("retry-after", "90"),
        ]);
        assert_eq!(limit.until().unwrap().to_string(), "2026-11-21T10:41:30Z");
        assert_eq!(limit.pause(), Duration::from_secs(90));
        assert!(limit.is_exceeded(403, ""));
    }

    #[test]
    fn what_is_not_said_is_not_made_up() {
        let limit = read(&[RESET, ("x-ratelimit-remaining", "40")]);
        assert_eq!((limit.until(), limit.pause()), (None, PAUSE));
        assert!(!limit.is_exceeded(403, "Resource not accessible by personal access token"));
        assert!(limit.is_exceeded(403, "You have exceeded a secondary rate limit."));
        let nonsense = [
            ("date", "today"),
            ("x-ratelimit-reset", "-1"),
            ("retry-after", "soon"),
        ];
        assert_eq!(read(&nonsense), Limit::default());
    }

    #[test]
    fn less_than_a_tenth_is_little() {
        for (most, remaining, low) in [
            ("5000", "501", false),
            ("5000", "500", false),
            ("5000", "499", true),
            ("60", "0", true),
        ] {
            let headers = [
                ("x-ratelimit-limit", most),
                ("x-ratelimit-remaining", remaining),
            ];
            assert_eq!(read(&headers).is_low(), low, "{remaining}");
        }
        assert!(!Limit::default().is_low());
    }
}
