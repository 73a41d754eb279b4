//! The cluster's own certificate authority and what it signed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::layout::{self, Layout};
use crate::run;

/// Who proves by a certificate who they are: file, group, user.
const USERS: &[(&str, &str, &str)] = &[
    ("admin", "system:masters", "admin"),
    ("controller-manager", "", "system:kube-controller-manager"),
    ("scheduler", "", "system:kube-scheduler"),
    ("kube-proxy", "", "system:kube-proxy"),
    (
        "kubelet-client",
        "system:masters",
        "kube-apiserver-kubelet-client",
    ),
];

const DAYS: &str = "3650";

/// Makes all of them, unless they were made before.
pub(crate) fn make(layout: &Layout) -> Result<()> {
    let finished = layout.path("pki");
    if finished.exists() {
        return Ok(());
    }
    let folder = layout.folder("pki.unfinished")?;
    authority(&folder)?;
    for (file, group, user) in USERS {
        client(&folder, file, group, user)?;
    }
    client(
        &folder,
        "kubelet",
        "system:nodes",
        &format!("system:node:{}", layout::NAME),
    )?;
    server(&folder)?;
    run::output(
        openssl(&folder)
            .args(["ecparam", "-name", "prime256v1", "-genkey", "-noout"])
            .args(["-out", "service-accounts.key"]),
    )?;
    std::fs::rename(&folder, &finished)
        .with_context(|| format!("failed to create {}", finished.display()))
}

fn authority(folder: &Path) -> Result<()> {
    let mut openssl = new_certificate(folder, "ca", &format!("/CN={}", layout::NAME));
    openssl.args([
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
    ]);
    run::output(&mut openssl).context("failed to make a certificate authority")?;
    Ok(())
}

fn client(folder: &Path, file: &str, group: &str, user: &str) -> Result<()> {
    let group = if group.is_empty() {
        String::new()
    } else {
        format!("/O={group}")
    };
    let mut openssl = new_certificate(folder, file, &format!("{group}/CN={user}"));
    openssl.args(["-CA", "ca.crt", "-CAkey", "ca.key"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.args(["-addext", "extendedKeyUsage=clientAuth"]);
    run::output(&mut openssl)
        .with_context(|| format!("failed to make the certificate of {user}"))?;
    Ok(())
}

/// One certificate serves all servers: they are on one machine.
fn server(folder: &Path) -> Result<()> {
    let names = format!(
        "subjectAltName=IP:127.0.0.1,IP:{},IP:{},DNS:localhost,DNS:{},DNS:kubernetes,\
         DNS:kubernetes.default,DNS:kubernetes.default.svc,\
         DNS:kubernetes.default.svc.cluster.local",
        layout::NODE_ADDRESS,
        layout::API_SERVICE,
        layout::NAME,
    );
    let mut openssl = new_certificate(folder, "server", &format!("/CN={}", layout::NAME));
    openssl.args(["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", &names]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.args(["-addext", "extendedKeyUsage=serverAuth"]);
    run::output(&mut openssl).context("failed to make the servers' certificate")?;
    Ok(())
}

fn new_certificate(folder: &Path, file: &str, subject: &str) -> Command {
    let mut command = openssl(folder);
    command
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", DAYS, "-subj", subject])
        .args([
            "-keyout",
            &format!("{file}.key"),
            "-out",
            &format!("{file}.crt"),
        ]);
    command
}

fn openssl(folder: &Path) -> Command {
    let mut command = Command::new("openssl");
    command.current_dir(folder);
    command
}
