//! A group that requires another one of its environment.

use crate::support::{App, Check, Folder, GroupFile, Run, push, repository};

#[test]
fn what_a_group_requires_has_to_have_passed_with_the_same_images() {
    let folder = Folder::new("required");
    let base = group(&folder, "base", "hello-b");
    push("hello-b", &branch(&folder), &[]);
    folder.write_group(&base);
    // It takes its image from where the other group does.
    let mut top = group(&folder, "top", "front");
    top.apps[0].repository = repository("hello-b");
    top.apps[0].manifest = None;
    top.more = "requires = [\"base\"]".to_owned();
    folder.write_group(&top);

    let never = said(&folder, "top");
    assert_eq!(never.code, 4, "{never}");
    assert!(
        never
            .stderr
            .contains("requires group base: it was never promoted here"),
        "{never}"
    );
    let base = said(&folder, "base");
    assert_eq!(base.code, 0, "{base}");
    let beside = said(&folder, "top");
    assert_eq!(beside.code, 0, "{beside}");

    push("hello-b", &branch(&folder), &[]);
    let ahead = said(&folder, "top");
    assert_eq!(ahead.code, 4, "{ahead}");
    assert!(ahead.stderr.contains("app front would run"), "{ahead}");
    assert_eq!(said(&folder, "base").code, 0);
    assert_eq!(said(&folder, "top").code, 0);
}

/// One that no other test pushes.
fn branch(folder: &Folder) -> String {
    folder.namespace.clone()
}

fn group(folder: &Folder, name: &str, app: &str) -> GroupFile {
    let mut group = folder.hello(name);
    group.branch = branch(folder);
    let manifest = "manifests/hello-b.json";
    group.apps = vec![App::new(app, manifest)];
    group.checks = vec![Check::script("passes", "true")];
    group.checks[0].source = "app = \"APP\"".replace("APP", app);
    group
}

fn said(folder: &Folder, group: &str) -> Run {
    let run = folder.promoter(["deploy", group]).run();
    println!("{run}");
    run
}
