//! Images that CI's own script pushes (`examples/ci`), as teams use it: from a checkout of an app
//! with the script in it, told by a build server's variables what is built.

mod build_server;
mod code;

use std::thread;

use serde_json::{Value, json};

use self::build_server::{Build, BuildServer};
use self::code::Code;
use crate::support::{Answer, Folder, Proxy, Testbed};

const APPS: [&str; 3] = ["hello-a", "hello-b", "hello-tests"];
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba98";

#[test]
fn promoter_finds_exactly_what_ci_pushed() {
    let server = BuildServer::start("found");
    let codes = APPS.map(|app| server.checkout(app));
    let (master, feature) = ("master-41-0123456", "feature-a-42-0123456");
    thread::scope(|scope| {
        for code in &codes {
            let server = &server;
            scope.spawn(move || {
                server.passes(code, &Build::github("master", 41, COMMIT));
                server.passes(code, &Build::travis("feature/a", 42, COMMIT));
            });
        }
    });
    let all = codes.each_ref().map(Code::tags);
    for (code, tags) in codes.iter().zip(&all) {
        let names: Vec<_> = tags.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["branch.feature-a", "branch.master", feature, master]
        );
        assert_eq!(tags["branch.master"], tags[master]);
        assert_eq!(tags["branch.feature-a"], tags[feature]);
        for (tag, digest) in tags {
            assert_eq!(code.digest(tag), *digest, "{tag}");
        }
        let image = code.configuration(feature);
        let labels = &image["config"]["Labels"];
        assert_eq!(labels["org.opencontainers.image.revision"], COMMIT);
        assert_eq!(labels["org.opencontainers.image.ref.name"], "feature/a");
        assert_eq!(
            labels["org.opencontainers.image.source"],
            format!("https://github.com/{}", code.home())
        );
        let history = image["history"].to_string();
        assert!(!history.contains(".test.mjs"), "tests are in it: {history}");
    }

    let folder = Folder::new("pushed");
    let mut group = folder.hello("master");
    let [a, b, tests] = &codes;
    group.app("hello-a").repository = a.repository();
    group.app("hello-a").branch = Some("feature/a".to_owned());
    group.app("hello-b").repository = b.repository();
    group.checks[0].source = format!("repository = \"{}\"", tests.repository());
    for newest in ["pushed", "build", "moving-tag"] {
        group.more = format!("newest = \"{newest}\"");
        folder.write_group(&group);
        let planned = folder
            .promoter(["plan", "master", "--output", "json"])
            .run();
        assert_eq!(planned.code, 0, "{planned}");
        let planned: Value = serde_json::from_str(&planned.stdout).unwrap();
        let (of_a, of_b) = (&planned["apps"][0]["image"], &planned["apps"][1]["image"]);
        assert_eq!(of_a["digest"], all[0][feature]);
        assert_eq!(of_b["digest"], all[1][master]);
        let check = planned["checks"][0]["image"].to_string();
        assert!(check.contains(&all[2][master]), "{check}");
    }
    // They can be pulled, and serve.
    folder.promote("master");
}

#[test]
fn a_failing_unit_test_pushes_nothing() {
    let server = BuildServer::start("failing");
    let code = server.checkout("hello-b");
    server.passes(&code, &Build::github("master", 1, COMMIT));
    let all = || (code.images(), code.tags_of_registry());
    let before = all();

    let build = Build::github("master", 2, OTHER);
    let tested = server.passes(&code, &build.clone().of_pull_request());
    assert!(tested.log.contains("nothing is pushed"), "{tested}");
    assert_eq!(all(), before);

    code.edit("server.mjs", "message: GREETING", "message: \"Goodbye\"");
    let failed = server.run(&code, &build);
    assert_eq!(failed.code, 1, "{failed}");
    assert!(failed.log.contains("not ok 1 - it greets"), "{failed}");
    let why = "error: the unit tests do not pass, or cannot be run: nothing is pushed";
    assert!(failed.log.contains(why), "{failed}");
    assert_eq!(all(), before);
}

