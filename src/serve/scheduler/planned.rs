//! What a group's file leads to, and what is due by it.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::job::Job;
use super::telling::Announcement;
use crate::group::Group;
use crate::port::sight::Upcoming;
use crate::promotion::agenda::{Agenda, Next};
use crate::promotion::record::Met;

/// What people should know of a group whose file cannot be used.
const KEPT: &str = "its file is broken, and the last good one holds";

/// A group's file, and its agenda.
pub(super) struct Planned {
    pub(super) group: Arc<Group>,
    /// Whether that is what its file said last, and cannot be used now.
    pub(super) is_kept: bool,
    pub(super) agenda: Agenda,
}

/// What is due for a group.
pub(super) enum Due {
    /// That, and how urgent it is: the least first.
    Now(Urgency, Job),
    /// Nothing before.
    At(Timestamp),
    /// Nothing that time brings.
    Never,
}

/// What goes first where there is no room for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Users may be between two versions.
    Users,
    /// A promotion is under way, and nobody drives it.
    Orphan,
    /// It is to be promoted.
    Promotion,
}

impl Planned {
    /// That of a file that is new at `now`; up to `met` its schedule is met.
    pub(super) fn new(group: Arc<Group>, met: Option<&Met>, now: Timestamp) -> Self {
        let mut agenda = Agenda::new(group.name.clone(), group.triggers.clone(), now);
        if let Some(met) = met {
            agenda.was_met(met);
        }
        Self {
            group,
            is_kept: false,
            agenda,
        }
    }

    /// Its file says this now.
    pub(super) fn take(&mut self, group: Arc<Group>, now: Timestamp) {
        if self.group != group {
            self.agenda.change(group.triggers.clone(), now);
            self.group = group;
        }
    }

    /// What is due by it.
    pub(super) fn next(&self, now: Timestamp) -> Due {
        match self.agenda.next(now) {
            Next::Promote(start) => {
                let group = self.group.clone();
                Due::Now(Urgency::Promotion, Job::Promote { start, group })
            }
            Next::Wait { until, .. } => Due::At(until),
            Next::Rest => Due::Never,
        }
    }

    /// What is done next, for all to see. `None`: it is about to begin.
    pub(super) fn upcoming(&self, now: Timestamp) -> Option<Announcement> {
        let problem = self.is_kept.then(|| KEPT.to_owned());
        let upcoming = match self.agenda.next(now) {
            Next::Wait { until, what } => Some(Upcoming {
                at: Some(until),
                what,
                problem,
            }),
            Next::Rest => problem.map(|problem| Upcoming {
                at: None,
                what: "something new".to_owned(),
                problem: Some(problem),
            }),
            Next::Promote(_) => return None,
        };
        Some(Announcement(upcoming))
    }
}
