//! Keeping the wall between the colours up to date: old pods are replaced, and their
//! addresses with them. Where nobody does so any more, it goes.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeSet;

use super::{Mark, Phase, Reason, ReasonKind, Situation, Step};
use crate::group::Isolation;
use crate::plan::label::Role;
use crate::plan::object::Object;
use crate::plan::pin::addresses;
use crate::plan::policy::{KIND, candidate_pods, ruled};
use crate::plan::wall;
use crate::plan::{Plan, ServicePlan};

/// How long past the time of Settling a wall is taken down.
const TAKEN_DOWN_FOR: Duration = Duration::from_mins(1);

/// What has to be done for the wall, while both colours may stand. An address that is
/// no old pod's any more is opened as well: it may become that of a load balancer.
pub(super) fn due(situation: Situation<'_>) -> Option<Step> {
    let is_time = match situation.promotion.phase {
        Phase::Deploying | Phase::Checking | Phase::Promoting => true,
        // It goes when they are gone, and does not come again.
        Phase::Settling => {
            !situation.is_marked(Mark::Pruned) && !situation.pods_outside().is_empty()
        }
        Phase::Aborting => {
            let mut apps = situation.plan.apps.iter();
            apps.any(|app| situation.candidate(&app.name).is_some())
        }
        _ => false,
    };
    let is_due = is_time && situation.is_walled() && !situation.is_closed();
    (is_due && !situation.is_overdue()).then_some(Step::Wall)
}

/// Takes down what stands of it around the candidate, which serves and is left with old
/// pods that do not go. Nobody follows these any more: an address of theirs may become
/// that of a load balancer.
pub(super) fn left(situation: Situation<'_>) -> Option<Step> {
    let group = situation.plan.group.as_str();
    let mut policies = situation.observed.policies.values();
    let stands = policies.any(|policy| wall::is_wall(policy, group) && !policy.is_deleting());
    let until = situation.deadline().saturating_add(TAKEN_DOWN_FOR);
    let is_time = until.is_ok_and(|until| situation.now < until);
    (stands && is_time).then_some(Step::Unwall)
}

/// What somebody changed of the wall, or put beside it.
pub(super) fn breached(situation: Situation<'_>) -> Vec<Reason> {
    if !situation.is_walled() {
        return Vec::new();
    }
    let name = wall::name(situation.plan.group.as_str(), situation.plan.candidate);
    let changed = match situation.standing_wall() {
        None => Some(format!("{KIND} {name} is gone")),
        Some(found) if !wall::is_as_planned(situation.plan, found) => {
            Some(format!("somebody changed {KIND} {name}"))
        }
        Some(_) => None,
    };
    let changed = changed.map(|text| Reason::new(ReasonKind::Gate, text));
    changed.into_iter().chain(opened(situation)).collect()
}

/// Policies that came after planning and rule pods of the candidate.
pub(super) fn opened(situation: Situation<'_>) -> Vec<Reason> {
    if !situation.is_walled() {
        return Vec::new();
    }
    let plan = situation.plan;
    let candidates = candidate_pods(&plan.apps, &plan.checks, &plan.hooks);
    let policies = situation.observed.policies.values();
    let others = policies.filter(|policy| !wall::is_wall(policy, plan.group.as_str()));
    let reasons = others.filter_map(|policy| {
        let ruled = ruled(policy, &candidates).join(", ");
        let text = format!("{KIND} {} came to select pods of {ruled}", policy.name());
        (!ruled.is_empty()).then(|| Reason::new(ReasonKind::Gate, text))
    });
    reasons.collect()
}

impl Situation<'_> {
    fn is_walled(&self) -> bool {
        self.plan.isolation == Isolation::NetworkPolicy
    }

    /// The wall as it has to be now; `None`: the plan asks for none.
    pub fn wall(&self) -> Option<Object> {
        wall::wall(self.plan, &self.outside())
    }

    fn standing_wall(&self) -> Option<&Object> {
        let name = wall::name(self.plan.group.as_str(), self.plan.candidate);
        self.observed.policies.get(&name).map(AsRef::as_ref)
    }

    /// Whether the wall stands, and is closed to the other colour alone.
    fn is_closed(&self) -> bool {
        self.standing_wall().is_some_and(|found| {
            wall::is_as_planned(self.plan, found) && self.outside() == wall::closed(found)
        })
    }

    /// What the wall is closed to: the other colour's pods, and the Services that are its
    /// own. Some networks judge a call before they know which pod it goes to.
    fn outside(&self) -> BTreeSet<IpAddr> {
        let mut outside = self.pods_outside();
        outside.extend(self.services_outside());
        outside
    }

    /// Addresses of the other colour's own Services. Those that users call lead to the
    /// candidate after the switch.
    fn services_outside(&self) -> impl Iterator<Item = IpAddr> {
        let other = self.promotion.candidate.other();
        let plans = [Some(self.plan), self.replaced].into_iter().flatten();
        let services = plans.flat_map(Plan::services);
        let found = services.filter_map(move |service| {
            let name = ServicePlan::colored_name(service.active.name(), other);
            self.observed.service(&name)
        });
        let group = self.plan.group.as_str();
        let colored = found.filter(|found| found.is_of(group, Role::Colored));
        let addresses = colored.flat_map(addresses);
        addresses.filter_map(|address| address.parse().ok())
    }

    /// Addresses of the other colour's pods.
    fn pods_outside(&self) -> BTreeSet<IpAddr> {
        let pods = self.observed.pods.iter();
        let others = pods.filter(|pod| pod.color != self.promotion.candidate && !pod.has_ended());
        others.flat_map(|pod| &pod.addresses).copied().collect()
    }
}
