//! The parts of the cluster: what each is run with, how one sees that it is
//! healthy, and the order in which they start.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::daemon::Daemon;
use super::layout::{self, Layout, port};
use super::{Programs, wait};
use crate::progress::Progress;
use crate::{http, run};

/// Longer than any of them has been seen to take on a slow machine.
const HEALTHY_WITHIN: Duration = Duration::from_mins(1);

/// A part of the cluster.
pub(crate) struct Component {
    pub(crate) daemon: Daemon,
    /// What it listens on.
    pub(crate) listens: Vec<(&'static str, u16)>,
    health: Health,
    /// Those of a stage start together, after those of the stage before.
    stage: u8,
}

/// Where a component tells that it is healthy.
enum Health {
    Http(String),
    Https(String),
    /// It has no such place, but accepts connections.
    Socket(PathBuf),
}

impl Component {
    /// Whether it works, by its own account.
    pub(crate) fn healthy(&self, layout: &Layout) -> bool {
        match &self.health {
            Health::Http(url) => http::answers(url),
            Health::Https(url) => {
                let mut curl = Command::new("curl");
                curl.args([
                    "--silent",
                    "--fail",
                    "--noproxy",
                    "*",
                    "--max-time",
                    "5",
                    "--cacert",
                ])
                .arg(layout.path("pki/ca.crt"))
                .arg(url);
                run::answer(&mut curl).is_some()
            }
            Health::Socket(path) => std::os::unix::net::UnixStream::connect(path).is_ok(),
        }
    }
}

/// Starts those that do not run, or run with other arguments or with files that
/// have `changed` since, and waits until all are healthy.
pub(crate) fn start(
    layout: &Layout,
    components: &[Component],
    changed: &[PathBuf],
    progress: &mut Progress,
) -> Result<()> {
    for stage in 0..=2 {
        let members: Vec<_> = components
            .iter()
            .filter(|part| part.stage == stage)
            .collect();
        let mut dead = Vec::new();
        for part in &members {
            part.daemon.stop_outdated(changed)?;
            if part.daemon.pid().is_none() {
                part.daemon.start(layout)?;
                dead.push(part.daemon.name);
            }
        }
        if dead.is_empty() {
            all_healthy(layout, &members)?;
        } else {
            progress.step(&format!("starting {}", dead.join(", ")), || {
                all_healthy(layout, &members)
            })?;
        }
    }
    Ok(())
}

/// Refuses to start where a port is taken, rather than let a part fail oddly.
pub(crate) fn ports_free(components: &[Component]) -> Result<()> {
    for part in components {
        for (address, port) in &part.listens {
            if TcpListener::bind((*address, *port)).is_err_and(|error| {
                // The node's own address does not exist yet.
                error.kind() == std::io::ErrorKind::AddrInUse
            }) {
                bail!(
                    "port {port} on {address} is taken, and {} needs it: `ss -ltnp` shows by whom",
                    part.daemon.name
                );
            }
        }
    }
    Ok(())
}

fn all_healthy(layout: &Layout, members: &[&Component]) -> Result<()> {
    for part in members {
        let name = part.daemon.name;
        let log = layout.log(name);
        wait::until(
            &format!("{name} to be healthy"),
            HEALTHY_WITHIN,
            || {
                if part.healthy(layout) {
                    return Ok(true);
                }
                if part.daemon.pid().is_none() && !part.daemon.starting() {
                    bail!(
                        "{name} ended; the end of {}:\n{}",
                        log.display(),
                        run::tail(&log)
                    );
                }
                Ok(false)
            },
            || format!("the end of {}:\n{}", log.display(), run::tail(&log)),
        )?;
    }
    Ok(())
}

/// All of them, in the order in which they start.
pub(crate) fn all(layout: &Layout, programs: &Programs) -> Result<Vec<Component>> {
    let system = |name: &str| run::find(name).with_context(|| format!("{name} is missing"));
    let local = "127.0.0.1";
    let node = layout::NODE_ADDRESS;
    let http = |port| Health::Http(format!("http://127.0.0.1:{port}/healthz"));
    let https = |port| Health::Https(format!("https://127.0.0.1:{port}/healthz"));
    let build = |name, program: &Path, arguments: Vec<String>, listens, health, stage| Component {
        daemon: Daemon {
            name,
            program: program.to_owned(),
            arguments,
            environment: Vec::new(),
            state: layout.state().to_owned(),
        },
        listens,
        health,
        stage,
    };
    let kubernetes = |name| programs.kubernetes.join(name);
    let mut aws = build(
        "aws",
        &programs.python,
        words(&format!("-m moto.server -H {local} -p {}", port::AWS)),
        vec![(local, port::AWS)],
        Health::Http(format!("{}/moto-api/config", layout::aws_endpoint())),
        0,
    );
    // Otherwise every log line lags behind by a buffer.
    aws.daemon
        .environment
        .push(("PYTHONUNBUFFERED", "1".to_owned()));
    Ok(vec![
        build(
            "etcd",
            &programs.etcd,
            etcd(layout),
            vec![(local, port::ETCD), (local, port::ETCD_PEER)],
            Health::Http(format!("http://127.0.0.1:{}/readyz", port::ETCD)),
            0,
        ),
        build(
            "registry",
            &system("docker-registry")?,
            vec!["serve".to_owned(), layout.text("registry.yml")],
            vec![(local, port::REGISTRY)],
            Health::Http(format!("http://{}/v2/", layout::registry())),
            0,
        ),
        aws,
        build(
            "containerd",
            &system("containerd")?,
            vec!["--config".to_owned(), layout.text("containerd.toml")],
            Vec::new(),
            Health::Socket(layout.path("containerd.sock")),
            0,
        ),
        build(
            "kube-apiserver",
            &kubernetes("kube-apiserver"),
            api_server(layout),
            vec![(node, port::API_SERVER)],
            Health::Https(format!("{}/readyz", layout::api_server())),
            1,
        ),
        build(
            "kube-controller-manager",
            &kubernetes("kube-controller-manager"),
            controller_manager(layout),
            vec![(local, port::CONTROLLER_MANAGER)],
            https(port::CONTROLLER_MANAGER),
            2,
        ),
        build(
            "kube-scheduler",
            &kubernetes("kube-scheduler"),
            scheduler(layout),
            vec![(local, port::SCHEDULER)],
            https(port::SCHEDULER),
            2,
        ),
        build(
            "kubelet",
            &kubernetes("kubelet"),
            kubelet(layout),
            vec![(node, port::KUBELET), (local, port::KUBELET_HEALTH)],
            http(port::KUBELET_HEALTH),
            2,
        ),
        build(
            "kube-proxy",
            &kubernetes("kube-proxy"),
            vec![format!("--config={}", layout.text("kube-proxy.json"))],
            vec![
                (local, port::KUBE_PROXY_HEALTH),
                (local, port::KUBE_PROXY_METRICS),
            ],
            http(port::KUBE_PROXY_HEALTH),
            2,
        ),
    ])
}

/// The words of a command line none of which contains a space.
fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn etcd(layout: &Layout) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", port::ETCD);
    let peer = format!("http://127.0.0.1:{}", port::ETCD_PEER);
    // Losing the cluster in a power cut is fine; waiting for the disk is not.
    words(&format!(
        "--name=testbed --unsafe-no-fsync --log-level=warn --data-dir={} \
         --listen-client-urls={client} --advertise-client-urls={client} \
         --listen-peer-urls={peer} --initial-advertise-peer-urls={peer} \
         --initial-cluster=testbed={peer}",
        layout.text("etcd")
    ))
}

