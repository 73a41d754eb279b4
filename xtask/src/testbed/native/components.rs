//! The parts of the cluster: what each is run with.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Programs;
use super::component::{Component, Health};
use super::daemon::{Daemon, Share};
use super::layout::{self, Layout, port};
use crate::run;

const LOCAL: &str = "127.0.0.1";

pub(crate) const CONTROLLER_MANAGER: &str = "kube-controller-manager";
/// Five times what Kubernetes ships. The controllers log in one after the other
/// whenever their manager or the API server is restarted: at the usual rate of
/// requests that takes seconds, or they give up.
pub(crate) const RAISED_RATE: [&str; 2] = ["--kube-api-qps=100", "--kube-api-burst=200"];

/// Elsewhere these have machines of their own. Here the kernel gives every container
/// that starts as much of the processors as all of the API server.
const CONTROL_PLANE: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    CONTROLLER_MANAGER,
    "kube-scheduler",
];

/// All of them, in the order in which they start.
pub(crate) fn all(layout: &Layout, programs: &Programs) -> Result<Vec<Component>> {
    let mut all = services(layout, programs)?;
    all.push(api_server(layout, programs));
    all.extend(cluster(layout, programs));
    all.push(policies(layout, programs));
    Ok(all)
}

/// What the cluster builds upon.
fn services(layout: &Layout, programs: &Programs) -> Result<Vec<Component>> {
    let of = |name, program: &Path, arguments, listens, health| Component {
        daemon: daemon(layout, name, program.to_owned(), arguments),
        listens,
        health,
        stage: 0,
    };
    let mut aws = of(
        "aws",
        &programs.python,
        [
            vec![layout.text("aws.py")],
            words(&format!("-H {LOCAL} -p {}", port::AWS)),
        ]
        .concat(),
        vec![(LOCAL, port::AWS)],
        Health::Http(format!("{}/moto-api/config", layout::aws_endpoint())),
    );
    // Otherwise every log line lags behind by a buffer.
    aws.daemon
        .environment
        .push(("PYTHONUNBUFFERED", "1".to_owned()));
    Ok(vec![
        of(
            "etcd",
            &programs.etcd,
            etcd_arguments(layout),
            vec![(LOCAL, port::ETCD), (LOCAL, port::ETCD_PEER)],
            Health::Http(format!("http://{LOCAL}:{}/readyz", port::ETCD)),
        ),
        of(
            "registry",
            &system("docker-registry")?,
            vec!["serve".to_owned(), layout.text("registry.yml")],
            vec![(LOCAL, port::REGISTRY)],
            Health::Http(format!("http://{}/v2/", layout::registry())),
        ),
        aws,
        of(
            "containerd",
            &system("containerd")?,
            vec!["--config".to_owned(), layout.text("containerd.toml")],
            Vec::new(),
            Health::Socket(layout.path("containerd.sock")),
        ),
    ])
}

fn api_server(layout: &Layout, programs: &Programs) -> Component {
    let name = "kube-apiserver";
    let program = programs.kubernetes.join(name);
    Component {
        daemon: daemon(layout, name, program, api_server_arguments(layout)),
        listens: vec![(layout::NODE_ADDRESS, port::API_SERVER)],
        health: Health::Https(format!("{}/readyz", layout::api_server())),
        stage: 1,
    }
}

/// What needs the API server.
fn cluster(layout: &Layout, programs: &Programs) -> Vec<Component> {
    let of = |name, arguments, listens, health| Component {
        daemon: daemon(layout, name, programs.kubernetes.join(name), arguments),
        listens,
        health,
        stage: 2,
    };
    let http = |port| Health::Http(format!("http://{LOCAL}:{port}/healthz"));
    let https = |port| Health::Https(format!("https://{LOCAL}:{port}/healthz"));
    vec![
        of(
            CONTROLLER_MANAGER,
            controller_manager_arguments(layout),
            vec![(LOCAL, port::CONTROLLER_MANAGER)],
            https(port::CONTROLLER_MANAGER),
        ),
        of(
            "kube-scheduler",
            scheduler_arguments(layout),
            vec![(LOCAL, port::SCHEDULER)],
            https(port::SCHEDULER),
        ),
        of(
            "kubelet",
            kubelet_arguments(layout),
            vec![
                (layout::NODE_ADDRESS, port::KUBELET),
                (LOCAL, port::KUBELET_HEALTH),
            ],
            http(port::KUBELET_HEALTH),
        ),
        of(
            "kube-proxy",
            vec![format!("--config={}", layout.text("kube-proxy.json"))],
            vec![
                (LOCAL, port::KUBE_PROXY_HEALTH),
                (LOCAL, port::KUBE_PROXY_METRICS),
            ],
            http(port::KUBE_PROXY_HEALTH),
        ),
    ]
}

/// What lets network policies hold. Without it everybody may call everybody.
fn policies(layout: &Layout, programs: &Programs) -> Component {
    let health = format!("{LOCAL}:{}", port::POLICIES_HEALTH);
    let arguments = words(&format!(
        "-kubeconfig={} -node={} -queue={} -table={} -health={health}",
        layout.kubeconfig().display(),
        layout::NAME,
        layout::POLICIES_QUEUE,
        layout::POLICIES_TABLE,
    ));
    Component {
        daemon: daemon(layout, "policies", programs.policies.clone(), arguments),
        listens: vec![(LOCAL, port::POLICIES_HEALTH)],
        health: Health::Http(format!("http://{health}/healthz")),
        stage: 2,
    }
}

fn daemon(layout: &Layout, name: &'static str, program: PathBuf, arguments: Vec<String>) -> Daemon {
    Daemon {
        name,
        program,
        arguments,
        environment: Vec::new(),
        share: if CONTROL_PLANE.contains(&name) {
            Share::Large
        } else {
            Share::Equal
        },
        state: layout.state().to_owned(),
    }
}

/// An installed program, by its true path: a running one is recognised by its
/// command line, however the search path of this task names it.
fn system(name: &str) -> Result<PathBuf> {
    let program = run::find(name).with_context(|| format!("{name} is missing"))?;
    Ok(program.canonicalize()?)
}

/// The words of a command line none of which contains a space.
fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn etcd_arguments(layout: &Layout) -> Vec<String> {
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

fn api_server_arguments(layout: &Layout) -> Vec<String> {
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

fn controller_manager_arguments(layout: &Layout) -> Vec<String> {
    let pki = layout.text("pki");
    let kubeconfig = layout.text("kubeconfigs/controller-manager");
    // With a single one of it, electing a leader would only delay a restart.
    words(&format!(
        "--kubeconfig={kubeconfig} --authentication-kubeconfig={kubeconfig} \
         --authorization-kubeconfig={kubeconfig} --leader-elect=false {} \
         --bind-address=127.0.0.1 --secure-port={} --tls-cert-file={pki}/server.crt \
         --tls-private-key-file={pki}/server.key --root-ca-file={pki}/ca.crt \
         --cluster-signing-cert-file={pki}/ca.crt --cluster-signing-key-file={pki}/ca.key \
         --service-account-private-key-file={pki}/service-accounts.key \
         --use-service-account-credentials --allocate-node-cidrs --cluster-cidr={} \
         --service-cluster-ip-range={} --flex-volume-plugin-dir={}",
        RAISED_RATE.join(" "),
        port::CONTROLLER_MANAGER,
        layout::PODS,
        layout::SERVICES,
        layout.text("volume-plugins"),
    ))
}

fn scheduler_arguments(layout: &Layout) -> Vec<String> {
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

fn kubelet_arguments(layout: &Layout) -> Vec<String> {
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
