//! What no decision may break, whatever was found. Said in the words of the
//! promises and of [`State`], not in those of the rules.

use promoter::group::name::AppName;
use promoter::promotion::Mark;
use promoter::promotion::next::{Next, Step};
use promoter::promotion::phase::Phase;

use super::concrete::{deadline, now, plan};
use super::states::{Age, App, Asked, Candidate, Old, Points, Recorded, State};

/// Whether every check there must be has one result of this promotion and
/// plan, and that is Passed.
pub(super) fn passed(state: &State) -> bool {
    let all = state
        .checks()
        .iter()
        .all(|c| c.recorded == Recorded::Passed);
    all && (state.kind.checks > 0 || state.kind.untested)
}

/// Whether the candidates are what the checks ran against, and through.
fn is_as_tested(state: &State) -> bool {
    let same = |app: &App| {
        !app.rerouted
            && matches!(
                app.candidate,
                Candidate::Ready | Candidate::Unready | Candidate::Deleting
            )
    };
    state.apps().iter().all(same)
}

fn is_whole(app: &App) -> bool {
    app.candidate == Candidate::Ready && app.routed
}

/// Whether what served before stands, whole.
fn has_way_back(state: &State) -> bool {
    let stands = state.apps().iter().all(|app| app.old == Old::Ready);
    state.kind.replaces && stands && !state.is_marked(Mark::LetGo)
}

/// Whether the candidate takes requests of an app, and what served before does not.
fn only_new_serves(app: &App) -> bool {
    app.routed && stands(app) && !matches!(app.old, Old::Ready | Old::Unready)
}

/// Whether users are served by a candidate, be it what was tested or not.
fn serves(app: &App) -> bool {
    app.routed && app.followed && stands(app)
}

fn stands(app: &App) -> bool {
    !matches!(app.candidate, Candidate::Absent | Candidate::Deleting)
}

/// Whether users are sent to pods of the candidate, rightly or not.
fn leads_to_new(app: &App) -> bool {
    matches!(app.points, Points::New | Points::BentNew)
}

fn leads_to_old(app: &App) -> bool {
    matches!(app.points, Points::Old | Points::BentOld)
}

/// Whether somebody else than promoter pointed the Service where it points.
fn is_astray(state: &State, app: &App) -> bool {
    let at_rest = if state.kind.replaces {
        Points::Old
    } else {
        Points::Nowhere
    };
    // A new one is made right before the switch.
    let not_yet = app.points == Points::Missing && !state.kind.replaces;
    ![at_rest, Points::New].contains(&app.points) && !not_yet
}

/// Whether a person says no while no user is at the candidate.
fn is_stopped(state: &State) -> bool {
    let leads_any = state.apps().iter().any(|app| app.points == Points::New);
    let may_be = match state.phase {
        Phase::Deploying | Phase::Checking => true,
        Phase::Promoting => !leads_any,
        _ => false,
    };
    may_be && matches!(state.asked, Asked::Abort | Asked::Held)
}

/// What `decided` breaks, in words.
pub(super) fn broken(state: &State, decided: &Next) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let mut must = |held: bool, what| {
        if !held {
            broken.push(what);
        }
    };
    must(
        state.phase.is_final() == matches!(decided, Next::End),
        "ends exactly in final phases",
    );
    let gives_up = matches!(
        decided,
        Next::Enter {
            phase: Phase::Aborting,
            ..
        }
    );
    must(
        gives_up || !is_stopped(state),
        "what is given up or held before its switch goes no further",
    );
    match decided {
        Next::End => {}
        Next::Wait { wait_for, until } => {
            must(!wait_for.is_empty(), "a wait says what for");
            must(*until > now(state), "a wait is not over already");
            let deadline = deadline(state);
            must(
                deadline.is_some_and(|deadline| *until <= deadline),
                "a wait ends by the deadline of its phase",
            );
        }
        Next::Enter { phase, reasons, .. } => {
            must(
                follows(state.phase, *phase),
                "a phase is entered from those before it",
            );
            let unhappy = matches!(phase, Phase::Aborting | Phase::Failed);
            must(!unhappy || !reasons.is_empty(), "an abort says why");
            broken.extend(entering(state, *phase));
        }
        Next::Do(step) => broken.extend(doing(state, step)),
    }
    broken
}

