//! What a rollback came to, and why there may be nothing to do.

use super::line::{BAD, BOLD, DIM, GOOD, Line, PLACE};
use super::text::Text;
use crate::group::name::GroupName;
use crate::promotion::ReasonKind;
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;
use crate::promotion::record::{GroupRecord, Outcome};

/// How a promotion ended that was to be rolled back.
pub fn rolled_back(outcome: &Outcome) -> String {
    let mut text = Text::new();
    let done = outcome
        .reasons
        .iter()
        .find(|reason| reason.kind == ReasonKind::RolledBack);
    let promotion = &outcome.promotion;
    match (done, outcome.phase) {
        (Some(_), Phase::Failed) => {
            text.line(failed("✗ the way back did not come to its end: "));
            text.lines(reasons(outcome));
        }
        (Some(reason), _) => {
            let line = Line::new().with(GOOD.bold(), "✓ rolled back");
            text.line(line.with(BOLD, format!(": {} serves again", outcome.color.other())));
            let about = format!("  promotion {promotion}: {}", reason.text);
            text.line(Line::new().with(DIM, about));
        }
        (None, Phase::Promoted) => {
            text.line(failed("✗ not rolled back: keep_old was over first"));
            text.line(Line::new().with(DIM, format!("  promotion {promotion} is promoted")));
        }
        (None, _) => {
            text.line(failed("✗ not rolled back: the promotion ended otherwise"));
            text.lines(reasons(outcome));
        }
    }
    text.finish()
}

/// That the promoter which drives the promotion does not go back, and why.
pub fn not_rolled_back(promotion: &PromotionId, why: &str) -> String {
    let mut text = Text::new();
    text.line(failed("✗ not rolled back").and(format!(": promotion {promotion} waits for {why}")));
    text.finish()
}

/// Why there is nothing that traffic could go back to.
pub fn nothing_to_return_to(group: &GroupName, record: &GroupRecord) -> String {
    let mut text = Text::new();
    let why = match (&record.in_flight, &record.serving) {
        (Some(promotion), _) if promotion.phase.leads_users() => {
            format!("nothing served before promotion {}", promotion.id)
        }
        (Some(promotion), _) => format!(
            "promotion {} is {}, its candidate serves nobody",
            promotion.id, promotion.phase
        ),
        (None, Some(serving)) => format!(
            "release {} serves alone; what served before it is gone",
            serving.release
        ),
        (None, None) => format!("group {group} was never promoted here"),
    };
    let line = Line::new().with(BAD.bold(), "error");
    let about = ": nothing to roll back to inside keep_old: ";
    text.line(line.with(BOLD, about).and(why));
    let hint =
        "a longer `keep_old` keeps the way back open; an interrupted deploy is aborted by Ctrl-C";
    text.line(Line::new().with(PLACE, "hint").and(": ").and(hint));
    text.finish()
}

/// That nothing was left unfinished, and what serves.
pub fn nothing_to_resume(group: &GroupName, record: &GroupRecord) -> String {
    let mut text = Text::new();
    let serves = record.serving.as_ref().map_or_else(
        || "nothing serves".to_owned(),
        |serving| format!("release {} serves in {}", serving.release, serving.color),
    );
    let line = Line::new().with(BOLD, group.as_str());
    text.line(line.and(format!(": nothing is unfinished; {serves}")));
    text.finish()
}

fn failed(said: &str) -> Line {
    Line::new().with(BAD.bold(), said)
}

fn reasons(outcome: &Outcome) -> impl Iterator<Item = Line> {
    let reasons = outcome.reasons.iter();
    reasons.map(|reason| Line::new().and("  ").and(&reason.text))
}
