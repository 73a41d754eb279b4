//! The group files while the daemon runs: what changed, and what is kept of a file
//! that is broken now.
//!
//! A group whose file cannot be used stays as it was last. One whose file is gone goes;
//! where all are gone at once, something else is wrong, and nothing goes.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use super::yard::{Files, Key};
use crate::group::name::EnvironmentName;
use crate::group::{Environment, Group};

/// What of the files is acted on.
#[derive(Debug, Default)]
pub(super) struct Held {
    groups: BTreeMap<Key, Arc<Group>>,
    environments: BTreeMap<EnvironmentName, Environment>,
    problems: Vec<String>,
    /// Groups that are as they were last, as their files cannot be used.
    kept: BTreeSet<Key>,
    /// How many files have them.
    broken: usize,
    /// Whether there ever was something to go on with.
    is_taken: bool,
}

/// What became of another reading; nothing, unless told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Whether what is acted on is another thing now.
    pub(super) is_other: bool,
    /// Whether other groups than before are kept as they were last.
    pub(super) are_others_kept: bool,
    /// What is wrong now and was not before.
    pub(super) new_problems: Vec<String>,
    /// Whether something was wrong and nothing is any more.
    pub(super) is_mended: bool,
}

impl Held {
    /// Takes what the files say now.
    pub(super) fn take(&mut self, mut read: Files) -> Change {
        let mut problems = mem::take(&mut read.problems);
        self.broken = read.broken;
        let kept_before = self.kept.clone();
        let are_all_gone = read.named.is_empty() && !self.groups.is_empty();
        let is_other = if are_all_gone {
            problems
                .push("all group files are gone; going on with those that were there".to_owned());
            self.broken = self.broken.max(1);
            self.kept = self.groups.keys().cloned().collect();
            false
        } else {
            let is_empty = read.named.is_empty() && !read.is_missing;
            let is_other = self.take_valid(read, !problems.is_empty());
            let are_some_valid = !self.groups.is_empty() || !self.environments.is_empty();
            // Where there is no file there is nothing to promote yet, and nothing wrong.
            self.is_taken |= are_some_valid || is_empty;
            is_other
        };
        let known: BTreeSet<_> = self.problems.iter().collect();
        let new_problems = problems.iter().filter(|new| !known.contains(new));
        let change = Change {
            is_other,
            are_others_kept: self.kept != kept_before,
            new_problems: new_problems.cloned().collect(),
            is_mended: problems.is_empty() && !self.problems.is_empty(),
        };
        self.problems = problems;
        change
    }

    /// Says whether that is another thing than before.
    fn take_valid(&mut self, read: Files, are_some_broken: bool) -> bool {
        let mut groups: BTreeMap<_, _> = read
            .groups
            .into_iter()
            .map(|group| (Key::of(&group), Arc::new(group)))
            .collect();
        let valid: BTreeSet<_> = groups.keys().map(|key| key.group.clone()).collect();
        let is_broken = |key: &Key| read.named.contains(&key.group) && !valid.contains(&key.group);
        let kept = self.groups.iter().filter(|(key, _)| is_broken(key));
        let kept: Vec<_> = kept
            .map(|(key, group)| (key.clone(), group.clone()))
            .collect();
        self.kept = kept.iter().map(|(key, _)| key.clone()).collect();
        groups.extend(kept);
        // Groups that are kept need theirs, and what is under way in one that is broken
        // has to be driven on.
        let mut environments = if are_some_broken {
            self.environments.clone()
        } else {
            BTreeMap::new()
        };
        let valid = read.environments.into_iter();
        environments.extend(valid.map(|environment| (environment.name.clone(), environment)));
        let is_other = groups != self.groups || environments != self.environments;
        self.groups = groups;
        self.environments = environments;
        is_other
    }

    /// The groups that are acted on.
    pub(super) fn groups(&self) -> Vec<Arc<Group>> {
        self.groups.values().cloned().collect()
    }

    /// Those of them that are as they were last, as their files cannot be used.
    pub(super) fn kept(&self) -> BTreeSet<Key> {
        self.kept.clone()
    }

    /// Where they run.
    pub(super) fn environments(&self) -> Vec<Environment> {
        self.environments.values().cloned().collect()
    }

    /// Whether there ever was something to go on with: a valid file, or a folder without
    /// groups.
    pub(super) fn is_taken(&self) -> bool {
        self.is_taken
    }

    /// Whether nothing can be promoted: there is no valid file, and never was.
    pub(super) fn is_nothing(&self) -> bool {
        self.groups.is_empty() && self.environments.is_empty()
    }

    /// How many files have something wrong.
    pub(super) fn broken(&self) -> usize {
        self.broken
    }

    /// What is wrong with the files.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }
}
