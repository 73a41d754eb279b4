//! What the daemon knows of itself, for whoever asks whether it is ready.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::group::name::EnvironmentName;

/// What it knows.
#[derive(Debug, Default)]
pub struct State(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Whether there ever was a configuration to go on with.
    is_configured: bool,
    /// What is wrong with it.
    problems: Vec<String>,
    /// Whether each environment's cluster answers, or why it does not.
    seen: BTreeMap<EnvironmentName, Result<(), String>>,
    /// Why the records do not answer, if they do not.
    unkept: Option<String>,
}

impl State {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn configured(&self, problems: &[String], is_taken: bool) {
        let mut known = self.known();
        known.is_configured = is_taken;
        known.problems = problems.to_vec();
    }

    pub(super) fn sees(&self, environment: &EnvironmentName, seen: Result<(), String>) {
        self.known().seen.insert(environment.clone(), seen);
    }

    pub(super) fn looks_away(&self, environment: &EnvironmentName) {
        self.known().seen.remove(environment);
    }

    pub(super) fn keeps(&self, answered: Result<(), String>) {
        self.known().unkept = answered.err();
    }

    /// Why it cannot do its work; nothing: it can. One environment of several that does
    /// not answer keeps nobody from promoting in the others, or from replacing this
    /// process by its next version.
    pub fn not_ready(&self) -> Vec<String> {
        let known = self.known();
        if !known.is_configured {
            return vec![match known.problems.first() {
                Some(problem) => format!("no configuration was taken yet: {problem}"),
                None => "the configuration was not read yet".to_owned(),
            }];
        }
        let seen = known.seen.iter();
        let unseen = seen.filter_map(|(name, seen)| {
            let why = seen.as_ref().err()?;
            Some(format!("environment {name}: {why}"))
        });
        let mut not_ready: Vec<_> = unseen.collect();
        if not_ready.len() < known.seen.len() {
            not_ready.clear();
        }
        not_ready.extend(known.unkept.clone());
        not_ready
    }

    /// Of each environment, whether its cluster answers.
    pub fn environments(&self) -> BTreeMap<EnvironmentName, bool> {
        let known = self.known();
        let seen = known.seen.iter();
        seen.map(|(name, seen)| (name.clone(), seen.is_ok()))
            .collect()
    }

    /// What is wrong with the configuration, while the last good one holds.
    pub fn problems(&self) -> Vec<String> {
        self.known().problems.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_environment_that_answers_is_enough() {
        let [here, there] = ["v2", "v3"].map(|name| EnvironmentName::parse(name).unwrap());
        let state = State::default();
        assert_eq!(state.not_ready().len(), 1);
        state.configured(&["groups: is not there".to_owned()], false);
        let why = "no configuration was taken yet: groups: is not there";
        assert_eq!(state.not_ready(), [why]);
        state.configured(&[], true);
        assert_eq!(state.not_ready(), Vec::<String>::new());
        let away = || Err("forbidden".to_owned());
        state.sees(&here, away());
        state.sees(&there, away());
        let why = ["environment v2: forbidden", "environment v3: forbidden"];
        assert_eq!(state.not_ready(), why);
        state.sees(&here, Ok(()));
        assert_eq!(state.not_ready(), Vec::<String>::new());
        state.keeps(Err("the database is away".to_owned()));
        assert_eq!(state.not_ready(), ["the database is away"]);
        state.keeps(Ok(()));
        state.looks_away(&here);
        assert_eq!(state.not_ready(), why[1..]);
    }
}
