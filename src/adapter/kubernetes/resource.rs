//! From `apiVersion` and `kind` to the path the API server knows it by.

use std::collections::BTreeMap;
use std::sync::Mutex;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ApiResource, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::core::gvk::ParseGroupVersionError;
use kube::discovery::{self, Scope};
use kube::{Api, Client};
use serde_json::Value;

use super::whole::Whole;
use super::{Kubernetes, error};
use crate::plan::autoscaler::{API_VERSION, KIND};
use crate::plan::cron;
use crate::plan::label::{self, FIELD_MANAGER};
use crate::plan::object::{Object, ObjectRef};
use crate::port::ClusterError;

/// Plural names of the kinds promoter meets most; others are asked for once.
const KNOWN: [(&str, &str, &str); 12] = [
    ("apps/v1", "Deployment", "deployments"),
    ("apps/v1", "ReplicaSet", "replicasets"),
    ("v1", "Pod", "pods"),
    ("batch/v1", "Job", "jobs"),
    (cron::API_VERSION, cron::KIND, "cronjobs"),
    ("v1", "Service", "services"),
    ("v1", "ConfigMap", "configmaps"),
    ("v1", "Secret", "secrets"),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    (API_VERSION, KIND, "horizontalpodautoscalers"),
    ("networking.k8s.io/v1", "Ingress", "ingresses"),
];

/// Kinds that were looked up so far.
#[derive(Default)]
pub(super) struct Resources(Mutex<BTreeMap<(String, String), ApiResource>>);

impl Resources {
    async fn find(
        &self,
        client: &Client,
        api_version: &str,
        kind: &str,
    ) -> Result<ApiResource, ClusterError> {
        let gvk = gvk(api_version, kind).map_err(|error| ClusterError::Refused {
            action: format!("find kind {kind}"),
            reason: format!("{error} in apiVersion {api_version:?}"),
        })?;
        if let Some((_, _, plural)) = KNOWN
            .iter()
            .find(|(a, k, _)| *a == api_version && *k == kind)
        {
            return Ok(ApiResource::from_gvk_with_plural(&gvk, plural));
        }
        let key = (api_version.to_owned(), kind.to_owned());
        if let Some(found) = self.known(&key) {
            return Ok(found);
        }
        let unknown = |reason: String| ClusterError::Refused {
            action: format!("find kind {kind} of apiVersion {api_version}"),
            reason,
        };
        let (resource, capabilities) =
            discovery::pinned_kind(client, &gvk)
                .await
                .map_err(|error| match error {
                    kube::Error::Api(status) if status.code == 404 => {
                        unknown("the cluster does not have it".to_owned())
                    }
                    kube::Error::Discovery(_) => unknown("the cluster does not have it".to_owned()),
                    error => error::from(&format!("look up kind {kind}"), error),
                })?;
        if capabilities.scope == Scope::Cluster {
            return Err(unknown(
                "it belongs to the whole cluster, not to a namespace".to_owned(),
            ));
        }
        self.keep(key, resource.clone());
        Ok(resource)
    }

    fn known(&self, key: &(String, String)) -> Option<ApiResource> {
        self.0.lock().ok()?.get(key).cloned()
    }

    fn keep(&self, key: (String, String), resource: ApiResource) {
        if let Ok(mut known) = self.0.lock() {
            known.insert(key, resource);
        }
    }
}

fn gvk(api_version: &str, kind: &str) -> Result<GroupVersionKind, ParseGroupVersionError> {
    let group_version: kube::core::GroupVersion = api_version.parse()?;
    Ok(group_version.with_kind(kind))
}

impl Kubernetes {
    /// The API of a kind in the group's namespace.
    pub(super) async fn api(
        &self,
        api_version: &str,
        kind: &str,
    ) -> Result<Api<Whole>, ClusterError> {
        let resource = self.resources.find(&self.client, api_version, kind).await?;
        Ok(Api::namespaced_with(
            self.client.clone(),
            self.namespace.as_str(),
            &resource,
        ))
    }

    pub(super) async fn api_of(&self, object: &ObjectRef) -> Result<Api<Whole>, ClusterError> {
        self.api(&object.api_version, &object.kind).await
    }
}

/// The epoch an object was written under, or stamped with, last.
pub(super) fn stamp_of(object: &impl kube::Resource) -> Option<u64> {
    stamp_in(object.meta())
}

/// As [`stamp_of`], from an object's metadata.
pub(super) fn stamp_in(metadata: &ObjectMeta) -> Option<u64> {
    metadata
        .annotations
        .as_ref()?
        .get(label::FENCE)?
        .parse()
        .ok()
}

/// A patch by one of promoter's field managers.
pub(super) fn patched_by(manager: &str) -> PatchParams {
    PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    }
}

/// A JSON patch from its operations; `action` says what it is for.
pub(super) fn json_patch(action: &str, operations: Value) -> Result<Patch<()>, ClusterError> {
    let patch = serde_json::from_value(operations).map_err(|error| ClusterError::Refused {
        action: action.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Patch::Json(patch))
}

/// A whole object by promoter's field manager.
pub(super) fn posted() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    }
}

