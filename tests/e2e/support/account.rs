//! Whom promoter is in a test: an account with the rights that `promoter install` says it
//! needs, and no others.

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;
use kube::config::Kubeconfig;
use serde_json::{Value, json};

use super::cluster::block_on;
use super::testbed::Testbed;

const NAME: &str = "promoter";
const RBAC: &str = "rbac.authorization.k8s.io";

/// Makes it in a namespace; `rights` is what `promoter install` prints. Gives a kubeconfig of
/// the testbed's context that leads to it.
pub(super) fn account(namespace: &str, rights: &str) -> String {
    let cluster = &Testbed::get().cluster;
    for mut right in serde_saphyr::from_multiple::<Value>(rights).unwrap() {
        let place = right["metadata"]["namespace"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if place.is_empty() {
            // Of no namespace, so that its test has to take it away.
            right["metadata"]["name"] = namespace.into();
        }
        cluster.apply(&place, &right);
    }
    cluster.create(
        namespace,
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": NAME } }),
    );
    let binding = |kind: &str, name: &str, role: &str| {
        json!({
            "apiVersion": format!("{RBAC}/v1"),
            "kind": kind,
            "metadata": { "name": name },
            "roleRef": { "apiGroup": RBAC, "kind": role, "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": namespace }],
        })
    };
    cluster.apply(namespace, &binding("RoleBinding", NAME, "Role"));
    cluster.apply("", &binding("ClusterRoleBinding", namespace, "ClusterRole"));
    kubeconfig(&token(namespace))
}

fn token(namespace: &str) -> String {
    let accounts: Api<ServiceAccount> = Api::namespaced(Testbed::get().cluster.client(), namespace);
    let asked = TokenRequest {
        spec: TokenRequestSpec {
            audiences: Vec::new(),
            expiration_seconds: Some(2 * 60 * 60),
            ..TokenRequestSpec::default()
        },
        ..TokenRequest::default()
    };
    let made = block_on(accounts.create_token_request(NAME, &PostParams::default(), &asked));
    made.unwrap().status.unwrap().token
}

fn kubeconfig(token: &str) -> String {
    let name = &Testbed::get().context;
    let mut known = Kubeconfig::read().unwrap();
    known.contexts.retain(|context| context.name == *name);
    let context = known.contexts[0].context.as_mut().unwrap();
    context.user = Some(NAME.to_owned());
    known
        .clusters
        .retain(|cluster| cluster.name == context.cluster);
    let mut said = serde_json::to_value(known).unwrap();
    said["users"] = json!([{ "name": NAME, "user": { "token": token } }]);
    said.to_string()
}
