//! What the roles of the daemon tell its scheduler.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::job::Job;
use super::judge::Says;
use super::yard::Key;
use crate::group::name::EnvironmentName;
use crate::group::{Environment, Group};
use crate::port::sight::Sight;
use crate::promotion::agenda::Came;

/// What the scheduler is told.
pub(super) enum News {
    /// The files say this now.
    Configured {
        /// The groups that are acted on.
        groups: Vec<Arc<Group>>,
        /// Those of them whose files cannot be used now.
        kept: BTreeSet<Key>,
        /// Where groups run, those without a file included.
        environments: Vec<Environment>,
    },
    /// These are a group's newest images, named by their digests.
    Images {
        /// Whose, by what its file says.
        group: Arc<Group>,
        /// Which.
        images: String,
    },
    /// Something of the groups of an environment was seen.
    Seen {
        /// Where.
        environment: EnvironmentName,
        /// What.
        sight: Sight,
    },
    /// All users of a group's candidate are moved.
    Settles(Key),
    /// A job came to its end.
    Ended {
        /// Whose.
        key: Key,
        /// Which.
        job: Job,
        /// What came of it.
        came: Came,
        /// What people should know of that.
        says: Option<Says>,
    },
}
