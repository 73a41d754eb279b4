//! What `promoter doctor` wants to know of a cluster. Writes nothing: a review of
//! access is a question, whatever verb it is sent with.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Namespace as KubeNamespace;
use kube::Api;
use kube::api::PostParams;

use super::rules::{self, Rule};
use super::{Connection, crd, error};
use crate::group::name::Namespace;
use crate::plan::label::DOMAIN;
use crate::port::ClusterError;
use crate::port::chain::{Presence, Right, Server};

/// Rights that are asked about at the same time.
const AT_ONCE: usize = 16;

impl Connection {
    /// Which server this is, and whom it takes us for.
    ///
    /// # Errors
    /// It does not answer, or lets nobody in.
    pub async fn server(&self) -> Result<Server, ClusterError> {
        let version = self.client.apiserver_version().await;
        let version = version.map_err(|error| error::from("read its version", error))?;
        // Everybody may read the version: this tells whether the credentials are good.
        let reviews: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let question = SelfSubjectReview::default();
        let user = match reviews.create(&PostParams::default(), &question).await {
            Ok(review) => review.status.and_then(|status| status.user_info?.username),
            Err(error) if error::is_forbidden(&error) || error::is_not_found(&error) => None,
            Err(error) => return Err(error::from("ask whom it takes us for", error)),
        };
        Ok(Server {
            version: version.git_version,
            user,
        })
    }

    /// Whether the server knows groups. Whoever may log in may ask.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn is_installed(&self) -> Result<bool, ClusterError> {
        let version = format!("{DOMAIN}/{}", crd::VERSION);
        match self.client.list_api_group_resources(&version).await {
            Ok(known) => Ok(known
                .resources
                .iter()
                .any(|known| known.name == crd::PLURAL)),
            Err(error) if error::is_not_found(&error) => Ok(false),
            Err(error) => Err(error::from("list its resources", error)),
        }
    }

    /// Whether a namespace is there.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn namespace(&self, namespace: &Namespace) -> Result<Presence, ClusterError> {
        let namespaces: Api<KubeNamespace> = Api::all(self.client.clone());
        match namespaces.get_opt(namespace.as_str()).await {
            Ok(None) => Ok(Presence::Missing),
            Ok(Some(found)) if found.metadata.deletion_timestamp.is_some() => Ok(Presence::Ending),
            Ok(Some(_)) => Ok(Presence::There),
            Err(error) if error::is_forbidden(&error) => Ok(Presence::Hidden),
            Err(error) => Err(error::from("read the namespace", error)),
        }
    }

    /// What of that which `promoter install` grants is not granted to us.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn missing_rights(&self, namespace: &Namespace) -> Result<Vec<Right>, ClusterError> {
        let here = [rules::of_namespace(), rules::of_removal()].concat();
        let here = questions(&here, Some(namespace));
        let everywhere = rules::of_cluster();
        let everywhere = questions(&everywhere, None);
        let asked = here.into_iter().chain(everywhere);
        let asked = stream::iter(asked).map(|(right, question)| async {
            let is_allowed = self.is_allowed(question).await?;
            Ok((!is_allowed).then_some(right))
        });
        let missing: Result<Vec<_>, _> = asked.buffered(AT_ONCE).try_collect().await;
        missing.map(|missing| missing.into_iter().flatten().collect())
    }

    async fn is_allowed(&self, question: ResourceAttributes) -> Result<bool, ClusterError> {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(question),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let answer = reviews.create(&PostParams::default(), &review).await;
        let answer = answer.map_err(|error| error::from("ask for its rights", error))?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

/// A question for every right that rules are made of.
fn questions(rules: &[Rule], namespace: Option<&Namespace>) -> Vec<(Right, ResourceAttributes)> {
    let of = |rule: &Rule, resource: &str, verb: &str| {
        let [group] = rule.api_groups;
        let (kind, part) = match resource.split_once('/') {
            Some((kind, part)) => (kind, Some(part)),
            None => (resource, None),
        };
        let right = Right {
            everywhere: namespace.is_none(),
            resource: if group.is_empty() {
                resource.to_owned()
            } else {
                format!("{resource}.{group}")
            },
            verb: verb.to_owned(),
        };
        let question = ResourceAttributes {
            group: Some(group.to_owned()),
            namespace: namespace.map(ToString::to_string),
            resource: Some(kind.to_owned()),
            subresource: part.map(str::to_owned),
            verb: Some(verb.to_owned()),
            ..ResourceAttributes::default()
        };
        (right, question)
    };
    let resources = rules
        .iter()
        .flat_map(|rule| rule.resources.iter().map(move |resource| (rule, resource)));
    let all = resources.flat_map(|(rule, resource)| {
        let verbs = rule.verbs.iter();
        verbs.map(move |verb| of(rule, resource, verb))
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_right_of_the_roles_is_asked_about_once() {
        let namespace = Namespace::parse("shop").unwrap();
        let rules = rules::of_namespace();
        let asked = questions(&rules, Some(&namespace));
        let rights: std::collections::BTreeSet<_> = asked.iter().map(|(right, _)| right).collect();
        assert_eq!(rights.len(), asked.len());
        let count: usize = rules
            .iter()
            .map(|rule| rule.resources.len() * rule.verbs.len())
            .sum();
        assert_eq!(asked.len(), count);
        let question = |resource: &str, verb: &str| {
            let mut asked = asked.iter();
            let found = asked.find(|(right, _)| right.resource == resource && right.verb == verb);
            found.map(|(_, question)| question.clone()).unwrap()
        };
        let status = question("cronjobs/status.batch", "patch");
        assert_eq!(status.resource.as_deref(), Some("cronjobs"));
        assert_eq!(status.subresource.as_deref(), Some("status"));
        assert_eq!(status.group.as_deref(), Some("batch"));
        assert_eq!(status.namespace.as_deref(), Some("shop"));
        let pods = questions(&rules::of_cluster(), None);
        assert!(
            pods.iter()
                .all(|(right, asked)| right.everywhere && asked.namespace.is_none())
        );
    }
}
