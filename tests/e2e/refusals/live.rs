//! A group that serves already: a plan writes nothing, and fields that others own are left to them.

use serde_json::json;

use super::{REFUSED, app_of, deployment, everything, group, refused, service};
use crate::support::Folder;

#[test]
fn fields_of_others_are_not_taken_and_a_plan_writes_nothing() {
    let folder = Folder::new("live");
    folder.write_group(&group(
        "live",
        vec![app_of(
            &folder,
            "live",
            &[deployment("live"), service("live")],
        )],
    ));
    folder.promote("live");

    let mut changed = deployment("live");
    changed["spec"]["template"]["metadata"]["annotations"] = json!({ "changed": "yes" });
    app_of(&folder, "live", &[changed, service("live")]);
    let before = everything(&folder);
    for arguments in [
        vec!["plan", "live"],
        vec!["plan", "live", "--full"],
        vec!["plan", "live", "-o", "json"],
    ] {
        let planned = folder.promoter(arguments).run();
        assert_eq!(planned.code, 0, "{planned}");
    }
    let planned = folder
        .promoter(["plan", "live", "--detailed-exitcode"])
        .run();
    assert_eq!(planned.code, 10, "{planned}");
    assert_eq!(everything(&folder), before, "a plan writes nothing");

    // Somebody else's field, which the manifest then sets otherwise.
    let theirs = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "live", "labels": { "team": "payments" } },
        "spec": { "sessionAffinity": "ClientIP" },
    });
    folder.write("theirs.json", &theirs.to_string());
    let file = folder.path().join("theirs.json");
    let applied = folder.kubectl(&[
        "apply",
        "--server-side",
        "--field-manager=payments-team",
        "-f",
        file.to_str().unwrap(),
    ]);
    assert!(applied.contains("serverside-applied"), "{applied}");
    let mut labelled = service("live");
    labelled["metadata"]["labels"] = json!({ "team": "greetings" });
    labelled["spec"]["sessionAffinity"] = "None".into();
    app_of(&folder, "live", &[deployment("live"), labelled]);
    let conflict = "app live, Service live: another field manager owns what the manifest sets: ";
    refused(
        &folder,
        "live",
        REFUSED,
        &[
            conflict,
            "payments-team",
            ".metadata.labels.team",
            ".spec.sessionAffinity",
            "promoter never forces",
        ],
    );

    // Without the fields it goes on, and what is theirs stays.
    let mut further = deployment("live");
    further["spec"]["template"]["metadata"]["annotations"] = json!({ "changed": "again" });
    app_of(&folder, "live", &[further, service("live")]);
    folder.promote("live");
    let live = folder.get("Service", "live").unwrap();
    assert_eq!(live["metadata"]["labels"]["team"], "payments");
    assert_eq!(live["spec"]["sessionAffinity"], "ClientIP");
}
