//! A situation, reduced to what can make a difference to a decision. Small
//! enough to go through all of them, and to be compared and counted.

use promoter::promotion::Mark;
use promoter::promotion::phase::Phase;

/// Most members and checks of the group that is explored.
pub(super) const MOST: usize = 2;

/// The Deployment of an app in the colour that is to be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Candidate {
    Absent,
    /// Ours, whole, and as it was when its checks began.
    Ready,
    /// The same, but a pod of it is missing.
    Unready,
    /// Ours and whole, but its spec was changed by somebody.
    Edited,
    /// Ours and whole, but not the one that was tested.
    Replaced,
    /// Of another promotion.
    Foreign,
    Deleting,
}

/// The Deployment of an app in the colour that served before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Old {
    Absent,
    Ready,
    Unready,
    /// Whole, but its colour's Service does not lead to it.
    Unrouted,
    Deleting,
}

/// Where an app's active Service points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Points {
    /// There is no such Service.
    Missing,
    Nowhere,
    Elsewhere,
    Old,
    New,
    /// At pods of the old colour, but not as any plan says.
    BentOld,
    /// At pods of the candidate, but not as any plan says.
    BentNew,
}

/// One member of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct App {
    pub(super) candidate: Candidate,
    pub(super) old: Old,
    pub(super) points: Points,
    /// Whether the candidate's pods are behind its colour's Service.
    pub(super) routed: bool,
    /// Whether they are behind the active Service, if that points at them, and
    /// nodes had the time to learn the way to them.
    pub(super) followed: bool,
    /// Whether somebody led the colour's Service elsewhere.
    pub(super) rerouted: bool,
    /// Whether pods of the candidate's colour are left without a Deployment.
    pub(super) leftover: bool,
}

/// The run a check is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Run {
    Unstarted,
    Starting,
    Running,
    Overtime,
    ExitZero,
    ExitOne,
    /// It exited 0, but only because it was deleted.
    Deleted,
    JobGone,
    /// The Job of that name is another promotion's, and exited 0.
    Foreign,
    /// Somebody put another Job in the place of ours, which exited 0.
    Swapped,
}

/// What is on record of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Recorded {
    Nothing,
    Passed,
    Failed,
    Errored,
    TimedOut,
    /// Passed, for another promotion of the same plan.
    OtherPromotion,
    /// Passed, for this promotion by another plan.
    OtherPlan,
    PassedTwice,
    PassedAndFailed,
}

/// One check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Check {
    pub(super) run: Run,
    /// Whether there may be no further run.
    pub(super) last_run: bool,
    pub(super) recorded: Recorded,
}

/// How long the promotion has stood in its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Age {
    /// A second.
    Young,
    /// Longer than connections take to drain.
    Drained,
    /// Longer than `keep_old`.
    Kept,
    /// Exactly its time limit.
    Overdue,
}

/// When traffic went back to the old colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Returned {
    No,
    JustNow,
    LongAgo,
}

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    Nothing,
    Abort,
    Held,
    Rollback,
    RollbackOfAnother,
}

/// What does not change while a promotion is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kind {
    pub(super) apps: usize,
    pub(super) checks: usize,
    /// Whether the environment allows a group without checks.
    pub(super) untested: bool,
    /// Whether anything served before.
    pub(super) replaces: bool,
    /// Whether a regression only is reported.
    pub(super) reports: bool,
}

/// One situation. Of `apps` and `checks` only as many count as the kind has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) kind: Kind,
    pub(super) phase: Phase,
    pub(super) age: Age,
    /// Whether it was begun long ago and is driven by somebody else now.
    pub(super) resumed: bool,
    /// Bits in the order of [`MARKS`].
    pub(super) marks: u16,
    pub(super) apps: [App; MOST],
    pub(super) checks: [Check; MOST],
    pub(super) exposed: bool,
    pub(super) returned: Returned,
    pub(super) hurry: bool,
    pub(super) asked: Asked,
    /// Whether a Job of an earlier promotion is left.
    pub(super) stray_job: bool,
    /// Whether a Service of somebody else selects the candidate's pods.
    pub(super) exposing: bool,
}

/// All marks.
pub(super) const MARKS: [Mark; 9] = [
    Mark::Prepared,
    Mark::Unpublished,
    Mark::SharedBegun,
    Mark::Shared,
    Mark::Autoscaled,
    Mark::Services,
    Mark::LetGo,
    Mark::Restored,
    Mark::Pruned,
];

impl State {
    /// A promotion of a group that is whole, right after it was planned.
    pub(super) fn planned(kind: Kind) -> Self {
        let app = App {
            candidate: Candidate::Absent,
            old: if kind.replaces {
                Old::Ready
            } else {
                Old::Absent
            },
            points: if kind.replaces {
                Points::Old
            } else {
                Points::Missing
            },
            routed: true,
            followed: true,
            rerouted: false,
            leftover: false,
        };
        let check = Check {
            run: Run::Unstarted,
            last_run: false,
            recorded: Recorded::Nothing,
        };
        Self {
            kind,
            phase: Phase::Planned,
            age: Age::Young,
            resumed: false,
            marks: 0,
            apps: [app; MOST],
            checks: [check; MOST],
            exposed: false,
            returned: Returned::No,
            hurry: false,
            asked: Asked::Nothing,
            stray_job: false,
            exposing: false,
        }
    }

    pub(super) fn apps(&self) -> &[App] {
        &self.apps[..self.kind.apps]
    }

    pub(super) fn checks(&self) -> &[Check] {
        &self.checks[..self.kind.checks]
    }

    pub(super) fn is_marked(&self, mark: Mark) -> bool {
        self.marks & bit(mark) != 0
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        self.marks |= bit(mark);
    }
}

pub(super) fn bit(mark: Mark) -> u16 {
    1 << MARKS.iter().position(|m| *m == mark).unwrap()
}
