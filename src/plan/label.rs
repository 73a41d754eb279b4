//! The labels and annotations promoter marks objects with.
//!
//! Ownership is by label and never by ownerReference: deleting the
//! `DeploymentGroup` must not take production down with it.

/// Domain of every label, annotation and API group of promoter.
pub const DOMAIN: &str = "promoter.dev";
/// Name under which promoter's fields are owned in server-side apply.
pub const FIELD_MANAGER: &str = "promoter";
/// Name under which the active selectors are owned: no apply touches them.
pub const SWITCH_MANAGER: &str = "promoter-switch";

/// Fields of an active Service's spec that move with its selector, and so are
/// left out of every other apply.
pub const SWITCHED_FIELDS: [&str; 2] = ["ports", "type"];

/// Label: the group an object belongs to.
pub const GROUP: &str = "promoter.dev/group";
/// Label: the app of the group.
pub const APP: &str = "promoter.dev/app";
/// Label: `blue` or `green`; absent on what both colours share.
pub const COLOR: &str = "promoter.dev/color";
/// Label: the promotion that made the object.
pub const PROMOTION: &str = "promoter.dev/promotion";
/// Stands in the place of a promotion on what none made: it was taken over.
pub const ADOPTED: &str = "adopted";
/// Label: the check a Job or its pod runs.
pub const CHECK: &str = "promoter.dev/check";
/// Label: how often that check was started before, plus one.
pub const ATTEMPT: &str = "promoter.dev/attempt";
/// Label: the `CronJob`, without its colour, that made a Job or its pod.
pub const CRON: &str = "promoter.dev/cron";
/// Label: what an object is to promoter (see [`Role`]).
pub const ROLE: &str = "promoter.dev/role";
/// Label: the plan a Secret holds a part of.
pub const PLAN: &str = "promoter.dev/plan";
/// Annotation: the full identity of the plan a Deployment was made from.
pub const PLAN_ID: &str = "promoter.dev/plan-id";
/// Annotation: the epoch of the Lease under which the object was last written.
pub const FENCE: &str = "promoter.dev/fence";

/// Annotation of a `DeploymentGroup`: what a daemon does about it next.
pub const UPCOMING: &str = "promoter.dev/next";

/// Annotation: the generation from which promoter itself last gave a Deployment
/// more pods, written together with their number.
pub const RAISED: &str = "promoter.dev/raised-from";

/// Label: who manages an object, as tools agree on it.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Label: Kubernetes' own, by which the pods of one template are told apart.
pub const TEMPLATE_HASH: &str = "pod-template-hash";

/// What an object is to promoter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A user's Service, whose selector the switch moves.
    Active,
    /// Made for one colour.
    Colored,
    /// A `ConfigMap` or Secret under its content-hashed name.
    Config,
    /// The variables for Services that a promotion's pods take.
    Links,
    /// Any other object of the manifests, the same for both colours.
    Shared,
    /// A check's Job.
    Check,
    /// A hook's Job.
    Hook,
    /// A part of a stored plan.
    Plan,
    /// The key of content hashes.
    Key,
    /// The images that no group of the namespace promotes.
    Bans,
}

impl Role {
    /// As it stands in the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Colored => "colored",
            Self::Config => "config",
            Self::Links => "links",
            Self::Shared => "shared",
            Self::Check => "check",
            Self::Hook => "hook",
            Self::Plan => "plan",
            Self::Key => "key",
            Self::Bans => "bans",
        }
    }
}
