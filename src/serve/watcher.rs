//! Which images groups could be promoted to: looked up again and again.
//!
//! A repository is listed once in a round, however many groups use it, and what is
//! newest is only thought over where a listing changed. Somebody may hint that images
//! were pushed: then the repository is looked at without waiting for the next round.
//! A hint says nothing else, so one that is forged, late or doubled costs a request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{oneshot, watch};

use super::news::News;
use super::yard::{Key, Yard};
use crate::engine::resolve::{AT_ONCE, resolve};
use crate::group::image::RepositoryName;
use crate::group::name::EnvironmentName;
use crate::group::{Group, Newest, Proof};
use crate::plan::fingerprint::hex;
use crate::plan::image::{CheckImageRef, Resolved};
use crate::port::Clock;
use crate::port::registry::{Listing, Said};
use crate::promotion::later;

/// Looks images up.
pub(super) struct Watcher {
    yard: Arc<dyn Yard>,
    clock: Arc<dyn Clock>,
    /// How often each repository is looked at.
    interval: Duration,
    groups: watch::Receiver<Vec<Arc<Group>>>,
    hints: UnboundedReceiver<Pushed>,
    tell: UnboundedSender<News>,
    /// A hash of what each repository held last, or why nobody could tell.
    listings: BTreeMap<Repository, Result<String, String>>,
    /// What was told of each group last.
    told: BTreeMap<Key, Told>,
}

/// What was told of a group.
#[derive(PartialEq)]
struct Told {
    /// By this file.
    group: Arc<Group>,
    /// Its newest images, or why nobody could tell.
    found: Result<String, String>,
}

/// That something may have been pushed.
pub(super) struct Pushed {
    /// To which repository.
    pub(super) repository: RepositoryName,
    /// Told once it was looked at.
    pub(super) seen: oneshot::Sender<()>,
}

/// A repository of the registry of an environment.
type Repository = (EnvironmentName, RepositoryName);

