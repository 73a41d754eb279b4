//! One group of the scheduler: its file, where it stands, what is done for it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::super::job::Job;
use super::super::judge::Says;
use super::planned::{Due, Planned, Urgency};
use super::telling::{Announcement, Telling};
use crate::group::Group;
use crate::port::ledger::LOCK_LASTS;
use crate::port::sight::Standing;
use crate::promotion::agenda::Came;
use crate::promotion::id::PromotionId;
use crate::promotion::later;
use crate::promotion::pauses::Pauses;
use crate::promotion::phase::Phase;
use crate::promotion::record::Met;

/// How soon it is tried again to drive on what nobody could.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest of these pauses, each of which is twice the one before.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// One group.
pub(super) struct Entry {
    /// Its file and what that leads to; `None`: it has no file any more.
    planned: Option<Planned>,
    standing: Option<Standing>,
    /// Whether it is known where it stands.
    known: bool,
    /// Who had its lock when it was seen last, and when that was.
    lock: Option<(String, Timestamp)>,
    running: Option<Running>,
    /// Since when it is due without being begun.
    due_since: Option<Timestamp>,
    /// Not before that it is tried to drive on what is under way.
    take_over_from: Option<Timestamp>,
    pauses: Pauses,
    telling: Telling,
}

struct Running {
    stop: CancellationToken,
    /// Whether it is known here which images it promotes.
    is_own: bool,
    /// Whether only the old colour is left to go.
    settles: bool,
}

impl Entry {
    /// A group of which nothing is known.
    pub(super) fn new() -> Self {
        Self {
            planned: None,
            standing: None,
            known: false,
            lock: None,
            running: None,
            due_since: None,
            take_over_from: None,
            pauses: Pauses::new(FIRST_PAUSE, LONGEST_PAUSE),
            telling: Telling::default(),
        }
    }

    /// Whether it can be forgotten.
    pub(super) fn is_idle(&self) -> bool {
        let is_known = self.standing.is_some() || self.lock.is_some();
        self.planned.is_none() && self.running.is_none() && !is_known
    }

    /// Whether there is a file of it.
    pub(super) fn has_file(&self) -> bool {
        self.planned.is_some()
    }

