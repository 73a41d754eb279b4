//! What happens to a group, as lines of the daemon's log.
//!
//! Each line bears what it is about: the group and its environment, and the
//! promotion, by whose identity its lines can be found among those of others.
//! What checks write is not logged; it is in the records. Nor is that a promotion was
//! refused: the daemon asks for it again and again, and says itself what is new of that.

use std::sync::{Mutex, PoisonError};

use tracing::{error, info, warn};

use super::story::Story;
use crate::cli::view::{Line, between, took};
use crate::group::name::EnvironmentName;
use crate::port::Recorder;
use crate::promotion::event::{Event, Fact};
use crate::promotion::phase::Phase;
use crate::promotion::record::Outcome;
use crate::promotion::{Actor, Trigger};

/// Logs the events of one group.
pub struct Log {
    environment: EnvironmentName,
    told: Mutex<Told>,
}

struct Told {
    story: Story,
    /// By which way the promotion was asked for that is told of.
    trigger: Option<Trigger>,
}

/// How much somebody has to care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// It happened.
    Info,
    /// Somebody should know.
    Warn,
    /// A person is needed.
    Error,
}

impl Log {
    /// For a group of that environment.
    pub fn new(environment: EnvironmentName) -> Self {
        let told = Told {
            story: Story::new(false),
            trigger: None,
        };
        Self {
            environment,
            told: Mutex::new(told),
        }
    }
}

impl Recorder for Log {
    fn record(&self, event: Event) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let level = level(&event.fact);
        let asked = actor(&event.fact).map(|actor| actor.trigger);
        told.trigger = asked.or(told.trigger.filter(|_| event.promotion.is_some()));
        let environment = self.environment.as_str();
        let group = event.group.to_string();
        let group = group.as_str();
        let promotion = event.promotion.as_ref().map(ToString::to_string);
        let promotion = promotion.as_deref();
        let own = own_words(&event.fact);
        let entered = match event.fact {
            Fact::Entered { phase, .. } if !phase.is_final() => Some(format!("is {phase} now")),
            _ => None,
        };
        let texts = told.story.tell(event);
        let texts: Vec<_> = texts.iter().map(Line::plain).collect();
        let said = (!texts.is_empty()).then(|| texts.join("; "));
        let message = own.or(said).or(entered).unwrap_or_default();
        // The line has its level beside it.
        let message = message.strip_prefix("warning: ").unwrap_or(&message);
        if message.is_empty() {
            return;
        }
        let phase = told.story.phase().filter(|_| promotion.is_some());
        let phase = phase.map(|phase| phase.to_string());
        let phase = phase.as_deref();
        let trigger = told.trigger.map(|trigger| trigger.to_string());
        let trigger = trigger.as_deref();
        // The level of a line has to be known when this is compiled.
        match level {
            Level::Info => info!(environment, group, promotion, phase, trigger, "{message}"),
            Level::Warn => warn!(environment, group, promotion, phase, trigger, "{message}"),
            Level::Error => error!(environment, group, promotion, phase, trigger, "{message}"),
        }
    }
}

/// Who asked for what is told of.
fn actor(fact: &Fact) -> Option<&Actor> {
    match fact {
        Fact::Started { actor, .. } => Some(actor),
        Fact::Finished { outcome } => Some(&outcome.actor),
        _ => None,
    }
}

fn level(fact: &Fact) -> Level {
    match fact {
        Fact::Finished { outcome } if outcome.phase == Phase::Failed => Level::Error,
        Fact::Finished { outcome } if outcome.phase != Phase::Promoted => Level::Warn,
        Fact::Astray { found } if !found.is_empty() => Level::Warn,
        Fact::Warning { .. }
        | Fact::CheckRepeated { .. }
        | Fact::Overridden { .. }
        | Fact::Repaired { .. }
        | Fact::Rebuilt { .. }
        | Fact::Resumed { .. }
        | Fact::SwitchedBack => Level::Warn,
        _ => Level::Info,
    }
}

/// What a terminal is told at the end, or in other words.
fn own_words(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Left { .. } => Some("traffic is moved; the rest is left to the next one".to_owned()),
        Fact::Finished { outcome } => Some(ended(outcome)),
        _ => None,
    }
}

