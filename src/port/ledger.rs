//! What the cluster must agree on about a group: who drives it, where it
//! stands, and the plans it was and is made from.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use thiserror::Error;

use super::ClusterError;
use crate::group::name::GroupName;
use crate::plan::Plan;
use crate::plan::config::ConfigKey;
use crate::plan::fingerprint::PlanId;
use crate::promotion::record::GroupRecord;
use crate::promotion::request::Request;
use crate::promotion::restraint::{Restraints, Statement};

/// How long a lock is good without being renewed.
pub const LOCK_LASTS: Duration = Duration::from_secs(15);

/// Number of a holder's turn with a group's Lease; every taker gets a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// One group's record, plans and lock.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The record; empty for a group that was never promoted.
    async fn read(&self) -> Result<GroupRecord, ClusterError>;

    /// Puts a request where the holder of the lock sees it at once. Needs no
    /// lock: a request changes nothing by itself.
    async fn request(&self, request: &Request) -> Result<(), ClusterError>;

    /// Takes a request away, if it is still there.
    async fn withdraw(&self, request: &Request) -> Result<(), ClusterError>;

    /// Puts a hold on the group where whoever drives it sees it at once, or takes it
    /// away. Needs no lock.
    async fn hold(&self, hold: Option<&Statement>) -> Result<(), ClusterError>;

    /// What keeps releases of the group from users now.
    async fn restraints(&self) -> Result<Restraints, ClusterError>;

    /// Takes the lock if it is free or abandoned, and stamps its epoch wherever
    /// a write of an earlier holder could still arrive, before it returns.
    ///
    /// A lock counts as abandoned once this process has seen it for its whole
    /// duration without a renewal, by its own steady clock: clocks of others
    /// are not compared. So whoever wants a lock that may be abandoned asks
    /// again until it is had, or its holder is seen to be alive.
    async fn acquire(&self, holder: &str) -> Result<Epoch, LockError>;

    /// Gives the lock back, if it is still held.
    async fn release(&self, epoch: Epoch) -> Result<(), ClusterError>;

    /// Writes the record; fails if anybody else wrote it meanwhile.
    async fn write(&self, epoch: Epoch, record: &GroupRecord) -> Result<(), ClusterError>;

    /// Keeps a plan for good; the same plan twice is fine.
    async fn store_plan(&self, epoch: Epoch, plan: &Plan) -> Result<(), ClusterError>;

    /// A kept plan.
    async fn plan(&self, id: &PlanId) -> Result<Option<Plan>, ClusterError>;

    /// What serves of another group of the namespace, by its record and its kept
    /// plans. `None`: nothing does, or its plan is gone.
    async fn serving(&self, group: &GroupName) -> Result<Option<Plan>, ClusterError>;

    /// Drops every kept plan except these.
    async fn forget_plans(&self, epoch: Epoch, except: &[PlanId]) -> Result<(), ClusterError>;

    /// Drops the group's record and every plan of it. The lock stays, as its epochs
    /// must not begin anew.
    async fn forget_group(&self, epoch: Epoch) -> Result<(), ClusterError>;

    /// The namespace's key of content hashes, made if there is none.
    async fn config_key(&self, epoch: Epoch) -> Result<ConfigKey, ClusterError>;
}

/// Why the lock was not had.
#[derive(Debug, Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error(
        "{holder} is promoting this group since {since}; `promoter status` shows how far it is"
    )]
    Held {
        /// Who.
        holder: String,
        /// Since when, by the holder's clock.
        since: Timestamp,
        /// Whether it was seen to renew the lock since this process asked first.
        alive: bool,
    },
    /// The cluster did not do as asked.
    #[error("failed to take the group's lock")]
    Cluster(#[source] ClusterError),
}
