//! Folders with files as people leave them.

use insta::assert_snapshot;
use tempfile::TempDir;

use super::*;

const ENVIRONMENT: &str =
    "[environment]\nname = 'v2'\nnamespace = 'v2'\ncluster = { context = 'here' }\n";

fn group(name: &str, app: &str, manifest: &str) -> String {
    format!(
        "[group]\nname = '{name}'\nenvironment = 'v2'\nbranch = 'master'\n\
         [[app]]\nname = '{app}'\nmanifest = '{manifest}'\n\
         [[check]]\nname = 'greets'\nrepository = 'tests'\n"
    )
}

/// A folder with these files; a valid environment and manifest unless given.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let usual: [(&str, &[u8]); 2] = [
        ("environments/v2.toml", ENVIRONMENT.as_bytes()),
        ("groups/m.yaml", b"image: {{ image }}\n"),
    ];
    for (path, content) in usual.iter().chain(files) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// Problems one a line, without the folder.
fn lines(folder: &TempDir, problems: &Problems) -> String {
    let lines = problems.iter().map(|problem| match &problem.hint {
        Some(hint) => format!("{problem} [{hint}]"),
        None => problem.to_string(),
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    lines
        .replace(&format!("{}/", folder.path().display()), "")
        .replace(&folder.path().display().to_string(), ".")
}

fn all(folder: &TempDir) -> String {
    lines(
        folder,
        &Catalog::load(folder.path()).validate_all().problems,
    )
}

#[test]
fn valid_groups_are_found_by_name() {
    let folder = folder(&[
        (
            "groups/master.toml",
            group("master", "hello", "m.yaml").as_bytes(),
        ),
        (
            "groups/other.toml",
            group("other", "world", "../groups/./m.yaml").as_bytes(),
        ),
        ("groups/.hidden.toml", b"?"),
        ("groups/notes.txt", b"?"),
    ]);
    let catalog = Catalog::load(folder.path());
    let validation = catalog.validate_all();
    assert!(validation.problems.is_empty(), "{}", validation.problems);
    let names: Vec<_> = validation
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(names, ["master", "other"]);
    assert_eq!(names, catalog.group_names().collect::<Vec<_>>());
    assert_eq!(catalog.environment_names().collect::<Vec<_>>(), ["v2"]);
    let group = catalog.group("master", &Overrides::default()).unwrap();
    assert_eq!(group, validation.groups[0]);
}

#[test]
fn a_group_that_is_not_there() {
    let folder = folder(&[
        (
            "groups/master.toml",
            group("master", "hello", "m.yaml").as_bytes(),
        ),
        (
            "groups/other.toml",
            group("other", "world", "m.yaml").as_bytes(),
        ),
    ]);
    let catalog = Catalog::load(folder.path());
    let problems = |name: &str| {
        lines(
            &folder,
            &catalog.group(name, &Overrides::default()).unwrap_err(),
        )
    };
    assert_snapshot!(problems("mastr"), @"groups: there is no group `mastr` [did you mean `master`? (there are master, other)]");
    assert_snapshot!(problems("production"), @"groups: there is no group `production` [there are master, other]");
}

#[test]
fn folders_that_are_not_there() {
    let folder = TempDir::new().unwrap();
    assert_snapshot!(all(&folder), @"
    environments: is not there [choose the folder that has `environments` in it with -C or PROMOTER_DIR]
    groups: is not there [choose the folder that has `groups` in it with -C or PROMOTER_DIR]
    ");
    let catalog = Catalog::load(folder.path());
    let problems = catalog.group("master", &Overrides::default()).unwrap_err();
    assert_snapshot!(lines(&folder, &problems), @"groups: is not there [choose the folder that has `groups` in it with -C or PROMOTER_DIR]");
    fs::create_dir(folder.path().join("groups")).unwrap();
    fs::create_dir(folder.path().join("environments")).unwrap();
    assert_snapshot!(all(&folder), @"groups: there is no group [add one as groups/<name>.toml]");
}

#[test]
fn files_that_cannot_be_read() {
    let large = vec![b'#'; 1024 * 1024 + 1];
    let folder = folder(&[
        ("groups/a.toml", b"[group]\nname = '\xff'\n"),
        ("groups/b.toml", &large),
        ("groups/c.toml", b"[group]\nname = \"c\nenvironment = v2\n"),
        ("environments/e.toml", b""),
    ]);
    assert_snapshot!(all(&folder), @r#"
    environments/e.toml:1:1: the table [environment] is missing
    groups/a.toml: is not UTF-8 (line 2)
    groups/b.toml: is larger than 1 MiB
    groups/c.toml:2:10: invalid basic string, expected `"`
    groups/c.toml:3:15: string values must be quoted, expected literal string
    "#);
}

#[test]
fn manifests_that_cannot_be_used() {
    let large = vec![b' '; 1024 * 1024 + 1];
    let folder = folder(&[
        (
            "groups/gone.toml",
            group("gone", "aa", "gone.yaml").as_bytes(),
        ),
        (
            "groups/large.toml",
            group("large", "bb", "large.yaml").as_bytes(),
        ),
        ("groups/large.yaml", &large),
        (
            "groups/binary.toml",
            group("binary", "cc", "binary.yaml").as_bytes(),
        ),
        ("groups/binary.yaml", b"a\nb\xff"),
        (
            "groups/outside.toml",
            group("outside", "dd", "../../outside.yaml").as_bytes(),
        ),
        (
            "groups/absolute.toml",
            group("absolute", "ee", "/etc/hostname").as_bytes(),
        ),
        (
            "groups/without.toml",
            group("without", "ff", "without.yaml").as_bytes(),
        ),
        ("groups/without.yaml", b"image: hello:latest\n"),
        ("groups/dir.toml", group("dir", "gg", "..").as_bytes()),
        ("groups/empty.toml", group("empty", "hh", "").as_bytes()),
    ]);
    assert_snapshot!(all(&folder), @"
    groups/absolute.toml:7:12: the manifest `/etc/hostname` is outside of the folder .
    groups/binary.toml:7:12: the manifest groups/binary.yaml is not UTF-8 (line 2)
    groups/dir.toml:7:12: the manifest . is not a file
    groups/empty.toml:7:12: the manifest groups is not a file
    groups/gone.toml:7:12: the manifest groups/gone.yaml is not there
    groups/large.toml:7:12: the manifest groups/large.yaml is larger than 1 MiB
    groups/outside.toml:7:12: the manifest `../../outside.yaml` is outside of the folder .
    groups/without.toml:7:12: manifest without the image placeholder: groups/without.yaml [write {{ image }} where the container's image belongs]
    ");
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out() {
    let elsewhere = TempDir::new().unwrap();
    fs::write(elsewhere.path().join("secret.yaml"), "image: {{ image }}").unwrap();
    let folder = folder(&[("groups/g.toml", group("g", "hello", "link.yaml").as_bytes())]);
    let link = folder.path().join("groups/link.yaml");
    std::os::unix::fs::symlink(elsewhere.path().join("secret.yaml"), link).unwrap();
    assert_snapshot!(all(&folder), @"groups/g.toml:7:12: the manifest `link.yaml` is outside of the folder .");

    // Nor does a group file that is one: its lines would be shown.
    fs::write(elsewhere.path().join("token"), "hunter2").unwrap();
    let link = folder.path().join("groups/h.toml");
    std::os::unix::fs::symlink(elsewhere.path().join("token"), link).unwrap();
    assert_snapshot!(all(&folder), @r"
    groups/g.toml:7:12: the manifest `link.yaml` is outside of the folder .
    groups/h.toml: leads out of the folder .
    ");
}

#[test]
fn problems_elsewhere_do_not_stand_in_the_way() {
    let folder = folder(&[
        (
            "groups/good.toml",
            group("good", "hello", "m.yaml").as_bytes(),
        ),
        ("groups/broken.toml", b"[group"),
        ("environments/broken.toml", b"[environment]\n"),
    ]);
    let catalog = Catalog::load(folder.path());
    assert!(catalog.group("good", &Overrides::default()).is_ok());
    assert!(catalog.group("broken", &Overrides::default()).is_err());
    assert_eq!(catalog.validate_all().groups.len(), 1);
    let good = catalog.validate(&[folder.path().join("groups/good.toml")]);
    assert!(good.problems.is_empty());
    assert_eq!(good.groups.len(), 1);
    let paths = [
        "environments/broken.toml",
        "groups/broken.toml",
        "groups/m.yaml",
        "gone.toml",
    ];
    let validation = catalog.validate(&paths.map(|path| folder.path().join(path)));
    assert!(validation.groups.is_empty());
    assert_snapshot!(lines(&folder, &validation.problems), @"
    environments/broken.toml:1:1: `cluster` is missing
    environments/broken.toml:1:1: `name` is missing
    environments/broken.toml:1:1: `namespace` is missing
    gone.toml: is not there [name files in groups and environments of ., or choose another folder with -C]
    groups/broken.toml:1:7: unclosed table, expected `]`
    groups/m.yaml: is neither a group nor an environment [name files in groups and environments of ., or choose another folder with -C]
    ");
}

#[test]
fn groups_in_conflict_stop_each_other() {
    let folder = folder(&[
        ("groups/a.toml", group("a", "hello", "m.yaml").as_bytes()),
        ("groups/b.toml", group("b", "hello", "m.yaml").as_bytes()),
        ("groups/c.toml", group("c", "world", "m.yaml").as_bytes()),
    ]);
    let catalog = Catalog::load(folder.path());
    let names: Vec<_> = catalog
        .validate_all()
        .groups
        .into_iter()
        .map(|group| group.name.to_string())
        .collect();
    assert_eq!(names, ["c"]);
    let problems = catalog.group("a", &Overrides::default()).unwrap_err();
    assert_snapshot!(lines(&folder, &problems), @"groups/a.toml:6:8: app `hello` is also in group `b` (groups/b.toml:6:8), and both run in the environment `v2` [an app belongs to one group of an environment; rename it, or give one group another environment]");
}

#[test]
fn a_wrong_environment_stops_its_groups() {
    let folder = folder(&[
        ("groups/g.toml", group("g", "hello", "m.yaml").as_bytes()),
        (
            "environments/v2.toml",
            b"[environment]\nname = 'v2'\nnamespace = 'V2'\n",
        ),
    ]);
    let catalog = Catalog::load(folder.path());
    let problems = catalog.group("g", &Overrides::default()).unwrap_err();
    assert_snapshot!(lines(&folder, &problems), @"
    environments/v2.toml:1:1: `cluster` is missing
    environments/v2.toml:3:13: `V2` cannot be a namespace: `V` is not a lower-case letter, a digit or `-`
    ");
}

#[test]
fn warnings_do_not_stop_a_group() {
    let text = group("g", "hello", "m.yaml").replace("repository = 'tests'", "image = 'tests'");
    let folder = folder(&[("groups/g.toml", text.as_bytes())]);
    let catalog = Catalog::load(folder.path());
    catalog.group("g", &Overrides::default()).unwrap();
    assert_snapshot!(lines(&folder, &catalog.warnings("g")), @"groups/g.toml:10:9: the image `tests` has neither tag nor digest, so it is whatever `latest` is");
    assert!(catalog.warnings("h").is_empty());
}

#[test]
fn the_example_groups_are_valid() {
    let catalog = Catalog::load(Path::new(env!("CARGO_MANIFEST_DIR")));
    let validation = catalog.validate_all();
    assert!(!validation.problems.has_errors(), "{}", validation.problems);
    assert!(!validation.groups.is_empty());
}