fn ended(outcome: &Outcome) -> String {
    let passed = took(between(outcome.started_at, outcome.ended_at));
    let text = format!("{} after {passed}", outcome.ending().word());
    let reasons = outcome.reasons.iter().map(|reason| reason.text.as_str());
    let reasons: Vec<_> = reasons.collect();
    if reasons.is_empty() {
        text
    } else {
        format!("{text}: {}", reasons.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::progress::sample::{aborted, promoted};
    use crate::cli::view::sample::from;
    use crate::config::tests::logged;

    fn lines(events: Vec<Event>) -> String {
        let log = Log::new(from("staging"));
        logged(|| {
            for event in events {
                log.record(event);
            }
        })
    }

    #[test]
    fn a_promotion_line_by_line() {
        insta::assert_snapshot!(lines(promoted()), @r#"
        {"level":"info","message":"promotion 0tq00001: release 9f8e7d6c5b4a into green; blue serves release bluerelease0; apps: hello-a master-42-000002a, hello-b master-42-000002a; checks: greets, smoke","group":"master","environment":"staging","promotion":"0tq00001","phase":"planned","trigger":"cli"}
        {"level":"info","message":"is deploying now","group":"master","environment":"staging","promotion":"0tq00001","phase":"deploying","trigger":"cli"}
        {"level":"info","message":"hello-a green 0/2 ready","group":"master","environment":"staging","promotion":"0tq00001","phase":"deploying","trigger":"cli"}
        {"level":"info","message":"waits for pods of hello-a, hello-b to be ready, until 10:09:07 at the latest","group":"master","environment":"staging","promotion":"0tq00001","phase":"deploying","trigger":"cli"}
        {"level":"info","message":"hello-a green 2/2 ready","group":"master","environment":"staging","promotion":"0tq00001","phase":"deploying","trigger":"cli"}
        {"level":"info","message":"hello-b green 1/2 ready: unschedulable: 0/2 nodes are available: 2 Insufficient memory","group":"master","environment":"staging","promotion":"0tq00001","phase":"deploying","trigger":"cli"}
        {"level":"warn","message":"failed to reach the cluster; trying again","group":"master","environment":"staging","promotion":"0tq00001","phase":"deploying","trigger":"cli"}
        {"level":"info","message":"hello-b green 2/2 ready","group":"master","environment":"staging","promotion":"0tq00001","phase":"deploying","trigger":"cli"}
        {"level":"info","message":"all candidates are ready","group":"master","environment":"staging","promotion":"0tq00001","phase":"checking","trigger":"cli"}
        {"level":"info","message":"check greets started","group":"master","environment":"staging","promotion":"0tq00001","phase":"checking","trigger":"cli"}
        {"level":"info","message":"check smoke started","group":"master","environment":"staging","promotion":"0tq00001","phase":"checking","trigger":"cli"}
        {"level":"info","message":"waits for check greets: its container to end; check smoke: its container to end, until 10:09:07 at the latest","group":"master","environment":"staging","promotion":"0tq00001","phase":"checking","trigger":"cli"}
        {"level":"warn","message":"check smoke is run again: its pod was deleted","group":"master","environment":"staging","promotion":"0tq00001","phase":"checking","trigger":"cli"}
        {"level":"info","message":"check smoke started, run 2","group":"master","environment":"staging","promotion":"0tq00001","phase":"checking","trigger":"cli"}
        {"level":"info","message":"check greets passed in 4.2s: 14 test cases passed","group":"master","environment":"staging","promotion":"0tq00001","phase":"checking","trigger":"cli"}
        {"level":"info","message":"check smoke passed in 4.2s: exit 0","group":"master","environment":"staging","promotion":"0tq00001","phase":"checking","trigger":"cli"}
        {"level":"info","message":"the gate lets it pass","group":"master","environment":"staging","promotion":"0tq00001","phase":"promoting","trigger":"cli"}
        {"level":"info","message":"switched 2 Services to green in 14 ms","group":"master","environment":"staging","promotion":"0tq00001","phase":"promoting","trigger":"cli"}
        {"level":"info","message":"is settling now","group":"master","environment":"staging","promotion":"0tq00001","phase":"settling","trigger":"cli"}
        {"level":"info","message":"keep_old: blue stays for an instant way back, until 10:09:07 at the latest","group":"master","environment":"staging","promotion":"0tq00001","phase":"settling","trigger":"cli"}
        {"level":"info","message":"hello-a blue is gone","group":"master","environment":"staging","promotion":"0tq00001","phase":"settling","trigger":"cli"}
        {"level":"info","message":"hello-b blue is gone","group":"master","environment":"staging","promotion":"0tq00001","phase":"settling","trigger":"cli"}
        {"level":"info","message":"the old colour is gone","group":"master","environment":"staging","promotion":"0tq00001","phase":"promoted","trigger":"cli"}
        {"level":"info","message":"promoted after 52s","group":"master","environment":"staging","promotion":"0tq00001","phase":"promoted","trigger":"cli"}
        "#);
    }

    #[test]
    fn one_that_is_not_promoted() {
        let lines = lines(aborted());
        assert!(!lines.contains("ok 1"), "what checks write: {lines}");
        let last: Vec<_> = lines.lines().rev().take(3).collect();
        insta::assert_snapshot!(last.join("\n"), @r#"
        {"level":"warn","message":"not deployed after 18s","group":"master","environment":"staging","promotion":"0tq00001","phase":"aborted","trigger":"cli"}
        {"level":"info","message":"the candidate is gone","group":"master","environment":"staging","promotion":"0tq00001","phase":"aborted","trigger":"cli"}
        {"level":"info","message":"check greets failed: exit 1; app hello-a: somebody changed its candidate","group":"master","environment":"staging","promotion":"0tq00001","phase":"aborting","trigger":"cli"}
        "#);
    }

    #[test]
    fn that_one_is_refused_is_for_the_daemon_to_say() {
        let refused = serde_json::json!({
            "at": "2026-11-21T10:04:07Z",
            "group": "master",
            "event": "refused",
            "actor": { "name": "promoter-0", "trigger": "cli" },
            "release": "9f8e7d6c5b4a3322",
            "restraints": [{ "budget": { "why": "12 USD of 10 are spent" } }],
        });
        let refused = serde_json::from_value(refused).unwrap();
        assert_eq!(lines(vec![refused]), "");
    }

    #[test]
    fn a_person_is_needed() {
        let Some(Event { fact, .. }) = aborted().pop() else {
            panic!("nothing happened")
        };
        let Fact::Finished { mut outcome } = fact else {
            panic!("{fact:?}")
        };
        assert_eq!(
            level(&Fact::Finished {
                outcome: outcome.clone()
            }),
            Level::Warn
        );
        outcome.phase = Phase::Failed;
        assert_eq!(level(&Fact::Finished { outcome }), Level::Error);
    }
}
