//! What planning has to know of the cluster, as plain facts.

use std::collections::{BTreeMap, BTreeSet};

use super::image::Platform;
use super::object::{Object, ObjectRef};
use super::{Plan, Serving};
use crate::group::name::AppName;
use crate::plan::config::ConfigKey;

/// The cluster as planning sees it; read once, changed by nobody.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Labels of the namespace; `None` if it does not exist.
    pub namespace: Option<BTreeMap<String, String>>,
    /// What serves, from the group's record.
    pub serving: Option<Serving>,
    /// The plan that what serves was made from.
    pub live: Option<Plan>,
    /// Whether a promotion is under way, or was left unfinished.
    pub unfinished: bool,
    /// The group's Deployments, of either colour.
    pub deployments: Vec<StandingDeployment>,
    /// Every Service of the namespace.
    pub services: Vec<Object>,
    /// Every `NetworkPolicy` of the namespace; `None`: they may not be listed.
    pub policies: Option<Vec<Object>>,
    /// Nodes that take pods.
    pub nodes: Vec<Node>,
    /// Quotas of the namespace.
    pub quotas: Vec<Quota>,
    /// Key of content hashes; `None` until the first promotion made one.
    pub config_key: Option<ConfigKey>,
}

/// A Deployment of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingDeployment {
    /// `<app>-<color>`.
    pub name: String,
    /// Pods of it that take requests.
    pub ready: u32,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// A node that takes pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What it can run.
    pub platform: Platform,
    /// What its pods may ask for in total.
    pub allocatable: Resources,
    /// What its pods ask for already.
    pub requested: Resources,
}

/// A quota of the namespace, for what promoter needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// The `ResourceQuota`'s name.
    pub name: String,
    /// Resource (`pods`, `requests.cpu`, …) to what is left of it.
    pub left: BTreeMap<String, i64>,
}

/// An amount of pods, CPU and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Resources {
    /// Number of pods.
    pub pods: i64,
    /// Thousandths of a CPU.
    pub cpu_millis: i64,
    /// Bytes of memory.
    pub memory: i64,
}

/// What the server said to one object in a dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// It would take it.
    Taken,
    /// An object of that name is there and does not carry the group's mark.
    Foreign,
    /// Another field manager owns fields of it.
    Conflict(String),
    /// It refuses it.
    Refused(String),
}

/// Objects that were tried, with the server's word.
pub type Trials = BTreeMap<ObjectRef, Trial>;

impl Survey {
    /// Pods of an app that take requests in the colour that serves; `None`:
    /// none is to serve.
    pub fn ready(&self, app: &AppName) -> Option<u32> {
        let serving = self.serving.as_ref()?;
        let live = self.live.as_ref().and_then(|live| live.app(app));
        let name = live.map_or_else(
            || format!("{app}-{}", serving.color),
            |live| live.deployment.name().to_owned(),
        );
        let mut deployments = self.deployments.iter();
        deployments.find(|d| d.name == name).map(|d| d.ready)
    }

    /// Platforms of the nodes.
    pub fn platforms(&self) -> BTreeSet<Platform> {
        self.nodes
            .iter()
            .map(|node| node.platform.clone())
            .collect()
    }
}
