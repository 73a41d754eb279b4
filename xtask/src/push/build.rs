//! Builds an image from a Dockerfile and pushes it.
//!
//! Runs buildah with storage and configuration of the testbed's own, so that
//! the user's images and settings are neither used nor touched.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Options, dockerfile};
use crate::run;
use crate::testbed::Testbed;

/// Builds and tags the image in local storage; unchanged steps are not run again.
pub(crate) fn image(
    testbed: &Testbed,
    options: &Options,
    registry: &str,
    tag: &str,
    sha: &str,
) -> Result<()> {
    let labels = [
        format!("org.opencontainers.image.revision={sha}"),
        format!("org.opencontainers.image.ref.name={}", options.branch),
    ];
    let mut arguments = vec![format!("VERSION={tag}")];
    arguments.extend(options.build_arguments.iter().cloned());
    let source = options.folder.join("Dockerfile");
    let text = fs::read_to_string(&source)
        .with_context(|| format!("failed to read {}", source.display()))?;
    let dockerfile = temporary(testbed, "Dockerfile");
    fs::write(
        &dockerfile,
        dockerfile::with_argument_values(&text, &arguments),
    )?;

    let mut buildah = buildah(testbed);
    buildah
        .args(["build", "--isolation=chroot", "--layers"])
        .arg("--file")
        .arg(&dockerfile)
        .args(labels.iter().flat_map(|label| ["--label", label]))
        .args(arguments.iter().flat_map(|pair| ["--build-arg", pair]))
        .args(["--tag", &local(options, registry, tag)])
        .arg(&options.folder);
    let built = run::output(&mut buildah);
    fs::remove_file(&dockerfile)?;
    built.with_context(|| format!("failed to build {}", options.folder.display()))?;
    Ok(())
}

/// Pushes the image inside an index of its platforms, as CI builders do, and
/// gives the index's digest.
pub(crate) fn push(
    testbed: &Testbed,
    options: &Options,
    registry: &str,
    tag: &str,
) -> Result<String> {
    let image = local(options, registry, tag);
    let secure = !["127.0.0.1:", "localhost:"]
        .iter()
        .any(|local| registry.starts_with(local));
    let tls = format!("--tls-verify={secure}");
    // An uncompressed layer that the registry has is not pushed again.
    run::output(buildah(testbed).args(["push", "--disable-compression", &tls, &image]))
        .with_context(|| format!("failed to push {image}"))?;

    let index = format!("promoter-push-{}", std::process::id());
    run::output(buildah(testbed).args(["manifest", "create", &index]))?;
    run::output(buildah(testbed).args(["manifest", "add", &index, &image]))?;
    let file = temporary(testbed, "digest");
    let mut push = buildah(testbed);
    push.args(["manifest", "push", "--all", "--rm", &tls, "--digestfile"])
        .arg(&file);
    run::output(push.args([&index, &format!("docker://{image}")]))
        .with_context(|| format!("failed to push the index of {image}"))?;
    let digest = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    Ok(digest.trim().to_owned())
}

fn buildah(testbed: &Testbed) -> Command {
    let mut buildah = Command::new("buildah");
    if let Some(folder) = &testbed.builds {
        let path = |name: &str| folder.join(name);
        buildah
            .args(["--storage-driver=overlay", "--root"])
            .arg(path("storage"))
            .arg("--runroot")
            .arg(path("run"))
            .arg("--registries-conf")
            .arg(path("registries.conf"))
            .env("TMPDIR", folder);
    }
    buildah
}

fn local(options: &Options, registry: &str, tag: &str) -> String {
    format!("{registry}/{}:{tag}", options.repository)
}

/// A file that no other push uses.
fn temporary(testbed: &Testbed, name: &str) -> PathBuf {
    let folder = testbed.builds.clone().unwrap_or_else(std::env::temp_dir);
    folder.join(format!("{}-{name}", std::process::id()))
}
