//! Objects of others: one would get the candidate's pods, the rest have names that are needed.

use serde_json::json;

use super::{REFUSED, app_of, deployment, group, refused, service};
use crate::support::{Folder, until};

#[test]
fn objects_of_others_in_the_way() {
    let folder = Folder::new("inway");
    let settings = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" }, "data": { "a": "b" } });
    let objects = [deployment("taken"), service("taken"), settings.clone()];
    folder.write_group(&group("taken", vec![app_of(&folder, "taken", &objects)]));
    let mut curious = service("curious");
    curious["spec"]["selector"] = json!({ "app": "taken" });
    folder.create(curious);
    refused(
        &folder,
        "taken",
        REFUSED,
        &[
            "Service curious: is not of this group and selects the pods of app taken",
            "narrow its selector or delete it",
        ],
    );
    folder.delete("Service", "curious");

    let mut standing = deployment("taken-blue");
    standing["spec"]["replicas"] = 0.into();
    standing["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1".into();
    let mut colored = service("taken-blue");
    colored["spec"]["selector"] = json!({ "app": "x" });
    for object in [standing, service("taken"), colored, settings] {
        folder.create(object);
    }
    // The Deployment's controller writes its status once.
    let seen = || folder.get("Deployment", "taken-blue")?["status"]["observedGeneration"].as_u64();
    until("the foreign Deployment to be seen", seen);
    let theirs = "is there already and is not promoter's";
    let lines = [
        "Deployment taken-blue",
        "Service taken",
        "Service taken-blue",
        "ConfigMap settings",
    ]
    .map(|object| format!("app taken, {object}: {theirs}"));
    refused(
        &folder,
        "taken",
        REFUSED,
        &lines.each_ref().map(String::as_str),
    );
}
