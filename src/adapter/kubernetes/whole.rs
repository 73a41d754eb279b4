//! An object as the server has it, whole but for the notes about who set which
//! of its fields: those are most of a large one, and nobody's business here.

use std::borrow::Cow;
use std::fmt;

use kube::Resource;
use kube::api::{ApiResource, ObjectMeta};
use kube::core::DynamicResourceScope;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::kept;
use crate::plan::object::Object;

/// An object of any kind, as it came.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    metadata: ObjectMeta,
    object: Object,
}

impl Whole {
    /// What came, as the domain's object. Lists leave out what each item is, so
    /// that is given.
    pub(super) fn into_object(mut self, api_version: &str, kind: &str) -> Object {
        self.object.0["apiVersion"] = api_version.into();
        self.object.0["kind"] = kind.into();
        self.object
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields: Value = deserializer.deserialize_map(Fields)?.into();
        Ok(Self {
            metadata: kept::metadata(&fields["metadata"]).map_err(Error::custom)?,
            object: Object(fields),
        })
    }
}

/// Reads the fields of an object.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of the API server")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut read: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = read.next_key::<String>()? {
            let value = match name.as_str() {
                "metadata" => Value::Object(read.next_value::<Metadata>()?.rest),
                _ => read.next_value()?,
            };
            fields.insert(name, value);
        }
        Ok(fields)
    }
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "managedFields")]
    _notes: Option<IgnoredAny>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Resource for Whole {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(of: &ApiResource) -> Cow<'_, str> {
        of.kind.as_str().into()
    }

    fn group(of: &ApiResource) -> Cow<'_, str> {
        of.group.as_str().into()
    }

    fn version(of: &ApiResource) -> Cow<'_, str> {
        of.version.as_str().into()
    }

    fn plural(of: &ApiResource) -> Cow<'_, str> {
        of.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_but_the_notes_is_kept() {
        let sent = json!({
            "metadata": {
                "name": "web", "uid": "1", "generation": 2, "finalizers": ["x"],
                "managedFields": [{ "manager": "m", "fieldsV1": { "f:spec": {} } }],
            },
            "spec": { "managedFields": "the user's own" },
            "data": [1, null],
        });
        let whole: Whole = serde_json::from_value(sent.clone()).expect("an object");
        assert_eq!(whole.meta().uid.as_deref(), Some("1"));
        let mut expected = sent;
        let metadata = expected["metadata"].as_object_mut().expect("a map");
        metadata.remove("managedFields");
        expected["apiVersion"] = "v1".into();
        expected["kind"] = "Web".into();
        assert_eq!(whole.into_object("v1", "Web").0, expected);
    }
}
