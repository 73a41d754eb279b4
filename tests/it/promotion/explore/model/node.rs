//! A state of the model, and what comes of the promoter's steps in it.

use promoter::promotion::Mark;
use promoter::promotion::next::{Next, Step};
use promoter::promotion::phase::Phase;

use crate::promotion::explore::invariants::passed;
use crate::promotion::explore::states::{
    Age, App, Candidate, Kind, Old, Points, Recorded, Returned, Run, State,
};

/// A state of the model: the situation, and what was true on the way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::promotion::explore) struct Node {
    pub(in crate::promotion::explore) state: State,
    /// Whether the gate was passed with every check passed.
    pub(in crate::promotion::explore) gated: bool,
    /// How often somebody may still interfere.
    pub(in crate::promotion::explore) meddlings: u8,
}

impl Node {
    pub(in crate::promotion::explore) fn begin(kind: Kind, meddlings: u8) -> Self {
        Self {
            state: State::planned(kind),
            gated: false,
            meddlings,
        }
    }

    pub(super) fn with(self, change: impl FnOnce(&mut State)) -> Self {
        let mut node = self;
        change(&mut node.state);
        node
    }

    pub(super) fn with_app(self, n: usize, change: impl FnOnce(&mut App)) -> Self {
        self.with(|state| change(&mut state.apps[n]))
    }

    /// What the record becomes when a phase is entered.
    pub(super) fn enter(self, phase: Phase) -> Self {
        let mut node = self;
        if phase == Phase::Promoting {
            node.gated = passed(&node.state);
        }
        assert!(
            phase != Phase::Promoted || node.gated,
            "promoted past the gate: {node:#?}"
        );
        node.with(|state| {
            let led = matches!(state.phase, Phase::Promoting | Phase::Settling);
            state.exposed |= led && phase == Phase::Aborting;
            (state.phase, state.age, state.resumed) = (phase, Age::Young, false);
        })
    }

    fn each_app(self, change: impl Fn(&mut App)) -> Self {
        self.with(|state| {
            let apps = state.kind.apps;
            state.apps[..apps].iter_mut().for_each(change);
        })
    }

    /// All that can come of what the promoter decided to do.
    pub(in crate::promotion::explore) fn outcomes(self, decided: &Next) -> Vec<Self> {
        match decided {
            Next::End | Next::Wait { .. } => Vec::new(),
            Next::Enter { phase, .. } => vec![self.enter(*phase)],
            Next::Do(step) => {
                let mut outcomes = self.done(step);
                // What the cluster refuses on the way in aborts.
                if self.state.phase < Phase::Settling {
                    outcomes.push(self.enter(Phase::Aborting));
                }
                outcomes
            }
        }
    }

    /// Its promoter dies, and another one takes it over, which may have work.
    pub(in crate::promotion::explore) fn taken_over(self, hurry: bool) -> Self {
        self.with(|state| {
            (state.age, state.resumed) = (Age::Young, true);
            if state.phase != Phase::Settling {
                return;
            }
            state.hurry = hurry;
            // It puts right first what somebody changed.
            for app in &mut state.apps {
                let serves = app.candidate == Candidate::Ready && app.routed;
                if serves && app.points != Points::Missing {
                    (app.points, app.followed) = (Points::New, false);
                }
            }
        })
    }

