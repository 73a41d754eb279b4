//! What needs the binary itself: what it is called by, and what it answers to
//! shells and terminals. Nobody outside is asked.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const PROMOTER: &str = env!("CARGO_BIN_EXE_promoter");

/// The binary without any setting of whoever runs the tests.
fn promoter(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.env_clear().env("HOME", "/nowhere");
    command
}

fn run(arguments: &[&str]) -> Output {
    promoter(PROMOTER).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn kubectl_finds_a_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl-promoter");
    symlink(PROMOTER, &plugin).unwrap();
    let run = |arguments: &[&str]| promoter(&plugin).args(arguments).output().unwrap();
    let help = text(&run(&["deploy", "--help"]).stdout);
    assert!(
        help.contains("Usage: kubectl promoter deploy [OPTIONS] [GROUP]"),
        "{help}"
    );
    let usage = run(&["plan"]);
    assert_eq!(usage.status.code(), Some(2));
    let said = text(&usage.stderr);
    assert!(
        said.contains("Usage: kubectl promoter plan <GROUP>"),
        "{said}"
    );
    let said = text(&run(&["show", "no-such-id"]).stderr);
    assert!(
        said.contains("hint: `kubectl promoter history` lists them"),
        "{said}"
    );
    let said = text(&self::run(&["show", "no-such-id"]).stderr);
    assert!(
        said.contains("hint: `promoter history` lists them"),
        "{said}"
    );
}

#[test]
fn kubectl_completes_its_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let completer = folder.path().join("kubectl_complete-promoter");
    symlink(PROMOTER, &completer).unwrap();
    let run = |arguments: &[&str]| {
        text(
            &promoter(&completer)
                .args(arguments)
                .output()
                .unwrap()
                .stdout,
        )
    };
    let commands = run(&["de"]);
    assert!(commands.starts_with("deploy\tDeploy a group"), "{commands}");
    assert_eq!(run(&["plan", "ma"]), "master\n:4\n");
    assert_eq!(run(&["plan", "--group", "no-such"]), ":4\n");
}

/// What bash is offered for the last word.
fn offered(words: &[&str]) -> Vec<String> {
    let mut command = promoter(PROMOTER);
    command
        .env("PROMOTER_COMPLETE", "bash")
        .env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    let answer = command.arg("--").args(words).output().unwrap();
    assert!(answer.status.success(), "{answer:?}");
    text(&answer.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn shells_are_offered_what_there_is() {
    assert_eq!(offered(&["promoter", "unb"]), ["unban"]);
    assert_eq!(offered(&["promoter", "deploy", "ma"]), ["master"]);
    assert_eq!(
        offered(&["promoter", "deploy", "--group", "f"]),
        ["feature"]
    );
    assert_eq!(
        offered(&["promoter", "status", "--environment", ""]),
        ["preview", "v2"]
    );
    let elsewhere = "tests/it/fixtures/groups/valid";
    assert_eq!(
        offered(&["promoter", "-C", elsewhere, "plan", "s"]),
        ["shop"]
    );
    assert_eq!(offered(&["promoter", "schema", "e"]), ["environment"]);
}

#[test]
fn every_shell_has_a_script() {
    for shell in offered(&["promoter", "completions", ""]) {
        if shell.starts_with('-') {
            continue;
        }
        let script = run(&["completions", &shell]);
        assert!(script.status.success(), "{shell}");
        assert!(
            text(&script.stdout).contains("PROMOTER_COMPLETE"),
            "{shell}"
        );
    }
    assert_eq!(run(&["completions", "tcsh"]).status.code(), Some(2));
}

#[test]
fn there_is_a_page_per_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert!(run(&["man", pages.to_str().unwrap()]).status.success());
    let read = |name: &str| fs::read_to_string(pages.join(name)).unwrap();
    let all = read("promoter.1");
    for command in ["deploy", "status", "config-show", "schema"] {
        let page = read(&format!("promoter-{command}.1"));
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
    assert!(all.contains("promoter\\-deploy(1)"), "{all}");
    assert_eq!(text(&run(&["man"]).stdout), all);
}

/// The setting of a name, as JSON.
fn setting<'a>(settings: &'a Value, name: &str) -> &'a Value {
    let all = settings.as_array().unwrap();
    all.iter().find(|setting| setting["name"] == name).unwrap()
}

