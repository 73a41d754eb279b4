//! What is kept of the objects that are watched: the facts the rules look at,
//! read once, as an object arrives.
//!
//! A pod's template names every member of its group, and so do the notes about
//! who set which of its fields. What nobody looks at is not even unpacked: it is
//! hundreds of times what is looked at.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::api::ListParams;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::plan::label;

/// Objects that are asked for at one go. A cluster may have very many, and those
/// of a large group are large.
pub(super) const PAGE: u32 = 50;

/// Facts about objects of one kind.
pub(super) trait Facts: Sized + Clone + Debug + Send + Sync + 'static {
    /// The kind.
    type Of: Resource<DynamicType = (), Scope = NamespaceResourceScope>;
    /// What of an object is unpacked.
    type Wire: DeserializeOwned;

    /// The facts, and the metadata they were read from. `None`: it is not an
    /// object that the rules look at.
    fn read(wire: Self::Wire) -> (ObjectMeta, Option<Self>);
}

/// An object as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept<T> {
    /// Name, uid, versions, and the stamp of a lock.
    metadata: ObjectMeta,
    pub(super) facts: Option<T>,
}

impl<'de, T: Facts> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut metadata, facts) = T::read(T::Wire::deserialize(deserializer)?);
        metadata.labels = None;
        metadata.owner_references = None;
        if let Some(annotations) = &mut metadata.annotations {
            annotations.retain(|key, _| key == label::FENCE);
        }
        Ok(Self { metadata, facts })
    }
}

impl<T: Facts> Resource for Kept<T> {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        T::Of::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        T::Of::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        T::Of::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        T::Of::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// The facts about what a list names, as the server has it now.
pub(super) async fn list<T: Facts>(
    api: &Api<Kept<T>>,
    which: ListParams,
) -> Result<Vec<T>, kube::Error> {
    let mut which = which.limit(PAGE);
    let mut facts = Vec::new();
    loop {
        let page = api.list(&which).await?;
        let more = page.metadata.continue_.clone();
        facts.extend(page.into_iter().filter_map(|kept| kept.facts));
        match more.filter(|token| !token.is_empty()) {
            Some(token) => which.continue_token = Some(token),
            None => return Ok(facts),
        }
    }
}

/// Metadata but for who set which field, which is most of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    annotations: Option<BTreeMap<String, String>>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    generation: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    name: Option<String>,
    namespace: Option<String>,
    owner_references: Option<Vec<OwnerReference>>,
    resource_version: Option<String>,
    uid: Option<String>,
}

/// Reads metadata as [`Metadata`].
pub(super) fn metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let read = Metadata::deserialize(deserializer)?;
    Ok(ObjectMeta {
        annotations: read.annotations,
        creation_timestamp: read.creation_timestamp,
        deletion_timestamp: read.deletion_timestamp,
        generation: read.generation,
        labels: read.labels,
        name: read.name,
        namespace: read.namespace,
        owner_references: read.owner_references,
        resource_version: read.resource_version,
        uid: read.uid,
        ..ObjectMeta::default()
    })
}
