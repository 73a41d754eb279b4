//! Where everything of the testbed lies: folders, addresses, ports, names.
//!
//! The ports are ones that hardly anything else uses, since the testbed shares
//! the machine with whatever else runs on it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::super::Testbed;

/// The folder of all state. The daemons are known by it, see `daemon`.
const STATE: &str = "/var/lib/promoter-testbed";
/// Outside the state folder, which `down` removes while it holds the lock.
pub(crate) const LOCK: &str = "/run/promoter-testbed.lock";

/// The name of the cluster, its node, its kubeconfig context and its cgroup.
pub(crate) const NAME: &str = "promoter-testbed";
pub(crate) const BRIDGE: &str = "promoter0";

/// An address of the node that pods can route to, on the loopback interface:
/// not 127.0.0.1, which in a pod is the pod, and none of the machine's own,
/// which may change. The range is set aside for tests of networks.
pub(crate) const NODE_ADDRESS: &str = "198.18.96.1";
pub(crate) const SERVICES: &str = "10.96.0.0/16";
pub(crate) const API_SERVICE: &str = "10.96.0.1";
pub(crate) const DNS_SERVICE: &str = "10.96.0.10";
pub(crate) const PODS: &str = "10.244.0.0/16";

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

/// What must not go through a proxy.
pub(crate) const NO_PROXY: [&str; 5] = ["127.0.0.1", "localhost", NODE_ADDRESS, SERVICES, PODS];

/// The kernel's queue of connections that network policies decide on.
pub(crate) const POLICIES_QUEUE: u16 = 21258;
/// The packet filter table of whoever decides.
pub(crate) const POLICIES_TABLE: &str = "promoter-testbed";

pub(crate) mod port {
    pub(crate) const ETCD: u16 = 21379;
    pub(crate) const ETCD_PEER: u16 = 21380;
    pub(crate) const API_SERVER: u16 = 21443;
    pub(crate) const CONTROLLER_MANAGER: u16 = 21257;
    pub(crate) const SCHEDULER: u16 = 21259;
    pub(crate) const KUBELET: u16 = 21250;
    pub(crate) const KUBELET_HEALTH: u16 = 21248;
    pub(crate) const KUBE_PROXY_HEALTH: u16 = 21256;
    pub(crate) const KUBE_PROXY_METRICS: u16 = 21249;
    pub(crate) const POLICIES_HEALTH: u16 = 21258;
    pub(crate) const REGISTRY: u16 = 21500;
    pub(crate) const AWS: u16 = 21566;
}

/// The registry, as `host:port`.
pub(crate) fn registry() -> String {
    format!("127.0.0.1:{}", port::REGISTRY)
}

/// The URL at which AWS is answered.
pub(crate) fn aws_endpoint() -> String {
    format!("http://127.0.0.1:{}", port::AWS)
}

/// The URL of the API server.
pub(crate) fn api_server() -> String {
    format!("https://{NODE_ADDRESS}:{}", port::API_SERVER)
}

/// The paths of the state.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    state: PathBuf,
}

impl Layout {
    /// The layout on this machine; the folder itself is made where needed.
    pub(crate) fn new() -> Self {
        Self {
            state: STATE.into(),
        }
    }

    /// A layout in another folder.
    #[cfg(test)]
    pub(crate) fn at(state: &Path) -> Self {
        Self {
            state: state.to_owned(),
        }
    }

    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// A path in the state folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.state.join(name)
    }

    /// A path in the state folder, as text for a command line or a file.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A folder in the state folder, made if it is missing.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        std::fs::create_dir_all(&path)
            .with_context(|| format!("failed to create {}", path.display()))?;
        Ok(path)
    }

    pub(crate) fn log(&self, component: &str) -> PathBuf {
        self.path("logs").join(format!("{component}.log"))
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    pub(crate) fn kubectl(&self) -> PathBuf {
        self.path("bin/kubectl")
    }

    /// Puts `kubectl` and `aws` into one folder for the user's search path.
    pub(crate) fn offer_programs(&self, kubernetes: &Path, python: &Path) -> Result<()> {
        self.folder("bin")?;
        let kubectl = kubernetes.join("kubectl");
        // Or what kubectl knows of the cluster's kinds outlives the cluster.
        let cache = format!("export KUBECACHEDIR='{}'\n", self.text("kubectl-cache"));
        for (name, before, run) in [
            (
                "kubectl",
                cache.as_str(),
                format!("'{}'", kubectl.display()),
            ),
            ("aws", "", format!("'{}' -m awscli", python.display())),
        ] {
            let path = self.path("bin").join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{before}exec {run} \"$@\"\n"))
                .and_then(|()| std::fs::set_permissions(&path, Permissions::from_mode(0o755)))
                .with_context(|| format!("failed to write {}", path.display()))?;
        }
        Ok(())
    }

    /// What users of the testbed need to know.
    pub(crate) fn testbed(&self) -> Testbed {
        Testbed {
            kubeconfig: Some(self.kubeconfig()),
            context: NAME.to_owned(),
            registry: Some(registry()),
            ecr: Some(ECR.to_owned()),
            aws_endpoint: Some(aws_endpoint()),
            programs: Some(self.path("bin")),
            builds: Some(self.path("containers")),
            audit_log: Some(self.path("logs/audit.log")),
        }
    }
}
