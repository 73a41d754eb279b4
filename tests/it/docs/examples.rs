//! Puts an example of a page into a folder, with all that it lacks to be whole.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

/// The tables of a group file; all others are an environment's.
const OF_GROUP: [&str; 5] = ["group", "strategy", "app", "check", "hook"];
/// The group and environment that fragments are put into.
const GROUP: &str = "master";
const ENVIRONMENT: &str = "v2";

/// Writes a whole file, or a fragment in a file that has no more than it needs, and
/// what the file refers to.
pub(super) fn write(folder: &Path, text: &str, is_fragment: bool) {
    let parsed: Table = text
        .parse()
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let is_group = parsed.keys().all(|key| OF_GROUP.contains(&key.as_str()));
    for kind in ["groups/manifests", "environments"] {
        fs::create_dir_all(folder.join(kind)).unwrap();
    }
    for manifest in ["hello-a.yaml", "hello-b.json"] {
        let path = Path::new("groups/manifests").join(manifest);
        fs::copy(&path, folder.join(&path)).unwrap();
    }
    let (text, table) = match (is_fragment, is_group) {
        (false, _) => (text.to_owned(), parsed),
        (true, true) => completed(text, &parsed, "group", &minimal_group(GROUP, ENVIRONMENT)),
        (true, false) => completed(
            text,
            &parsed,
            "environment",
            &minimal_environment(ENVIRONMENT),
        ),
    };
    let kind = if is_group { "group" } else { "environment" };
    let name = table[kind]["name"].as_str().unwrap();
    write_file(folder, kind, name, &text);
    if !is_group {
        write_file(folder, "group", GROUP, &minimal_group(GROUP, name));
        return;
    }
    let environment = table["group"]["environment"].as_str().unwrap();
    write_file(
        folder,
        "environment",
        environment,
        &minimal_environment(environment),
    );
    let required = table["group"].get("requires").and_then(Value::as_array);
    for required in required.into_iter().flatten().filter_map(Value::as_str) {
        // Its app is its own.
        let group = minimal_group(required, environment).replace("hello", required);
        write_file(folder, "group", required, &group);
    }
}

fn write_file(folder: &Path, kind: &str, name: &str, text: &str) {
    fs::write(folder.join(format!("{kind}s/{name}.toml")), text).unwrap();
}

fn minimal_group(name: &str, environment: &str) -> String {
    format!(
        r#"[group]
name = "{name}"
environment = "{environment}"
branch = "main"

[[app]]
name = "hello-a"

[[app]]
name = "hello-b"

[[check]]
name = "passes"
app = "hello-a"
"#
    )
}

fn minimal_environment(name: &str) -> String {
    format!(
        r#"[environment]
name = "{name}"
namespace = "{name}"
cluster = {{ context = "a-cluster" }}
"#
    )
}

/// A fragment with what it lacks of a minimal file: keys of its `head`, and tables
/// that it has none of that kind and name.
fn completed(text: &str, parsed: &Table, head: &str, minimal: &str) -> (String, Table) {
    let mut text = text.to_owned();
    for part in minimal.split("\n\n") {
        let (header, keys) = part.split_once('\n').unwrap();
        let kind = header.trim_matches(['[', ']']);
        match parsed.get(kind) {
            Some(Value::Table(own)) if kind == head => {
                let lacks = |line: &&str| !own.contains_key(line.split(' ').next().unwrap());
                let lacking: Vec<_> = keys.lines().filter(lacks).collect();
                let with = format!("{header}\n{}\n", lacking.join("\n"));
                text = text.replacen(&format!("{header}\n"), &with, 1);
            }
            Some(Value::Array(own)) if kind != "app" || has_named(own, keys) => {}
            _ => text = format!("{text}\n{part}\n"),
        }
    }
    let table = text
        .parse()
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    (text, table)
}

/// Whether one of these tables has the name that these lines give.
fn has_named(tables: &[Value], keys: &str) -> bool {
    let mut names = tables.iter().filter_map(|table| table["name"].as_str());
    names.any(|name| keys.contains(&format!("name = \"{name}\"")))
}
