//! Folders that have something in them already.

use tempfile::TempDir;

use super::*;
use crate::group::name::{EnvironmentName, GroupName};

const ENVIRONMENT: &str = "[environment]\nname = 'v2'\nnamespace = 'v2'\ncluster = { context = 'test' }\nuntested = 'allowed'\n\
    [registry]\naccount = '123456789012'\nregion = 'eu-west-1'\n";
const MANIFEST: &str = "image: {{ image }}\n";

fn group(name: &str, environment: &str, app: &str) -> String {
    format!(
        "[group]\nname = '{name}'\nenvironment = '{environment}'\nbranch = 'main'\n\
         [[app]]\nname = '{app}'\nmanifest = 'manifests/hello.yaml'\n"
    )
}

/// Group `main` of app `hello` in environment `v2`.
fn proposed() -> Draft {
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        what: String::new(),
        in_full: true,
        text: text.to_owned(),
        warning: None,
    };
    Draft {
        group: GroupName::parse("main").unwrap(),
        environment: EnvironmentName::parse("v2").unwrap(),
        adopts: true,
        files: vec![
            file("environments/v2.toml", ENVIRONMENT),
            file("groups/main.toml", &group("main", "v2", "hello")),
            file("groups/manifests/hello.yaml", MANIFEST),
        ],
        notes: Vec::new(),
    }
}

/// What is said of the draft where these files are.
fn said(files: &[(&str, &str)]) -> String {
    let folder = TempDir::new().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let draft = proposed();
    let there = there(folder.path(), &draft);
    let said = match check(folder.path(), &draft, &there) {
        Ok(()) => "good".to_owned(),
        Err(CliError::Problems(problems)) => {
            let lines = problems.errors().map(ToString::to_string);
            lines.collect::<Vec<_>>().join("\n")
        }
        Err(error) => error.to_string(),
    };
    said.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn what_is_there_and_the_same_is_used() {
    assert_eq!(said(&[]), "good");
    let silent = ENVIRONMENT.split("[registry]").next().unwrap();
    for environment in [ENVIRONMENT, silent] {
        let files = [
            ("environments/v2.toml", environment),
            ("groups/manifests/hello.yaml", MANIFEST),
            ("groups/broken.toml", "[group"),
        ];
        assert_eq!(said(&files), "good");
    }
}

#[test]
fn an_environment_of_another_place_is_not_used() {
    let with =
        |from: &str, to: &str| said(&[("environments/v2.toml", &ENVIRONMENT.replace(from, to))]);
    insta::assert_snapshot!(with("'test'", "'production'"), @"environments/v2.toml is of another place: namespace v2 of context production, not namespace v2 of context test; give --environment another name");
    insta::assert_snapshot!(with("namespace = 'v2'", "namespace = 'v3'"), @"environments/v2.toml is of another place: namespace v3 of context test, not namespace v2 of context test; give --environment another name");
    insta::assert_snapshot!(with("context = 'test'", "eks = 'test'"), @"environments/v2.toml is of another place: namespace v2 of EKS cluster test, not namespace v2 of context test; give --environment another name");
    insta::assert_snapshot!(with("eu-west-1", "us-east-1"), @"environments/v2.toml is of another place: its images come from us-east-1, not eu-west-1; give --environment another name");
    insta::assert_snapshot!(with("namespace", "nmespace"), @"
    environments/v2.toml:1:1: `namespace` is missing
    environments/v2.toml:3:1: [environment] has no key `nmespace`
    ");
}

#[test]
fn another_manifest_of_that_name_is_not_used() {
    insta::assert_snapshot!(said(&[("groups/manifests/hello.yaml", "image: {{ image }} # mine\n")]), @"groups/manifests/hello.yaml is there already and is not what runs: move it away, or add the app to its group by hand");
    insta::assert_snapshot!(said(&[("groups/main.toml", "# mine")]), @"groups/main.toml is there already and stays as it is; give another name with --group");
}

#[test]
fn it_has_to_be_valid_beside_the_others() {
    let place = said(&[(
        "environments/test.toml",
        &ENVIRONMENT.replace("name = 'v2'\nn", "name = 'test'\nn"),
    )]);
    insta::assert_snapshot!(place, @"environment test is of this place already; choose it with --environment test");
    let other = |app: &str| {
        said(&[
            ("groups/other.toml", &group("other", "v2", app)),
            ("environments/v2.toml", ENVIRONMENT),
        ])
    };
    insta::assert_snapshot!(other("hello"), @"groups/main.toml:6:8: app `hello` is also in group `other` (groups/other.toml:6:8), and both run in the environment `v2`");
    insta::assert_snapshot!(other("hello-blue"), @"groups/main.toml:6:8: a Deployment of app `hello` and one of app `hello-blue` in group `other` get the same name");
    let refused = ENVIRONMENT.replace("'allowed'", "'refused'");
    insta::assert_snapshot!(said(&[("environments/v2.toml", &refused)]), @"groups/main.toml:1:1: the group has no check, so nothing would be tested");
}
