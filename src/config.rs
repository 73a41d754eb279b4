//! Process settings, and the wiring of adapters into the engine.

mod chain;
mod log;
mod settings;
mod yard;

use std::io::IsTerminal;
use std::num::NonZeroU16;
use std::sync::Arc;

use anstream::ColorChoice;
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use crate::adapter::clock::{SystemClock, TimeOfDay};
use crate::adapter::cloudwatch::{CloudWatch, Metrics};
use crate::adapter::ecr::Ecr;
use crate::adapter::eks::{Eks, Fresh};
use crate::adapter::files::Catalog;
use crate::adapter::github::{self, Github};
use crate::adapter::kubernetes::{Connection, Kubernetes};
use crate::adapter::store::{Location, Recordings, Store};
use crate::engine::resolve::Sources;
use crate::engine::{Engine, OnStop};
use crate::group::name::{EnvironmentName, GroupName, Namespace};
use crate::group::{ClusterRef, EksRef, Environment, Group, Proof, RegistryRef};
use crate::port::hint::HintError;
use crate::port::login::{Endpoint, Token};
use crate::port::recorder::Fan;
use crate::port::records::PlaceName;
use crate::port::{Calls, ClusterError, Forge, LoginError, Recorder, RegistryError, Spending};
use crate::promotion::{Actor, Trigger};

pub use chain::Reached;
pub use settings::{github_token, process};
pub use yard::{Outside, Teller};

/// Every environment variable promoter reads itself. What AWS and kubeconfig
/// clients read (`AWS_*`, `KUBECONFIG`) is theirs; where a token for GitHub may
/// be is told by [`github::Token`].
pub mod env {
    /// Folder with `groups/` and `environments/`.
    pub const DIR: &str = "PROMOTER_DIR";
    /// What to log to standard error, as `tracing` filters are written.
    pub const LOG: &str = "PROMOTER_LOG";
    /// Who asks, in place of `user@host`.
    pub const ACTOR: &str = "PROMOTER_ACTOR";
    /// File of the records, address of their database (`postgres://…`), or `off`.
    pub const RECORDS: &str = "PROMOTER_RECORDS";
    /// For how many days promotions are kept in them.
    pub const RECORDS_DAYS: &str = "PROMOTER_RECORDS_DAYS";
    /// The shell that asks what can come next; set by its completions.
    pub const COMPLETE: &str = "PROMOTER_COMPLETE";
    /// Where the daemon listens.
    pub const LISTEN: &str = "PROMOTER_LISTEN";
    /// How often the daemon looks for new images.
    pub const POLL: &str = "PROMOTER_POLL";
    /// How many promotions the daemon has under way at the most.
    pub const AT_ONCE: &str = "PROMOTER_AT_ONCE";
    /// URL of an SQS queue that is told of pushes to ECR.
    pub const PUSH_QUEUE: &str = "PROMOTER_PUSH_QUEUE";
}

/// The signer logs what it signs, session tokens in addresses included.
const UNLOGGED: &str = "aws_sigv4=off";

/// What a daemon logs if it is not told: what others have to say only if it is wrong.
const DAEMON_LOG: &str = "warn,promoter=info";

/// Why the parts could not be put together.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// What was asked for is not there.
    #[error("{0}")]
    Usage(String),
    /// The cluster cannot be reached.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Whoever runs the cluster does not say where it is, or lets nobody in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The registry cannot be reached.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The queue of pushes cannot be used.
    #[error(transparent)]
    Hint(#[from] HintError),
}

/// Sets up colours, logging and TLS for the process.
pub fn init(color: ColorChoice) {
    color.write_global();
    // A second call, as tests make, leaves the first one's subscriber in place.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(wished("off"))
        .with_writer(std::io::stderr)
        .try_init();
    install_tls();
}

