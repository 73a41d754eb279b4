//! The keys that several tables have, be they of a group or of an environment.

use super::keys::{Key, Kind};
use crate::group::{Isolation, Newest, Proof, REPLICAS};

pub(super) const BRANCH_OF_ALL: Key = Key::text(
    "branch",
    "The branch of every app and check that names none",
);
pub(super) const TAG: Key = Key::text(
    "tag",
    "How CI names its tags: {slug}-{build}-{sha} unless told",
);
pub(super) const REPLICAS_WANTED: Key = Key::new(
    "replicas",
    Kind::Number(REPLICAS),
    "Pods wanted; what the manifest says unless told",
);
pub(super) const PROOF: Key = Key::word::<Proof>(
    "proof",
    "What shows that an image is good; pushed unless told",
);
pub(super) const NEWEST: Key = Key::word::<Newest>(
    "newest",
    "Which image of a branch is the newest; the one pushed last unless told",
);
pub(super) const SCHEDULE: Key = Key::text(
    "schedule",
    "When the daemon promotes by itself: a cron expression of five fields",
);
pub(super) const TIMEZONE: Key = Key::text(
    "timezone",
    "The time zone of `schedule`, as Europe/Berlin; UTC unless told",
);
pub(super) const JITTER: Key = Key::duration(
    "jitter",
    "Within which time after a moment of `schedule` a group begins; 0s unless told",
);
pub(super) const ON_PUSH: Key = Key::new(
    "on_push",
    Kind::Flag,
    "Whether the daemon promotes new images by itself; false unless told",
);
pub(super) const QUIET_PERIOD: Key = Key::duration(
    "quiet_period",
    "How long nobody may have pushed before new images are promoted; 1m unless told",
);
pub(super) const KEEP_OLD: Key = Key::duration(
    "keep_old",
    "How long the old pods stay for an instant rollback; 30s unless told, at least 10s",
);
pub(super) const DEPLOY_TIMEOUT: Key = Key::duration(
    "deploy_timeout",
    "How long the candidate may take to become ready; 5m unless told",
);
pub(super) const ENDPOINT_DELAY: Key = Key::duration(
    "endpoint_delay",
    "How long nodes may take to route to a new pod; 2s unless told",
);
pub(super) const ISOLATION: Key = Key::word::<Isolation>(
    "isolation",
    "What keeps old and new pods from calling each other; pinning unless told",
);
pub(super) const TIMEOUT: Key =
    Key::duration("timeout", "How long a check may run; 5m unless told");
