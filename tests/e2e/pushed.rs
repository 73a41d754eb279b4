//! Images that CI's own script pushes (`examples/ci`), as teams use it: from a checkout of an app
//! with the files of that folder in it, by the variables of a build server.

mod build_server;

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use self::build_server::{Build, BuildServer, Code};
use crate::support::{Answer, Folder, Proxy, Testbed, ecr, repository};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The repositories of these tests in ECR, which nobody else pushes to.
fn place(test: &str, app: &str) -> String {
    format!("{test}/{app}")
}

/// All tags in ECR with their digests.
fn tags(place: &str) -> BTreeMap<String, String> {
    let found: Value = serde_json::from_str(&ecr("describe-images", place, &[])).unwrap();
    let images = found["imageDetails"].as_array().unwrap().iter();
    let of_image = |image: &Value| {
        let digest = image["imageDigest"].as_str().unwrap().to_owned();
        let tags = image["imageTags"].as_array().cloned().unwrap_or_default();
        let tags = tags.into_iter().map(|tag| tag.as_str().unwrap().to_owned());
        tags.map(|tag| (tag, digest.clone())).collect::<Vec<_>>()
    };
    images.flat_map(of_image).collect()
}

#[test]
fn promoter_finds_exactly_what_ci_pushed() {
    let server = BuildServer::start();
    let apps = ["hello-a", "hello-b", "hello-tests"];
    let wanted = [
        Build::github("master", 41, COMMIT),
        Build::travis("feature/a", 42, COMMIT),
    ];
    for app in apps {
        let code = server.checkout(app, &place("found", app));
        for build in &wanted {
            let run = server.run(&code, build);
            assert_eq!(run.code, 0, "{run}");
        }
        let tags = tags(&place("found", app));
        let names: Vec<_> = tags.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["branch.feature-a", "branch.master", "feature-a-42-0123456", "master-41-0123456"]
        );
        assert_eq!(tags["branch.master"], tags["master-41-0123456"]);
        assert_eq!(tags["branch.feature-a"], tags["feature-a-42-0123456"]);
        for (tag, digest) in &tags {
            assert_eq!(server.digest(&code, tag), *digest, "{tag}");
        }
        let image = server.configuration(&code, "feature-a-42-0123456");
        let labels = &image["config"]["Labels"];
        assert_eq!(labels["org.opencontainers.image.revision"], COMMIT);
        assert_eq!(labels["org.opencontainers.image.ref.name"], "feature/a");
        let source = format!("https://github.com/acme/{app}");
        assert_eq!(labels["org.opencontainers.image.source"], source);
        let history = image["history"].to_string();
        assert!(!history.contains(".test.mjs"), "tests are in it: {history}");
    }

    let folder = Folder::new("pushed");
    let mut group = folder.hello("master");
    for app in ["hello-a", "hello-b"] {
        group.app(app).repository = repository(&place("found", app));
    }
    group.app("hello-a").branch = Some("feature/a".to_owned());
    let tests = repository(&place("found", "hello-tests"));
    group.checks[0].source = format!("repository = \"{tests}\"");
    for newest in ["pushed", "build", "moving-tag"] {
        group.more = format!("newest = \"{newest}\"");
        folder.write_group(&group);
        let planned = folder.promoter(["plan", "master", "--output", "json"]).run();
        assert_eq!(planned.code, 0, "{planned}");
        let planned: Value = serde_json::from_str(&planned.stdout).unwrap();
        let digest = |app: &str, tag: &str| tags(&place("found", app))[tag].clone();
        assert_eq!(planned["apps"][0]["image"]["digest"], digest("hello-a", "feature-a-42-0123456"));
        assert_eq!(planned["apps"][1]["image"]["digest"], digest("hello-b", "master-41-0123456"));
        let check = planned["checks"][0]["image"].to_string();
        assert!(check.contains(&digest("hello-tests", "master-41-0123456")), "{check}");
    }
    // And they run.
    folder.promote("master");
}
