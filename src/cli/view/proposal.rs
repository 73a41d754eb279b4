//! What a deploy would do, for `promoter plan`.

mod adoption;
mod apps;
mod changes;
mod json;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::line::{BOLD, DIM, GOOD, Line, WARN, of};
use super::restraint;
use super::terminal::{self, Room};
use super::text::Text;
use super::words::{count, verb};
use crate::engine::propose::Proposal;
use crate::group::duration::Short;
use crate::group::{Isolation, Report, When};
use crate::plan::CheckPlan;
use crate::plan::capacity::amount;
use crate::plan::cron::is_suspended;
use crate::plan::object::Object;
use crate::plan::policy::KIND;
use crate::plan::wall;
use apps::AppChange;

pub use adoption::adoption;
pub use json::proposal_json;

/// What a deploy would do, app by app and object by object. New objects are
/// shown whole only if `full`.
pub fn proposal(proposal: &Proposal, now: Timestamp, room: Room, full: bool) -> String {
    let mut text = Text::new(room.prose);
    text.lines(head(proposal));
    text.gap();
    text.block(&apps::table(proposal, now, room));
    text.gap();
    text.quote(changes::lines(proposal, full));
    text.gap();
    decision(&mut text, proposal, now);
    text.line(summary(proposal));
    text.finish()
}

/// What decides, what it takes, and what speaks against it.
fn decision(text: &mut Text, proposal: &Proposal, now: Timestamp) {
    text.lines(checks(proposal));
    text.lines(hooks(proposal));
    text.lines(handed_over(proposal));
    text.line(strategy(proposal));
    text.lines(wall(proposal));
    text.line(capacity(proposal));
    text.gap();
    let warnings = proposal.warnings.iter();
    text.lines(warnings.map(|warning| Line::new().with(WARN, "warning: ").and(warning)));
    text.gap();
    let restraints = proposal.restraints.iter();
    text.lines(restraints.map(|found| restraint::in_the_way(found, now)));
}

/// That the same inputs serve already.
pub fn up_to_date(proposal: &Proposal) -> String {
    let mut text = Text::new(terminal::prose());
    text.line(serving(proposal));
    text.finish()
}

fn head(proposal: &Proposal) -> Vec<Line> {
    let plan = &proposal.plan;
    let place = format!(
        "  environment {}, namespace {}",
        plan.environment, plan.namespace
    );
    let first = Line::new().with(BOLD, plan.group.as_str()).with(DIM, place);
    let second = match &plan.replaces {
        Some(old) if proposal.is_up_to_date() => Line::new()
            .and("release ")
            .with(BOLD, old.release.short())
            .and(" serves in ")
            .with(of(old.color), old.color.as_str()),
        replaced => {
            let line = Line::new()
                .and("release ")
                .with(BOLD, plan.release.short())
                .and(" would fill ");
            let line = line.with(of(plan.candidate), plan.candidate.as_str());
            match replaced {
                Some(old) => line
                    .and(", while ")
                    .with(of(old.color), old.color.as_str())
                    .and(format!(" serves release {}", old.release)),
                None => line.and("; nothing serves yet, this is the first promotion"),
            }
        }
    };
    vec![first, second]
}

fn checks(proposal: &Proposal) -> Vec<Line> {
    let plan = &proposal.plan;
    let checks = plan.checks.iter().map(|check| {
        Line::new()
            .and("  ")
            .with(BOLD, check.name.as_str())
            .and(format!("  {}", check_image(check)))
            .with(
                DIM,
                format!(
                    "  timeout {}, {}",
                    Short(check.timeout),
                    report(&check.report)
                ),
            )
    });
    let names: Vec<_> = plan
        .checks
        .iter()
        .map(|check| check.name.as_str())
        .collect();
    let rule = match names.as_slice() {
        [] => Line::new().with(
            WARN,
            "promotes without any check: this environment allows untested groups",
        ),
        [one] => Line::new().and(format!("promotes only if check {one} passes:")),
        all => Line::new().and(format!("promotes only if all {} checks pass:", all.len())),
    };
    std::iter::once(rule).chain(checks).collect()
}

/// What runs once, and when.
fn hooks(proposal: &Proposal) -> Vec<Line> {
    let hooks = proposal.plan.hooks.iter().map(|hook| {
        let job = &hook.job;
        let when = match hook.when {
            When::BeforeDeploy => "before any pod is made",
            When::BeforeSwitch => "before users are moved",
            When::AfterPromote => "once the old colour is gone",
        };
        let line = Line::new().and("  ").with(BOLD, job.name.as_str());
        let line = line.and(format!("  {}", check_image(job)));
        line.with(
            DIM,
            format!("  runs {when}, timeout {}", Short(job.timeout)),
        )
    });
    let hooks: Vec<_> = hooks.collect();
    let title = match hooks.len() {
        0 => return hooks,
        1 => "runs one hook, once:".to_owned(),
        many => format!("runs {many} hooks, each once:"),
    };
    std::iter::once(Line::new().and(title))
        .chain(hooks)
        .collect()
}

