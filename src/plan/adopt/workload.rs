//! The Deployment of an app as it stands: whether it can be taken over.

use serde_json::Value;

use super::{Standing, digest};
use crate::plan::AppPlan;
use crate::plan::autoscaler;
use crate::plan::image::Digest;
use crate::plan::label::{GROUP, TEMPLATE_HASH};
use crate::plan::object::{Object, ObjectRef};
use crate::plan::refusal::Refusal;

/// A Deployment that stands whole, and its pods.
pub(super) struct Workload<'a> {
    pub(super) deployment: &'a Object,
    /// The one `ReplicaSet` whose pods serve.
    pub(super) set: &'a Object,
    /// What that one's pods are told by.
    pub(super) hash: &'a str,
    pub(super) pods: Vec<&'a Object>,
    /// The image of the app's container: as it is written, and what runs.
    pub(super) image: (String, Digest),
}

/// The app's Deployment, or everything that speaks against it.
pub(super) fn find<'a>(
    app: &AppPlan,
    standing: &'a Standing,
) -> Result<Workload<'a>, Vec<Refusal>> {
    let object = ObjectRef::new("apps/v1", "Deployment", app.name.as_ref());
    let Some(deployment) = standing.get(&object) else {
        let refusal = Refusal::object(
            &app.name,
            &object,
            "does not stand, so there is nothing to adopt",
        );
        let hint =
            "name the app as its Deployment is named, or leave it out until the others are adopted";
        return Err(vec![refusal.hint(hint)]);
    };
    let mut refusals = refused(app, deployment, standing);
    let refuse = |reason: &str, hint: &str| Refusal::object(&app.name, &object, reason).hint(hint);
    let sets: Vec<_> = standing
        .of_kind("ReplicaSet")
        .filter(|set| is_of(set, deployment) && number(set, "/spec/replicas") > 0)
        .collect();
    let set = match sets.as_slice() {
        [only] => *only,
        _ if !refusals.is_empty() => return Err(refusals),
        _ => {
            let reason = format!("has {} ReplicaSets with pods, not one", sets.len());
            return Err(vec![refuse(&reason, "wait until it is rolled out")]);
        }
    };
    let pods: Vec<_> = standing
        .of_kind("Pod")
        .filter(|pod| is_of(pod, set) && !pod.is_deleting())
        .collect();
    let image = image(app, deployment, &pods);
    let hash = set.label(TEMPLATE_HASH);
    if image.is_none() {
        refusals.push(refuse(
            "its pods do not say which image they run",
            "wait until they are ready",
        ));
    }
    if hash.is_none() {
        refusals.push(refuse(
            "its ReplicaSet has no label pod-template-hash, by which its pods are told apart",
            "let it roll out anew",
        ));
    }
    match (image, hash) {
        (Some(image), Some(hash)) if refusals.is_empty() => Ok(Workload {
            deployment,
            set,
            hash,
            pods,
            image,
        }),
        _ => Err(refusals),
    }
}

fn refused(app: &AppPlan, found: &Object, standing: &Standing) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut refuse = |reason: String, hint: &str| {
        let refusal = Refusal::object(&app.name, &found.reference(), reason);
        refusals.push(refusal.hint(hint));
    };
    if let Some(group) = found.label(GROUP) {
        let reason = format!("belongs to group {group} of promoter already");
        refuse(
            reason,
            "an app is in one group; `promoter deploy` promotes it",
        );
    }
    if let Some(owner) = found.at("/metadata/ownerReferences/0") {
        let of = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default();
        let reason = format!(
            "is owned by {} {}, which would undo it",
            of("kind"),
            of("name")
        );
        refuse(
            reason,
            "free it from its owner first, so that nothing else changes it",
        );
    }
    if found.is_deleting() {
        refuse("is being deleted".to_owned(), "make it anew first");
    } else if found.at("/spec/paused") == Some(&Value::Bool(true)) {
        let hint = "let it go on with `kubectl rollout resume` and wait until it is rolled out";
        refuse("is paused".to_owned(), hint);
    } else if let Some(reason) = not_rolled_out(found) {
        refuse(reason, "wait until it is, as `kubectl rollout status` does");
    }
    let mut scalers = standing.of_kind(autoscaler::KIND);
    if let Some(scaler) = scalers.find(|scaler| autoscaler::scales(scaler, found.name())) {
        let reason = format!(
            "is scaled by {}, which would change it meanwhile",
            scaler.reference()
        );
        let hint = if app.autoscaler.is_some() {
            "delete that one first; the manifest's own rules from the switch on"
        } else {
            "delete that one first, and bring one in the manifest if there is to be one"
        };
        refuse(reason, hint);
    }
    refusals
}

