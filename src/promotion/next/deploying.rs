//! Filling the candidate colour beside the one that serves.

use super::{Mark, Next, Phase, Reason, ReasonKind, Situation, Step, Tested, abort, names};
use crate::promotion::trouble::{Trouble, troubles};

/// Clear what an earlier promotion left in the colour, prepare, deploy, wait.
pub(super) fn next(situation: Situation<'_>) -> Next {
    let color = situation.promotion.candidate;
    let serving = situation.serves(color);
    if !serving.is_empty() {
        let text = format!("Service {} points at {color}, which was to be filled", names(&serving));
        return abort(vec![Reason::new(ReasonKind::Gate, text)]);
    }
    let leftovers: Vec<_> = situation.strangers(color).filter(|d| !d.deleting).collect();
    if !leftovers.is_empty() {
        let leftovers = leftovers.iter().map(|d| (d.name.clone(), d.uid.clone()));
        return Next::Do(Step::DeleteDeployments(leftovers.collect()));
    }
    let jobs = situation
        .observed
        .jobs
        .iter()
        .filter(|job| !situation.is_ours(&job.promotion) && !job.deleting);
    let jobs: Vec<_> = jobs
        .map(|job| (job.name.clone(), job.uid.clone()))
        .collect();
    if !jobs.is_empty() {
        return Next::Do(Step::DeleteJobs(jobs));
    }
    if situation.is_overdue() {
        return abort(overdue(situation));
    }
    // The colour Services must not find pods of an earlier promotion.
    let old_pods = situation.observed.pods.iter();
    let old_pods = old_pods
        .filter(|p| p.app.is_some() && p.color == color && !situation.is_ours(&p.promotion));
    let old_pods: Vec<_> = old_pods.map(|pod| pod.name.clone()).collect();
    if !old_pods.is_empty() || situation.strangers(color).next().is_some() {
        return situation.wait(format!(
            "pods of an earlier {color} to go: {}",
            names(&old_pods)
        ));
    }
    if !situation.is_marked(Mark::Prepared) {
        return Next::Do(Step::Prepare);
    }
    let missing = situation
        .plan
        .apps
        .iter()
        .filter(|app| situation.candidate(&app.name).is_none());
    let missing: Vec<_> = missing.map(|app| app.name.clone()).collect();
    if !missing.is_empty() {
        return Next::Do(Step::Deploy(missing));
    }
    let unready = situation.unready();
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

fn begin_checks(situation: Situation<'_>) -> Next {
    let tested = situation.plan.apps.iter().filter_map(|app| {
        let deployment = situation.candidate(&app.name)?;
        let tested = Tested {
            uid: deployment.uid.clone(),
            generation: deployment.generation,
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
fn overdue(situation: Situation<'_>) -> Vec<Reason> {
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
    situation.unready().iter().flat_map(of_app).collect()
}

fn reason(trouble: &Trouble) -> Reason {
    Reason::new(ReasonKind::Deploy, trouble.to_string())
}
