//! The namespace goes while a promotion runs in it: there is nothing left to
//! promote, and the command says so instead of waiting for it to come back.

use serde_json::Value;

use super::{Scene, holding};

/// Aborted, as far as that went, or out of reach; never a mistake of promoter's.
const ENDS: [i32; 3] = [4, 5, 7];

#[test]
fn a_promotion_whose_namespace_is_deleted_ends_and_names_it() {
    let scene = Scene::new("vanishes");
    // The test's own account goes with its namespace.
    let administrator = std::env::var("KUBECONFIG").unwrap();
    let deploy = || scene.deploy().env("KUBECONFIG", &administrator);
    let mut running = deploy().start();
    holding(&mut running);
    let namespace = &scene.folder.namespace;
    scene
        .folder
        .kubectl(&["delete", "namespace", namespace, "--wait=false"]);
    let run = running.wait();

    assert!(ENDS.contains(&run.code), "{run}");
    let named = [
        format!("namespace {namespace} is being deleted"),
        // If it was in the middle of a write.
        format!("namespace {namespace} because it is being terminated"),
    ];
    assert!(
        named.iter().any(|named| run.output().contains(named)),
        "{run}"
    );
    assert_eq!(run.events_named("switched"), [Value::Null; 0], "{run}");
    let again = deploy().run();
    // Gone by now, it is one that was not prepared.
    assert!(again.code == 2 || ENDS.contains(&again.code), "{again}");
    assert!(
        again.stderr.contains(namespace),
        "the namespace is named: {again}"
    );
}
