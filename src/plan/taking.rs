//! What stood before promoter came, and what taking it over changes of it.
//!
//! Every change is a merge patch, kept together with the one that takes it back
//! before anything is changed. Whether either was made is told from the object
//! alone, so that both can be made again. Nothing here does I/O.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::color::Color;
use super::label::{self, Role};
use super::object::{Object, ObjectRef, entry};
use crate::group::name::{AppName, GroupName};

/// What of a plan's colour stood before promoter came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Adopted {
    /// Its objects, but for its pods.
    pub takings: Vec<Taking>,
    /// The `ReplicaSet` behind each app's pods, by its uid.
    pub sets: BTreeMap<AppName, String>,
}

/// One object, the way there and the way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Taking {
    /// The object.
    pub object: ObjectRef,
    /// Its uid: another one of the name is somebody else's.
    pub uid: String,
    /// The generation of a Deployment as it was found; taking it over moves that by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// What a Service selects once it is taken over.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<String, String>,
    /// Makes it the group's.
    pub there: Value,
    /// Makes it what it was found as.
    pub back: Value,
}

impl Adopted {
    /// The Deployments.
    pub fn deployments(&self) -> impl Iterator<Item = &Taking> {
        let takings = self.takings.iter();
        takings.filter(|taking| taking.object.kind == "Deployment")
    }
}

impl Taking {
    /// Takes an object over by its labels alone.
    pub fn of(found: &Object, labels: &BTreeMap<&str, &str>) -> Self {
        let before = labels.keys().map(|key| {
            let before = found.label(key).map_or(Value::Null, Value::from);
            ((*key).to_owned(), before)
        });
        let before: Map<_, _> = before.collect();
        // Every write of promoter stamps what it writes.
        let stamp = found
            .annotation(label::FENCE)
            .map_or(Value::Null, Value::from);
        Self {
            object: found.reference(),
            uid: found.uid().unwrap_or_default().to_owned(),
            generation: None,
            selector: BTreeMap::new(),
            there: json!({ "metadata": { "labels": labels } }),
            back: json!({ "metadata": {
                "labels": before,
                "annotations": { label::FENCE: stamp },
            } }),
        }
    }

    /// The way back of a pod with [`pod_labels`], which it had none of before.
    pub fn of_pod_taken(pod: &Object) -> Self {
        let keys = [label::GROUP, label::APP, label::COLOR, label::PROMOTION];
        let labels = keys.map(|key| (key.to_owned(), Value::Null));
        let labels: Map<_, _> = labels.into_iter().collect();
        Self {
            back: json!({ "metadata": { "labels": labels } }),
            ..Self::of(pod, &BTreeMap::new())
        }
    }

    /// Takes a Deployment over and lets it stand still: nothing rolls out while its
    /// Service leads to the pods it has now.
    #[must_use]
    pub fn paused(mut self, found: &Object) -> Self {
        self.generation = Some(generation(found));
        entry(&mut self.there, &["spec"]).insert("paused".into(), true.into());
        entry(&mut self.back, &["spec"]).insert("paused".into(), Value::Null);
        self
    }

    /// Takes a Service over and narrows what it selects to the pods of one template.
    #[must_use]
    pub fn narrowed(mut self, found: &Object, hash: &str) -> Self {
        let hash_of = |patch, value| {
            entry(patch, &["spec", "selector"]).insert(label::TEMPLATE_HASH.into(), value);
        };
        hash_of(&mut self.there, hash.into());
        hash_of(&mut self.back, Value::Null);
        self.selector = merged(found, &self.there).texts_at("/spec/selector");
        self
    }

    /// Whether an object that has the name is still the one that was found, and
    /// nobody changed what matters of it before it was taken over.
    pub fn fits(&self, found: &Object) -> bool {
        let selector = || merged(found, &self.there).texts_at("/spec/selector");
        let is_selector = self.selector.is_empty() || selector() == self.selector;
        let is_generation = self
            .generation
            .is_none_or(|expected| generation(found) == expected);
        found.uid() == Some(&self.uid) && is_selector && is_generation
    }
}

