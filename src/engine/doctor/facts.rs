//! What outside systems said, before anybody judges it.

use std::time::Duration;

use super::LinkName;
use crate::group::image::RepositoryName;
use crate::port::chain::{Caller, ForgeFound, Presence, RepositoryFound, Right, Server};
use crate::port::registry::Said;
use crate::promotion::restraint::{Alarm, GuardFound};

/// A repository, and what became of the question.
pub(super) type OfRepository = (RepositoryName, Answer<RepositoryFound>);

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// It was answered.
    Is(T),
    /// It was not, and what was said instead.
    Failed(Said),
    /// Nobody said anything for so long.
    Late(Duration),
    /// It was not asked, as this link is broken.
    Behind(LinkName),
}

impl<T> Answer<T> {
    /// The link that keeps others from being looked at, if this is the answer of
    /// `link`.
    pub(super) fn broken(&self, link: LinkName) -> Option<LinkName> {
        match self {
            Self::Is(_) => None,
            Self::Failed(_) | Self::Late(_) => Some(link),
            Self::Behind(first) => Some(*first),
        }
    }
}

/// What is known of an environment's outside systems.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Whose the AWS credentials are.
    pub caller: Answer<Caller>,
    /// The repositories that its groups use.
    pub repositories: Vec<OfRepository>,
    /// The alarms on what AWS charges.
    pub billing_alarms: Answer<Vec<Alarm>>,
    /// What the budget guard goes by; `None`: there is no guard.
    pub guard: Option<Answer<GuardFound>>,
    /// The cluster.
    pub server: Answer<Server>,
    /// Whether it knows groups.
    pub installed: Answer<bool>,
    /// The namespace there.
    pub namespace: Answer<Presence>,
    /// The rights that are missing.
    pub rights: Answer<Vec<Right>>,
    /// Where commits are proven; `None`: no group asks for it.
    pub forge: Option<Answer<ForgeFound>>,
}
