//! A Service as it stands: whether it can be narrowed to the pods it leads to.

use super::{Taker, as_planned};
use crate::plan::ServicePlan;
use crate::plan::label::{self, Role, TEMPLATE_HASH};
use crate::plan::object::{Object, ObjectRef, entry};
use crate::plan::paint::{colored_service, is_subset};
use crate::plan::refusal::Refusal;
use crate::plan::taking::{Taking, marks};

/// The Service that stands for a planned one, narrowed, with the colour's own.
/// `None`: none stands, so the first promotion makes it.
pub(super) fn take(
    taker: &Taker<'_>,
    planned: &ServicePlan,
) -> Result<Option<(ServicePlan, Taking)>, Vec<Refusal>> {
    let color = taker.color();
    let name = ServicePlan::colored_name(planned.active.name(), color);
    let named_alike = taker.standing.get(&ObjectRef::new("v1", "Service", &name));
    let clash = named_alike.map(|found| {
        let reason = format!(
            "has the name that Service {} has for its {color} pods",
            planned.active.name()
        );
        taker
            .refuse(found, reason)
            .hint("delete it, or give it another name")
    });
    let Some(found) = taker.standing.get(&planned.active.reference()) else {
        return clash.map_or(Ok(None), |refusal| Err(vec![refusal]));
    };
    let mut refusals: Vec<_> = clash.into_iter().chain(taker.owned(found)).collect();
    refusals.extend(unfit(taker, found));
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let (group, app) = (&taker.group.name, &taker.app.name);
    let taking = Taking::of(found, &marks(group, app, Role::Active));
    let taking = taking.narrowed(found, taker.workload.hash);
    let mut active = as_planned(found, &taking);
    entry(&mut active.0, &["spec"]).remove("selector");
    let mut colored = colored_service(&active, &name, &taking.selector);
    colored.own(group.as_ref(), Role::Colored);
    colored.set_label(label::APP, app.as_ref());
    colored.set_label(label::COLOR, color.as_str());
    let plan = ServicePlan {
        active,
        selector: taking.selector.clone(),
        colored,
    };
    Ok(Some((plan, taking)))
}

/// Why what it leads to cannot be told, or not be narrowed.
fn unfit(taker: &Taker<'_>, found: &Object) -> Option<Refusal> {
    let refuse = |reason: &str, hint: &str| Some(taker.refuse(found, reason).hint(hint));
    if found.str_at("/spec/type") == Some("ExternalName") {
        return refuse(
            "is an ExternalName Service, which has no pods to switch",
            "make it a Service with a cluster IP first",
        );
    }
    if found.str_at("/spec/clusterIP") == Some("None") {
        return refuse(
            "is headless, so its callers keep pod addresses that no switch moves",
            "make it a Service with a cluster IP first",
        );
    }
    let selector = found.texts_at("/spec/selector");
    if selector.is_empty() {
        return refuse(
            "has no selector, so somebody else says what it leads to",
            "give it one first",
        );
    }
    if selector.contains_key(TEMPLATE_HASH) {
        return refuse(
            "selects by pod-template-hash, so that another tool leads it",
            "end that first",
        );
    }
    let labels = |pod: &Object| pod.texts_at("/metadata/labels");
    let own = &taker.workload.pods;
    if !own.iter().all(|pod| is_subset(&selector, &labels(pod))) {
        return refuse(
            "does not lead to the pods of the app's Deployment",
            "point it there first, or leave it out of the manifest",
        );
    }
    let is_own = |pod: &&Object| own.iter().any(|known| known.uid() == pod.uid());
    let ends = |pod: &&Object| {
        let phase = pod.str_at("/status/phase");
        matches!(phase, Some("Succeeded" | "Failed")) || pod.is_deleting()
    };
    let mut others = taker
        .standing
        .of_kind("Pod")
        .filter(|pod| !is_own(pod) && !ends(pod) && is_subset(&selector, &labels(pod)));
    let other = others.next()?;
    let reason = format!("leads to pods of others too, such as {}", other.name());
    refuse(&reason, "narrow its selector to the app's own pods first")
}
