//! A group's record as the status of its `DeploymentGroup`: the record itself,
//! and what people and `kubectl wait` look at beside it.

use serde_json::{Value, json};

use crate::plan::text::cut;
use crate::port::{ClusterError, Epoch};
use crate::promotion::phase::Phase;
use crate::promotion::record::GroupRecord;

/// Most bytes of a record. With what stands beside it here, and up to 4 kB of
/// metadata, a `DeploymentGroup` stays under 64 kB (design: capped, as history
/// does not belong into etcd).
const LARGEST: usize = 57_000;

/// Most bytes of a text beside the record, which has it at length.
const TEXT: usize = 500;

/// What people see in columns, beside the record itself.
pub(super) fn status(epoch: Epoch, record: &GroupRecord) -> Result<Value, ClusterError> {
    let stored = record.to_json(LARGEST);
    let stored = stored.map_err(|error| ClusterError::Refused {
        action: "write the DeploymentGroup".to_owned(),
        reason: error.to_string(),
    })?;
    let last = record.outcomes.first();
    let phase = record
        .in_flight
        .as_ref()
        .map(|promotion| (promotion.phase, promotion.phase_since));
    let phase = phase.or_else(|| last.map(|outcome| (outcome.phase, outcome.ended_at)));
    let reasons = match &record.in_flight {
        Some(promotion) => &promotion.reasons[..],
        None => last.map_or(&[][..], |outcome| &outcome.reasons),
    };
    let mut status = json!({
        "fence": epoch.0,
        "record": stored,
        "conditions": conditions(record),
        "verdict": verdict(record),
        "reason": reasons.first().map(|reason| cut(&reason.text, TEXT)),
    });
    if let Some((phase, since)) = phase {
        status["phase"] = phase.to_string().into();
        status["since"] = since.to_string().into();
    }
    if let Some(serving) = &record.serving {
        status["color"] = serving.color.as_str().into();
        status["release"] = serving.release.short().into();
    }
    Ok(status)
}

/// What the checks of the last promotion said, in a word.
fn verdict(record: &GroupRecord) -> String {
    if record
        .in_flight
        .as_ref()
        .is_some_and(|promotion| promotion.phase < Phase::Promoting)
    {
        return "pending".to_owned();
    }
    let Some(outcome) = record.outcomes.first() else {
        return "none".to_owned();
    };
    let worst = outcome.worst();
    worst.map_or_else(|| "untested".to_owned(), |verdict| verdict.to_string())
}

/// `Progressing`: whether a promotion is under way, and what it waits for.
/// `Promoted`: how the last one ended. `Astray`: whether somebody changed
/// where active Services point.
fn conditions(record: &GroupRecord) -> Vec<Value> {
    let condition = |kind: &str, is: bool, reason: String, message: String, since: String| {
        json!({
            "type": kind,
            "status": if is { "True" } else { "False" },
            "reason": reason,
            "message": cut(&message, TEXT),
            "lastTransitionTime": since,
        })
    };
    let last = record.outcomes.first();
    let mut conditions = Vec::new();
    if let Some(promotion) = &record.in_flight {
        let waits = promotion.waits_for.clone();
        let message = waits.map_or_else(String::new, |what| format!("waits for {what}"));
        let since = promotion.started_at.to_string();
        let phase = word(promotion.phase);
        conditions.push(condition("Progressing", true, phase, message, since));
    } else if let Some(outcome) = last {
        let since = outcome.ended_at.to_string();
        let idle = "Idle".to_owned();
        conditions.push(condition("Progressing", false, idle, String::new(), since));
    }
    if let Some(outcome) = last {
        let reasons: Vec<_> = outcome.reasons.iter().map(|r| r.text.as_str()).collect();
        let promotion = format!("promotion {}", outcome.promotion);
        let message = if reasons.is_empty() {
            promotion
        } else {
            format!("{promotion}: {}", reasons.join("; "))
        };
        conditions.push(condition(
            "Promoted",
            outcome.phase == Phase::Promoted,
            word(outcome.phase),
            message,
            outcome.ended_at.to_string(),
        ));
    }
    let since = record.in_flight.as_ref().map(|p| p.phase_since);
    let since = since.or_else(|| last.map(|outcome| outcome.ended_at));
    if let Some(since) = since {
        let is = !record.astray.is_empty();
        let reason = if is { "SelectorChanged" } else { "AsRecorded" };
        let message = record.astray.join("; ");
        conditions.push(condition(
            "Astray",
            is,
            reason.to_owned(),
            message,
            since.to_string(),
        ));
    }
    conditions
}

/// A phase as a condition's reason: one word that begins with a capital.
pub(super) fn word(phase: Phase) -> String {
    format!("{phase:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promotion::record::tests::largest;

    /// What the API server keeps beside the status: it was 1.4 kB for a record
    /// that is one field, and 17.6 kB where each of its fields had an owner.
    const METADATA: usize = 4_000;

    #[test]
    fn one_that_passed_says_no_reason() {
        let mut record = largest(Phase::Promoting);
        let message = |record: &GroupRecord| {
            let conditions = conditions(record);
            let promoted = conditions.iter().find(|found| found["type"] == "Promoted");
            promoted.unwrap()["message"].as_str().unwrap().to_owned()
        };
        let named = format!("promotion {}", record.outcomes[0].promotion);
        record.outcomes[0].reasons.clear();
        assert_eq!(message(&record), named);
    }

    #[test]
    fn the_largest_object_stays_under_64_kb() {
        for phase in [Phase::Promoting, Phase::Failed] {
            let status = status(Epoch(1_000_000), &largest(phase)).unwrap();
            let bytes = status.to_string().len() + METADATA;
            println!("{phase}: {bytes} bytes with {METADATA} of metadata");
            assert!(bytes <= 64_000, "{phase}: {bytes} bytes");
        }
    }
}