#[test]
fn a_branch_never_goes_back() {
    let server = BuildServer::start("back");
    let code = server.checkout("hello-b");
    server.passes(&code, &Build::github("master", 5, COMMIT));
    let first = code.tags();
    assert_eq!(first["branch.master"], first["master-5-0123456"]);

    // Run again, it is what it was.
    let again = server.passes(&code, &Build::github("master", 5, COMMIT));
    let said = "master-5-0123456 is there already, of this very commit";
    assert!(again.log.contains(said), "{again}");
    assert_eq!(code.tags(), first);
    // Another commit whose short form is the same.
    let alike = format!("{}{}", &COMMIT[..7], &OTHER[7..]);
    let taken = server.run(&code, &Build::github("master", 5, &alike));
    assert_eq!(taken.code, 1, "{taken}");
    let said = format!("is there already, of commit {COMMIT}, not {alike}");
    assert!(taken.log.contains(&said), "{taken}");
    assert_eq!(code.tags(), first);

    // One that took long ends after the one begun later.
    let late = server.passes(&code, &Build::github("master", 4, OTHER));
    assert!(
        late.log.contains("branch.master stays at build 5"),
        "{late}"
    );
    let second = code.tags();
    assert_eq!(second["branch.master"], first["master-5-0123456"]);
    assert_ne!(second["master-4-fedcba9"], first["master-5-0123456"]);

    // The same commit once more, as a build of its own.
    server.passes(&code, &Build::github("master", 10, COMMIT));
    let third = code.tags();
    assert_eq!(third["branch.master"], third["master-10-0123456"]);
    assert_ne!(third["branch.master"], first["branch.master"]);
    let image = code.configuration("branch.master");
    let variables = image["config"]["Env"].to_string();
    assert!(
        variables.contains("VERSION=master-10-0123456"),
        "{variables}"
    );
    assert_eq!(third.len(), 4, "{third:?}");
}

#[test]
fn branches_that_are_called_alike_are_told_apart() {
    let server = BuildServer::start("alike");
    let code = server.checkout("hello-b");
    // What it says would be done by a shell that takes it for its own text.
    let odd = "grüße/$(touch${IFS}owned)`touch${IFS}owned`;\"'";
    let branches = ["feature/a", "feature/a-b", "feature-a", odd];
    for (number, branch) in (1..).zip(branches) {
        server.passes(&code, &Build::github(branch, number, COMMIT));
    }
    assert!(!code.folder.join("owned").exists());

    // ECR gives out labels by the address of a blob, which its double does not have.
    let aws = Proxy::to_aws();
    aws.answer(|asked| {
        let action = asked.headers.get("x-amz-target")?.to_str().ok()?;
        let asked: Value = serde_json::from_slice(&asked.body).ok()?;
        let (repository, digest) = (
            asked["repositoryName"].as_str()?,
            asked["layerDigest"].as_str()?,
        );
        let registry = &Testbed::get().registry;
        action.ends_with(".GetDownloadUrlForLayer").then(|| Answer {
            status: 200,
            body: json!({
                "downloadUrl": format!("http://{registry}/v2/{repository}/blobs/{digest}"),
                "layerDigest": digest,
            }),
        })
    });
    let folder = Folder::new("alike");
    let mut group = folder.hello("master");
    group.app("hello-b").repository = code.repository();
    let found = code.tags();
    for (number, branch) in (1..).zip(branches) {
        group.app("hello-b").branch = Some(branch.to_owned());
        folder.write_group(&group);
        let plan = folder.promoter(["plan", "master", "--output", "json"]);
        let planned = plan.env("AWS_ENDPOINT_URL", &aws.url()).run();
        assert_eq!(planned.code, 0, "{planned}");
        let planned: Value = serde_json::from_str(&planned.stdout).unwrap();
        let image = &planned["apps"][1]["image"];
        assert_eq!(image["build"], number, "{branch}: {image}");
        assert_eq!(image["digest"], found[image["tag"].as_str().unwrap()]);
        assert_eq!(planned["warnings"], json!([]));
    }
}
