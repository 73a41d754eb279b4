//! Moving traffic: only ever to a candidate that is whole and is what was tested.

use std::collections::BTreeSet;

use super::{
    Mark, Next, Phase, Reason, ReasonKind, Situation, Step, abort, enter, enter_for, handover,
    names, raising, settling, walling,
};
use crate::promotion::gate::Decision;
use crate::promotion::request::Action;

/// Raise what is autoscaled, apply what both colours share, hand over what takes work
/// by itself, switch, confirm the endpoints.
pub(super) fn next(situation: Situation<'_>) -> Next {
    // A record that somebody edited does not lead past the gate either.
    if situation.gate() != Decision::Promote {
        let text = "the record does not say that every check passed";
        return abort(vec![Reason::new(ReasonKind::Gate, text)]);
    }
    // Whatever is wrong by then, an outage is worse.
    if !situation.is_past_return()
        && let Some(reasons) = interfered(situation).or_else(|| turns_back(situation))
    {
        return abort(reasons);
    }
    if let Some(step) = walling::due(situation) {
        return Next::Do(step);
    }
    // Nobody knows what is tested and what is not until it is confirmed.
    if let Some(step) = raising::begun(situation)
        && !situation.is_overdue()
    {
        return Next::Do(step);
    }
    // Without any Service there is nothing to switch, but what is shared is due.
    let is_led = situation.switched() == Some(true) && situation.is_marked(Mark::Shared);
    let handing_over = handover::next(situation);
    if is_led && (handing_over.is_none() || situation.is_past_return()) {
        return confirm(situation);
    }
    // A worker that cannot start needs no more time.
    if let Some(gives_up @ Next::Enter { .. }) = handing_over {
        return gives_up;
    }
    // A member that lost pods since its checks began would take users with it.
    let unready = situation.unready();
    if !unready.is_empty() {
        let what = format!("pods of {} to be ready before the switch", names(unready));
        return if situation.is_overdue() {
            unstarted(situation, &what)
        } else {
            situation.wait(what)
        };
    }
    if situation.is_overdue() {
        return overdue(match handing_over {
            Some(Next::Wait { wait_for, .. }) => format!("waited in vain for {wait_for}"),
            _ => "the switch did not come about in time".to_owned(),
        });
    }
    if !situation.is_marked(Mark::Unpublished) {
        return Next::Do(Step::Unpublish);
    }
    if let Some(step) = raising::due(situation) {
        return Next::Do(step);
    }
    if !situation.is_marked(Mark::Shared) {
        return Next::Do(Step::ApplyShared);
    }
    handing_over.unwrap_or(Next::Do(Step::Switch))
}

/// After the switch: every pod of the candidate is routed to, and the Services
/// have their new shape. Where there is no way back, what is missing once the
/// time is up is said, and left to a person.
fn confirm(situation: Situation<'_>) -> Next {
    let unserved = unserved(situation);
    let is_served = unserved.is_empty();
    if is_served && situation.is_marked(Mark::Services) {
        let last = handover::last(situation);
        return last.map_or_else(|| enter(Phase::Settling), Next::Do);
    }
    let what = if is_served {
        "the new shape of the active Services".to_owned()
    } else {
        format!("endpoints of the new colour behind {}", names(&unserved))
    };
    if !situation.is_overdue() && is_served {
        return Next::Do(Step::ApplyServices);
    }
    if !situation.is_overdue() {
        return situation.wait(what);
    }
    if !situation.is_past_return() {
        return overdue(format!("missing: {what}"));
    }
    let text = format!("missing: {what}; there is nothing whole to go back to");
    enter_for(Phase::Settling, vec![Reason::new(ReasonKind::Deploy, text)])
}

/// Of a worker, which was not started before, the cause is said.
fn unstarted(situation: Situation<'_>, what: &str) -> Next {
    let text = format!("waited in vain for {what}");
    let mut reasons = vec![Reason::new(ReasonKind::Deploy, text)];
    let troubles = handover::troubles_of(situation);
    reasons.extend(troubles.iter().map(super::deploying::reason));
    abort(reasons)
}

fn overdue(what: String) -> Next {
    abort(vec![Reason::new(ReasonKind::Deploy, what)])
}

/// What somebody changed since the checks began. It is not switched over.
fn interfered(situation: Situation<'_>) -> Option<Vec<Reason>> {
    let changed = situation.changed_since_tested();
    if !changed.is_empty() {
        return Some(changed);
    }
    let reason = |text: String| Reason::new(ReasonKind::Gate, text);
    let astray = situation.astray();
    if !astray.is_empty() {
        return Some(astray.into_iter().map(reason).collect());
    }
    // From here on an autoscaler may have changed what was tested.
    let moved = situation.is_marked(Mark::Autoscaled) && situation.switched() == Some(false);
    moved.then(|| {
        vec![reason(
            "somebody moved its users away after the switch".to_owned(),
        )]
    })
}

/// Why it goes back, if it does. From the first Service that is switched on it
/// does as while it settles.
fn turns_back(situation: Situation<'_>) -> Option<Vec<Reason>> {
    if situation.leads_any() {
        return settling::turns_back(situation);
    }
    let promotion = &situation.promotion.id;
    let request = situation.observed.request.as_ref()?;
    request.is_for(Action::Rollback, promotion).then(|| {
        let text = format!("taken back by {} before the switch", request.asked_by());
        vec![Reason::new(ReasonKind::RolledBack, text)]
    })
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
