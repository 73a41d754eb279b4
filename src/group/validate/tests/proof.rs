//! What shows that images are good, in groups and in environments.

use super::*;
use crate::group::Proof;
use crate::group::github::GithubRef;

const PROVEN: &str = "proof = \"github-checks\"\n";

/// The problems of an environment with this `[github]` table.
fn github(lines: &str) -> String {
    let text = format!("{ENVIRONMENT}[github]\n{lines}");
    let (spec, mut problems) = EnvironmentSpec::read("environments/v2.toml", &text);
    problems.extend(environment(&spec.unwrap()).1);
    problems.render(false, usize::MAX)
}

#[test]
fn layers() {
    assert_eq!(valid(GROUP).proof, Proof::Pushed);
    let group = valid(&GROUP.replace("branch", &format!("{PROVEN}branch")));
    assert_eq!(group.proof, Proof::GithubChecks);
    assert_eq!(group.environment.github, GithubRef::default());

    let environment = format!("{ENVIRONMENT}{PROVEN}");
    let group = made(GROUP, &environment, &Overrides::default()).0.unwrap();
    assert_eq!(group.proof, Proof::GithubChecks);
    let own = GROUP.replace("branch", "proof = \"pushed\"\nbranch");
    let group = made(&own, &environment, &Overrides::default()).0.unwrap();
    assert_eq!(group.proof, Proof::Pushed);
}

#[test]
fn where_commits_are_proven() {
    let environment = valid_environment(&format!(
        "{ENVIRONMENT}[github]\n\
         api = \"https://git.acme.example/api/v3\"\n\
         owner = \"acme\"\n\
         required = [\"build\", \"ci/test (linux)\"]\n\
         sources = {{ \"team/hello-a\" = \"acme/Hello.a\" }}\n"
    ));
    let github = environment.environment.github;
    assert_eq!(github.api.host(), "git.acme.example");
    assert_eq!(github.owner.unwrap().as_str(), "acme");
    assert_eq!(github.required, ["build", "ci/test (linux)"]);
    assert_eq!(github.sources["team/hello-a"].as_str(), "acme/Hello.a");
}

#[test]
fn what_is_wrong_is_shown_in_its_place() {
    assert_snapshot!(github("apy = \"https://api.github.com\"\n"), @r#"
    error: environments/v2.toml:9:1: [github] has no key `apy`
      |
    9 | apy = "https://api.github.com"
      | ^^^
      |
      = help: did you mean `api`?
    "#);
    assert_snapshot!(github("api = \"http://git.acme.example\"\nowner = \"acme/a\"\n"), @r#"
    error: environments/v2.toml:9:7: the API's address must begin with https://, as a token is sent there
      |
    9 | api = "http://git.acme.example"
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^

    error: environments/v2.toml:10:9: `acme/a` is no owner on GitHub, write the name of a user or an organisation
       |
    10 | owner = "acme/a"
       |         ^^^^^^^^
    "#);
    assert_snapshot!(github("required = [\"build\", \" \"]\n"), @r#"
    error: environments/v2.toml:9:22: `required` names nothing here, write the name of a status or a check run
      |
    9 | required = ["build", " "]
      |                      ^^^
    "#);
    let lines =
        "required = [\"a\", \"a\"]\n[github.sources]\nHello = \"acme/a\"\nhello = \"acme\"\n";
    assert_snapshot!(github(lines), @r#"
    error: environments/v2.toml:9:18: `a` is already in line 9
      |
    9 | required = ["a", "a"]
      |                  ^^^

    error: environments/v2.toml:11:1: `Hello` is not a repository's name: write lower-case letters and digits, with single `.` `_` `-` or `/` between them
       |
    11 | Hello = "acme/a"
       | ^^^^^

    error: environments/v2.toml:12:1: `acme` is no repository on GitHub, write it as owner/name
       |
    12 | hello = "acme"
       | ^^^^^
    "#);
}

#[test]
fn a_token_in_the_file_is_not_shown() {
    let shown = github("token = \"ghp_hidden\"\napi = \"https://me:ghp_hidden@api.github.com\"\n");
    assert!(shown.contains("no key `token`"), "{shown}");
    assert!(!shown.contains("ghp_hidden"), "{shown}");
}

#[test]
fn a_tag_that_names_no_commit_proves_nothing() {
    let missing =
        "`proof = \"github-checks\"` needs {sha} in the tag pattern, `{slug}-{build}` has none";
    let tag = "tag = \"{slug}-{build}\"\n";
    let proven = GROUP.replace("branch", &format!("{PROVEN}branch"));
    let at = |place: &str| format!("groups/g.toml:{place}: {missing}");
    assert_eq!(lines(&proven), "");
    // Said once for all who share it, and for each who has its own.
    let shared = proven.replace("branch", &format!("{tag}branch"));
    assert_eq!(lines(&shared), at("6:7"));
    let own = proven.replace("manifest", &format!("{tag}manifest"));
    assert_eq!(lines(&own), at("9:7"));
    // Nobody shares it.
    let with = "tag = \"{slug}-{build}-{sha}\"\n";
    let unused = shared
        .replace("manifest", &format!("{with}manifest"))
        .replace("repository", &format!("{with}repository"));
    assert_eq!(lines(&unused), "");
    // A hook shares it as a check does.
    let hook = "[[hook]]\nname = \"h\"\nwhen = \"before-deploy\"\nrepository = \"tests\"\n";
    assert_eq!(lines(&format!("{unused}{hook}")), at("6:7"));

    let environment = format!("{ENVIRONMENT}{PROVEN}{tag}");
    let (group, problems) = made(GROUP, &environment, &Overrides::default());
    assert!(group.is_none());
    assert_eq!(joined(&problems), at("2:1"));
}