/// Whether what is found runs what was to be made, from the same data and against
/// the same members. What the server fills in by itself does not count.
pub(super) fn runs_the_same(made: &Object, found: &Object) -> bool {
    if made.kind() == cron::KIND {
        return runs_the_same(&cron::job(made), &cron::job(found));
    }
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (made.containers().collect(), found.containers().collect());
    let mut containers = ours.iter().zip(&theirs);
    made.at("/data") == found.at("/data")
        && same_fields(
            &OF_POD,
            |name| of_template(made, name),
            |name| of_template(found, name),
        )
        && ours.len() == theirs.len()
        && containers.all(|(ours, theirs)| {
            same_fields(
                &OF_CONTAINER,
                |name| ours.get(name),
                |name| theirs.get(name),
            )
        })
}

/// What decides where a pod's calls go and what it finds there.
const OF_POD: [&str; 7] = [
    "hostAliases",
    "volumes",
    "dnsConfig",
    "hostNetwork",
    "hostPID",
    "shareProcessNamespace",
    "runtimeClassName",
];
/// What decides what a container runs.
const OF_CONTAINER: [&str; 9] = [
    "name",
    "image",
    "command",
    "args",
    "env",
    "envFrom",
    "workingDir",
    "volumeMounts",
    "lifecycle",
];

fn of_template<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.at("/spec/template/spec")?.get(name)
}

fn same_fields<'a>(
    names: &[&str],
    ours: impl Fn(&str) -> Option<&'a Value>,
    theirs: impl Fn(&str) -> Option<&'a Value>,
) -> bool {
    let same = |name: &&str| {
        is_part(
            ours(name).unwrap_or(NOTHING),
            theirs(name).unwrap_or(NOTHING),
        )
    };
    names.iter().all(same)
}

const NOTHING: &Value = &Value::Null;

/// Whether a value is as given, but for fields that were added to it. What says
/// nothing is left out by the server.
fn is_part(given: &Value, found: &Value) -> bool {
    match (given, found) {
        (given, found) if says_nothing(given) && says_nothing(found) => true,
        (Value::Object(given), Value::Object(found)) => given
            .iter()
            .all(|(key, value)| is_part(value, found.get(key).unwrap_or(NOTHING))),
        (Value::Array(given), Value::Array(found)) => {
            given.len() == found.len() && given.iter().zip(found).all(|(g, f)| is_part(g, f))
        }
        _ => given == found,
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_runs_the_same_is_taken_for_ones_own() {
        let object = |container: Value| {
            let template = json!({ "spec": { "containers": [container] } });
            Object(json!({ "kind": "Job", "spec": { "template": template } }))
        };
        let field =
            |version: Value| json!([{ "name": "POD", "valueFrom": { "fieldRef": version } }]);
        let made = object(json!({
            "name": "check", "image": "tests@sha256:1", "command": ["npm", "test"],
            "env": field(json!({ "fieldPath": "metadata.name" })),
        }));
        let found = |image: &str, command: Value, more: Value| {
            object(json!({
                "name": "check", "image": image, "command": command, "imagePullPolicy": "IfNotPresent",
                "env": field(json!({ "fieldPath": "metadata.name", "apiVersion": "v1" })), "args": more,
            }))
        };
        let test = || json!(["npm", "test"]);
        assert!(runs_the_same(
            &made,
            &found("tests@sha256:1", test(), Value::Null)
        ));
        for other in [
            found("tests@sha256:2", test(), Value::Null),
            found("tests@sha256:1", json!(["true"]), Value::Null),
            found(
                "tests@sha256:1",
                json!(["npm", "test", "--help"]),
                Value::Null,
            ),
            found("tests@sha256:1", test(), json!(["--help"])),
            object(json!({ "name": "check" })),
            Object(json!({ "kind": "Job" })),
        ] {
            assert!(!runs_the_same(&made, &other), "{other:?}");
        }
    }

    #[test]
    fn what_a_pod_calls_and_finds_decides_what_it_runs() {
        let job = |more: Value| {
            let mut pod = json!({
                "hostAliases": [{ "ip": "10.0.0.1", "hostnames": ["hello-a"] }],
                "containers": [{ "name": "check", "image": "tests@sha256:1" }],
            });
            for (path, value) in more.as_object().into_iter().flatten() {
                let (parent, name) = path.rsplit_once('/').expect("a path");
                let parent = pod.pointer_mut(parent).expect("it is there");
                parent[name] = value.clone();
            }
            Object(json!({ "kind": "Job", "spec": { "template": { "spec": pod } } }))
        };
        let made = job(json!({}));
        let filled_in = json!({
            "/dnsPolicy": "ClusterFirst", "/restartPolicy": "Never",
            "/containers/0/imagePullPolicy": "Always",
        });
        assert!(runs_the_same(&made, &job(filled_in)));
        let volumes = json!([{ "name": "tests", "configMap": { "name": "mine" } }]);
        let mounts = json!([{ "name": "tests", "mountPath": "/app" }]);
        for (path, value) in [
            (
                "/hostAliases",
                json!([{ "ip": "10.0.0.2", "hostnames": ["hello-a"] }]),
            ),
            ("/hostAliases", json!([])),
            ("/volumes", volumes),
            ("/hostNetwork", json!(true)),
            ("/dnsConfig", json!({ "nameservers": ["10.0.0.9"] })),
            ("/containers/0/volumeMounts", mounts),
            ("/containers/0/workingDir", json!("/tmp")),
            (
                "/containers/0/lifecycle",
                json!({ "postStart": { "exec": { "command": ["x"] } } }),
            ),
        ] {
            assert!(
                !runs_the_same(&made, &job(json!({ path: value }))),
                "{path}"
            );
        }
    }
}
