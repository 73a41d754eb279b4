//! Pods of a colour meet that colour only, under production names.

use std::collections::BTreeSet;

use promoter::plan::object::Object;
use promoter::plan::pin::{Pin, PinPort, pin};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::given;

fn workload(env: &Value) -> Object {
    Object(json!({
        "spec": { "template": { "spec": {
            "containers": [{ "name": "app", "env": env }, { "name": "sidecar" }],
            "initContainers": [{ "name": "first" }],
        } } },
    }))
}

fn pinned(mut workload: Object, pins: &[Pin]) -> Object {
    pin(
        &mut workload,
        pins,
        &BTreeSet::new(),
        "shop",
        "cluster.local",
    );
    workload
}

fn of_ip(service: &str, addresses: &[&str]) -> Pin {
    Pin {
        service: service.to_owned(),
        addresses: addresses.iter().map(|a| (*a).to_owned()).collect(),
        ports: vec![
            PinPort {
                name: Some("http".to_owned()),
                number: 80,
                protocol: "TCP".to_owned(),
            },
            PinPort {
                name: Some("dns-udp".to_owned()),
                number: 53,
                protocol: "UDP".to_owned(),
            },
        ],
    }
}

fn env(workload: &Object, container: &str) -> Vec<(String, String)> {
    let found = workload.at(&format!("/spec/template/spec/{container}/env"));
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let list = found.and_then(Value::as_array).into_iter().flatten();
    list.map(|v| (text(v, "name"), text(v, "value"))).collect()
}

