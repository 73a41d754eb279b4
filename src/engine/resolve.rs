//! From a group's branches to the digests they stand for now.
//!
//! Input: a validated group, a registry and what proves its images. Output: the
//! image of every app and check, or everything that is wrong, each with its app,
//! repository and branch. Each repository is listed once, however many apps use it; a moving
//! tag is looked up instead. What is newest is decided in
//! [`crate::plan::resolve`]. Nothing here is written or tried again; trying
//! again is the registry adapter's business.

mod choose;
mod prove;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use futures::StreamExt as _;
use futures::stream;
use thiserror::Error;

use crate::group::github::GithubRef;
use crate::group::image::{Branch, RepositoryName, moving_tag};
use crate::group::name::{AppName, CheckName};
use crate::group::{BranchImage, CheckImage, Group, Newest, Proof};
use crate::plan::image::{CheckImageRef, Resolved, ResolvedImage};
use crate::plan::resolve::PickError;
use crate::port::{Forge, ForgeError, Registry, RegistryError, Spending};

/// Repositories that are asked at the same time, one request each.
pub const AT_ONCE: usize = 8;

/// Why an image could not be resolved, and for whom.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ResolveError {
    /// The registry has no image to take, or did not answer.
    #[error("failed to find the image of {user}: branch `{branch}` of repository `{repository}`")]
    Image {
        /// Who needs it.
        user: User,
        /// Where it was looked for.
        repository: RepositoryName,
        /// Of which branch it should be.
        branch: Branch,
        /// What was found instead.
        #[source]
        cause: Cause,
    },
    /// Validation lets no such group through.
    #[error("check `{check}` runs in the image of app `{app}`, which is not in the group")]
    UnknownApp {
        /// The check.
        check: CheckName,
        /// The app it names.
        app: AppName,
    },
}

/// Why there is no image for a branch.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Cause {
    /// What the repository holds does not say which image to take.
    #[error(transparent)]
    Pick(#[from] PickError),
    /// The registry did not answer as asked.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Nobody told what CI says.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// Whoever wired the parts together forgot one.
    #[error("the group's images are to be proven, and nobody is there to ask")]
    NoForge,
}

impl ResolveError {
    /// Whether an outside system failed, rather than what it was asked for.
    pub fn is_outside(&self) -> bool {
        let Self::Image { cause, .. } = self else {
            return false;
        };
        match cause {
            Cause::Registry(error) => !matches!(
                error,
                RegistryError::RepositoryNotFound { .. } | RegistryError::NoRegion
            ),
            Cause::Forge(error) => !matches!(error, ForgeError::Moved { .. }),
            Cause::Pick(_) | Cause::NoForge => false,
        }
    }
}

/// Who needs an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum User {
    /// An app.
    App(AppName),
    /// A check with a branch of its own.
    Check(CheckName),
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App(name) => write!(f, "app `{name}`"),
            Self::Check(name) => write!(f, "check `{name}`"),
        }
    }
}

/// Where images come from, what proves them, and who tells what that costs.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Where they are.
    pub registry: &'a dyn Registry,
    /// Where CI reports; needed only for groups whose images are to be proven.
    pub forge: Option<&'a dyn Forge>,
    /// Who tells what is spent; needed only where there is a budget guard.
    pub spending: Option<&'a dyn Spending>,
}

impl<'a> Sources<'a> {
    /// A registry whose images count as good because they were pushed.
    pub fn pushed(registry: &'a dyn Registry) -> Self {
        Self {
            registry,
            forge: None,
            spending: None,
        }
    }
}

/// What a group wants of its sources.
#[derive(Clone, Copy)]
struct Asking<'a> {
    registry: &'a dyn Registry,
    forge: Option<&'a dyn Forge>,
    newest: Newest,
    proof: Proof,
    github: &'a GithubRef,
}

