//! What giving a promotion up or going back came to, and why there may be
//! nothing to do.

use super::line::{BAD, BOLD, DIM, GOOD, Line, PLACE};
use super::terminal;
use super::text::Text;
use crate::cli::called;
use crate::group::name::GroupName;
use crate::promotion::ReasonKind;
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;
use crate::promotion::record::{GroupRecord, Outcome};
use crate::promotion::request::Action;

/// How a promotion ended that was to be given up or rolled back.
pub fn undone(action: Action, outcome: &Outcome) -> String {
    let mut text = Text::new(terminal::prose());
    let (kind, done) = match action {
        Action::Abort => (ReasonKind::Interrupted, "aborted"),
        Action::Rollback => (ReasonKind::RolledBack, "rolled back"),
    };
    let reason = outcome.reasons.iter().find(|reason| reason.kind == kind);
    let promotion = &outcome.promotion;
    match (reason, outcome.phase) {
        (Some(_), Phase::Failed) => {
            text.line(failed("✗ the way back did not come to its end: "));
            text.lines(reasons(outcome));
        }
        (Some(reason), _) => {
            let line = Line::new().with(GOOD.bold(), format!("✓ {done}"));
            let serves = match action {
                Action::Abort => ": what served before keeps serving".to_owned(),
                Action::Rollback => format!(": {} serves again", outcome.color.other()),
            };
            text.line(line.with(BOLD, serves));
            let about = format!("  promotion {promotion}: {}", reason.text);
            text.line(Line::new().with(DIM, about));
        }
        (None, Phase::Promoted) => {
            let late = match action {
                Action::Abort => "its users were moved first",
                Action::Rollback => "keep_old was over first",
            };
            text.line(failed(&format!("✗ not {done}: {late}")));
            text.line(Line::new().with(DIM, format!("  promotion {promotion} is promoted")));
        }
        (None, _) => {
            text.line(failed(&format!(
                "✗ not {done}: the promotion ended otherwise"
            )));
            text.lines(reasons(outcome));
        }
    }
    text.finish()
}

/// That the promoter which drives the promotion does not do it, and why.
pub fn not_undone(action: Action, promotion: &PromotionId, why: &str) -> String {
    let mut text = Text::new(terminal::messages());
    let said = match action {
        Action::Abort => "✗ not aborted",
        Action::Rollback => "✗ not rolled back",
    };
    text.line(failed(said).and(format!(": promotion {promotion} waits for {why}")));
    text.finish()
}

/// Why there is nothing that could be given up, or that traffic could go back to.
pub fn nothing_to_undo(action: Action, group: &GroupName, record: &GroupRecord) -> String {
    let mut text = Text::new(terminal::messages());
    let (about, hint) = match action {
        Action::Abort => (
            ": nothing to abort before its switch: ",
            "`promoter rollback` goes back to what served before",
        ),
        Action::Rollback => (
            ": no user was moved yet: ",
            "`promoter abort` gives it up, and what serves keeps serving",
        ),
    };
    let line = Line::new().with(BAD.bold(), "error").with(BOLD, about);
    text.line(line.and(stands(action, group, record)));
    text.line(
        Line::new()
            .with(PLACE, "hint")
            .and(": ")
            .and(called::said(hint)),
    );
    text.finish()
}

fn stands(action: Action, group: &GroupName, record: &GroupRecord) -> String {
    match (&record.in_flight, &record.serving) {
        (Some(promotion), _) if promotion.phase.leads_users() => match action {
            Action::Abort => format!("users of promotion {} are moved already", promotion.id),
            Action::Rollback => format!("nothing served before promotion {}", promotion.id),
        },
        (Some(promotion), _) => format!(
            "promotion {} is {}, its candidate serves nobody",
            promotion.id, promotion.phase
        ),
        (None, Some(serving)) => {
            let release = &serving.release;
            format!("release {release} serves alone; nothing is under way")
        }
        (None, None) => format!("group {group} was never promoted here"),
    }
}

/// That nothing was left unfinished, and what serves.
pub fn nothing_to_resume(group: &GroupName, record: &GroupRecord) -> String {
    let mut text = Text::new(terminal::prose());
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
