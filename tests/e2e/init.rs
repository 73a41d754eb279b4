//! `promoter init` in an empty folder, of apps that run as somebody made them with kubectl: what it
//! writes is valid, and adopts them.

use std::fs;
use std::path::Path;

use crate::adopted::stand;
use crate::support::{Folder, Promoter, Testbed};

#[test]
fn a_first_group_of_what_runs_is_adopted() {
    let folder = Folder::new("init");
    stand(&folder);
    let context = &Testbed::get().context;
    let empty = tempfile::tempdir().unwrap();
    // The rights of a promoter are enough.
    let kubeconfig = folder.kubeconfig();
    let run = |words: &[&str]| {
        let promoter = Promoter::new(empty.path(), words);
        let promoter = promoter.env("KUBECONFIG", kubeconfig.to_str().unwrap());
        promoter.run()
    };
    let init = |more: &[&str]| {
        let of = [
            "init",
            "--context",
            context,
            "--namespace",
            &folder.namespace,
        ];
        let named = ["--environment", "test", "--group", "master"];
        let words = of.iter().chain(&named).chain(more);
        run(&words.copied().collect::<Vec<_>>())
    };
    let files = || {
        let manifests = ["hello-a", "hello-b"].map(|app| format!("groups/manifests/{app}.yaml"));
        let others = ["environments/test.toml", "groups/master.toml"].map(str::to_owned);
        let all = others.into_iter().chain(manifests);
        all.filter(|file| empty.path().join(file).exists()).count()
    };

    let versions = folder.versions();
    let shown = init(&[]);
    assert_eq!((shown.code, files()), (2, 0), "{shown}");
    for part in [
        "groups/manifests/hello-a.yaml  Deployment hello-a, Service hello-a",
        "name       = \"hello-tests\"",
        "promoter init --yes",
    ] {
        assert!(
            shown.output().contains(part),
            "{part:?} is missing: {shown}"
        );
    }
    let written = init(&["--yes"]);
    assert_eq!((written.code, files()), (0, 4), "{written}");
    println!("{written}");
    assert_eq!(folder.versions(), versions, "nothing was changed");

    // What is there stays, whatever is asked for.
    let group = empty.path().join("groups/master.toml");
    fs::write(&group, fs::read_to_string(&group).unwrap() + "# mine\n").unwrap();
    let again = init(&["--yes"]);
    assert_eq!(again.code, 2, "{again}");
    assert!(again.stderr.contains("is there already"), "{again}");
    assert!(fs::read_to_string(&group).unwrap().ends_with("# mine\n"));

    let valid = run(&["validate"]);
    assert_eq!(valid.code, 0, "{valid}");
    let proposed = run(&["adopt", "master"]);
    assert!(
        proposed
            .stdout
            .contains("takes over, and gives back as it was"),
        "{proposed}"
    );
    let adopted = run(&["adopt", "master", "--yes", "--output", "json"]);
    assert_eq!(adopted.code, 0, "{adopted}");
    assert_eq!(adopted.outcome()["phase"], "Promoted", "{adopted}");
    for app in ["hello-a", "hello-b"] {
        assert_eq!(folder.get("Deployment", app), None);
    }
}

/// Each says what is the matter, and writes nothing.
#[test]
fn what_cannot_be_asked_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let context = &Testbed::get().context;
    let nowhere = |folder: &Path| {
        let mut files = fs::read_dir(folder).unwrap().flatten();
        files.all(|file| file.file_name() == "records.db")
    };
    let unknown = Promoter::new(empty.path(), ["init", "--context", "nowhere"]).run();
    assert_eq!(unknown.code, 2, "{unknown}");
    assert!(
        unknown.stderr.contains("no context \"nowhere\""),
        "{unknown}"
    );
    let words = [
        "init",
        "--context",
        context,
        "--namespace",
        "default",
        "--yes",
    ];
    let silent = Promoter::new(empty.path(), words)
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .run();
    assert_eq!(silent.code, 7, "{silent}");
    for part in ["the cluster has", "failed to reach the registry"] {
        assert!(
            silent.stderr.contains(part),
            "{part:?} is missing: {silent}"
        );
    }
    assert!(nowhere(empty.path()));
}
