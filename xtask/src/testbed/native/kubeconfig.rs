//! Kubeconfig files. JSON is YAML too, so that no template is needed.

use std::path::Path;

use serde_json::json;

/// A kubeconfig for one user of one cluster, who proves it by a certificate.
pub(crate) fn render(name: &str, server: &str, pki: &Path, user: &str) -> String {
    let file = |name: String| pki.join(name).display().to_string();
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{ "name": name, "context": { "cluster": name, "user": user } }],
        "clusters": [{
            "name": name,
            "cluster": { "server": server, "certificate-authority": file("ca.crt".to_owned()) },
        }],
        "users": [{
            "name": user,
            "user": {
                "client-certificate": file(format!("{user}.crt")),
                "client-key": file(format!("{user}.key")),
            },
        }],
    });
    format!("{config:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_names_the_cluster_and_the_user() {
        let text = render("bed", "https://192.0.2.1:1", Path::new("/pki"), "admin");
        let config: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(config["current-context"], "bed");
        assert_eq!(
            config["contexts"][0]["context"],
            json!({ "cluster": "bed", "user": "admin" })
        );
        assert_eq!(
            config["clusters"][0]["cluster"]["server"],
            "https://192.0.2.1:1"
        );
        assert_eq!(config["users"][0]["user"]["client-key"], "/pki/admin.key");
    }
}
