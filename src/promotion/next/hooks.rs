//! Hooks: Jobs that run at one point of a promotion, one after the other, each at
//! most once.
//!
//! A hook's Job is made suspended, under a name that only this promotion gives, and
//! let run once its uid is on record. Whoever takes over makes it again only as long
//! as that is not there, so nothing ran by then; later a Job that is gone may have
//! run, and says nothing. It is never repeated.

use super::checking::facts;
use super::{Next, Reason, ReasonKind, Situation, Step};
use crate::group::When;
use crate::group::name::CheckName;
use crate::plan::CheckPlan;
use crate::plan::check::job_name;
use crate::promotion::check::{CheckResult, Verdict};
use crate::promotion::verdict::{ReportFacts, Ruling, rule};

/// What is to be done about the hooks of a point; nothing once all have ended.
pub(super) fn at(situation: Situation<'_>, when: When) -> Option<Next> {
    let open = open(situation, when).next()?;
    Some(run(situation, open))
}

/// Whether a hook of a point has not ended yet.
pub(super) fn is_open(situation: Situation<'_>, when: When) -> bool {
    open(situation, when).next().is_some()
}

/// The hooks of a point that have begun and not ended.
pub(super) fn unfinished(situation: Situation<'_>, when: When) -> Vec<&CheckName> {
    let begun = |hook: &&CheckPlan| situation.promotion.attempt(&hook.name).is_some();
    let open = open(situation, when).filter(begun);
    open.map(|hook| &hook.name).collect()
}

/// Why the hooks of a point did not pass.
pub(super) fn refused(situation: Situation<'_>, when: When) -> Vec<Reason> {
    let hooks = situation.plan.hooks_at(when);
    let results = hooks.filter_map(|hook| situation.promotion.result(&hook.name));
    results.filter_map(reason).collect()
}

fn reason(result: &CheckResult) -> Option<Reason> {
    let kind = match result.verdict {
        Verdict::Passed => return None,
        Verdict::Failed | Verdict::TimedOut => ReasonKind::Check,
        Verdict::Errored => ReasonKind::CheckErrored,
    };
    let CheckResult {
        check,
        verdict,
        reason,
        ..
    } = result;
    Some(Reason::new(
        kind,
        format!("hook {check} {verdict}: {reason}"),
    ))
}

fn open(situation: Situation<'_>, when: When) -> impl Iterator<Item = &CheckPlan> {
    let hooks = situation.plan.hooks_at(when);
    hooks.filter(move |hook| situation.promotion.result(&hook.name).is_none())
}

/// What is to be done about one that has not ended.
pub(super) fn run(situation: Situation<'_>, hook: &CheckPlan) -> Next {
    let name = &hook.name;
    let promotion = situation.promotion;
    let (Some(attempt), Some(uid)) = (promotion.attempt(name), promotion.runs.get(name)) else {
        return Next::Do(Step::MakeHook(name.clone()));
    };
    let job = job_name(&situation.plan.group, hook, promotion.id.as_ref(), attempt);
    let mut jobs = situation.observed.jobs.iter();
    let found = jobs.find(|found| found.name == job && found.uid == *uid);
    if found.is_some_and(|found| found.suspended && !found.deleting) {
        return Next::Do(Step::RunHook {
            hook: name.clone(),
            job,
            uid: uid.clone(),
        });
    }
    let report = ReportFacts::unread(&hook.report);
    match rule(&facts(situation, hook, attempt, report)) {
        Ruling::Running { waiting_for, until } => Next::Wait {
            wait_for: format!("hook {name}: {waiting_for}"),
            until,
        },
        // One that is lost is not repeated: it ends without a verdict.
        Ruling::ReadReport | Ruling::Ended(_) | Ruling::Rerun { .. } => {
            Next::Do(Step::Conclude(vec![name.clone()]))
        }
    }
}
