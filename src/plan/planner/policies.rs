//! Network policies that stand, or that the manifests bring, and what of a walled plan
//! they rule out.

use std::collections::{BTreeMap, BTreeSet};

use crate::group::{Group, Isolation};
use crate::plan::adopt::unpinned;
use crate::plan::color::Color;
use crate::plan::object::Object;
use crate::plan::policy::{KIND, candidate_pods, ruled};
use crate::plan::refusal::Refusal;
use crate::plan::survey::Survey;
use crate::plan::wall;
use crate::plan::{AppPlan, CheckPlan, HookPlan, Plan};

/// Why there cannot be a wall beside these policies.
pub(super) fn refused(
    group: &Group,
    survey: &Survey,
    color: Color,
    (apps, checks, hooks): (&[AppPlan], &[CheckPlan], &[HookPlan]),
) -> Vec<Refusal> {
    if group.strategy.isolation != Isolation::NetworkPolicy {
        return Vec::new();
    }
    // An earlier adoption left it so.
    let is_adopted = |live: &Plan| live.adopted.is_some();
    if survey.live.as_ref().is_some_and(is_adopted) {
        return Vec::from_iter(unpinned(group));
    }
    let Some(standing) = &survey.policies else {
        let refusal = Refusal::about(
            format!("namespace {}", group.environment.namespace),
            "does not show its NetworkPolicies, one of which may rule the candidate's pods",
        );
        let hint = "ask for the rights that `promoter install --print-role` names";
        return vec![refusal.hint(hint)];
    };
    // The other colour's is the next promotion's.
    let names = [color, color.other()].map(|color| wall::name(group.name.as_str(), color));
    let shared = apps.iter().flat_map(|app| &app.shared);
    let brought = shared.filter(|object| object.kind() == KIND);
    let standing = standing.iter();
    let others = standing.filter(|policy| !wall::is_wall(policy, group.name.as_str()));
    let (taken, others): (Vec<_>, Vec<_>) = others
        .chain(brought)
        .partition(|policy| names.iter().any(|name| name == policy.name()));
    let taken: BTreeSet<_> = taken.into_iter().map(Object::name).collect();
    let candidates = candidate_pods(apps, checks, hooks);
    let mut ruling: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for policy in others {
        let pods = ruling.entry(policy.name()).or_default();
        pods.extend(ruled(policy, &candidates));
    }
    ruling.retain(|_, pods| !pods.is_empty());
    let ruling = ruling.iter().map(|(name, pods)| refusal(name, pods));
    taken.into_iter().map(clash).chain(ruling).collect()
}

fn clash(policy: &str) -> Refusal {
    let reason = "has the name of a policy that keeps the colours apart";
    Refusal::about(format!("{KIND} {policy}"), reason).hint("give it another name")
}

/// Policies add up: each would be widened by the wall, or open it.
fn refusal(policy: &str, pods: &BTreeSet<&str>) -> Refusal {
    let pods: Vec<_> = pods.iter().copied().collect();
    let reason = format!(
        "selects pods of {}, and what one policy allows no other closes: beside \
         `isolation = \"network-policy\"` all but the other colour could call them",
        pods.join(", ")
    );
    Refusal::about(format!("{KIND} {policy}"), reason).hint(
        "leave `isolation` at \"pinning\"; a policy of your own keeps the colours apart where its \
         selectors say promoter.dev/color, once for blue and once for green",
    )
}
