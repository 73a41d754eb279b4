//! Apps that run before promoter came, and what is read and changed of them.

use promoter::group::name::AppName;
use promoter::plan::color::Color;
use promoter::plan::label;
use promoter::plan::object::{Object, ObjectRef};
use promoter::plan::taking::merged;
use promoter::port::ClusterError;
use promoter::promotion::observed::PodState;
use serde_json::{Value, json};

use super::given;
use super::world::{Pod, State};

/// What a node says of the image that runs.
const IMAGE_ID: &str =
    "registry.test/old@sha256:00000000000000000000000000000000000000000000000000000000000000aa";

/// A Deployment as somebody else made it, rolled out.
pub(crate) fn deployment(app: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": app, "uid": format!("uid-of-{app}"), "generation": 3, "labels": { "app": app },
        },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": app } },
            "template": {
                "metadata": { "labels": { "app": app } },
                "spec": { "containers": [{ "name": app, "image": format!("registry.test/{app}:old") }] },
            },
        },
        "status": {
            "observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
        },
    })
}

/// The `ReplicaSet` that it made.
pub(crate) fn replica_set(app: &str, hash: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{app}-{hash}"),
            "uid": format!("uid-of-{app}-{hash}"),
            "labels": { "app": app, label::TEMPLATE_HASH: hash },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": app,
                "uid": format!("uid-of-{app}"), "controller": true,
            }],
        },
        "spec": { "replicas": 2 },
    })
}

/// A pod of that.
pub(crate) fn pod(app: &str, hash: &str, n: u32) -> Value {
    let name = format!("{app}-{hash}-{n}");
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "uid": format!("uid-of-{name}"),
            "labels": { "app": app, label::TEMPLATE_HASH: hash },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{app}-{hash}"),
                "uid": format!("uid-of-{app}-{hash}"), "controller": true,
            }],
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [{ "name": app, "imageID": IMAGE_ID }],
        },
    })
}

/// The Service that leads to them.
pub(crate) fn service(app: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": app, "uid": format!("uid-of-service-{app}") },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.0.9.9",
            "selector": { "app": app },
            "ports": [{ "port": 80, "targetPort": 8080 }],
        },
    })
}

impl State {
    /// Lets an app run as somebody else made it, users being at it.
    pub(crate) fn stand(&mut self, app: &str) {
        let hash = format!("h{}", app.len());
        for object in [deployment(app), replica_set(app, &hash), service(app)] {
            self.put(object);
        }
        for n in 0..2 {
            self.stand_pod(app, &hash, n);
        }
        self.promises.standing.insert(app.to_owned());
    }

    /// A pod of a Deployment that somebody else made.
    pub(crate) fn stand_pod(&mut self, app: &str, hash: &str, n: u32) {
        let made = Object(pod(app, hash, n));
        let deployment = self.get("Deployment", app).and_then(Object::uid);
        let state = PodState {
            uid: made.uid().unwrap().to_owned(),
            owner: deployment.map(str::to_owned),
            addresses: vec![self.address()],
            ..given::running_pod(made.name(), Color::Green, self.now)
        };
        let labels = made.texts_at("/metadata/labels");
        self.pods.push(Pod {
            state,
            labels,
            spec: Value::Null,
            log: Vec::new(),
            report: Vec::new(),
        });
    }

    pub(super) fn find(&self, objects: &[ObjectRef]) -> Vec<Object> {
        let found = objects.iter();
        found.filter_map(|object| self.stands(object)).collect()
    }

    pub(super) fn all(&self, kinds: &[(&str, &str)]) -> Vec<Object> {
        let pods = self.pods.iter().map(as_object);
        let all = self.objects.values().cloned().chain(pods);
        all.filter(|object| kinds.contains(&(object.api_version(), object.kind())))
            .collect()
    }

    fn stands(&self, object: &ObjectRef) -> Option<Object> {
        let mut pods = self.pods.iter().map(as_object);
        let found = self.objects.get(object).cloned();
        found.or_else(|| pods.find(|pod| pod.reference() == *object))
    }

    /// As the server does: only from exactly what was found.
    pub(super) fn alter(&mut self, found: &Object, patch: &Value) -> Result<Object, ClusterError> {
        let object = found.reference();
        if self.stands(&object).as_ref() != Some(found) {
            let action = format!("change {object}");
            return Err(ClusterError::Moved { action });
        }
        let mut altered = merged(found, patch);
        if object.kind == "Pod" {
            self.relabel(&altered);
            return Ok(altered);
        }
        if object.kind == "Deployment" && altered.at("/spec") != found.at("/spec") {
            let generation = altered.at("/metadata/generation").and_then(Value::as_i64);
            let generation = json!(generation.unwrap_or(1) + 1);
            altered.0["status"]["observedGeneration"] = generation.clone();
            altered.0["metadata"]["generation"] = generation;
        }
        self.objects.insert(object, altered.clone());
        Ok(altered)
    }

    fn relabel(&mut self, altered: &Object) {
        let labels = altered.texts_at("/metadata/labels");
        let of = |key: &str| labels.get(key).map(String::as_str);
        let pod = self.pod(altered.name()).unwrap();
        pod.state.app = of(label::APP).and_then(|app| AppName::parse(app).ok());
        pod.state.color = of(label::COLOR)
            .and_then(Color::parse)
            .unwrap_or(Color::Green);
        pod.state.promotion = of(label::PROMOTION).map_or_else(String::new, str::to_owned);
        pod.labels = labels;
    }
}

/// A pod as the server has it. What a promotion made is controlled by its owner
/// outright.
fn as_object(pod: &Pod) -> Object {
    let hash = pod.labels.get(label::TEMPLATE_HASH);
    let app = pod.labels.get("app");
    let owner = match (app, hash) {
        (Some(app), Some(hash)) => Some(format!("uid-of-{app}-{hash}")),
        _ => pod.state.owner.clone(),
    };
    let container = pod.labels.get("app").cloned().unwrap_or_default();
    Object(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod.state.name,
            "uid": pod.state.uid,
            "labels": pod.labels,
            "ownerReferences": [{ "uid": owner, "controller": true }],
        },
        "status": {
            "phase": pod.state.phase,
            "containerStatuses": [{ "name": container, "imageID": IMAGE_ID }],
        },
    }))
}
