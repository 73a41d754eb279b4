//! A recorder that keeps every event.

use std::sync::Mutex;

use promoter::port::Recorder;
use promoter::promotion::event::{Event, Fact};
use promoter::promotion::phase::Phase;

/// All events of a test, in order.
#[derive(Debug, Default)]
pub(crate) struct Recording(Mutex<Vec<Event>>);

impl Recorder for Recording {
    fn record(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Recording {
    /// What happened so far.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let events = self.0.lock().unwrap();
        events.iter().map(|event| event.fact.clone()).collect()
    }

    /// What happened so far, and what it was about.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    /// Forgets what happened so far.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The phases that were entered.
    pub(crate) fn phases(&self) -> Vec<Phase> {
        let facts = self.facts().into_iter();
        facts
            .filter_map(|fact| match fact {
                Fact::Entered { phase, .. } => Some(phase),
                _ => None,
            })
            .collect()
    }

    /// The facts that a reader would call by this word, as JSON.
    pub(crate) fn of(&self, event: &str) -> Vec<serde_json::Value> {
        let facts = self.facts().into_iter();
        facts
            .map(|fact| serde_json::to_value(fact).unwrap())
            .filter(|fact| fact["event"] == event)
            .collect()
    }

    /// What was waited for.
    pub(crate) fn waits(&self) -> Vec<String> {
        let waits = self.of("waiting").into_iter();
        waits
            .map(|fact| fact["waitFor"].as_str().unwrap().to_owned())
            .collect()
    }

    /// What was warned of.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings = self.of("warning").into_iter();
        warnings
            .map(|fact| fact["message"].as_str().unwrap().to_owned())
            .collect()
    }
}