/// Why a Deployment does not stand whole.
fn not_rolled_out(found: &Object) -> Option<String> {
    let wanted = found
        .at("/spec/replicas")
        .map_or(1, |_| number(found, "/spec/replicas"));
    let [all, new, ready] = ["replicas", "updatedReplicas", "readyReplicas"]
        .map(|field| number(found, &format!("/status/{field}")));
    let seen = number(found, "/status/observedGeneration");
    if wanted == 0 {
        Some("asks for no pods, so nothing serves".to_owned())
    } else if seen < number(found, "/metadata/generation") {
        Some("is not rolled out: its last change was not begun yet".to_owned())
    } else if [all, new, ready] != [wanted; 3] {
        Some(format!(
            "is not rolled out: of {wanted} pods {new} are new and {ready} ready, and {all} stand"
        ))
    } else {
        None
    }
}

impl Workload<'_> {
    /// What a person may not expect of the first promotion.
    pub(super) fn warnings(&self, app: &AppPlan) -> Vec<String> {
        let pods = self.pods.len();
        let mut warnings = Vec::new();
        let count = app.count(u32::try_from(pods).ok());
        if usize::try_from(count).is_ok_and(|count| count < pods) {
            warnings.push(format!(
                "app {}: {pods} pods serve, and {count} will",
                app.name
            ));
        }
        if self.deployment.str_at("/spec/strategy/type") == Some("Recreate") {
            warnings.push(format!(
                "app {}: its Deployment never ran two versions at once (strategy Recreate); \
                 a promotion does",
                app.name
            ));
        }
        warnings
    }
}

/// Whether an object is controlled by another one.
fn is_of(object: &Object, owner: &Object) -> bool {
    let owners = object
        .at("/metadata/ownerReferences")
        .and_then(Value::as_array);
    let mut owners = owners.into_iter().flatten();
    owners.any(|found| {
        found.get("controller") == Some(&Value::Bool(true))
            && found.get("uid").and_then(Value::as_str) == owner.uid()
    })
}

/// The image of the container that has the candidate's one, or of the first.
fn image(app: &AppPlan, found: &Object, pods: &[&Object]) -> Option<(String, Digest)> {
    let painted = app.deployment.containers().find(|container| {
        container.get("image").and_then(Value::as_str) == Some(app.image.reference.as_str())
    });
    let name = painted.and_then(|container| container.get("name"));
    let mut containers = found.containers();
    let same = |container: &&serde_json::Map<String, Value>| container.get("name") == name;
    let container = containers
        .find(same)
        .or_else(|| found.containers().next())?;
    let written = container.get("image")?.as_str()?;
    let runs = pods.iter().find_map(|pod| {
        let statuses = pod.at("/status/containerStatuses")?.as_array()?;
        let of_it = |status: &&Value| status.get("name") == container.get("name");
        digest(statuses.iter().find(of_it)?.get("imageID")?.as_str()?)
    });
    let digest = Digest::of_reference(written).or(runs)?;
    Some((written.to_owned(), digest))
}

fn number(object: &Object, pointer: &str) -> i64 {
    let number = object.at(pointer).and_then(Value::as_i64);
    number.unwrap_or_default()
}
