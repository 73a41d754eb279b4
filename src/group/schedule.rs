//! When the daemon starts a promotion by itself.
//!
//! Input: a five-field cron expression and the name of a time zone. Output: the
//! next moment after a given one. It never asks what time it is.

use std::{fmt, iter};

use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// Where the search for a schedule's first occurrence starts. Any moment
/// serves; it is fixed so that the same file is always judged alike.
const SAMPLE: Timestamp = Timestamp::UNIX_EPOCH;

/// A cron expression in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    text: String,
    zone: TimeZone,
    timezone: String,
}

/// Why a schedule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScheduleError {
    /// The cron expression has the wrong number of fields.
    #[error("a schedule has five fields (minute hour day month weekday), `{cron}` has {fields}")]
    Fields {
        /// As written.
        cron: String,
        /// How many there are.
        fields: usize,
    },
    /// `@daily` and the like.
    #[error("`{cron}` is a nickname, write the five fields (minute hour day month weekday)")]
    Nickname {
        /// As written.
        cron: String,
    },
    /// A field cannot be understood.
    #[error("`{cron}` is not a cron expression: {reason}")]
    Cron {
        /// As written.
        cron: String,
        /// What the parser said.
        reason: String,
    },
    /// A date that no year has, like the 30th of February.
    #[error("`{cron}` never happens")]
    Never {
        /// As written.
        cron: String,
    },
    /// No such time zone.
    #[error("`{timezone}` is not a time zone, write its IANA name (like Europe/Berlin or UTC)")]
    TimeZone {
        /// As written.
        timezone: String,
    },
}

impl ScheduleError {
    /// Whether the time zone is at fault and not the cron expression.
    pub fn is_about_timezone(&self) -> bool {
        matches!(self, Self::TimeZone { .. })
    }
}

impl Schedule {
    /// Reads a cron expression and the IANA name of a time zone.
    pub fn parse(cron: &str, timezone: &str) -> Result<Self, ScheduleError> {
        let parsed = parse_cron(cron)?;
        let zone = parse_timezone(timezone)?;
        let schedule = Self {
            cron: parsed,
            text: cron.split_whitespace().collect::<Vec<_>>().join(" "),
            timezone: zone.iana_name().unwrap_or(timezone).to_owned(),
            zone,
        };
        if schedule.next_after(SAMPLE).is_none() {
            return Err(ScheduleError::Never {
                cron: schedule.text,
            });
        }
        Ok(schedule)
    }

    /// The cron expression, its fields separated by single spaces.
    pub fn cron(&self) -> &str {
        &self.text
    }

    /// The IANA name of its time zone.
    pub fn timezone(&self) -> &str {
        &self.timezone
    }

    /// The last moment of the schedule later than `after` and not later than `until`.
    pub fn last_between(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        // From the end, in ever longer steps: a schedule of every minute may not have
        // been looked at for a year.
        let mut back = SignedDuration::from_hours(1);
        let mut from = until;
        while from > after {
            from = until.saturating_sub(back).ok()?.max(after);
            let mut moments = iter::successors(self.next_after(from), |at| self.next_after(*at));
            let first = moments.next().filter(|at| *at <= until);
            if first.is_some() {
                return moments.take_while(|at| *at <= until).last().or(first);
            }
            back = back.saturating_mul(8);
        }
        None
    }

    /// The first moment of the schedule later than `now`.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let zoned = now.to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&zoned, false).ok()?;
        Some(next.timestamp()).filter(|next| *next > now)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text, self.timezone)
    }
}

/// Two schedules are equal when they are written alike.
impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.timezone) == (&other.text, &other.timezone)
    }
}

impl Eq for Schedule {}

fn parse_cron(text: &str) -> Result<Cron, ScheduleError> {
    let cron = text.to_owned();
    if text.contains('@') {
        return Err(ScheduleError::Nickname { cron });
    }
    let fields = text.split_whitespace().count();
    if fields != 5 {
        return Err(ScheduleError::Fields { cron, fields });
    }
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(text)
        .map_err(|error| ScheduleError::Cron {
            cron,
            reason: reason(&error),
        })
}

fn parse_timezone(text: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(text).map_err(|_| ScheduleError::TimeZone {
        timezone: text.to_owned(),
    })
}