/// Repository, digest, and what it was resolved from; or what the file says.
fn check_image(check: &CheckPlan) -> String {
    let name = check
        .image
        .split_once('/')
        .map_or(check.image.as_str(), |(_, name)| name);
    match name.split_once("@sha256:") {
        Some((repository, digest)) if !check.source.is_empty() => {
            format!(
                "{repository} {} {}",
                check.source,
                digest.get(..12).unwrap_or(digest)
            )
        }
        _ => check.image.clone(),
    }
}

fn report(report: &Report) -> String {
    match report {
        Report::None => "judged by its exit code".to_owned(),
        Report::Tap => "reports its test cases as TAP".to_owned(),
        Report::Junit(file) => format!("reports its test cases as JUnit in {}", file.as_str()),
    }
}

/// What works in one colour alone, if anything does.
fn handed_over(proposal: &Proposal) -> Option<Line> {
    let plan = &proposal.plan;
    let workers = plan.workers().map(|app| app.deployment.reference());
    let crons = plan.crons().filter(|cron| !is_suspended(cron));
    let all = workers.chain(crons.map(Object::reference));
    let names: Vec<_> = all.map(|object| object.to_string()).collect();
    let old = plan.replaces.as_ref();
    let stops = old.map_or_else(String::new, |old| {
        format!(", once that of {} has stopped", old.color)
    });
    let text = format!("works from the switch on{stops}: {}", names.join(", "));
    (!names.is_empty()).then(|| Line::new().with(DIM, text))
}

fn strategy(proposal: &Proposal) -> Line {
    let plan = &proposal.plan;
    let failed = Some(plan.keep_failed).filter(|kept| !kept.is_zero());
    let failed = failed.map_or_else(String::new, |kept| {
        format!(" and stays {} to be looked at if it fails", Short(kept))
    });
    let ready = format!("has {} to become ready{failed}", Short(plan.deploy_timeout));
    let Some(old) = &plan.replaces else {
        return Line::new().with(DIM, format!("the candidate {ready}"));
    };
    let kept = format!(
        "; {} stays {} after the switch",
        old.color,
        Short(plan.keep_old)
    );
    Line::new().with(DIM, format!("the candidate {ready}{kept}"))
}

/// What keeps the colours apart besides their names.
fn wall(proposal: &Proposal) -> Option<Line> {
    let plan = &proposal.plan;
    let name = wall::name(plan.group.as_str(), plan.candidate);
    let told = format!("{KIND} {name} keeps old and new pods from calling each other");
    let is_walled = plan.isolation == Isolation::NetworkPolicy;
    is_walled.then(|| Line::new().with(DIM, told))
}

fn capacity(proposal: &Proposal) -> Line {
    let (needed, free) = (proposal.capacity.needed, proposal.capacity.free);
    let of = |resource: &str, needed: i64, free: i64| {
        format!(
            "{} of {} free",
            amount(resource, needed),
            amount(resource, free)
        )
    };
    let pods = of("pods", needed.pods, free.pods);
    let cpu = of("cpu", needed.cpu_millis, free.cpu_millis);
    let memory = of("memory", needed.memory, free.memory);
    Line::new().with(
        DIM,
        format!("needs {pods} pods, {cpu} CPU, {memory} memory"),
    )
}

fn summary(proposal: &Proposal) -> Line {
    if proposal.is_up_to_date() {
        return serving(proposal).and(" Nothing was written.");
    }
    let plan = &proposal.plan;
    let mut changed = apps::changes(proposal)
        .filter(|(_, change)| *change != AppChange::None)
        .count();
    changed += apps::removed(proposal).count();
    let objects = count(proposal.changes.len(), "object");
    let what = if plan.replaces.is_none() {
        let n = plan.apps.len();
        format!(
            "{} {} new, {objects} would be made",
            count(n, "app"),
            verb(n, "is", "are")
        )
    } else if changed == 0 && proposal.changes.is_empty() {
        "no object changes, only the checks or how the old colour is replaced".to_owned()
    } else {
        let change = |n| verb(n, "changes", "change");
        let apps = format!("{} {}", count(changed, "app"), change(changed));
        format!("{apps}, {objects} {}", change(proposal.changes.len()))
    };
    planned(proposal, &what)
}

fn planned(proposal: &Proposal, what: &str) -> Line {
    let n = proposal.plan.checks.len();
    let decided = match n {
        0 => "no check decides".to_owned(),
        _ => format!("{} {}", count(n, "check"), verb(n, "decides", "decide")),
    };
    Line::new()
        .with(BOLD, format!("Plan: {what}, {decided}."))
        .and(" Nothing was written.")
}

fn serving(proposal: &Proposal) -> Line {
    let plan = &proposal.plan;
    let line = Line::new().with(GOOD.bold(), "Up to date: ");
    let line = line.with(
        BOLD,
        format!("{} serves release {}", plan.group, plan.release),
    );
    match &plan.replaces {
        Some(old) => line
            .with(BOLD, " in ")
            .with(of(old.color).bold(), old.color.as_str())
            .with(BOLD, "."),
        None => line.with(BOLD, "."),
    }
}
