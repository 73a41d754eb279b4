//! Which image of a repository is the newest of a branch.
//!
//! Input: the images a registry listed and what a group asks for. Output: the
//! [`Candidate`]s of the branch, and the newest of them. Labels are read by
//! the caller, one image at a time, since each costs requests: it picks, asks
//! [`owner`] with the labels of what was picked, and picks again from the rest
//! where the image is another branch's. Nothing here asks a registry, and
//! nothing here falls back to an image that was not asked for.

mod error;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::group::image::{Branch, SIGNATURE_SUFFIXES, TagPattern, moving_tag};
use crate::group::slug;
use crate::group::{BranchImage, Newest};
use crate::plan::image::{Digest, RegistryImage, ResolvedImage};

pub use error::{Disagreement, Excerpt, PickError};

/// The label, or annotation, in which CI says which branch an image is of.
pub const BRANCH_LABEL: &str = "org.opencontainers.image.ref.name";

/// An image that may be of the branch: its tag says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The tag of this branch; of several, the one with the highest build.
    pub tag: String,
    /// The image.
    pub digest: Digest,
    /// Build number in the tag.
    pub build: u64,
    /// Commit in the tag.
    pub commit: Option<String>,
    /// When the registry took the image.
    pub pushed_at: Timestamp,
}

/// Every image that carries a tag of the branch, each once, newest push first.
///
/// Not empty: that there is none is an error which tells what there is.
pub fn candidates(
    images: &[RegistryImage],
    wanted: &BranchImage,
) -> Result<Vec<Candidate>, PickError> {
    let slug = slug_of(&wanted.branch);
    let mut found: BTreeMap<&Digest, Candidate> = BTreeMap::new();
    for (image, tag) in images
        .iter()
        .flat_map(|image| image_tags(image).map(move |tag| (image, tag)))
    {
        let Some((_, parts)) = wanted.tag.read(tag).filter(|(read, _)| *read == slug) else {
            continue;
        };
        let candidate = Candidate {
            tag: tag.to_owned(),
            digest: image.digest.clone(),
            build: parts.build,
            commit: parts.sha,
            pushed_at: image.pushed_at,
        };
        match found.get(&image.digest) {
            Some(known) if by_build(known) >= by_build(&candidate) => {}
            _ => drop(found.insert(&image.digest, candidate)),
        }
    }
    if found.is_empty() {
        return Err(error::none(images, wanted));
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by(|a, b| by_push(b).cmp(&by_push(a)));
    Ok(found)
}

/// The image that the branch's moving tag points at, as its only candidate.
///
/// `images` is what the registry has under that tag. The image must carry a
/// numbered tag of the branch as well, or nobody could tell its build and commit.
pub fn moved(images: &[RegistryImage], wanted: &BranchImage) -> Result<Vec<Candidate>, PickError> {
    let moving = moving_tag(&wanted.branch);
    let Some(image) = images.iter().find(|image| image.tags.contains(&moving)) else {
        return Err(PickError::NoMovingTag { moving });
    };
    candidates(std::slice::from_ref(image), wanted).map_err(|_| PickError::NoNumberedTag {
        tags: Excerpt::of(image_tags(image).map(str::to_owned).collect()),
        pattern: wanted.tag.to_string(),
        slug: slug_of(&wanted.branch),
        moving,
    })
}

/// The tags that name an image and not a signature of one.
fn image_tags(image: &RegistryImage) -> impl Iterator<Item = &str> {
    let is_image = |tag: &&str| {
        !SIGNATURE_SUFFIXES
            .iter()
            .any(|suffix| tag.ends_with(suffix))
    };
    image.tags.iter().map(String::as_str).filter(is_image)
}

fn slug_of(branch: &Branch) -> String {
    slug::slug(branch.as_str(), slug::LONGEST)
}

/// Orders by push time. The registry may give whole seconds: ties go to the
/// higher build, and the rest makes the order total.
fn by_push(c: &Candidate) -> (Timestamp, u64, &str, &Digest) {
    (c.pushed_at, c.build, &c.tag, &c.digest)
}

fn by_build(c: &Candidate) -> (u64, Timestamp, &str, &Digest) {
    (c.build, c.pushed_at, &c.tag, &c.digest)
}

/// The newest of the candidates; `None` if there are none.
///
/// By push time, what was pushed last must also be the highest build: a re-run
/// of an old build is pushed last, and a rebuild of the same content is not
/// pushed at all, so neither order alone can be trusted where they differ.
pub fn pick(
    candidates: &[Candidate],
    newest: Newest,
) -> Result<Option<&Candidate>, Box<Disagreement>> {
    let last = candidates.iter().max_by_key(|c| by_push(c));
    let highest = candidates.iter().max_by_key(|c| by_build(c));
    match (newest, last, highest) {
        (Newest::Pushed, Some(last), Some(highest)) if last.build != highest.build => {
            Err(Box::new(Disagreement {
                last: last.clone(),
                highest: highest.clone(),
            }))
        }
        // A moving tag leads to one image, so there is nothing to choose.
        (Newest::Pushed | Newest::MovingTag, last, _) => Ok(last),
        (Newest::Build, _, highest) => Ok(highest),
    }
}

/// Whether a branch that `from` is of has gone back to `to`, by the order in which
/// newest images are chosen. A moving tag has none: whoever moved it meant it.
pub fn is_way_back(from: &ResolvedImage, to: &ResolvedImage, newest: Newest) -> bool {
    let is_same = from.repository == to.repository && from.branch == to.branch;
    let is_before = match newest {
        // A build that is run again is pushed last, and is older nevertheless.
        Newest::Pushed => to.pushed_at < from.pushed_at || to.build < from.build,
        Newest::Build => (to.build, to.pushed_at) < (from.build, from.pushed_at),
        Newest::MovingTag => false,
    };
    is_same && to.digest != from.digest && is_before
}

/// Whose image it is, as its labels have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The branch that was asked for.
    Wanted,
    /// A branch whose images are tagged alike.
    Other(String),
    /// The labels do not tell.
    Unknown,
}

