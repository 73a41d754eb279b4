//! The daemon as it is installed: its image, run from the chart, with the chart's rights only.

mod release;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{App, Check, Folder, GroupFile, Testbed, push, repository, until_within};
use release::{NAME, Release, helm};

/// Two times of a schedule that is met each minute, and a promotion after each.
const TWO_MINUTES: Duration = Duration::from_mins(3);

/// A group of one app of its own, promoted each minute if its check passes.
fn each_minute(folder: &Folder, name: &str, check: &str) -> GroupFile {
    let mut group = folder.hello(name);
    group.branch = format!("{}-{name}", folder.namespace);
    push("hello-b", &group.branch, &[]);
    let mut app = App::new(&format!("hello-{name}"), "manifests/hello-b.json");
    app.repository = repository("hello-b");
    group.apps = vec![app];
    group.checks = vec![Check::script("decides", check)];
    group.checks[0].source = format!("app = \"hello-{name}\"");
    "schedule = \"* * * * *\"".clone_into(&mut group.more);
    group
}

/// The outcomes on record, newest first.
fn outcomes(folder: &Folder, group: &str) -> Vec<Value> {
    let found = folder.get("DeploymentGroup", group);
    let outcomes =
        found.and_then(|found| found["status"]["record"]["outcomes"].as_array().cloned());
    outcomes.unwrap_or_default()
}

#[track_caller]
fn outcome(folder: &Folder, group: &str, number: usize) -> Value {
    let what = format!("{number} outcomes of {group}");
    until_within(TWO_MINUTES, &what, || {
        let mut outcomes = outcomes(folder, group);
        (outcomes.len() >= number).then(|| outcomes.remove(0))
    })
}

#[test]
fn installed_by_helm_it_promotes_each_minute_what_passes_and_refuses_the_rest_once() {
    let folder = Folder::new("installed");
    folder.run_inside();
    let good = each_minute(&folder, "good", "true");
    let bad = each_minute(&folder, "bad", "false");
    folder.write_group(&good);
    folder.write_group(&bad);
    let release = Release::install(&folder);
    let pod = release.pod();

    let promoted = outcome(&folder, "good", 1);
    assert_eq!(promoted["phase"], "Promoted", "{promoted:#}");
    assert_eq!(promoted["actor"]["trigger"], "cron", "{promoted:#}");
    assert_eq!(
        promoted["actor"]["name"], pod["metadata"]["name"],
        "{promoted:#}"
    );
    let refused = outcome(&folder, "bad", 1);
    assert_eq!(refused["phase"], "Aborted", "{refused:#}");

    // A new image of the one: the other is due in the same minute, and is not tried again.
    let before = folder.status("bad");
    push("hello-b", &good.branch, &[]);
    let promoted = outcome(&folder, "good", 2);
    assert_eq!(promoted["phase"], "Promoted", "{promoted:#}");
    assert_eq!(folder.status("bad")["since"], before["since"]);
    assert_eq!(outcomes(&folder, "bad").len(), 1);

    // What went in changes: it is tried again.
    push("hello-b", &bad.branch, &[]);
    let again = outcome(&folder, "bad", 2);
    assert_eq!(again["phase"], "Aborted", "{again:#}");
    assert_confined(&release, &pod);
}

/// It is nobody, writes nowhere but to its records, and has no shell to offer.
#[track_caller]
fn assert_confined(release: &Release, pod: &Value) {
    let (spec, container) = (&pod["spec"], &pod["spec"]["containers"][0]);
    assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{pod:#}");
    let own = &container["securityContext"];
    assert_eq!(own["readOnlyRootFilesystem"], true, "{pod:#}");
    assert_eq!(own["capabilities"], json!({ "drop": ["ALL"] }), "{pod:#}");
    let now = release.pod();
    assert_eq!(now["metadata"]["uid"], pod["metadata"]["uid"]);
    assert_eq!(now["status"]["containerStatuses"][0]["restartCount"], 0);
    let shell = release.kubectl(&["exec", "deployment/promoter", "--", "/bin/sh", "-c", "id"]);
    assert!(shell.contains("no such file"), "{shell}");
}

#[test]
fn the_cluster_takes_all_that_the_chart_can_make() {
    let folder = Folder::new("rendered");
    let everything = json!({
        "replicas": 2,
        "namespaces": [folder.namespace],
        "configuration": { "gitSync": {
            "enabled": true,
            "repository": "https://git.example.com/groups.git",
            "folder": "promoter",
            "credentials": { "passwordSecret": "git" },
        } },
        "records": { "postgres": { "secret": "postgres" } },
        "github": { "secret": "github" },
        "traces": { "endpoint": "http://collector:4318", "headersSecret": "collector" },
        "aws": { "region": "eu-west-1", "pushQueue": "https://sqs.eu-west-1.amazonaws.com/1/pushes" },
        "priorityClassName": "system-cluster-critical",
        "imagePullSecrets": [{ "name": "registry" }],
        "serviceAccount": { "annotations": { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/promoter" } },
    });
    folder.write("everything.json", &everything.to_string());
    folder.write("defaults.json", "{}");
    for values in ["everything.json", "defaults.json"] {
        let values = folder.path().join(values).display().to_string();
        let template = ["template", NAME, "deploy/chart", "--values", &values];
        let place = ["--namespace", &folder.namespace, "--kube-version=1.34"];
        let made = helm(&[&template[..], &place].concat());
        folder.write("made.yaml", &made);
        let file = folder.path().join("made.yaml").display().to_string();
        let apply = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--dry-run=server",
        ];
        let said = folder.kubectl(&[&apply[..], &["--filename", &file]].concat());
        let taken = |line: &str| line.ends_with("(server dry run)");
        assert!(said.lines().all(taken), "{said}");
    }
    assert!(
        Testbed::get()
            .cluster
            .list(&folder.namespace, "Pod", "")
            .is_empty()
    );
}
