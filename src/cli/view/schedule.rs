//! When the daemon promotes which group.

use std::iter;

use anstyle::Style;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::line::{DIM, PLAIN};
use super::table::Table;
use super::terminal::Room;
use super::time::{between, clock};
use crate::group::Group;
use crate::group::duration::Short;
use crate::group::schedule::Schedule;
use crate::group::triggers::{Run, Triggers};

/// The next runs of each group after `now`, at most so many, and what else starts them.
pub fn schedule(groups: &[Group], now: Timestamp, next: usize, room: Room) -> String {
    let mut table = Table::new(&["GROUP", "ENVIRONMENT", "NEXT", "IN", "BECAUSE OF"]);
    for group in groups {
        let Triggers {
            schedule,
            on_push,
            quiet_period,
            ..
        } = &group.triggers;
        let mut row = |when: String, left: String, because: String| {
            table.row(vec![
                (PLAIN, group.name.to_string()),
                (PLAIN, group.environment.name.to_string()),
                (PLAIN, when),
                dim(left),
                dim(because),
            ]);
        };
        if let Some(schedule) = schedule {
            let zone = TimeZone::get(schedule.timezone()).unwrap_or(TimeZone::UTC);
            for run in runs(group, now).take(next) {
                let when = run.at.to_zoned(zone.clone());
                let when = when.strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string();
                row(when, clock(between(now, run.at)), schedule.to_string());
            }
        }
        if *on_push {
            let because = format!(
                "new images, once nobody pushed for {}",
                Short(*quiet_period)
            );
            row("on push".to_owned(), String::new(), because);
        }
        if !group.triggers.are_any() {
            row("by hand".to_owned(), String::new(), String::new());
        }
    }
    table.render(room.table)
}

/// The same for programs.
pub fn schedule_json(groups: &[Group], now: Timestamp, next: usize) -> Value {
    let groups = groups.iter().map(|group| {
        let triggers = &group.triggers;
        let schedule = triggers.schedule.as_ref();
        let runs = runs(group, now).take(next);
        json!({
            "group": group.name,
            "environment": group.environment.name,
            "schedule": schedule.map(Schedule::cron),
            "timezone": schedule.map(Schedule::timezone),
            "next": runs.map(|run| run.at.to_string()).collect::<Vec<_>>(),
            "onPush": triggers.on_push,
            "quietPeriod": Short(triggers.quiet_period).to_string(),
        })
    });
    groups.collect()
}

/// An empty cell has no style, which would be in the way of the end of its line.
fn dim(text: String) -> (Style, String) {
    (if text.is_empty() { PLAIN } else { DIM }, text)
}

fn runs(group: &Group, now: Timestamp) -> impl Iterator<Item = Run> {
    let next = |after| group.triggers.next_after(&group.name, after);
    iter::successors(next(now), move |run| next(run.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::sample::plain;

    #[test]
    fn each_in_its_own_time() {
        let folder = std::path::Path::new("tests/it/fixtures/groups/valid");
        let mut groups = crate::adapter::files::Catalog::load(folder)
            .validate_all()
            .groups;
        groups[0].triggers.on_push = true;
        groups[2].triggers.schedule = Schedule::parse("30 1 * * *", "America/New_York").ok();
        let now = "2026-10-31T23:00:00Z".parse().unwrap();
        let shown = schedule(&groups, now, 2, Room::from(120));
        insta::assert_snapshot!(plain(&shown), @"
        GROUP  ENVIRONMENT  NEXT                         IN      BECAUSE OF
        base   production   on push                              new images, once nobody pushed for 1m
        play   sandbox      by hand
        shop   production   Sun 2026-11-01 01:30:00 EDT  6h30m   30 1 * * * America/New_York
        shop   production   Mon 2026-11-02 01:30:00 EST  31h30m  30 1 * * * America/New_York
        ");
        let json = schedule_json(&groups[2..], now, 2);
        insta::assert_snapshot!(json, @r#"[{"environment":"production","group":"shop","next":["2026-11-01T05:30:00Z","2026-11-02T06:30:00Z"],"onPush":false,"quietPeriod":"1m","schedule":"30 1 * * *","timezone":"America/New_York"}]"#);
    }
}
