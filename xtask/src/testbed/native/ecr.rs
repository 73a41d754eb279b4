//! ECR's record of the images in the registry.
//!
//! The AWS double keeps it in memory: after it died and was started again, the
//! record is made anew from the registry, oldest builds first. The times of
//! the pushes are lost.

use anyhow::Result;

use super::layout;
use crate::ecr::Ecr;
use crate::progress::Progress;
use crate::registry::Registry;

/// Makes the record anew if the double has none though there are images.
pub(crate) fn restore(progress: &mut Progress) -> Result<()> {
    let ecr = Ecr::new(&layout::aws_endpoint(), layout::REGION);
    if !ecr.repositories()?.is_empty() {
        return Ok(());
    }
    let registry = Registry::new(&layout::registry());
    let mut lost = registry.tags()?;
    // What stands for other registries than ECR.
    lost.retain(|(repository, _)| !repository.starts_with("docker.io/"));
    if lost.is_empty() {
        return Ok(());
    }
    progress
        .note("  the AWS double was started anew: ECR's record is rebuilt, with new push times");
    lost.sort_by_key(|(_, tag)| crate::push::tag::build(tag));
    for (repository, tag) in lost {
        if let Some(manifest) = registry.manifest(&repository, &tag)? {
            ecr.create_repository(&repository)?;
            ecr.put_image(&repository, &tag, &manifest)?;
        }
    }
    Ok(())
}