#[test]
fn the_variables_that_a_kubelet_makes() {
    let workload = pinned(
        workload(&json!([])),
        &[of_ip("hello-b", &["10.0.0.7", "fd00::7"])],
    );
    let expected = [
        ("HELLO_B_SERVICE_HOST", "10.0.0.7"),
        ("HELLO_B_SERVICE_PORT", "80"),
        ("HELLO_B_PORT", "tcp://10.0.0.7:80"),
        ("HELLO_B_SERVICE_PORT_HTTP", "80"),
        ("HELLO_B_PORT_80_TCP", "tcp://10.0.0.7:80"),
        ("HELLO_B_PORT_80_TCP_PROTO", "tcp"),
        ("HELLO_B_PORT_80_TCP_PORT", "80"),
        ("HELLO_B_PORT_80_TCP_ADDR", "10.0.0.7"),
        ("HELLO_B_SERVICE_PORT_DNS_UDP", "53"),
        ("HELLO_B_PORT_53_UDP", "udp://10.0.0.7:53"),
        ("HELLO_B_PORT_53_UDP_PROTO", "udp"),
        ("HELLO_B_PORT_53_UDP_PORT", "53"),
        ("HELLO_B_PORT_53_UDP_ADDR", "10.0.0.7"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for container in ["containers/0", "containers/1", "initContainers/0"] {
        assert_eq!(env(&workload, container), expected, "{container}");
    }
}

#[test]
fn an_address_of_the_sixth_version_is_written_in_brackets() {
    let workload = pinned(workload(&json!([])), &[of_ip("b", &["fd00::7"])]);
    let env = env(&workload, "containers/0");
    let value = |name: &str| &env.iter().find(|(n, _)| n == name).unwrap().1;
    assert_eq!(value("B_SERVICE_HOST"), "fd00::7");
    assert_eq!(value("B_PORT"), "tcp://[fd00::7]:80");
    assert_eq!(value("B_PORT_80_TCP_ADDR"), "fd00::7");
}

#[test]
fn what_the_user_sets_wins() {
    let own = json!([
        { "name": "HELLO_B_SERVICE_HOST", "value": "mine" },
        { "name": "URL", "value": "http://$(HELLO_B_PORT_80_TCP_ADDR)" },
    ]);
    let workload = pinned(workload(&own), &[of_ip("hello-b", &["10.0.0.7"])]);
    let env = env(&workload, "containers/0");
    let hosts: Vec<_> = env
        .iter()
        .filter(|(n, _)| n == "HELLO_B_SERVICE_HOST")
        .collect();
    assert_eq!(hosts.len(), 1);
    assert_eq!(hosts[0].1, "mine");
    // References are resolved from what stands before them.
    let place = |name: &str| env.iter().position(|(n, _)| n == name).unwrap();
    assert!(place("HELLO_B_PORT_80_TCP_ADDR") < place("URL"));
}

#[test]
fn read_off_a_service() {
    let service = |spec: Value| Object(json!({ "spec": spec }));
    let ports = json!([{ "port": 80 }, { "name": "dns", "port": 53, "protocol": "UDP" }]);
    let found = Pin::of(
        "b",
        &service(json!({ "clusterIP": "10.0.0.1", "ports": ports })),
    )
    .unwrap();
    assert_eq!(found.addresses, ["10.0.0.1"]);
    assert_eq!(found.ports[0].protocol, "TCP");
    assert_eq!(found.ports[0].name, None);
    assert_eq!(found.ports[1].protocol, "UDP");
    let both = json!({ "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "fd00::1"] });
    assert_eq!(
        Pin::of("b", &service(both)).unwrap().addresses,
        ["10.0.0.1", "fd00::1"]
    );
    assert_eq!(Pin::of("b", &service(json!({}))), None);
}

proptest! {
    #![proptest_config(given::cases(100))]

    /// Whatever the names and families: every name a client can use leads to
    /// every address of the colour, and is named before the user's own lines.
    #[test]
    fn every_name_leads_into_the_color(
        services in prop::collection::btree_map("[a-z]([a-z0-9-]{0,20}[a-z0-9])?", 1..3_usize, 1..5),
        namespace in "[a-z]{1,10}",
        domain in "[a-z]{1,5}\\.[a-z]{1,5}",
    ) {
        let addresses = |n: usize| (0..n).map(|i| format!("10.0.{n}.{i}")).collect::<Vec<_>>();
        let pins: Vec<_> = services
            .iter()
            .map(|(name, n)| Pin { service: name.clone(), addresses: addresses(*n), ports: Vec::new() })
            .collect();
        let mut workload = workload(&json!([]));
        let own = json!({ "ip": "192.0.2.1", "hostnames": ["db"] });
        workload.0["spec"]["template"]["spec"]["hostAliases"] = json!([own]);
        pin(&mut workload, &pins, &BTreeSet::new(), &namespace, &domain);
        let lines = workload.at("/spec/template/spec/hostAliases").unwrap().as_array().unwrap().clone();
        prop_assert_eq!(lines.last(), Some(&own));
        for (name, n) in &services {
            let names = [
                name.clone(),
                format!("{name}.{namespace}"),
                format!("{name}.{namespace}.svc"),
                format!("{name}.{namespace}.svc.{domain}"),
            ];
            for host in &names {
                let leads = lines.iter().filter(|line| {
                    line["hostnames"].as_array().unwrap().contains(&json!(host))
                });
                let found: Vec<_> = leads.map(|line| line["ip"].as_str().unwrap()).collect();
                prop_assert_eq!(found, addresses(*n));
            }
        }
    }
}

#[test]
fn what_the_user_sets_is_left_alone() {
    let pins = [of_ip("redis", &["10.0.0.1"])];
    let names = |workload: &Object| -> Vec<String> {
        let env = workload.at("/spec/template/spec/containers/0/env").unwrap();
        env.as_array()
            .unwrap()
            .iter()
            .map(|v| v["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut from_config = workload(&json!([]));
    let taken = BTreeSet::from(["REDIS_PORT".to_owned()]);
    pin(&mut from_config, &pins, &taken, "shop", "cluster.local");
    let found = names(&from_config);
    assert!(!found.contains(&"REDIS_PORT".to_owned()), "{found:?}");
    assert!(
        found.contains(&"REDIS_SERVICE_HOST".to_owned()),
        "{found:?}"
    );

    let mut without_links = workload(&json!([]));
    without_links.0["spec"]["template"]["spec"]["enableServiceLinks"] = false.into();
    pin(
        &mut without_links,
        &pins,
        &BTreeSet::new(),
        "shop",
        "cluster.local",
    );
    assert!(!without_links.0.to_string().contains("REDIS_SERVICE_HOST"));
    assert!(without_links.0.to_string().contains("hostAliases"));
}
