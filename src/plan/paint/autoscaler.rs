//! A `HorizontalPodAutoscaler` made into that of one colour.

use serde_json::{Value, json};

use super::Paint;
use crate::plan::autoscaler::{API_VERSION, Autoscaler};
use crate::plan::object::{Object, entry};
use crate::plan::refusal::Refusal;

/// Annotations by which `autoscaling/v1` carried what only later versions have.
const LATER_FIELDS: &str = "autoscaling.alpha.kubernetes.io/";

impl Paint<'_> {
    /// The app's autoscaler, if it has one that two colours can have. It rules
    /// from then on, so `replicas` is taken out of the workload.
    pub(super) fn autoscaler(
        &self,
        mut found: Vec<Object>,
        workload: &mut Object,
        refusals: &mut Vec<Refusal>,
    ) -> Option<Autoscaler> {
        if found.len() > 1 {
            let reason = format!("its manifest has {} HorizontalPodAutoscalers", found.len());
            refusals.push(
                Refusal::app(&self.app.name, reason).hint(
                    "two of them would fight over one Deployment; put their metrics into one",
                ),
            );
            return None;
        }
        let mut object = found.pop()?;
        let wrong = self.unfit(&object);
        if !wrong.is_empty() {
            refusals.extend(wrong);
            return None;
        }
        to_v2(&mut object);
        object.rename(&format!("{}-{}", object.name(), self.color));
        let target = format!("{}-{}", self.app.name, self.color);
        entry(&mut object.0, &["spec"]).insert(
            "scaleTargetRef".into(),
            json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": target }),
        );
        self.mark_colored(&mut object);
        let replicas = entry(&mut workload.0, &["spec"]).remove("replicas");
        let start = replicas.as_ref().and_then(Value::as_u64);
        Some(Autoscaler {
            object,
            start: start.and_then(|start| u32::try_from(start).ok()),
        })
    }

    /// Every reason why two colours cannot have it.
    fn unfit(&self, object: &Object) -> Vec<Refusal> {
        let reference = object.reference();
        let refuse = |reason: String| Refusal::object(&self.app.name, &reference, reason);
        let mut refusals = Vec::new();
        let annotations = object.texts_at("/metadata/annotations");
        let has_later_fields = annotations.keys().any(|key| key.starts_with(LATER_FIELDS));
        let is_known = match object.api_version() {
            API_VERSION => true,
            "autoscaling/v1" => !has_later_fields,
            _ => false,
        };
        if !is_known {
            let reason = format!(
                "its version {} cannot be carried over",
                object.api_version()
            );
            refusals.push(refuse(reason).hint(format!("write it as {API_VERSION}")));
        }
        let target = |field: &str| object.str_at(&format!("/spec/scaleTargetRef/{field}"));
        let app = self.app.name.as_ref();
        let scales_app = matches!(target("apiVersion"), None | Some("apps/v1"))
            && (target("kind"), target("name")) == (Some("Deployment"), Some(app));
        if !scales_app {
            refusals.push(
                refuse("does not scale the app's Deployment".to_owned()).hint(format!(
                    "write `scaleTargetRef: {{ apiVersion: apps/v1, kind: Deployment, name: {app} }}`"
                )),
            );
        }
        let number = |field: &str| object.at(&format!("/spec/{field}")).map(Value::as_u64);
        let min = number("minReplicas").unwrap_or(Some(1)).unwrap_or(0);
        let max = number("maxReplicas").flatten();
        if min == 0 {
            refusals.push(
                refuse("may scale to no pods, so nothing would serve".to_owned())
                    .hint("set minReplicas to at least 1"),
            );
        } else if max.is_none_or(|max| max < min) {
            let reason = match max {
                Some(max) => format!("maxReplicas ({max}) is below minReplicas ({min})"),
                None => "has no maxReplicas".to_owned(),
            };
            refusals.push(refuse(reason).hint("set maxReplicas to at least minReplicas"));
        }
        refusals
    }
}

/// One version for both colours, whatever each release was written in: the
/// same object under two versions would be taken for two.
fn to_v2(object: &mut Object) {
    entry(&mut object.0, &[]).insert("apiVersion".into(), API_VERSION.into());
    let spec = entry(&mut object.0, &["spec"]);
    if let Some(percent) = spec.remove("targetCPUUtilizationPercentage") {
        let target = json!({ "type": "Utilization", "averageUtilization": percent });
        let metric = json!({ "type": "Resource", "resource": { "name": "cpu", "target": target } });
        spec.insert("metrics".into(), json!([metric]));
    }
}
