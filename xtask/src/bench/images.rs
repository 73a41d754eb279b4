//! The images of the apps: two releases, to promote the one over the other in
//! turns. Each app has a repository of its own, as apps have.

use std::path::Path;

use anyhow::{Context, Result};

use super::workload::{REPOSITORIES, Release, Workload};
use crate::ecr::Ecr;
use crate::progress::Progress;
use crate::push::{self, Options};
use crate::registry::Registry;
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
    let source = Workload::repository("source");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/app");
    let pushed = push::push(testbed, &Options::new(folder, &source, branch), progress)?;
    let (_, digest) = pushed
        .reference
        .split_once('@')
        .context("a push gives a digest")?;
    let address = testbed
        .registry
        .as_deref()
        .context("there is no registry")?;
    let registry = Registry::new(address);
    let manifest = registry.manifest(&source, digest)?;
    let manifest = manifest.with_context(|| format!("the registry lost {source}@{digest}"))?;
    let ecr = ecr(testbed)?;
    let host = testbed.ecr.as_deref().unwrap_or(address);
    let doing = format!("putting it into {} repositories", workload.size());
    progress.step(&doing, || {
        let images = workload.apps.iter().map(|app| {
            let repository = Workload::repository(app);
            registry.copy(&source, &repository, digest, &pushed.tag)?;
            ecr.create_repository(&repository)?;
            ecr.put_image(&repository, &pushed.tag, &manifest)?;
            Ok(format!("{host}/{repository}@{digest}"))
        });
        let images = images.collect::<Result<_>>()?;
        Ok(Release { branch, images })
    })
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
