//! Pods of a colour meet that colour only, under production names.

use std::collections::BTreeMap;

use promoter::group::name::GroupName;
use promoter::plan::links::Links;
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

fn links(pins: &[Pin]) -> Links {
    Links::of(&GroupName::parse("master").unwrap(), "0promoted", pins)
}

fn pinned(mut workload: Object, pins: &[Pin]) -> Object {
    pin(&mut workload, pins, &links(pins), "shop", "cluster.local");
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

fn variables(pins: &[Pin]) -> BTreeMap<String, String> {
    let data = links(pins).object().0["data"].clone();
    serde_json::from_value(data).unwrap()
}

#[test]
fn the_variables_that_a_kubelet_makes() {
    let found = variables(&[of_ip("hello-b", &["10.0.0.7", "fd00::7"])]);
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
    assert_eq!(found, BTreeMap::from(expected));
}

#[test]
fn an_address_of_the_sixth_version_is_written_in_brackets() {
    let found = variables(&[of_ip("b", &["fd00::7"])]);
    assert_eq!(found["B_SERVICE_HOST"], "fd00::7");
    assert_eq!(found["B_PORT"], "tcp://[fd00::7]:80");
    assert_eq!(found["B_PORT_80_TCP_ADDR"], "fd00::7");
}

#[test]
fn every_container_takes_them_and_what_the_user_sets_comes_later() {
    let own = json!([{ "name": "HELLO_B_SERVICE_HOST", "value": "mine" }]);
    let mut workload = workload(&own);
    let settings = json!({ "configMapRef": { "name": "settings" } });
    workload.0["spec"]["template"]["spec"]["containers"][0]["envFrom"] = json!([settings]);
    let workload = pinned(workload, &[of_ip("hello-b", &["10.0.0.7"])]);
    let spec = workload.at("/spec/template/spec").unwrap();
    let links = json!({ "configMapRef": { "name": "master-links-0promoted" } });
    assert_eq!(spec["containers"][0]["envFrom"], json!([links, settings]));
    assert_eq!(spec["containers"][0]["env"], own);
    for other in [&spec["containers"][1], &spec["initContainers"][0]] {
        assert_eq!(other["envFrom"], Value::Null);
        let host = json!({ "name": "HELLO_B_SERVICE_HOST", "value": "10.0.0.7" });
        let env = other["env"].as_array().unwrap();
        assert!(env.contains(&host), "{env:?}");
        assert_eq!(env.len(), 13);
    }
}

#[test]
fn a_variable_that_the_user_sets_is_not_set_twice() {
    let own = json!([
        { "name": "URL", "value": "http://$(HELLO_B_SERVICE_HOST)/" },
        { "name": "HELLO_B_SERVICE_PORT", "value": "mine" },
    ]);
    let workload = pinned(workload(&own), &[of_ip("hello-b", &["10.0.0.7"])]);
    let env = workload.at("/spec/template/spec/containers/0/env").unwrap();
    let env = env.as_array().unwrap();
    let names: Vec<_> = env.iter().map(|v| v["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 14, "{names:?}");
    assert_eq!(names[12..], ["URL", "HELLO_B_SERVICE_PORT"]);
}

#[test]
fn a_large_group_keeps_them_in_one_place() {
    let pins: Vec<_> = (0..12)
        .map(|n| of_ip(&format!("app-{n}"), &["10.0.0.7"]))
        .collect();
    let given = workload(&json!([]));
    assert!(links(&pins).need_object([&given]));
    assert!(!links(&pins[..3]).need_object([&given]));
    let pinned = pinned(given, &pins);
    let spec = pinned.at("/spec/template/spec").unwrap();
    let links = json!([{ "configMapRef": { "name": "master-links-0promoted" } }]);
    assert_eq!(spec["containers"][0]["envFrom"], links);
    assert_eq!(spec["containers"][0]["env"], json!([]));
    assert_eq!(spec["initContainers"][0]["envFrom"], links);
}

#[test]
fn who_wants_no_variables_gets_none() {
    let mut without = workload(&json!([]));
    without.0["spec"]["template"]["spec"]["enableServiceLinks"] = false.into();
    let without = pinned(without, &[of_ip("redis", &["10.0.0.1"])]);
    assert!(!without.0.to_string().contains("envFrom"), "{without:?}");
    assert!(without.0.to_string().contains("hostAliases"));
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
        pin(&mut workload, &pins, &links(&pins), &namespace, &domain);
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
