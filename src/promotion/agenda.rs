//! What the daemon does about one group next, and when.
//!
//! Input: the group's triggers, up to where its schedule is met, which images there
//! are, and what came of the last try. Output: what is due now, or when to think
//! about it again. Whether a release may be promoted is not decided here: every try
//! ends in the same engine call as a person's deploy. It never asks what time it is.

use std::time::Duration;

use jiff::Timestamp;

use super::pauses::Pauses;
use super::record::Met;
use super::{Trigger, later};
use crate::group::name::GroupName;
use crate::group::triggers::{Triggers, part_of};

/// How many quiet periods new images wait at most: where somebody pushes all the time,
/// it is never quiet.
const MOST_QUIET: u32 = 10;
/// Pause after the first try that failed because of somebody outside.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// Pause before what did not become ready is tried again.
const UNLUCKY_PAUSE: Duration = Duration::from_mins(10);
/// How often it is, unless something changes.
const MOST_UNLUCKY: u32 = 3;

/// What starts a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// By which way.
    pub trigger: Trigger,
    /// The moment of the schedule that it meets, if it does.
    pub meets: Option<Met>,
}

/// What to do about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Promote it now.
    Promote(Start),
    /// Nothing before that.
    Wait {
        /// When.
        until: Timestamp,
        /// What for, in words.
        what: String,
    },
    /// Nothing, until images are pushed or somebody changes something.
    Rest,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It is settled until something changes: promoted, nothing new, or refused.
    Settled,
    /// The candidate was given up for what may have been the cluster's doing.
    Unlucky {
        /// What was.
        why: String,
    },
    /// Something is in the way that goes by itself.
    Waits {
        /// What.
        why: String,
        /// When it is looked at again.
        pause: Duration,
    },
    /// Somebody outside did not do as asked.
    Failed {
        /// What.
        why: String,
    },
}

/// One group's agenda.
#[derive(Debug, Clone)]
pub struct Agenda {
    group: GroupName,
    triggers: Triggers,
    /// Moments of the schedule up to here are met.
    met: Timestamp,
    offer: Option<Offer>,
    /// The images that the last try was about which settled anything.
    settled: Option<String>,
    /// What is tried now.
    trying: Option<Trying>,
    pause: Option<Pause>,
    /// Those after tries that failed because of somebody outside.
    pauses: Pauses,
    unlucky: u32,
}

/// The images there are.
#[derive(Debug, Clone)]
struct Offer {
    images: String,
    /// Since when there are others than were settled.
    first: Timestamp,
    /// Since when there are these.
    since: Timestamp,
    /// When it was seen last that there are no others.
    seen: Timestamp,
}

/// A try that has not ended.
#[derive(Debug, Clone)]
struct Trying {
    /// The moment of the schedule that it meets.
    meets: Option<Timestamp>,
    /// The images there were when it began.
    images: Option<String>,
}

#[derive(Debug, Clone)]
struct Pause {
    until: Timestamp,
    what: String,
    /// Whether a change in the cluster ends it.
    ends_by_change: bool,
    /// What is tried then, whatever else is due.
    again: Option<Trigger>,
}

impl Agenda {
    /// That of a group. What its schedule had before `now` is not made up for, unless
    /// its record says up to where it was met.
    pub fn new(group: GroupName, triggers: Triggers, now: Timestamp) -> Self {
        Self {
            group,
            triggers,
            met: now,
            offer: None,
            settled: None,
            trying: None,
            pause: None,
            pauses: Pauses::new(FIRST_PAUSE, LONGEST_PAUSE),
            unlucky: 0,
        }
    }

    /// Its group's file says something else from `now` on: what was settled no longer is,
    /// nor will be what is tried, and which images there are has yet to be told.
    pub fn change(&mut self, triggers: Triggers, now: Timestamp) {
        let before = self.schedule();
        self.triggers = triggers;
        if self.schedule() != before {
            self.met = now;
        }
        self.offer = None;
        self.settled = None;
        if let Some(trying) = &mut self.trying {
            trying.images = None;
        }
        self.begin_anew();
    }

    /// These are the newest images, named by their digests.
    pub fn offered(&mut self, images: &str, now: Timestamp) {
        let is_settled = self
            .offer
            .as_ref()
            .is_some_and(|offer| self.is_settled(offer));
        let first = match &mut self.offer {
            Some(offer) if offer.images == images => {
                offer.seen = now;
                return;
            }
            Some(offer) if !is_settled => offer.first,
            _ => now,
        };
        self.offer = Some(Offer {
            images: images.to_owned(),
            first,
            since: now,
            seen: now,
        });
        self.begin_anew();
    }

    /// The record says up to where the schedule was met before this process began.
    pub fn was_met(&mut self, met: &Met) {
        if Some(&met.schedule) == self.schedule().as_ref() {
            self.met = met.at;
        }
    }

    /// The record says up to where the schedule is met, by whoever did it.
    pub fn is_met(&mut self, met: &Met) {
        if Some(&met.schedule) == self.schedule().as_ref() {
            self.met = self.met.max(met.at);
        }
    }

    /// Something changed in the cluster that may have been in the way.
    pub fn look_again(&mut self) {
        self.pause.take_if(|pause| pause.ends_by_change);
    }