    /// A step that was done, or cut off in the midst of it. Nothing here is adopted,
    /// has a hook, takes work by itself or is walled.
    #[expect(clippy::too_many_lines, reason = "an arm for each step")]
    fn done(self, step: &Step) -> Vec<Self> {
        let mark = |node: Self, mark| node.with(|state| state.mark(mark));
        match step {
            Step::Pause
            | Step::TakeOver
            | Step::LabelPods
            | Step::GiveBack
            | Step::Wall
            | Step::Unwall
            | Step::MakeHook(_)
            | Step::RunHook { .. }
            | Step::StopOld(_)
            | Step::Schedule
            | Step::StopNew
            | Step::StartOld
            | Step::DeleteCronJobs(_) => Vec::new(),
            Step::Prepare => vec![mark(self, Mark::Prepared)],
            // They are made anew.
            Step::DeleteServices(_) => vec![self.each_app(|app| app.rerouted = false)],
            Step::Deploy(apps) => self.one_or_all(apps.len(), |app| {
                if app.candidate == Candidate::Absent {
                    (app.candidate, app.routed) = (Candidate::Unready, false);
                }
            }),
            Step::DeleteDeployments(found) => {
                let is_new = found.iter().all(|(name, _)| name.ends_with("green"));
                let going: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
                let app = |n: usize| ["hello-a", "hello-b"][n];
                let goes = |n| going.iter().any(|name| name.starts_with(app(n)));
                vec![self.with(|state| {
                    for n in (0..state.kind.apps).filter(|n| goes(*n)) {
                        if is_new {
                            state.apps[n].candidate = Candidate::Deleting;
                        } else {
                            state.apps[n].old = Old::Deleting;
                        }
                    }
                })]
            }
            Step::DeleteJobs(_) => vec![self.with(|state| {
                state.stray_job = false;
                for check in &mut state.checks {
                    if check.run != Run::Unstarted {
                        check.run = Run::JobGone;
                    }
                }
            })],
            Step::StartChecks { .. } => {
                let started = |run: Run| {
                    self.with(|state| {
                        let checks = state.kind.checks;
                        for check in &mut state.checks[..checks] {
                            if check.run == Run::Unstarted {
                                check.run = run;
                            }
                        }
                    })
                };
                // Recorded, and then the promoter dies before there is a Job.
                vec![started(Run::Starting), started(Run::JobGone)]
            }
            Step::Conclude(_) => vec![self.concluded()],
            Step::Repeat { .. } => {
                let again = |run: Run| {
                    self.with(|state| {
                        let lost = state.checks.iter_mut().find(|c| is_lost(c.run));
                        let check = lost.unwrap();
                        (check.run, check.last_run) = (run, true);
                    })
                };
                vec![again(Run::Starting), again(Run::JobGone)]
            }
            Step::ApplyShared => {
                let begun = mark(self, Mark::SharedBegun);
                let new = |app: &mut App| {
                    if app.points == Points::Missing {
                        app.points = Points::Nowhere;
                    }
                };
                vec![mark(begun.each_app(new), Mark::Shared), begun]
            }
            Step::Unpublish => vec![mark(self, Mark::Unpublished)],
            Step::Raise(_) => unreachable!("nothing here is autoscaled"),
            Step::ApplyServices => vec![mark(self, Mark::Services)],
            Step::Switch => self.one_or_all(self.state.kind.apps, |app| {
                (app.points, app.followed) = (Points::New, false);
            }),
            Step::LetGo => vec![mark(self, Mark::LetGo)],
            Step::SwitchBack => {
                let rest = if self.state.kind.replaces {
                    Points::Old
                } else {
                    Points::Nowhere
                };
                let back = |app: &mut App| {
                    if app.points == Points::New {
                        app.points = rest;
                    }
                };
                let all = self.one_or_all(self.state.kind.apps, back);
                let noted = self
                    .each_app(back)
                    .with(|state| state.returned = Returned::JustNow);
                std::iter::once(noted).chain(all).collect()
            }
            Step::Restore => vec![mark(self, Mark::Restored)],
            Step::Prune => vec![mark(self, Mark::Pruned)],
        }
    }

    /// A change of each of `n` apps that got as far as the first, or all the way.
    fn one_or_all(self, n: usize, change: impl Fn(&mut App)) -> Vec<Self> {
        let mut outcomes = vec![self.each_app(&change)];
        if n > 1 {
            outcomes.push(self.with_app(0, &change));
        }
        outcomes
    }

    /// The first check that has ended gets its result.
    fn concluded(self) -> Self {
        self.with(|state| {
            let checks = state.checks.iter_mut();
            let mut open = checks.filter(|check| check.recorded == Recorded::Nothing);
            let check = open.find(|c| has_ended(c.run) || (is_lost(c.run) && c.last_run));
            let check = check.expect("only what has ended is concluded");
            check.recorded = match check.run {
                Run::ExitZero => Recorded::Passed,
                Run::ExitOne => Recorded::Failed,
                Run::Overtime => Recorded::TimedOut,
                _ => Recorded::Errored,
            };
        })
    }
}

fn has_ended(run: Run) -> bool {
    matches!(
        run,
        Run::ExitZero | Run::ExitOne | Run::Overtime | Run::Foreign
    )
}

fn is_lost(run: Run) -> bool {
    matches!(run, Run::Deleted | Run::JobGone | Run::Swapped)
}
