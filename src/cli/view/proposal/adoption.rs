//! What adopting a group would do, for `promoter adopt`.

use jiff::Timestamp;

use super::{apps, decision, head, planned};
use crate::cli::view::line::{BOLD, DIM, Line, of};
use crate::cli::view::terminal::Room;
use crate::cli::view::text::Text;
use crate::cli::view::words::{count, verb};
use crate::engine::propose::Proposal;
use crate::group::duration::Short;
use crate::plan::Plan;
use crate::plan::object::ObjectRef;

/// What taking an object over changes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A Deployment stands still.
    Paused,
    /// A Service leads to the pods it has now and to no others.
    Narrowed,
    /// It is known as the group's.
    Marked,
}

impl Change {
    /// In one word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Narrowed => "narrowed",
            Self::Marked => "marked",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Paused => "paused: its pods serve on, and nothing rolls out meanwhile",
            Self::Narrowed => "narrowed to the pods it leads to now",
            Self::Marked => "marked as the group's",
        }
    }
}

/// What is taken over, in the order in which it is.
pub(super) fn takings(proposal: &Proposal) -> impl Iterator<Item = (&ObjectRef, Change)> {
    let live = proposal.live.iter().flat_map(|live| &live.adopted);
    let takings = live.flat_map(|adopted| &adopted.takings);
    let takings = takings.map(|taking| {
        let change = match taking.object.kind.as_str() {
            "Deployment" => Change::Paused,
            "Service" => Change::Narrowed,
            _ => Change::Marked,
        };
        (&taking.object, change)
    });
    let mut takings: Vec<_> = takings.collect();
    takings.sort_by_key(|(_, change)| *change as u8);
    takings.into_iter()
}

/// What is taken over, what is made beside it, what decides, and what goes then.
pub fn adoption(proposal: &Proposal, now: Timestamp, room: Room) -> String {
    let mut text = Text::new(room.prose);
    text.lines(head(proposal).into_iter().take(1));
    text.line(beside(proposal));
    text.gap();
    text.block(&apps::table(proposal, now, room));
    text.gap();
    text.line(Line::new().and("takes over, and gives back as it was unless this is promoted:"));
    text.lines(taken(proposal));
    text.lines(going(proposal));
    text.gap();
    decision(&mut text, proposal, now);
    text.line(summary(proposal));
    text.finish()
}

fn beside(proposal: &Proposal) -> Line {
    let plan = &proposal.plan;
    Line::new()
        .and("release ")
        .with(BOLD, plan.release.short())
        .and(" would fill ")
        .with(of(plan.candidate), plan.candidate.as_str())
        .and(", beside what stands, which would be ")
        .with(of(plan.candidate.other()), plan.candidate.other().as_str())
}

fn taken(proposal: &Proposal) -> Vec<Line> {
    let names = takings(proposal).map(|(object, _)| object.to_string());
    let column = names
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default()
        + 4;
    let lines = takings(proposal).map(|(object, change)| {
        let name = Line::new().and("  ").with(BOLD, object.to_string());
        name.pad(column).with(DIM, change.meaning())
    });
    lines.collect()
}

/// What is made for it, and what goes with it.
fn going(proposal: &Proposal) -> Vec<Line> {
    let Some(live) = &proposal.live else {
        return Vec::new();
    };
    let colored = live.services().map(|service| service.colored.name());
    let colored: Vec<_> = colored.collect();
    let order = live.teardown_order().into_iter().flatten();
    let order = order.filter_map(|app| live.app(&app));
    let order: Vec<_> = order.map(|app| app.deployment.name()).collect();
    let made = Line::new()
        .and("makes for what stands, as ")
        .with(of(live.candidate), live.candidate.as_str())
        .and(format!(": Service {}", colored.join(", ")));
    let goes = Line::new().and(format!(
        "goes once this is promoted, {} after the switch, in this order: Deployment {}",
        Short(proposal.plan.keep_old),
        order.join(", ")
    ));
    let made = (!colored.is_empty()).then_some(made);
    made.into_iter().chain([goes]).collect()
}

fn summary(proposal: &Proposal) -> Line {
    let apps = proposal
        .live
        .as_ref()
        .map_or(0, |live: &Plan| live.apps.len());
    let what = format!("{} {} adopted", count(apps, "app"), verb(apps, "is", "are"));
    planned(proposal, &what)
}
