//! Filling the candidate colour beside the one that serves.

use super::{
    CronState, Mark, Next, Phase, PodState, Reason, ReasonKind, Situation, Step, Tested, abort,
    adopting, delete_jobs, handover, hooks, names, walling,
};
use crate::group::When;
use crate::group::name::AppName;
use crate::plan::object::Object;
use crate::promotion::trouble::{Trouble, troubles};

/// Clear what an earlier promotion left in the colour, prepare, deploy, wait.
pub(super) fn next(situation: Situation<'_>) -> Next {
    let color = situation.promotion.candidate;
    let serving = situation.serves(color);
    if !serving.is_empty() {
        let text = format!(
            "Service {} points at {color}, which was to be filled",
            names(&serving)
        );
        return abort(vec![Reason::new(ReasonKind::Gate, text)]);
    }
    if let Some(next) = adopting::take_over(situation) {
        return next;
    }
    if !situation.is_marked(Mark::Prepared)
        && let Some(next) = clear_services(situation)
    {
        return next;
    }
    let mut exposing = situation.exposing();
    exposing.extend(walling::opened(situation));
    if !exposing.is_empty() {
        return abort(exposing);
    }
    // Jobs come to their end first: they go with their CronJob, and call the rest.
    let mut strange = situation.strange_crons(color);
    let works = strange.any(CronState::works);
    if works && !situation.is_overdue() {
        // An earlier promotion left them, whose way back did not come to its end.
        return Next::Do(Step::StopNew);
    }
    let runs = handover::runs(situation, color);
    if runs.is_empty()
        && !situation.is_overdue()
        && let Some(step) = clear(situation)
    {
        return Next::Do(step);
    }
    // The colour Services must not find pods of an earlier promotion.
    // A check that does not end would call this candidate by the address of its own.
    let is_over = |pod: &PodState| pod.app.is_none() && pod.has_ended();
    let old_pods = situation.observed.pods.iter();
    let old_pods =
        old_pods.filter(|p| !is_over(p) && p.color == color && !situation.is_ours(&p.promotion));
    let strangers = situation.strangers(color).map(|d| d.name.clone());
    let crons = situation.strange_crons(color).map(|cron| cron.name.clone());
    let in_the_way = old_pods.map(|p| p.name.clone()).chain(strangers);
    let in_the_way: Vec<_> = in_the_way.chain(crons).chain(runs).collect();
    if !in_the_way.is_empty() {
        return wait_to_go(situation, "what is left of", &names(&in_the_way));
    }
    let unready = situation.unready();
    if situation.is_overdue() && !unready.is_empty() {
        let breached = walling::breached(situation);
        let is_walled = breached.is_empty();
        return abort(if is_walled {
            overdue(situation, &unready)
        } else {
            breached
        });
    }
    if let Some(step) = walling::due(situation) {
        return Next::Do(step);
    }
    if !situation.is_marked(Mark::Prepared) {
        return Next::Do(Step::Prepare);
    }
    let refused = hooks::refused(situation, When::BeforeDeploy);
    if !refused.is_empty() {
        return abort(refused);
    }
    if let Some(hook) = hooks::at(situation, When::BeforeDeploy) {
        return hook;
    }
    let missing = situation.plan.apps.iter().filter(|app| {
        let mut crons = app.crons.iter();
        let lacks_cron = crons.any(|cron| situation.made_cron(cron.name()).is_none());
        lacks_cron || situation.candidate(&app.name).is_none()
    });
    let missing: Vec<_> = missing.map(|app| app.name.clone()).collect();
    if !missing.is_empty() {
        return Next::Do(Step::Deploy(missing));
    }
    if unready.is_empty() {
        return begin_checks(situation);
    }
    let troubles: Vec<_> = unready
        .iter()
        .flat_map(|app| troubles(situation.observed, app, color))
        .collect();
    if troubles.iter().any(|trouble| trouble.hopeless) {
        return abort(troubles.iter().map(reason).collect());
    }
    situation.wait(format!("pods of {} to be ready", names(unready)))
}

