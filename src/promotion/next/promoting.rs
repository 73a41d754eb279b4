//! Moving traffic: only ever to a candidate that is whole and is what was tested.

use std::collections::BTreeSet;

use super::{Mark, Next, Phase, Reason, ReasonKind, Situation, Step, abort, enter, names};

/// Apply what both colours share, switch, confirm the endpoints.
pub(super) fn next(situation: Situation<'_>) -> Next {
    let overdue = |what: String| abort(vec![Reason::new(ReasonKind::Deploy, what)]);
    let changed = situation.changed_since_tested();
    if !changed.is_empty() {
        return abort(changed);
    }
    // Without any Service there is nothing to switch, but what is shared is due.
    if situation.switched() == Some(true) && situation.is_marked(Mark::Shared) {
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

/// Active Services behind which a pod of the candidate is still missing, be it
/// that it is not routed to or that it is not ready any more.
fn unserved(situation: Situation<'_>) -> Vec<String> {
    let unready = situation.unready();
    let lacks = |service: &&crate::plan::ServicePlan| {
        let ready = |name| situation.observed.ready_endpoints(name).map(|e| &e.pod);
        let active: BTreeSet<_> = ready(service.active.name()).collect();
        ready(service.colored.name()).any(|pod| !active.contains(pod))
    };
    let of_app = |app: &crate::plan::AppPlan| {
        let all = unready.contains(&&app.name);
        let missing = app
            .services
            .iter()
            .filter(move |service| all || lacks(service));
        missing
            .map(|service| service.active.name().to_owned())
            .collect::<Vec<_>>()
    };
    situation.plan.apps.iter().flat_map(of_app).collect()
}
