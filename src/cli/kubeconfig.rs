//! `promoter kubeconfig`: how kubectl reaches an environment's EKS cluster.
//!
//! What is printed holds no secret: whoever uses it asks `promoter token`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::args::Kubeconfig;
use super::exit::Exit;
use super::{CliError, view};
use crate::adapter::files::Catalog;
use crate::config;
use crate::group::{ClusterRef, Environment};

pub(super) async fn run(dir: &Path, command: &Kubeconfig) -> Result<Exit, CliError> {
    let catalog = Catalog::load(dir);
    let environment = config::environment(&catalog, command.environment.as_deref())?;
    let ClusterRef::Eks(mut cluster) = environment.cluster.clone() else {
        return Err(CliError::Usage(instead(&environment)));
    };
    let (endpoint, region) = config::endpoint(&cluster).await?;
    cluster.region = Some(region);
    let text = view::kubeconfig(&environment, &cluster, &endpoint, config::profile());
    let Some(file) = &command.file else {
        write!(anstream::stdout(), "{text}")?;
        return Ok(Exit::Success);
    };
    let shown = file.display();
    match OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(mut new) => new.write_all(text.as_bytes())?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(CliError::Usage(format!(
                "{shown} is there already and is not overwritten: name another file, and list both in KUBECONFIG, as in KUBECONFIG={shown}:other"
            )));
        }
        Err(error) => {
            let message = format!("failed to create {shown}: {error}");
            return Err(CliError::Usage(message));
        }
    }
    let name = &environment.name;
    anstream::eprintln!("try: kubectl --kubeconfig {shown} --context {name} get deploymentgroups");
    Ok(Exit::Success)
}

/// What to do where the environment's cluster needs no kubeconfig from here.
fn instead(environment: &Environment) -> String {
    let name = &environment.name;
    match &environment.cluster {
        ClusterRef::Context(context) => format!(
            "environment {name} is a context of your kubeconfig already: use `kubectl --context {context}`"
        ),
        ClusterRef::InCluster | ClusterRef::Eks(_) => format!(
            "environment {name} is the cluster that promoter runs in: kubectl in a pod of it needs no kubeconfig"
        ),
    }
}
