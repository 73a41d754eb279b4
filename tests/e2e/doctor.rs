//! `promoter doctor` on the real cluster and the AWS double: with nothing wrong, then with one
//! thing at a time.

use serde_json::{Value, json};

use crate::support::{Alarm, Check, Folder, Promoter, Run, Testbed, aws, repository};

/// An environment with repositories and alarms of its own, in which nothing is wrong.
struct Scene {
    folder: Folder,
    test: &'static str,
    alarms: [Alarm; 2],
}

impl Scene {
    #[track_caller]
    fn new(test: &'static str) -> Self {
        let folder = Folder::new(&format!("doctor-{test}"));
        let of = |usd| format!("e2e-{}-{test}-billing-{usd}-usd", Testbed::get().run);
        let alarms = [10, 100].map(|usd| Alarm::new(of(usd), usd));
        let scene = Self {
            folder,
            test,
            alarms,
        };
        for app in ["a", "b", "tests"] {
            scene.create_repository(app);
        }
        let guard = format!("budget_guard = \"{}\"\n\n[values]", scene.alarms[1].name);
        let written = scene.folder.read("environments/test.toml");
        let alarms = scene.alarms.each_ref().map(|alarm| &alarm.name);
        let environment = written.replace("\n[values]", &guard);
        assert_ne!(environment, written);
        let named = format!("\n[cloudwatch]\nbilling_alarms = {alarms:?}\n");
        scene
            .folder
            .write("environments/test.toml", &(environment + &named));
        scene.group(|_| {});
        scene
    }

    /// Writes the group; `change` is what is wrong with the names of its repositories.
    fn group(&self, change: impl Fn(&mut Vec<String>)) {
        let mut group = self.folder.hello("master");
        let mut names = ["a", "b", "tests"].map(|app| self.repository(app)).into();
        change(&mut names);
        for (app, name) in group.apps.iter_mut().zip(&names) {
            app.repository.clone_from(name);
        }
        group.checks = vec![Check {
            source: format!("repository = {:?}", names[2]),
            ..Check::greets()
        }];
        self.folder.write_group(&group);
    }

    fn repository(&self, app: &str) -> String {
        repository(&format!("doctor-{}-{app}", self.test))
    }

    fn create_repository(&self, app: &str) {
        let name = self.repository(app);
        let immutable = "IMMUTABLE_WITH_EXCLUSION";
        aws(&[
            &["ecr", "create-repository", "--repository-name", &name][..],
            &["--image-tag-mutability", immutable],
            &["--image-tag-mutability-exclusion-filters"],
            &["filterType=WILDCARD,filter=branch.*"],
        ]
        .concat());
    }

    /// With a cluster where nobody is, and a user like this.
    fn nowhere(&self, user: &Value) -> Run {
        let context = &Testbed::get().context;
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "contexts": [{ "name": context, "context": { "cluster": "a", "user": "a" } }],
            "clusters": [{ "name": "a", "cluster": { "server": "https://127.0.0.1:9" } }],
            "users": [{ "name": "a", "user": user }],
        });
        self.folder.write("nowhere.json", &config.to_string());
        let kubeconfig = self.folder.path().join("nowhere.json");
        let doctor = self.doctor();
        doctor.env("KUBECONFIG", kubeconfig.to_str().unwrap()).run()
    }

    fn doctor(&self) -> Promoter {
        self.folder.promoter(["doctor", "--output", "json"])
    }
}

/// The links that are in this state, by name and with what was found.
#[track_caller]
fn links(run: &Run, state: &str) -> Vec<(String, String)> {
    let found: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let links = found["links"].as_array().unwrap().iter();
    let links = links.filter(|link| link["state"] == state);
    let text = |link: &Value, key: &str| link[key].as_str().unwrap_or_default().to_owned();
    let told = links.map(|link| {
        let said = format!("{} {}", text(link, "of"), text(link, "found"));
        (text(link, "link"), said)
    });
    told.collect()
}

