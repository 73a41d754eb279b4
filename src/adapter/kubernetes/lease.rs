//! The group's lock: a Lease whose epoch is the fence of every write.
//!
//! A holder acts only before a local monotonic deadline, which it moves by
//! renewing; no request of its may outlive that deadline. Time in which the
//! machine sleeps counts, as nobody else sleeps meanwhile. A taker raises the
//! epoch and stamps it on the active Services and the `DeploymentGroup` before
//! it looks at anything, so that what an earlier holder still has under way is
//! refused by the server (design: fence).
//!
//! Times in the Lease are for people. Whether its holder is gone is told by
//! watching it on this process' own monotonic clock, as clocks of different
//! machines may be anything apart.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, ResourceExt};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use super::{Kubernetes, error, resource};
use crate::plan::label;
use crate::port::ledger::LOCK_LASTS;
use crate::port::{ClusterError, Epoch, LockError};

/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(5);
/// How soon a renewal that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long the answer to one may take.
const ANSWER: Duration = Duration::from_secs(3);
/// How long its holder acts on it: less, for clocks that run at different speeds.
const GOOD_FOR: Duration = Duration::from_secs(13);
/// How long nobody acts on a lock that is not renewed any more, at the least.
pub(super) const NOBODYS_FOR: Duration = LOCK_LASTS.saturating_sub(GOOD_FOR);

/// Somebody else's lock, as this process saw it first.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    holder: Option<String>,
    renewed: Option<MicroTime>,
    since: Instant,
}

impl Sighting {
    /// A lock as it is now; `None`: nobody has it.
    pub(super) fn of(spec: &LeaseSpec) -> Option<Self> {
        let holder = spec
            .holder_identity
            .clone()
            .filter(|held| !held.is_empty())?;
        Some(Self {
            holder: Some(holder),
            renewed: spec.renew_time.clone(),
            since: Instant::now(),
        })
    }

    /// Whether its holder has done nothing since `before`.
    pub(super) fn is_as(&self, before: &Self) -> bool {
        self.holder == before.holder && self.renewed == before.renewed
    }

    /// Who holds it, for people.
    pub(super) fn holder(&self) -> Option<String> {
        let identity = self.holder.as_deref()?;
        Some(person(identity).to_owned())
    }
}

/// A lock this process holds.
pub(super) struct Held {
    epoch: Epoch,
    /// Until when it is acted on, since the machine was started.
    deadline: Duration,
    renewal: AbortHandle,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl Kubernetes {
    fn leases(&self) -> Api<Lease> {
        Api::namespaced(self.client.clone(), self.namespace.as_str())
    }

    /// The Lease as it is, if there is one.
    pub(super) async fn lease(&self) -> Result<Option<Lease>, ClusterError> {
        let found = self.leases().get_opt(&self.lease_name()).await;
        found.map_err(|error| error::from("read the group's Lease", error))
    }

    /// Who has the group's lock, or had it when they were gone.
    pub(super) async fn holder(&self) -> Result<Option<String>, ClusterError> {
        let spec = self.lease().await?.and_then(|lease| lease.spec);
        Ok(spec
            .as_ref()
            .and_then(Sighting::of)
            .and_then(|held| held.holder()))
    }

    fn lease_name(&self) -> String {
        format!("promoter-{}", self.group)
    }

    /// Takes the Lease if it is free or abandoned. The new epoch is above
    /// every epoch ever stamped, even if the Lease itself was deleted.
    pub(super) async fn take_lease(
        &self,
        holder: &str,
        mut current: Option<Lease>,
        stamped: u64,
    ) -> Result<Epoch, LockError> {
        // Its renewal ends with it; one that is under way is the last.
        *self.held.lock().await = None;
        loop {
            if let Some(epoch) = self.replace_lease(holder, current, stamped).await? {
                return Ok(epoch);
            }
            current = self.lease().await.map_err(LockError::Cluster)?;
            let winner = current.iter().find_map(|lease| lease.spec.as_ref());
            let is_others =
                |spec: &&LeaseSpec| spec.holder_identity.is_some() && !self.is_own(spec);
            if let Some(spec) = winner.filter(is_others) {
                return Err(held(spec, true));
            }
        }
    }

    /// `None`: it is another one than was read. Somebody was faster, or a renewal
    /// of this process' own came between.
    async fn replace_lease(
        &self,
        holder: &str,
        current: Option<Lease>,
        stamped: u64,
    ) -> Result<Option<Epoch>, LockError> {
        let leases = self.leases();
        let failed = |error| LockError::Cluster(error::from("take the group's Lease", error));
        let now = Timestamp::now();
        let before = uptime();
        let spec = current
            .as_ref()
            .and_then(|lease| lease.spec.clone())
            .unwrap_or_default();
        self.refuse_if_held(&spec).await?;
        let last = u64::try_from(spec.lease_transitions.unwrap_or(0)).unwrap_or(0);
        let epoch = Epoch(last.max(stamped) + 1);
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(self.lease_name()),
                resource_version: current
                    .as_ref()
                    .and_then(|lease| lease.metadata.resource_version.clone()),
                labels: Some([(label::GROUP.to_owned(), self.group.to_string())].into()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(format!("{holder}/{}", self.identity)),
                lease_duration_seconds: i32::try_from(LOCK_LASTS.as_secs()).ok(),
                acquire_time: Some(MicroTime(now)),
                renew_time: Some(MicroTime(now)),
                lease_transitions: i32::try_from(epoch.0).ok(),
                ..LeaseSpec::default()
            }),
        };
        let params = resource::posted();
        let taken = match current {
            None => leases.create(&params, &lease).await,
            Some(_) => leases.replace(&self.lease_name(), &params, &lease).await,
        };
        let taken = match taken {
            Ok(lease) => lease,
            Err(error) if error::is_conflict(&error) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let renewal = renew(leases, taken, Arc::clone(&self.held), epoch);
        let renewal = tokio::spawn(renewal).abort_handle();
        *self.held.lock().await = Some(Held {
            epoch,
            deadline: before + GOOD_FOR,
            renewal,
        });
        Ok(Some(epoch))
    }

