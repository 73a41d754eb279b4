//! `CronJob`s: what of one stands where, and the Jobs that it makes.

use std::time::Duration;

use serde_json::Value;

use super::object::{Object, entry};

/// `apiVersion` of every `CronJob` that promoter makes.
pub const API_VERSION: &str = "batch/v1";
/// Kind of every `CronJob` that promoter makes.
pub const KIND: &str = "CronJob";
/// Longest name that the API takes for one: eleven characters less than a Job's,
/// which are for the time in the names of its Jobs.
pub const NAME_LIMIT: usize = 52;
/// How long a Job is waited for that has no `activeDeadlineSeconds`.
const UNLIMITED: Duration = Duration::from_mins(10);

/// Changes what its Jobs are made from, which is a workload like others.
pub fn change_job(cron: &mut Object, change: impl FnOnce(&mut Object)) {
    let template = entry(&mut cron.0, &["spec"]).remove("jobTemplate");
    let mut job = Object(template.unwrap_or_default());
    change(&mut job);
    entry(&mut cron.0, &["spec"]).insert("jobTemplate".into(), job.0);
}

/// What its Jobs are made from.
pub fn job(cron: &Object) -> Object {
    Object(cron.at("/spec/jobTemplate").cloned().unwrap_or_default())
}

/// Whether it makes no Jobs.
pub fn is_suspended(cron: &Object) -> bool {
    cron.at("/spec/suspend") == Some(&Value::Bool(true))
}

/// The same, making no Jobs.
pub fn suspended(mut cron: Object) -> Object {
    entry(&mut cron.0, &["spec"]).insert("suspend".into(), true.into());
    cron
}

/// How long its Jobs are waited for: as long as they may run.
pub fn time_to_end(cron: &Object) -> Duration {
    let limit = cron.at("/spec/jobTemplate/spec/activeDeadlineSeconds");
    let limit = limit.and_then(Value::as_u64).map(Duration::from_secs);
    limit.unwrap_or(UNLIMITED)
}
