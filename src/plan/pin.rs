//! Pinning: pods of a colour reach the group's Services of that colour only.
//!
//! Every member's name is mapped to its colour Service twice: in the hosts
//! file, and in the variables Kubernetes injects for Services. So candidates
//! and checks use production names and never meet the other colour.

use std::collections::BTreeSet;

use serde_json::{Value, json};

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
        let texts = |pointer: &str| -> Vec<String> {
            let list = colored
                .at(pointer)
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut addresses = texts("/spec/clusterIPs");
        if addresses.is_empty() {
            addresses = colored
                .str_at("/spec/clusterIP")
                .map(str::to_owned)
                .into_iter()
                .collect();
        }
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
/// user sets (`taken`, or in the container's own `env`) are left alone, as
/// Kubernetes does with those it injects.
pub fn pin(
    workload: &mut Object,
    pins: &[Pin],
    taken: &BTreeSet<String>,
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
    let links = pins.iter().flat_map(service_links);
    let links: Vec<_> = links.filter(|(name, _)| !taken.contains(name)).collect();
    for container in workload.containers_mut() {
        let own = container
            .get("env")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let is_own = |name: &str| {
            own.iter()
                .any(|v| v.get("name").and_then(Value::as_str) == Some(name))
        };
        let links = links.iter().filter(|(name, _)| !is_own(name));
        let mut env: Vec<Value> = links
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        env.extend(own.iter().cloned());
        container.insert("env".into(), env.into());
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
