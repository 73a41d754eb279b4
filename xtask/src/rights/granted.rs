//! What the chart lets promoter do.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::{Deserializer, Value};

use super::used::Used;
use super::{Right, Scope};
use crate::run;
use crate::testbed::Testbed;

/// The rights.
pub(super) struct Granted(BTreeSet<Right>);

impl Granted {
    /// Those in the chart, whose roles are what promoter prints.
    pub(super) fn by_the_chart(testbed: &Testbed) -> Result<Self> {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../deploy/chart/files/rights.yaml"
        );
        let mut kubectl = testbed.command("kubectl");
        let create = ["create", "--dry-run=client", "--output=json", "--filename"];
        // It reads YAML.
        kubectl.args(["--context", &testbed.context]).args(create);
        let read = run::output(kubectl.arg(file))?;
        let roles = Deserializer::from_str(&read).into_iter::<Value>();
        let mut rights = BTreeSet::new();
        for role in roles {
            let role = role.context("kubectl wrote no JSON")?;
            let scope = match role["kind"].as_str() {
                Some("ClusterRole") => Scope::Cluster,
                _ => Scope::Namespace,
            };
            for rule in role["rules"].as_array().into_iter().flatten() {
                rights.extend(each(rule, scope));
            }
        }
        Ok(Self(rights))
    }

    #[cfg(test)]
    pub(super) fn of(rights: impl IntoIterator<Item = Right>) -> Self {
        Self(rights.into_iter().collect())
    }

    pub(super) fn rights(&self) -> impl Iterator<Item = &Right> {
        self.0.iter()
    }

    /// Whether it is one of them.
    pub(super) fn has(&self, right: &Right) -> bool {
        self.0.contains(right)
    }

    /// What daemons did that is not among them, as something else let them.
    pub(super) fn beyond<'a>(&'a self, used: &'a Used) -> impl Iterator<Item = &'a Right> {
        used.by_daemons().filter(|right| !self.has(right))
    }

    /// Those that no promoter made use of.
    pub(super) fn unused<'a>(&'a self, used: &'a Used) -> impl Iterator<Item = &'a Right> {
        self.rights().filter(|right| used.by(right).is_empty())
    }
}

fn each(rule: &Value, scope: Scope) -> Vec<Right> {
    let words = |key: &str| -> Vec<String> {
        let words = rule[key].as_array().into_iter().flatten();
        words
            .filter_map(|word| Some(word.as_str()?.to_owned()))
            .collect()
    };
    let mut rights = Vec::new();
    for group in words("apiGroups") {
        for resource in words("resources") {
            for verb in words("verbs") {
                rights.push(Right {
                    scope,
                    group: group.clone(),
                    resource: resource.clone(),
                    verb,
                });
            }
        }
    }
    rights
}
