//! Taking a colour down that users or members may still be calling.

use std::collections::BTreeSet;

use super::{Next, Situation, Step, names};
use crate::group::name::AppName;
use crate::plan::Plan;
use crate::plan::color::Color;

/// The next step of taking a colour down in the order of `plan`: callers
/// before callees, each once nothing is left of those before. `None`: it is gone.
pub(super) fn take_down(situation: Situation<'_>, color: Color, plan: &Plan) -> Option<Next> {
    levels(situation, color, plan)
        .iter()
        .find_map(|level| take_level_down(situation, color, level))
}

/// As [`take_down`], for a colour that nobody called: all at once.
pub(super) fn take_down_at_once(situation: Situation<'_>, color: Color) -> Option<Next> {
    take_level_down(situation, color, &standing(situation, color))
}

fn take_level_down(
    situation: Situation<'_>,
    color: Color,
    level: &BTreeSet<AppName>,
) -> Option<Next> {
    let observed = situation.observed;
    let deployments = observed
        .deployments
        .iter()
        .filter(|d| d.color == color && level.contains(&d.app));
    let (going, kept): (Vec<_>, Vec<_>) = deployments.partition(|d| d.deleting);
    if !kept.is_empty() {
        let kept = kept.iter().map(|d| (d.name.clone(), d.uid.clone()));
        return Some(Next::Do(Step::DeleteDeployments(kept.collect())));
    }
    let of_level = |app: &Option<AppName>| app.as_ref().is_some_and(|app| level.contains(app));
    let pods = observed
        .pods
        .iter()
        .filter(|pod| pod.color == color && of_level(&pod.app));
    let left: Vec<_> = pods
        .map(|pod| &pod.name)
        .chain(going.iter().map(|d| &d.name))
        .collect();
    (!left.is_empty()).then(|| situation.wait(format!("{color} pods to end: {}", names(left))))
}

/// The plan's order. Apps that it does not know go last, as nobody known
/// calls on from them.
fn levels(situation: Situation<'_>, color: Color, plan: &Plan) -> Vec<BTreeSet<AppName>> {
    let order = plan.teardown_order();
    let mut levels: Vec<BTreeSet<_>> = order.into_iter().map(BTreeSet::from_iter).collect();
    let known: BTreeSet<_> = levels.iter().flatten().cloned().collect();
    let unknown = standing(situation, color)
        .into_iter()
        .filter(|app| !known.contains(app));
    levels.push(unknown.collect());
    levels
}

/// Apps of which anything stands in a colour.
fn standing(situation: Situation<'_>, color: Color) -> BTreeSet<AppName> {
    let deployments = situation.observed.deployments.iter();
    let deployed = deployments.filter(|d| d.color == color).map(|d| &d.app);
    let pods = situation.observed.pods.iter().filter(|p| p.color == color);
    let running = pods.filter_map(|pod| pod.app.as_ref());
    deployed.chain(running).cloned().collect()
}
