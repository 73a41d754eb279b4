//! What the chart says of promoter is what promoter says of itself, and so do the plain
//! manifests that are made of it. `cargo xtask chart` writes both anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use promoter::adapter::kubernetes::{Who, definition_yaml, role_yaml};
use promoter::group::name::Namespace;
use serde_json::Value;

const MANIFESTS: &str = "deploy/manifests/promoter.yaml";
const STALE: &str = "stale: `cargo xtask chart` writes it anew";

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

/// The only manifest of a kind.
fn manifest(kind: &str) -> Value {
    let mut all = documents(&read(MANIFESTS));
    all.retain(|one| one["kind"] == kind);
    assert_eq!(all.len(), 1, "{kind}");
    all.remove(0)
}

/// The roles that promoter says it needs.
fn roles() -> Vec<Value> {
    documents(&role_yaml(&Namespace::parse("v2").unwrap(), Who::Daemon))
}

#[test]
fn rights_and_definition_are_those_of_today() {
    let roles = roles();
    let known = documents(&read("deploy/chart/files/rights.yaml"));
    assert_eq!(known, roles, "{STALE}");
    let definition = documents(&definition_yaml());
    let known = documents(&read("deploy/chart/files/definition.yaml"));
    assert_eq!(known, definition, "{STALE}");

    assert_eq!(manifest("Role")["rules"], roles[0]["rules"], "{STALE}");
    assert_eq!(
        manifest("ClusterRole")["rules"],
        roles[1]["rules"],
        "{STALE}"
    );
    let written = manifest("CustomResourceDefinition");
    assert_eq!(written["spec"], definition[0]["spec"], "{STALE}");
}

#[test]
fn alerts_and_dashboard_are_those_beside_the_chart() {
    for (beside, inside) in [
        ("prometheus/rules.yaml", "alerts.yaml"),
        ("grafana/promoter.json", "dashboard.json"),
    ] {
        let known = read(&format!("deploy/chart/files/{inside}"));
        assert_eq!(known, read(&format!("deploy/{beside}")), "{STALE}");
    }
}

#[test]
fn the_daemon_is_nobody_and_writes_nowhere_else() {
    let pod = &manifest("Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(
        pod["securityContext"]["seccompProfile"]["type"],
        "RuntimeDefault"
    );
    for container in pod["containers"].as_array().unwrap() {
        let own = &container["securityContext"];
        assert_eq!(own["readOnlyRootFilesystem"], true, "{container:#}");
        assert_eq!(own["allowPrivilegeEscalation"], false, "{container:#}");
        assert_eq!(own["capabilities"]["drop"][0], "ALL", "{container:#}");
    }
    // The same user as in the image, so that whoever runs that alone is nobody, too.
    let user = &pod["securityContext"]["runAsUser"];
    let group = &pod["securityContext"]["runAsGroup"];
    let line = format!("USER {user}:{group}\n");
    assert!(read("deploy/Dockerfile").contains(&line), "{line}");
}

#[test]
fn the_token_is_in_the_daemons_container_and_no_side_car_has_it_by_itself() {
    let pod = &manifest("Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let place = "/var/run/secrets/kubernetes.io/serviceaccount";
    assert!(
        mounts.iter().any(|mount| mount["mountPath"] == place),
        "{mounts:#?}"
    );
}

#[test]
fn the_page_of_rights_has_each_of_them() {
    let mut granted = BTreeSet::new();
    for role in roles() {
        for rule in role["rules"].as_array().unwrap() {
            let words = |key: &str| rule[key].as_array().unwrap().clone();
            for group in words("apiGroups") {
                for resource in words("resources") {
                    for verb in words("verbs") {
                        let text = |value: &Value| value.as_str().unwrap().to_owned();
                        let group = text(&group);
                        let group = if group.is_empty() {
                            "core".to_owned()
                        } else {
                            group
                        };
                        let (resource, verb) = (text(&resource), text(&verb));
                        granted.insert(format!("| {group} | `{resource}` | `{verb}` |"));
                    }
                }
            }
        }
    }
    let page = read("docs/rights.md");
    let rows = page.lines().filter(|line| line.contains("| `"));
    let known: BTreeSet<_> = rows
        .map(|row| row[..row.rfind("` |").unwrap() + 3].to_owned())
        .collect();
    assert_eq!(
        known, granted,
        "`cargo xtask rights` writes docs/rights.md anew"
    );
}
