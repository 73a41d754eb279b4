//! The files that the cluster's parts read when they start.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::layout::{self, Layout, port};
use super::{images, kubeconfig, packages};

/// Writes those that are not as they should be, and gives their paths.
pub(crate) fn write(layout: &Layout) -> Result<Vec<PathBuf>> {
    let mut changed = Vec::new();
    let mut file = |name: &str, text: &str| {
        let path = layout.path(name);
        // Some parts end when their file is written, even with the same text.
        if std::fs::read_to_string(&path).is_ok_and(|present| present == text) {
            return Ok(());
        }
        std::fs::write(&path, text)
            .with_context(|| format!("failed to write {}", path.display()))?;
        changed.push(path);
        anyhow::Ok(())
    };

    layout.folder("kubeconfigs")?;
    layout.folder("cni")?;
    layout.folder("containers")?;
    layout.folder("tmp")?;
    let server = layout::api_server();
    for user in ["controller-manager", "scheduler", "kubelet", "kube-proxy"] {
        let text = kubeconfig::render(layout::NAME, &server, &layout.path("pki"), user);
        file(&format!("kubeconfigs/{user}"), &text)?;
    }
    let admin = kubeconfig::render(layout::NAME, &server, &layout.path("pki"), "admin");
    file("kubeconfig", &admin)?;

    file("kubelet.json", &pretty(&kubelet(layout)))?;
    file("kube-proxy.json", &pretty(&kube_proxy(layout)))?;
    file("audit-policy.json", &pretty(&audit_policy()))?;
    file("cni/10-testbed.conflist", &pretty(&cni(layout)))?;
    file(
        "containerd.toml",
        &containerd(layout, &packages::cni_plugins()?),
    )?;
    file("registry.yml", &pretty(&registry(layout)))?;
    file("aws.py", include_str!("../../../testbed/aws.py"))?;
    for (host, prefix) in [(layout::ECR, ""), ("docker.io", "/docker.io")] {
        layout.folder(&format!("registries/{host}"))?;
        file(&format!("registries/{host}/hosts.toml"), &hosts(prefix))?;
    }
    file("containers/registries.conf", &registries())?;
    Ok(changed)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn kubelet(layout: &Layout) -> Value {
    // A stub resolver on the machine's loopback is out of the pods' reach.
    let stub_free = "/run/systemd/resolve/resolv.conf";
    let resolver = if Path::new(stub_free).exists() {
        stub_free
    } else {
        "/etc/resolv.conf"
    };
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": layout::NODE_ADDRESS,
        "port": port::KUBELET,
        "readOnlyPort": 0,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": port::KUBELET_HEALTH,
        "tlsCertFile": layout.text("pki/server.crt"),
        "tlsPrivateKeyFile": layout.text("pki/server.key"),
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": layout.text("pki/ca.crt") },
        },
        "authorization": { "mode": "Webhook" },
        "containerRuntimeEndpoint": format!("unix://{}", layout.text("containerd.sock")),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", layout::NAME),
        "failCgroupV1": false,
        "failSwapOn": false,
        // Lowering it takes a capability that root does not have everywhere.
        "oomScoreAdj": 0,
        "clusterDomain": "cluster.local",
        "clusterDNS": [layout::DNS_SERVICE],
        "resolvConf": resolver,
        "podLogsDir": layout.text("pod-logs"),
        "volumePluginDir": layout.text("volume-plugins"),
        "maxPods": 110,
        "serializeImagePulls": false,
        "registryPullQPS": 0,
        // The disk is the user's: neither evict pods nor remove images for it.
        "evictionHard": {},
        "imageGCHighThresholdPercent": 100,
    })
}

fn kube_proxy(layout: &Layout) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "hostnameOverride": layout::NAME,
        "clientConnection": { "kubeconfig": layout.text("kubeconfigs/kube-proxy") },
        // What comes from a pod keeps its address; all else is masqueraded.
        "clusterCIDR": layout::PODS,
        "nodePortAddresses": ["127.0.0.0/8"],
        "iptables": { "localhostNodePorts": true },
        "healthzBindAddress": format!("127.0.0.1:{}", port::KUBE_PROXY_HEALTH),
        "metricsBindAddress": format!("127.0.0.1:{}", port::KUBE_PROXY_METRICS),
        "oomScoreAdj": 0,
        // The machine's limits stay as they are.
        "conntrack": { "maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s" },
    })
}

