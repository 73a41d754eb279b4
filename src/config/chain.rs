//! The outside systems of an environment as they are, for `promoter doctor`.

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, oneshot};

use crate::adapter::clock::TimeOfDay;
use crate::adapter::cloudwatch::CloudWatch;
use crate::adapter::ecr::Ecr;
use crate::adapter::eks::{Eks, Fresh};
use crate::adapter::github::{Github, Token};
use crate::adapter::kubernetes::Connection;
use crate::adapter::{aws, sts};
use crate::group::cloudwatch::{BILLING_REGION, BudgetGuard};
use crate::group::image::RepositoryName;
use crate::group::{ClusterRef, Environment};
use crate::port::chain::{
    Caller, CallerError, Chain, ForgeFound, Presence, RepositoryFound, Right, Server,
};
use crate::port::registry::Said;
use crate::port::{ClusterError, LoginError, RegistryError, Spending as _, SpendingError};
use crate::promotion::restraint::{Alarm, GuardFound};

/// They are asked with less patience than a promotion has: nothing is lost if one does
/// not answer, and somebody waits.
pub struct Reached {
    environment: Environment,
    aws: OnceCell<SdkConfig>,
    registry: OnceCell<Ecr>,
    cluster: OnceCell<Connection>,
}

impl Reached {
    /// Asks nobody yet.
    pub fn new(environment: &Environment) -> Self {
        Self {
            environment: environment.clone(),
            aws: OnceCell::new(),
            registry: OnceCell::new(),
            cluster: OnceCell::new(),
        }
    }

    /// The AWS configuration of the process, for a region if one is told.
    async fn aws(&self, region: Option<&str>) -> SdkConfig {
        let read = async || Box::pin(aws::hasty().load()).await;
        let config = self.aws.get_or_init(read).await.clone();
        match region {
            Some(region) => {
                let region = Region::new(region.to_owned());
                config.into_builder().region(region).build()
            }
            None => config,
        }
    }

    async fn registry(&self) -> Result<&Ecr, RegistryError> {
        let registry = &self.environment.registry;
        let connect = async || {
            let config = self.aws(registry.region.as_deref()).await;
            Ecr::new(config, registry.account.clone())
        };
        self.registry.get_or_try_init(connect).await
    }

    /// The cluster, which is looked for once.
    async fn cluster(&self) -> Result<&Connection, Said> {
        let connect = async || self.connect().await;
        self.cluster.get_or_try_init(connect).await
    }

    async fn connect(&self) -> Result<Connection, Said> {
        let ClusterRef::Eks(cluster) = &self.environment.cluster else {
            return aside(self.environment.cluster.clone()).await;
        };
        let login = |error: LoginError| Said::of(&error);
        let config = self.aws(cluster.region.as_deref()).await;
        let eks = Eks::new(config, cluster).await.map_err(login)?;
        let endpoint = eks.describe().await.map_err(login)?;
        let fresh = Fresh::new(eks, std::sync::Arc::new(TimeOfDay));
        Connection::to_endpoint(&endpoint, std::sync::Arc::new(fresh))
            .map_err(|error| Said::of(&error))
    }
}

/// Reaches a cluster on a thread of its own: a program that a kubeconfig names to log
/// in with is waited for by the whole thread, however long it takes.
async fn aside(cluster: ClusterRef) -> Result<Connection, Said> {
    let (tell, told) = oneshot::channel();
    let runtime = Handle::current();
    std::thread::spawn(move || {
        let reached = runtime.block_on(super::connection(&cluster));
        // Nobody listens any more if it took too long.
        drop(tell.send(reached));
    });
    let reached = told.await.map_err(|error| Said::of(&error))?;
    reached.map_err(|error| Said::of(&error))
}

fn said<T>(answer: Result<T, ClusterError>) -> Result<T, Said> {
    answer.map_err(|error| Said::of(&error))
}

#[async_trait]
impl Chain for Reached {
    async fn caller(&self) -> Result<Caller, CallerError> {
        let registry = &self.environment.registry;
        sts::caller(self.aws(registry.region.as_deref()).await).await
    }

    async fn repository(&self, name: &RepositoryName) -> Result<RepositoryFound, RegistryError> {
        self.registry().await?.examine(name).await
    }

    async fn billing_alarms(&self, names: &[String]) -> Result<Vec<Alarm>, SpendingError> {
        let billing = CloudWatch::new(self.aws(Some(BILLING_REGION)).await);
        if names.is_empty() {
            return billing.billing_alarms().await;
        }
        billing.alarms(names).await
    }

    async fn guard(&self, guard: &BudgetGuard) -> Result<GuardFound, SpendingError> {
        let spending = CloudWatch::new(self.aws(Some(guard.region())).await);
        spending.guard(guard).await
    }

    async fn server(&self) -> Result<Server, Said> {
        said(self.cluster().await?.server().await)
    }

    async fn is_installed(&self) -> Result<bool, Said> {
        said(self.cluster().await?.is_installed().await)
    }

    async fn namespace(&self) -> Result<Presence, Said> {
        let namespace = &self.environment.namespace;
        said(self.cluster().await?.namespace(namespace).await)
    }

    async fn missing_rights(&self) -> Result<Vec<Right>, Said> {
        let namespace = &self.environment.namespace;
        said(self.cluster().await?.missing_rights(namespace).await)
    }

    async fn forge(&self) -> Result<ForgeFound, Said> {
        let github = &self.environment.github;
        let token = Token::find(&github.api, |name| std::env::var(name).ok());
        Github::new(github, token).examine().await
    }
}
