//! The settings that an environment may give and a group may give again.
//!
//! Input: a value of either file. Output: the setting, or problems.

use std::time::Duration;

use super::environment::Defaults;
use super::report::Report;
use crate::group::choice::BlueGreen;
use crate::group::duration::{self, Short};
use crate::group::schedule::Schedule;
use crate::group::spec::Spanned;
use crate::group::{Isolation, MIN_KEEP_OLD, Newest, OnRegression, Proof};

type Written<'a> = Option<&'a Spanned<String>>;

/// Checks wait for it, within their own time limits.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// Longer ones are slips, and would not fit into a calendar.
const LONGEST: Duration = Duration::from_hours(7 * 24);

pub(super) fn proof(report: &mut Report, written: Written<'_>) -> Option<Proof> {
    report.choice(written, "proof")
}

pub(super) fn newest(report: &mut Report, written: Written<'_>) -> Option<Newest> {
    report.choice(written, "newest")
}

/// Blue/green is the only kind, so there is nothing to return.
pub(super) fn kind(report: &mut Report, written: Written<'_>) {
    if let Some(written) =
        written.filter(|kind| ["rolling", "recreate", "canary"].contains(&kind.get_ref().as_str()))
    {
        let message = format!("the strategy `{}` is not there yet", written.get_ref());
        let problem = report.error(&written.span(), message);
        report.push(problem.hint("use \"blue-green\""));
        return;
    }
    report.choice::<BlueGreen>(written, "kind");
}

pub(super) fn keep_old(report: &mut Report, written: Written<'_>) -> Option<Duration> {
    let duration = bounded(report, written)?;
    if duration < MIN_KEEP_OLD
        && let Some(written) = written
    {
        let shortest = Short(MIN_KEEP_OLD);
        let message =
            format!("`keep_old` must be at least {shortest}, the time old pods need to drain");
        report.push(report.error(&written.span(), message));
    }
    Some(duration)
}

pub(super) fn on_regression(report: &mut Report, written: Written<'_>) -> Option<OnRegression> {
    report.choice(written, "on_regression")
}

pub(super) fn isolation(report: &mut Report, written: Written<'_>) -> Option<Isolation> {
    report.choice(written, "isolation")
}

pub(super) fn endpoint_delay(report: &mut Report, written: Written<'_>) -> Option<Duration> {
    let duration = report.parse(written, duration::parse)?;
    if duration > LONGEST_DELAY
        && let Some(written) = written
    {
        let longest = Short(LONGEST_DELAY);
        let message = format!("`endpoint_delay` must be at most {longest}");
        report.push(report.error(&written.span(), message));
    }
    Some(duration)
}

/// A time after which something has failed.
pub(super) fn timeout(report: &mut Report, written: Written<'_>) -> Option<Duration> {
    let duration = bounded(report, written)?;
    if duration < Duration::from_secs(1)
        && let Some(written) = written
    {
        report.push(report.error(&written.span(), "a timeout must be at least 1s"));
    }
    Some(duration)
}

/// A time that is not too long.
pub(super) fn bounded(report: &mut Report, written: Written<'_>) -> Option<Duration> {
    let duration = report.parse(written, duration::parse)?;
    if duration > LONGEST
        && let Some(written) = written
    {
        let message = format!(
            "`{}` is longer than a week ({})",
            written.get_ref(),
            Short(LONGEST)
        );
        report.push(report.error(&written.span(), message));
    }
    Some(duration)
}

/// The schedule of a group: either half may come from its environment.
pub(super) fn schedule(
    report: &mut Report,
    cron: Written<'_>,
    timezone: Written<'_>,
    defaults: &Defaults,
) -> Option<Schedule> {
    // Each half by itself first, so that a problem is at the half it is about.
    report.parse(cron, |cron| Schedule::parse(cron, "UTC"));
    report.parse(timezone, |timezone| Schedule::parse("0 0 * * *", timezone));
    let own = |written: Written<'_>| written.map(|written| written.get_ref().clone());
    let cron = own(cron).or_else(|| defaults.cron.clone())?;
    let timezone = own(timezone).or_else(|| defaults.timezone.clone());
    Schedule::parse(&cron, timezone.as_deref().unwrap_or("UTC")).ok()
}
