//! The images of a plan beside those that serve.

use anstyle::Style;
use jiff::Timestamp;

use crate::cli::view::line::{BAD, BOLD, DIM, GOOD, Line, PLAIN};
use crate::cli::view::table::Table;
use crate::cli::view::terminal::Room;
use crate::cli::view::text::Text;
use crate::cli::view::time::{ago, moment};
use crate::engine::propose::Proposal;
use crate::plan::AppPlan;
use crate::plan::image::ResolvedImage;

/// Characters of a commit that are shown.
const COMMIT: usize = 12;

/// What a plan changes in an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppChange {
    /// It is new.
    New,
    /// Its image.
    Image,
    /// Its objects, but not its image.
    Settings,
    /// Nothing.
    None,
}

/// Every app of the plan with what changes in it.
pub(super) fn changes(proposal: &Proposal) -> impl Iterator<Item = (&AppPlan, AppChange)> {
    proposal.plan.apps.iter().map(|app| {
        let touched = proposal.changes.iter().any(|change| change.app == app.name);
        let change = match live(proposal, app) {
            None => AppChange::New,
            Some(live) if live.image.digest != app.image.digest => AppChange::Image,
            Some(_) if touched => AppChange::Settings,
            Some(_) => AppChange::None,
        };
        (app, change)
    })
}

/// Apps that serve and are not in the plan any more.
pub(super) fn removed(proposal: &Proposal) -> impl Iterator<Item = &AppPlan> {
    let live = proposal.live.iter().flat_map(|live| &live.apps);
    live.filter(|app| proposal.plan.app(&app.name).is_none())
}

/// The app as it serves.
pub(super) fn live<'a>(proposal: &'a Proposal, app: &AppPlan) -> Option<&'a AppPlan> {
    proposal.live.as_ref()?.app(&app.name)
}

/// A table; or, where it is too wide, a paragraph per app.
pub(super) fn table(proposal: &Proposal, now: Timestamp, room: Room) -> String {
    let first = proposal.live.is_none();
    let mut heading = vec![
        "APP",
        "ACTIVE",
        "CANDIDATE",
        "BRANCH",
        "BUILD",
        "COMMIT",
        "PUSHED",
    ];
    heading.retain(|head| !(first && *head == "ACTIVE"));
    let mut table = Table::new(&heading);
    for (app, change) in changes(proposal) {
        let (name, new) = styles(change);
        let image = &app.image;
        let mut cells = vec![(name, app.name.to_string())];
        if !first {
            let active =
                live(proposal, app).map_or("none".to_owned(), |live| version(&live.image, "\n"));
            cells.push((DIM, active));
        }
        let candidate = match change {
            AppChange::None => "unchanged".to_owned(),
            AppChange::Settings => "same image,\nnew settings".to_owned(),
            AppChange::New | AppChange::Image => version(image, "\n"),
        };
        cells.push((new, candidate));
        let rest = [
            image.branch.to_string(),
            image.build.to_string(),
            commit(image).to_owned(),
            format!("{}\n{}", moment(image.pushed_at), ago(image.pushed_at, now)),
        ];
        let style = if change == AppChange::None {
            DIM
        } else {
            PLAIN
        };
        cells.extend(rest.map(|text| (style, text)));
        table.row(cells);
    }
    for app in removed(proposal) {
        let cells = [
            app.name.to_string(),
            version(&app.image, "\n"),
            "removed".to_owned(),
        ];
        table.row([BAD, DIM, BAD].into_iter().zip(cells).collect());
    }
    if table.natural_width() <= room.table {
        table.render(room.table)
    } else {
        paragraphs(proposal, now, room)
    }
}

fn paragraphs(proposal: &Proposal, now: Timestamp, room: Room) -> String {
    let mut text = Text::new(room.prose);
    let named = |name: &str| Line::new().and("  ").with(DIM, name).pad(13);
    for (app, change) in changes(proposal) {
        let (name, new) = styles(change);
        let image = &app.image;
        let said = match change {
            AppChange::New => "  new",
            AppChange::Image => "",
            AppChange::Settings => "  same image, new settings",
            AppChange::None => "  unchanged",
        };
        text.line(Line::new().with(name, app.name.as_str()).with(DIM, said));
        if let Some(live) = live(proposal, app).filter(|_| change == AppChange::Image) {
            text.line(named("active").with(DIM, version(&live.image, "  ")));
        }
        text.line(named("candidate").with(new, version(image, "  ")));
        let built = format!("{}, build {}", image.branch, image.build);
        text.line(named("branch").with(DIM, built));
        if image.commit.is_some() {
            text.line(named("commit").with(DIM, commit(image)));
        }
        let pushed = format!("{}, {}", moment(image.pushed_at), ago(image.pushed_at, now));
        text.line(named("pushed").with(DIM, pushed));
    }
    text.lines(removed(proposal).map(|app| {
        Line::new()
            .with(BAD, app.name.as_str())
            .with(DIM, "  removed")
    }));
    text.finish()
}

/// The styles of an app's name and of its new image.
fn styles(change: AppChange) -> (Style, Style) {
    match change {
        AppChange::New | AppChange::Image => (BOLD, GOOD),
        AppChange::Settings => (BOLD, PLAIN),
        AppChange::None => (DIM, DIM),
    }
}

fn version(image: &ResolvedImage, between: &str) -> String {
    format!("{}{between}{}", image.tag, image.digest.short())
}

fn commit(image: &ResolvedImage) -> &str {
    let commit = image.commit.as_deref().unwrap_or("-");
    commit.get(..COMMIT).unwrap_or(commit)
}
