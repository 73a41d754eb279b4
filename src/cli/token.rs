//! `promoter token`: what kubectl asks for to get in to an EKS cluster.
//!
//! The one command that prints a secret: it is what it was asked for.

use std::io::Write;
use std::path::Path;

use super::args::Token;
use super::exit::Exit;
use super::{CliError, view};
use crate::adapter::files::Catalog;
use crate::config;
use crate::group::{ClusterRef, EksRef};

pub(super) async fn run(dir: &Path, command: Token) -> Result<Exit, CliError> {
    let cluster = match command.cluster {
        Some(name) => EksRef {
            name,
            region: command.region,
            role: command.role,
        },
        None => of_environment(dir, command.environment.as_deref())?,
    };
    let token = config::token(&cluster).await?;
    writeln!(anstream::stdout(), "{}", view::credential(&token))?;
    Ok(Exit::Success)
}

fn of_environment(dir: &Path, name: Option<&str>) -> Result<EksRef, CliError> {
    let catalog = Catalog::load(dir);
    let environment = config::environment(&catalog, name)?;
    match environment.cluster {
        ClusterRef::Eks(cluster) => Ok(cluster),
        ClusterRef::Context(_) | ClusterRef::InCluster => Err(CliError::Usage(format!(
            "environment {} names no EKS cluster: name one with --cluster",
            environment.name
        ))),
    }
}
