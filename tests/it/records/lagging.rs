//! Records that cannot be written for a while, or not at all: the promotion goes
//! on, what happened is caught up, and it is said.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use promoter::adapter::store::Recording;
use promoter::group::name::CheckName;
use promoter::plan::summary::Summary;
use promoter::port::records::Refusal;
use promoter::port::{Clock, Recorder, Records, RecordsError};
use promoter::promotion::check::CheckResult;
use promoter::promotion::id::PromotionId;
use promoter::promotion::phase::Phase;

use super::*;
use crate::support::clock::FakeClock;
use crate::support::given;
use crate::support::recording::Recording as Told;
use crate::support::scenario::Scenario;

/// Records that are refused for as long as there are errors.
#[derive(Default)]
struct Faulty {
    errors: Mutex<VecDeque<RecordsError>>,
    for_ever: bool,
    kept: Mutex<Vec<Note>>,
    pruned: Mutex<Vec<Timestamp>>,
}

impl Faulty {
    fn times(number: usize, reason: &str) -> Arc<Self> {
        let errors = std::iter::repeat_n(error(reason), number).collect();
        Arc::new(Self {
            errors: Mutex::new(errors),
            ..Self::default()
        })
    }

    fn facts(&self) -> Vec<Fact> {
        let kept = self.kept.lock().unwrap();
        let events = kept.iter().filter_map(|note| match note {
            Note::Event(event) => Some(event.fact.clone()),
            Note::Log { .. } | Note::Plan { .. } => None,
        });
        events.collect()
    }

    /// Each run that has one, and its text.
    fn logs(&self) -> Vec<(u32, String)> {
        let kept = self.kept.lock().unwrap();
        let logs = kept.iter().filter_map(|note| match note {
            Note::Log { run, text, .. } => Some((run.attempt, text.unpack().unwrap())),
            Note::Event(_) | Note::Plan { .. } => None,
        });
        logs.collect()
    }
}

fn error(reason: &str) -> RecordsError {
    RecordsError::Failed {
        action: "write",
        place: "records.db".to_owned(),
        reason: reason.to_owned(),
    }
}

#[async_trait]
impl Records for Faulty {
    async fn keep(&self, place: &PlaceName, notes: &[Note]) -> Result<(), RecordsError> {
        assert_eq!(*place, here());
        if self.for_ever {
            return Err(error("database or disk is full"));
        }
        if let Some(error) = self.errors.lock().unwrap().pop_front() {
            return Err(error);
        }
        self.kept.lock().unwrap().extend_from_slice(notes);
        Ok(())
    }

    async fn prune(&self, now: Timestamp) -> Result<(), RecordsError> {
        self.pruned.lock().unwrap().push(now);
        Err(error("database is locked"))
    }

    async fn last(&self, _: &Which, _: u32) -> Result<Vec<Entry>, RecordsError> {
        Ok(Vec::new())
    }

    async fn refused(&self, _: &Which, _: u32) -> Result<Vec<Refusal>, RecordsError> {
        Ok(Vec::new())
    }

    async fn of(&self, _: &PromotionId) -> Result<Vec<Entry>, RecordsError> {
        Ok(Vec::new())
    }

    async fn events(&self, _: &Entry) -> Result<Vec<Event>, RecordsError> {
        Ok(Vec::new())
    }

    async fn results(&self, _: &Entry) -> Result<Vec<CheckResult>, RecordsError> {
        Ok(Vec::new())
    }

    async fn plan(&self, _: &Entry) -> Result<Option<Summary>, RecordsError> {
        Ok(None)
    }

    async fn passed_before(&self, _: &Entry) -> Result<Option<Entry>, RecordsError> {
        Ok(None)
    }

    async fn logged(
        &self,
        _: &Entry,
        _: Option<&CheckName>,
    ) -> Result<Vec<LoggedRun>, RecordsError> {
        Ok(Vec::new())
    }

    async fn log(&self, _: &Entry, _: &LoggedRun) -> Result<Option<String>, RecordsError> {
        Ok(None)
    }
}

/// All that is told of a promotion, and what it is told by.
async fn promoted() -> (Scenario, Vec<Event>) {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    let events = scenario.events.events();
    (scenario, events)
}

