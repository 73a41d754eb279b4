//! A colour's Services as they have to be. They stay while their colour is idle, so
//! that one which stands may have been changed by anybody since.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::label::FENCE;
use super::object::Object;

/// Nodes learn the way to a pod while it starts, and not only once it is ready.
const PUBLISH: &str = "publishNotReadyAddresses";

/// What the API server chooses.
const CHOSEN: [&str; 4] = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];

/// What it sets where nobody says it.
const DEFAULTS: [(&str, &str); 2] = [
    ("internalTrafficPolicy", "Cluster"),
    ("sessionAffinity", "None"),
];

/// Lists of metadata that no Service of a colour has.
const HOLDS: [&str; 2] = ["finalizers", "ownerReferences"];

/// A planned Service as it is while nothing is tested yet.
pub fn published(mut planned: Object) -> Object {
    planned.0["spec"][PUBLISH] = true.into();
    planned
}

/// Whether a Service that stands is so: no user was led to what is behind it.
pub fn is_published(found: &Object) -> bool {
    found.0["spec"][PUBLISH] == true
}

/// Whether a Service that stands is what is planned, and nothing else. Fields that
/// somebody added are no conflict when it is applied, and stay.
pub fn is_as_planned(planned: &Object, found: &Object) -> bool {
    let stays = !found.is_deleting()
        && HOLDS
            .iter()
            .all(|list| is_empty(&found.0["metadata"][list]));
    let labels = |object: &Object| object.texts_at("/metadata/labels");
    stays
        && labels(planned) == labels(found)
        && annotations(planned) == annotations(found)
        && is_spec(planned, found)
}

fn is_empty(list: &Value) -> bool {
    list.as_array().is_none_or(Vec::is_empty)
}

/// Annotations, without the stamp of a lock.
fn annotations(object: &Object) -> BTreeMap<String, String> {
    let mut annotations = object.texts_at("/metadata/annotations");
    annotations.remove(FENCE);
    annotations
}

fn is_spec(planned: &Object, found: &Object) -> bool {
    let (planned, found) = (spec(planned), spec(found));
    let is_known = |(field, value): (&String, &Value)| match planned.get(field) {
        // The server chooses where nobody says it, and may add a family.
        _ if CHOSEN.contains(&field.as_str()) => true,
        Some(wanted) if field == "ports" => are_ports(wanted, value),
        Some(wanted) => wanted == value,
        None => DEFAULTS
            .iter()
            .any(|(name, default)| name == field && value == default),
    };
    let is_there = |field: &String| found.contains_key(field);
    found.iter().all(is_known) && planned.keys().all(is_there)
}

/// What is said of a Service. To say `null` is to say nothing, and who asks for
/// sessions and not how long gets three hours.
fn spec(object: &Object) -> Map<String, Value> {
    let spec = object.0.get("spec").and_then(Value::as_object);
    let mut spec = spec.cloned().unwrap_or_default();
    spec.retain(|_, value| !value.is_null());
    if spec.get("sessionAffinity") == Some(&json!("ClientIP")) {
        let hours = json!({ "clientIP": { "timeoutSeconds": 10_800 } });
        spec.entry("sessionAffinityConfig").or_insert(hours);
    }
    spec
}

fn are_ports(wanted: &Value, found: &Value) -> bool {
    let ports = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (wanted, found) = (ports(wanted), ports(found));
    let are_same = |(wanted, found): (&Value, &Value)| is_port(wanted, found);
    wanted.len() == found.len() && wanted.iter().zip(&found).all(are_same)
}

