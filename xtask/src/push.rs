//! `cargo xtask push`: what a CI build of a branch does with an image.
//!
//! Builds a folder's Dockerfile, labels and tags the image as CI would, pushes
//! it to the testbed's registry and registers it with ECR. Needs the testbed to
//! be up, and starts nothing itself.

mod build;
mod content;
mod dockerfile;
mod options;
// The very rule that promoter finds images by.
#[path = "../../src/group/slug.rs"]
#[expect(unreachable_pub, reason = "it is public where it is at home")]
mod slug;
pub(crate) mod tag;

use anyhow::{Context, Result, anyhow};

pub(crate) use self::options::Options;
use crate::ecr::Ecr;
use crate::progress::{self, Progress};
use crate::registry::Registry;
use crate::testbed::{self, Testbed, layout};

pub(crate) const USAGE: &str = "\
push DIR --repository NAME --branch BRANCH [--build N] [--sha SHA] [--build-arg K=V]...
                  build DIR's Dockerfile as CI would for that branch, push it, and print
                  its reference with its digest; the build number defaults to the next
                  one, the commit to a hash of DIR's content
";

/// An image that was pushed.
#[derive(Debug, Clone)]
pub(crate) struct Pushed {
    /// How pods name it: registry, repository and digest.
    pub(crate) reference: String,
    pub(crate) tag: String,
}

/// Runs the command.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<()> {
    let options = Options::parse(arguments).map_err(|error| anyhow!("{error:#}\n\n{USAGE}"))?;
    let mut progress = Progress::new();
    let testbed = testbed::current()?;
    let pushed = push(&testbed, &options, &mut progress)?;
    progress.note(&format!("pushed {}:{}", options.repository, pushed.tag));
    progress::print(&format!("{}\n", pushed.reference));
    Ok(())
}

/// Builds, pushes and registers.
pub(crate) fn push(
    testbed: &Testbed,
    options: &Options,
    progress: &mut Progress,
) -> Result<Pushed> {
    let address = testbed.registry.as_deref().context(
        "there is no registry to push to: set PROMOTER_E2E_REGISTRY, or use the testbed of this machine",
    )?;
    let ecr = testbed
        .aws_endpoint
        .as_deref()
        .map(|endpoint| Ecr::new(endpoint, layout::REGION));
    let slug = slug::slug(&options.branch, slug::LONGEST);
    let number = match (options.build, &ecr) {
        (Some(number), _) => number,
        (None, Some(ecr)) => tag::next_build(&ecr.tags(&options.repository)?, &slug),
        (None, None) => anyhow::bail!(
            "say which build it is (--build N): only the AWS double is asked for the last one"
        ),
    };
    let sha = match &options.sha {
        Some(sha) => sha.clone(),
        None => content::hash(&options.folder)?,
    };
    let tag = tag::render(&slug, number, &sha);

    progress.step(&format!("building {}:{tag}", options.repository), || {
        build::image(testbed, options, address, &tag, &sha)
    })?;
    let digest = progress.step("pushing it", || {
        build::push(testbed, options, address, &tag)
    })?;
    if let Some(ecr) = ecr {
        let manifest = Registry::new(address)
            .manifest(&options.repository, &digest)?
            .with_context(|| format!("the registry lost {}@{digest}", options.repository))?;
        ecr.create_repository(&options.repository)?;
        ecr.put_image(&options.repository, &tag, &manifest)?;
    }
    let host = testbed.ecr.as_deref().unwrap_or(address);
    Ok(Pushed {
        reference: format!("{host}/{}@{digest}", options.repository),
        tag,
    })
}
