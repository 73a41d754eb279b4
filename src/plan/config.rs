//! `ConfigMaps` and Secrets under names made from their content.
//!
//! The candidate's configuration gets a name of its own, so the colour that
//! serves never sees it. The hash is keyed: a name must not let anybody try
//! out guesses of a Secret's value.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::fingerprint::hex;
use super::label;
use super::object::{Object, entry};

/// The key of content hashes, one per namespace.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigKey(pub [u8; 32]);

impl std::fmt::Debug for ConfigKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConfigKey(…)")
    }
}

/// Old names to content-hashed names, by kind.
pub type Renames = BTreeMap<(String, String), String>;

/// Renames each object by its content; returns them with what became of their names.
pub fn name_by_content(objects: Vec<Object>, key: &ConfigKey) -> (Vec<Object>, Renames) {
    let mut renames = Renames::new();
    let named = objects.into_iter().map(|mut object| {
        let name = format!("{}-{}", object.name(), content_hash(&object, key));
        renames.insert((object.kind().into(), object.name().into()), name.clone());
        object.rename(&name);
        // A name that stands for its content may never get another one.
        object.0["immutable"] = true.into();
        object
    });
    (named.collect(), renames)
}

fn content_hash(object: &Object, key: &ConfigKey) -> String {
    // Two groups of one namespace own their objects each.
    let content = json!({
        "group": object.label(label::GROUP),
        "kind": object.kind(),
        "type": object.at("/type"),
        "data": object.at("/data"),
        "stringData": object.at("/stringData"),
        "binaryData": object.at("/binaryData"),
    });
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes a key of any length");
    mac.update(content.to_string().as_bytes());
    hex(&mac.finalize().into_bytes()[..4])
}

/// Makes a pod template refer to the new names.
pub fn rewrite_references(workload: &mut Object, renames: &Renames) {
    for container in workload.containers_mut() {
        for source in list_mut(container, "envFrom") {
            rename_at(source, "configMapRef", "name", "ConfigMap", renames);
            rename_at(source, "secretRef", "name", "Secret", renames);
        }
        for variable in list_mut(container, "env") {
            if let Some(from) = variable.get_mut("valueFrom") {
                rename_at(from, "configMapKeyRef", "name", "ConfigMap", renames);
                rename_at(from, "secretKeyRef", "name", "Secret", renames);
            }
        }
    }
    let spec = entry(&mut workload.0, &["spec", "template", "spec"]);
    for volume in list_mut(spec, "volumes") {
        rename_at(volume, "configMap", "name", "ConfigMap", renames);
        rename_at(volume, "secret", "secretName", "Secret", renames);
        let projected = volume.get_mut("projected").and_then(Value::as_object_mut);
        for source in projected
            .into_iter()
            .flat_map(|projected| list_mut(projected, "sources"))
        {
            rename_at(source, "configMap", "name", "ConfigMap", renames);
            rename_at(source, "secret", "name", "Secret", renames);
        }
    }
    for secret in list_mut(spec, "imagePullSecrets") {
        rename_field(secret, "name", "Secret", renames);
    }
}

fn list_mut<'a>(map: &'a mut Map<String, Value>, key: &str) -> impl Iterator<Item = &'a mut Value> {
    map.get_mut(key)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn rename_at(holder: &mut Value, key: &str, field: &str, kind: &str, renames: &Renames) {
    if let Some(reference) = holder.get_mut(key) {
        rename_field(reference, field, kind, renames);
    }
}

fn rename_field(reference: &mut Value, field: &str, kind: &str, renames: &Renames) {
    let Some(Value::String(name)) = reference.get_mut(field) else {
        return;
    };
    if let Some(renamed) = renames.get(&(kind.to_owned(), name.clone())) {
        renamed.clone_into(name);
    }
}
