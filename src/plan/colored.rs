//! A colour's Services as they have to be. They stay while their colour is idle, so
//! that one which stands may have been changed by anybody since.

use serde_json::Value;

use super::object::Object;

/// Nodes learn the way to a pod while it starts, and not only once it is ready.
const PUBLISH: &str = "publishNotReadyAddresses";

/// What the API server chooses where nobody says it.
const CHOSEN: [&str; 4] = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];

/// What it sets where nobody says it.
const DEFAULTS: [(&str, &str); 2] = [
    ("internalTrafficPolicy", "Cluster"),
    ("sessionAffinity", "None"),
];

/// A planned Service as it is while nothing is tested yet.
pub fn published(mut planned: Object) -> Object {
    planned.0["spec"][PUBLISH] = true.into();
    planned
}

/// Whether a Service is so: nobody uses what stands behind it yet, or its manifest
/// says so all the time.
pub fn is_published(service: &Object) -> bool {
    service.0["spec"][PUBLISH] == true
}

/// Whether a Service that stands is what was applied, and nothing else: fields that
/// somebody added are no conflict, and stay.
pub fn is_as_applied(applied: &Object, found: &Object) -> bool {
    let spec = |object: &Object| {
        let spec = object.0.get("spec").and_then(Value::as_object);
        spec.cloned().unwrap_or_default()
    };
    let (applied, found) = (spec(applied), spec(found));
    let is_known = |(field, value): (&String, &Value)| match applied.get(field) {
        Some(wanted) if field == "ports" => are_ports(wanted, value),
        Some(wanted) => wanted == value,
        None => {
            CHOSEN.contains(&field.as_str())
                || DEFAULTS
                    .iter()
                    .any(|(name, default)| name == field && value == default)
        }
    };
    let is_there = |field: &String| found.contains_key(field);
    found.iter().all(is_known) && applied.keys().all(is_there)
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

    fn applied() -> Object {
        published(Object(json!({ "spec": {
            "type": "ClusterIP",
            "selector": { "app": "web" },
            "ports": [{ "name": "http", "port": 80, "targetPort": 8080 }, { "port": 9 }],
        } })))
    }

    /// What the server answers to that.
    fn answer() -> Object {
        let ports = json!([
            { "name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080 },
            { "port": 9, "protocol": "TCP", "targetPort": 9 },
        ]);
        Object(json!({ "metadata": { "uid": "1" }, "spec": {
            "type": "ClusterIP",
            "selector": { "app": "web" },
            "ports": ports,
            "publishNotReadyAddresses": true,
            "clusterIP": "10.0.0.1",
            "clusterIPs": ["10.0.0.1"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
        } }))
    }

    #[test]
    fn what_the_server_adds_is_no_difference() {
        assert!(is_as_applied(&applied(), &answer()));
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
            ("/spec/publishNotReadyAddresses", json!(false)),
            ("/spec/internalTrafficPolicy", json!("Local")),
            ("/spec/sessionAffinity", json!("ClientIP")),
            ("/spec/externalIPs", json!(["192.0.2.1"])),
            ("/spec/trafficDistribution", json!("PreferClose")),
        ] {
            let mut found = answer();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            found.0.pointer_mut(parent).unwrap()[field] = value;
            assert!(!is_as_applied(&applied(), &found), "{pointer}");
        }
        let mut shorter = answer();
        shorter.0["spec"]["ports"].as_array_mut().unwrap().pop();
        assert!(!is_as_applied(&applied(), &shorter));
        let mut without = answer();
        without.0["spec"].as_object_mut().unwrap().remove(PUBLISH);
        assert!(!is_as_applied(&applied(), &without));
    }
}
