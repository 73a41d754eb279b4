//! What runs as a Job: checks and hooks.

use super::*;

#[test]
fn hooks() {
    let hook = |lines: &[&str]| {
        ["[[hook]]"]
            .iter()
            .chain(lines)
            .copied()
            .collect::<Vec<_>>()
            .join("\n")
    };
    let good = hook(&[
        r#"name = "h""#,
        r#"when = "before-deploy""#,
        r#"app = "aa""#,
    ]);
    let never = hook(&[r#"name = "h""#, r#"when = "never""#, r#"app = "aa""#]);
    let bare = hook(&[r#"name = "h""#, r#"reports = "tap""#]);
    let twice = hook(&[
        r#"name = "c""#,
        r#"when = "after-promote""#,
        r#"app = "aa""#,
    ]);
    assert_snapshot!(before("[[check]]", &[&good, &never, &bare, &twice]), @r#"
    [[hook]]; name = "h"; when = "before-deploy"; app = "aa"
      valid
    [[hook]]; name = "h"; when = "never"; app = "aa"
      g.toml:11:8: `when` cannot be `never`
    [[hook]]; name = "h"; reports = "tap"
      g.toml:9:1: `when` is missing
      g.toml:9:1: the hook does not say what it runs in
      g.toml:11:1: [[hook]] has no key `reports`
    [[hook]]; name = "c"; when = "after-promote"; app = "aa"
      g.toml:10:8: check or hook `c` is already in line 14
    "#);
}

#[test]
fn a_check_and_its_group_fit_into_a_job_name() {
    let name = "g".repeat(40);
    let path = format!("groups/{name}.toml");
    let text = GROUP.replace("\"g\"", &format!("\"{name}\""));
    let text = text.replace("\"c\"", "\"twelve-chars\"");
    let spec = GroupSpec::read(&path, &text).0.unwrap();
    let environment = valid_environment(ENVIRONMENT);
    let problems = group(
        &spec,
        Some(&environment),
        &manifests(),
        &Overrides::default(),
    )
    .1;
    assert_snapshot!(problems.iter().next().unwrap().message, @"the names of the check and its group have 52 characters together, at most 51 are possible");
}

#[test]
fn checks() {
    let lines = [
        "",
        "repository = 'tests'\napp = 'aa'",
        "app = 'aaa'",
        "app = 'aa'",
        "app = 'aa'\nbranch = 'x'\ntag = 'y'",
        "image = 'a b'",
        "image = 'host:5000/tests'",
        "image = 'tests:1'\ncommand = ['npm', 'test']",
        "image = 'tests@sha256:00'\nreport = 'junit'",
        "image = 'tests:1'\nreport = 'junit'\nreport_file = '/reports/*.xml'",
        "image = 'tests:1'\nreport = 'junit'\nreport_file = 'junit.xml'",
        "image = 'tests:1'\nreport = 'tap'\nreport_file = '/reports/junit.xml'",
        "image = 'tests:1'\nreport_file = '/junit.xml'",
        "image = 'tests:1'\nreport = 'xml'",
        "image = 'tests:1'\ntimeout = '5 min'",
        "image = 'tests:1'\nenv = { '=' = '' }",
    ];
    assert_snapshot!(table(r#"repository = "tests""#, &lines), @r#"
    (nothing)
      g.toml:9:1: the check does not say what it runs in
    repository = 'tests'; app = 'aa'
      g.toml:9:1: the check says more than once what it runs in
    app = 'aaa'
      g.toml:11:7: the group has no app `aaa`
    app = 'aa'
      valid
    app = 'aa'; branch = 'x'; tag = 'y'
      g.toml:12:10: `branch` is for checks with a `repository`
      g.toml:13:7: `tag` is for checks with a `repository`
    image = 'a b'
      g.toml:11:9: `a b` is not an image reference, write one like name:tag
      g.toml:11:9: the image `a b` has neither tag nor digest, so it is whatever `latest` is
    image = 'host:5000/tests'
      g.toml:11:9: the image `host:5000/tests` has neither tag nor digest, so it is whatever `latest` is
    image = 'tests:1'; command = ['npm', 'test']
      valid
    image = 'tests@sha256:00'; report = 'junit'
      g.toml:12:10: `report = "junit"` needs `report_file`
    image = 'tests:1'; report = 'junit'; report_file = '/reports/*.xml'
      valid
    image = 'tests:1'; report = 'junit'; report_file = 'junit.xml'
      g.toml:13:15: `junit.xml` is not an absolute path, write one like /reports/junit.xml
    image = 'tests:1'; report = 'tap'; report_file = '/reports/junit.xml'
      g.toml:13:15: `report_file` is for checks and hooks with `report = "junit"`
    image = 'tests:1'; report_file = '/junit.xml'
      g.toml:12:15: `/junit.xml` lies in no folder of its own, write one like /reports/junit.xml
      g.toml:12:15: `report_file` is for checks and hooks with `report = "junit"`
    image = 'tests:1'; report = 'xml'
      g.toml:12:10: `report` cannot be `xml`
    image = 'tests:1'; timeout = '5 min'
      g.toml:12:11: `5 min` is not a duration: there is no unit ` min`, the units are h, m, s and ms
    image = 'tests:1'; env = { '=' = '' }
      g.toml:12:9: `=` cannot be the name of an environment variable
    "#);
}
