//! Keeping autoscaled apps level: whoever is to take the users over has at
//! least as many pods ready as whoever serves them.
//!
//! An autoscaler knows only the load its own colour has, and a colour without
//! users has none. So no autoscaler rules a candidate, that of the old colour
//! takes no pods away while there is a way back, and the numbers are set here.

use std::time::Duration;

use super::{Next, Situation, Step, handover, names};
use crate::plan::AppPlan;
use crate::promotion::observed::DeploymentState;
use crate::promotion::{Raise, ReasonKind};

/// How long a rollback waits for the old colour to have as many pods as the
/// new one. After that what is there has to do: somebody wants to go back.
const RETURN_PATIENCE: Duration = Duration::from_mins(1);

impl Situation<'_> {
    /// Pods that an autoscaled app's candidate needs now; `None`: its manifest
    /// says how many.
    pub fn count(&self, app: &AppPlan) -> Option<u32> {
        let autoscaler = app.autoscaler.as_ref()?;
        let serving = self.promotion.replaces.as_ref();
        let active = serving.and_then(|serving| self.observed.deployment(&app.name, serving.color));
        Some(autoscaler.count(active.map(|active| active.ready)))
    }

    /// Whether a Deployment is what it was but for a raise on record. The raise
    /// is confirmed before anything follows from it.
    pub(super) fn is_raised(&self, now: &DeploymentState) -> bool {
        self.promotion.raising.iter().any(|raise| {
            raise.uid == now.uid
                && raise.generation.checked_add(1) == Some(now.generation)
                && raise.replicas == now.wanted
        })
    }
}

/// A raise of the candidate that was begun and is not known to be done.
pub(super) fn begun(situation: Situation<'_>) -> Option<Step> {
    let promotion = situation.promotion;
    let raising = promotion.raising.iter();
    let raising = raising.filter(|raise| raise.color == promotion.candidate);
    let raising: Vec<_> = raising.cloned().collect();
    (!raising.is_empty()).then_some(Step::Raise(raising))
}

/// Candidates that have fewer pods than serve by now.
pub(super) fn due(situation: Situation<'_>) -> Option<Step> {
    let lacking = situation.plan.apps.iter().filter_map(|app| {
        let candidate = situation.candidate(&app.name)?;
        raise(candidate, situation.count(app)?)
    });
    let lacking: Vec<_> = lacking.collect();
    (!lacking.is_empty()).then_some(Step::Raise(lacking))
}

/// What comes before traffic goes back because somebody asked for it: the
/// candidate may have grown since it serves. `None`: nothing, or no more.
///
/// A regression is not waited with: it means that the candidate has fewer pods
/// ready than the old colour had.
pub(super) fn before_return(situation: Situation<'_>) -> Option<Next> {
    let promotion = situation.promotion;
    let mut reasons = promotion.reasons.iter();
    let asked = reasons.any(|reason| reason.kind == ReasonKind::RolledBack);
    let until = promotion
        .driven_since()
        .saturating_add(RETURN_PATIENCE)
        .ok()?;
    if !asked || situation.now >= until {
        return None;
    }
    let replaced = situation.replaced?;
    // What takes work by itself starts once its successor is gone.
    let called = replaced.apps.iter();
    let called = called.filter(|app| !handover::is_stopped(situation, &app.name));
    let old = called.filter_map(|app| {
        let autoscaler = app.autoscaler.as_ref()?;
        let old = situation
            .observed
            .deployment(&app.name, replaced.candidate)?;
        let serving = situation.candidate(&app.name).map(|new| new.ready)?;
        Some((old, autoscaler.count(Some(serving))))
    });
    let old: Vec<_> = old.collect();
    let lacking: Vec<_> = old
        .iter()
        .filter_map(|(d, count)| raise(d, *count))
        .collect();
    if !lacking.is_empty() {
        return Some(Next::Do(Step::Raise(lacking)));
    }
    let unready = old.iter().filter(|(deployment, _)| !deployment.is_ready());
    let unready: Vec<_> = unready.map(|(deployment, _)| &deployment.name).collect();
    (!unready.is_empty()).then(|| Next::Wait {
        wait_for: format!("pods of {} to be ready before the way back", names(unready)),
        until,
    })
}

pub(super) fn raise(deployment: &DeploymentState, count: u32) -> Option<Raise> {
    (!deployment.deleting && deployment.wanted < count).then(|| Raise {
        app: deployment.app.clone(),
        color: deployment.color,
        deployment: deployment.name.clone(),
        uid: deployment.uid.clone(),
        generation: deployment.generation,
        replicas: count,
    })
}
