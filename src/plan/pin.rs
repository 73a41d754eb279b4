//! Pinning: pods of a colour reach the group's Services of that colour only.
//!
//! Every member's name is mapped to its colour Service twice: in the hosts
//! file, and in the variables Kubernetes injects for Services (see
//! [`links`](super::links)). So candidates and checks use production names and
//! never meet the other colour.

use serde_json::{Value, json};

use super::links::Links;
use super::object::{Object, entry};

/// Where a member's Service name leads inside a colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Name of the user's Service.
    pub service: String,
    /// Cluster addresses of the colour Service, of every family.
    pub addresses: Vec<String>,
    /// Its ports, in order.
    pub ports: Vec<PinPort>,
}

/// One port of a pinned Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinPort {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its number.
    pub number: u16,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
}

impl Pin {
    /// Reads a pin off the colour Service as the cluster holds it.
    /// `None` while it has no cluster address.
    pub fn of(service: &str, colored: &Object) -> Option<Self> {
        let addresses = addresses(colored);
        let ports = colored
            .at("/spec/ports")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let ports = ports.filter_map(PinPort::of).collect();
        (!addresses.is_empty()).then(|| Self {
            service: service.to_owned(),
            addresses,
            ports,
        })
    }
}

/// Cluster addresses of a Service, of every family.
pub fn addresses(service: &Object) -> Vec<String> {
    let all = service.at("/spec/clusterIPs").and_then(Value::as_array);
    let all = all.into_iter().flatten().filter_map(Value::as_str);
    let mut addresses: Vec<_> = all.map(str::to_owned).collect();
    if addresses.is_empty() {
        addresses.extend(service.str_at("/spec/clusterIP").map(str::to_owned));
    }
    addresses
}

impl PinPort {
    fn of(port: &Value) -> Option<Self> {
        Some(Self {
            name: port.get("name").and_then(Value::as_str).map(str::to_owned),
            number: port.get("port")?.as_u64()?.try_into().ok()?,
            protocol: port
                .get("protocol")
                .and_then(Value::as_str)
                .unwrap_or("TCP")
                .to_owned(),
        })
    }
}

/// Pins a workload's pods (anything with `spec.template`). Variables that the
/// user sets, in `env` or by `envFrom`, win over those of `links`, as they do
/// over those Kubernetes injects.
pub fn pin(
    workload: &mut Object,
    pins: &[Pin],
    links: &Links,
    namespace: &str,
    cluster_domain: &str,
) {
    let spec = entry(&mut workload.0, &["spec", "template", "spec"]);
    let mut aliases: Vec<Value> = pins
        .iter()
        .flat_map(|pin| host_aliases(pin, namespace, cluster_domain))
        .collect();
    // The first line of a hosts file that names a host wins, so the user's come behind.
    aliases.extend(
        spec.get("hostAliases")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default(),
    );
    if !aliases.is_empty() {
        spec.insert("hostAliases".into(), aliases.into());
    }
    if spec.get("enableServiceLinks") == Some(&Value::Bool(false)) {
        return;
    }
    for container in workload.containers_mut() {
        links.inject(container);
    }
}

fn host_aliases(pin: &Pin, namespace: &str, cluster_domain: &str) -> Vec<Value> {
    let name = &pin.service;
    let hostnames = [
        name.clone(),
        format!("{name}.{namespace}"),
        format!("{name}.{namespace}.svc"),
        format!("{name}.{namespace}.svc.{cluster_domain}"),
    ];
    pin.addresses
        .iter()
        .map(|ip| json!({ "ip": ip, "hostnames": hostnames }))
        .collect()
}
