//! Whether the images of one branch are proven, and which were passed over.
//!
//! Input: a candidate with its labels. Output: whether it may be taken. An
//! outage is an error: to go on to older images because nobody answers would
//! take a release back.

use std::collections::BTreeMap;

use super::{Asking, Cause};
use crate::group::{BranchImage, Proof};
use crate::plan::proof::{PassedOver, claim};
use crate::plan::resolve::Candidate;

/// What is known of the proof of one branch's images.
pub(super) struct Proofs<'a> {
    asking: Asking<'a>,
    wanted: &'a BranchImage,
    /// Newest first.
    pub(super) passed: Vec<PassedOver>,
}

impl<'a> Proofs<'a> {
    pub(super) fn new(asking: Asking<'a>, wanted: &'a BranchImage) -> Self {
        Self {
            asking,
            wanted,
            passed: Vec::new(),
        }
    }

    /// Whether an image needs more proof than that it was pushed.
    pub(super) fn are_needed(&self) -> bool {
        self.asking.proof != Proof::Pushed
    }

    /// Whether the candidate is proven; one that is not is passed over.
    pub(super) async fn hold(
        &mut self,
        candidate: &Candidate,
        labels: &BTreeMap<String, String>,
    ) -> Result<bool, Cause> {
        if !self.are_needed() {
            return Ok(true);
        }
        let forge = self.asking.forge.ok_or(Cause::NoForge)?;
        let commit = candidate.commit.as_deref();
        let why = match claim(self.wanted, commit, labels, self.asking.github) {
            Ok(claim) => {
                let standing = forge.standing(&claim).await?;
                standing.fault().map(str::to_owned)
            }
            Err(reason) => Some(reason),
        };
        let Some(why) = why else { return Ok(true) };
        self.passed.push(PassedOver {
            tag: candidate.tag.clone(),
            why,
        });
        Ok(false)
    }
}
