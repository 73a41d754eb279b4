//! A cluster of Amazon EKS, by name.
//!
//! Input: the standard AWS configuration and what an environment says of its
//! cluster. Output: where the cluster is (`describe`), and tokens that let the
//! credentials' identity in (`presign`), fresh ones in time ([`Fresh`]). It
//! never talks to the cluster itself, and no token or credential leaves it in an
//! error or log.

mod describe;
mod fresh;
mod presign;

use std::sync::Arc;

use aws_config::{Region, SdkConfig};
use aws_sdk_eks::Client;
use aws_sdk_eks::config::Builder;

use crate::adapter::aws::{Meaning, Session, Source, Told};
use crate::group::EksRef;
use crate::port::{Calls, LoginError};

pub use fresh::Fresh;

/// One cluster of EKS.
#[derive(Debug)]
pub struct Eks {
    session: Session<Client>,
    name: String,
    region: String,
}

impl Eks {
    /// Reads the AWS configuration. Nothing is asked yet, and credentials are
    /// looked for when something needs them.
    ///
    /// # Errors
    /// No region is set.
    pub async fn connect(cluster: &EksRef) -> Result<Self, LoginError> {
        let source = Source {
            region: cluster.region.clone().map(Region::new),
            ..Source::default()
        };
        Self::over(source, cluster).await
    }

    /// Uses a configuration as it is, but for the cluster's role.
    ///
    /// # Errors
    /// The configuration has no region.
    pub async fn new(config: SdkConfig, cluster: &EksRef) -> Result<Self, LoginError> {
        let source = Source {
            given: Some(config),
            ..Source::default()
        };
        Self::over(source, cluster).await
    }

    async fn over(mut source: Source, cluster: &EksRef) -> Result<Self, LoginError> {
        source.role.clone_from(&cluster.role);
        let config = source.read().await;
        let region = config.region().ok_or(LoginError::NoRegion)?.to_string();
        Ok(Self {
            session: Session::new("EKS", source, config, client),
            name: cluster.name.clone(),
            region,
        })
    }

    /// From now on somebody is told of each request.
    pub fn listen(&self, calls: Arc<dyn Calls>) {
        self.session.listen(calls);
    }

    /// The AWS region that it is looked for in.
    pub fn region(&self) -> &str {
        &self.region
    }
}

fn client(config: &SdkConfig, told: Told) -> Client {
    let own = Builder::from(config).interceptor(told);
    Client::from_conf(own.build())
}

/// The port's words for what failed.
fn error(action: String, meaning: Meaning) -> LoginError {
    match meaning {
        Meaning::Throttled { attempts, source } => LoginError::Throttled { attempts, source },
        Meaning::Credentials { problem, source } => LoginError::Credentials { problem, source },
        Meaning::Unreachable { source } => LoginError::Unreachable { source },
        Meaning::Other { source } => LoginError::Other { action, source },
    }
}
