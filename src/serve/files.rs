//! The group files while the daemon runs: what changed, and what is kept of a file
//! that is broken now.
//!
//! A group whose file cannot be used stays as it was last. One whose file is gone goes;
//! where all are gone at once, something else is wrong, and nothing goes.

use std::collections::BTreeMap;

use super::yard::{Files, Key};
use crate::group::name::EnvironmentName;
use crate::group::{Environment, Group};

/// What of the files is acted on.
#[derive(Debug, Default)]
pub(super) struct Held {
    groups: BTreeMap<Key, Group>,
    environments: BTreeMap<EnvironmentName, Environment>,
    problems: Vec<String>,
}

/// What became of another reading.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Whether what is acted on is another thing now.
    pub(super) is_other: bool,
    /// What is wrong now and was not before.
    pub(super) new_problems: Vec<String>,
    /// Whether something was wrong and nothing is any more.
    pub(super) is_mended: bool,
}

impl Held {
    /// Takes what the files say now.
    pub(super) fn take(&mut self, read: Files) -> Change {
        let problems = if read.named.is_empty() && !self.groups.is_empty() {
            let mut problems = read.problems.clone();
            problems
                .push("all group files are gone; going on with those that were there".to_owned());
            problems
        } else {
            read.problems.clone()
        };
        let is_whole = problems.len() == read.problems.len();
        let is_other = is_whole && self.take_groups(read);
        let new_problems = problems.iter().filter(|new| !self.problems.contains(new));
        let change = Change {
            is_other,
            new_problems: new_problems.cloned().collect(),
            is_mended: problems.is_empty() && !self.problems.is_empty(),
        };
        self.problems = problems;
        change
    }

    fn take_groups(&mut self, read: Files) -> bool {
        let valid: BTreeMap<_, _> = read
            .groups
            .into_iter()
            .map(|group| (Key::of(&group), group))
            .collect();
        let mut groups = valid.clone();
        for (key, group) in &self.groups {
            let is_broken = read.named.contains(&key.group)
                && !valid.keys().any(|valid| valid.group == key.group);
            if is_broken {
                groups.insert(key.clone(), group.clone());
            }
        }
        let mut environments: BTreeMap<_, _> = read
            .environments
            .into_iter()
            .map(|environment| (environment.name.clone(), environment))
            .collect();
        // Groups that are kept need theirs, and what is under way in one that is broken
        // has to be driven on.
        for (name, environment) in &self.environments {
            if !read.problems.is_empty() {
                environments
                    .entry(name.clone())
                    .or_insert_with(|| environment.clone());
            }
        }
        let is_other = groups != self.groups || environments != self.environments;
        self.groups = groups;
        self.environments = environments;
        is_other
    }

    /// The groups that are acted on.
    pub(super) fn groups(&self) -> Vec<Group> {
        self.groups.values().cloned().collect()
    }

    /// Where they run.
    pub(super) fn environments(&self) -> Vec<Environment> {
        self.environments.values().cloned().collect()
    }

    /// Both, for the scheduler.
    pub(super) fn files(&self) -> Files {
        Files {
            groups: self.groups(),
            environments: self.environments(),
            ..Files::default()
        }
    }

    /// What is wrong with the files.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }
}