fn names(links: &[(String, String)]) -> Vec<&str> {
    links.iter().map(|(name, _)| name.as_str()).collect()
}

/// The only link in this state.
#[track_caller]
fn only(run: &Run, state: &str, link: &str) -> String {
    let found = links(run, state);
    assert_eq!(names(&found), [link], "{run}");
    found[0].1.clone()
}

#[test]
fn nothing_is_wrong() {
    let scene = Scene::new("good");
    let before = scene.folder.versions();
    let run = scene.doctor().run();
    assert_eq!(run.code, 0, "{run}");
    let good = [
        "files",
        "aws-credentials",
        "repository",
        "billing-alarms",
        "budget-guard",
        "cluster",
        "deploymentgroup-resource",
        "namespace",
        "rights",
    ];
    assert_eq!(names(&links(&run, "good")), good, "{run}");
    for state in ["doubtful", "bad", "not-looked-at"] {
        assert_eq!(links(&run, state), [], "{run}");
    }
    let text = scene.folder.promoter(["doctor", "--group", "master"]).run();
    assert_eq!(text.code, 0, "{text}");
    println!("{text}");
    assert!(text.stdout.ends_with("\nall good\n"), "{text}");
    assert_eq!(scene.folder.versions(), before, "nothing was written");
}

#[test]
fn files_that_are_not_valid() {
    let scene = Scene::new("files");
    scene
        .folder
        .write("groups/broken.toml", "[group]\nname = 1\n");
    let run = scene.doctor().run();
    assert_eq!(run.code, 2, "{run}");
    let said = only(&run, "bad", "files");
    assert!(said.contains("groups/broken.toml"), "{said}");
    // What is valid is looked at all the same.
    assert_eq!(links(&run, "good").len(), 8, "{run}");
}

#[test]
fn a_repository_is_missing() {
    let scene = Scene::new("missing");
    scene.group(|names| names[1] += "b");
    let run = scene.doctor().run();
    assert_eq!(run.code, 7, "{run}");
    let said = only(&run, "bad", "repository");
    let alike = scene.repository("b");
    assert!(said.contains(&format!("did you mean `{alike}`")), "{said}");
    let good = links(&run, "good");
    let others = good.iter().find(|(name, _)| name == "repository").unwrap();
    assert!(others.1.contains(&scene.repository("a")), "{run}");
}

#[test]
fn tags_can_be_moved() {
    let scene = Scene::new("tags");
    let name = scene.repository("a");
    let of = [
        "ecr",
        "put-image-tag-mutability",
        "--repository-name",
        &name,
    ];
    aws(&[&of[..], &["--image-tag-mutability", "MUTABLE"]].concat());
    let run = scene.doctor().run();
    assert_eq!(run.code, 0, "what is doubtful keeps nothing back: {run}");
    let said = only(&run, "doubtful", "repository");
    assert!(said.starts_with(&name), "{said}");
}

#[test]
fn whoever_asks_has_no_rights() {
    let scene = Scene::new("rights");
    let freed = scene.folder.kubectl(&["delete", "rolebinding", "promoter"]);
    assert!(freed.contains("deleted"), "{freed}");
    let run = scene.doctor().run();
    assert_eq!(run.code, 7, "{run}");
    let said = only(&run, "bad", "rights");
    for part in [
        "create, delete, get, list, patch, update, watch deployments.apps",
        &scene.folder.namespace,
    ] {
        let sorted = |text: &str| {
            let mut words: Vec<_> = text.split([',', ' ', ';']).map(str::to_owned).collect();
            words.sort();
            words
        };
        let all = sorted(&said);
        let missing = sorted(part).into_iter().find(|word| !all.contains(word));
        assert_eq!(missing, None, "{said}");
    }
    assert!(
        run.stdout
            .contains("promoter install --environment test --print-role"),
        "{run}"
    );
    assert_eq!(links(&run, "not-looked-at"), [], "{run}");
}

