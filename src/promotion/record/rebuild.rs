//! The record of a group whose `DeploymentGroup` is gone, from what else the
//! cluster holds: where active Services point, which promotion and plan made
//! each colour's Deployments, and the kept plans.
//!
//! What was decided is lost with the record, so nothing that was under way is
//! promoted from here: a candidate is taken down, an old colour settles. Where
//! it cannot be told for sure what serves, there is no record, and nothing is done.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{GroupRecord, Outcome};
use crate::group::name::GroupName;
use crate::plan::color::Color;
use crate::plan::colored::is_published;
use crate::plan::fingerprint::PlanId;
use crate::plan::label;
use crate::plan::object::Object;
use crate::plan::{Plan, Serving};
use crate::promotion::id::PromotionId;
use crate::promotion::observed::{DeploymentState, Observed};
use crate::promotion::phase::Phase;
use crate::promotion::{Actor, Mark, Promotion, Reason, ReasonKind, Tested, Trigger};

/// What is said of a promotion whose record was lost.
const LOST: &str = "the record of the group was lost; what checks said and who asked is not known";

/// Whether it is not known what the checks of a promotion said.
pub fn is_rebuilt(outcome: &Outcome) -> bool {
    outcome.reasons.iter().any(|reason| reason.text == LOST)
}

/// Whether a record says nothing: the group is new, or its record is lost.
pub fn is_lost(record: &GroupRecord) -> bool {
    record.serving.is_none() && record.in_flight.is_none() && record.outcomes.is_empty()
}

/// A colour that stands, and what it was made by.
struct Stand<'a> {
    /// Epochs follow each other; promotions are named by clocks of their machines.
    epoch: u64,
    promotion: PromotionId,
    id: PlanId,
    plan: &'a Plan,
}

impl Stand<'_> {
    fn age(&self) -> (u64, &PromotionId) {
        (self.epoch, &self.promotion)
    }

    fn serving(&self) -> Serving {
        Serving {
            color: self.plan.candidate,
            release: self.plan.release.clone(),
            plan: self.id.clone(),
        }
    }
}

/// What the record must have been, as far as it can be told for sure. `None`:
/// nothing stands, or what stands does not say enough.
///
/// `plans` holds the kept plans that the group's Deployments name.
pub fn rebuild(
    group: &GroupName,
    observed: &Observed,
    plans: &BTreeMap<PlanId, Plan>,
    now: Timestamp,
) -> Option<GroupRecord> {
    // What of it stood before promoter came, only the record and its plan know.
    let mut standing = observed.deployments.iter();
    if standing.any(|deployment| deployment.promotion == label::ADOPTED) {
        return None;
    }
    let mut stands = [Color::Blue, Color::Green]
        .into_iter()
        .filter_map(|color| stand(observed, plans, color))
        .collect::<Vec<_>>();
    stands.sort_by(|a, b| a.age().cmp(&b.age()));
    let newest = stands.pop()?;
    let before = stands.pop();
    let points = points(group, &newest, observed);
    let at_newest = points.contains(&Some(newest.plan.candidate));
    let whole = before
        .as_ref()
        .filter(|before| observed.is_whole(before.plan, |_| false));
    // What serves, of which nothing else is known, is left alone.
    if before.is_none() && serves(group, observed, newest.plan.candidate.other()) {
        return None;
    }
    let is_untested = was_never_promoted(&newest, observed);
    // Traffic may be back from it already, and its users not done.
    let exposed = at_newest || !is_untested;
    match before.as_ref() {
        // Whether a group without Services serves cannot be told.
        _ if points.is_empty() => None,
        before if at_newest && points.len() == 1 && !is_untested => {
            Some(settling(&newest, before, observed, now))
        }
        // A switch that was cut off, or somebody led a Service elsewhere. Whether it
        // passed is not known, so no Service more is led to it.
        before if at_newest => whole.map(|_| aborting(&newest, before, exposed, now)),
        before if is_untested || points.contains(&Some(newest.plan.candidate.other())) => {
            Some(aborting(&newest, before, exposed, now))
        }
        _ => None,
    }
}

