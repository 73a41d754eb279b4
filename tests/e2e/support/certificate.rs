//! Certificates for what a test serves by TLS.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// One that vouches for itself, of a name like `IP:127.0.0.1`, made in a folder. Gives what serves
/// with it, and the certificate as PEM.
pub(crate) fn certificate(folder: &Path, name: &str) -> (ServerConfig, Vec<u8>) {
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
    ]);
    openssl.args(["-nodes", "-days", "2", "-subj", "/CN=test"]);
    openssl.args(["-addext", &format!("subjectAltName={name}")]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate);
    let made = openssl.output().expect("openssl can be started");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let pem = fs::read(certificate).unwrap();
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let tls = ServerConfig::builder().with_no_client_auth();
    (tls.with_single_cert(chain.unwrap(), key).unwrap(), pem)
}
