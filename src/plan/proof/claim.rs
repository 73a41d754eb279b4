//! Which commit of which repository an image says that it was built from.
//!
//! Input: the image's tag and labels, and what the environment says. Output: a
//! [`Claim`], or why there is none. The tag names the commit, since CI gives it
//! to this image; labels may be those of a base image, which every image built
//! from it inherits. So a label may only tell the rest of the tag's commit, and
//! a repository in which that commit has to be.

use std::collections::BTreeMap;

use super::{Commit, shown};
use crate::group::BranchImage;
use crate::group::github::{GithubRef, SourceRepository};

/// The label, or annotation, that has the commit in full.
pub const REVISION_LABEL: &str = "org.opencontainers.image.revision";

/// The label, or annotation, that has the address of the repository.
pub const SOURCE_LABEL: &str = "org.opencontainers.image.source";

/// A commit, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// The repository on GitHub.
    pub repository: SourceRepository,
    /// The commit in it.
    pub commit: Commit,
}

/// What the image of this commit, as its tag has it, claims to be built from.
pub fn claim(
    wanted: &BranchImage,
    commit: Option<&str>,
    labels: &BTreeMap<String, String>,
    github: &GithubRef,
) -> Result<Claim, String> {
    let label = |name| labels.get(name).map(|label| label.trim());
    Ok(Claim {
        commit: full(commit, label(REVISION_LABEL))?,
        repository: repository(wanted, label(SOURCE_LABEL), github)?,
    })
}

fn full(tag: Option<&str>, label: Option<&str>) -> Result<Commit, String> {
    let tag = tag.and_then(|commit| Commit::parse(commit).ok());
    let tag = tag.ok_or("its tag names no commit: have CI put the commit into the tag")?;
    let Some(label) = label.filter(|label| !label.is_empty()) else {
        return Ok(tag);
    };
    match Commit::parse(label) {
        Ok(label) if label.agrees(&tag) && label.as_str().len() > tag.as_str().len() => Ok(label),
        Ok(label) if label.agrees(&tag) => Ok(tag),
        _ => Err(format!(
            "its label {REVISION_LABEL} says `{}`, its tag `{tag}`: have CI set the label, as base \
             images hand theirs down",
            shown(label)
        )),
    }
}

fn repository(
    wanted: &BranchImage,
    label: Option<&str>,
    github: &GithubRef,
) -> Result<SourceRepository, String> {
    let name = wanted.repository.as_str();
    if let Some(source) = github.sources.get(name) {
        return Ok(source.clone());
    }
    let labelled = label.and_then(SourceRepository::of_address);
    // What a label says is only ever asked for at the host that is configured.
    let ours = |(host, source): &(&str, SourceRepository)| {
        let owner = github.owner.as_ref();
        host.eq_ignore_ascii_case(github.api.web_host())
            && owner.is_none_or(|owner| owner.as_str().eq_ignore_ascii_case(source.owner()))
    };
    if let Some((_, source)) = labelled.filter(ours) {
        return Ok(source);
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    let guessed = github.owner.as_ref();
    let guessed = guessed.and_then(|owner| SourceRepository::of(owner, last).ok());
    guessed.ok_or_else(|| {
        let said = match label {
            Some(label) => format!("says `{}`", shown(label)),
            None => "is missing".to_owned(),
        };
        format!(
            "which repository of {} it is from is not known, as its label {SOURCE_LABEL} {said}: set \
             `owner` or `sources` under [github] in the environment",
            github.api.web_host()
        )
    })
}
