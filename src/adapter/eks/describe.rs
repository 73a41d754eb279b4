//! Where a cluster is, as `DescribeCluster` tells it.

use aws_sdk_eks::Client;
use aws_sdk_eks::types::ClusterStatus;

use super::{Eks, error};
use crate::adapter::aws;
use crate::port::LoginError;
use crate::port::login::Endpoint;

/// Most clusters that EKS lists in one answer.
const PAGE: i32 = 100;

impl Eks {
    /// Where the cluster is.
    ///
    /// # Errors
    /// There is none of that name, it cannot be used as it is, or AWS does not
    /// tell who asks.
    pub async fn describe(&self) -> Result<Endpoint, LoginError> {
        let describe = |client: &Client| client.describe_cluster().name(&self.name).send();
        let answer = match self.session.send(describe).await {
            Ok(answer) => answer,
            Err(failed) if aws::code(&failed) == Some("ResourceNotFoundException") => {
                return Err(LoginError::NotFound {
                    cluster: self.name.clone(),
                    region: self.region.clone(),
                    similar: self.similar().await,
                });
            }
            Err(failed) => {
                let action = format!("describe cluster `{}`", self.name);
                return Err(error(action, self.session.meaning(&failed).await));
            }
        };
        let not_ready = |state: &str| LoginError::NotReady {
            cluster: self.name.clone(),
            state: state.to_owned(),
        };
        let cluster = answer.cluster();
        if let Some(state) = cluster.and_then(|cluster| cluster.status()).and_then(unfit) {
            return Err(not_ready(state));
        }
        let found = cluster.and_then(|cluster| {
            let authority = cluster.certificate_authority()?.data()?;
            Some((cluster.endpoint()?, authority))
        });
        let (server, authority) =
            found.ok_or_else(|| not_ready("has no endpoint yet: try again in some minutes"))?;
        Ok(Endpoint {
            cluster: self.name.clone(),
            server: server.to_owned(),
            authority: authority.to_owned(),
        })
    }

    /// Clusters whose names are like this one's; none if that cannot be told.
    async fn similar(&self) -> Vec<String> {
        let list = |client: &Client| client.list_clusters().max_results(PAGE).send();
        let Ok(answer) = self.session.send(list).await else {
            return Vec::new();
        };
        aws::alike(&self.name, answer.clusters().iter().map(String::as_str))
    }
}

/// Why a cluster in this state cannot be used, and what to do.
fn unfit(status: &ClusterStatus) -> Option<&'static str> {
    match status {
        ClusterStatus::Creating | ClusterStatus::Pending => {
            Some("is still being created: try again in some minutes")
        }
        ClusterStatus::Deleting => Some("is being deleted: name another one"),
        ClusterStatus::Failed => {
            Some("could not be created: `aws eks describe-cluster` says why, under `health`")
        }
        // One that is updated serves on.
        _ => None,
    }
}
