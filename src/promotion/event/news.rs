//! Which of the events that are told are news.
//!
//! Whoever takes a promotion over tells once more what is on record of it, so that
//! nobody misses a fact. Who counts facts, or writes down when they were, needs
//! each of them once. What is told again by another process was told by the one
//! that saw it; only what that saw in the moment it died is missed.

use std::collections::{BTreeSet, VecDeque};

use super::{Event, Fact};
use crate::promotion::id::PromotionId;

/// Promotions of which it is known what was told.
const MOST_REMEMBERED: usize = 8;

/// Listens to the events of one group.
#[derive(Debug, Default)]
pub struct News {
    told: VecDeque<(PromotionId, BTreeSet<String>)>,
    /// A promotion was taken over, and nothing has happened since.
    retelling: bool,
}

impl News {
    /// Whether an event is; it is none when it is told the next time, if what it
    /// tells holds once.
    pub fn is(&mut self, event: &Event) -> bool {
        let once = event.promotion.as_ref().zip(event.fact.once());
        let Some((promotion, once)) = once else {
            self.retelling = match event.fact {
                Fact::Resumed { .. } => true,
                Fact::CheckRepeated { .. } => self.retelling,
                _ => false,
            };
            return !(self.retelling && matches!(event.fact, Fact::CheckRepeated { .. }));
        };
        let ends = matches!(event.fact, Fact::Finished { .. });
        !self.was_told(promotion, once) && (ends || !self.retelling)
    }

    /// Whether it was told; it is now.
    fn was_told(&mut self, promotion: &PromotionId, once: String) -> bool {
        if let Some((_, told)) = self.told.iter_mut().find(|(of, _)| of == promotion) {
            return !told.insert(once);
        }
        if self.told.len() == MOST_REMEMBERED {
            self.told.pop_front();
        }
        let told = BTreeSet::from([once]);
        self.told.push_back((promotion.clone(), told));
        false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(promotion: &str, mut fact: Value) -> Event {
        fact["at"] = json!("2026-11-21T10:04:07Z");
        fact["group"] = json!("master");
        fact["promotion"] = json!(promotion);
        serde_json::from_value(fact).unwrap()
    }

    fn resumed() -> Value {
        json!({ "event": "resumed", "phase": "Checking" })
    }

    fn ended(check: &str) -> Value {
        json!({ "event": "check-ended", "result": {
            "check": check, "promotion": "0tq00001", "plan": "p", "verdict": "Passed",
            "reason": "exit 0", "attempt": 1
        }})
    }

    fn waiting() -> Value {
        json!({ "event": "waiting", "waitFor": "a check", "until": "2026-11-21T10:04:07Z" })
    }

    fn news(facts: &[Value]) -> Vec<bool> {
        let mut news = News::default();
        let events = facts.iter().map(|fact| event("0tq00001", fact.clone()));
        events.map(|event| news.is(&event)).collect()
    }

    #[test]
    fn what_holds_once_is_told_once() {
        let facts = [ended("a"), ended("b"), ended("a"), waiting(), waiting()];
        assert_eq!(news(&facts), [true, true, false, true, true]);
    }

    #[test]
    fn what_somebody_else_has_told_is_no_news() {
        let repeated = json!({ "event": "check-repeated", "check": "b", "reason": "lost" });
        let facts = [
            resumed(),
            repeated.clone(),
            ended("a"),
            waiting(),
            repeated,
            ended("b"),
        ];
        assert_eq!(news(&facts), [true, false, false, true, true, true]);
    }

    #[test]
    fn other_promotions_are_others() {
        let mut news = News::default();
        for n in 0..10 {
            assert!(news.is(&event(&format!("0tq0000{n}"), ended("a"))), "{n}");
        }
        assert!(!news.is(&event("0tq00009", ended("a"))));
        assert_eq!(news.told.len(), MOST_REMEMBERED);
    }
}
