//! Why no image could be picked, with what a person needs to go on.
//!
//! Repository and branch are named by whoever asked, not here. Lists are
//! bounded: a repository may hold the images of thousands of branches.

use std::fmt;

use thiserror::Error;

use super::{Candidate, image_tags, slug_of, slugs};
use crate::group::BranchImage;
use crate::plan::image::RegistryImage;
use crate::plan::proof::{self, PassedOver};

/// Most branches, and most tags, that a message lists.
const LISTED: usize = 10;

/// How alike two slugs are, from 0 to 1, for one to be offered for the other.
const ALIKE: f64 = 0.75;

/// Why no image could be picked.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PickError {
    /// There is no tagged image at all.
    #[error("the repository has no tagged image: let CI push one first")]
    EmptyRepository,
    /// There are tags, and the pattern fits none of them.
    #[error("no tag fits the pattern `{pattern}`; there are {tags}")]
    PatternFitsNothing {
        /// The pattern.
        pattern: String,
        /// Tags, newest push first.
        tags: Excerpt,
    },
    /// Other branches have images.
    #[error(
        "no tag has the branch's slug `{slug}`; there are images of {others}{}",
        meant.as_ref().map(|m| format!("; did you mean `{m}`?")).unwrap_or_default()
    )]
    NoImageOfBranch {
        /// How the branch stands in tags.
        slug: String,
        /// A slug that looks like it.
        meant: Option<String>,
        /// Slugs of the branches that have images, newest push first.
        others: Excerpt,
    },
    /// Nothing carries the branch's moving tag.
    #[error(
        "the repository has no tag `{moving}`: have CI move it to each good image of the branch, \
         or set `newest = \"pushed\"` to find the image by its numbered tag"
    )]
    NoMovingTag {
        /// The tag.
        moving: String,
    },
    /// What carries it has no other tag of the branch.
    #[error(
        "`{moving}` points at an image without a tag of the slug `{slug}` after the pattern \
         `{pattern}`, so its build and commit are not known: have CI push both tags; it has {tags}"
    )]
    NoNumberedTag {
        /// The moving tag.
        moving: String,
        /// How the branch stands in tags.
        slug: String,
        /// The pattern.
        pattern: String,
        /// All tags of the image.
        tags: Excerpt,
    },
    /// Push order and build numbers disagree.
    #[error(transparent)]
    Disagreement(Box<Disagreement>),
    /// No image that was looked at is proven.
    #[error(
        "none of the {} newest images is proven: {}; let CI pass on the branch, or run again what \
         failed",
        passed.len(),
        proof::listed(passed)
    )]
    Unproven {
        /// All that were looked at, newest first.
        passed: Vec<PassedOver>,
    },
    /// Every image with a tag of the branch says it is of another.
    #[error(
        "the {looked_at} newest images with a tag of the branch are of other branches by their \
         labels: {branches}"
    )]
    OtherBranches {
        /// How many images' labels were read.
        looked_at: usize,
        /// The branches they name.
        branches: Excerpt,
    },
}

impl From<Box<Disagreement>> for PickError {
    fn from(disagreement: Box<Disagreement>) -> Self {
        Self::Disagreement(disagreement)
    }
}

/// The image pushed last is not the one of the highest build.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{} was pushed last, but {} has the higher build number: run CI again for the one that is \
     wanted, or set `newest = \"build\"` to take the higher build",
    named(last),
    named(highest)
)]
pub struct Disagreement {
    /// Pushed last.
    pub last: Candidate,
    /// Of the highest build.
    pub highest: Candidate,
}

fn named(c: &Candidate) -> String {
    format!("`{}` ({}, pushed {})", c.tag, c.digest.short(), c.pushed_at)
}

/// The first of many names, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The first few.
    pub first: Vec<String>,
    /// How many were left out.
    pub more: usize,
}

impl Excerpt {
    /// Keeps the first few.
    pub fn of(mut names: Vec<String>) -> Self {
        let more = names.len().saturating_sub(LISTED);
        names.truncate(LISTED);
        Self { first: names, more }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.first.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}`{name}`")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Why there is no candidate.
pub(super) fn none(images: &[RegistryImage], wanted: &BranchImage) -> PickError {
    let mut newest: Vec<_> = images.iter().collect();
    newest.sort_by_key(|image| std::cmp::Reverse(image.pushed_at));
    let tags: Vec<_> = newest
        .into_iter()
        .flat_map(image_tags)
        .map(str::to_owned)
        .collect();
    if tags.is_empty() {
        return PickError::EmptyRepository;
    }
    let slugs = slugs(images, &wanted.tag);
    if slugs.is_empty() {
        return PickError::PatternFitsNothing {
            pattern: wanted.tag.to_string(),
            tags: Excerpt::of(tags),
        };
    }
    let slug = slug_of(&wanted.branch);
    PickError::NoImageOfBranch {
        meant: alike(&slug, &slugs),
        slug,
        others: Excerpt::of(slugs),
    }
}

fn alike(slug: &str, slugs: &[String]) -> Option<String> {
    slugs
        .iter()
        .map(|other| (strsim::jaro_winkler(slug, other), other))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other.clone())
}
