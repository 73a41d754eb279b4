//! What every source file keeps to: which layer may know which, no file too
//! long, no test that is never run.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, each of which may use those before it.
const LAYERS: [&str; 5] = ["group", "plan", "promotion", "port", "engine"];
/// What stands beside or above the layers.
const ABOVE: [&str; 4] = ["adapter", "serve", "cli", "config"];
/// How many layers are pure: they know no outside system, not even the clock.
const PURE: usize = 4;
/// What a pure layer must not name.
const OUTSIDE: [&str; 11] = [
    "kube::",
    "k8s_openapi",
    "aws_",
    "axum",
    "sqlx",
    "tokio",
    "reqwest",
    "std::fs",
    "std::env",
    "std::net",
    "std::time::SystemTime",
];
/// What several adapters are built on; it knows no other.
const SHARED: [&str; 2] = ["aws", "trust"];
/// Lines after which a file has to be split; tests may be longer.
const MOST_LINES: usize = 600;

struct File {
    path: String,
    text: String,
}

impl File {
    /// Lines of code, numbered from one, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        let code =
            |(n, line): (usize, &'_ str)| (!line.trim_start().starts_with("//")).then_some(n);
        lines.filter_map(move |(n, line)| code((n, line)).map(|n| (n + 1, line)))
    }

    /// `engine` for `src/engine.rs` and everything below `src/engine/`.
    fn layer(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        Some(inside.split(['/', '.']).next().unwrap_or(inside))
    }

    fn is_tests(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.ends_with("tests.rs")
            || self.path.contains("/tests/")
    }
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["src", "tests", "bench", "benches", "xtask/src"] {
        collect(root, &root.join(folder), &mut found);
    }
    assert!(found.len() > 100, "only {} files were found", found.len());
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<File>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(File {
                path: path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
}

/// Fails with every place at once.
#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn uses(line: &str, module: &str) -> bool {
    let path = format!("crate::{module}");
    line.match_indices(&path).any(|(at, _)| {
        let next = line[at + path.len()..].chars().next();
        !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// Every line of these layers' files for which `fault` names something.
fn faults(layers: &[&str], fault: impl Fn(&str, &str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for file in files() {
        let Some(layer) = file.layer().filter(|layer| layers.contains(layer)) else {
            continue;
        };
        for (number, line) in file.code() {
            if let Some(what) = fault(layer, line) {
                found.push(format!("{}:{number}: {what}: {}", file.path, line.trim()));
            }
        }
    }
    found
}

#[test]
fn pure_layers_know_nothing_outside() {
    none(&faults(&LAYERS[..PURE], |_, line| {
        let named = OUTSIDE.iter().find(|name| line.contains(**name))?;
        Some(format!("{named} in a pure layer"))
    }));
}

#[test]
fn imports_go_one_way() {
    none(&faults(&LAYERS, |layer, line| {
        let place = LAYERS.iter().position(|name| *name == layer).unwrap();
        let later = LAYERS[place + 1..].iter().chain(&ABOVE);
        let used = later.into_iter().find(|later| uses(line, later))?;
        Some(format!("{layer} must not know {used}"))
    }));
}

#[test]
fn adapters_know_ports_and_domain_only() {
    none(&faults(&["adapter"], |_, line| {
        let used = ["engine", "serve", "cli", "config"]
            .into_iter()
            .find(|name| uses(line, name))?;
        Some(format!("an adapter must not know {used}"))
    }));
    let mut found = Vec::new();
    for file in files() {
        let Some(inside) = file.path.strip_prefix("src/adapter/") else {
            continue;
        };
        let own = inside.split(['/', '.']).next().unwrap();
        for (number, line) in file.code() {
            for (at, path) in line.match_indices("crate::adapter::") {
                let other = line[at + path.len()..]
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next();
                let is_shared = other.is_some_and(|other| SHARED.contains(&other));
                if other != Some(own) && !is_shared {
                    found.push(format!(
                        "{}:{number}: {own} must not know {other:?}",
                        file.path
                    ));
                }
            }
        }
    }
    none(&found);
}

#[test]
fn the_daemon_is_given_all_that_is_outside() {
    none(&faults(&["serve"], |_, line| {
        let above = ["adapter", "cli", "config"];
        let used = above.into_iter().find(|name| uses(line, name))?;
        Some(format!("serve must not know {used}"))
    }));
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut found = Vec::new();
    for file in files() {
        let lines = file.text.lines().count();
        if lines > MOST_LINES && !file.is_tests() {
            found.push(format!("{}: {lines} lines, split it", file.path));
        }
        if !file.text.starts_with("//! ") && file.text.trim() != "fn main() {}" {
            found.push(format!("{}: does not open with what it is for", file.path));
        }
    }
    none(&found);
}

#[test]
fn every_test_is_run() {
    // In two parts, so that this line is not found.
    let ignored = concat!("#[", "ignore");
    let sleeps = concat!("thread::", "sleep");
    let mut found = Vec::new();
    for file in files() {
        for (number, line) in file.code() {
            if line.contains(ignored) {
                found.push(format!("{}:{number}: a test that is never run", file.path));
            }
            if line.contains(sleeps) && file.path.starts_with("tests/it/") {
                found.push(format!(
                    "{}:{number}: a fast test does not sleep",
                    file.path
                ));
            }
        }
    }
    none(&found);
}

#[test]
fn every_file_is_compiled() {
    let files = files();
    let mut found = Vec::new();
    for file in &files {
        let (folder, name) = file.path.rsplit_once('/').unwrap();
        let name = name.trim_end_matches(".rs");
        // Each benchmark is a program of its own.
        let is_root = ["main", "lib"].contains(&name) || folder == "benches";
        let line = format!("mod {name};");
        let declares = |path: String| {
            let parent = files.iter().find(|file| file.path == path);
            parent.is_some_and(|parent| parent.code().any(|(_, code)| code.ends_with(&line)))
        };
        let parents = [
            format!("{folder}.rs"),
            format!("{folder}/main.rs"),
            format!("{folder}/lib.rs"),
        ];
        if !is_root && !parents.into_iter().any(declares) {
            found.push(format!("{}: no module declares it", file.path));
        }
    }
    none(&found);
}

#[test]
fn the_rules_themselves_find_something() {
    assert!(uses("use crate::engine::Engine;", "engine"));
    assert!(!uses("use crate::engine_room::Engine;", "engine"));
    let named = faults(&["adapter"], |_, line| {
        line.contains("kube::").then(|| "named".to_owned())
    });
    assert!(named.len() > 10);
}