/// The labels by which everybody knows what belongs to an app of a group.
pub fn marks<'a>(group: &'a GroupName, app: &'a AppName, role: Role) -> BTreeMap<&'a str, &'a str> {
    BTreeMap::from([
        (label::GROUP, group.as_ref()),
        (label::ROLE, role.as_str()),
        (label::APP, app.as_ref()),
        (label::MANAGED_BY, label::FIELD_MANAGER),
    ])
}

/// The labels of the pods of a colour that stood before promoter came.
pub fn pod_labels<'a>(
    group: &'a GroupName,
    app: &'a AppName,
    color: Color,
) -> BTreeMap<&'a str, &'a str> {
    BTreeMap::from([
        (label::GROUP, group.as_ref()),
        (label::APP, app.as_ref()),
        (label::COLOR, color.as_str()),
        (label::PROMOTION, label::ADOPTED),
    ])
}

/// Whether a patch would change nothing.
pub fn is_done(found: &Object, patch: &Value) -> bool {
    merged(found, patch) == *found
}

/// An object with a merge patch made (RFC 7396). Maps that have nothing left are
/// left out, as the API server does.
pub fn merged(found: &Object, patch: &Value) -> Object {
    let mut object = found.0.clone();
    merge(&mut object, patch);
    Object(object)
}

fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        into.clone_from(patch);
        return;
    };
    let map = entry(into, &[]);
    for (key, change) in patch {
        let mut value = map.remove(key).unwrap_or(Value::Null);
        merge(&mut value, change);
        let is_empty = change.is_object() && value.as_object().is_some_and(Map::is_empty);
        if !value.is_null() && !is_empty {
            map.insert(key.clone(), value);
        }
    }
}

fn generation(found: &Object) -> i64 {
    let generation = found.at("/metadata/generation").and_then(Value::as_i64);
    generation.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Object {
        Object(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": "web", "uid": "1", "labels": { label::MANAGED_BY: "Helm" } },
            "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80 }] },
        }))
    }

    fn taking() -> Taking {
        let (group, app) = (GroupName::parse("shop"), AppName::parse("web"));
        let (group, app) = (group.unwrap(), app.unwrap());
        let marks = marks(&group, &app, Role::Active);
        Taking::of(&service(), &marks).narrowed(&service(), "5d8")
    }

    #[test]
    fn the_way_back_leads_to_what_was_found() {
        let (taking, found) = (taking(), service());
        let taken = merged(&found, &taking.there);
        assert!(taken.is_owned_by("shop"));
        assert_eq!(taken.label(label::MANAGED_BY), Some("promoter"));
        assert_eq!(
            taken.at("/spec/selector"),
            Some(&json!({ "app": "web", "pod-template-hash": "5d8" }))
        );
        let mut stamped = taken.clone();
        stamped.set_annotation(label::FENCE, "7");
        assert_eq!(merged(&stamped, &taking.back), found);
        assert!(is_done(&taken, &taking.there) && !is_done(&found, &taking.there));
        assert!(is_done(&found, &taking.back) && !is_done(&taken, &taking.back));
    }

    #[test]
    fn what_somebody_changed_does_not_fit() {
        let taking = taking();
        assert!(taking.fits(&service()));
        assert!(taking.fits(&merged(&service(), &taking.there)));
        for (pointer, value) in [
            ("/spec/selector/tier", json!("front")),
            ("/spec/selector/app", json!("other")),
            ("/metadata/uid", json!("2")),
        ] {
            let mut changed = service();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            changed.0.pointer_mut(parent).unwrap()[key] = value;
            assert!(!taking.fits(&changed), "{pointer}");
        }
    }

    #[test]
    fn a_deployment_fits_as_long_as_nobody_changes_its_spec() {
        let found = Object(json!({
            "kind": "Deployment",
            "metadata": { "name": "web", "uid": "1", "generation": 4 },
            "spec": { "replicas": 2 },
        }));
        let taking = Taking::of(&found, &BTreeMap::new()).paused(&found);
        assert!(taking.fits(&found));
        let mut changed = found.clone();
        changed.0["metadata"]["generation"] = json!(5);
        assert!(!taking.fits(&changed));
        let paused = merged(&found, &taking.there);
        assert_eq!(paused.at("/spec/paused"), Some(&json!(true)));
        assert_eq!(merged(&paused, &taking.back), found);
    }
}
