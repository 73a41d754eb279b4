//! The daemon as it is installed: its image, run from the chart, with the chart's rights only.

mod release;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{App, Check, Folder, GroupFile, Testbed, push, repository, until_within};
use release::{NAME, Release, helm, run_helm};

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

/// Waits until a group was due and refused, as the very same failed before.
#[track_caller]
fn refused_as_before(release: &Release, group: &str) {
    let of = format!("group=\"{group}\",restraint=\"failed\"");
    until_within(TWO_MINUTES, &format!("a refusal of {group}"), || {
        let metrics = release.metrics();
        let mut refusals = metrics
            .lines()
            .filter(|line| line.starts_with("promoter_refusals_total{") && line.contains(&of));
        refusals.any(|line| !line.ends_with(" 0")).then_some(())
    });
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

    // A new image of the one: the other is due as well, and is not tried again.
    let before = folder.status("bad");
    push("hello-b", &good.branch, &[]);
    let promoted = outcome(&folder, "good", 2);
    assert_eq!(promoted["phase"], "Promoted", "{promoted:#}");
    refused_as_before(&release, "bad");
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
    let image = json!({ "repository": "promoter" });
    let everything = json!({
        "image": image,
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
        "listen": "[::]:9090",
        // Those of the chart are set once, and its selectors hang on its labels.
        "env": [{ "name": "PROMOTER_LOG", "value": "debug" }],
        "podLabels": { "app.kubernetes.io/name": "another", "y": "1e3" },
        "extraVolumes": [{ "name": "authorities", "configMap": { "name": "authorities" } }],
        "extraVolumeMounts": [{ "name": "authorities", "mountPath": "/etc/authorities" }],
    });
    folder.write("everything.json", &everything.to_string());
    folder.write("defaults.json", &json!({ "image": image }).to_string());
    for (name, values) in [
        (NAME, "everything.json"),
        (NAME, "defaults.json"),
        // What YAML reads as a number, and what is no name of a Service.
        ("1e3", "everything.json"),
        ("a.b", "defaults.json"),
    ] {
        let values = folder.path().join(values).display().to_string();
        let template = ["template", name, "deploy/chart", "--values", &values];
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

#[test]
fn values_that_cannot_be_are_refused_by_their_names() {
    for (value, said) in [
        ("image.repository=\"\"", "image.repository is missing"),
        (
            "namespaces=[\"kube-system\"]",
            "kube-system is the cluster's own",
        ),
        (
            "configuration.files={\"groups/a b.toml\":\"\"}",
            "\"groups/a b.toml\" cannot be taken along",
        ),
        (
            "configuration.files={\"groups/../a.toml\":\"\"}",
            "\"groups/../a.toml\" cannot be taken along",
        ),
        (
            "configuration.files={\"groups/a\":{\"toml\":\"\"}}",
            "\"groups/a\" has no text",
        ),
        (
            "configuration.gitSync.repository=\"https://git:sesame@example.com/groups\"",
            "configuration.gitSync.repository has credentials in it",
        ),
        (
            "aws.pushQueue=\"https://git:sesame@example.com/1/pushes\"",
            "aws.pushQueue has credentials in it",
        ),
        (
            "traces.endpoint=\"http://sesame@example.com\"",
            "traces.endpoint has credentials in it",
        ),
        (
            "configuration.gitSync.credentials={\"sshSecret\":\"a\",\"passwordSecret\":\"b\"}",
            "keep sshSecret or passwordSecret",
        ),
        ("networkPolicy.to=[]", "/networkPolicy/to"),
        ("poll=\"500ms\"", "/poll"),
        (
            "serviceAccount.create=false",
            "serviceAccount.name is missing",
        ),
    ] {
        let refused = run_helm(&[
            "template",
            NAME,
            "deploy/chart",
            "--kube-version=1.34",
            "--set-json=image.repository=\"promoter\"",
            &format!("--set-json={value}"),
        ]);
        let refused = refused.expect_err(value);
        // Before it there is what was asked for.
        let (_, why) = refused.split_once("Error: ").expect(&refused);
        assert!(why.contains(said), "{value}: {why}");
        assert!(!why.contains("sesame"), "{value}: {why}");
    }
}
