//! Whom the doctor asks, in which order, and for how long, with outside systems in
//! memory. What their answers mean is tested where they are judged.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::Mutex;

use async_trait::async_trait;
use promoter::engine::doctor::{LinkName, State, Subject, examine, links};
use promoter::group::cloudwatch::BudgetGuard;
use promoter::group::image::RepositoryName;
use promoter::group::spec::{EnvironmentSpec, GroupSpec};
use promoter::group::validate::{self, Overrides};
use promoter::port::SpendingError;
use promoter::port::chain::{
    Caller, CallerError, Chain, ForgeFound, Presence, RepositoryFound, Right, Server,
};
use promoter::port::registry::{CredentialProblem, RegistryError, Said};
use promoter::promotion::restraint::{Alarm, AlarmState, GuardFound};

use crate::support::clock::FakeClock;

/// What a system does that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Fail,
    /// Never answer.
    Hang,
    /// Say that what it is asked for is not there.
    Lack,
}

/// Outside systems that are well, but for some.
#[derive(Default)]
struct Outside {
    but: BTreeMap<&'static str, Does>,
    asked: Mutex<BTreeSet<&'static str>>,
}

impl Outside {
    fn but(faults: &[(&'static str, Does)]) -> Self {
        Self {
            but: faults.iter().copied().collect(),
            ..Self::default()
        }
    }

    /// Whether the system says that there is something.
    async fn answer(&self, system: &'static str) -> Result<bool, Said> {
        self.asked.lock().unwrap().insert(system);
        match self.but.get(system) {
            None => Ok(true),
            Some(Does::Lack) => Ok(false),
            Some(Does::Fail) => Err(Said(format!("{system} failed"))),
            Some(Does::Hang) => pending().await,
        }
    }

    fn asked(&self) -> Vec<&'static str> {
        self.asked.lock().unwrap().iter().copied().collect()
    }
}

#[async_trait]
impl Chain for Outside {
    async fn caller(&self) -> Result<Caller, CallerError> {
        let answer = self.answer("caller").await;
        answer.map_err(|source| CallerError::Credentials {
            problem: CredentialProblem::Missing,
            source,
        })?;
        Ok(Caller {
            arn: "arn:aws:iam::123456789012:user/deployer".to_owned(),
            account: "123456789012".to_owned(),
        })
    }

    async fn repository(&self, name: &RepositoryName) -> Result<RepositoryFound, RegistryError> {
        let there = self.answer("repository").await;
        let there = there.map_err(|source| RegistryError::Unreachable { source })?;
        if !there {
            return Err(RegistryError::RepositoryNotFound {
                repository: name.clone(),
                registry: "ECR".to_owned(),
                similar: vec!["hello".to_owned()],
            });
        }
        let (labels, tags) = (true, None);
        Ok(RepositoryFound { labels, tags })
    }

    async fn billing_alarms(&self, names: &[String]) -> Result<Vec<Alarm>, SpendingError> {
        let there = self.answer("alarms").await;
        let there = there.map_err(|source| SpendingError::Unreachable { source })?;
        let alarms = names.iter().filter(|_| there);
        Ok(alarms.map(|name| alarm(name)).collect())
    }

    async fn guard(&self, _: &BudgetGuard) -> Result<GuardFound, SpendingError> {
        let there = self.answer("guard").await;
        let there = there.map_err(|source| SpendingError::Unreachable { source })?;
        Ok(GuardFound::Alarm(there.then(|| alarm("spent"))))
    }

    async fn server(&self) -> Result<Server, Said> {
        self.answer("server").await?;
        let version = "v1.34.4".to_owned();
        Ok(Server {
            version,
            user: None,
        })
    }

    async fn is_installed(&self) -> Result<bool, Said> {
        self.answer("is_installed").await
    }

    async fn namespace(&self) -> Result<Presence, Said> {
        let there = self.answer("namespace").await?;
        Ok(if there {
            Presence::There
        } else {
            Presence::Missing
        })
    }

    async fn missing_rights(&self) -> Result<Vec<Right>, Said> {
        let all = self.answer("missing_rights").await?;
        let right = Right {
            everywhere: false,
            resource: "secrets".to_owned(),
            verb: "get".to_owned(),
        };
        Ok(if all { Vec::new() } else { vec![right] })
    }