fn audit_policy() -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{ "level": "Metadata" }],
    })
}

fn cni(layout: &Layout) -> Value {
    json!({
        "cniVersion": "0.4.0",
        "name": layout::NAME,
        "plugins": [
            {
                "type": "bridge",
                "bridge": layout::BRIDGE,
                "isGateway": true,
                // Of a bridge that an earlier configuration made.
                "forceAddress": true,
                "ipMasq": true,
                // A pod may call the Service that it is itself behind.
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": layout.text("addresses"),
                    // All of them, so that none is given to a second pod for hours: what is
                    // sent to that goes to where the first was for up to 9 s (measured).
                    "ranges": [[{ "subnet": layout::PODS }]],
                    "routes": [{ "dst": "0.0.0.0/0" }],
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    })
}

fn containerd(layout: &Layout, cni_plugins: &Path) -> String {
    format!(
        r#"version = 2
root = "{root}"
state = "{state}"
# The default is a folder that other users of containerd share.
temp = "{tmp}"

[grpc]
  address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{root}/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Lowering the score takes a capability that root does not have everywhere.
  restrict_oom_score_adj = true
  # Otherwise namespaces are mounted in a folder that is not ours alone.
  netns_mounts_under_state_dir = true
  max_concurrent_downloads = 8

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni}"
    conf_dir = "{cni_configuration}"

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{registries}"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "{runc}"
"#,
        root = layout.text("containerd"),
        state = layout.text("run"),
        tmp = layout.text("tmp"),
        socket = layout.text("containerd.sock"),
        pause = images::PAUSE,
        cni = cni_plugins.display(),
        cni_configuration = layout.text("cni"),
        registries = layout.text("registries"),
        runc = layout.text("runc"),
    )
}

fn registry(layout: &Layout) -> Value {
    json!({
        "version": 0.1,
        "log": { "level": "info", "accesslog": { "disabled": true } },
        "storage": {
            "filesystem": { "rootdirectory": layout.text("registry") },
            "delete": { "enabled": true },
            // It watches for uploads left over by clients, which take a week.
            "maintenance": { "uploadpurging": { "enabled": false } },
        },
        "http": { "addr": layout::registry() },
    })
}

/// Where containerd finds the images of a registry.
fn hosts(prefix: &str) -> String {
    let registry = layout::registry();
    format!(
        "server = \"http://{registry}/v2{prefix}\"\noverride_path = true\n\n[host.\"http://{registry}/v2{prefix}\"]\n  \
         capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n"
    )
}

/// Where buildah finds the images that a Dockerfile begins from.
fn registries() -> String {
    let registry = layout::registry();
    let ecr = layout::ECR;
    format!(
        r#"unqualified-search-registries = ["docker.io"]
short-name-mode = "permissive"

[[registry]]
prefix = "docker.io"
location = "{registry}/docker.io"
insecure = true

[[registry]]
prefix = "{ecr}"
location = "{registry}"
insecure = true

[[registry]]
prefix = "{registry}"
location = "{registry}"
insecure = true
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulls_go_to_the_local_registry() {
        let text = hosts("/docker.io");
        assert!(
            text.contains("[host.\"http://127.0.0.1:21500/v2/docker.io\"]"),
            "{text}"
        );
        assert!(text.contains("override_path = true"), "{text}");
    }

    #[test]
    fn all_state_of_containerd_is_in_the_folder() {
        let layout = Layout::at(Path::new("/state"));
        let text = containerd(&layout, Path::new("/cni"));
        for line in text.lines().filter(|line| line.contains("= \"/")) {
            assert!(
                line.contains("\"/state") || line.contains("\"/cni\""),
                "{line}"
            );
        }
    }
}
