//! The images of the apps: two releases, to promote the one over the other in
//! turns. Each app has a repository of its own, as apps have.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::workload::{REPOSITORIES, Release, Workload};
use crate::ecr::Ecr;
use crate::progress::Progress;
use crate::push::{self, Options, tag};
use crate::registry::{self, Manifest, Registry};
use crate::testbed::{Testbed, layout};

/// The branches of the two releases.
const BRANCHES: [&str; 2] = ["a", "b"];

/// Builds both releases once and puts them into every app's repository.
pub(super) fn push(
    testbed: &Testbed,
    workload: &Workload,
    progress: &mut Progress,
) -> Result<[Release; 2]> {
    let [a, b] = BRANCHES.map(|branch| release(testbed, workload, branch, progress));
    Ok([a?, b?])
}

fn release(
    testbed: &Testbed,
    workload: &Workload,
    branch: &'static str,
    progress: &mut Progress,
) -> Result<Release> {
    let source = Source::build(testbed, branch, progress)?;
    let shelves = Shelves::of(testbed)?;
    let host = testbed.ecr.as_deref().unwrap_or(&shelves.address);
    let doing = format!("putting it into {} repositories", workload.size());
    progress.step(&doing, || {
        let images = workload.apps.iter().map(|app| {
            let repository = Workload::repository(app);
            shelves.put(&source, &repository)?;
            Ok(format!("{host}/{repository}@{}", source.manifest.digest))
        });
        let images = images.collect::<Result<_>>()?;
        Ok(Release { branch, images })
    })
}

/// An image that no app has yet.
pub(super) struct Source {
    pub(super) tag: String,
    pub(super) manifest: Manifest,
}

impl Source {
    /// Builds it, as of a branch.
    pub(super) fn build(testbed: &Testbed, branch: &str, progress: &mut Progress) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/app");
        let source = source();
        let pushed = push::push(testbed, &Options::new(folder, &source, branch), progress)?;
        let (_, digest) = pushed
            .reference
            .split_once('@')
            .context("a push gives a digest")?;
        let manifest = Registry::new(address(testbed)?).manifest(&source, digest)?;
        Ok(Self {
            tag: pushed.tag,
            manifest: manifest.with_context(|| format!("the registry lost {source}@{digest}"))?,
        })
    }

    /// The next build of it: the same files, and another image to whoever looks.
    pub(super) fn next(&self) -> Result<Self> {
        let number = tag::build(&self.tag).context("its tag has no build number")? + 1;
        let (slug, _) = tag::split(&self.tag).context("its tag names no branch")?;
        let mut content: Value = serde_json::from_str(&self.manifest.text)?;
        content["annotations"] = json!({ "bench": number.to_string() });
        let text = content.to_string();
        let digest = registry::digest(text.as_bytes());
        let commit = digest.split_once(':').map_or("", |(_, hash)| hash);
        Ok(Self {
            tag: tag::render(slug, number, commit),
            manifest: Manifest {
                media_type: self.manifest.media_type.clone(),
                digest,
                text,
            },
        })
    }
}

/// Where images lie for pods, and where they are listed.
pub(super) struct Shelves {
    address: String,
    registry: Registry,
    ecr: Ecr,
}

impl Shelves {
    pub(super) fn of(testbed: &Testbed) -> Result<Self> {
        let address = address(testbed)?;
        Ok(Self {
            registry: Registry::new(address),
            address: address.to_owned(),
            ecr: ecr(testbed)?,
        })
    }

    /// Puts an image into an app's repository.
    pub(super) fn put(&self, source: &Source, repository: &str) -> Result<()> {
        let digest = &source.manifest.digest;
        self.registry
            .copy(&self::source(), repository, digest, &source.tag)?;
        self.list(source, repository)
    }

    /// Puts a build into an app's repository that has an earlier one, and lists it not.
    pub(super) fn store(&self, source: &Source, repository: &str) -> Result<()> {
        let Manifest {
            media_type, text, ..
        } = &source.manifest;
        self.registry
            .put_manifest(repository, &source.tag, media_type, text)
    }

    /// Lists an image in an app's repository, from which no pod will take it.
    pub(super) fn list(&self, source: &Source, repository: &str) -> Result<()> {
        self.ecr.create_repository(repository)?;
        self.ecr
            .put_image(repository, &source.tag, &source.manifest)
    }
}

/// The repository of images that no app has yet.
fn source() -> String {
    Workload::repository("source")
}

fn address(testbed: &Testbed) -> Result<&str> {
    let address = testbed.registry.as_deref();
    address.context("there is no registry")
}

/// Takes the repositories out of ECR again.
pub(super) fn forget(testbed: &Testbed) -> Result<()> {
    let ecr = ecr(testbed)?;
    let all = ecr.repositories()?;
    let mut ours = all.iter().filter(|name| name.starts_with(REPOSITORIES));
    ours.try_for_each(|name| ecr.delete_repository(name))
}

fn ecr(testbed: &Testbed) -> Result<Ecr> {
    let endpoint = testbed.aws_endpoint.as_deref();
    let endpoint = endpoint.context("the bench needs the AWS double")?;
    Ok(Ecr::new(endpoint, layout::REGION))
}
