//! An app's manifest, from its Deployment and Services as they stand.
//!
//! What the server adds is left out, and so is what it would add anyway: its defaults.
//! The image becomes the placeholder, and what looks like one stays what it is.

use serde_json::Value;

use super::app::Running;
use super::{Manifest, secret};
use crate::plan::diff::{LAST_APPLIED, to_yaml};
use crate::plan::object::{Object, entry};

/// Stands for the image until the text is written; nobody calls an image so.
const IMAGE: &str = "promoter-init-image";

/// Annotations that tools write, and that say nothing of the app.
const TOOLS: [&str; 3] = [
    LAST_APPLIED,
    "kubectl.kubernetes.io/restartedAt",
    "deployment.kubernetes.io/revision",
];

/// What the server sets where nobody says otherwise: where it stands, and what.
/// `*` is each of a list.
const DEFAULTS: [(&str, &str); 37] = [
    ("spec.progressDeadlineSeconds", "600"),
    ("spec.revisionHistoryLimit", "10"),
    ("spec.strategy.rollingUpdate.maxSurge", "\"25%\""),
    ("spec.strategy.rollingUpdate.maxUnavailable", "\"25%\""),
    ("spec.strategy.rollingUpdate", "{}"),
    ("spec.strategy.type", "\"RollingUpdate\""),
    ("spec.strategy", "{}"),
    ("spec.template.metadata.annotations", "{}"),
    ("spec.template.metadata.creationTimestamp", "null"),
    ("spec.template.spec.dnsPolicy", "\"ClusterFirst\""),
    ("spec.template.spec.restartPolicy", "\"Always\""),
    ("spec.template.spec.schedulerName", "\"default-scheduler\""),
    ("spec.template.spec.securityContext", "{}"),
    ("spec.template.spec.terminationGracePeriodSeconds", "30"),
    ("spec.template.spec.volumes.*.configMap.defaultMode", "420"),
    ("spec.template.spec.volumes.*.secret.defaultMode", "420"),
    ("containers.*.imagePullPolicy", "\"IfNotPresent\""),
    ("containers.*.resources", "{}"),
    (
        "containers.*.terminationMessagePath",
        "\"/dev/termination-log\"",
    ),
    ("containers.*.terminationMessagePolicy", "\"File\""),
    ("containers.*.ports.*.protocol", "\"TCP\""),
    ("containers.*.env.*.valueFrom.fieldRef.apiVersion", "\"v1\""),
    ("probes.failureThreshold", "3"),
    ("probes.periodSeconds", "10"),
    ("probes.successThreshold", "1"),
    ("probes.timeoutSeconds", "1"),
    ("probes.httpGet.scheme", "\"HTTP\""),
    ("spec.sessionAffinity", "\"None\""),
    ("spec.type", "\"ClusterIP\""),
    ("spec.internalTrafficPolicy", "\"Cluster\""),
    ("spec.externalTrafficPolicy", "\"Cluster\""),
    ("spec.ipFamilyPolicy", "\"SingleStack\""),
    ("spec.allocateLoadBalancerNodePorts", "true"),
    ("spec.ports.*.protocol", "\"TCP\""),
    ("metadata.annotations", "{}"),
    ("metadata.labels", "{}"),
    ("spec.selector", "null"),
];

/// What the server chooses for a Service.
const CHOSEN: [&str; 3] = ["clusterIP", "clusterIPs", "healthCheckNodePort"];

/// An app's manifest.
pub(super) fn write(app: &Running<'_>, services: &[&Object]) -> Manifest {
    let mut deployment = bare(app.deployment);
    // The group file says how many.
    entry(&mut deployment.0, &["spec"]).remove("replicas");
    for container in deployment.containers_mut() {
        // What else runs from it, such as a migration before it starts, moves along.
        if container.get("image").and_then(Value::as_str) == Some(app.image) {
            container.insert("image".into(), IMAGE.into());
        }
    }
    let mut objects = vec![deployment];
    objects.extend(services.iter().map(|service| {
        let mut service = bare(service);
        let spec = entry(&mut service.0, &["spec"]);
        // One family is what there is; of two somebody chose.
        if spec.get("ipFamilyPolicy").is_none() {
            spec.remove("ipFamilies");
        }
        spec.retain(|field, _| !CHOSEN.contains(&field.as_str()));
        service
    }));
    let what: Vec<_> = objects
        .iter()
        .map(|object| object.reference().to_string())
        .collect();
    let texts: Vec<_> = objects.iter().map(to_yaml).collect();
    let text = literal(&texts.join("---\n")).replace(IMAGE, "{{ image }}");
    let secrets: Vec<_> = objects.iter().flat_map(secret::fields).collect();
    let warning = (!secrets.is_empty()).then(|| {
        format!(
            "app {} shows what looks like a secret in {}: move it to a Secret before you commit this file",
            app.name,
            secrets.join(", ")
        )
    });
    Manifest {
        text,
        what: what.join(", "),
        warning,
    }
}

/// An object without what the server and tools have added.
fn bare(object: &Object) -> Object {
    let mut object = object.clone();
    object.forget_server();
    for path in [&["metadata"][..], &["spec", "template", "metadata"]] {
        let pointer = format!("/{}/annotations", path.join("/"));
        let annotations = object.0.pointer_mut(&pointer);
        if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
            annotations.retain(|key, _| !TOOLS.contains(&key.as_str()));
        }
    }
    for (path, default) in DEFAULTS {
        let default = serde_json::from_str(default).unwrap_or_default();
        for path in paths(path) {
            let keys: Vec<_> = path.split('.').collect();
            without(&mut object.0, &keys, &default);
        }
    }
    object
}

/// The places a short path stands for.
fn paths(path: &str) -> Vec<String> {
    if let Some(rest) = path.strip_prefix("probes.") {
        let kinds = ["livenessProbe", "readinessProbe", "startupProbe"];
        let of = |kind| paths(&format!("containers.*.{kind}.{rest}"));
        return kinds.into_iter().flat_map(of).collect();
    }
    if let Some(rest) = path.strip_prefix("containers.") {
        let lists = ["containers", "initContainers"];
        return lists
            .map(|list| format!("spec.template.spec.{list}.{rest}"))
            .into();
    }
    vec![path.to_owned()]
}

/// Takes a value away where it is the default.
fn without(value: &mut Value, path: &[&str], default: &Value) {
    match (path, value) {
        (["*", rest @ ..], Value::Array(list)) => {
            for item in list {
                without(item, rest, default);
            }
        }
        ([last], Value::Object(map)) if map.get(*last) == Some(default) => {
            map.remove(*last);
        }
        ([first, rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(*first) {
                without(inner, rest, default);
            }
        }
        _ => {}
    }
}

/// A text that a template gives back as it is.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["{{", "{%", "{#"]
        .iter()
        .filter_map(|mark| rest.find(mark))
        .min()
    {
        out.push_str(&rest[..at]);
        out.push_str("{{ \"");
        out.push_str(&rest[at..at + 2]);
        out.push_str("\" }}");
        rest = &rest[at + 2..];
    }
    out.push_str(rest);
    out
}