/// Whether two ports are the same once the server has filled in what they lack.
fn is_port(wanted: &Value, found: &Value) -> bool {
    let filled = |port: &Value| {
        let mut port = port.as_object().cloned().unwrap_or_default();
        let number = port.get("port").cloned().unwrap_or_default();
        port.entry("protocol").or_insert_with(|| "TCP".into());
        port.entry("targetPort").or_insert(number);
        port
    };
    filled(wanted) == filled(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn planned() -> Object {
        Object(json!({
            "metadata": { "name": "web-blue", "labels": { "promoter.dev/color": "blue" } },
            "spec": {
                "type": "ClusterIP",
                "selector": { "app": "web" },
                "ports": [{ "name": "http", "port": 80, "targetPort": 8080 }, { "port": 9 }],
            },
        }))
    }

    /// What the server answers to that.
    fn answer() -> Object {
        let ports = json!([
            { "name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080 },
            { "port": 9, "protocol": "TCP", "targetPort": 9 },
        ]);
        Object(json!({
            "metadata": {
                "name": "web-blue",
                "uid": "1",
                "labels": { "promoter.dev/color": "blue" },
                "annotations": { "promoter.dev/fence": "7" },
            },
            "spec": {
                "type": "ClusterIP",
                "selector": { "app": "web" },
                "ports": ports,
                "clusterIP": "10.0.0.1",
                "clusterIPs": ["10.0.0.1"],
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "internalTrafficPolicy": "Cluster",
                "sessionAffinity": "None",
            },
        }))
    }

    #[test]
    fn what_the_server_adds_is_no_difference() {
        assert!(is_as_planned(&planned(), &answer()));
        let mut sticky = (planned(), answer());
        sticky.0.0["spec"]["sessionAffinity"] = json!("ClientIP");
        sticky.0.0["spec"]["sessionAffinityConfig"] = Value::Null;
        sticky.1.0["spec"]["sessionAffinity"] = json!("ClientIP");
        let hours = json!({ "clientIP": { "timeoutSeconds": 10_800 } });
        sticky.1.0["spec"]["sessionAffinityConfig"] = hours;
        assert!(is_as_planned(&sticky.0, &sticky.1));
    }

    #[test]
    fn one_that_is_published_is_another() {
        let mut now = answer();
        now.0["spec"][PUBLISH] = true.into();
        assert!(is_as_planned(&published(planned()), &now));
        assert!(!is_as_planned(&planned(), &now));
        assert!(!is_as_planned(&published(planned()), &answer()));
    }

    #[test]
    fn whatever_somebody_changes_is_one() {
        for (pointer, value) in [
            ("/spec/type", json!("NodePort")),
            ("/spec/selector", json!({ "app": "web", "tier": "a" })),
            ("/spec/ports/0/targetPort", json!(1)),
            ("/spec/ports/0/nodePort", json!(30_000)),
            ("/spec/ports/0/appProtocol", json!("h2c")),
            ("/spec/ports/1/protocol", json!("UDP")),
            ("/spec/internalTrafficPolicy", json!("Local")),
            ("/spec/sessionAffinity", json!("ClientIP")),
            ("/spec/externalIPs", json!(["192.0.2.1"])),
            ("/spec/trafficDistribution", json!("PreferClose")),
            ("/metadata/labels/promoter.dev~1color", json!("green")),
            (
                "/metadata/labels/service.kubernetes.io~1headless",
                json!(""),
            ),
            ("/metadata/annotations/dns", json!("example.com")),
            ("/metadata/finalizers", json!(["example.com/stay"])),
            ("/metadata/ownerReferences", json!([{ "uid": "2" }])),
            ("/metadata/deletionTimestamp", json!("2030-01-01T00:00:00Z")),
        ] {
            let mut found = answer();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            found.0.pointer_mut(parent).unwrap()[field.replace("~1", "/")] = value;
            assert!(!is_as_planned(&planned(), &found), "{pointer}");
        }
        let mut shorter = answer();
        shorter.0["spec"]["ports"].as_array_mut().unwrap().pop();
        assert!(!is_as_planned(&planned(), &shorter));
        let mut without = answer();
        without.0["spec"]
            .as_object_mut()
            .unwrap()
            .remove("selector");
        assert!(!is_as_planned(&planned(), &without));
    }
}
