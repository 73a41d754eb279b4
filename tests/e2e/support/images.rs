//! Images of the example apps, pushed the way a CI build does.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::SystemTime;

use serde_json::Value;

use super::aws::aws;
use super::testbed::Testbed;

/// The repository of an example app in this run.
pub(crate) fn repository(app: &str) -> String {
    format!("e2e-{}/{app}", Testbed::get().run)
}

/// Pushes the next build of an example app's branch and gives the reference
/// that pods pull it by. `arguments` are build arguments, as `NAME=value`.
pub(crate) fn push(app: &str, branch: &str, arguments: &[&str]) -> String {
    let arguments = arguments.iter();
    let options: Vec<_> = arguments.flat_map(|a| ["--build-arg", a]).collect();
    push_with(app, branch, &options)
}

/// The same of a commit that is told.
pub(crate) fn push_commit(app: &str, branch: &str, commit: &str) -> String {
    push_with(app, branch, &["--sha", commit])
}

/// Pushes the daemon's own image: what is built from this checkout, as one static program.
pub(crate) fn push_daemon() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/image/dev");
    let age = |file: &Path| {
        let changed = std::fs::metadata(file).and_then(|metadata| metadata.modified());
        changed.unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let tested = Path::new(env!("CARGO_BIN_EXE_promoter"));
    assert!(
        age(&folder.join("promoter")) >= age(tested),
        "the image's promoter is older than the one that is tested: run `cargo xtask image --dev`"
    );
    push_folder(&folder, "promoter", "daemon", &[])
}

fn push_with(app: &str, branch: &str, options: &[&str]) -> String {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    push_folder(&examples.join(app), app, branch, options)
}

fn push_folder(folder: &Path, app: &str, branch: &str, options: &[&str]) -> String {
    // Builds share a layer cache, and cargo its lock.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let guard = ONE_AT_A_TIME.lock();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root).args(["xtask", "push"]);
    command.arg(folder);
    command.args(["--repository", &repository(app), "--branch", branch]);
    command.args(options);
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

/// Deletes an image from the registry, so that no pod can pull it any more; ECR
/// goes on listing it. `reference` is what [`push`] gave.
pub(crate) fn forget_in_registry(reference: &str) {
    let testbed = Testbed::get();
    let (image, digest) = reference.split_once('@').unwrap();
    let repository = image.strip_prefix(&testbed.ecr).unwrap();
    let path = format!("/v2{repository}/manifests/{digest}");
    let mut stream = TcpStream::connect(&testbed.registry).unwrap();
    let host = &testbed.registry;
    let request = format!("DELETE {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 202"),
        "failed to delete {path}: {answer}"
    );
}

/// Deletes an image from ECR.
pub(crate) fn forget_in_ecr(app: &str, reference: &str) {
    let digest = reference.split_once('@').unwrap().1;
    let ids = format!("imageDigest={digest}");
    let answer = ecr("batch-delete-image", app, &["--image-ids", &ids]);
    assert!(
        answer.contains(digest),
        "failed to delete {reference}: {answer}"
    );
}

/// Moves a tag to an image, as CI does with that of a branch.
pub(crate) fn move_tag(app: &str, tag: &str, reference: &str) {
    let digest = reference.split_once('@').unwrap().1;
    let ids = format!("imageDigest={digest}");
    let found = ecr("batch-get-image", app, &["--image-ids", &ids]);
    let found: Value = serde_json::from_str(&found).unwrap();
    let manifest = found["images"][0]["imageManifest"].as_str().unwrap();
    let image = ["--image-tag", tag, "--image-digest", digest];
    let content = ["--image-manifest", manifest];
    ecr("put-image", app, &[image.as_slice(), &content].concat());
}

/// What the AWS command line answers about the repository of an app.
pub(crate) fn ecr(action: &str, app: &str, options: &[&str]) -> String {
    let repository = repository(app);
    let of = ["ecr", action, "--repository-name", &repository];
    aws(&[of.as_slice(), options].concat())
}