#[test]
fn settings_of_the_process_say_where_they_are_from() {
    let show = |command: &mut Command| {
        let shown = command
            .args(["config", "show", "master", "-o", "json"])
            .output()
            .unwrap();
        assert!(shown.status.success(), "{}", text(&shown.stderr));
        let shown = text(&shown.stdout);
        assert!(!shown.contains("hunter2"), "{shown}");
        serde_json::from_str::<Value>(&shown).unwrap()
    };
    let from = |settings: &Value, name: &str| {
        let found = setting(settings, name);
        let from = &found["from"];
        let more = from.get("name").or(from.get("path")).or(from.get("what"));
        let value = found.get("value").or(found.get("hidden")).unwrap();
        format!("{value} {} {}", from["kind"], more.unwrap_or(&Value::Null))
    };
    let plain = show(&mut promoter(PROMOTER));
    assert_eq!(from(&plain, "process.directory"), r#""." "built-in" null"#);
    assert_eq!(from(&plain, "process.color"), r#""auto" "built-in" null"#);
    let kept = r#""/nowhere/.local/state/promoter/records.db" "variable" "HOME""#;
    assert_eq!(from(&plain, "process.records"), kept);
    assert!(from(&plain, "process.actor").ends_with(r#""machine" "user and host""#));
    assert_eq!(from(&plain, "aws.profile"), r#""default" "built-in" null"#);
    assert_eq!(from(&plain, "github.token"), r#"null "unset" null"#);
    let context = r#""promoter-testbed" "file" "environments/v2.toml""#;
    assert_eq!(from(&plain, "environment.cluster.context"), context);

    let mut told = promoter(PROMOTER);
    told.env("PROMOTER_RECORDS", "off")
        .env("PROMOTER_ACTOR", "ada")
        .env("NO_COLOR", "1");
    told.env("AWS_PROFILE", "work")
        .env("AWS_DEFAULT_REGION", "eu-west-1");
    told.env("KUBECONFIG", "/k")
        .env("GITHUB_TOKEN", "hunter2")
        .env("PROMOTER_LOG", "warn");
    let told = show(told.args(["-C", "."]));
    assert_eq!(
        from(&told, "process.directory"),
        r#""." "command-line" null"#
    );
    assert_eq!(
        from(&told, "process.color"),
        r#""never" "variable" "NO_COLOR""#
    );
    assert_eq!(
        from(&told, "process.log"),
        r#""warn" "variable" "PROMOTER_LOG""#
    );
    assert_eq!(
        from(&told, "process.records"),
        r#""off" "variable" "PROMOTER_RECORDS""#
    );
    assert_eq!(
        from(&told, "process.actor"),
        r#""ada" "variable" "PROMOTER_ACTOR""#
    );
    assert_eq!(
        from(&told, "aws.profile"),
        r#""work" "variable" "AWS_PROFILE""#
    );
    assert_eq!(
        from(&told, "aws.region"),
        r#""eu-west-1" "variable" "AWS_DEFAULT_REGION""#
    );
    assert_eq!(from(&told, "kubeconfig"), r#""/k" "variable" "KUBECONFIG""#);
    assert_eq!(
        from(&told, "github.token"),
        r#"["set"] "variable" "GITHUB_TOKEN""#
    );
}

#[test]
fn no_color_is_no_color() {
    let commands: [&[&str]; 5] = [
        &["config", "show", "master"],
        &["validate", "-C", "tests/it/fixtures/groups/wrong"],
        &["show", "no-such-id"],
        &["plan", "no-such-group"],
        &["deploy", "--help"],
    ];
    let has_codes = |output: &Output| {
        [&output.stdout, &output.stderr]
            .iter()
            .any(|out| out.contains(&0x1b))
    };
    for command in commands {
        let with = |color: &str| {
            promoter(PROMOTER)
                .args(command)
                .args(["--color", color])
                .output()
        };
        assert!(!has_codes(&with("never").unwrap()), "{command:?}");
        let shown = command.contains(&"--help") || has_codes(&with("always").unwrap());
        assert!(shown, "{command:?}");
        let mut quiet = promoter(PROMOTER);
        quiet
            .args(command)
            .env("NO_COLOR", "1")
            .env("TERM", "xterm-256color");
        assert!(!has_codes(&quiet.output().unwrap()), "{command:?}");
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_said_once() {
    let mut command = promoter(PROMOTER);
    command
        .args(["schema", "group"])
        .env("PROMOTER_LOG", "promoter=loud=er");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stderr);
    let warned = "warning: PROMOTER_LOG is \"promoter=loud=er\", which cannot be read";
    assert!(
        said.starts_with(warned) && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn who_cannot_listen_says_why() {
    for address in ["8080", "localhost:8080"] {
        let output = run(&["serve", "--listen", address]);
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(
            said.contains("write an IP address and a port, as 127.0.0.1:8080"),
            "{said}"
        );
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let output = run(&[
        "serve",
        "--listen",
        &taken.local_addr().unwrap().to_string(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("with --listen: Address already in use"),
        "{said}"
    );
}
