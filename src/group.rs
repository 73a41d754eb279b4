//! What a deployment group is, once it has been validated.
//!
//! The arrow this module owns: group file -> [`spec`] (what was written, with
//! its place in the file) -> [`validate`] -> [`Group`]. Everything behind that
//! arrow takes a `Group` and never looks at the file again. Nothing here reads
//! a file, a clock or the environment.

pub mod aws;
pub mod choice;
pub mod cloudwatch;
pub mod duration;
pub mod github;
pub mod image;
pub mod name;
pub mod problem;
pub mod report;
pub mod schedule;
pub mod settings;
pub mod slug;
pub mod spec;
pub mod tag;
pub mod terraform;
pub mod triggers;
pub mod validate;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use cloudwatch::{BudgetGuard, CloudWatchRef};
use github::GithubRef;
use image::{Branch, RepositoryName, TagPattern};
use name::{AppName, CheckName, EnvironmentName, GroupName, Namespace};
pub use report::Report;
use triggers::Triggers;

/// The shortest time an old colour is kept, so that its requests drain
/// (design: settle).
pub const MIN_KEEP_OLD: Duration = Duration::from_secs(10);

/// `endpoint_delay` where nobody sets it: twice as long as kube-proxy may gather changes.
pub const ENDPOINT_DELAY: Duration = Duration::from_secs(2);

/// Checks of a group that run at the same time at most, unless told.
pub const PARALLEL_CHECKS: usize = 16;

/// Bounds of `parallel_checks`.
pub const PARALLEL: RangeInclusive<i64> = 1..=1000;

/// Bounds of `port`.
pub const PORTS: RangeInclusive<i64> = 1..=65_535;

/// Bounds of `replicas`: zero pods could not serve; the upper one is for slips.
pub const REPLICAS: RangeInclusive<i64> = 1..=10_000;

/// How long a check's container may take to start, unless told.
pub const START_TIMEOUT: Duration = Duration::from_mins(2);

/// A deployment group: apps that are promoted together or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// From `group.name`; equals the file's stem.
    pub name: GroupName,
    /// Where the group runs.
    pub environment: Environment,
    /// When the daemon promotes it by itself. Nothing that is kept of a group depends
    /// on it.
    #[serde(skip)]
    pub triggers: Triggers,
    /// Groups of the same environment that must have passed first.
    pub requires: Vec<GroupName>,
    /// What shows that CI found an image good.
    pub proof: Proof,
    /// Which image of a branch is the newest.
    pub newest: Newest,
    /// How the old colour is replaced.
    pub strategy: Strategy,
    /// At least one, in the order of the file.
    pub apps: Vec<App>,
    /// Empty only where the environment allows untested groups.
    pub checks: Vec<Check>,
    /// What runs once at a point of a promotion, in the order of the file.
    #[serde(default)]
    pub hooks: Vec<Hook>,
}

impl Group {
    /// Everything that runs as a Job: checks, then hooks.
    pub fn jobs(&self) -> impl Iterator<Item = &Check> {
        let hooks = self.hooks.iter().map(|hook| &hook.job);
        self.checks.iter().chain(hooks)
    }

    /// What the registry is asked for: the images of apps, and those of checks and
    /// hooks that have a repository of their own.
    pub fn branch_images(&self) -> impl Iterator<Item = &BranchImage> {
        let jobs = self.jobs().filter_map(|job| match &job.image {
            CheckImage::Branch(image) => Some(image),
            CheckImage::App(_) | CheckImage::Image(_) => None,
        });
        self.apps.iter().map(|app| &app.image).chain(jobs)
    }
}

/// Where a group runs, from `environments/<name>.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// From `environment.name`; equals the file's stem.
    pub name: EnvironmentName,
    /// The namespace all of the group's objects live in.
    pub namespace: Namespace,
    /// How the cluster is reached.
    pub cluster: ClusterRef,
    /// DNS domain of the cluster's Services, `cluster.local` unless told.
    pub cluster_domain: String,
    /// Whether groups without a check are valid here.
    pub untested: Untested,
    /// The ECR registry images come from.
    pub registry: RegistryRef,
    /// Where commits are proven, for groups that ask for it. Not kept with a plan: its
    /// images are found.
    #[serde(skip)]
    pub github: GithubRef,
    /// What keeps promotions back because of what they cost. Not kept with a plan: a
    /// way back has to stay open.
    #[serde(skip)]
    pub budget_guard: Option<BudgetGuard>,
    /// Alarms and metrics. Not kept with a plan, which they do not change.
    #[serde(skip)]
    pub cloudwatch: CloudWatchRef,
    /// Values for manifest templates, offered as `values`.
    pub values: BTreeMap<String, serde_json::Value>,
}

impl Environment {
    /// The AWS region of promoter's own metrics; `None`: that of the AWS defaults.
    pub fn metrics_region(&self) -> Option<&str> {
        let said = self.cloudwatch.region.as_deref();
        said.or(self.registry.region.as_deref())
    }
}

/// How the cluster is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterRef {
    /// A context of the kubeconfig, by name; never "the current one".
    Context(String),
    /// An EKS cluster, by name.
    Eks(EksRef),
    /// The cluster promoter itself runs in.
    InCluster,
}

/// Which EKS cluster is meant, and who asks; what is not told comes from the AWS defaults.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EksRef {
    /// Its name.
    pub name: String,
    /// Its AWS region.
    pub region: Option<String>,
    /// ARN of an IAM role that is assumed to ask for it, and to log in.
    pub role: Option<String>,
}