impl Watcher {
    /// Looks at the repositories of `groups` that want it every `interval`, and at
    /// those that are hinted at.
    pub(super) fn new(
        yard: Arc<dyn Yard>,
        clock: Arc<dyn Clock>,
        interval: Duration,
        groups: watch::Receiver<Vec<Arc<Group>>>,
        hints: UnboundedReceiver<Pushed>,
        tell: UnboundedSender<News>,
    ) -> Self {
        Self {
            yard,
            clock,
            interval,
            groups,
            hints,
            tell,
            listings: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// Runs until nobody tells it of groups any more.
    pub(super) async fn run(mut self) {
        let mut next = Timestamp::MIN;
        loop {
            let mut hinted = Vec::new();
            tokio::select! {
                () = self.clock.sleep_until(next) => {}
                changed = self.groups.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    // Groups that are new are not kept waiting.
                    next = Timestamp::MIN;
                }
                Some(pushed) = self.hints.recv() => hinted.push(pushed),
            }
            while let Ok(pushed) = self.hints.try_recv() {
                hinted.push(pushed);
            }
            if self.clock.now() >= next {
                next = later(self.clock.now(), self.interval);
                self.look(|_| true).await;
            } else {
                let names = hinted.iter().map(|pushed| pushed.repository.clone());
                let names: BTreeSet<_> = names.collect();
                self.look(|repository| names.contains(repository)).await;
            }
            for pushed in hinted {
                // Whoever hinted may be gone.
                let _ = pushed.seen.send(());
            }
        }
    }

    /// Looks at the repositories that are meant, and at groups that use them.
    async fn look(&mut self, is_meant: impl Fn(&RepositoryName) -> bool) {
        let groups = self.groups.borrow_and_update().clone();
        let groups: Vec<_> = groups
            .into_iter()
            .filter(|group| group.triggers.on_push)
            .collect();
        let used: BTreeSet<_> = groups
            .iter()
            .flat_map(|group| repositories(group))
            .collect();
        self.listings
            .retain(|repository, _| used.contains(repository));
        let names: BTreeSet<_> = groups.iter().map(|group| Key::of(group)).collect();
        self.told.retain(|key, _| names.contains(key));
        let groups: Vec<_> = groups
            .into_iter()
            .filter(|group| repositories(group).any(|(_, name)| is_meant(&name)))
            .collect();
        let mut listed: BTreeMap<Repository, &Group> = BTreeMap::new();
        for group in groups.iter().filter(|group| is_by_listing(group)) {
            let meant = repositories(group).filter(|(_, name)| is_meant(name));
            listed.extend(meant.map(|repository| (repository, &**group)));
        }
        let yard = &*self.yard;
        let asked = stream::iter(listed)
            .map(async |(repository, group)| {
                let found = list(yard, group, &repository.1).await;
                (repository, found)
            })
            .buffer_unordered(AT_ONCE);
        let found: Vec<_> = asked.collect().await;
        let changed = self.note_listings(found);
        for group in groups {
            let key = Key::of(&group);
            let has_changed = || repositories(&group).any(|of| changed.contains(&of));
            let known = self.told.get(&key).filter(|told| {
                told.group == group && told.found.is_ok() && is_by_listing(&group) && !has_changed()
            });
            let found = match known {
                Some(told) => told.found.clone(),
                None => newest(&*self.yard, &group).await,
            };
            self.tell(key, Told { group, found });
        }
    }

    /// Says which repositories hold something else than before.
    fn note_listings(
        &mut self,
        found: Vec<(Repository, Result<String, String>)>,
    ) -> BTreeSet<Repository> {
        let mut changed = BTreeSet::new();
        for (repository, found) in found {
            if self.listings.get(&repository) == Some(&found) {
                continue;
            }
            if let Err(error) = &found {
                let (environment, repository) = &repository;
                tracing::warn!(%environment, %repository, %error, "failed to look for images; trying again");
            }
            changed.insert(repository.clone());
            self.listings.insert(repository, found);
        }
        changed
    }

    /// Tells which images there are, be they the same: nobody pushed in between.
    fn tell(&mut self, key: Key, told: Told) {
        match &told.found {
            Ok(images) => {
                let (group, images) = (told.group.clone(), images.clone());
                drop(self.tell.send(News::Images { group, images }));
            }
            Err(_) if self.told.get(&key) == Some(&told) => {}
            // Once; what is there is promoted once it can be found.
            Err(error) => {
                let Key { environment, group } = &key;
                tracing::warn!(%environment, %group, %error, "no images to promote");
            }
        }
        self.told.insert(key, told);
    }
}

/// Where the images of a group are.
fn repositories(group: &Group) -> impl Iterator<Item = Repository> {
    let environment = &group.environment.name;
    let images = group.branch_images();
    images.map(|image| (environment.clone(), image.repository.clone()))
}

/// Whether a listing alone says which image is the newest. What CI says of a commit may
/// change, and a moving tag may be moved, without that anything is pushed.
fn is_by_listing(group: &Group) -> bool {
    group.proof == Proof::Pushed && group.newest != Newest::MovingTag
}

/// A hash of what a repository holds.
async fn list(
    yard: &dyn Yard,
    group: &Group,
    repository: &RepositoryName,
) -> Result<String, String> {
    let supply = yard.supply(group).await.map_err(|Said(why)| why)?;
    let listing = supply.sources().registry.images(repository).await;
    let Listing { mut images, .. } = listing.map_err(|error| Said::of(&error).0)?;
    images.sort_by(|one, other| one.digest.cmp(&other.digest));
    let mut hash = Sha256::new();
    for image in &mut images {
        image.tags.sort();
        let pushed = image.pushed_at.as_nanosecond();
        hash.update(format!("{} {pushed} {:?}\n", image.digest, image.tags));
    }
    Ok(hex(&hash.finalize()[..16]))
}

/// A hash of a group's newest images.
async fn newest(yard: &dyn Yard, group: &Group) -> Result<String, String> {
    let supply = yard.supply(group).await.map_err(|Said(why)| why)?;
    let resolved = resolve(supply.sources(), group).await;
    let Resolved { apps, checks } = resolved.map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(|error| Said::of(error).0).collect();
        errors.join("; ")
    })?;
    let mut hash = Sha256::new();
    for (app, image) in &apps {
        hash.update(format!("{app} {}\n", image.digest));
    }
    for (check, image) in &checks {
        if let CheckImageRef::Resolved(image) = image {
            hash.update(format!("{check} {}\n", image.digest));
        }
    }
    Ok(hex(&hash.finalize()[..16]))
}
