//! What is asked of the world outside the cluster before a group is planned: its
//! newest images, and whether its environment has money left.
//!
//! Both are asked at the same time, and nothing is decided here.

use std::sync::atomic::{AtomicBool, Ordering};

use super::resolve::{ResolveError, Sources, resolve};
use crate::group::{Group, Proof};
use crate::plan::image::Resolved;
use crate::port::registry::Said;
use crate::promotion::restraint::Guarded;

/// What the world outside says of a group.
#[derive(Debug, Clone)]
pub(super) struct Outside {
    /// Its images, or all that is wrong with them.
    pub(super) images: Result<Resolved, Vec<ResolveError>>,
    /// What the budget guard comes to.
    pub(super) budget: Guarded,
}

impl Outside {
    /// Images that are known; a way back costs what it costs.
    pub(super) fn known(images: Resolved) -> Self {
        Self {
            images: Ok(images),
            budget: Guarded::default(),
        }
    }
}

/// Who has answered while a plan is made.
#[derive(Debug)]
pub(super) struct Answers {
    proof: Proof,
    has_images: AtomicBool,
    has_budget: AtomicBool,
}

impl Answers {
    /// Of those who are asked about a group.
    pub(super) fn of(group: &Group) -> Self {
        Self {
            proof: group.proof,
            has_images: AtomicBool::new(false),
            has_budget: AtomicBool::new(false),
        }
    }

    /// Nobody has to answer.
    pub(super) fn of_nobody(group: &Group) -> Self {
        Self {
            has_images: AtomicBool::new(true),
            has_budget: AtomicBool::new(true),
            ..Self::of(group)
        }
    }

    /// Whose answer is missing, in words.
    pub(super) fn awaited(&self) -> &'static str {
        let has = |answer: &AtomicBool| answer.load(Ordering::Relaxed);
        match (has(&self.has_images), has(&self.has_budget), self.proof) {
            (true, true, _) => "the cluster to say what runs and what it would take",
            (true, false, _) => "CloudWatch to say whether the budget is spent",
            (false, _, Proof::Pushed) => "the registry to say which images there are",
            (false, _, Proof::GithubChecks) => {
                "the registry and GitHub to say which images there are, and which are proven"
            }
        }
    }
}

/// A question about a group.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    /// Who is asked.
    pub(super) sources: Sources<'a>,
    /// About what.
    pub(super) group: &'a Group,
    /// Who has answered.
    pub(super) answers: &'a Answers,
}

impl Question<'_> {
    /// Asks all at the same time.
    pub(super) async fn ask(self) -> Outside {
        let noted = |answer: &AtomicBool, is_there| answer.store(is_there, Ordering::Relaxed);
        let images = async {
            noted(&self.answers.has_images, false);
            let images = resolve(self.sources, self.group).await;
            noted(&self.answers.has_images, true);
            images
        };
        let budget = async {
            noted(&self.answers.has_budget, false);
            let budget = guarded(self.sources, self.group).await;
            noted(&self.answers.has_budget, true);
            budget
        };
        let (images, budget) = tokio::join!(images, budget);
        Outside { images, budget }
    }
}

async fn guarded(sources: Sources<'_>, group: &Group) -> Guarded {
    let (Some(guard), Some(spending)) = (&group.environment.budget_guard, sources.spending) else {
        return Guarded::default();
    };
    match spending.guard(guard).await {
        Ok(found) => Guarded::by(guard, &found),
        Err(error) => Guarded::unknown(guard, &Said::of(&error).0),
    }
}
