//! What a wall allows, and what of it may differ.

use insta::assert_snapshot;

use super::*;

/// What the plan of a group in green reads like, as far as a wall is concerned.
fn plan() -> Plan {
    serde_json::from_value(json!({
        "format": 1,
        "group": "master",
        "environment": "v2",
        "namespace": "hello",
        "cluster_domain": "cluster.local",
        "release": "r",
        "fingerprint": "f",
        "candidate": "green",
        "replaces": null,
        "apps": [],
        "checks": [],
        "untested_allowed": true,
        "keep_old": { "secs": 30, "nanos": 0 },
        "deploy_timeout": { "secs": 30, "nanos": 0 },
        "isolation": "network-policy",
    }))
    .unwrap()
}

fn addresses(texts: &[&str]) -> BTreeSet<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn it_allows_all_but_the_other_colour() {
    let closed = addresses(&["10.1.0.9", "10.1.0.7", "2001:db8::7"]);
    let wall = wall(&plan(), &closed).unwrap();
    let peers = wall.at("/spec/ingress/0/from").unwrap();
    assert_eq!(wall.at("/spec/egress/0/to"), Some(peers));
    assert_snapshot!(serde_saphyr::to_string(peers).unwrap(), @r#"
    - podSelector:
        matchLabels:
          promoter.dev/color: green
          promoter.dev/group: master
    - podSelector:
        matchExpressions:
        - key: promoter.dev/group
          operator: NotIn
          values:
          - master
    - namespaceSelector:
        matchExpressions:
        - key: kubernetes.io/metadata.name
          operator: NotIn
          values:
          - hello
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
        - 10.1.0.7/32
        - 10.1.0.9/32
    - ipBlock:
        cidr: "::/0"
        except:
        - 2001:db8::7/128
    "#);
    assert_eq!(wall.0["spec"]["podSelector"], peers[0]["podSelector"]);
    assert_eq!(super::closed(&wall), closed);
}

#[test]
fn there_is_none_where_it_is_not_asked_for() {
    let plan = Plan {
        isolation: Isolation::Pinning,
        ..plan()
    };
    assert_eq!(wall(&plan, &BTreeSet::new()), None);
}

#[test]
fn only_its_addresses_may_differ() {
    let plan = plan();
    let standing = wall(&plan, &addresses(&["10.1.0.7"])).unwrap();
    assert!(is_as_planned(&plan, &standing));
    for (pointer, value) in [
        ("/spec/podSelector/matchLabels", json!({})),
        ("/spec/policyTypes", json!(["Ingress"])),
        ("/spec/ingress", json!([{}])),
        ("/spec/egress/0/to/3/ipBlock/except", json!([])),
        ("/spec/egress/0/ports", json!([{ "port": 80 }])),
        ("/metadata/labels/promoter.dev~1color", json!("blue")),
        ("/metadata/deletionTimestamp", json!("2030-01-01T00:00:00Z")),
    ] {
        let mut found = standing.clone();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        found.0.pointer_mut(parent).unwrap()[field.replace("~1", "/")] = value;
        assert!(!is_as_planned(&plan, &found), "{pointer}");
    }
}
