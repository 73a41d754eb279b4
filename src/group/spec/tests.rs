//! Problems of form in group and environment files.

use std::fmt::Write as _;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn lines(problems: &Problems) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn group(text: &str) -> String {
    lines(&GroupSpec::read("g.toml", text).1)
}

fn environment(text: &str) -> String {
    lines(&EnvironmentSpec::read("e.toml", text).1)
}

#[test]
fn all_syntax_errors_are_told() {
    let text = "[group]\nname = \nbranch = master\n\n[strategy]\nkeep_old = \"10s\nproof = 'x'\nproof = 'y'\n";
    let (spec, problems) = GroupSpec::read("g.toml", text);
    assert!(spec.is_none());
    assert_snapshot!(problems, @r#"
    error: g.toml:2:8: string values must be quoted, expected literal string
      |
    2 | name = 
      |        ^

    error: g.toml:3:10: string values must be quoted, expected literal string
      |
    3 | branch = master
      |          ^^^^^^

    error: g.toml:6:16: invalid basic string, expected `"`
      |
    6 | keep_old = "10s
      |                ^

    error: g.toml:8:1: duplicate key
      |
    8 | proof = 'y'
      | ^^^^^
    "#);
}

#[test]
fn syntax_errors_show_no_private_lines() {
    let text = "[group]\nname = master\n[[app]]\nenv = { A = \"a\",\n TOKEN = hunter2 }\nb = \"\n[app.env]\nPASSWORD = hunter2\n[[check]]\nname = x\n";
    let problems = GroupSpec::read("g.toml", text).1;
    assert!(problems.iter().count() >= 4, "{problems}");
    assert!(!problems.to_string().contains("hunter2"), "{problems}");
    assert!(problems.to_string().contains("name = master"), "{problems}");
}

#[test]
fn wrong_types_unknown_and_missing_keys_are_told_at_once() {
    let text = r#"
colour = "blue"

[group]
nmae = "master"
environment = 2
requires = "other"
schedule = ["0 2 * * *"]

[strategy]
keep_old = 30

[[app]]
name = "a"
port = "8080"
replicas = 1.5
needs = ["b", 3]
env = { TOKEN = "hunter2", LIMIT = 5 }
resources = []

[[app]]
image = "b"
replicas = 99999999999999999999
values = { limit = inf, from = 2026-01-01 }

[check]
name = "c"
"#;
    assert_snapshot!(group(text), @r#"
    g.toml:2:1: a group file has no key `colour`
    g.toml:4:1: `name` is missing
    g.toml:5:1: [group] has no key `nmae`
    g.toml:6:15: `environment` must be text in quotes, not a whole number
    g.toml:7:12: `requires` must be a list of texts, like ["one", "two"], not text
    g.toml:8:12: `schedule` must be text in quotes, not a list
    g.toml:11:12: `keep_old` must be text in quotes, not a whole number
    g.toml:15:8: `port` must be a whole number, not text
    g.toml:16:12: `replicas` must be a whole number, not a number with a fraction
    g.toml:17:15: an entry of `needs` must be text in quotes, not a whole number
    g.toml:18:36: `env.LIMIT` must be text in quotes, not a whole number
    g.toml:19:13: `resources` must be a table, not a list
    g.toml:21:1: `name` is missing
    g.toml:22:1: [[app]] has no key `image`
    g.toml:23:12: `replicas` is too large a number
    g.toml:24:20: JSON has no such number
    g.toml:26:1: `check` must be a list of tables, each headed [[check]], not a table
    "#);
    let rendered = GroupSpec::read("g.toml", text).1.to_string();
    assert!(!rendered.contains("hunter2"), "{rendered}");
}

#[test]
fn a_misspelt_private_table_is_private() {
    let text = "[group]\n[[app]]\nname = 'a'\nenvv = { TOKEN = 'hunter2' }\n";
    let rendered = GroupSpec::read("g.toml", text).1.to_string();
    assert!(rendered.contains("did you mean `env`?"), "{rendered}");
    assert!(!rendered.contains("hunter2"), "{rendered}");
}

#[test]
fn an_empty_file() {
    assert_snapshot!(group(""), @"g.toml:1:1: the table [group] is missing");
    assert_snapshot!(environment(""), @"e.toml:1:1: the table [environment] is missing");
}

#[test]
fn an_environment_with_wrong_keys() {
    let text = r#"
[environment]
name = "v2"
namespace = "v2"
cluster = { contxt = "x", in-cluster = "yes" }

[defaults]
keepold = "10s"

[registry]
account = 123456789012
"#;
    assert_snapshot!(environment(text), @"
    e.toml:5:13: cluster has no key `contxt`
    e.toml:5:40: `in-cluster` must be true or false, not text
    e.toml:8:1: [defaults] has no key `keepold`
    e.toml:11:11: `account` must be text in quotes, not a whole number
    ");
}

#[test]
fn values_keep_their_kind() {
    let text = "[values]\nport = 30080\nratio = 0.5\non = true\nday = 2026-01-01\nlist = [1, 'a']\ntable.x = 'y'\n";
    let (spec, _) = EnvironmentSpec::read("e.toml", text);
    let values = map(spec.unwrap().values.as_ref());
    let values = serde_json::to_string(&values).unwrap();
    let expected = r#"{"day":"2026-01-01","list":[1,"a"],"on":true,"port":30080,"ratio":0.5,"table":{"x":"y"}}"#;
    assert_eq!(values, expected);
}

#[test]
fn a_large_file_does_not_take_for_ever() {
    for text in [
        "[[[",
        "a = = ",
        "a = \"\n",
        "{ x = [ ",
        "env = '''",
        "a = 1\n",
        "[[app]]\nenv = { A = 1 }\n",
    ] {
        let large = text.repeat(200_000 / text.len());
        drop(GroupSpec::read("g.toml", &large).1.to_string());
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        drop(GroupSpec::read("g.toml", &text));
    }

    #[test]
    fn nearly_toml_does_not_panic(
        text in "(\\[group\\]\n|\\[\\[app\\]\\]\n|name|env|values|port| = |\"|'''|é|\\{|\\}|\\[|\\]|,|\r?\n|1|inf|\\.){0,60}"
    ) {
        for problems in [GroupSpec::read("g.toml", &text).1, EnvironmentSpec::read("e.toml", &text).1] {
            drop(problems.to_string());
        }
    }
}

/// Writes a file that gives every key a value which none of them takes, and
/// counts them.
fn misfits(keys: &keys::Keys, path: &str, text: &mut String) -> usize {
    use keys::Kind;
    let mut count = 0;
    for key in keys.all() {
        let header = format!("{path}{}", key.name);
        match &key.kind {
            Kind::Table(keys) => {
                writeln!(text, "[{header}]").unwrap();
                count += misfits(keys, &format!("{header}."), text);
            }
            Kind::Tables(keys) => {
                writeln!(text, "[[{header}]]").unwrap();
                count += misfits(keys, &format!("{header}."), text);
            }
            _ if path.is_empty() => {
                *text = format!("{} = 2026-01-01\n{text}", key.name);
                count += 1;
            }
            _ => {
                writeln!(text, "{} = 2026-01-01", key.name).unwrap();
                count += 1;
            }
        }
    }
    count
}

#[test]
fn every_key_is_read() {
    let mut text = String::new();
    let count = misfits(&group::FILE, "", &mut text);
    let problems = GroupSpec::read("g.toml", &text).1;
    assert_eq!(
        problems.iter().count(),
        count,
        "{text}\n{}",
        lines(&problems)
    );
    let mut text = String::new();
    let count = misfits(&environment::FILE, "", &mut text);
    let problems = EnvironmentSpec::read("e.toml", &text).1;
    assert_eq!(
        problems.iter().count(),
        count,
        "{text}\n{}",
        lines(&problems)
    );
}

#[test]
fn what_is_no_toml_at_all_has_a_few_problems() {
    for junk in ["?".repeat(300_000), "? = [\n".repeat(30_000)] {
        let (spec, problems) = GroupSpec::read("groups/junk.toml", &junk);
        assert!(spec.is_none());
        let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!((1..=21).contains(&said.len()), "{}", said.len());
    }
    let (_, problems) = GroupSpec::read("groups/junk.toml", &"? = [\n".repeat(30_000));
    let last = problems.iter().last().unwrap().to_string();
    assert!(last.ends_with(" more problems"), "{last}");
}
