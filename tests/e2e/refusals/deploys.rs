//! Apps that do not become ready: the deploy ends with the reason of each, and nothing is left.

use serde_json::{Value, json};

use super::{DEPLOY_FAILED, app_of, deployment, group, service};
use crate::support::Folder;

#[test]
fn apps_that_do_not_become_ready_are_named_with_their_reasons() {
    let folder = Folder::new("unready");
    let container = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut deployment = deployment(name);
        change(&mut deployment["spec"]["template"]["spec"]["containers"]);
        app_of(&folder, name, &[deployment, service(name)])
    };
    let apps = vec![
        container("large", &|containers| {
            containers[0]["resources"] = json!({ "requests": { "cpu": "1000" } });
        }),
        container("crashes", &|containers| {
            containers[0]["command"] = json!([
                "sh",
                "-c",
                "echo starting; echo no database at db:5432 >&2; exit 3"
            ]);
        }),
        container("unpullable", &|containers| {
            let sidecar = json!({ "name": "sidecar", "image": "docker.io/library/promoter-has-no-such-image:1" });
            containers.as_array_mut().unwrap().push(sidecar);
        }),
        container("deaf", &|containers| {
            containers[0]["readinessProbe"]["httpGet"]["path"] = json!("/nothing-there");
        }),
        container("fine", &|_| {}),
    ];
    let mut group = group("unready", apps);
    // Between the crash's second start, after some 11 s, and its third, after some 31 s.
    group.deploy_timeout = "20s".to_owned();
    folder.write_group(&group);

    let run = folder.deploy("unready");

    assert_eq!(run.code, DEPLOY_FAILED, "{run}");
    let outcome = run.outcome();
    assert_eq!(outcome["phase"], "Aborted", "{run}");
    let reasons = run.reasons();
    println!("{reasons}");
    for reason in [
        "app large: unschedulable: 0/1 nodes are available: 1 Insufficient cpu",
        "app crashes: container crashes crashes (exit code 3)",
        "app unpullable: its image cannot be pulled: ",
        "promoter-has-no-such-image:1",
        "app deaf: container deaf runs, but its readiness probe does not pass",
    ] {
        assert!(reasons.contains(reason), "without {reason:?}: {run}");
    }
    assert!(!reasons.contains("app fine"), "{run}");
    let of_crash = outcome["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|reason| reason["lastLines"].is_array());
    let last_lines = of_crash.map(Value::to_string).unwrap_or_default();
    assert!(last_lines.contains("no database at db:5432"), "{run}");
    assert_eq!(run.events_named("check-started"), [Value::Null; 0], "{run}");

    let text = folder.promoter(["deploy", "unready"]).run();
    assert_eq!(text.code, DEPLOY_FAILED, "{text}");
    assert!(text.output().contains("no database at db:5432"), "{text}");
    folder.assert_cleared("blue");
    for kind in ["Deployment", "Service", "Job", "Pod"] {
        assert_eq!(folder.list(kind, ""), [Value::Null; 0], "nothing is left");
    }
}