/// Reads from an image's labels which of the branches that are tagged alike it
/// is of.
///
/// Base images carry the same label with names of their own (`ubuntu`), which
/// every image built from them inherits. So a label counts only if a branch of
/// that name would have got this tag.
pub fn owner(tag: &str, wanted: &BranchImage, labels: &BTreeMap<String, String>) -> Owner {
    let Some(label) = labels.get(BRANCH_LABEL) else {
        return Owner::Unknown;
    };
    let name = label.strip_prefix("refs/heads/").unwrap_or(label);
    if name == wanted.branch.as_str() {
        return Owner::Wanted;
    }
    match Branch::parse(name) {
        Ok(branch) if wanted.tag.matches(&branch, tag).is_some() => Owner::Other(name.to_owned()),
        _ => Owner::Unknown,
    }
}

/// What to tell a person about an image whose labels do not say whose it is.
///
/// `None` where no other branch can have the slug.
pub fn doubt(wanted: &BranchImage) -> Option<String> {
    let branch = wanted.branch.as_str();
    let slug = slug_of(&wanted.branch);
    let dashed = branch.replace('/', "-");
    (slug == dashed && slug.contains('-')).then(|| {
        let other = if branch.contains('/') {
            dashed
        } else {
            branch.replacen('-', "/", 1)
        };
        format!(
            "branch `{branch}` shares the tags of `{other}` if there is such a branch, and the \
             image does not say whose it is: have CI set the label {BRANCH_LABEL}"
        )
    })
}

/// The slugs of all branches with images, newest push first.
fn slugs(images: &[RegistryImage], pattern: &TagPattern) -> Vec<String> {
    let mut newest: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for image in images {
        for slug in image_tags(image).filter_map(|tag| pattern.slug_of(tag)) {
            let at = newest.entry(slug).or_insert(image.pushed_at);
            *at = image.pushed_at.max(*at);
        }
    }
    let mut slugs: Vec<_> = newest.into_iter().collect();
    slugs.sort_by_key(|(slug, at)| (Reverse(*at), *slug));
    slugs.into_iter().map(|(slug, _)| slug.to_owned()).collect()
}
