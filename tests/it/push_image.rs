//! CI's script (`examples/ci/push-image`) with stand-ins for the programs that it runs: what it
//! does on which build server, in which order, and what it refuses. What comes of it is tested on
//! the testbed.

mod machine;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use self::machine::{GITHUB, Machine, PASSWORD, REGISTRY, TRAVIS, script};

const VECTORS: &str = include_str!("../fixtures/branch-slugs.tsv");
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn slugs_are_promoters() {
    let mut seen = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        let (branch, slug) = line.split_once('\t').unwrap();
        for locale in ["C", "C.UTF-8"] {
            let mut command = Command::new(script());
            let output = command
                .args(["--slug", branch])
                .env("LC_ALL", locale)
                .output()
                .unwrap();
            assert!(output.status.success(), "{branch}: {output:?}");
            assert_eq!(
                String::from_utf8(output.stdout).unwrap(),
                format!("{slug}\n"),
                "{branch}"
            );
        }
        seen += 1;
    }
    assert!(seen > 20);
}

#[test]
fn the_numbered_tag_comes_first_and_the_branch_follows() {
    let machine = Machine::new(GITHUB);
    let run = machine.run(&[]);
    assert_eq!(run.code, 0, "{}", run.log);
    let calls = run.calls.replace(REGISTRY, "ECR").replace(COMMIT, "COMMIT");
    insta::assert_snapshot!(calls.replace("org.opencontainers.image", "oci"), @r"
    buildah build --layers --force-rm --target test .
    buildah build --layers --force-rm --label oci.revision=COMMIT --label oci.ref.name=feature/a --label oci.version=feature-a-12-0123456 --build-arg VERSION=feature-a-12-0123456 --tag ECR/hello-a:feature-a-12-0123456 --label oci.source=https://github.example.com/acme/hello-a .
    aws ecr get-login-password --region eu-west-1
    buildah login --username AWS --password-stdin ECR
    aws ecr describe-images --region eu-west-1 --registry-id 123456789012 --repository-name hello-a --image-ids imageTag=feature-a-12-0123456 --query imageDetails[0].imageDigest --output text
    buildah push ECR/hello-a:feature-a-12-0123456
    aws ecr describe-images --region eu-west-1 --registry-id 123456789012 --repository-name hello-a --image-ids imageTag=branch.feature-a --query imageDetails[0].imageTags --output text
    buildah tag ECR/hello-a:feature-a-12-0123456 ECR/hello-a:branch.feature-a
    buildah push ECR/hello-a:branch.feature-a
    ");
    let given = fs::read_to_string(machine.files.path().join("password")).unwrap();
    assert_eq!(given.trim_end(), PASSWORD);
    // Nobody else uses that login, and nobody finds it.
    let logins = fs::read_to_string(machine.files.path().join("logins")).unwrap();
    let logins: Vec<_> = logins.split_whitespace().map(Path::new).collect();
    assert_eq!(logins.len(), 2);
    assert!(!logins.iter().any(|path| path.exists()), "{logins:?}");
    insta::assert_snapshot!(run.log, @r"
    push-image: building, and running the unit tests
    push-image: pushed hello-a:feature-a-12-0123456
    push-image: hello-a:branch.feature-a leads to it now
    ");
}

#[test]
fn every_build_server_says_the_same() {
    let github = Machine::new(GITHUB).run(&[]).calls;
    let mut travis = Machine::new(TRAVIS);
    travis.set("PUSH_SOURCE", "https://github.example.com/acme/hello-a");
    assert_eq!(travis.run(&[]).calls, github);
    let options = [
        "--branch=feature/a",
        "--build=12",
        "--source=https://github.example.com/acme/hello-a",
    ];
    let options = options.iter().flat_map(|option| option.split('='));
    let mut options: Vec<_> = options.collect();
    options.extend(["--sha", COMMIT, "--repository", "hello-a", "."]);
    assert_eq!(Machine::new(&[]).run(&options).calls, github);
    // Options are heard before variables.
    options[1] = "refs/heads/feature/b";
    let other = Machine::new(GITHUB).run(&options).calls;
    assert_eq!(
        other,
        github
            .replace("feature/a", "feature/b")
            .replace("feature-a", "feature-b")
    );
    // A server that begins to count anew goes on from the last one's number.
    let offset = Machine::new(&[("PUSH_BUILD_OFFSET", "700")]).run(&options);
    assert!(
        offset.log.contains("pushed hello-a:feature-b-712-0123456"),
        "{}",
        offset.log
    );
}

#[test]
fn pull_requests_and_tags_are_only_tested() {
    let (github, travis) = (Machine::new(GITHUB), Machine::new(TRAVIS));
    let both = [&github, &travis].map(|machine| machine.run(&["--test-only"]).log);
    assert!(
        both.iter()
            .all(|log| log.ends_with("as it was asked for tests only")),
        "{both:?}"
    );
    for (build, name, value, why) in [
        (
            GITHUB,
            "GITHUB_EVENT_NAME",
            "pull_request",
            "an event pull_request is no push to a branch",
        ),
        (
            GITHUB,
            "GITHUB_EVENT_NAME",
            "pull_request_target",
            "an event pull_request_target is",
        ),
        (
            GITHUB,
            "GITHUB_EVENT_NAME",
            "merge_group",
            "an event merge_group is no push to a branch",
        ),
        (
            GITHUB,
            "GITHUB_REF_TYPE",
            "tag",
            "refs/heads/feature/a is no branch",
        ),
        (TRAVIS, "TRAVIS_PULL_REQUEST", "7", "this is pull request 7"),
        (TRAVIS, "TRAVIS_TAG", "v1", "v1 is a tag, and no branch"),
        (
            TRAVIS,
            "PUSH_TEST_ONLY",
            "true",
            "it was asked for tests only",
        ),
    ] {
        let mut machine = Machine::new(build);
        machine.set(name, value);
        // A pull request from a fork has neither settings nor keys.
        machine.set("ECR_REGISTRY", "");
        fs::remove_file(machine.files.path().join("bin/aws")).unwrap();
        let run = machine.run(&[]);
        assert_eq!(run.code, 0, "{}", run.log);
        assert!(
            run.log
                .contains(&format!("tested; nothing is pushed, as {why}")),
            "{}",
            run.log
        );
        assert!(run.pushed_nothing(), "{}", run.calls);
        assert!(
            run.calls
                .starts_with("buildah build --layers --force-rm --target test .\n"),
            "{}",
            run.calls
        );
        machine.set("TESTS", "1");
        let failed = machine.run(&[]);
        assert_eq!(failed.code, 1, "{}", failed.log);
    }
}

#[test]
fn what_is_missing_or_wrong_is_said_before_anything_is_built() {
    for (name, value, why) in [
        (
            "GITHUB_REF_NAME",
            "",
            "which branch is built is not known: say --branch",
        ),
        ("GITHUB_REF_NAME", "a b", "a branch has no space"),
        (
            "GITHUB_REF_NAME",
            "a\nb",
            "a branch has no space or control character",
        ),
        (
            "GITHUB_RUN_NUMBER",
            "",
            "the number of the build is not known: say --build",
        ),
        ("GITHUB_RUN_NUMBER", "1.2", "1.2 is no number of a build"),
        ("GITHUB_RUN_NUMBER", "007", "007 is no number of a build"),
        ("GITHUB_RUN_NUMBER", "1234567890", "it has 1 to 9 digits"),
        ("PUSH_BUILD_OFFSET", "many", "many is no number of a build"),
        ("GITHUB_SHA", "", "the commit is not known: say --sha"),
        (
            "GITHUB_SHA",
            "012345",
            "012345 is no commit: it has 7 to 40 of 0-9 and a-f",
        ),
        ("GITHUB_SHA", "HEAD012", "HEAD012 is no commit"),
        (
            "ECR_REGISTRY",
            "",
            "the registry is not known: set ECR_REGISTRY",
        ),
        (
            "ECR_REGISTRY",
            "1.dkr.ecr.eu-west-1.amazonaws.com/hello-a",
            "is more than a registry",
        ),
        (
            "ECR_REGISTRY",
            "docker.io",
            "docker.io is no registry of ECR, like",
        ),
        (
            "ECR_REPOSITORY",
            "Hello",
            "ECR takes no repository called Hello",
        ),
        (
            "PUSH_SOURCE",
            "https://me:pw@x.y/a",
            "the source has a login in it",
        ),
        ("CONTAINER_TOOL", "", "docker, podman or buildah is needed"),
    ] {
        let mut machine = Machine::new(GITHUB);
        machine.set(name, value);
        if name == "CONTAINER_TOOL" {
            fs::remove_file(machine.files.path().join("bin/buildah")).unwrap();
        }
        let run = machine.run(&[]);
        assert_eq!(run.code, 2, "{name}: {}", run.log);
        assert!(run.log.contains(why), "{name}: {}", run.log);
        assert_eq!(run.calls, "", "{name}");
    }
    let machine = Machine::new(GITHUB);
    for (arguments, why) in [
        (["--what"], "there is no option --what"),
        (["--sha"], "--sha needs a value"),
    ] {
        let run = machine.run(&arguments);
        assert_eq!((run.code, run.log.contains(why)), (2, true), "{}", run.log);
    }
    let dockerfile = machine.files.path().join("code/Dockerfile");
    fs::write(dockerfile, "FROM node AS tests\nRUN npm test\n").unwrap();
    let run = machine.run(&[]);
    assert_eq!(run.code, 2, "{}", run.log);
    assert!(
        run.log.contains("./Dockerfile has no stage `test`"),
        "{}",
        run.log
    );
    assert_eq!(run.calls, "");
}

#[test]
fn what_fails_stops_all_that_comes_after() {
    let cases = [
        (
            "TESTS",
            "1",
            "the unit tests do not pass, or cannot be run: nothing is pushed",
            "buildah build",
        ),
        (
            "AWS_FAILS",
            "describe-images",
            "ECR does not say what hello-a has",
            "aws ecr describe",
        ),
        (
            "PUSH_FAILS",
            "-12-",
            "feature-a-12-0123456 was not pushed, and branch.feature-a not moved",
            "buildah push",
        ),
        (
            "PUSH_FAILS",
            "branch.",
            "is pushed, but branch.feature-a was not moved",
            "buildah push",
        ),
    ];
    for (name, value, why, last) in cases {
        let mut machine = Machine::new(GITHUB);
        machine.set(name, value);
        let run = machine.run(&[]);
        assert_eq!(run.code, 1, "{}", run.log);
        assert!(run.log.lines().last().unwrap().contains(why), "{}", run.log);
        let end = run.calls.lines().last().unwrap();
        assert!(end.starts_with(last), "{}", run.calls);
    }
}

#[test]
fn a_branch_moves_forward_only() {
    for (at, moves) in [
        ("feature-a-11-0123456", true),
        ("feature-a-2-0123456\tfeature-a-11-0123456", true),
        // Of other branches, and of no build.
        (
            "feature-a-b-40-0123456\tx-feature-a-41-0123456\tfeature-a",
            true,
        ),
        ("feature-a-12-fedcba9", false),
        ("feature-a-13-0123456", false),
        ("feature-a-9-0123456\tfeature-a-100-0123456", false),
    ] {
        let mut machine = Machine::new(GITHUB);
        machine.set("AT", at);
        let run = machine.run(&[]);
        assert_eq!(run.code, 0, "{}", run.log);
        let moved = run.calls.trim_end().ends_with(":branch.feature-a");
        assert_eq!(moved, moves, "{at}: {}", run.calls);
        assert_eq!(
            run.log.contains("branch.feature-a stays at build"),
            !moves,
            "{}",
            run.log
        );
    }
}

#[test]
fn a_build_that_is_run_again_changes_nothing() {
    let mut machine = Machine::new(GITHUB);
    machine.set("LABEL", COMMIT);
    let again = machine.run(&[]);
    assert_eq!(again.code, 0, "{}", again.log);
    assert!(
        again
            .log
            .ends_with("is there already, of this very commit: nothing is pushed or moved")
    );
    assert!(!again.calls.contains("buildah push"), "{}", again.calls);
    machine.set("LABEL", "fedcba9876543210fedcba9876543210fedcba98");
    let taken = machine.run(&[]);
    assert_eq!(taken.code, 1, "{}", taken.log);
    assert!(
        taken.log.ends_with("give each build a number of its own"),
        "{}",
        taken.log
    );
    assert!(!taken.calls.contains("buildah push"), "{}", taken.calls);
}

#[test]
fn an_address_to_clone_from_names_the_repository_as_well() {
    let source = ("PUSH_SOURCE", "https://git.example.com/acme/hello-a.git");
    let run = Machine::new(&[source]).run(&["--branch", "a", "--build", "1", "--sha", COMMIT]);
    assert!(
        run.log.contains("pushed hello-a:a-1-0123456"),
        "{}",
        run.log
    );
}

#[test]
fn podman_that_is_called_docker_does_as_well() {
    let mut machine = Machine::new(GITHUB);
    machine.rename("docker");
    machine.set("CONTEXT", "none");
    let run = machine.run(&[]);
    assert_eq!(run.code, 0, "{}", run.log);
    assert!(run.log.contains("pushed hello-a:"), "{}", run.log);
}

#[test]
fn any_of_the_tools_does() {
    for (tool, labels) in [("docker", ".Config.Labels"), ("podman", ".Config.Labels")] {
        let mut machine = Machine::new(GITHUB);
        machine.set("LABEL", COMMIT);
        machine.rename(tool);
        let run = machine.run(&[]);
        assert_eq!(run.code, 0, "{}", run.log);
        assert!(
            run.calls
                .contains(&format!("{tool} build --target test .\n")),
            "{}",
            run.calls
        );
        assert!(
            run.calls.contains(&format!("{{{{ with {labels} }}}}")),
            "{}",
            run.calls
        );
        // Where its engine is would be lost with the login of its own.
        assert_eq!(
            run.calls.contains("docker context inspect"),
            tool == "docker",
            "{}",
            run.calls
        );
    }
}

/// What stands in the file of a build server.
fn yaml(path: &str) -> (String, Value) {
    let path = script().with_file_name(path);
    let text = fs::read_to_string(path).unwrap();
    let value = serde_saphyr::from_str(&text).unwrap();
    (text, value)
}

#[test]
fn both_build_servers_call_the_script_and_give_it_no_text_of_others() {
    let (_, travis) = yaml(".travis.yml");
    assert_eq!(travis["script"], "./push-image");
    assert_eq!(travis["services"][0], "docker");

    let (text, workflow) = yaml(".github/workflows/image.yml");
    let job = &workflow["jobs"]["image"];
    assert_eq!(workflow["permissions"], json!({}));
    assert_eq!(
        job["permissions"],
        json!({ "contents": "read", "id-token": "write" })
    );
    let steps = job["steps"].as_array().unwrap();
    let runs: Vec<_> = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .collect();
    assert_eq!(runs, ["./push-image"]);
    // A branch's name is text of whoever pushes.
    for name in ["github.ref_name", "github.head_ref", "secrets."] {
        assert!(!text.contains(name), "{name}");
    }
    // All builds of a branch, however they were started.
    assert_eq!(workflow["concurrency"]["group"], "image-${{ github.ref }}");
    assert_eq!(workflow["concurrency"]["cancel-in-progress"], false);
}
