//! The newest image of one branch, its labels and its proof considered.
//!
//! Input: a repository's listing and what is wanted of it. Output: the image,
//! or why there is none. [`pick`] decides which image is the newest; this walks
//! down from it while labels say that an image is another branch's, or nothing
//! proves that it is good.

use std::collections::{BTreeMap, BTreeSet};

use super::prove::Proofs;
use super::{Asking, Cause};
use crate::group::{BranchImage, Newest};
use crate::plan::image::{Digest, ResolvedImage};
use crate::plan::proof::{self, PassedOver};
use crate::plan::resolve::{
    Candidate, Excerpt, Owner, PickError, candidates, doubt, moved, owner, pick,
};
use crate::port::registry::{ImageDetails, Listing, Registry, RegistryError};

/// Images of one branch whose labels are read before giving up: each costs
/// requests, and a branch without images may share its tags with one of
/// thousands.
const LABELS_READ: usize = 40;

/// Images of one branch that are passed over for want of proof before giving
/// up. Whoever has so many in a row looks at CI first.
const PASSED_OVER: usize = 20;

/// Chooses the image, or says why none can be chosen.
pub(super) async fn choose(
    asking: Asking<'_>,
    listing: &Listing,
    wanted: &BranchImage,
) -> Result<ResolvedImage, Cause> {
    let newest = asking.newest;
    let mut left = match newest {
        Newest::Pushed | Newest::Build => candidates(&listing.images, wanted)?,
        Newest::MovingTag => moved(&listing.images, wanted)?,
    };
    let all = left.len();
    let mut labels = Labels::new(asking.registry, wanted);
    let mut proofs = Proofs::new(asking, wanted);
    while labels.read.len() < LABELS_READ && proofs.passed.len() < PASSED_OVER {
        match pick(&left, newest) {
            Ok(None) => break,
            Ok(Some(picked)) => {
                let picked = picked.clone();
                if !labels.name_another_branch(&picked).await?
                    && proofs.hold(&picked, labels.of(&picked)).await?
                {
                    return Ok(labels.image(picked, listing, &proofs.passed));
                }
                left.retain(|c| c.digest != picked.digest);
            }
            // Another branch's build numbers may be what disagrees, or those
            // of an image that is not proven.
            Err(refusal) => {
                let before = left.len();
                for candidate in [&refusal.last, &refusal.highest] {
                    if (labels.doubt.is_some() || proofs.are_needed())
                        && (labels.name_another_branch(candidate).await?
                            || !proofs.hold(candidate, labels.of(candidate)).await?)
                    {
                        left.retain(|c| c.digest != candidate.digest);
                    }
                }
                if left.len() == before {
                    return Err(PickError::from(refusal).into());
                }
            }
        }
    }
    if !proofs.passed.is_empty() {
        let passed = proofs.passed;
        return Err(PickError::Unproven { passed }.into());
    }
    let branches = Excerpt::of(labels.others.into_iter().collect());
    let looked_at = all - left.len();
    Err(PickError::OtherBranches {
        looked_at,
        branches,
    }
    .into())
}

/// What the labels read so far say.
struct Labels<'a> {
    registry: &'a dyn Registry,
    wanted: &'a BranchImage,
    /// What to warn of where labels say nothing. `None`: no other branch can
    /// have these tags.
    doubt: Option<String>,
    read: BTreeMap<Digest, ImageDetails>,
    others: BTreeSet<String>,
}

impl<'a> Labels<'a> {
    fn new(registry: &'a dyn Registry, wanted: &'a BranchImage) -> Self {
        Self {
            registry,
            wanted,
            doubt: doubt(wanted),
            read: BTreeMap::new(),
            others: BTreeSet::new(),
        }
    }

    async fn name_another_branch(&mut self, candidate: &Candidate) -> Result<bool, RegistryError> {
        let digest = &candidate.digest;
        if !self.read.contains_key(digest) {
            let details = self
                .registry
                .inspect(&self.wanted.repository, digest)
                .await?;
            self.read.insert(digest.clone(), details);
        }
        if let Owner::Other(branch) = self.owner(candidate) {
            self.others.insert(branch);
            return Ok(true);
        }
        Ok(false)
    }

    /// The labels of a candidate that has been looked at.
    fn of(&self, candidate: &Candidate) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        let read = self.read.get(&candidate.digest);
        read.map_or(&NONE, |details| &details.labels)
    }

    fn owner(&self, candidate: &Candidate) -> Owner {
        owner(&candidate.tag, self.wanted, self.of(candidate))
    }

    fn image(
        mut self,
        picked: Candidate,
        listing: &Listing,
        passed: &[PassedOver],
    ) -> ResolvedImage {
        let doubt = self
            .doubt
            .take()
            .filter(|_| self.owner(&picked) == Owner::Unknown);
        let details = self.read.remove(&picked.digest).unwrap_or_default();
        ResolvedImage {
            repository: self.wanted.repository.clone(),
            reference: listing.reference(&self.wanted.repository, &picked.digest),
            branch: self.wanted.branch.clone(),
            tag: picked.tag,
            digest: picked.digest,
            build: picked.build,
            commit: picked.commit,
            pushed_at: picked.pushed_at,
            platforms: details.platforms,
            warnings: doubt.into_iter().chain(proof::warnings(passed)).collect(),
        }
    }
}