fn api_server(layout: &Layout) -> Vec<String> {
    let pki = layout.text("pki");
    words(&format!(
        "--etcd-servers=http://127.0.0.1:{} --bind-address={node} --advertise-address={node} \
         --secure-port={} --service-cluster-ip-range={} --allow-privileged=true \
         --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
         --client-ca-file={pki}/ca.crt --tls-cert-file={pki}/server.crt \
         --tls-private-key-file={pki}/server.key \
         --kubelet-certificate-authority={pki}/ca.crt \
         --kubelet-client-certificate={pki}/kubelet-client.crt \
         --kubelet-client-key={pki}/kubelet-client.key \
         --kubelet-preferred-address-types=InternalIP \
         --service-account-issuer=https://kubernetes.default.svc.cluster.local \
         --service-account-key-file={pki}/service-accounts.key \
         --service-account-signing-key-file={pki}/service-accounts.key \
         --audit-policy-file={} --audit-log-path={} --audit-log-maxsize=200 \
         --audit-log-maxbackup=5",
        port::ETCD,
        port::API_SERVER,
        layout::SERVICES,
        layout.text("audit-policy.json"),
        layout.text("logs/audit.log"),
        node = layout::NODE_ADDRESS,
    ))
}

fn controller_manager(layout: &Layout) -> Vec<String> {
    let pki = layout.text("pki");
    let kubeconfig = layout.text("kubeconfigs/controller-manager");
    // With a single one of it, electing a leader would only delay a restart. Its
    // controllers log in one after the other, which takes seconds at the usual
    // rate of requests.
    words(&format!(
        "--kubeconfig={kubeconfig} --authentication-kubeconfig={kubeconfig} \
         --authorization-kubeconfig={kubeconfig} --leader-elect=false \
         --kube-api-qps=100 --kube-api-burst=200 \
         --bind-address=127.0.0.1 --secure-port={} --tls-cert-file={pki}/server.crt \
         --tls-private-key-file={pki}/server.key --root-ca-file={pki}/ca.crt \
         --cluster-signing-cert-file={pki}/ca.crt --cluster-signing-key-file={pki}/ca.key \
         --service-account-private-key-file={pki}/service-accounts.key \
         --use-service-account-credentials --allocate-node-cidrs --cluster-cidr={} \
         --service-cluster-ip-range={} --flex-volume-plugin-dir={}",
        port::CONTROLLER_MANAGER,
        layout::PODS,
        layout::SERVICES,
        layout.text("volume-plugins"),
    ))
}

fn scheduler(layout: &Layout) -> Vec<String> {
    let pki = layout.text("pki");
    let kubeconfig = layout.text("kubeconfigs/scheduler");
    words(&format!(
        "--kubeconfig={kubeconfig} --authentication-kubeconfig={kubeconfig} \
         --authorization-kubeconfig={kubeconfig} --leader-elect=false \
         --bind-address=127.0.0.1 --secure-port={} --tls-cert-file={pki}/server.crt \
         --tls-private-key-file={pki}/server.key",
        port::SCHEDULER,
    ))
}

fn kubelet(layout: &Layout) -> Vec<String> {
    words(&format!(
        "--config={} --kubeconfig={} --root-dir={} --cert-dir={} --hostname-override={} \
         --node-ip={} --node-labels=topology.kubernetes.io/region={region},\
         topology.kubernetes.io/zone={region}a,node.kubernetes.io/instance-type=testbed",
        layout.text("kubelet.json"),
        layout.text("kubeconfigs/kubelet"),
        layout.text("kubelet"),
        layout.text("pki"),
        layout::NAME,
        layout::NODE_ADDRESS,
        region = layout::REGION,
    ))
}
