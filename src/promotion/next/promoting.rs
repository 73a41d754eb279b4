//! Moving traffic: only ever to a candidate that is whole and is what was tested.

use super::{Mark, Next, Phase, Reason, ReasonKind, Situation, Step, abort, enter, names};

/// Apply what both colours share, switch, confirm the endpoints.
pub(super) fn next(situation: Situation<'_>) -> Next {
    let overdue = |what: String| abort(vec![Reason::new(ReasonKind::Deploy, what)]);
    let changed = situation.changed_since_tested();
    if !changed.is_empty() {
        return abort(changed);
    }
    if situation.switched() == Some(true) {
        let missing = unserved(situation);
        if missing.is_empty() && !situation.is_marked(Mark::Services) {
            return Next::Do(Step::ApplyServices);
        }
        if missing.is_empty() {
            return enter(Phase::Settling);
        }
        let what = format!("endpoints of the new colour behind {}", names(&missing));
        return if situation.is_overdue() {
            overdue(format!("missing: {what}"))
        } else {
            situation.wait(what)
        };
    }
    // A member that lost pods since its checks began would take users with it.
    let unready = situation.unready();
    if !unready.is_empty() {
        let what = format!("pods of {} to be ready before the switch", names(unready));
        return if situation.is_overdue() {
            overdue(format!("waited in vain for {what}"))
        } else {
            situation.wait(what)
        };
    }
    if situation.is_overdue() {
        return overdue("the switch did not come about in time".to_owned());
    }
    if !situation.is_marked(Mark::Shared) {
        return Next::Do(Step::ApplyShared);
    }
    Next::Do(Step::Switch)
}

/// Active Services behind which a pod of the candidate is still missing.
fn unserved(situation: Situation<'_>) -> Vec<String> {
    let lacks = |service: &&crate::plan::ServicePlan| {
        let active: Vec<_> =
            situation.observed.ready_endpoints(service.active.name()).map(|e| &e.pod).collect();
        let mut colored = situation.observed.ready_endpoints(service.colored.name());
        colored.any(|endpoint| !active.contains(&&endpoint.pod))
    };
    situation
        .plan
        .services()
        .filter(lacks)
        .map(|service| service.active.name().to_owned())
        .collect()
}
