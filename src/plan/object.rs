//! A Kubernetes object as plain JSON, and its address.
//!
//! The domain reads and rewrites objects without knowing the client library:
//! what a user wrote passes through whole, including kinds and fields that
//! promoter has never heard of.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::color::Color;
use super::label::{self, Role};

/// The address of an object inside the group's namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// `apps/v1`, `v1`, …
    pub api_version: String,
    /// `Deployment`, `Service`, …
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
}

impl ObjectRef {
    /// An address from its parts.
    pub fn new(api_version: &str, kind: &str, name: &str) -> Self {
        Self {
            api_version: api_version.into(),
            kind: kind.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A Kubernetes object as plain JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object(pub Value);

impl Object {
    /// Its address; parts that are missing are empty.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.api_version(), self.kind(), self.name())
    }

    /// `apiVersion`, or empty.
    pub fn api_version(&self) -> &str {
        self.str_at("/apiVersion").unwrap_or_default()
    }

    /// `kind`, or empty.
    pub fn kind(&self) -> &str {
        self.str_at("/kind").unwrap_or_default()
    }

    /// `metadata.name`, or empty.
    pub fn name(&self) -> &str {
        self.str_at("/metadata/name").unwrap_or_default()
    }

    /// `metadata.uid`, once a server gave it one.
    pub fn uid(&self) -> Option<&str> {
        self.str_at("/metadata/uid")
    }

    /// The value at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        if pointer.contains('~') {
            return self.0.pointer(pointer);
        }
        // That makes two texts of every key to unescape it, which took a fifth
        // of all time where nothing waits.
        let mut keys = pointer.split('/').skip(1);
        keys.try_fold(&self.0, |value, key| match value {
            Value::Object(map) => map.get(key),
            Value::Array(list) => list.get(key.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The text at a JSON pointer.
    pub fn str_at(&self, pointer: &str) -> Option<&str> {
        self.at(pointer).and_then(Value::as_str)
    }

    /// The map of texts at a JSON pointer; empty if there is none.
    pub fn texts_at(&self, pointer: &str) -> BTreeMap<String, String> {
        self.at(pointer).map(texts).unwrap_or_default()
    }

    /// The texts in the map at a JSON pointer, with their keys.
    pub fn pairs_at(&self, pointer: &str) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.at(pointer).and_then(Value::as_object);
        pairs
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    /// One of its labels.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.at("/metadata/labels")?.get(key)?.as_str()
    }

    /// One of its annotations.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.at("/metadata/annotations")?.get(key)?.as_str()
    }

    /// Gives it another name.
    pub fn rename(&mut self, name: &str) {
        entry(&mut self.0, &["metadata"]).insert("name".into(), name.into());
    }

    /// Sets a label.
    pub fn set_label(&mut self, key: &str, value: &str) {
        entry(&mut self.0, &["metadata", "labels"]).insert(key.into(), value.into());
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        entry(&mut self.0, &["metadata", "annotations"]).insert(key.into(), value.into());
    }

    /// Marks it as promoter's.
    pub fn own(&mut self, group: &str, role: Role) {
        self.set_label(label::GROUP, group);
        self.set_label(label::ROLE, role.as_str());
        self.set_label(label::MANAGED_BY, label::FIELD_MANAGER);
    }

    /// Whether it carries a group's mark.
    pub fn is_owned_by(&self, group: &str) -> bool {
        self.label(label::GROUP) == Some(group) && self.label(label::ROLE).is_some()
    }

    /// Whether it is a group's, in that role.
    pub fn is_of(&self, group: &str, role: Role) -> bool {
        self.label(label::GROUP) == Some(group) && self.label(label::ROLE) == Some(role.as_str())
    }

    /// Whether it is on its way out.
    pub fn is_deleting(&self) -> bool {
        self.at("/metadata/deletionTimestamp").is_some()
    }

    /// The colour that it sends requests to, if it is an active Service of the group.
    pub fn active_color(&self, group: &str) -> Option<Color> {
        if !self.is_of(group, Role::Active) {
            return None;
        }
        Color::parse(self.at("/spec/selector")?.get(label::COLOR)?.as_str()?)
    }

    /// Takes out what the server adds: its status, and all metadata but its name, labels
    /// and annotations.
    pub fn forget_server(&mut self) {
        if let Some(fields) = self.0.as_object_mut() {
            fields.remove("status");
        }
        let metadata = entry(&mut self.0, &["metadata"]);
        metadata.retain(|field, _| matches!(field.as_str(), "name" | "labels" | "annotations"));
    }

    /// The containers and init containers of its pod template.
    pub fn containers(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let lists = ["containers", "initContainers"].into_iter();
        let lists = lists.filter_map(|list| self.at(&format!("/spec/template/spec/{list}")));
        lists
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(Value::as_object)
    }

    /// As [`Object::containers`], to be changed.
    pub fn containers_mut(&mut self) -> impl Iterator<Item = &mut Map<String, Value>> {
        let spec = self
            .0
            .pointer_mut("/spec/template/spec")
            .and_then(Value::as_object_mut);
        spec.into_iter()
            .flat_map(|spec| spec.iter_mut())
            .filter(|(key, _)| *key == "containers" || *key == "initContainers")
            .filter_map(|(_, list)| list.as_array_mut())
            .flatten()
            .filter_map(Value::as_object_mut)
    }
}

/// The map at a path of keys, made where it is missing or not a map.
pub fn entry<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut here = as_map(value);
    for key in path {
        here = as_map(here.entry(*key).or_insert(Value::Null));
    }
    here
}

fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("the line above made it a map")
}

/// A JSON map as texts; what is not a text is left out.
pub fn texts(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())))
        .collect()
}
