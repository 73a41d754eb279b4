//! What the daemon needs of the outside, group by group: one trait, so that a test
//! can be all of it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;

use crate::engine::Engine;
use crate::engine::resolve::Sources;
use crate::group::name::{EnvironmentName, GroupName};
use crate::group::{Environment, Group};
use crate::port::Recorder;
use crate::port::registry::Said;
use crate::port::sight::{Sight, Standing, Upcoming};

/// Which group, of which environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The environment.
    pub environment: EnvironmentName,
    /// The group.
    pub group: GroupName,
}

impl Key {
    /// That of a group.
    pub fn of(group: &Group) -> Self {
        Self {
            environment: group.environment.name.clone(),
            group: group.name.clone(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.environment, self.group)
    }
}

/// The outside of a daemon.
#[async_trait]
pub trait Yard: Send + Sync {
    /// The group files as they are now. `None`: as they were when that was asked last.
    fn read(&self) -> Option<Files>;

    /// The engine of a group, which tells what happens to `recorder` as well. It leaves
    /// what is under way when it is stopped.
    async fn engine(
        &self,
        environment: &Environment,
        group: &GroupName,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Engine, Said>;

    /// Whom a group's engine and the watcher ask about images.
    async fn supply(&self, group: &Group) -> Result<Arc<dyn Supply>, Said>;

    /// Whether the records answer, if there are any.
    async fn answers(&self) -> Result<(), Said>;

    /// Lets everybody see what is done about a group next; `None`: nothing is.
    async fn announce(
        &self,
        environment: &Environment,
        group: &GroupName,
        upcoming: Option<&Upcoming>,
    ) -> Result<(), Said>;

    /// Takes note of what the daemon does, for whoever measures it.
    fn note(&self, note: Note<'_>);

    /// Where the groups of an environment stand, now and at each change, for as long as
    /// anybody listens; or why the cluster cannot be asked now.
    async fn look(&self, environment: &Environment) -> Result<Sights, Said>;
}

/// What is seen, as it is.
pub type Sights = BoxStream<'static, Result<Sight, Said>>;

/// Whom to ask about images.
pub trait Supply: Send + Sync {
    /// Them.
    fn sources(&self) -> Sources<'_>;
}

/// What is worth measuring.
pub enum Note<'a> {
    /// The configuration was read.
    Configured {
        /// When.
        at: Timestamp,
        /// How many of its files have problems.
        broken: usize,
        /// The groups that are acted on.
        groups: &'a [Arc<Group>],
    },
    /// A group is configured no more.
    Gone(&'a Key),
    /// A group stands so.
    Stands(&'a Key, &'a Standing),
    /// A moment of a group's schedule is due since then; `None`: none is.
    Due(&'a Key, Option<Timestamp>),
    /// What is due is acted on.
    Answered(&'a Key, Timestamp),
    /// A job of a group has begun, or come to its end.
    Busy(&'a Key, bool),
    /// Messages of the queue of pushes were of use, or not.
    Hints {
        /// Those that led to a look at the registry.
        followed: usize,
        /// Those that are gone without.
        dropped: usize,
    },
}

/// What the group files say.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The valid groups.
    pub groups: Vec<Group>,
    /// The names of those that have a file, valid or not.
    pub named: Vec<GroupName>,
    /// The valid environments.
    pub environments: Vec<Environment>,
    /// What is wrong, one problem a text; none of it is a warning. Of each file a few.
    pub problems: Vec<String>,
    /// How many files have them.
    pub broken: usize,
    /// Whether not even the folder that they are in is there.
    pub is_missing: bool,
}
