//! Records that several promoters share, and what they tell of one promotion.

#[path = "../../it/support/postgres.rs"]
#[expect(dead_code, reason = "the store's own tests need more of it")]
mod postgres;

use std::collections::BTreeMap;

use promoter::promotion::event::{Event, Fact};
use promoter::promotion::phase::Phase;
use serde_json::Value;

use super::folder::Folder;
use super::wait::until;

/// Empty records in a Postgres, as `PROMOTER_RECORDS` says them.
pub(crate) fn shared_records() -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(postgres::database()).url()
}

/// A promotion that has ended.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) events: Vec<Event>,
}

impl Told {
    /// Waits until these records tell how a promotion ended. `records` is what
    /// `PROMOTER_RECORDS` says.
    #[track_caller]
    pub(crate) fn of(folder: &Folder, records: &str, promotion: &str) -> Self {
        until(&format!("the records to tell of {promotion}"), || {
            let show = folder.promoter(["show", promotion, "--output", "json"]);
            let show = show.env("PROMOTER_RECORDS", records).run();
            let whole: Value = serde_json::from_str(&show.stdout).ok()?;
            let events = serde_json::from_value(whole["events"].clone()).unwrap();
            let told = Self { events };
            told.events.iter().any(ends).then_some(told)
        })
    }

    /// How often each fact is told that holds once.
    pub(crate) fn facts(&self) -> BTreeMap<String, usize> {
        let mut facts = BTreeMap::new();
        for fact in self.events.iter().filter_map(|event| event.fact.once()) {
            *facts.entry(fact).or_default() += 1;
        }
        facts
    }

    /// The phases that it went through, with how often it entered each: by its own way,
    /// or since somebody found it there.
    pub(crate) fn phases(&self) -> BTreeMap<Phase, usize> {
        let mut phases = BTreeMap::new();
        for event in &self.events {
            match &event.fact {
                Fact::Entered { phase, .. } => *phases.entry(*phase).or_default() += 1,
                // Its entry may have been the last that the dead one saw.
                Fact::Resumed { phase } => {
                    phases.entry(*phase).or_insert(1);
                }
                _ => {}
            }
        }
        // It is begun with, and never entered.
        phases.remove(&Phase::Planned);
        phases
    }

    /// How often somebody drove it on.
    pub(crate) fn resumed(&self) -> usize {
        let resumed = |event: &&Event| matches!(event.fact, Fact::Resumed { .. });
        self.events.iter().filter(resumed).count()
    }
}

fn ends(event: &Event) -> bool {
    matches!(event.fact, Fact::Finished { .. })
}