/// The colours that the active Services point at.
fn points(group: &GroupName, of: &Stand<'_>, observed: &Observed) -> BTreeSet<Option<Color>> {
    let active = of.plan.services().map(|service| &service.active);
    let color = |active: &Object| {
        observed
            .service(active.name())?
            .active_color(group.as_str())
    };
    active.map(color).collect()
}

/// Whether any Service of the group points at a colour.
fn serves(group: &GroupName, observed: &Observed, color: Color) -> bool {
    let mut services = observed.services.values();
    services.any(|service| service.active_color(group.as_str()) == Some(color))
}

/// Whether it is sure that no user ever got to what stands: its addresses are
/// still published before they are ready, which ends before the switch.
fn was_never_promoted(newest: &Stand<'_>, observed: &Observed) -> bool {
    newest.plan.services().any(|service| {
        let now = observed.service(service.colored.name());
        now.is_some_and(is_published)
    })
}

fn stand<'a>(
    observed: &Observed,
    plans: &'a BTreeMap<PlanId, Plan>,
    color: Color,
) -> Option<Stand<'a>> {
    let of_color = observed
        .deployments
        .iter()
        .filter(|d| d.color == color && !d.deleting);
    let stands = of_color.filter_map(|deployment| {
        let id = deployment.plan.clone()?;
        let plan = plans.get(&id).filter(|plan| plan.candidate == color)?;
        let promotion = PromotionId::parse(&deployment.promotion)?;
        Some(Stand {
            epoch: deployment.epoch,
            promotion,
            id,
            plan,
        })
    });
    stands.max_by(|a, b| a.age().cmp(&b.age()))
}

/// All traffic is at the newest colour: it serves, and what is left of the one
/// before goes, be it only its Jobs and configuration.
fn settling(
    newest: &Stand<'_>,
    before: Option<&Stand<'_>>,
    observed: &Observed,
    now: Timestamp,
) -> GroupRecord {
    let mut promotion = under_way(newest, before, now);
    let stands = observed.deployments.iter();
    let stands = stands.filter(|d| d.promotion == newest.promotion.as_ref());
    // Fewer pods than there are now count as a regression.
    promotion.tested = stands.map(|d| (d.app.clone(), tested(d))).collect();
    promotion.phase = Phase::Settling;
    // Whether all was applied that comes with the switch is not known, so it is
    // applied once more; an abort has to restore it.
    promotion.marks = [Mark::Prepared, Mark::SharedBegun, Mark::Shared].into();
    GroupRecord {
        serving: Some(newest.serving()),
        previous: before.map(Stand::serving),
        in_flight: Some(promotion),
        ..GroupRecord::default()
    }
}

fn tested(found: &DeploymentState) -> Tested {
    Tested {
        uid: found.uid.clone(),
        generation: found.generation,
        ready: found.ready,
    }
}

/// The newest colour was not promoted, or not whole: it goes.
fn aborting(
    newest: &Stand<'_>,
    before: Option<&Stand<'_>>,
    exposed: bool,
    now: Timestamp,
) -> GroupRecord {
    let mut promotion = under_way(newest, before, now);
    promotion.phase = Phase::Aborting;
    promotion.marks = [Mark::Prepared, Mark::SharedBegun].into();
    promotion.exposed = exposed;
    GroupRecord {
        serving: before.map(Stand::serving),
        in_flight: Some(promotion),
        ..GroupRecord::default()
    }
}

fn under_way(newest: &Stand<'_>, before: Option<&Stand<'_>>, now: Timestamp) -> Promotion {
    let actor = Actor {
        name: "unknown".to_owned(),
        trigger: Trigger::Cli,
    };
    let mut promotion = Promotion::new(newest.promotion.clone(), newest.plan, actor, now);
    promotion.plan = newest.id.clone();
    promotion.replaces = before.map(Stand::serving);
    promotion.reasons = vec![Reason::new(ReasonKind::Gate, LOST)];
    promotion
}
