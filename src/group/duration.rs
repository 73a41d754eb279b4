//! How long things may take, as people write it: `30s`, `5m`, `1h30m`, `48h`.
//!
//! Input: text. Output: a duration, or what is wrong with the text; and back
//! to the shortest text. There are no days: they are not always 24 hours long.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// The units, largest first, with their milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a duration: {fault}")]
pub struct DurationError {
    text: String,
    fault: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum Fault {
    #[error("it is empty, write one like 30s or 5m")]
    Empty,
    #[error("a number is missing before `{0}`")]
    NoNumber(String),
    #[error("`{0}` has no unit, write {0}s or {0}m")]
    NoUnit(String),
    #[error("there is no unit `{0}`, the units are h, m, s and ms")]
    Unit(String),
    #[error("days are not always 24 hours long, write hours (48h)")]
    Days,
    #[error("write whole numbers (1h30m, not 1.5h)")]
    Fraction,
    #[error("larger units come first and each only once, as in 1h30m")]
    Order,
    #[error("it is too long")]
    TooLong,
}

/// Reads a duration.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    milliseconds(text)
        .map(Duration::from_millis)
        .map_err(|fault| DurationError {
            text: text.to_owned(),
            fault,
        })
}

fn milliseconds(text: &str) -> Result<u64, Fault> {
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    let mut total = 0_u64;
    let mut allowed = &UNITS[..];
    let mut rest = text;
    while !rest.is_empty() {
        let (number, behind) = split(rest, |c| c.is_ascii_digit());
        let (unit, behind) = split(behind, |c| !c.is_ascii_digit());
        if number.is_empty() {
            return Err(Fault::NoNumber(unit.to_owned()));
        }
        if unit.starts_with(['.', ',']) {
            return Err(Fault::Fraction);
        }
        let size = match unit {
            "" => return Err(Fault::NoUnit(number.to_owned())),
            "d" | "day" | "days" | "w" => return Err(Fault::Days),
            unit => UNITS.iter().find(|(name, _)| *name == unit),
        };
        let (_, size) = size.ok_or_else(|| Fault::Unit(unit.to_owned()))?;
        let at = allowed.iter().position(|(name, _)| *name == unit);
        allowed = &allowed[at.ok_or(Fault::Order)? + 1..];
        let number: u64 = number.parse().map_err(|_| Fault::TooLong)?;
        let part = number.checked_mul(*size).ok_or(Fault::TooLong)?;
        total = total.checked_add(part).ok_or(Fault::TooLong)?;
        rest = behind;
    }
    Ok(total)
}

fn split(text: &str, within: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !within(c)).unwrap_or(text.len()))
}

/// Shows a duration in the form [`parse`] reads, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short(pub Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_millis();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (name, size) in UNITS {
            let count = rest / u128::from(size);
            rest %= u128::from(size);
            if count > 0 {
                write!(f, "{count}{name}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match parse(text) {
            Ok(duration) => format!("{}ms {}", duration.as_millis(), Short(duration)),
            Err(error) => error.fault.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn durations() {
        check("30s", "30000ms 30s");
        check("90s", "90000ms 1m30s");
        check("5m", "300000ms 5m");
        check("1h30m", "5400000ms 1h30m");
        check("48h", "172800000ms 48h");
        check("250ms", "250ms 250ms");
        check("0s", "0ms 0s");
    }

    #[test]
    fn refused() {
        check("", "it is empty, write one like 30s or 5m");
        check("30", "`30` has no unit, write 30s or 30m");
        check("s", "a number is missing before `s`");
        check("-5s", "a number is missing before `-`");
        check(
            "5 minutes",
            "there is no unit ` minutes`, the units are h, m, s and ms",
        );
        check("5M", "there is no unit `M`, the units are h, m, s and ms");
        check("2d", "days are not always 24 hours long, write hours (48h)");
        check("1.5h", "write whole numbers (1h30m, not 1.5h)");
        check(
            "30m1h",
            "larger units come first and each only once, as in 1h30m",
        );
        check(
            "1s1s",
            "larger units come first and each only once, as in 1h30m",
        );
        check("99999999999999999999s", "it is too long");
        check("9999999999999999999h", "it is too long");
        check("٣s", "a number is missing before `٣s`");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9hms.-]{0,30}|.{0,30}") {
            drop(parse(&text));
        }

        #[test]
        fn what_is_shown_is_read_back(milliseconds in 0..1_000_000_000_000_u64) {
            let duration = Duration::from_millis(milliseconds);
            prop_assert_eq!(parse(&Short(duration).to_string()), Ok(duration));
        }
    }
}