/// The same for a daemon: it logs more by itself, a line of JSON for each event.
pub fn init_daemon() {
    ColorChoice::Never.write_global();
    // A second call, as tests make, leaves the first one's subscriber in place.
    let _ = log::lines(std::io::stderr)
        .with_env_filter(wished(DAEMON_LOG))
        .try_init();
    install_tls();
}

/// What is to be logged: what [`env::LOG`] says, or `otherwise`.
fn wished(otherwise: &str) -> EnvFilter {
    let said = std::env::var(env::LOG).unwrap_or_else(|_| otherwise.to_owned());
    EnvFilter::try_new(format!("{said},{UNLOGGED}")).unwrap_or_else(|_| {
        // Nothing can be logged yet.
        let name = env::LOG;
        eprintln!(
            "warning: {name} is {said:?}, which cannot be read, so it is taken as {otherwise:?}; \
             write levels, as info or warn,promoter=debug"
        );
        EnvFilter::new(format!("{otherwise},{UNLOGGED}"))
    })
}

fn install_tls() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Whether progress can be drawn on standard error: a terminal that can move
/// its cursor, and no log lines between.
pub fn draws() -> bool {
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && !dumb && std::env::var_os(env::LOG).is_none()
}

/// Who asks at this terminal.
pub fn actor() -> Actor {
    Actor {
        name: settings::actor().0,
        trigger: Trigger::Cli,
    }
}

/// The records: where [`env::RECORDS`] says, or in the user's state folder
/// (`XDG_STATE_HOME`). `None`: they are turned off, or nothing says where they are
/// to be.
///
/// # Errors
/// [`env::RECORDS`] is no address, or [`env::RECORDS_DAYS`] no number of days.
pub fn records() -> Result<Option<Store>, ConfigError> {
    let Some(written) = settings::records().0 else {
        return Ok(None);
    };
    let location = Location::parse(&written);
    let store = location.map(Store::new).map_err(|error| {
        let name = env::RECORDS;
        ConfigError::Usage(format!("{name} says where no records can be: {error}"))
    })?;
    let Some(days) = settings::records_days() else {
        return Ok(Some(store));
    };
    let kept = days.parse::<NonZeroU16>().map(|days| store.keeping(days));
    kept.map(Some).map_err(|_| {
        let name = env::RECORDS_DAYS;
        ConfigError::Usage(format!(
            "{name} is {days:?}; give a number of days, from 1 to 65535"
        ))
    })
}

/// Where a group runs.
#[derive(Debug, Clone)]
pub struct Place {
    /// The cluster.
    pub cluster: ClusterRef,
    /// The namespace in it.
    pub namespace: Namespace,
    /// Where its promotions are counted, if they are.
    pub metrics: Option<MetricsRef>,
}

/// Where promotions of an environment are counted.
#[derive(Debug, Clone)]
pub struct MetricsRef {
    /// The environment.
    pub environment: EnvironmentName,
    /// The AWS region; `None`: that of the AWS defaults.
    pub region: Option<String>,
}

impl Place {
    /// What records call it.
    pub fn name(&self) -> PlaceName {
        PlaceName::new(self.cluster.name(), &self.namespace)
    }
}

impl From<&Environment> for Place {
    fn from(environment: &Environment) -> Self {
        Self {
            cluster: environment.cluster.clone(),
            namespace: environment.namespace.clone(),
            metrics: environment.cloudwatch.metrics.then(|| MetricsRef {
                environment: environment.name.clone(),
                region: environment.metrics_region().map(str::to_owned),
            }),
        }
    }
}

/// The engine of one group, over the real cluster, with records of its own.
///
/// # Errors
/// There is no such kubeconfig context, EKS does not say where the cluster is, or a
/// setting is wrong.
pub async fn engine(
    place: &Place,
    group: &GroupName,
    recorder: Arc<dyn Recorder>,
) -> Result<Engine, ConfigError> {
    let connection = connection(&place.cluster).await?;
    let recordings = records()?.map(|store| recordings(Arc::new(store)));
    Ok(recorded(&connection, recordings.as_ref(), place, group, recorder).await)
}

