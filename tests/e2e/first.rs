//! The main job: two apps are deployed, tested against each other and promoted.

use crate::support::{Folder, get, until};

#[test]
fn a_group_is_promoted() {
    let folder = Folder::new("first");
    folder.write_group(&folder.hello("master"));

    let run = folder.promote("master");

    let outcome = run.outcome();
    assert_eq!(outcome["color"], "blue", "{run}");
    let checks = outcome["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 1, "{run}");
    assert_eq!(checks[0]["verdict"], "Passed", "{run}");
    let answer = until("an answer at the node port", || get(folder.node_port).ok());
    assert_eq!(answer["message"], "Hello World");
    assert_eq!(answer["hello-b"]["message"], "Hello World");
    let status = folder.status("master");
    assert_eq!(status["phase"], "promoted", "{status:#}");
    folder.assert_cleared("green");
}
