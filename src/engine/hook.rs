//! Running a hook once: its Job is made suspended, its uid is put on record, and only
//! then is it let run.

use super::drive::Drive;
use crate::group::name::CheckName;
use crate::plan::object::{ObjectRef, entry};
use crate::port::ClusterError;
use crate::promotion::event::Fact;
use crate::promotion::observed::Observed;

/// A hook has one run.
const ATTEMPT: u32 = 1;

impl Drive {
    /// Records that the hook begins, makes its Job, and records which one that is.
    /// Done again by a successor, it finds the same Job, which has not run.
    pub(super) async fn make_hook(
        &mut self,
        hook: CheckName,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        self.promotion.attempts.insert(hook.clone(), ATTEMPT);
        self.put_on_record().await?;
        let Some(planned) = self.plan.check(&hook) else {
            return Ok(());
        };
        let pins = self.pins(observed)?;
        let mut job = self.pinned_job(planned, ATTEMPT, &pins, &self.links(&pins));
        entry(&mut job.0, &["spec"]).insert("suspend".into(), true.into());
        let made = self.engine.cluster.create(self.epoch, &job).await?;
        let uid = made.uid().unwrap_or_default().to_owned();
        self.promotion.runs.insert(hook, uid);
        self.put_on_record().await
    }

    /// Lets it run, if it is that very Job.
    pub(super) async fn run_hook(
        &self,
        hook: CheckName,
        job: &str,
        uid: &str,
    ) -> Result<(), ClusterError> {
        let job = ObjectRef::new("batch/v1", "Job", job);
        self.engine.cluster.let_run(self.epoch, &job, uid).await?;
        self.emit(Fact::CheckStarted {
            check: hook,
            attempt: ATTEMPT,
        });
        Ok(())
    }
}
