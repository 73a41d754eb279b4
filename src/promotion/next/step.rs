//! What can come out of the rules: a change outside, another phase, a wait, the end.

use jiff::Timestamp;

use crate::group::name::{AppName, CheckName};
use crate::promotion::phase::Phase;
use crate::promotion::{Raise, Reason, Stopped, Tested};

/// What to do now.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Change something outside, then look again.
    Do(Step),
    /// Move to another phase; recorded before anything else happens.
    Enter {
        /// The phase.
        phase: Phase,
        /// Why, where it is not simply the next one.
        reasons: Vec<Reason>,
        /// The candidates as they stand, when checks begin.
        tested: Vec<(AppName, Tested)>,
    },
    /// Nothing to do until something changes or the time comes.
    Wait {
        /// What for, in words.
        wait_for: String,
        /// When to look again at the latest.
        until: Timestamp,
    },
    /// It has ended.
    End,
}

/// One change outside. Performing it twice is the same as performing it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Let the Deployments stand still that stood before promoter came.
    Pause,
    /// Make the rest of what stood before promoter came the group's.
    TakeOver,
    /// Label pods that came in the place of those which were taken over.
    LabelPods,
    /// Make what was taken over what it was found as.
    GiveBack,
    /// Apply configuration, budgets and colour Services of the candidate.
    Prepare,
    /// Close the wall between the colours to the other one's pods and Services as they are.
    Wall,
    /// Take the wall between the colours down.
    Unwall,
    /// Make the candidate Deployments of these apps, and their `CronJob`s.
    Deploy(Vec<AppName>),
    /// Delete Services of the colour that are not as planned, by name.
    DeleteServices(Vec<String>),
    /// Delete Deployments, by name and uid, and before them what scales them.
    DeleteDeployments(Vec<(String, String)>),
    /// Delete `CronJob`s, by name and uid.
    DeleteCronJobs(Vec<(String, String)>),
    /// Delete Jobs, by name and uid.
    DeleteJobs(Vec<(String, String)>),
    /// Make the Jobs of these checks.
    StartChecks {
        /// The checks.
        checks: Vec<CheckName>,
        /// Whether a node may not know the candidate yet.
        early: bool,
    },
    /// Read the logs of checks that have ended and record their results.
    Conclude(Vec<CheckName>),
    /// A run gave no verdict: begin the next one.
    Repeat {
        /// The check.
        check: CheckName,
        /// Why.
        reason: String,
    },
    /// Make the Job of a hook, which does not run yet.
    MakeHook(CheckName),
    /// Let the Job of a hook run, by name and uid.
    RunHook {
        /// The hook.
        hook: CheckName,
        /// Its Job's name.
        job: String,
        /// Its Job's uid.
        uid: String,
    },
    /// Let only ready pods stand behind the candidate's Services.
    Unpublish,
    /// Give Deployments more pods.
    Raise(Vec<Raise>),
    /// Apply shared objects, and make active Services that are new, without
    /// selectors. The old colour's autoscalers take no pods away from then on.
    ApplyShared,
    /// Stop what takes work by itself in the old colour, once that is on record.
    StopOld(Vec<Stopped>),
    /// Let the candidate's `CronJob`s make Jobs, from where those before them ended.
    Schedule,
    /// Let none of the candidate colour's `CronJob`s make another Job.
    StopNew,
    /// Stop the candidate's `CronJob`s, and start what was stopped for it.
    StartOld,
    /// Move the selector, and the ports if they change, of every active Service
    /// to the candidate.
    Switch,
    /// Apply what else changes in active Services, and the candidate's autoscalers.
    ApplyServices,
    /// Note that the old colour goes now, and with it the way back.
    LetGo,
    /// Move active Services back to what the promotion found.
    SwitchBack,
    /// Apply the shared objects of what served before again; its autoscalers
    /// rule as before.
    Restore,
    /// Take the wall down, and delete whatever neither the plan that serves, nor, once it is promoted, the
    /// next one of the other colour, nor a shared kind still needs.
    Prune,
}

impl Step {
    /// Whether it puts on record itself what it is about to do, before it does it.
    pub fn records_itself(&self) -> bool {
        matches!(
            self,
            Self::StartChecks { .. }
                | Self::MakeHook(_)
                | Self::Conclude(_)
                | Self::Repeat { .. }
                | Self::Raise(_)
                | Self::StopOld(_)
                | Self::ApplyShared
        )
    }
}