    /// Fails while somebody else holds the Lease and was seen to renew it, or
    /// was not watched for long enough.
    async fn refuse_if_held(&self, spec: &LeaseSpec) -> Result<(), LockError> {
        let mut sighted = self.sighted.lock().await;
        let Some(now) = Sighting::of(spec).filter(|_| !self.is_own(spec)) else {
            *sighted = None;
            return Ok(());
        };
        let Some(first) = sighted.as_ref() else {
            *sighted = Some(now);
            return Err(held(spec, false));
        };
        if !now.is_as(first) {
            *sighted = Some(now);
            return Err(held(spec, true));
        }
        let seconds = u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0);
        if first.since.elapsed() < Duration::from_secs(seconds).max(LOCK_LASTS) {
            return Err(held(spec, false));
        }
        *sighted = None;
        Ok(())
    }

    /// Whether this process is its holder.
    fn is_own(&self, spec: &LeaseSpec) -> bool {
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        holder.rsplit_once('/').map(|(_, process)| process) == Some(&self.identity)
    }

    pub(super) async fn free_lease(&self, epoch: Epoch) -> Result<(), ClusterError> {
        let mut held = self.held.lock().await;
        if held.as_ref().is_none_or(|held| held.epoch != epoch) {
            return Ok(());
        }
        *held = None;
        drop(held);
        let leases = self.leases();
        let failed = |error| error::from("give the group's Lease back", error);
        loop {
            let mut lease = leases.get(&self.lease_name()).await.map_err(failed)?;
            let spec = lease.spec.get_or_insert_default();
            if spec.lease_transitions.and_then(|n| u64::try_from(n).ok()) != Some(epoch.0) {
                return Ok(());
            }
            spec.holder_identity = None;
            match leases
                .replace(&self.lease_name(), &PostParams::default(), &lease)
                .await
            {
                Ok(_) => return Ok(()),
                // A renewal that was under way came between; there is only ever one.
                Err(error) if error::is_conflict(&error) => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Lets a request run only while the epoch is held, and not a moment longer.
    pub(super) async fn fenced<T>(
        &self,
        epoch: Epoch,
        request: impl Future<Output = Result<T, ClusterError>>,
    ) -> Result<T, ClusterError> {
        let held = self.held.lock().await;
        let deadline = held
            .as_ref()
            .filter(|held| held.epoch == epoch)
            .map(|held| held.deadline);
        drop(held);
        within(deadline.ok_or(ClusterError::Fenced)?, uptime, request).await
    }
}

/// Runs what may take several requests until a deadline on a clock, and goes on
/// with none of it after that: a timer may stand still where the clock does not.
async fn within<T>(
    deadline: Duration,
    clock: impl Fn() -> Duration,
    request: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    let left = deadline.saturating_sub(clock());
    let mut request = pin!(request);
    let in_time = poll_fn(|context| {
        if clock() >= deadline {
            return Poll::Ready(Err(ClusterError::Fenced));
        }
        request.as_mut().poll(context)
    });
    let answer = tokio::time::timeout(left, in_time).await;
    answer.unwrap_or(Err(ClusterError::Fenced))
}

/// How long ago the machine was started, its sleep included: [`Instant`] leaves
/// that out, and somebody else may have taken the lock meanwhile.
fn uptime() -> Duration {
    #[cfg(target_os = "linux")]
    const CLOCK: ClockId = ClockId::Boottime;
    // Elsewhere the monotonic clock goes on in a machine that sleeps.
    #[cfg(not(target_os = "linux"))]
    const CLOCK: ClockId = ClockId::Monotonic;
    Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
}

/// Who holds a Lease, for people.
fn held(spec: &LeaseSpec, alive: bool) -> LockError {
    let identity = spec.holder_identity.as_deref().unwrap_or("somebody else");
    let since = spec.acquire_time.as_ref().or(spec.renew_time.as_ref());
    LockError::Held {
        holder: person(identity).to_owned(),
        since: since.map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        alive,
    }
}

/// Who that is, without which of their processes.
fn person(identity: &str) -> &str {
    let parts = identity.rsplit_once('/');
    parts.map_or(identity, |(person, _)| person)
}

/// Renews until the Lease is somebody else's or the deadline has passed.
async fn renew(leases: Api<Lease>, mut lease: Lease, held: Arc<Mutex<Option<Held>>>, epoch: Epoch) {
    let name = lease.metadata.name.clone().unwrap_or_default();
    let namespace = lease.namespace().unwrap_or_default();
    let group = lease.labels().get(label::GROUP).cloned();
    let group = group.unwrap_or_default();
    let mut pause = RENEWAL;
    loop {
        tokio::time::sleep(pause).await;
        pause = RETRY;
        let asked = uptime();
        if let Some(spec) = lease.spec.as_mut() {
            spec.renew_time = Some(MicroTime(Timestamp::now()));
        }
        let params = PostParams::default();
        let request = leases.replace(&name, &params, &lease);
        match tokio::time::timeout(ANSWER, request).await {
            Ok(Ok(renewed)) => {
                lease = renewed;
                pause = RENEWAL;
                let mut held = held.lock().await;
                let Some(held) = held.as_mut().filter(|held| held.epoch == epoch) else {
                    return;
                };
                held.deadline = asked + GOOD_FOR;
            }
            Ok(Err(kube::Error::Api(status))) if status.code == 409 || status.code == 404 => {
                *held.lock().await = None;
                return;
            }
            // The deadline decides how long that may go on.
            Ok(Err(error)) => tracing::warn!(
                %group,
                %namespace,
                error = error::said(&error),
                "failed to renew the group's lock"
            ),
            Err(_) => {
                tracing::warn!(%group, %namespace, "renewing the group's lock takes too long");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    /// A machine that sleeps for so long between two requests, in the first second.
    async fn sleeping(slept: Duration) -> (Result<(), ClusterError>, usize) {
        let (now, sent) = (Cell::new(Duration::from_secs(1)), Cell::new(0));
        let requests = async {
            sent.set(1);
            now.set(now.get() + slept);
            tokio::task::yield_now().await;
            sent.set(2);
            Ok(())
        };
        let done = within(DEADLINE, || now.get(), requests).await;
        (done, sent.get())
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_after_the_sleep_of_a_machine() {
        assert_eq!(sleeping(Duration::from_secs(8)).await, (Ok(()), 2));
        let hour = Duration::from_hours(1);
        assert_eq!(sleeping(hour).await, (Err(ClusterError::Fenced), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_answered_ends_with_the_lock() {
        let never = std::future::pending::<Result<(), ClusterError>>();
        let ended = within(DEADLINE, Duration::default, never).await;
        assert_eq!(ended, Err(ClusterError::Fenced));
        let over = within(DEADLINE, || DEADLINE, async { Ok(()) }).await;
        assert_eq!(over, Err(ClusterError::Fenced));
    }
}
