//! Keeping the wall between the colours up to date: old pods are replaced, and their
//! addresses with them.

use core::net::IpAddr;
use std::collections::BTreeSet;

use super::{Phase, Reason, ReasonKind, Situation, Step};
use crate::group::Isolation;
use crate::plan::object::Object;
use crate::plan::policy::{KIND, bearers, ruled};
use crate::plan::wall;

/// What has to be done for the wall, while both colours may stand. An address that is
/// no old pod's any more is opened as well: it may become that of a load balancer.
pub(super) fn due(situation: Situation<'_>) -> Option<Step> {
    let is_time = match situation.promotion.phase {
        Phase::Deploying | Phase::Checking | Phase::Promoting => true,
        // It goes when they are gone.
        Phase::Settling => !situation.addresses().is_empty(),
        _ => false,
    };
    let is_due = is_time && situation.is_walled() && !situation.is_closed();
    (is_due && !situation.is_overdue()).then_some(Step::Wall)
}

/// What somebody changed of the wall, or put beside it.
pub(super) fn breached(situation: Situation<'_>) -> Vec<Reason> {
    if !situation.is_walled() {
        return Vec::new();
    }
    let name = wall::name(situation.plan.group.as_str(), situation.plan.candidate);
    let changed = match situation.standing_wall() {
        None => Some(format!("{KIND} {name} is gone")),
        Some(found) if !situation.is_wall_as_planned(found) => {
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
    let bearers = bearers(&plan.apps, &plan.checks, &plan.hooks);
    let policies = situation.observed.policies.values();
    let others = policies.filter(|policy| !wall::is_wall(policy, plan.group.as_str()));
    let reasons = others.filter_map(|policy| {
        let ruled = ruled(policy, &bearers).join(", ");
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
        wall::wall(self.plan, &self.addresses())
    }

    fn standing_wall(&self) -> Option<&Object> {
        let name = wall::name(self.plan.group.as_str(), self.plan.candidate);
        self.observed.policies.get(&name).map(AsRef::as_ref)
    }

    /// Whether this is the wall that was planned, whatever it is closed to.
    pub fn is_wall_as_planned(&self, found: &Object) -> bool {
        wall::is_as_planned(self.plan, found)
    }

    /// Whether the wall stands, and is closed to every pod of the other colour alone.
    fn is_closed(&self) -> bool {
        self.standing_wall().is_some_and(|found| {
            self.is_wall_as_planned(found) && self.addresses() == wall::closed(found)
        })
    }

    /// Addresses of the other colour's pods.
    fn addresses(&self) -> BTreeSet<IpAddr> {
        let pods = self.observed.pods.iter();
        let others = pods.filter(|pod| pod.color != self.promotion.candidate && !pod.has_ended());
        others.flat_map(|pod| &pod.addresses).copied().collect()
    }
}