    /// Whether something is done for it now.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether it takes the room of a promotion.
    pub(super) fn is_busy(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| !running.settles)
    }

    /// Its file says this now; `None`: it is gone.
    pub(super) fn take_file(&mut self, group: Option<Arc<Group>>, now: Timestamp) {
        let Some(group) = group else {
            self.planned = None;
            return;
        };
        match &mut self.planned {
            Some(planned) => planned.take(group, now),
            None => self.planned = Some(Planned::new(group, self.met(), now)),
        }
    }

    /// Whether its file cannot be used now, so that what it said last holds.
    pub(super) fn keeps(&mut self, is_kept: bool) {
        if let Some(planned) = &mut self.planned {
            planned.is_kept = is_kept;
        }
    }

    /// It stands so; `None`: it was never promoted, or was removed. Says whether
    /// something changed that others may wait for.
    pub(super) fn stands(&mut self, standing: Option<Standing>) -> bool {
        let changed = match (&self.standing, &standing) {
            (Some(before), Some(standing)) => standing.differs(before),
            (None, None) => false,
            _ => true,
        };
        let in_flight = |standing: &Standing| standing.in_flight.is_some();
        if !standing.as_ref().is_some_and(in_flight) {
            self.take_over_from = None;
            self.pauses.begin_anew();
        }
        self.standing = standing;
        let was_known = std::mem::replace(&mut self.known, true);
        let met = self.met().cloned();
        if let (Some(planned), Some(met)) = (&mut self.planned, met) {
            if was_known {
                planned.agenda.is_met(&met);
            } else {
                planned.agenda.was_met(&met);
            }
        }
        changed
    }

    /// The promotion that is under way.
    pub(super) fn in_flight(&self) -> Option<&PromotionId> {
        let (promotion, _) = self.standing.as_ref()?.in_flight.as_ref()?;
        Some(promotion)
    }

    fn met(&self) -> Option<&Met> {
        self.standing.as_ref()?.met.as_ref()
    }

    /// Its lock was seen.
    pub(super) fn locked(&mut self, holder: Option<String>, now: Timestamp) {
        self.lock = holder.map(|holder| (holder, now));
    }

    /// Until when somebody else may have its lock, unless they are seen again.
    fn locked_until(&self, now: Timestamp) -> Option<Timestamp> {
        let (_, seen) = self.lock.as_ref()?;
        Some(later(*seen, LOCK_LASTS)).filter(|until| *until > now)
    }

    pub(super) fn look_again(&mut self) {
        if let Some(planned) = &mut self.planned {
            planned.agenda.look_again();
        }
    }

    /// These are its newest images, by a file that may say something else by now.
    pub(super) fn offered(&mut self, by: &Arc<Group>, images: &str, now: Timestamp) {
        if let Some(planned) = self.planned.as_mut().filter(|planned| planned.group == *by) {
            planned.agenda.offered(images, now);
        }
    }

    /// What is due at `now`, and since when.
    pub(super) fn due(&mut self, now: Timestamp) -> Due {
        let due = self.next(now);
        self.due_since = match due {
            Due::Now(..) => self.due_since.or(Some(now)),
            _ => None,
        };
        due
    }

    /// Since when it waits for room.
    pub(super) fn due_since(&self) -> Option<Timestamp> {
        self.due_since
    }

    fn next(&self, now: Timestamp) -> Due {
        let planned = self.planned.as_ref();
        let promotion = planned.map_or(Due::Never, |planned| planned.next(now));
        if let Some(running) = &self.running {
            // New images end the wait of what is promoted already. A moment that may come
            // to nothing does not, nor do images that somebody else's promotion may have.
            let has_news = |planned: &Planned| planned.agenda.has_news(now);
            let may_end = running.settles && running.is_own;
            if may_end && self.planned.as_ref().is_some_and(has_news) {
                running.stop.cancel();
            }
            return Due::Never;
        }
        if matches!(promotion, Due::Now(..)) {
            return match self.locked_until(now) {
                Some(until) => Due::At(until),
                None => promotion,
            };
        }
        match (self.orphan(now), promotion) {
            (Due::At(one), Due::At(other)) => Due::At(one.min(other)),
            (Due::Never, promotion) => promotion,
            (orphan, _) => orphan,
        }
    }

    /// Whether what is under way, as far as anybody knows, has to be driven on.
    fn orphan(&self, now: Timestamp) -> Due {
        let Some(standing) = self.standing.as_ref().filter(|standing| !standing.removing) else {
            return Due::Never;
        };
        let Some((_, phase)) = &standing.in_flight else {
            return Due::Never;
        };
        let not_before = self.take_over_from.max(self.locked_until(now));
        if let Some(from) = not_before.filter(|from| *from > now) {
            return Due::At(from);
        }
        let urgency = match phase {
            Phase::Promoting | Phase::Aborting => Urgency::Users,
            _ => Urgency::Orphan,
        };
        Due::Now(urgency, Job::TakeOver)
    }

    /// A job begins.
    pub(super) fn begins(&mut self, job: &Job, stop: CancellationToken) {
        self.running = Some(Running {
            stop,
            is_own: matches!(job, Job::Promote { .. }),
            settles: false,
        });
        if let (Job::Promote { start, .. }, Some(planned)) = (job, &mut self.planned) {
            planned.agenda.begins(start);
        }
    }

    /// What everybody should see that is done about it next, if they see something else.
    pub(super) fn announcement(&mut self, now: Timestamp) -> Option<Announcement> {
        let standing = self.standing.as_ref().filter(|_| self.running.is_none())?;
        let next = match &self.planned {
            Some(planned) => planned.upcoming(now)?,
            // Its file is gone. Of a group that never had one here others may say something.
            None if self.telling.has_announced() => Announcement(None),
            None => return None,
        };
        let seen = standing.upcoming.as_ref();
        self.telling.announcement(next, seen)
    }

    pub(super) fn settles(&mut self) {
        if let Some(running) = &mut self.running {
            running.settles = true;
        }
    }

    /// Whether that was not said yet of how such a job ended: of the same moment of its
    /// schedule, or of the same images.
    pub(super) fn is_new(&mut self, job: &Job, says: &Says) -> bool {
        let start = match job {
            Job::Promote { start, .. } => Some(start),
            Job::TakeOver => None,
        };
        let planned = self.planned.as_ref().filter(|_| start.is_some());
        let images = planned.and_then(|planned| planned.agenda.tried());
        self.telling.is_new(start, images, says)
    }

    pub(super) fn ended(&mut self, job: &Job, came: Came, now: Timestamp) {
        self.running = None;
        match (job, came) {
            (Job::Promote { start, .. }, came) => {
                if let Some(planned) = &mut self.planned {
                    planned.agenda.ended(start, came, now);
                }
            }
            (Job::TakeOver, Came::Waits { pause, .. }) => {
                self.take_over_from = Some(later(now, pause));
            }
            (Job::TakeOver, Came::Failed { .. } | Came::Unlucky { .. }) => {
                self.take_over_from = Some(later(now, self.pauses.failed()));
            }
            // The cluster says in a moment that it is done.
            (Job::TakeOver, Came::Settled) => self.take_over_from = Some(later(now, FIRST_PAUSE)),
        }
    }
}