    async fn forge(&self) -> Result<ForgeFound, Said> {
        self.answer("forge").await?;
        Ok(ForgeFound {
            host: "api.github.com".to_owned(),
            token: Some("GITHUB_TOKEN"),
            variable: "GITHUB_TOKEN",
            left: None,
        })
    }
}

fn alarm(name: &str) -> Alarm {
    Alarm {
        name: name.to_owned(),
        state: AlarmState::Ok,
        reason: String::new(),
        since: None,
    }
}

const EKS: &str = "eks = \"prod\"";
const CONTEXT: &str = "context = \"prod\"";

/// An environment on that cluster, with a group of so many apps.
fn subject(cluster: &str, apps: usize, more: &str) -> Subject {
    let text = format!(
        "[environment]\nname = \"v2\"\nnamespace = \"shop\"\ncluster = {{ {cluster} }}\n\
         budget_guard = \"spent\"\n[cloudwatch]\nbilling_alarms = [\"a\"]\n"
    );
    let spec = EnvironmentSpec::read("environments/v2.toml", &text).0;
    let environment = validate::environment(&spec.unwrap()).0.unwrap();
    let mut text = format!(
        "[group]\nname = \"master\"\nenvironment = \"v2\"\nbranch = \"master\"\n{more}\n\
         [[check]]\nname = \"greets\"\nimage = \"tests:1\"\n"
    );
    let app = |n| format!("[[app]]\nname = \"app-{n:03}\"\n");
    text.extend((0..apps).map(app));
    let spec = GroupSpec::read("groups/master.toml", &text).0.unwrap();
    let (group, problems) = validate::group(
        &spec,
        Some(&environment),
        &BTreeMap::new(),
        &Overrides::default(),
    );
    Subject {
        environment: environment.environment,
        groups: vec![group.unwrap_or_else(|| panic!("{problems}"))],
    }
}

/// The state of each link, in order.
async fn states(subject: &Subject, outside: &Outside) -> Vec<(LinkName, State)> {
    let facts = examine(subject, outside).await;
    let links = links(subject, &facts).into_iter();
    links.map(|link| (link.name, link.state)).collect()
}

use LinkName::{
    BillingAlarms, BudgetGuard as Guard, Cluster, Credentials, Definition, Github, Namespace,
    Repository, Rights,
};
use State::{Bad, Good, NotLookedAt};

/// The links of a group without proofs, in order.
const ALL: [LinkName; 8] = [
    Credentials,
    Repository,
    BillingAlarms,
    Guard,
    Cluster,
    Definition,
    Namespace,
    Rights,
];

#[tokio::test(start_paused = true)]
async fn all_is_well() {
    let good: Vec<_> = ALL.into_iter().map(|link| (link, Good)).collect();
    for cluster in [EKS, CONTEXT] {
        let outside = Outside::default();
        let subject = subject(cluster, 2, "");
        assert_eq!(states(&subject, &outside).await, good);
        assert!(!outside.asked().contains(&"forge"), "nobody needs it");
    }
    let proven = subject(CONTEXT, 2, "proof = \"github-checks\"");
    let all = [good, vec![(Github, Good)]].concat();
    assert_eq!(states(&proven, &Outside::default()).await, all);
}

#[tokio::test(start_paused = true)]
async fn without_credentials_nobody_of_aws_is_asked() {
    for does in [Does::Fail, Does::Hang] {
        let outside = Outside::but(&[("caller", does)]);
        let found = states(&subject(EKS, 2, ""), &outside).await;
        let expected = ALL.map(|link| match link {
            Credentials => (link, Bad),
            _ => (link, NotLookedAt),
        });
        assert_eq!(found, expected);
        assert_eq!(outside.asked(), ["caller"]);
        // What a kubeconfig leads to needs none.
        let outside = Outside::but(&[("caller", does)]);
        let found = states(&subject(CONTEXT, 2, ""), &outside).await;
        let expected = ALL.map(|link| match link {
            Credentials => (link, Bad),
            Repository | BillingAlarms | Guard => (link, NotLookedAt),
            _ => (link, Good),
        });
        assert_eq!(found, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_told_once() {
    for (fault, does, bad, behind) in [
        ("repository", Does::Lack, Repository, &[][..]),
        ("repository", Does::Fail, Repository, &[]),
        ("alarms", Does::Lack, BillingAlarms, &[]),
        ("alarms", Does::Fail, BillingAlarms, &[]),
        ("alarms", Does::Hang, BillingAlarms, &[]),
        ("guard", Does::Lack, Guard, &[]),
        ("guard", Does::Hang, Guard, &[]),
        (
            "server",
            Does::Fail,
            Cluster,
            &[Definition, Namespace, Rights][..],
        ),
        (
            "server",
            Does::Hang,
            Cluster,
            &[Definition, Namespace, Rights],
        ),
        ("is_installed", Does::Lack, Definition, &[]),
        ("is_installed", Does::Hang, Definition, &[]),
        ("namespace", Does::Lack, Namespace, &[Rights]),
        ("namespace", Does::Fail, Namespace, &[Rights]),
        ("missing_rights", Does::Lack, Rights, &[]),
        ("missing_rights", Does::Hang, Rights, &[]),
    ] {
        let outside = Outside::but(&[(fault, does)]);
        let state = |link| {
            if link == bad {
                (link, Bad)
            } else if behind.contains(&link) {
                (link, NotLookedAt)
            } else {
                (link, Good)
            }
        };
        let found = states(&subject(EKS, 1, ""), &outside).await;
        assert_eq!(found, ALL.map(state), "{fault} {does:?}");
    }
    let proven = subject(EKS, 1, "proof = \"github-checks\"");
    let found = states(&proven, &Outside::but(&[("forge", Does::Fail)])).await;
    assert_eq!(found.last(), Some(&(Github, Bad)));
    let bad = found.iter().filter(|(_, state)| *state == Bad);
    assert_eq!(bad.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_holds_nobody_up() {
    let clock = FakeClock::new();
    let silent = ["repository", "server", "forge"].map(|system| (system, Does::Hang));
    let outside = Outside::but(&silent);
    let proven = subject(EKS, 300, "proof = \"github-checks\"");
    let found = states(&proven, &outside).await;
    let bad = found.iter().filter(|(_, state)| *state == Bad).count();
    assert_eq!(bad, 302, "{found:?}");
    // All of them at the same time, and never one after the other to the end.
    assert_eq!(clock.elapsed().as_secs(), 60);
    let clock = FakeClock::new();
    let outside = Outside::but(&[("server", Does::Hang), ("forge", Does::Hang)]);
    states(&subject(EKS, 300, "proof = \"github-checks\""), &outside).await;
    assert_eq!(clock.elapsed().as_secs(), 20);
}
