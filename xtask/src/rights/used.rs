//! What promoters asked the API server for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Right, Scope};
use crate::audit::Request;

/// The accounts of end-to-end tests: `system:serviceaccount:e2e-<test>-<digits>:promoter`.
const ACCOUNTS: &str = "system:serviceaccount:e2e-";

/// Resources that everybody may ask about.
const FREE: [&str; 2] = ["selfsubjectaccessreviews", "selfsubjectreviews"];

/// Each right that was used, with the tests that did.
pub(super) struct Used {
    by: BTreeMap<Right, BTreeSet<String>>,
    refused: BTreeSet<Right>,
}

impl Used {
    /// What requests of tests' accounts used.
    pub(super) fn of(requests: Vec<Request>) -> Self {
        let mut used = Self {
            by: BTreeMap::new(),
            refused: BTreeSet::new(),
        };
        for request in requests {
            let Some(test) = test(&request.user) else {
                continue;
            };
            if request.resource.is_empty() || FREE.contains(&request.resource.as_str()) {
                continue;
            }
            let right = right(&request);
            if request.code == 403 {
                used.refused.insert(right);
                continue;
            }
            // A patch that makes what is not there yet needs both.
            if request.verb == "patch" && request.code == 201 {
                let verb = "create".to_owned();
                let made = Right {
                    verb,
                    ..right.clone()
                };
                used.by.entry(made).or_default().insert(test.clone());
            }
            used.by.entry(right).or_default().insert(test);
        }
        used
    }

    /// The tests that used a right.
    pub(super) fn by(&self, right: &Right) -> Vec<&str> {
        let tests = self.by.get(right).into_iter().flatten();
        tests.map(String::as_str).collect()
    }

    /// What was asked for in vain.
    pub(super) fn refused(&self) -> impl Iterator<Item = &Right> {
        self.refused.iter()
    }
}

/// The name of a test, of its account.
fn test(user: &str) -> Option<String> {
    let namespace = user.strip_prefix(ACCOUNTS)?.split(':').next()?;
    let name = namespace.strip_suffix("-daemon").unwrap_or(namespace);
    let (name, _random) = name.rsplit_once('-')?;
    Some(name.to_owned())
}

fn right(request: &Request) -> Right {
    let is_wide = request.namespace.is_empty() || request.resource == "namespaces";
    Right {
        scope: if is_wide {
            Scope::Cluster
        } else {
            Scope::Namespace
        },
        group: request.group.clone(),
        resource: request.resource.clone(),
        verb: request.verb.clone(),
    }
}
