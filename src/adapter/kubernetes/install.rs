//! What a cluster needs before the first promotion: the resource definition,
//! the namespace, and the rights a group's promoter has in it.

use k8s_openapi::api::core::v1::Namespace as KubeNamespace;
use k8s_openapi::api::rbac::v1::{ClusterRole, Role};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::{Connection, crd, error, rules};
use crate::group::name::Namespace;
use crate::plan::label::{DOMAIN, FIELD_MANAGER};
use crate::port::ClusterError;

/// How long the API server may take to serve a new resource.
const ESTABLISHED: std::time::Duration = std::time::Duration::from_secs(30);

/// What was applied, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed(pub Vec<String>);

/// Applies definition, namespace and roles; doing so again changes nothing.
///
/// # Errors
/// The cluster does not answer, or whoever asks may not do this.
pub async fn install(
    connection: &Connection,
    namespace: &Namespace,
) -> Result<Installed, ClusterError> {
    let client = connection.client.clone();
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let mut done = Vec::new();

    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let definition = definitions
        .patch(
            &definition_name(),
            &params,
            &Patch::Apply(crd::definition()),
        )
        .await;
    let definition =
        definition.map_err(|error| error::from("apply the DeploymentGroup definition", error))?;
    let name = definition_name();
    let established = await_condition(definitions, &name, conditions::is_crd_established());
    tokio::time::timeout(ESTABLISHED, established)
        .await
        .map_err(|_| "the API server does not serve it yet".to_owned())
        .and_then(|waited| waited.map(|_| ()).map_err(|error| error.to_string()))
        .map_err(|reason| ClusterError::Refused {
            action: "wait for the DeploymentGroup definition".to_owned(),
            reason,
        })?;
    done.push(format!(
        "CustomResourceDefinition {}",
        definition.name_any()
    ));

    let namespaces: Api<KubeNamespace> = Api::all(client.clone());
    let found = namespaces.get_opt(namespace.as_str()).await;
    if found
        .map_err(|error| error::from("read the namespace", error))?
        .is_none()
    {
        let wanted = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace.as_str() } });
        let made = namespaces
            .patch(namespace.as_str(), &params, &Patch::Apply(wanted))
            .await;
        made.map_err(|error| error::from("make the namespace", error))?;
        done.push(format!("Namespace {namespace}"));
    }

    let roles: Api<Role> = Api::namespaced(client.clone(), namespace.as_str());
    let applied = roles
        .patch(
            "promoter",
            &params,
            &Patch::Apply(role(namespace, Who::Person)),
        )
        .await;
    applied.map_err(|error| error::from("apply the Role", error))?;
    done.push(format!("Role promoter in {namespace}"));

    let cluster_roles: Api<ClusterRole> = Api::all(client);
    let applied = cluster_roles
        .patch("promoter", &params, &Patch::Apply(cluster_role()))
        .await;
    applied.map_err(|error| error::from("apply the ClusterRole", error))?;
    done.push("ClusterRole promoter".to_owned());
    Ok(Installed(done))
}

/// Who promotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Somebody who types commands.
    Person,
    /// The daemon, which takes no group out of the cluster.
    Daemon,
}

/// The Role and `ClusterRole` that a group's promoter needs, as YAML.
pub fn role_yaml(namespace: &Namespace, who: Who) -> String {
    let documents = [role(namespace, who), cluster_role()];
    documents.iter().map(yaml).collect::<Vec<_>>().join("---\n")
}

/// The definition of the `DeploymentGroup` resource, as YAML.
pub fn definition_yaml() -> String {
    yaml(&crd::definition())
}

fn yaml(object: &Value) -> String {
    // What is JSON is YAML.
    serde_saphyr::to_string(object).unwrap_or_else(|_| object.to_string())
}

fn definition_name() -> String {
    format!("{}.{DOMAIN}", crd::PLURAL)
}

/// Everything a promotion writes lies in the group's namespace.
fn role(namespace: &Namespace, who: Who) -> Value {
    let mut rules = rules::of_namespace();
    if who == Who::Person {
        rules.extend(rules::of_removal());
    }
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": { "name": "promoter", "namespace": namespace.as_str() },
        "rules": rules,
    })
}

/// What is only read, and only for planning: without it `plan` cannot tell
/// free room and meshes.
fn cluster_role() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": { "name": "promoter" },
        "rules": rules::of_cluster(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_promotes_may_build_walls() {
        let role = role(&Namespace::parse("hello").unwrap(), Who::Person);
        let rules = role["rules"].as_array().unwrap().iter();
        let of_walls = rules.filter(|rule| {
            let resources = rule["resources"].as_array().unwrap();
            rule["apiGroups"] == json!(["networking.k8s.io"])
                && resources.contains(&json!("networkpolicies"))
        });
        let verbs: Vec<_> = of_walls
            .flat_map(|rule| rule["verbs"].as_array().unwrap())
            .collect();
        for verb in ["list", "watch", "get", "create", "patch", "delete"] {
            assert!(verbs.iter().any(|known| **known == verb), "{verb}");
        }
    }
}
