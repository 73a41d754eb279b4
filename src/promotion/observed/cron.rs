//! `CronJob`s of the group, and the Jobs that they make.

use jiff::Timestamp;
use serde_json::Value;

use crate::plan::color::Color;
use crate::plan::cron::is_suspended;
use crate::plan::label;
use crate::plan::object::Object;

/// A `CronJob` of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronState {
    /// `<name>-<color>`.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its colour.
    pub color: Color,
    /// The promotion that made it.
    pub promotion: String,
    /// Whether it makes no Jobs.
    pub suspended: bool,
    /// Moved by every change of its spec.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// When it makes Jobs, and in which time zone, as it is written.
    pub schedule: (String, Option<String>),
    /// When it was made, by the server's clock.
    pub created_at: Option<Timestamp>,
    /// The time of its schedule at which it made a Job last.
    pub last: Option<Timestamp>,
}

/// A Job that a `CronJob` of the group made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronRun {
    /// Its name.
    pub name: String,
    /// Its colour.
    pub color: Color,
    /// The promotion that made the `CronJob`.
    pub promotion: String,
    /// Whether it has come to its end.
    pub ended: bool,
    /// The time of the schedule that it meets.
    pub met: Option<Timestamp>,
}

impl CronState {
    /// What a `CronJob` is to the rules; `None`: it is of no colour.
    pub fn of(found: &Object) -> Option<Self> {
        let time = |pointer| found.str_at(pointer)?.parse().ok();
        let text = |pointer| found.str_at(pointer).map(str::to_owned);
        Some(Self {
            name: found.name().to_owned(),
            uid: found.uid()?.to_owned(),
            color: Color::parse(found.label(label::COLOR)?)?,
            promotion: found.label(label::PROMOTION).unwrap_or_default().to_owned(),
            suspended: is_suspended(found),
            generation: found
                .at("/metadata/generation")
                .and_then(Value::as_i64)
                .unwrap_or(0),
            deleting: found.is_deleting(),
            schedule: (
                text("/spec/schedule").unwrap_or_default(),
                text("/spec/timeZone"),
            ),
            created_at: time("/metadata/creationTimestamp"),
            last: time("/status/lastScheduleTime"),
        })
    }

    /// Whether it makes Jobs.
    pub fn works(&self) -> bool {
        !self.suspended && !self.deleting
    }

    /// Whether it is the same in the other colour, by the same schedule.
    pub fn is_twin_of(&self, other: &Self) -> bool {
        self.color != other.color && self.base() == other.base() && self.schedule == other.schedule
    }

    /// The time of its schedule that it met last. Its controller makes a Job first and
    /// notes that after; who suspends it in between keeps the note from being written.
    pub fn met(&self, runs: &[CronRun]) -> Option<Timestamp> {
        let is_its = |run: &&CronRun| {
            let rest = run.name.strip_prefix(self.name.as_str());
            run.color == self.color && rest.is_some_and(|rest| rest.starts_with('-'))
        };
        let met = runs.iter().filter(is_its).filter_map(|run| run.met);
        met.chain(self.last).max()
    }

    /// Its name without the colour: that of its twin in the other one as well.
    pub fn base(&self) -> &str {
        let base = self.name.strip_suffix(self.color.as_str());
        base.and_then(|base| base.strip_suffix('-'))
            .unwrap_or(&self.name)
    }
}
