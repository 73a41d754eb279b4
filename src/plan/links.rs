//! The variables that Kubernetes injects for Services, with a colour's addresses.
//!
//! In a small group they are plain `env`. A large one keeps them in a
//! `ConfigMap`: as `env` they would make each of its pods as large as the group
//! (measured with 100 members: 42 of 65 kB). A small one does not, as a
//! `ConfigMap` that is new holds up every second start of pods for a second:
//! a kubelet may read it only once the API server has seen the pod on its node,
//! and asks again no sooner (measured).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::label::{self, Role};
use super::object::Object;
use super::pin::{Pin, PinPort};
use crate::group::name::GroupName;

/// Most variables that are plain `env`.
const FEW: usize = 100;

/// The variables of one promotion's colour, under the name they are kept by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    name: String,
    group: String,
    promotion: String,
    variables: BTreeMap<String, String>,
}

impl Links {
    /// The variables for these pins.
    pub fn of(group: &GroupName, promotion: &str, pins: &[Pin]) -> Self {
        Self {
            name: format!("{group}-links-{promotion}"),
            group: group.to_string(),
            promotion: promotion.to_owned(),
            variables: pins.iter().flat_map(service_links).collect(),
        }
    }

    /// Whether any of these workloads takes them from the `ConfigMap`.
    pub fn need_object<'a>(&self, workloads: impl IntoIterator<Item = &'a Object>) -> bool {
        let kept_apart = |workload: &Object| {
            let mut containers = workload.containers();
            containers.any(|container| self.are_kept_apart(container))
        };
        !self.variables.is_empty() && workloads.into_iter().any(kept_apart)
    }

    /// Where a container's own variables come from elsewhere, `env` would win
    /// over them.
    fn are_kept_apart(&self, container: &Map<String, Value>) -> bool {
        let is_empty = |sources: &Value| sources.as_array().is_none_or(Vec::is_empty);
        let own = container.get("envFrom");
        self.variables.len() > FEW || !own.is_none_or(is_empty)
    }

    /// Gives them to a container, whose own variables win.
    pub(super) fn inject(&self, container: &mut Map<String, Value>) {
        if self.variables.is_empty() {
            return;
        }
        let (list, ours): (_, Vec<Value>) = if self.are_kept_apart(container) {
            (
                "envFrom",
                vec![json!({ "configMapRef": { "name": self.name } })],
            )
        } else {
            ("env", self.missing_in(container))
        };
        let own = container.get(list).and_then(Value::as_array);
        // What comes later wins, and may refer to what comes before.
        let all = ours.into_iter().chain(own.into_iter().flatten().cloned());
        let all: Vec<Value> = all.collect();
        container.insert(list.into(), all.into());
    }

    /// Entries of `env` for those that a container does not set itself.
    fn missing_in(&self, container: &Map<String, Value>) -> Vec<Value> {
        let own = container.get("env").and_then(Value::as_array);
        let names = own
            .into_iter()
            .flatten()
            .filter_map(|own| own["name"].as_str());
        let names: BTreeSet<_> = names.collect();
        let missing = self.variables.iter();
        let missing = missing.filter(|(name, _)| !names.contains(name.as_str()));
        missing
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect()
    }

    /// The `ConfigMap` that holds them. Nobody changes it: whoever did would lead
    /// tested pods elsewhere when they start again.
    pub fn object(&self) -> Object {
        let mut object = Object(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": self.name },
            "immutable": true,
            "data": self.variables,
        }));
        object.own(&self.group, Role::Links);
        object.set_label(label::PROMOTION, &self.promotion);
        object
    }
}

/// The variables a kubelet injects for a Service, with the colour's address.
fn service_links(pin: &Pin) -> Vec<(String, String)> {
    let (Some(address), Some(first)) = (pin.addresses.first(), pin.ports.first()) else {
        return Vec::new();
    };
    let host = if address.contains(':') {
        format!("[{address}]")
    } else {
        address.clone()
    };
    let prefix = variable_name(&pin.service);
    let url = |port: &PinPort| format!("{}://{host}:{}", port.protocol.to_lowercase(), port.number);
    let mut links = vec![
        (format!("{prefix}_SERVICE_HOST"), address.clone()),
        (format!("{prefix}_SERVICE_PORT"), first.number.to_string()),
        (format!("{prefix}_PORT"), url(first)),
    ];
    for port in &pin.ports {
        if let Some(name) = &port.name {
            links.push((
                format!("{prefix}_SERVICE_PORT_{}", variable_name(name)),
                port.number.to_string(),
            ));
        }
        let stem = format!("{prefix}_PORT_{}_{}", port.number, port.protocol);
        links.push((stem.clone(), url(port)));
        links.push((format!("{stem}_PROTO"), port.protocol.to_lowercase()));
        links.push((format!("{stem}_PORT"), port.number.to_string()));
        links.push((format!("{stem}_ADDR"), address.clone()));
    }
    links
}

fn variable_name(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}
