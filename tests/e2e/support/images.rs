//! Images of the example apps, pushed the way a CI build does.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use super::testbed::Testbed;

/// The repository of an example app in this run.
pub(crate) fn repository(app: &str) -> String {
    format!("e2e-{}/{app}", Testbed::get().run)
}

/// Pushes the next build of an example app's branch and gives the reference
/// that pods pull it by. `arguments` are build arguments, as `NAME=value`.
pub(crate) fn push(app: &str, branch: &str, arguments: &[&str]) -> String {
    // Builds share a layer cache, and cargo its lock.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let guard = ONE_AT_A_TIME.lock();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root).args(["xtask", "push"]);
    command.arg(root.join("examples").join(app));
    command.args(["--repository", &repository(app), "--branch", branch]);
    command.args(
        arguments
            .iter()
            .flat_map(|argument| ["--build-arg", argument]),
    );
    let output = command.output().expect("cargo can be started");
    drop(guard);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "failed to push {app} {branch}:\n{stderr}"
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The master branches of all example apps, pushed once per run.
pub(super) fn push_masters() {
    static MASTERS: OnceLock<()> = OnceLock::new();
    MASTERS.get_or_init(|| {
        for app in ["hello-a", "hello-b", "hello-tests"] {
            push(app, "master", &[]);
        }
    });
}
