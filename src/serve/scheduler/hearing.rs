//! What the scheduler makes of the news that it is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::news::News;
use super::super::yard::{Key, Note};
use super::entry::Entry;
use super::{Scheduler, say};
use crate::group::name::EnvironmentName;
use crate::group::{Environment, Group};
use crate::port::sight::{Sight, Standing};

impl Scheduler {
    /// Thinks over what somebody told.
    pub(super) fn hear(&mut self, news: News) {
        let now = self.clock.now();
        match news {
            News::Configured {
                groups,
                kept,
                environments,
            } => {
                self.take_files(groups, environments, now);
                for (key, entry) in &mut self.entries {
                    entry.keeps(kept.contains(key));
                }
            }
            News::Images { group, images } => {
                if let Some(entry) = self.entries.get_mut(&Key::of(&group)) {
                    entry.offered(&group, &images, now);
                }
            }
            News::Seen { environment, sight } => match sight {
                Sight::Standings(standings) => self.take_standings(&environment, standings),
                Sight::Lock { group, holder } => {
                    let key = Key { environment, group };
                    let entry = self.entries.entry(key).or_insert_with(Entry::new);
                    entry.locked(holder, now);
                }
            },
            News::Settles(key) => {
                if let Some(entry) = self.entries.get_mut(&key) {
                    entry.settles();
                }
            }
            News::Ended {
                key,
                job,
                came,
                says,
            } => {
                self.yard.note(Note::Busy(&key, false));
                if let Some(entry) = self.entries.get_mut(&key) {
                    if let Some(says) = says.filter(|says| entry.is_new(&job, says)) {
                        say(&key, &job, entry.in_flight(), &says);
                    }
                    entry.ended(&job, came, now);
                }
            }
        }
        self.entries.retain(|_, entry| !entry.is_idle());
    }

    fn take_files(
        &mut self,
        groups: Vec<Arc<Group>>,
        environments: Vec<Environment>,
        now: Timestamp,
    ) {
        self.environments = environments
            .into_iter()
            .map(|environment| (environment.name.clone(), environment))
            .collect();
        let environments = &self.environments;
        self.known.retain(|known| environments.contains_key(known));
        let groups = groups.into_iter();
        let mut groups: BTreeMap<_, _> = groups.map(|group| (Key::of(&group), group)).collect();
        for (key, entry) in &mut self.entries {
            let group = groups.remove(key);
            if group.is_none() && entry.has_file() {
                self.yard.note(Note::Gone(key));
            }
            entry.take_file(group, now);
        }
        // Where nobody says how to reach them, nothing can be driven on.
        let known = &self.known;
        self.entries.retain(|key, entry| {
            known.contains(&key.environment) || entry.has_file() || entry.is_running()
        });
        for (key, group) in groups {
            let mut entry = Entry::new();
            entry.take_file(Some(group), now);
            self.entries.insert(key, entry);
        }
    }

    fn take_standings(&mut self, environment: &EnvironmentName, standings: Vec<Standing>) {
        self.known.insert(environment.clone());
        let mut changed = false;
        let mut standings: BTreeMap<_, _> = standings
            .into_iter()
            .map(|standing| (standing.group.clone(), standing))
            .collect();
        let here = self.entries.iter_mut();
        let mut here: Vec<_> = here
            .filter(|(key, _)| key.environment == *environment)
            .collect();
        for (key, entry) in &mut here {
            let standing = standings.remove(&key.group);
            if let Some(standing) = standing.as_ref().filter(|_| entry.has_file()) {
                self.yard.note(Note::Stands(key, standing));
            }
            changed |= entry.stands(standing);
        }
        if changed {
            for (_, entry) in here {
                entry.look_again();
            }
        }
        // Without a file there is nothing to do but to drive on what somebody left.
        for (group, standing) in standings {
            let key = Key {
                environment: environment.clone(),
                group,
            };
            let mut entry = Entry::new();
            entry.stands(Some(standing));
            self.entries.insert(key, entry);
        }
    }
}