fn follows(before: Phase, after: Phase) -> bool {
    let next: &[Phase] = match before {
        Phase::Planned => &[Phase::Deploying],
        Phase::Deploying => &[Phase::Checking, Phase::Aborting],
        Phase::Checking => &[Phase::Promoting, Phase::Aborting],
        Phase::Promoting => &[Phase::Settling, Phase::Aborting],
        Phase::Settling => &[Phase::Promoted, Phase::Aborting],
        Phase::Aborting => &[Phase::Aborted, Phase::Failed],
        Phase::Promoted | Phase::Aborted | Phase::Failed => &[],
    };
    next.contains(&after)
}

fn entering(state: &State, phase: Phase) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let mut must = |held: bool, what| {
        if !held {
            broken.push(what);
        }
    };
    let apps = state.apps();
    match phase {
        Phase::Checking => {
            must(
                apps.iter().all(is_whole),
                "checks begin on whole candidates",
            );
            must(
                !apps.iter().any(leads_to_new),
                "checks begin before users come",
            );
            must(!state.exposing, "checks begin before anybody comes");
        }
        Phase::Promoting => {
            must(passed(state), "the gate opens when all checks passed");
            must(is_as_tested(state), "the gate opens for what was tested");
            must(!state.exposing, "the gate opens for what nobody saw");
        }
        Phase::Settling => {
            must(passed(state), "what settles has passed");
            let bound = !has_way_back(state);
            must(bound || is_as_tested(state), "what settles was tested");
            must(
                apps.iter().all(|app| app.points == Points::New),
                "users are at the candidate before it settles",
            );
            must(
                apps.iter().all(|app| is_whole(app) && app.followed)
                    || (bound && (apps.iter().all(serves) || state.age == Age::Overdue)),
                "the candidate takes requests before it settles, or there is no way back",
            );
        }
        Phase::Promoted => {
            let clean = apps.iter().all(|app| app.old == Old::Absent);
            must(
                clean || state.age == Age::Overdue,
                "the old colour is gone, or its time is up",
            );
        }
        Phase::Aborted => {
            let gone = |app: &App| app.candidate == Candidate::Absent && !app.leftover;
            must(apps.iter().all(gone), "no candidate leaks");
        }
        Phase::Aborting if state.phase == Phase::Settling => {
            must(has_way_back(state), "the way back leads to what stands");
            let fallen = !apps.iter().all(is_whole);
            must(
                state.asked == Asked::Rollback || (fallen && !state.kind.reports),
                "the way back is asked for or needed",
            );
        }
        Phase::Aborting if state.phase == Phase::Promoting => {
            let at_new = apps.iter().all(|app| app.points == Points::New);
            let switched = at_new && state.is_marked(Mark::Shared);
            must(
                !(switched && passed(state)) || has_way_back(state),
                "users of what passed are not led away to what does not stand",
            );
        }
        _ => {}
    }
    broken
}

