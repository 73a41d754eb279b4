//! The wall: a `NetworkPolicy` that keeps the candidate's pods and those of the other
//! colour from calling each other.
//!
//! A policy can only allow, so this one allows all but the other colour: pods of its
//! own colour, pods of the namespace that are not of the group, other namespaces, and
//! every address but those of the other colour's pods and of its own Services. It says
//! the same before and after the switch, so nobody's call depends on when a node learns
//! of it.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Plan;
use super::color::Color;
use super::label::{self, Role};
use super::object::Object;
use super::policy::{API_VERSION, KIND};
use crate::group::Isolation;

/// Bears the namespace's name, on every namespace.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// What every address of a family lies in.
const ALL: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// The name of a colour's wall.
pub fn name(group: &str, color: Color) -> String {
    format!("{group}-{color}")
}

/// Whether an object is a wall of the group.
pub fn is_wall(object: &Object, group: &str) -> bool {
    object.kind() == KIND && object.is_of(group, Role::Colored)
}

/// The wall of a plan's colour, closed to these addresses. `None`: the plan
/// asks for none.
pub fn wall(plan: &Plan, closed: &BTreeSet<IpAddr>) -> Option<Object> {
    if plan.isolation != Isolation::NetworkPolicy {
        return None;
    }
    let group = plan.group.as_str();
    let color = plan.candidate.as_str();
    let own = json!({ "matchLabels": { label::GROUP: group, label::COLOR: color } });
    let none_of =
        |key: &str, value: &str| json!([{ "key": key, "operator": "NotIn", "values": [value] }]);
    let strangers = none_of(label::GROUP, group);
    let elsewhere = none_of(NAMESPACE_NAME, plan.namespace.as_str());
    let mut peers = vec![
        json!({ "podSelector": own }),
        json!({ "podSelector": { "matchExpressions": strangers } }),
        json!({ "namespaceSelector": { "matchExpressions": elsewhere } }),
    ];
    peers.extend(ALL.map(|all| block(all, closed)));
    let mut wall = Object(json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": { "name": name(group, plan.candidate) },
        "spec": {
            "podSelector": own,
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{ "from": peers }],
            "egress": [{ "to": peers }],
        },
    }));
    wall.own(group, Role::Colored);
    wall.set_label(label::COLOR, color);
    Some(wall)
}

/// Every address of a family but the closed ones.
fn block(all: &str, closed: &BTreeSet<IpAddr>) -> Value {
    let is_v4 = all == ALL[0];
    let of_family = closed.iter().filter(|address| address.is_ipv4() == is_v4);
    let bits = if is_v4 { 32 } else { 128 };
    let except: Vec<_> = of_family.map(|ip| format!("{ip}/{bits}")).collect();
    if except.is_empty() {
        return json!({ "ipBlock": { "cidr": all } });
    }
    json!({ "ipBlock": { "cidr": all, "except": except } })
}

/// The addresses that a wall that stands is closed to.
pub fn closed(found: &Object) -> BTreeSet<IpAddr> {
    let peers = found.at("/spec/ingress/0/from").and_then(Value::as_array);
    let blocks = peers
        .into_iter()
        .flatten()
        .filter_map(|peer| peer.pointer("/ipBlock/except")?.as_array());
    let address = |text: &Value| text.as_str()?.split_once('/')?.0.parse().ok();
    blocks.flatten().filter_map(address).collect()
}

/// Whether a wall that stands is what is planned, whatever addresses it is closed to.
pub fn is_as_planned(plan: &Plan, found: &Object) -> bool {
    let Some(planned) = wall(plan, &closed(found)) else {
        return false;
    };
    let labels = |object: &Object| object.texts_at("/metadata/labels");
    let labels: [BTreeMap<_, _>; 2] = [labels(&planned), labels(found)];
    !found.is_deleting() && labels[0] == labels[1] && planned.at("/spec") == found.at("/spec")
}

#[cfg(test)]
mod tests;
