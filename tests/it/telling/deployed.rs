//! What is shipped beside promoter, and its page, name what there is: each metric
//! and label of dashboard and alerts is told, and each that is told is documented.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use promoter::adapter::prometheus::Prometheus;
use promoter::group::name::{EnvironmentName, GroupName};
use promoter::port::Calls as _;
use promoter::port::calls::{Call, CallResult, System};
use regex_lite::Regex;
use serde_json::{Value, json};

use super::{at, event, promoted, resumed, tell};

const DASHBOARD: &str = "deploy/grafana/promoter.json";
const RULES: &str = "deploy/prometheus/rules.yaml";
const PAGE: &str = "docs/metrics.md";

/// What Prometheus adds by itself.
const SCRAPED: [&str; 2] = ["instance", "job"];

/// A metric, without its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Metric {
    kind: String,
    labels: BTreeSet<String>,
}

type Metrics = BTreeMap<String, Metric>;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// All that can be told, told once.
fn everything() -> String {
    let prometheus = Prometheus::new();
    let environment = EnvironmentName::parse("staging").unwrap();
    let group = GroupName::parse("master").unwrap();
    prometheus.configured(&environment, &group);
    let counting = prometheus.group(&environment, &group);
    let refused = json!({
        "actor": { "name": "promoter-0", "trigger": "cli" },
        "release": "9f8e7d6c5b4a3322",
        "restraints": [{ "budget": { "why": "it is spent" } }],
    });
    tell(&*counting, promoted());
    tell(
        &*counting,
        [resumed(61, "Settling"), event(61, "refused", refused)],
    );
    tell(
        &*counting,
        [event(62, "warning", json!({ "message": "slow" }))],
    );
    counting.lock_held(true);
    counting.due(at(0).parse().unwrap());
    counting.answered(at(1).parse().unwrap());
    prometheus.ready(true);
    prometheus.environments(&BTreeMap::from([(environment, true)]));
    prometheus.config_loaded(at(0).parse().unwrap(), 0);
    prometheus.records_behind(0);
    prometheus.hints_followed(1);
    for system in [System::Aws("ECR"), System::Kubernetes] {
        prometheus.made(&Call {
            system,
            operation: "x",
            result: CallResult::Ok,
        });
    }
    prometheus.text()
}

fn told() -> Metrics {
    let text = everything();
    let mut metrics = Metrics::new();
    for line in text.lines() {
        let declared = line.strip_prefix("# TYPE ");
        if let Some((name, kind)) = declared.and_then(|line| line.split_once(' ')) {
            let metric = Metric {
                kind: kind.to_owned(),
                labels: BTreeSet::new(),
            };
            metrics.insert(name.to_owned(), metric);
        }
    }
    let label = Regex::new(r#"([a-z_]+)=""#).unwrap();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let name = base(name, &metrics).unwrap_or_else(|| panic!("{line} has no type"));
        let labels = label.captures_iter(line).map(|found| found[1].to_owned());
        let labels = labels.filter(|label| label != "le");
        metrics.get_mut(&name).unwrap().labels.extend(labels);
    }
    metrics
}

/// The metric that a series is of.
fn base(name: &str, metrics: &Metrics) -> Option<String> {
    let histogram = ["_bucket", "_sum", "_count"]
        .iter()
        .filter_map(|end| name.strip_suffix(end))
        .find(|base| metrics.get(*base).is_some_and(|m| m.kind == "histogram"));
    let found = histogram.unwrap_or(name);
    metrics.contains_key(found).then(|| found.to_owned())
}

fn documented() -> Metrics {
    let page = read(PAGE);
    let rows = page.lines().filter(|line| line.starts_with("| `promoter_"));
    let code = Regex::new("`([a-z_]+)`").unwrap();
    let row = |line: &str| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let labels = code
            .captures_iter(cells[3])
            .map(|found| found[1].to_owned());
        let metric = Metric {
            kind: cells[2].to_owned(),
            labels: labels.collect(),
        };
        assert!(!cells[4].is_empty(), "{line} says nothing");
        (cells[1].trim_matches('`').to_owned(), metric)
    };
    rows.map(row).collect()
}