fn doing(state: &State, step: &Step) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let mut must = |held: bool, what| {
        if !held {
            broken.push(what);
        }
    };
    let (phase, apps) = (state.phase, state.apps());
    match step {
        Step::Switch => {
            must(phase == Phase::Promoting, "the switch is part of promoting");
            must(passed(state), "the switch comes after all checks passed");
            must(is_as_tested(state), "the switch leads to what was tested");
            must(apps.iter().all(is_whole), "the switch leads to whole apps");
            must(
                !apps.iter().any(|app| is_astray(state, app)),
                "the switch leaves alone what somebody changed",
            );
            must(
                state.is_marked(Mark::Shared),
                "the switch comes after what is shared",
            );
            must(
                state.is_marked(Mark::Unpublished),
                "the switch comes once only ready pods are behind a name",
            );
            must(state.age != Age::Overdue, "the switch comes in time");
        }
        Step::SwitchBack | Step::Restore => {
            must(phase == Phase::Aborting, "only an abort goes back");
            let left = |app: &App| app.points == Points::New && only_new_serves(app);
            must(
                *step == Step::Restore || !state.kind.replaces || !apps.iter().any(left),
                "no Service is led away from its last pod",
            );
        }
        Step::ApplyShared | Step::ApplyServices => {
            // Once more, if the record that said that it was done is lost.
            let again = phase == Phase::Settling && *step == Step::ApplyServices;
            must(
                phase == Phase::Promoting || again,
                "what is shared changes at the switch",
            );
            must(
                passed(state) || again,
                "what is shared changes after all checks passed",
            );
        }
        Step::LetGo => must(
            phase == Phase::Settling,
            "the old colour is let go while settling",
        ),
        Step::Prepare | Step::Deploy(_) => {
            must(
                phase == Phase::Deploying,
                "a colour is filled while deploying",
            );
            must(
                !apps.iter().any(leads_to_new),
                "a colour that serves is not filled",
            );
        }
        Step::StartChecks { .. } | Step::Conclude(_) | Step::Repeat { .. } => {
            must(phase == Phase::Checking, "checks run while checking");
            must(is_as_tested(state), "checks run against what is tested");
        }
        Step::DeleteDeployments(deleted) => {
            for (name, _) in deleted {
                broken.extend(deleting(state, name));
            }
        }
        Step::DeleteJobs(_) => {}
        Step::StopOld(_)
        | Step::StopNew
        | Step::Schedule
        | Step::StartOld
        | Step::DeleteCronJobs(_) => {
            must(false, "nothing here takes work by itself");
        }
        Step::DeleteServices(names) => broken.extend(deleting_services(state, names)),
        Step::Unpublish => must(
            matches!(phase, Phase::Checking | Phase::Promoting),
            "who was published for the start is not any more after it",
        ),
        Step::Raise(_) => must(false, "nothing here is autoscaled"),
        Step::Pause | Step::TakeOver | Step::LabelPods | Step::GiveBack => {
            must(false, "nothing here is adopted");
        }
        Step::MakeHook(_) | Step::RunHook { .. } => must(false, "nothing here has a hook"),
        Step::Wall | Step::Unwall => must(false, "nothing here is walled"),
        Step::Prune => must(
            matches!(phase, Phase::Settling | Phase::Aborting),
            "pruning comes last",
        ),
    }
    // Each of these brings a mark or a result, so none goes on for ever.
    let once = matches!(step, Step::Prepare | Step::Conclude(_));
    if state.age == Age::Overdue && !once {
        broken.push("nothing is begun once the time is up");
    }
    broken
}

fn deleting_services(state: &State, names: &[String]) -> Vec<&'static str> {
    let apps = state.apps();
    let rules = [
        (
            state.phase == Phase::Deploying && !state.is_marked(Mark::Prepared),
            "Services of a colour go before it is filled",
        ),
        (
            !apps.iter().any(leads_to_new),
            "no Service of a colour that serves goes",
        ),
        (
            names.iter().all(|name| name.ends_with("-green")),
            "no Service of the other colour goes",
        ),
        (
            names.len() == apps.iter().filter(|app| app.rerouted).count(),
            "Services that are as planned stay",
        ),
    ];
    let broken = rules.into_iter().filter(|(held, _)| !held);
    broken.map(|(_, what)| what).collect()
}

fn deleting(state: &State, name: &str) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let mut must = |held: bool, what| {
        if !held {
            broken.push(what);
        }
    };
    let is_new = name.ends_with("-green");
    let apps = state.apps();
    if is_new {
        must(
            matches!(state.phase, Phase::Deploying | Phase::Aborting),
            "a candidate goes before it is filled, or aborted",
        );
        must(!apps.iter().any(leads_to_new), "what serves is not deleted");
        return broken;
    }
    must(
        state.phase == Phase::Settling,
        "the old colour goes while settling",
    );
    must(!apps.iter().any(leads_to_old), "what serves is not deleted");
    must(
        state.is_marked(Mark::LetGo),
        "it is on record that the old colour goes",
    );
    let kept = match (state.resumed, state.hurry) {
        (true, _) | (false, true) => Age::Drained,
        (false, false) => Age::Kept,
    };
    must(
        state.age >= kept,
        "the old colour is kept as long as promised",
    );
    let caller_stands = apps.len() > 1 && apps[0].old != Old::Absent;
    let callee = AppName::parse("hello-b").unwrap();
    let goes = plan(state.kind).app(&callee).is_some() && name == "hello-b-blue";
    must(!(goes && caller_stands), "callers go before callees");
    broken
}
