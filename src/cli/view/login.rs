//! How kubectl is told to get in to an EKS cluster.

use serde_json::{Value, json};

use crate::group::{EksRef, Environment};
use crate::port::login::{Endpoint, Token};

/// The protocol between kubectl and whoever it asks for a token.
const EXEC: &str = "client.authentication.k8s.io/v1";

/// A kubeconfig, as YAML, whose names are the environment's. `profile` is the
/// AWS profile that tokens are asked for with.
pub fn kubeconfig(
    environment: &Environment,
    cluster: &EksRef,
    endpoint: &Endpoint,
    profile: Option<String>,
) -> String {
    let name = environment.name.as_str();
    let mut arguments = vec!["token", "--cluster", &cluster.name];
    for (option, value) in [("--region", &cluster.region), ("--role", &cluster.role)] {
        arguments.extend(value.iter().flat_map(|value| [option, value]));
    }
    let mut exec = json!({
        "apiVersion": EXEC,
        "command": "promoter",
        "args": arguments,
        "interactiveMode": "Never",
        "installHint": "promoter gives out the tokens for this cluster: put it into a folder of PATH",
    });
    if let Some(profile) = profile {
        exec["env"] = json!([{ "name": "AWS_PROFILE", "value": profile }]);
    }
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": name, "cluster": {
            "server": endpoint.server,
            "certificate-authority-data": endpoint.authority,
        }}],
        "contexts": [{ "name": name, "context": {
            "cluster": name,
            "namespace": environment.namespace.as_str(),
            "user": name,
        }}],
        "current-context": name,
        "users": [{ "name": name, "user": { "exec": exec }}],
    });
    serde_saphyr::to_string(&config).unwrap_or_else(|_| config.to_string())
}

/// What kubectl takes from standard output.
pub fn credential(token: &Token) -> Value {
    json!({
        "apiVersion": EXEC,
        "kind": "ExecCredential",
        "spec": {},
        "status": {
            "expirationTimestamp": token.expires,
            "token": token.secret(),
        },
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::cli::view::sample::from;
    use crate::group::cloudwatch::CloudWatchRef;
    use crate::group::github::GithubRef;
    use crate::group::{ClusterRef, RegistryRef, Untested};

    fn environment() -> (Environment, EksRef) {
        let cluster = EksRef {
            name: "prod".to_owned(),
            region: Some("eu-west-1".to_owned()),
            role: Some("arn:aws:iam::123456789012:role/deployer".to_owned()),
        };
        let environment = Environment {
            name: from("v2"),
            namespace: from("shop"),
            cluster: ClusterRef::Eks(cluster.clone()),
            cluster_domain: "cluster.local".to_owned(),
            untested: Untested::Refused,
            github: GithubRef::default(),
            budget_guard: None,
            cloudwatch: CloudWatchRef::default(),
            registry: RegistryRef::default(),
            values: std::collections::BTreeMap::new(),
        };
        (environment, cluster)
    }

    #[test]
    fn kubectl_asks_promoter_for_tokens() {
        let endpoint = Endpoint {
            cluster: "prod".to_owned(),
            server: "https://0A1B.gr7.eu-west-1.eks.amazonaws.com".to_owned(),
            authority: "Q0VSVA==".to_owned(),
        };
        let (environment, mut cluster) = environment();
        let text = kubeconfig(&environment, &cluster, &endpoint, Some("work".to_owned()));
        assert_snapshot!(text, @r#"
        apiVersion: v1
        clusters:
        - cluster:
            certificate-authority-data: Q0VSVA==
            server: https://0A1B.gr7.eu-west-1.eks.amazonaws.com
          name: v2
        contexts:
        - context:
            cluster: v2
            namespace: shop
            user: v2
          name: v2
        current-context: v2
        kind: Config
        users:
        - name: v2
          user:
            exec:
              apiVersion: client.authentication.k8s.io/v1
              args:
              - token
              - --cluster
              - prod
              - --region
              - eu-west-1
              - --role
              - arn:aws:iam::123456789012:role/deployer
              command: promoter
              env:
              - name: AWS_PROFILE
                value: work
              installHint: "promoter gives out the tokens for this cluster: put it into a folder of PATH"
              interactiveMode: Never
        "#);
        cluster.role = None;
        let plain = kubeconfig(&environment, &cluster, &endpoint, None);
        assert!(
            !plain.contains("--role") && !plain.contains("AWS_PROFILE"),
            "{plain}"
        );
    }

    #[test]
    fn a_credential_says_how_long_it_is_good() {
        let at = |text: &str| text.parse().unwrap();
        let (signed, expires) = (at("2026-11-21T09:00:00Z"), at("2026-11-21T09:14:00Z"));
        let token = Token::new("k8s-aws-v1.abc".to_owned(), signed, expires);
        assert_eq!(
            credential(&token).to_string(),
            r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{},"status":{"expirationTimestamp":"2026-11-21T09:14:00Z","token":"k8s-aws-v1.abc"}}"#
        );
    }
}
