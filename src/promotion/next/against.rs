//! What speaks against a promotion, or has to be waited for: the gate, people, and a
//! hook that runs.

use super::{Situation, adopting};
use crate::group::When;
use crate::group::name::CheckName;
use crate::plan::CheckPlan;
use crate::promotion::gate::{Decision, gate};
use crate::promotion::phase::Phase;
use crate::promotion::request::Action;
use crate::promotion::restraint::Restraint;
use crate::promotion::{Reason, ReasonKind};

impl<'a> Situation<'a> {
    /// What speaks against it while nobody is at the candidate yet: that it is given
    /// up, that its group is held, that an image of it is banned, that a group it
    /// requires has not passed, that somebody changed what it adopts.
    pub(super) fn stopped(&self) -> Vec<Reason> {
        let may_be = match self.promotion.phase {
            Phase::Deploying | Phase::Checking => true,
            Phase::Promoting => !self.leads_any(),
            _ => false,
        };
        if !may_be {
            return Vec::new();
        }
        let request = self.observed.request.iter();
        let changed = adopting::changed(*self);
        let given_up = request
            .filter(|request| request.is_for(Action::Abort, &self.promotion.id))
            .map(|request| {
                let text = format!("aborted by {}", request.asked_by());
                Reason::new(ReasonKind::Interrupted, text)
            });
        let restraints = self.observed.restraints.against(self.plan);
        let overrides = self.promotion.overrides.as_ref();
        let holds = |restraint: &&Restraint| !overrides.is_some_and(|o| o.knew(restraint));
        let restrained = restraints.iter().filter(holds).map(Restraint::reason);
        given_up.chain(restrained).chain(changed).collect()
    }

    /// What the gate says of the results on record: those of the checks, and of the
    /// hooks that come before the switch.
    pub(super) fn gate(&self) -> Decision {
        match self.gate_of_checks() {
            Decision::Promote => {}
            decision => return decision,
        }
        let points = [When::BeforeDeploy, When::BeforeSwitch];
        let hooks = points.into_iter().flat_map(|when| self.plan.hooks_at(when));
        let required: Vec<_> = hooks.map(|hook| hook.name.clone()).collect();
        // None is needed: what has to be tested was.
        self.gate_of(&required, true)
    }

    pub(super) fn gate_of_checks(&self) -> Decision {
        let checks = self.plan.checks.iter();
        let required: Vec<_> = checks.map(|check| check.name.clone()).collect();
        self.gate_of(&required, self.plan.untested_allowed)
    }

    pub(super) fn gate_of(&self, required: &[CheckName], none_allowed: bool) -> Decision {
        gate(
            required,
            &self.promotion.results,
            self.promotion.id.as_ref(),
            self.promotion.plan.as_ref(),
            none_allowed,
        )
    }

    /// A hook that may run and has not ended, before anything is taken back. Whoever
    /// cannot make or follow it gives it up with the time of the phase.
    pub fn hook_under_way(&self) -> Option<&'a CheckPlan> {
        let phase = self.promotion.phase;
        if phase == Phase::Aborting || phase.is_final() || self.is_overdue() {
            return None;
        }
        let mut hooks = self.plan.hooks.iter().map(|hook| &hook.job);
        hooks.find(|hook| {
            let uid = self.promotion.runs.get(&hook.name);
            let mut jobs = self.observed.jobs.iter();
            let mut waits = |uid: &String| jobs.any(|job| job.uid == *uid && job.suspended);
            let may_run = uid.is_some_and(|uid| !waits(uid));
            may_run && self.promotion.result(&hook.name).is_none()
        })
    }
}
