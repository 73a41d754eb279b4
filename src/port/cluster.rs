//! The cluster: what is seen there and what is changed there.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use super::Epoch;
use crate::plan::object::{Object, ObjectRef};
use crate::plan::survey::{Survey, Trials};
use crate::promotion::Raise;
use crate::promotion::observed::Observed;

/// One group's namespace in a cluster.
///
/// Every write carries the [`Epoch`] of the Lease it is made under. A write
/// under an epoch that is over fails with [`ClusterError::Fenced`] and changes
/// nothing.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// Everything planning looks at. Changes nothing.
    async fn survey(&self) -> Result<Survey, ClusterError>;

    /// Asks the server what it would say to these objects; those of `adopted` that
    /// stand count as the group's. Changes nothing.
    async fn try_out(
        &self,
        objects: &[Object],
        adopted: &[ObjectRef],
    ) -> Result<Trials, ClusterError>;

    /// These objects, whoever they belong to, without those that are not there.
    async fn find(&self, objects: &[ObjectRef]) -> Result<Vec<Object>, ClusterError>;

    /// All objects of these kinds (`apiVersion`, `kind`), whoever they belong to.
    async fn all(&self, kinds: &[(&str, &str)]) -> Result<Vec<Object>, ClusterError>;

    /// The group's objects as they stand, every write of this process included.
    async fn observe(&self) -> Result<Observed, ClusterError>;

    /// Whether the namespace is being deleted, or is gone. Where that may not be
    /// read, it counts as no.
    async fn is_ending(&self) -> Result<bool, ClusterError>;

    /// Returns once something may have changed since the last [`Cluster::observe`].
    async fn changed(&self);

    /// Makes an object as given, or returns the one that is there if the same
    /// promotion made it.
    async fn create(&self, epoch: Epoch, object: &Object) -> Result<Object, ClusterError>;

    /// Server-side apply, never forced against other managers, never onto an object
    /// that is not the group's.
    async fn apply(&self, epoch: Epoch, object: &Object) -> Result<Object, ClusterError>;

    /// Merges a patch into exactly this state of an object, whoever it belongs to: one
    /// that was changed since is [`ClusterError::Moved`]. For what is adopted alone.
    async fn alter(
        &self,
        epoch: Epoch,
        found: &Object,
        patch: &Value,
    ) -> Result<Object, ClusterError>;

    /// Lets a Job run that was made suspended, if it is the one of that uid. One that
    /// runs already, or is gone, is left as it is.
    async fn let_run(&self, epoch: Epoch, job: &ObjectRef, uid: &str) -> Result<(), ClusterError>;

    /// Deletes exactly the object of that uid; one that is gone is fine.
    async fn delete(&self, epoch: Epoch, object: &ObjectRef, uid: &str)
    -> Result<(), ClusterError>;

    /// Deletes exactly this state of an object: one that was changed since is
    /// [`ClusterError::Moved`], and one that is gone is fine. For what may live on
    /// under its uid when the request arrives late.
    async fn delete_unchanged(&self, epoch: Epoch, found: &Object) -> Result<(), ClusterError>;

    /// Deletes all Jobs of a promotion, at one go. A request that arrives late
    /// finds nothing of later promotions, and one that takes longer than a lock
    /// may be taken over in is given up by the server itself: [`ClusterError::Moved`].
    async fn delete_runs(&self, epoch: Epoch, runs: &Runs) -> Result<(), ClusterError>;

    /// Moves the selector of one active Service, and what has to move with it. Once a
    /// Service is the group's this is the only way by which its selector changes.
    async fn point(&self, epoch: Epoch, change: &Pointing) -> Result<(), ClusterError>;

    /// Gives a Deployment more pods, from exactly the state that is named, and
    /// returns its new generation. If just that was done before, it is fine; any
    /// other change of it meanwhile is [`ClusterError::Moved`].
    async fn raise(&self, epoch: Epoch, raise: &Raise) -> Result<i64, ClusterError>;

    /// Stops what takes work by itself, or lets it work: a Deployment or a `CronJob` of
    /// the group, from exactly the state that is found, so that a request that arrives
    /// late changes nothing that came after it. It is written even if nothing changes.
    /// One that is gone, or was made anew, is fine.
    async fn set_work(&self, epoch: Epoch, worker: &Worker) -> Result<(), ClusterError>;

    /// Sets how an autoscaler of the group takes pods away (`selectPolicy`):
    /// `Disabled` not at all, `None` as by default. One that is gone is fine.
    async fn scale_down(
        &self,
        epoch: Epoch,
        autoscaler: &str,
        policy: Option<&str>,
    ) -> Result<(), ClusterError>;

    /// The group's objects of these kinds (`apiVersion`, `kind`).
    async fn owned(&self, kinds: &[(String, String)]) -> Result<Vec<Object>, ClusterError>;

    /// Lines of a container, as they come until it ends; `previous` reads the
    /// run before its last restart. An error is the last that comes: whatever
    /// is behind it is missing.
    async fn lines(&self, source: &LogSource) -> Result<Lines, ClusterError>;
}