#[test]
fn the_cluster_is_not_there() {
    let scene = Scene::new("away");
    let run = scene.nowhere(&json!({}));
    assert_eq!(run.code, 7, "{run}");
    let said = only(&run, "bad", "cluster");
    assert!(said.contains("failed to reach the cluster"), "{said}");
    let behind = links(&run, "not-looked-at");
    let expected = ["deploymentgroup-resource", "namespace", "rights"];
    assert_eq!(names(&behind), expected, "{run}");
    assert_eq!(links(&run, "good").len(), 5, "{run}");
}

#[test]
fn who_logs_in_for_ever_is_not_waited_for() {
    let scene = Scene::new("login");
    let run = scene.nowhere(&json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sleep",
        "args": ["60"],
        "interactiveMode": "Never",
    }}));
    assert_eq!(run.code, 7, "{run}");
    let said = only(&run, "bad", "cluster");
    assert!(said.ends_with("no answer within 20 s"), "{said}");
    assert_eq!(links(&run, "good").len(), 5, "{run}");
}

#[test]
fn nothing_was_prepared() {
    let scene = Scene::new("bare");
    let written = scene.folder.read("environments/test.toml");
    let elsewhere = format!("{}-nowhere", scene.folder.namespace);
    let elsewhere = written.replace(&scene.folder.namespace, &elsewhere);
    scene.folder.write("environments/test.toml", &elsewhere);
    let run = scene.doctor().run();
    assert_eq!(run.code, 7, "{run}");
    only(&run, "bad", "namespace");
    only(&run, "not-looked-at", "rights");
}

#[test]
fn an_alarm_is_missing() {
    let scene = Scene::new("alarm");
    let name = &scene.alarms[0].name;
    scene.alarms[0].delete();
    let run = scene.doctor().run();
    assert_eq!(run.code, 7, "{run}");
    let said = only(&run, "bad", "billing-alarms");
    assert!(said.starts_with(name), "{said}");
    assert!(said.contains("us-east-1"), "{said}");
}

#[test]
fn an_alarm_went_off() {
    let scene = Scene::new("spent");
    scene.alarms[1].is("ALARM", "a test says so");
    let run = scene.doctor().run();
    assert_eq!(run.code, 0, "{run}");
    let doubtful = links(&run, "doubtful");
    assert_eq!(
        names(&doubtful),
        ["billing-alarms", "budget-guard"],
        "{run}"
    );
    for (_, said) in doubtful {
        assert!(said.contains("is in ALARM since"), "{said}");
        assert!(said.ends_with(": a test says so"), "{said}");
    }
}

#[test]
fn alerts_were_never_switched_on() {
    let scene = Scene::new("silent");
    for alarm in &scene.alarms {
        alarm.is("INSUFFICIENT_DATA", "a test says so");
    }
    let run = scene.doctor().run();
    assert_eq!(run.code, 0, "{run}");
    let doubtful = links(&run, "doubtful");
    assert_eq!(
        names(&doubtful),
        ["billing-alarms", "budget-guard"],
        "{run}"
    );
    let told = run.stdout.matches("Receive billing alerts").count();
    assert_eq!(told, 2, "{run}");
}

#[test]
fn there_are_no_credentials() {
    let scene = Scene::new("nobody");
    let mut doctor = scene.doctor();
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
    ] {
        doctor = doctor.env(name, "");
    }
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        doctor = doctor.env(name, "/dev/null");
    }
    let run = doctor.env("AWS_EC2_METADATA_DISABLED", "true").run();
    assert_eq!(run.code, 7, "{run}");
    let said = only(&run, "bad", "aws-credentials");
    assert!(said.contains("failed to get AWS credentials"), "{said}");
    let behind = links(&run, "not-looked-at");
    assert_eq!(
        names(&behind),
        ["repository", "billing-alarms", "budget-guard"],
        "{run}"
    );
    assert_eq!(links(&run, "good").len(), 5, "{run}");
}