/// What the parser said, as a part of a sentence.
fn reason(error: &CronError) -> String {
    let text = match error {
        CronError::InvalidPattern(text)
        | CronError::IllegalCharacters(text)
        | CronError::ComponentError(text) => text.clone(),
        other => other.to_string(),
    };
    let text = text.trim_end_matches('.');
    let text = text.strip_prefix("CronPattern ").unwrap_or(text);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(cron: &str, timezone: &str, now: &str, expected: &str) {
        let found = match Schedule::parse(cron, timezone) {
            Ok(schedule) => schedule
                .next_after(now.parse().unwrap())
                .map_or("never".to_owned(), |next| next.to_string()),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn next() {
        let now = "2026-01-01T00:00:00Z";
        check("0 2 * * *", "UTC", now, "2026-01-01T02:00:00Z");
        check("0 0 * * *", "UTC", now, "2026-01-02T00:00:00Z");
        check("0 2 * * *", "America/New_York", now, "2026-01-01T07:00:00Z");
        check("*/15 8-18 * * MON-FRI", "UTC", now, "2026-01-01T08:00:00Z");
        check("0 0 29 2 *", "UTC", now, "2028-02-29T00:00:00Z");
    }

    #[test]
    fn a_night_without_two_o_clock_still_has_its_run() {
        // Clocks went from 02:00 to 03:00 local time on 8 March 2026.
        let now = "2026-03-08T05:30:00Z";
        check(
            "30 2 * * *",
            "America/New_York",
            now,
            "2026-03-08T07:00:00Z",
        );
    }

    #[test]
    fn a_night_with_two_one_o_clocks_has_one_run() {
        let schedule = Schedule::parse("30 1 * * *", "America/New_York").unwrap();
        let first = schedule.next_after("2026-11-01T04:00:00Z".parse().unwrap());
        assert_eq!(first, Some("2026-11-01T05:30:00Z".parse().unwrap()));
        let second = schedule.next_after(first.unwrap());
        assert_eq!(second, Some("2026-11-02T06:30:00Z".parse().unwrap()));
    }

    /// 02:00 to 03:00 comes twice on 25 October 2026, and not at all on 29 March.
    #[test]
    fn ranges_and_steps_go_by_the_clock_as_it_is() {
        let schedule = Schedule::parse("*/30 1-3 * * *", "Europe/Berlin").unwrap();
        let met = |after: &str, until: &str| {
            let until: Timestamp = until.parse().unwrap();
            let first = schedule.next_after(after.parse().unwrap());
            let moments = iter::successors(first, |at| schedule.next_after(*at));
            let zone = TimeZone::get("Europe/Berlin").unwrap();
            let shown = moments
                .take_while(|at| *at < until)
                .map(|at| at.to_zoned(zone.clone()).strftime("%H:%M%:::z").to_string());
            shown.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            met("2026-10-24T20:00:00Z", "2026-10-25T12:00:00Z"),
            "01:00+02 01:30+02 02:00+02 02:30+02 02:00+01 02:30+01 03:00+01 03:30+01"
        );
        assert_eq!(
            met("2026-03-28T20:00:00Z", "2026-03-29T12:00:00Z"),
            "01:00+01 01:30+01 03:00+02 03:30+02"
        );
    }

    #[test]
    fn missed_over_both_changes_of_the_clocks() {
        let last = |cron: &str, after: &str, until: &str| {
            let schedule = Schedule::parse(cron, "America/New_York").unwrap();
            schedule.last_between(after.parse().unwrap(), until.parse().unwrap())
        };
        let at = |text: &str| Some(text.parse().unwrap());
        // 01:30 comes twice on 1 November 2026, and is met once.
        let (first, second) = ("2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z");
        assert_eq!(
            last("30 1 * * *", "2026-10-31T12:00:00Z", second),
            at(first)
        );
        assert_eq!(last("30 1 * * *", first, "2026-11-01T12:00:00Z"), None);
        // 02:30 does not come on 8 March 2026, and is met all the same.
        let instead = "2026-03-08T07:00:00Z";
        assert_eq!(
            last("30 2 * * *", "2026-03-08T06:59:59Z", instead),
            at(instead)
        );
        assert_eq!(last("30 2 * * *", instead, "2026-03-08T12:00:00Z"), None);
    }

    #[test]
    fn a_year_of_minutes_is_looked_through_from_its_end() {
        let every = Schedule::parse("* * * * *", "UTC").unwrap();
        let (after, until) = ("2025-01-01T00:00:00Z", "2026-01-01T00:00:30Z");
        let last = every.last_between(after.parse().unwrap(), until.parse().unwrap());
        assert_eq!(last, Some("2026-01-01T00:00:00Z".parse().unwrap()));
        let leap = Schedule::parse("0 0 29 2 *", "UTC").unwrap();
        let last = leap.last_between(Timestamp::UNIX_EPOCH, until.parse().unwrap());
        assert_eq!(last, Some("2024-02-29T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn refused() {
        let check =
            |cron, timezone, expected| check(cron, timezone, "2026-01-01T00:00:00Z", expected);
        check("0 0 30 2 *", "UTC", "`0 0 30 2 *` never happens");
        check(
            "0 0 2 * * *",
            "UTC",
            "a schedule has five fields (minute hour day month weekday), `0 0 2 * * *` has 6",
        );
        check(
            "",
            "UTC",
            "a schedule has five fields (minute hour day month weekday), `` has 0",
        );
        check(
            "@daily",
            "UTC",
            "`@daily` is a nickname, write the five fields (minute hour day month weekday)",
        );
        check(
            "61 2 * * *",
            "UTC",
            "`61 2 * * *` is not a cron expression: number out of bounds",
        );
        check(
            "x 2 * * *",
            "UTC",
            "`x 2 * * *` is not a cron expression: contains illegal character 'X' in part 'X'",
        );
        check(
            "0 2 * * *",
            "Mars/Olympus",
            "`Mars/Olympus` is not a time zone, write its IANA name (like Europe/Berlin or UTC)",
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(cron in "([0-9*/,#LW?@ -]{0,3} ){4}[0-9*/,#LWMON? -]{0,3}|.{0,40}", zone in ".{0,20}") {
            drop(Schedule::parse(&cron, &zone));
            if let Ok(schedule) = Schedule::parse(&cron, "America/New_York") {
                let now: Timestamp = "2026-03-08T05:30:00Z".parse().unwrap();
                let next = schedule.next_after(now);
                prop_assert!(next.is_none_or(|next| next > now));
                if let Some(next) = next {
                    prop_assert_eq!(schedule.last_between(now, next), Some(next));
                }
            }
        }
    }
}
