//! The testbed on a cluster that exists, named by its kubeconfig context.
//!
//! Changes nothing: checks that the cluster answers and that the user said
//! where images are pushed to. AWS is whatever the environment says.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Testbed, required};
use crate::progress::Progress;
use crate::run;

/// Checks that the cluster can be used.
pub(crate) fn up(name: &str, progress: &mut Progress) -> Result<Testbed> {
    progress.step(
        &format!("asking context {name} whether it is ready"),
        || {
            let mut kubectl = Command::new("kubectl");
            kubectl.args([
                "--context",
                name,
                "--request-timeout=10s",
                "get",
                "--raw",
                "/readyz",
            ]);
            run::output(&mut kubectl).with_context(|| {
                format!("failed to reach the cluster of context {name} (from PROMOTER_E2E_CONTEXT)")
            })
        },
    )?;
    required(
        "PROMOTER_E2E_REGISTRY",
        "name the registry that images are pushed to and that the cluster pulls from, \
         such as 123456789012.dkr.ecr.us-east-1.amazonaws.com",
    )?;
    if std::env::var_os("AWS_ENDPOINT_URL").is_none() {
        progress.note("  AWS_ENDPOINT_URL is not set: real AWS is used, with your credentials");
    }
    Ok(testbed(name))
}

/// What is known of it without asking.
pub(crate) fn testbed(name: &str) -> Testbed {
    let registry = std::env::var("PROMOTER_E2E_REGISTRY").ok();
    Testbed {
        kubeconfig: None,
        context: name.to_owned(),
        ecr: registry.clone(),
        registry,
        aws_endpoint: std::env::var("AWS_ENDPOINT_URL").ok(),
        programs: None,
        builds: None,
        audit_log: None,
    }
}
