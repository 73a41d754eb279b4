//! What the second colour needs, against quotas and the nodes' free room.

use serde::Serialize;
use serde_json::Value;

use super::Plan;
use super::object::Object;
use super::refusal::Refusal;
use super::survey::{Quota, Resources, Survey};
use crate::group::Start;

/// Needed and free, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capacity {
    /// What the candidate and its checks ask for on top of what runs.
    pub needed: Resources,
    /// What the nodes have left.
    pub free: Resources,
}

/// Sums up a plan's needs and the cluster's room.
pub fn capacity(plan: &Plan, survey: &Survey) -> Capacity {
    let mut needed = Resources::default();
    for app in &plan.apps {
        let ready = survey.ready(&app.name);
        let count = match app.start {
            Start::Beside => app.count(ready),
            // Those before them have ended by then.
            Start::OnPromote => app.replicas().saturating_sub(ready.unwrap_or_default()),
        };
        needed.add(requests(&app.deployment), i64::from(count));
    }
    for check in plan.jobs() {
        needed.add(requests(&check.job), 1);
    }
    let mut free = Resources::default();
    for node in &survey.nodes {
        free.add(node.allocatable, 1);
        free.add(node.requested, -1);
    }
    Capacity { needed, free }
}

impl Capacity {
    /// Quotas that the candidate would exceed; the API server would refuse its pods.
    pub fn refusals(&self, quotas: &[Quota]) -> Vec<Refusal> {
        let exceeded = |quota: &Quota| {
            let wants = [
                ("pods", self.needed.pods),
                ("count/pods", self.needed.pods),
                ("requests.cpu", self.needed.cpu_millis),
                ("cpu", self.needed.cpu_millis),
                ("requests.memory", self.needed.memory),
                ("memory", self.needed.memory),
            ];
            let short = wants.into_iter().filter_map(|(resource, wanted)| {
                let left = *quota.left.get(resource)?;
                (wanted > left).then(|| {
                    format!(
                        "{resource}: {} needed, {} left",
                        amount(resource, wanted),
                        amount(resource, left)
                    )
                })
            });
            let short: Vec<_> = short.collect();
            (!short.is_empty()).then(|| {
                Refusal::about(
                    format!("quota {}", quota.name),
                    format!("has no room for a second colour ({})", short.join("; ")),
                )
                .hint("raise the quota: both colours run side by side during a promotion")
            })
        };
        quotas.iter().filter_map(exceeded).collect()
    }

    /// Said, not refused: an autoscaler may add nodes.
    /// `None` too where nodes cannot be seen, which is a warning of its own.
    pub fn warning(&self, survey: &Survey) -> Option<String> {
        if survey.nodes.is_empty() {
            return None;
        }
        let short = [
            ("pods", self.needed.pods, self.free.pods),
            ("cpu", self.needed.cpu_millis, self.free.cpu_millis),
            ("memory", self.needed.memory, self.free.memory),
        ];
        let short = short.into_iter().filter(|(_, needed, free)| needed > free);
        let short: Vec<_> = short
            .map(|(what, needed, free)| {
                format!(
                    "{what}: {} needed, {} free",
                    amount(what, needed),
                    amount(what, free)
                )
            })
            .collect();
        (!short.is_empty()).then(|| {
            format!("the nodes have no room for a second colour ({}); unless nodes are added, its pods stay unschedulable", short.join("; "))
        })
    }
}

impl Resources {
    fn add(&mut self, other: Self, times: i64) {
        let add = |sum: i64, one: i64| sum.saturating_add(one.saturating_mul(times));
        self.pods = add(self.pods, other.pods);
        self.cpu_millis = add(self.cpu_millis, other.cpu_millis);
        self.memory = add(self.memory, other.memory);
    }
}

/// An amount of a resource as people write it.
pub fn amount(resource: &str, value: i64) -> String {
    match resource {
        "pods" | "count/pods" => value.to_string(),
        _ if resource.ends_with("cpu") => format!("{value}m"),
        _ => format!("{}Mi", value / (1024 * 1024)),
    }
}

/// What one pod of a workload asks for: its containers and sidecars together, or an
/// init container and the sidecars before it where that is more.
fn requests(workload: &Object) -> Resources {
    let list = |key: &str| {
        let pointer = format!("/spec/template/spec/{key}");
        workload
            .at(&pointer)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let of = |container: &Value, resource: &str| {
        let resources = container.get("resources");
        let get = |kind: &str| {
            resources
                .and_then(|r| r.get(kind))
                .and_then(|r| r.get(resource))
        };
        get("requests")
            .or_else(|| get("limits"))
            .map_or(0, |value| {
                if resource == "cpu" {
                    cpu_millis(value)
                } else {
                    bytes(value)
                }
            })
    };
    let total = |resource: &str| {
        let sum = list("containers")
            .iter()
            .map(|c| of(c, resource))
            .fold(0, i64::saturating_add);
        let (mut sidecars, mut largest) = (0_i64, 0_i64);
        for container in list("initContainers") {
            let wanted = of(&container, resource);
            if container.get("restartPolicy") == Some(&"Always".into()) {
                sidecars = sidecars.saturating_add(wanted);
            } else {
                largest = largest.max(sidecars.saturating_add(wanted));
            }
        }
        sum.saturating_add(sidecars).max(largest)
    };
    Resources {
        pods: 1,
        cpu_millis: total("cpu"),
        memory: total("memory"),
    }
}

/// A CPU quantity in thousandths.
pub fn cpu_millis(value: &Value) -> i64 {
    rounded(quantity(value) * 1000.0)
}

/// A memory quantity in bytes.
pub fn bytes(value: &Value) -> i64 {
    rounded(quantity(value))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "quantities of a cluster are far below 2^53; what is beyond is as much as can be"
)]
fn rounded(value: f64) -> i64 {
    value.ceil() as i64
}

/// A Kubernetes quantity (`250m`, `1.5`, `64Mi`, `1e3`); zero where it is none.
pub fn quantity(value: &Value) -> f64 {
    let text = match value {
        Value::Number(number) => return number.as_f64().unwrap_or(0.0),
        Value::String(text) => text.trim(),
        _ => return 0.0,
    };
    let suffixes = [
        ("Ki", 1024f64),
        ("Mi", 1024f64.powi(2)),
        ("Gi", 1024f64.powi(3)),
        ("Ti", 1024f64.powi(4)),
        ("Pi", 1024f64.powi(5)),
        ("Ei", 1024f64.powi(6)),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let found = suffixes
        .into_iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)));
    let (digits, factor) = found.unwrap_or((text, 1.0));
    digits.parse::<f64>().map_or(0.0, |number| number * factor)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_as_kubernetes_writes_them() {
        for (written, millis) in [
            ("250m", 250),
            ("1.5", 1500),
            ("2", 2000),
            ("1n", 1),
            ("", 0),
            ("x", 0),
        ] {
            assert_eq!(cpu_millis(&json!(written)), millis, "{written}");
        }
        for (written, expected) in [
            ("64Mi", 64 << 20),
            ("1k", 1000),
            ("1e3", 1000),
            ("1E", 1_000_000_000_000_000_000),
            ("1Ei", 1 << 60),
            ("1e30", i64::MAX),
            ("128974848", 128_974_848),
        ] {
            assert_eq!(bytes(&json!(written)), expected, "{written}");
        }
        assert_eq!(cpu_millis(&json!(1)), 1000);
    }
}