fn recording(records: &Arc<Faulty>, clock: FakeClock, told: &Arc<Told>) -> Recording {
    let group = given::hello().name;
    let records = Arc::clone(records) as Arc<dyn Records>;
    Recording::new(
        here(),
        group,
        records,
        Arc::new(clock),
        Arc::clone(told) as _,
    )
}

fn without_lines(events: &[Event]) -> Vec<Fact> {
    let facts = events.iter().map(|event| event.fact.clone());
    facts
        .filter(|fact| !matches!(fact, Fact::CheckOutput { .. }))
        .collect()
}

/// A promotion that was kept as it happened.
async fn kept() -> (Scenario, Arc<Faulty>) {
    let (scenario, events) = promoted().await;
    let (records, told) = (Faulty::times(0, ""), Arc::default());
    let recording = recording(&records, scenario.clock, &told);
    for event in &events {
        recording.record(event.clone());
    }
    recording.flush().await;
    assert_eq!(records.facts(), without_lines(&events));
    assert_eq!(told.warnings(), Vec::<String>::new());
    (scenario, records)
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_kept_in_its_order() {
    kept().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_old_goes_once_per_promotion_and_nobody_minds_if_it_does_not() {
    let (scenario, records) = kept().await;
    assert_eq!(*records.pruned.lock().unwrap(), [scenario.clock.now()]);
}

#[tokio::test(start_paused = true)]
async fn locked_for_a_while_it_is_said_and_caught_up() {
    let (scenario, events) = promoted().await;
    let (records, told) = (Faulty::times(3, "database is locked"), Arc::default());
    let recording = recording(&records, scenario.clock, &told);
    for event in &events {
        recording.record(event.clone());
    }
    recording.flush().await;
    assert_eq!(records.facts(), without_lines(&events));
    let [behind, again] = told.warnings().try_into().unwrap();
    assert!(
        behind.starts_with(
            "failed to write the records in records.db: database is locked; the promotion goes on"
        ),
        "{behind}"
    );
    assert!(again.contains("can be written again"), "{again}");
}

#[tokio::test(start_paused = true)]
async fn full_for_good_the_promotion_ends_all_the_same_and_says_what_is_missing() {
    let (scenario, events) = promoted().await;
    let records = Arc::new(Faulty {
        for_ever: true,
        ..Faulty::default()
    });
    let told = Arc::default();
    let recording = recording(&records, scenario.clock, &told);
    for event in &events {
        recording.record(event.clone());
    }
    let begun = scenario.clock.elapsed();
    // Once at its end, once when the lock is given back.
    recording.flush().await;
    recording.flush().await;
    let waited = scenario.clock.elapsed().checked_sub(begun).unwrap();
    assert!(waited < Duration::from_secs(6), "{waited:?}");
    let [behind, missing] = told.warnings().try_into().unwrap();
    assert!(behind.contains("disk is full"), "{behind}");
    let number = without_lines(&events).len();
    assert!(
        missing.starts_with(&format!("{number} facts are not in the records")),
        "{missing}"
    );
}

#[tokio::test(start_paused = true)]
async fn lines_become_logs_run_by_run() {
    let (scenario, events) = promoted().await;
    let (records, told) = (Faulty::times(0, ""), Arc::default());
    let recording = recording(&records, scenario.clock, &told);
    let event = events
        .iter()
        .find(|event| {
            matches!(
                event.fact,
                Fact::Entered {
                    phase: Phase::Checking,
                    ..
                }
            )
        })
        .unwrap();
    let check: CheckName = "greets".parse().unwrap();
    let writes = |attempt, line: &str| {
        let fact = Fact::CheckOutput {
            check: check.clone(),
            attempt,
            line: line.to_owned(),
        };
        recording.record(Event {
            fact,
            ..event.clone()
        });
    };
    writes(1, "one");
    writes(1, "two");
    writes(2, "one again");
    // That was read along, and broke off.
    let promotion = event.promotion.clone().unwrap();
    recording.note_log(&promotion, &check, 2, "one again\ntwo again\n");
    let ended = events
        .iter()
        .find(|event| matches!(event.fact, Fact::Finished { .. }))
        .unwrap();
    recording.record(ended.clone());
    recording.flush().await;
    let logs = records.logs();
    let logs: Vec<_> = logs
        .iter()
        .map(|(run, text)| (*run, text.as_str()))
        .collect();
    assert_eq!(logs, [(1, "one\ntwo\n"), (2, "one again\ntwo again\n")]);
}