impl ClusterRef {
    /// How people know it.
    pub fn name(&self) -> &str {
        match self {
            Self::Context(context) => context,
            Self::Eks(cluster) => &cluster.name,
            Self::InCluster => "in-cluster",
        }
    }
}

/// Which ECR registry is asked; what is not told comes from the AWS defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RegistryRef {
    /// Twelve-digit AWS account.
    pub account: Option<String>,
    /// AWS region.
    pub region: Option<String>,
}

/// Whether a group may be promoted without any check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Untested {
    /// A group without a check is invalid.
    #[default]
    Refused,
    /// It is valid; every promotion says that nothing was tested.
    Allowed,
}

/// What shows that CI found a branch's image good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// It was pushed at all: CI pushes only after its tests passed.
    #[default]
    Pushed,
    /// The checks of its commit passed on GitHub.
    GithubChecks,
}

/// Which image of a branch is the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Newest {
    /// By ECR's push time.
    #[default]
    Pushed,
    /// By the build number in the tag.
    Build,
    /// The one that the branch's moving tag points at.
    MovingTag,
}

/// How the old colour is replaced. Blue/green is the only kind so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// How long the old colour is kept warm after the switch; at least 10 s.
    pub keep_old: Duration,
    /// How long a candidate that failed stays to be looked at; nothing: it goes at once.
    #[serde(default)]
    pub keep_failed: Duration,
    /// How long the candidate may take to become ready.
    pub deploy_timeout: Duration,
    /// How long after an address is published every node routes to it.
    pub endpoint_delay: Duration,
    /// What happens when a member loses pods while the old colour is kept.
    pub on_regression: OnRegression,
    /// Checks that run at the same time at most.
    pub parallel_checks: usize,
    /// What keeps the two colours apart.
    #[serde(default)]
    pub isolation: Isolation,
}

/// What keeps the candidate and what serves from calling each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// The names of members lead to their own colour.
    #[default]
    Pinning,
    /// That, and a `NetworkPolicy` that lets nothing pass between the two.
    NetworkPolicy,
}

/// What happens when a promoted member falls below its ready count while the
/// old colour still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnRegression {
    /// Traffic goes back to the old colour, and the candidate goes.
    #[default]
    SwitchBack,
    /// It is said and nothing is done.
    Report,
}

/// When an app's new version begins to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Beside the old one, before anything is tested.
    #[default]
    Beside,
    /// When the group is promoted, once the old one has stopped: never both.
    OnPromote,
}

impl Start {
    /// Whether nobody has to say it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One member of a group: a repository, a branch and a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct App {
    /// Names its Deployments `<name>-blue` and `<name>-green`.
    pub name: AppName,
    /// Where its image comes from.
    pub image: BranchImage,
    /// What is deployed.
    pub manifest: Manifest,
    /// Port the container listens on, if the app serves anything.
    pub port: Option<u16>,
    /// Pods wanted; `None` leaves it to the manifest.
    pub replicas: Option<u32>,
    /// When its pods start.
    #[serde(default, skip_serializing_if = "Start::is_default")]
    pub start: Start,
    /// Apps of the group that it calls.
    pub needs: Vec<AppName>,
    /// Values for its manifest template, over the environment's.
    pub values: BTreeMap<String, serde_json::Value>,
}

/// "The newest good image of this branch in this repository."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchImage {
    /// ECR repository.
    pub repository: RepositoryName,
    /// Git branch as people write it.
    pub branch: Branch,
    /// How CI names its tags.
    pub tag: TagPattern,
}

/// What is deployed for an app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Manifest {
    /// A template in YAML or JSON.
    Template(Template),
    /// A Deployment and a Service made from the group file alone.
    Inline(Inline),
}

/// The bytes of a manifest template and where they came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Path as shown to people, relative to the current folder.
    pub path: String,
    /// The file's text, not yet rendered.
    pub text: String,
}

/// What the group file says of an app without a manifest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Inline {
    /// Environment variables of its container.
    pub env: BTreeMap<String, String>,
    /// `resources` of its container, as Kubernetes writes them.
    pub resources: Option<serde_json::Value>,
}

/// One integration test Job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Unique in the group.
    pub name: CheckName,
    /// What it runs in.
    pub image: CheckImage,
    /// Replaces the image's entrypoint when not empty.
    pub command: Vec<String>,
    /// Environment variables of its container.
    pub env: BTreeMap<String, String>,
    /// From the start of its pod's container to its end.
    pub timeout: Duration,
    /// From the making of its Job to the start of its container: scheduling,
    /// perhaps a new node, and pulling its image.
    pub start_timeout: Duration,
    /// What it says beside its exit code.
    pub report: Report,
}

/// A Job that runs at one point of a promotion, and at most once in it: a migration
/// of a database, a message to somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hook {
    /// At which point.
    pub when: When,
    /// What is run; judged as a check is.
    pub job: Check,
}

/// A point of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before any pod of the candidate is made.
    BeforeDeploy,
    /// Once all checks passed, before any user is moved.
    BeforeSwitch,
    /// Once the old colour is gone. It cannot fail the promotion any more.
    AfterPromote,
}

/// Where a check's image comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckImage {
    /// A repository and a branch, as for an app.
    Branch(BranchImage),
    /// The candidate image of an app of the group.
    App(AppName),
    /// A full image reference, used as it is.
    Image(String),
}
