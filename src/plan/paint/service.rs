//! A user's Service, and the one that a colour has for it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Paint, is_subset};
use crate::group::name::COLORED;
use crate::plan::ServicePlan;
use crate::plan::label::Role;
use crate::plan::object::{Object, entry};
use crate::plan::refusal::Refusal;

/// Longest name the API takes for a Service.
const NAME_LIMIT: usize = 63;

impl Paint<'_> {
    pub(super) fn service(
        &self,
        mut active: Object,
        pod_labels: &BTreeMap<String, String>,
    ) -> Result<ServicePlan, Refusal> {
        let reference = active.reference();
        let refuse = |reason: &str| Refusal::object(&self.app.name, &reference, reason);
        if active.str_at("/spec/type") == Some("ExternalName") {
            return Err(refuse("an ExternalName Service has no pods to switch")
                .hint("put it outside the group"));
        }
        if active.str_at("/spec/clusterIP") == Some("None") {
            return Err(refuse(
                "a headless Service hands out pod addresses, which cannot be kept to one colour",
            )
            .hint("give it a cluster IP (leave spec.clusterIP out)"));
        }
        let mut selector = active.texts_at("/spec/selector");
        if selector.is_empty() || !is_subset(&selector, pod_labels) {
            return Err(refuse("its selector does not select the app's pods")
                .hint("use labels of the Deployment's pod template"));
        }
        let name = ServicePlan::colored_name(active.name(), self.color);
        if name.len() > NAME_LIMIT {
            return Err(refuse("its name leaves no room for the colour")
                .hint(format!("use at most {COLORED} characters")));
        }
        for (key, value) in self.color_labels() {
            selector.insert(key.into(), value.into());
        }
        let mut colored = colored_service(&active, &name, &selector);
        self.mark_colored(&mut colored);
        entry(&mut active.0, &["spec"]).remove("selector");
        self.mark(&mut active, Role::Active);
        Ok(ServicePlan {
            active,
            selector,
            colored,
        })
    }
}

/// The Service that a colour has for a user's own, without its marks.
pub(in crate::plan) fn colored_service(
    active: &Object,
    name: &str,
    selector: &BTreeMap<String, String>,
) -> Object {
    let mut colored = Object(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": name },
        "spec": { "type": "ClusterIP", "selector": selector, "ports": colored_ports(active) },
    }));
    // With fewer families than the user's Service has, pinning would leave one open.
    for field in [
        "sessionAffinity",
        "sessionAffinityConfig",
        "ipFamilies",
        "ipFamilyPolicy",
    ] {
        if let Some(value) = active.at(&format!("/spec/{field}")) {
            colored.0["spec"][field] = value.clone();
        }
    }
    colored
}

/// Only what balances requests; a copied node port would collide (design: colour Services).
fn colored_ports(active: &Object) -> Vec<Value> {
    let ports = active
        .at("/spec/ports")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let keep = ["name", "port", "targetPort", "protocol", "appProtocol"];
    let narrow = |port: Value| {
        let fields = port.as_object().cloned().unwrap_or_default().into_iter();
        fields
            .filter(|(key, _)| keep.contains(&key.as_str()))
            .collect()
    };
    ports.into_iter().map(narrow).collect()
}
