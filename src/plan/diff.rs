//! What a plan changes, object by object, with Secret values masked.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::object::Object;
use super::planner::objects;
use super::text::shown_key;
use super::{AppPlan, Plan};
use crate::group::name::AppName;

/// One object that a promotion adds, removes or changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The app it belongs to.
    pub app: AppName,
    /// Kind and name.
    pub object: String,
    /// YAML of what runs; empty if it is new.
    pub before: String,
    /// YAML of what would run; empty if it goes.
    pub after: String,
}

/// Compares what runs with a plan *painted in the same colour*, so that the
/// colour itself is never a change.
pub fn changes(live: Option<&Plan>, next: &Plan) -> Vec<Change> {
    let mut before = live.map(by_identity).unwrap_or_default();
    let mut changes = Vec::new();
    for (identity, (app, object)) in by_identity(next) {
        let old = before.remove(&identity);
        if old.is_some_and(|(_, old)| old == object) {
            continue;
        }
        let (old_yaml, new_yaml) = masked_pair(old.map(|(_, old)| old), Some(object));
        changes.push(Change {
            app: app.name.clone(),
            object: object.reference().to_string(),
            before: old_yaml,
            after: new_yaml,
        });
    }
    for (app, object) in before.into_values() {
        let (before, after) = masked_pair(Some(object), None);
        changes.push(Change {
            app: app.name.clone(),
            object: object.reference().to_string(),
            before,
            after,
        });
    }
    changes
}

/// App, kind and name, where a content-hashed name counts without its hash.
type Identity = (AppName, String, String);

fn by_identity(plan: &Plan) -> BTreeMap<Identity, (&AppPlan, &Object)> {
    let mut found = BTreeMap::new();
    for app in &plan.apps {
        for object in objects(app) {
            let hashed = app.config.contains(object);
            let name = object.name();
            let name = if hashed {
                name.rsplit_once('-').map_or(name, |(base, _)| base)
            } else {
                name
            };
            found.insert(
                (app.name.clone(), object.kind().to_owned(), name.to_owned()),
                (app, object),
            );
        }
    }
    found
}

/// An object as text, with the values of a Secret masked.
pub(super) fn masked_yaml(object: &Object) -> String {
    to_yaml(&masked(object, None))
}

fn masked_pair(before: Option<&Object>, after: Option<&Object>) -> (String, String) {
    let yaml = |object: Option<&Object>, other: Option<&Object>| {
        object
            .map(|object| to_yaml(&masked(object, other)))
            .unwrap_or_default()
    };
    (yaml(before, None), yaml(after, before))
}

/// What `kubectl apply` notes in an object.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Fields of a Secret that hold no secret.
const PLAIN: [&str; 5] = ["apiVersion", "kind", "metadata", "type", "immutable"];

/// Secret values never reach a screen; whether one changed does. A field may be
/// misspelt, so all are masked but those known to be plain.
fn masked(object: &Object, before: Option<&Object>) -> Object {
    let mut masked = object.clone();
    // The whole object once more, values of a Secret included.
    if let Some(annotations) = masked.0.pointer_mut("/metadata/annotations") {
        let annotations = annotations.as_object_mut();
        annotations.map(|annotations| annotations.remove(LAST_APPLIED));
    }
    if object.kind() != "Secret" {
        return masked;
    }
    let fields = masked.0.as_object_mut().into_iter().flatten();
    for (field, value) in fields.filter(|(field, _)| !PLAIN.contains(&field.as_str())) {
        let old = before.and_then(|before| before.0.get(field));
        match value {
            Value::Object(values) => {
                for (key, value) in values.iter_mut() {
                    mask(value, old.and_then(|old| old.get(key)));
                }
                let named = std::mem::take(values).into_iter();
                values.extend(named.map(|(key, value)| (shown_key(&key).to_owned(), value)));
            }
            value => mask(value, old),
        }
    }
    masked
}

fn mask(value: &mut Value, old: Option<&Value>) {
    let changed = old.is_some_and(|old| old != value);
    *value = if changed { "*** (changed)" } else { "***" }.into();
}

/// An object as people write it, a line for each line of a text in it.
pub(super) fn to_yaml(object: &Object) -> String {
    // A digest on a line of its own would be the first thing to look for.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(&object.0, options)
        .unwrap_or_else(|_| object.0.to_string())
}
