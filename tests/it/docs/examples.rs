//! Puts an example of a page into a folder, with all that it lacks to be whole.

use std::fs;
use std::path::Path;

use promoter::group::spec::{EnvironmentSpec, GroupSpec, Spanned};

/// The tables of a group file; all others are an environment's.
const OF_GROUP: [&str; 5] = ["group", "strategy", "app", "check", "hook"];
/// The group and environment that fragments are put into.
const GROUP: &str = "master";
const ENVIRONMENT: &str = "v2";
/// The apps that examples speak of.
const APPS: [&str; 2] = ["hello-a", "hello-b"];

/// Writes a whole file, or a fragment in a file that has no more than it needs, and
/// what the file refers to.
pub(super) fn write(folder: &Path, text: &str, is_fragment: bool) {
    for kind in ["groups/manifests", "environments"] {
        fs::create_dir_all(folder.join(kind)).unwrap();
    }
    for manifest in ["hello-a.yaml", "hello-b.json"] {
        let path = Path::new("groups/manifests").join(manifest);
        fs::copy(&path, folder.join(&path)).unwrap();
    }
    let header = text.lines().find(|line| line.starts_with('[')).unwrap();
    let header = header.split(']').next().unwrap_or_default();
    if OF_GROUP.contains(&header.trim_matches('[')) {
        write_group(folder, text, is_fragment);
    } else {
        write_environment(folder, text, is_fragment);
    }
}

fn write_group(folder: &Path, text: &str, is_fragment: bool) {
    let text = if is_fragment {
        whole_group(text)
    } else {
        text.to_owned()
    };
    let spec = GroupSpec::read("", &text).0.unwrap();
    let (name, environment) = (value(spec.name.as_ref()), value(spec.environment.as_ref()));
    file(folder, "groups", name, &text);
    let place = whole_environment(&named("environment", environment));
    file(folder, "environments", environment, &place);
    for required in spec.requires.iter().map(Spanned::get_ref) {
        let head = format!(
            "{}environment = \"{environment}\"\n",
            named("group", required)
        );
        // What it has is its own.
        let group = whole_group(&head).replace("hello", required);
        file(folder, "groups", required, &group);
    }
}

fn write_environment(folder: &Path, text: &str, is_fragment: bool) {
    let text = if is_fragment {
        whole_environment(text)
    } else {
        text.to_owned()
    };
    let spec = EnvironmentSpec::read("", &text).0.unwrap();
    let name = value(spec.name.as_ref());
    file(folder, "environments", name, &text);
    let group = whole_group(&format!("[group]\nenvironment = \"{name}\"\n"));
    file(folder, "groups", GROUP, &group);
}

fn value(written: Option<&Spanned<String>>) -> &str {
    written.map(|written| written.get_ref().as_str()).unwrap()
}

fn file(folder: &Path, kind: &str, name: &str, text: &str) {
    fs::write(folder.join(format!("{kind}/{name}.toml")), text).unwrap();
}

fn named(table: &str, name: &str) -> String {
    format!("[{table}]\nname = \"{name}\"\n")
}

/// With what a group cannot do without.
fn whole_group(text: &str) -> String {
    let spec = GroupSpec::read("", text).0.unwrap();
    let head = [
        ("name", GROUP, spec.name.is_none()),
        ("environment", ENVIRONMENT, spec.environment.is_none()),
        ("branch", "main", spec.branch.is_none()),
    ];
    let lacking = head.iter().filter(|(.., lacks)| *lacks);
    let lacking = lacking.map(|(key, value, _)| format!("{key} = \"{value}\"\n"));
    let mut text = with_head(text, "group", &lacking.collect::<String>());
    for app in APPS {
        let mut apps = spec.apps.iter().filter_map(|app| app.name.as_ref());
        if !apps.any(|name| name.get_ref() == app) {
            text.extend(["\n[[app]]\nname = \"", app, "\"\n"]);
        }
    }
    if spec.checks.is_empty() {
        text += "\n[[check]]\nname = \"passes\"\nimage = \"tests:1\"\n";
    }
    text
}

/// With what an environment cannot do without.
fn whole_environment(text: &str) -> String {
    let spec = EnvironmentSpec::read("", text).0.unwrap();
    let cluster = "{ context = \"a-cluster\" }".to_owned();
    let quoted = format!("\"{ENVIRONMENT}\"");
    let head = [
        ("name", &quoted, spec.name.is_none()),
        ("namespace", &quoted, spec.namespace.is_none()),
        ("cluster", &cluster, spec.cluster.is_none()),
    ];
    let lacking = head.iter().filter(|(.., lacks)| *lacks);
    let lacking = lacking.map(|(key, value, _)| format!("{key} = {value}\n"));
    with_head(text, "environment", &lacking.collect::<String>())
}

/// With these keys in its first table, which it may lack as a whole.
fn with_head(text: &str, table: &str, keys: &str) -> String {
    let header = format!("[{table}]\n");
    match text.split_once(&header) {
        Some((before, after)) => format!("{before}{header}{keys}{after}"),
        None => format!("{header}{keys}\n{text}"),
    }
}