/// Lines of a log, or that it broke off.
pub type Lines = BoxStream<'static, Result<String, ClusterError>>;

/// All Jobs of the group that carry a promotion's label, and a check's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    /// The promotion.
    pub promotion: String,
    /// Their names and uids.
    pub jobs: Vec<(String, String)>,
}

/// What takes work by itself, and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// The Deployment or `CronJob`.
    pub object: ObjectRef,
    /// The uid it must have.
    pub uid: String,
    /// What it does from now on.
    pub work: Work,
}

/// What a Deployment or a `CronJob` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// It has that many pods.
    Pods(u32),
    /// It makes no Jobs. Those it made go on.
    Suspended,
    /// It makes Jobs.
    Scheduled(Since),
}

/// From when on the times of a schedule count. Those that came and brought no Job are
/// made up for by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// From its own last Job on, or from its making.
    Last,
    /// From now on, by the server's clock.
    Now,
    /// From that time on.
    Time(Timestamp),
}

/// A change of one active Service's selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointing {
    /// Its name.
    pub service: String,
    /// The uid it must have.
    pub uid: String,
    /// The selector it must have; `None`: it must have none.
    pub from: Option<BTreeMap<String, String>>,
    /// The selector it gets; `None`: it gets none.
    pub to: Option<BTreeMap<String, String>>,
    /// Fields of its spec that change at the same moment: ports, type.
    pub spec: BTreeMap<String, Value>,
}

/// Where lines are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    /// The pod.
    pub pod: String,
    /// Its container.
    pub container: String,
    /// Whether to go on until the container ends.
    pub follow: bool,
    /// Read the run before the last restart.
    pub previous: bool,
    /// Only that many lines from the end.
    pub tail: Option<i64>,
}

/// Why the cluster did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClusterError {
    /// No cluster answers there.
    #[error("failed to reach the cluster {cluster}: {reason}")]
    Unreachable {
        /// Context or address.
        cluster: String,
        /// What stood in the way, and what to do.
        reason: String,
    },
    /// The server does not allow it.
    #[error(
        "not allowed to {action}: {reason}; `promoter install` prints the Role that a group needs"
    )]
    Forbidden {
        /// What was tried.
        action: String,
        /// The server's word.
        reason: String,
    },
    /// An object of that name is there and is not the group's.
    #[error("{object} is there already and is not promoter's; promoter never takes it over")]
    Foreign {
        /// The object.
        object: ObjectRef,
    },
    /// Another field manager owns what is to be applied.
    #[error("failed to apply {object}: {reason}")]
    Conflict {
        /// The object.
        object: ObjectRef,
        /// Who owns what.
        reason: String,
    },
    /// Somebody changed it meanwhile.
    #[error("failed to {action}: it was changed by somebody else meanwhile")]
    Moved {
        /// What was tried.
        action: String,
    },
    /// The Lease is over or somebody else's.
    #[error("the lock of the group was lost; whoever holds it now carries on")]
    Fenced,
    /// The group's custom resource is not installed.
    #[error("the DeploymentGroup resource is not installed in the cluster; run `promoter install`")]
    NotInstalled,
    /// The group's namespace is not there.
    #[error("namespace {namespace} does not exist; `promoter install` makes it")]
    NoNamespace {
        /// Which.
        namespace: String,
    },
    /// The environment's cluster is none that the kubeconfig knows.
    #[error("the kubeconfig has no context {context:?}; it has: {known}")]
    NoContext {
        /// What the environment names.
        context: String,
        /// The contexts there are.
        known: String,
    },
    /// The kubeconfig does not say which cluster is meant.
    #[error("the kubeconfig has no current context; name one with --context: {known}")]
    NoCurrentContext {
        /// The contexts there are.
        known: String,
    },
    /// The server refuses it.
    #[error("failed to {action}: {reason}")]
    Refused {
        /// What was tried.
        action: String,
        /// The server's word.
        reason: String,
    },
}
