//! When the daemon promotes a group by itself.
//!
//! Input: what a group's file says. Output: the moments at which its schedule is
//! due, spread where many share one. Nothing here asks what time it is, or decides
//! what a moment that was missed comes to.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::name::GroupName;
use super::schedule::Schedule;

/// How long nobody may have pushed, unless told: builds of one change end within it.
pub const QUIET_PERIOD: Duration = Duration::from_mins(1);

/// What starts promotions of a group beside people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triggers {
    /// Its schedule, if it has one.
    pub schedule: Option<Schedule>,
    /// Within which time after a moment of the schedule it begins: groups that share
    /// one spread over it.
    pub jitter: Duration,
    /// Whether new images are promoted.
    pub on_push: bool,
    /// How long nobody may have pushed before they are, so that what belongs
    /// together is promoted together.
    pub quiet_period: Duration,
}

impl Default for Triggers {
    fn default() -> Self {
        Self {
            schedule: None,
            jitter: Duration::ZERO,
            on_push: false,
            quiet_period: QUIET_PERIOD,
        }
    }
}

impl Triggers {
    /// Whether the daemon ever promotes it by itself.
    pub fn are_any(&self) -> bool {
        self.schedule.is_some() || self.on_push
    }

    /// How long after a moment of its schedule a group begins: always the same for a
    /// group, so that everybody can tell, and spread evenly over the groups.
    pub fn delay(&self, group: &GroupName) -> Duration {
        part_of(self.jitter, group)
    }

    /// When the schedule is acted on next after `now`, and the moment of the schedule
    /// which that is.
    pub fn next_after(&self, group: &GroupName, now: Timestamp) -> Option<Run> {
        let delay = self.delay(group);
        let schedule = self.schedule.as_ref()?;
        let of = schedule.next_after(now.saturating_sub(delay).ok()?)?;
        Some(Run {
            of,
            at: of.saturating_add(delay).unwrap_or(of),
        })
    }

    /// The last moment of the schedule after `met` that is due at `now`: however many
    /// were missed, they come to one.
    pub fn due(&self, group: &GroupName, met: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let until = now.saturating_sub(self.delay(group)).ok()?;
        self.schedule.as_ref()?.last_between(met, until)
    }
}

/// A group's part of a time over which groups spread.
pub fn part_of(span: Duration, group: &GroupName) -> Duration {
    let digest = Sha256::digest(group.as_str());
    let mut part = [0; 4];
    part.copy_from_slice(&digest[..4]);
    span.mul_f64(f64::from(u32::from_be_bytes(part)) / f64::from(u32::MAX))
}

/// A moment of a schedule, and when it is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The moment.
    pub of: Timestamp,
    /// When it is acted on: the moment and the group's part of the jitter.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn nightly(jitter: Duration) -> Triggers {
        Triggers {
            schedule: Some(Schedule::parse("0 2 * * *", "UTC").unwrap()),
            jitter,
            ..Triggers::default()
        }
    }

    fn named(name: &str) -> GroupName {
        GroupName::parse(name).unwrap()
    }

    #[test]
    fn a_hundred_groups_spread_over_their_jitter() {
        let triggers = nightly(Duration::from_mins(10));
        let delays = (0..100).map(|n| triggers.delay(&named(&format!("group-{n}"))));
        let mut minutes = [0; 10];
        for delay in delays {
            minutes[usize::try_from(delay.as_secs() / 60).unwrap().min(9)] += 1;
        }
        assert!(
            minutes.iter().all(|groups| (2..25).contains(groups)),
            "{minutes:?}"
        );
        assert_eq!(
            nightly(Duration::ZERO).delay(&named("group-1")),
            Duration::ZERO
        );
    }

    #[test]
    fn a_moment_is_due_once_the_delay_is_over() {
        let triggers = nightly(Duration::from_mins(10));
        let group = named("master");
        let delay = triggers.delay(&group);
        assert!(delay > Duration::from_secs(2), "{delay:?}");
        let (met, moment) = (time("2026-01-01T02:00:00Z"), time("2026-01-02T02:00:00Z"));
        let at = moment + delay;
        assert_eq!(
            triggers.next_after(&group, moment),
            Some(Run { of: moment, at })
        );
        assert_eq!(triggers.due(&group, met, at - Duration::from_secs(1)), None);
        assert_eq!(triggers.due(&group, met, at), Some(moment));
        assert_eq!(triggers.due(&group, moment, at), None);
    }

    #[test]
    fn moments_that_were_missed_come_to_the_last() {
        let triggers = nightly(Duration::ZERO);
        let (met, now) = (time("2026-01-01T02:00:00Z"), time("2026-03-07T17:00:00Z"));
        let due = triggers.due(&named("master"), met, now);
        assert_eq!(due, Some(time("2026-03-07T02:00:00Z")));
    }
}