/// Decides every image of the group, or tells every reason why not.
pub async fn resolve(sources: Sources<'_>, group: &Group) -> Result<Resolved, Vec<ResolveError>> {
    let mut resolved = Resolved::default();
    let mut errors = Vec::new();
    for (user, answer) in ask(sources, group).await {
        match (user, answer) {
            (User::App(name), Ok(image)) => drop(resolved.apps.insert(name, image)),
            (User::Check(name), Ok(image)) => {
                let image = CheckImageRef::Resolved(image);
                resolved.checks.insert(name, image);
            }
            (_, Err(error)) => errors.push(error),
        }
    }
    for check in group.jobs() {
        let image = match &check.image {
            CheckImage::Branch(_) => continue,
            CheckImage::Image(reference) => CheckImageRef::Written(reference.clone()),
            CheckImage::App(app) => match resolved.apps.get(app) {
                Some(image) => CheckImageRef::Resolved(image.clone()),
                // The app's own error is enough.
                None if group.apps.iter().any(|a| a.name == *app) => continue,
                None => {
                    let (check, app) = (check.name.clone(), app.clone());
                    errors.push(ResolveError::UnknownApp { check, app });
                    continue;
                }
            },
        };
        resolved.checks.insert(check.name.clone(), image);
    }
    if errors.is_empty() {
        Ok(resolved)
    } else {
        Err(errors)
    }
}

type Answer = (User, Result<ResolvedImage, ResolveError>);

/// Asks for the image of every app and check that names a branch; answers in
/// the order of the group.
async fn ask(sources: Sources<'_>, group: &Group) -> Vec<Answer> {
    let of_apps = group
        .apps
        .iter()
        .map(|app| (User::App(app.name.clone()), &app.image));
    let of_checks = group.jobs().filter_map(|check| match &check.image {
        CheckImage::Branch(wanted) => Some((User::Check(check.name.clone()), wanted)),
        CheckImage::App(_) | CheckImage::Image(_) => None,
    });
    let mut wishes: BTreeMap<RepositoryName, Vec<Wish>> = BTreeMap::new();
    for (place, (user, image)) in of_apps.chain(of_checks).enumerate() {
        let wish = Wish {
            place,
            user,
            image: image.clone(),
        };
        wishes
            .entry(image.repository.clone())
            .or_default()
            .push(wish);
    }
    let asking = Asking {
        registry: sources.registry,
        forge: sources.forge,
        newest: group.newest,
        proof: group.proof,
        github: &group.environment.github,
    };
    let mut answers: Vec<(usize, Answer)> = stream::iter(wishes)
        .map(|(repository, wishes)| ask_one(asking, repository, wishes))
        .buffer_unordered(AT_ONCE)
        .flat_map(stream::iter)
        .collect()
        .await;
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// An image that somebody needs, and its place among all of them.
struct Wish {
    place: usize,
    user: User,
    image: BranchImage,
}

/// Lists one repository, or looks up the branches' moving tags, and chooses for
/// each wish; equal wishes once.
async fn ask_one(
    asking: Asking<'_>,
    repository: RepositoryName,
    wishes: Vec<Wish>,
) -> Vec<(usize, Answer)> {
    let registry = asking.registry;
    let whole = match asking.newest {
        Newest::Pushed | Newest::Build => Some(registry.images(&repository).await),
        Newest::MovingTag => None,
    };
    let mut chosen: Vec<(BranchImage, Result<ResolvedImage, Cause>)> = Vec::new();
    let mut answers = Vec::new();
    for Wish { place, user, image } in wishes {
        let known = chosen.iter().find(|(known, _)| *known == image);
        let answer = match (known, &whole) {
            (Some((_, answer)), _) => answer.clone(),
            (None, Some(Err(error))) => Err(error.clone().into()),
            (None, Some(Ok(listing))) => choose::choose(asking, listing, &image).await,
            (None, None) => match registry
                .tagged(&repository, &moving_tag(&image.branch))
                .await
            {
                Err(error) => Err(error.into()),
                Ok(listing) => choose::choose(asking, &listing, &image).await,
            },
        };
        chosen.push((image.clone(), answer.clone()));
        let answer = answer.map_err(|cause| ResolveError::Image {
            user: user.clone(),
            repository: image.repository,
            branch: image.branch,
            cause,
        });
        answers.push((place, (user, answer)));
    }
    answers
}