fn recordings(store: Arc<Store>) -> Recordings {
    Recordings::new(store, Arc::new(SystemClock::default()))
}

/// The engine of one group, whose events go to all that keep or show them.
async fn recorded(
    connection: &Connection,
    recordings: Option<&Recordings>,
    place: &Place,
    group: &GroupName,
    recorder: Arc<dyn Recorder>,
) -> Engine {
    let events = Arc::new(connection.events(&place.namespace, group));
    let mut recorders: Vec<Arc<dyn Recorder>> = vec![recorder.clone(), events];
    if let Some(recordings) = recordings {
        recorders.push(recordings.of(place.name(), group, recorder.clone()));
    }
    if let Some(metrics) = &place.metrics {
        recorders.push(Arc::new(metrics_of(metrics, group, recorder).await));
    }
    let recorder = Arc::new(Fan::new(recorders));
    assemble(connection, place, group, recorder)
}

async fn metrics_of(of: &MetricsRef, group: &GroupName, said_by: Arc<dyn Recorder>) -> Metrics {
    let cloudwatch = CloudWatch::connect(of.region.as_deref()).await;
    let environment = of.environment.clone();
    let clock = Arc::new(SystemClock::default());
    Metrics::new(cloudwatch, environment, group.clone(), clock, said_by)
}

/// The same for who only looks: nothing is written to the cluster, events included.
///
/// # Errors
/// There is no such kubeconfig context, or EKS does not say where the cluster is.
pub async fn observer(
    place: &Place,
    group: &GroupName,
    recorder: Arc<dyn Recorder>,
) -> Result<Engine, ConfigError> {
    let connection = connection(&place.cluster).await?;
    Ok(assemble(&connection, place, group, recorder))
}

fn assemble(
    connection: &Connection,
    place: &Place,
    group: &GroupName,
    recorder: Arc<dyn Recorder>,
) -> Engine {
    let kubernetes = Arc::new(connection.group(&place.namespace, group));
    Engine {
        on_stop: OnStop::Abort,
        group: group.clone(),
        cluster: kubernetes.clone(),
        ledger: kubernetes,
        clock: Arc::new(SystemClock::default()),
        recorder,
    }
}

/// A cluster, reached the way an environment says.
///
/// # Errors
/// There is no such kubeconfig context, or EKS does not say where the cluster is.
pub async fn connection(cluster: &ClusterRef) -> Result<Connection, ConfigError> {
    Ok(match cluster {
        ClusterRef::Context(context) => Connection::to_context(context).await?,
        ClusterRef::InCluster => Connection::from_inside()?,
        ClusterRef::Eks(cluster) => {
            let eks = Eks::connect(cluster).await?;
            let endpoint = eks.describe().await?;
            let login = Fresh::new(eks, Arc::new(TimeOfDay));
            Connection::to_endpoint(&endpoint, Arc::new(login))?
        }
    })
}

/// A token for an EKS cluster, of now.
///
/// # Errors
/// AWS is not set up.
pub async fn token(cluster: &EksRef) -> Result<Token, ConfigError> {
    let eks = Eks::connect(cluster).await?;
    Ok(eks.sign(&TimeOfDay, false).await?)
}

/// Where an EKS cluster is, and its region.
///
/// # Errors
/// AWS is not set up, or the cluster is not there or cannot be used.
pub async fn endpoint(cluster: &EksRef) -> Result<(Endpoint, String), ConfigError> {
    let eks = Eks::connect(cluster).await?;
    let endpoint = eks.describe().await?;
    Ok((endpoint, eks.region().to_owned()))
}

/// The AWS profile that is chosen by the environment of the process.
pub fn profile() -> Option<String> {
    let set = std::env::var("AWS_PROFILE").ok();
    set.filter(|name| !name.is_empty())
}