/// Every query below a value.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if ["expr", "query", "definition"].contains(&&**key) => {
                        found.push(text.clone());
                    }
                    other => queries(other, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

/// What is wrong with the names in a query.
fn faults(query: &str, metrics: &Metrics) -> Vec<String> {
    let mut faults = Vec::new();
    let mut labels: BTreeSet<String> = SCRAPED.map(str::to_owned).into();
    let metric = Regex::new(r"promoter_[a-z_]+").unwrap();
    for found in metric.find_iter(query) {
        match base(found.as_str(), metrics) {
            Some(name) => {
                labels.extend(metrics[&name].labels.iter().cloned());
                if metrics[&name].kind == "histogram" {
                    labels.insert("le".to_owned());
                }
            }
            None => faults.push(format!("there is no metric {}: {query}", found.as_str())),
        }
    }
    let matched = Regex::new(r"([a-z_]+)\s*(?:=~|!=|!~|=)").unwrap();
    let grouped = Regex::new(r"(?:by|on) \(([a-z_, ]*)\)").unwrap();
    let variable = Regex::new(r"label_values\([^,]*, ([a-z_]+)\)").unwrap();
    let lists = grouped
        .captures_iter(query)
        .chain(variable.captures_iter(query));
    let lists = lists.flat_map(|list| list[1].split(", ").map(str::to_owned).collect::<Vec<_>>());
    let matched = matched
        .captures_iter(query)
        .map(|found| found[1].to_owned());
    for label in matched.chain(lists) {
        if !labels.contains(&label) {
            faults.push(format!("no metric there has a label {label}: {query}"));
        }
    }
    faults
}

#[test]
fn every_metric_is_documented_and_nothing_else_is() {
    assert_eq!(documented(), told());
}

#[test]
fn names_keep_to_the_rules() {
    let rule = Regex::new("^promoter_[a-z]+(_[a-z]+)*$").unwrap();
    for (name, metric) in told() {
        assert!(rule.is_match(&name), "{name}");
        let total = metric.kind == "counter";
        assert_eq!(name.ends_with("_total"), total, "{name}: {}", metric.kind);
    }
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_what_is_told() {
    let metrics = told();
    let rules: Value = serde_saphyr::from_str(&read(RULES)).unwrap();
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let mut asked = BTreeSet::new();
    for (file, most) in [(rules, 10), (dashboard, 25)] {
        let mut found = Vec::new();
        queries(&file, &mut found);
        let found: Vec<_> = found
            .into_iter()
            .filter(|q| q.contains("promoter_"))
            .collect();
        assert!(found.len() >= most, "only {} queries", found.len());
        asked.extend(found);
    }
    let faults: Vec<_> = asked
        .iter()
        .flat_map(|query| faults(query, &metrics))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    // Nothing is told that nobody looks at.
    let all = asked.into_iter().collect::<Vec<_>>().join("\n");
    let unseen: Vec<_> = metrics.keys().filter(|name| !all.contains(*name)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn queries_of_what_is_not_there_are_found() {
    let metrics = told();
    for query in [
        "promoter_promotion_total",
        r#"promoter_promotions_total{result="x"}"#,
        "sum by (phase) (promoter_promotions_total)",
        "label_values(promoter_lock_held, check)",
    ] {
        assert_eq!(faults(query, &metrics).len(), 1, "{query}");
    }
}

#[test]
fn every_alert_says_what_to_do_and_where_that_is_written() {
    let rules: Value = serde_saphyr::from_str(&read(RULES)).unwrap();
    let page = read(PAGE);
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    let headings: Vec<_> = headings.collect();
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    let mut alerts = Vec::new();
    for rule in rules {
        let alert = rule["alert"].as_str().unwrap();
        for text in ["summary", "description"] {
            let text = rule["annotations"][text].as_str();
            assert!(text.is_some_and(|text| !text.is_empty()), "{alert}");
        }
        let link = rule["annotations"]["runbook"].as_str().unwrap();
        assert_eq!(link, format!("{PAGE}#{}", alert.to_lowercase()));
        assert!(rule["labels"]["severity"].is_string(), "{alert}");
        alerts.push(alert);
    }
    assert_eq!(alerts, headings);
}
