//! How many pods an autoscaled app needs beside what serves.
//!
//! While an autoscaler rules, nobody writes `replicas` down: a candidate gets
//! as many pods as take requests in the colour that serves, within what its
//! own autoscaler allows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::object::Object;

/// `apiVersion` of every autoscaler that promoter makes.
pub const API_VERSION: &str = "autoscaling/v2";
/// Kind of every autoscaler that promoter makes.
pub const KIND: &str = "HorizontalPodAutoscaler";
/// What of an autoscaler decides whether it may take pods away.
const SCALE_DOWN: &str = "/spec/behavior/scaleDown/selectPolicy";

/// The `HorizontalPodAutoscaler` of an app in one colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Autoscaler {
    /// `<name>-<color>`, which scales `<app>-<color>`.
    pub object: Object,
    /// Pods that are asked for where nothing serves yet, if `replicas` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u32>,
}

/// Whether an object is an autoscaler of that Deployment.
pub fn scales(object: &Object, deployment: &str) -> bool {
    object.kind() == KIND
        && object.str_at("/spec/scaleTargetRef/kind") == Some("Deployment")
        && object.str_at("/spec/scaleTargetRef/name") == Some(deployment)
}

impl Autoscaler {
    /// The fewest pods it leaves; Kubernetes' default is one.
    pub fn min(&self) -> u32 {
        self.number("/spec/minReplicas").unwrap_or(1)
    }

    /// The most pods it makes.
    pub fn max(&self) -> u32 {
        self.number("/spec/maxReplicas").unwrap_or(u32::MAX)
    }

    /// Pods a candidate needs beside `serving` pods that take requests; `None`:
    /// nothing serves. Never more than it allows: it would take them away again.
    pub fn count(&self, serving: Option<u32>) -> u32 {
        let wanted = serving.or(self.start).unwrap_or_default();
        wanted.max(self.min()).min(self.max())
    }

    /// What its manifest says of taking pods away, in `selectPolicy`'s words.
    pub fn scale_down(&self) -> Option<&str> {
        self.object.str_at(SCALE_DOWN)
    }

    fn number(&self, pointer: &str) -> Option<u32> {
        let number = self.object.at(pointer).and_then(Value::as_u64);
        number.and_then(|number| u32::try_from(number).ok())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn as_many_as_serve_within_its_bounds() {
        let of = |spec: Value, start| Autoscaler {
            object: Object(json!({ "spec": spec })),
            start,
        };
        let bounded = of(json!({ "minReplicas": 2, "maxReplicas": 6 }), Some(4));
        let cases = [
            (None, 4),
            (Some(0), 2),
            (Some(3), 3),
            (Some(6), 6),
            (Some(9), 6),
        ];
        for (serving, count) in cases {
            assert_eq!(bounded.count(serving), count, "{serving:?}");
        }
        let plain = of(json!({ "maxReplicas": 3 }), None);
        assert_eq!((plain.min(), plain.max()), (1, 3));
        assert_eq!((plain.count(None), plain.count(Some(2))), (1, 2));
        assert_eq!(of(json!({ "maxReplicas": 3 }), Some(9)).count(None), 3);
    }
}
