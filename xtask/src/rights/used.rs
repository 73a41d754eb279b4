//! What promoters asked the API server for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Right, Scope};
use crate::audit::Request;

/// The accounts of end-to-end tests: `system:serviceaccount:e2e-<test>-<digits>:promoter`.
const ACCOUNTS: &str = "system:serviceaccount:e2e-";
/// What their namespaces begin with.
const PREFIX: &str = "e2e-";
/// What the namespace of a daemon that was installed from the chart ends in.
const DAEMON: &str = "-daemon";

/// Resources that everybody may ask about.
const FREE: [&str; 2] = ["selfsubjectaccessreviews", "selfsubjectreviews"];

/// Each right that was used, with those that did.
pub(super) struct Used {
    by: BTreeMap<Right, BTreeSet<User>>,
    refused: BTreeSet<Right>,
}

/// Who used it: daemons first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct User {
    pub(super) is_command: bool,
    pub(super) test: String,
}

impl Used {
    /// What requests of tests' accounts used.
    pub(super) fn of(requests: Vec<Request>) -> Self {
        let mut used = Self {
            by: BTreeMap::new(),
            refused: BTreeSet::new(),
        };
        for request in requests {
            let Some((who, home)) = user(&request.user) else {
                continue;
            };
            if request.resource.is_empty() || FREE.contains(&request.resource.as_str()) {
                continue;
            }
            let right = right(&request);
            let is_home = request.namespace.is_empty() || request.namespace == home;
            match request.code {
                403 if is_home => {
                    used.refused.insert(right.clone());
                }
                // Elsewhere it has no rights, as a test may show; or nobody looked whether
                // it has.
                0 | 401 | 403 | 429 | 500.. => {}
                _ => used.note(right.clone(), &who),
            }
            // A patch that makes what is not there yet needs both.
            if request.verb == "patch" && request.code == 201 {
                let verb = "create".to_owned();
                let made = Right {
                    verb,
                    ..right.clone()
                };
                used.note(made, &who);
            }
        }
        used
    }

    fn note(&mut self, right: Right, user: &User) {
        self.by.entry(right).or_default().insert(user.clone());
    }

    /// Those that used a right.
    pub(super) fn by(&self, right: &Right) -> Vec<&User> {
        self.by.get(right).into_iter().flatten().collect()
    }

    /// What daemons did.
    pub(super) fn by_daemons(&self) -> impl Iterator<Item = &Right> {
        let by = self.by.iter();
        let by = by.filter(|(_, users)| users.iter().any(|user| !user.is_command));
        by.map(|(right, _)| right)
    }

    /// What was asked for in vain.
    pub(super) fn refused(&self) -> impl Iterator<Item = &Right> {
        self.refused.iter()
    }
}

/// Whose account it is, and where it promotes.
fn user(account: &str) -> Option<(User, String)> {
    let namespace = account.strip_prefix(ACCOUNTS)?.split(':').next()?;
    let command = namespace.strip_suffix(DAEMON);
    let home = command.unwrap_or(namespace);
    let (test, _random) = home.rsplit_once('-')?;
    let user = User {
        is_command: command.is_none(),
        test: test.to_owned(),
    };
    Some((user, format!("{PREFIX}{home}")))
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