    /// What to do at `now`, beside what is tried.
    pub fn next(&self, now: Timestamp) -> Next {
        if let Some(pause) = self.pause.as_ref().filter(|pause| pause.until > now) {
            return Next::Wait {
                until: pause.until,
                what: pause.what.clone(),
            };
        }
        let meets = self.trying.as_ref().and_then(|trying| trying.meets);
        let met = meets.map_or(self.met, |meets| meets.max(self.met));
        if let Some(at) = self.triggers.due(&self.group, met, now) {
            let meets = self.schedule().map(|schedule| Met { schedule, at });
            return Next::Promote(Start {
                trigger: Trigger::Cron,
                meets,
            });
        }
        let pushed = self.pushed(now);
        let start = |trigger| {
            Next::Promote(Start {
                trigger,
                meets: None,
            })
        };
        if pushed == Some(now) {
            return start(Trigger::Push);
        }
        if let Some(trigger) = self.pause.as_ref().and_then(|pause| pause.again) {
            return start(trigger);
        }
        let run = self.triggers.next_after(&self.group, now.max(met));
        let by_schedule = run.map(|run| (run.at, "its schedule"));
        let by_push = pushed.map(|quiet| (quiet, "nobody to push any more"));
        match by_schedule.into_iter().chain(by_push).min() {
            Some((until, what)) => Next::Wait {
                until,
                what: what.to_owned(),
            },
            None => Next::Rest,
        }
    }

    /// Whether there are images at `now` that nobody has tried, and everybody is done pushing.
    pub fn has_news(&self, now: Timestamp) -> bool {
        self.pushed(now) == Some(now)
    }

    /// A try begins, with the images there are.
    pub fn begins(&mut self, start: &Start) {
        self.pause = None;
        if start.meets.is_some() {
            // Another moment, another chance.
            self.unlucky = 0;
        }
        self.trying = Some(Trying {
            meets: start.meets.as_ref().map(|met| met.at),
            images: self.offer.as_ref().map(|offer| offer.images.clone()),
        });
    }

    /// The images there were when what is tried began.
    pub fn tried(&self) -> Option<&str> {
        self.trying.as_ref()?.images.as_deref()
    }

    /// That came of it.
    pub fn ended(&mut self, start: &Start, came: Came, now: Timestamp) {
        let tried = self.trying.take().and_then(|trying| trying.images);
        match came {
            Came::Settled => {
                self.settle(start, tried);
                self.begin_anew();
            }
            Came::Unlucky { why } if self.unlucky < MOST_UNLUCKY => {
                self.settle(start, tried);
                self.unlucky += 1;
                let again = Some(start.trigger);
                self.pause_for(UNLUCKY_PAUSE, why, again, now);
            }
            Came::Unlucky { .. } => self.settle(start, tried),
            Came::Waits { why, pause } => {
                self.pauses.begin_anew();
                self.pause_for(pause, why, None, now);
                if let Some(pause) = &mut self.pause {
                    pause.ends_by_change = true;
                }
            }
            Came::Failed { why } => {
                // Many groups fail for the same reason at the same time, and must not
                // try again at the same time.
                let half = self.pauses.failed() / 2;
                let pause = half + part_of(half, &self.group);
                self.pause_for(pause, why, None, now);
            }
        }
    }

    fn settle(&mut self, start: &Start, tried: Option<String>) {
        if let Some(met) = &start.meets {
            self.met = self.met.max(met.at);
        }
        self.settled = tried;
        self.pause = None;
        self.pauses.begin_anew();
    }

    /// What was tried in vain counts no longer.
    fn begin_anew(&mut self) {
        self.pause = None;
        self.pauses.begin_anew();
        self.unlucky = 0;
    }

    fn pause_for(&mut self, pause: Duration, what: String, again: Option<Trigger>, now: Timestamp) {
        self.pause = Some(Pause {
            until: later(now, pause),
            what,
            ends_by_change: false,
            again,
        });
    }

    fn is_settled(&self, offer: &Offer) -> bool {
        let trying = self
            .trying
            .as_ref()
            .and_then(|trying| trying.images.as_ref());
        [self.settled.as_ref(), trying].contains(&Some(&offer.images))
    }

    /// When new images are promoted, if there are any, by what is known at `now`: once
    /// it was seen after the quiet period that there are no others, and at last all the
    /// same.
    fn pushed(&self, now: Timestamp) -> Option<Timestamp> {
        let offer = self.offer.as_ref();
        let offer = offer.filter(|offer| self.triggers.on_push && !self.is_settled(offer))?;
        let quiet = self.triggers.quiet_period;
        let quiet_from = later(offer.since, quiet);
        let at_last = later(offer.first, quiet.saturating_mul(MOST_QUIET));
        if offer.seen >= quiet_from || at_last <= now {
            return Some(now);
        }
        Some(if quiet_from > now {
            quiet_from.min(at_last)
        } else {
            at_last
        })
    }

    fn schedule(&self) -> Option<String> {
        self.triggers.schedule.as_ref().map(ToString::to_string)
    }
}

#[cfg(test)]
mod tests;