/// Deletes Services of the colour that are not as planned, and waits for those that
/// are being deleted.
fn clear_services(situation: Situation<'_>) -> Option<Next> {
    let left: Vec<_> = situation.left_services().collect();
    let stays = |service: &&&Object| !service.is_deleting();
    let stay = left.iter().filter(stays).map(|s| s.name().to_owned());
    let stay: Vec<_> = stay.collect();
    if !stay.is_empty() && !situation.is_overdue() {
        return Some(Next::Do(Step::DeleteServices(stay)));
    }
    let left = names(left.iter().map(|service| service.name()));
    (!left.is_empty()).then(|| wait_to_go(situation, "Services of", &left))
}

/// Waits for what an earlier promotion of the colour left, until the time is up.
fn wait_to_go(situation: Situation<'_>, what: &str, left: &str) -> Next {
    let color = situation.promotion.candidate;
    let what = format!("{what} an earlier {color} to go: {left}");
    if situation.is_overdue() {
        let text = format!("waited in vain for {what}");
        return abort(vec![Reason::new(ReasonKind::Deploy, text)]);
    }
    situation.wait(what)
}

/// Deletes what earlier promotions left: Deployments of the colour, and Jobs.
fn clear(situation: Situation<'_>) -> Option<Step> {
    let strangers = situation.strangers(situation.promotion.candidate);
    let left = strangers
        .filter(|d| !d.deleting)
        .map(|d| (d.name.clone(), d.uid.clone()));
    let left: Vec<_> = left.collect();
    if !left.is_empty() {
        return Some(Step::DeleteDeployments(left));
    }
    let crons = situation.strange_crons(situation.promotion.candidate);
    let left = crons.filter(|cron| !cron.deleting);
    let left: Vec<_> = left
        .map(|cron| (cron.name.clone(), cron.uid.clone()))
        .collect();
    if !left.is_empty() {
        return Some(Step::DeleteCronJobs(left));
    }
    let jobs = situation.observed.jobs.iter();
    delete_jobs(jobs.filter(|job| !situation.is_ours(&job.promotion)))
}

/// A Deployment that was made and never touched is of generation one.
fn begin_checks(situation: Situation<'_>) -> Next {
    let candidates = situation
        .plan
        .apps
        .iter()
        .filter_map(|app| situation.candidate(&app.name));
    let changed = candidates
        .filter(|candidate| candidate.generation != 1)
        .map(|candidate| {
            let text = format!(
                "app {}: somebody changed its candidate while it was deployed",
                candidate.app
            );
            Reason::new(ReasonKind::Gate, text)
        });
    let changed: Vec<_> = changed.collect();
    if !changed.is_empty() {
        return abort(changed);
    }
    let tested = situation.plan.apps.iter().filter_map(|app| {
        let deployment = situation.candidate(&app.name)?;
        let tested = Tested {
            uid: deployment.uid.clone(),
            generation: deployment.generation,
            ready: deployment.wanted,
        };
        Some((app.name.clone(), tested))
    });
    Next::Enter {
        phase: Phase::Checking,
        reasons: Vec::new(),
        tested: tested.collect(),
    }
}

/// Past the deadline the cause is said, not just that time is up.
fn overdue(situation: Situation<'_>, unready: &[&AppName]) -> Vec<Reason> {
    let color = situation.promotion.candidate;
    let limit = crate::group::duration::Short(situation.plan.deploy_timeout);
    let of_app = |app: &&_| {
        let found = troubles(situation.observed, app, color);
        if found.is_empty() {
            let text = format!("app {app}: not ready after {limit}");
            return vec![Reason::new(ReasonKind::Deploy, text)];
        }
        found.iter().map(reason).collect()
    };
    unready.iter().flat_map(of_app).collect()
}

pub(super) fn reason(trouble: &Trouble) -> Reason {
    Reason::new(ReasonKind::Deploy, trouble.to_string())
}
