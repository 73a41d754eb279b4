//! Taking over what stood before promoter came, beside which the first candidate
//! is made.
//!
//! Its Deployments stand still from then on: whoever changes one meant to change
//! what serves, so the promotion is given up and all of it given back. Its pods
//! are told by labels that a pod which replaces one does not have.

use super::{Mark, Next, Phase, Reason, ReasonKind, Situation, Step, abort, names};
use crate::plan::color::Color;
use crate::plan::label::TEMPLATE_HASH;
use crate::plan::object::Object;
use crate::plan::taking::{Adopted, Taking};
use crate::plan::{Plan, ServicePlan};
use crate::promotion::observed::DeploymentState;

impl<'a> Situation<'a> {
    /// What is adopted, if anything is.
    fn adopted(&self) -> Option<&'a Adopted> {
        let replaced = self.replaced.filter(|_| self.promotion.adopts);
        replaced?.adopted.as_ref()
    }

    fn standing(&self, taking: &Taking) -> Option<&'a DeploymentState> {
        let mut deployments = self.observed.deployments.iter();
        deployments.find(|found| found.uid == taking.uid)
    }

    /// Whether a Service leads to the pods that stood before promoter came, which its
    /// selector does not tell by their colour.
    pub(super) fn leads_to_adopted(&self, found: &Object, color: Color) -> bool {
        let adopted = self.replaced.filter(|replaced| replaced.adopted.is_some());
        let adopted = adopted.filter(|replaced| replaced.candidate == color);
        let mut services = adopted.into_iter().flat_map(Plan::services);
        services.any(|old| old.active.name() == found.name() && old.is_followed_by(found))
    }

    /// Whether a Service selects what it did when it was found, and that is no
    /// change: it is not taken over yet, or may be given back.
    pub(super) fn is_being_taken(&self, old: &ServicePlan, found: &Object) -> bool {
        let phase = self.promotion.phase;
        let is_going = matches!(phase, Phase::Aborting | Phase::Aborted | Phase::Failed);
        let is_under_way = is_going || !self.is_marked(Mark::TakenOver);
        let mut before = old.selector.clone();
        before.remove(TEMPLATE_HASH);
        self.adopted().is_some() && is_under_way && found.texts_at("/spec/selector") == before
    }
}

/// What comes before anything of the candidate is made. `None`: nothing, or no more.
pub(super) fn take_over(situation: Situation<'_>) -> Option<Next> {
    let adopted = situation.adopted()?;
    if situation.is_marked(Mark::TakenOver) {
        return None;
    }
    let standing: Vec<_> = adopted
        .deployments()
        .filter_map(|taking| situation.standing(taking))
        .collect();
    let unready = standing.iter().filter(|found| !found.is_ready());
    let unready: Vec<_> = unready.map(|found| &found.name).collect();
    let wait_for = if unready.is_empty() {
        "what stands to be taken over".to_owned()
    } else {
        format!("Deployment {} to be rolled out", names(unready.clone()))
    };
    if situation.is_overdue() {
        let text = format!("waited in vain for {wait_for}");
        return Some(abort(vec![Reason::new(ReasonKind::Deploy, text)]));
    }
    Some(if standing.len() < adopted.deployments().count() {
        Next::Do(Step::Pause)
    } else if unready.is_empty() {
        Next::Do(Step::TakeOver)
    } else {
        situation.wait(wait_for)
    })
}

/// Deployments that somebody changed or deleted since they were taken over.
pub(super) fn changed(situation: Situation<'_>) -> Vec<Reason> {
    let takings = situation.adopted().into_iter();
    let takings = takings.flat_map(Adopted::deployments);
    let changed = takings.filter_map(|taking| {
        let verb = match (situation.standing(taking), taking.generation) {
            (None, _) => situation.is_marked(Mark::TakenOver).then_some("deleted")?,
            (Some(now), Some(found)) => {
                // To pause it was the one change.
                let is_same = found.checked_add(1) == Some(now.generation) && !now.deleting;
                (!is_same).then_some("changed")?
            }
            (Some(_), None) => return None,
        };
        let text = format!("somebody {verb} {} while it was adopted", taking.object);
        Some(Reason::new(ReasonKind::Gate, text))
    });
    changed.collect()
}

/// Pods that came in the place of one that was taken over, behind what serves. Without
/// labels they would not count as what could be gone back to.
pub(super) fn unlabelled(situation: Situation<'_>) -> Option<Step> {
    let is_taken = situation.is_marked(Mark::TakenOver) && !situation.is_overdue();
    situation.adopted().filter(|_| is_taken)?;
    let mut services = situation.replaced.into_iter().flat_map(Plan::services);
    let is_unknown = |service: &ServicePlan| {
        let mut behind = situation.observed.ready_endpoints(service.colored.name());
        behind.any(|endpoint| situation.observed.pod(&endpoint.pod).is_none())
    };
    services.any(is_unknown).then_some(Step::LabelPods)
}
