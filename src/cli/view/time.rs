//! Times and durations as people read them.

use std::time::Duration;

use jiff::Timestamp;

/// A point in time in UTC, to the minute.
pub(in crate::cli) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How long ago something was: `3h ago`.
pub(in crate::cli) fn ago(at: Timestamp, now: Timestamp) -> String {
    let passed = between(at, now).as_secs();
    let (minute, hour, day) = (60, 3600, 24 * 3600);
    match passed {
        0..60 => "just now".to_owned(),
        _ if passed < hour => format!("{}m ago", passed / minute),
        _ if passed < 2 * day => format!("{}h ago", passed / hour),
        _ => format!("{}d ago", passed / day),
    }
}

/// From one point in time to a later one; nothing if it is not later.
pub(in crate::cli) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// A duration to the second, as a clock counts it down or up: `4m08s`.
pub(in crate::cli) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A duration that has passed, with a tenth where that says something.
pub(in crate::cli) fn took(duration: Duration) -> String {
    if duration < Duration::from_secs(10) {
        format!("{:.1}s", duration.as_secs_f64())
    } else {
        clock(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let then = at("2026-11-20T21:04:59Z");
        assert_eq!(moment(then), "2026-11-20 21:04 UTC");
        assert_eq!(ago(then, at("2026-11-20T21:05:00Z")), "just now");
        assert_eq!(ago(then, at("2026-11-20T21:00:00Z")), "just now");
        assert_eq!(ago(then, at("2026-11-20T21:59:59Z")), "55m ago");
        assert_eq!(ago(then, at("2026-11-21T10:04:59Z")), "13h ago");
        assert_eq!(ago(then, at("2026-11-25T10:04:59Z")), "4d ago");
        assert_eq!(clock(Duration::from_secs(8)), "8s");
        assert_eq!(clock(Duration::from_secs(248)), "4m08s");
        assert_eq!(clock(Duration::from_secs(7300)), "2h01m");
        assert_eq!(took(Duration::from_millis(4249)), "4.2s");
        assert_eq!(took(Duration::from_millis(42_490)), "42s");
    }
}
