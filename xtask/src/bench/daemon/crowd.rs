//! The state of many groups that were promoted: one was for real, and the others look
//! as it does.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::super::site::Site;
use super::super::{Bench, say};
use super::groups::Groups;
use crate::run;

/// As much as the cluster remembers of a group at most: how its promotions ended, and what
/// served before the release that served before.
const OUTCOMES: usize = 10;
const EARLIER: usize = 3;

/// Gives all groups but the first what the cluster remembers of that one, and a lock
/// that nobody has.
pub(super) fn pretend(bench: &Bench, site: &Site, number: usize) -> Result<()> {
    let first = Groups::name(0);
    let group = often(get(bench, site, "deploymentgroup", &first)?);
    say(&format!(
        "what the cluster remembers of a group: {} bytes",
        group.to_string().len()
    ));
    let leases = get(bench, site, "leases", "")?;
    let leases = leases["items"].as_array().cloned().unwrap_or_default();
    let of_first = leases.iter().filter(|lease| {
        let name = lease["metadata"]["name"].as_str().unwrap_or_default();
        name.contains(&first)
    });
    let all: Vec<Value> = std::iter::once(&group).chain(of_first).cloned().collect();
    let mut objects = Vec::new();
    for number in 1..number {
        for object in &all {
            objects.push(renamed(object, &first, &Groups::name(number))?);
        }
    }
    bench.cluster.apply(&objects)?;
    // What is written to an object leaves its status alone.
    let groups = objects
        .iter()
        .filter(|object| object["kind"] == group["kind"]);
    for groups in groups.collect::<Vec<_>>().chunks(25) {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": groups });
        let words = [
            "apply",
            "--server-side",
            "--subresource=status",
            "--filename=-",
        ];
        run::output_with_input(&mut bench.cluster.kubectl(words), &list.to_string())?;
    }
    Ok(())
}

/// The same group after more promotions than are remembered.
fn often(mut group: Value) -> Value {
    let record = &mut group["status"]["record"];
    record["previous"] = record["serving"].clone();
    record["earlier"] = json!(vec![record["serving"].clone(); EARLIER]);
    record["outcomes"] = json!(vec![record["outcomes"][0].clone(); OUTCOMES]);
    group
}

fn get(bench: &Bench, site: &Site, kind: &str, name: &str) -> Result<Value> {
    let mut words = vec!["--namespace", &site.namespace, "get", kind, "--output=json"];
    words.extend(Some(name).filter(|name| !name.is_empty()));
    let found = run::output(&mut bench.cluster.kubectl(words))?;
    serde_json::from_str(&found).with_context(|| format!("kubectl gave no JSON of {kind} {name}"))
}

/// The same object of another group, as it was before any server had it.
fn renamed(object: &Value, from: &str, to: &str) -> Result<Value> {
    let mut renamed: Value = serde_json::from_str(&object.to_string().replace(from, to))?;
    let metadata = renamed["metadata"].as_object_mut();
    let metadata = metadata.context("an object of the cluster has metadata")?;
    metadata
        .retain(|key, _| ["name", "namespace", "labels", "annotations"].contains(&key.as_str()));
    Ok(renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_was_promoted_often_remembers_what_it_may() {
        let group = json!({ "status": { "record": { "serving": "a", "outcomes": ["b"] } } });
        let record = &often(group)["status"]["record"];
        assert_eq!(record["outcomes"], json!(vec!["b"; 10]));
        assert_eq!(record["previous"], "a");
        assert_eq!(record["earlier"], json!(["a", "a", "a"]));
    }

    #[test]
    fn another_group_has_the_state_and_nothing_that_the_server_said() {
        let object = json!({
            "kind": "DeploymentGroup",
            "metadata": { "name": "group-000", "uid": "1", "resourceVersion": "2", "labels": {} },
            "status": { "record": { "apps": ["group-000-app-1"] } },
        });
        let expected = json!({
            "kind": "DeploymentGroup",
            "metadata": { "name": "group-007", "labels": {} },
            "status": { "record": { "apps": ["group-007-app-1"] } },
        });
        let renamed = renamed(&object, "group-000", "group-007").expect("an object");
        assert_eq!(renamed, expected);
    }
}