/// Where the images of a group come from, what proves them, and who tells what is spent.
#[derive(Debug)]
pub struct Images {
    registry: Ecr,
    /// Only for a group that asks for it.
    forge: Option<Github>,
    /// Only where there is a budget guard.
    budget: Option<CloudWatch>,
}

impl Images {
    /// From now on somebody is told of each request to AWS.
    fn listen(&self, calls: &Arc<dyn Calls>) {
        self.registry.listen(calls.clone());
        if let Some(budget) = &self.budget {
            budget.listen(calls.clone());
        }
    }

    /// Those who are asked.
    pub fn sources(&self) -> Sources<'_> {
        Sources {
            registry: &self.registry,
            forge: self.forge.as_ref().map(|forge| forge as &dyn Forge),
            spending: self.budget.as_ref().map(|budget| budget as &dyn Spending),
        }
    }
}

/// The registry of a group's environment, and GitHub if it proves the images.
///
/// # Errors
/// AWS is not set up.
pub async fn images(group: &Group) -> Result<Images, ConfigError> {
    let environment = &group.environment;
    let forge = match group.proof {
        Proof::Pushed => None,
        Proof::GithubChecks => {
            let api = &environment.github;
            let token = github::Token::find(&api.api, |name| std::env::var(name).ok());
            Some(Github::new(api, token))
        }
    };
    let registry = Ecr::connect(&environment.registry).await?;
    let budget = match &environment.budget_guard {
        None => None,
        Some(guard) => Some(CloudWatch::connect(Some(guard.region())).await),
    };
    Ok(Images {
        registry,
        forge,
        budget,
    })
}

/// What a first group is made of.
pub struct Surroundings {
    /// The namespace.
    pub cluster: Kubernetes,
    /// The registry of the AWS credentials.
    pub registry: Ecr,
}

/// A namespace of a kubeconfig context, and the registry of the AWS credentials. Nothing
/// is asked yet.
///
/// # Errors
/// There is no such context, or AWS has no region.
pub async fn surroundings(
    context: &str,
    namespace: &Namespace,
) -> Result<Surroundings, ConfigError> {
    let connection = Connection::to_context(context).await?;
    // There is no group yet, and nothing is asked of one.
    let none = GroupName::parse("init").map_err(|error| ConfigError::Usage(error.to_string()))?;
    Ok(Surroundings {
        cluster: connection.group(namespace, &none),
        registry: Ecr::connect(&RegistryRef::default()).await?,
    })
}

/// All valid environments.
///
/// # Errors
/// There is none.
pub fn environments(catalog: &Catalog) -> Result<Vec<Environment>, ConfigError> {
    let names = catalog.environment_names();
    let valid: Vec<_> = names
        .filter_map(|name| Some(catalog.environment(name)?.environment.clone()))
        .collect();
    if valid.is_empty() {
        return Err(no_environment());
    }
    Ok(valid)
}

/// The environment a command is about: the named one, or the only one.
///
/// # Errors
/// There is no such environment, or several and none was named.
pub fn environment(catalog: &Catalog, name: Option<&str>) -> Result<Environment, ConfigError> {
    let known: Vec<_> = catalog.environment_names().collect();
    let list = known.join(", ");
    let name = match (name, known.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, []) => return Err(no_environment()),
        (None, _) => {
            let message = format!("which environment? give one with --environment: {list}");
            return Err(ConfigError::Usage(message));
        }
    };
    let valid = catalog
        .environment(name)
        .map(|valid| valid.environment.clone());
    valid.ok_or_else(|| {
        ConfigError::Usage(format!(
            "there is no valid environment {name:?}; there are: {list}; `promoter validate` shows problems"
        ))
    })
}

fn no_environment() -> ConfigError {
    ConfigError::Usage("there is no environment; add one as environments/<name>.toml".to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use super::log::tests::logged;
}
