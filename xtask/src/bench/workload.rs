//! What is promoted: a group of small apps with one check each, in the words of
//! every contender. Pod template, probe, image and check are the same for all.

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The prefix of the apps' repositories.
pub(super) const REPOSITORIES: &str = "bench/";
/// Says whose an object of promoter's is.
const APP: &str = "promoter.dev/app";
/// The container of a check.
const CHECK: &str = "check";
/// What a check runs.
const COMMAND: [&str; 1] = ["true"];
const PORT: u16 = 8080;
/// How long old pods stay, as seconds: the least that promoter takes.
const KEEP_OLD: u32 = 10;

/// A group of so many apps.
#[derive(Debug, Clone)]
pub(super) struct Workload {
    pub(super) apps: Vec<String>,
}

/// One version of all apps: what a branch's newest images are.
#[derive(Debug, Clone)]
pub(super) struct Release {
    pub(super) branch: &'static str,
    /// References with digests, in the order of the apps.
    pub(super) images: Vec<String>,
}

impl Workload {
    pub(super) fn new(size: usize) -> Self {
        Self {
            apps: (1..=size)
                .map(|number| format!("app-{number:03}"))
                .collect(),
        }
    }

    pub(super) fn size(&self) -> usize {
        self.apps.len()
    }

    /// The repository of an app.
    pub(super) fn repository(app: &str) -> String {
        format!("{REPOSITORIES}{app}")
    }

    /// The group file for promoter.
    pub(super) fn group(&self, branch: &str) -> String {
        let head = format!(
            "[group]\nname = \"bench\"\nenvironment = \"bench\"\nbranch = \"{branch}\"\n\n\
             [strategy]\nkeep_old = \"{KEEP_OLD}s\"\ndeploy_timeout = \"5m\"\nparallel_checks = {}\n",
            // As the others do.
            self.size()
        );
        let members = self.apps.iter().map(|app| {
            let repository = Self::repository(app);
            format!(
                "\n[[app]]\nname = \"{app}\"\nrepository = \"{repository}\"\n\
                 manifest = \"app.json\"\n\n[[check]]\nname = \"{app}\"\napp = \"{app}\"\n\
                 command = {COMMAND:?}\ntimeout = \"2m\"\nreport = \"none\"\n"
            )
        });
        std::iter::once(head).chain(members).collect()
    }

    /// The manifest template that all apps of that group have.
    pub(super) fn template() -> String {
        let name = "{{ app.name }}";
        let items = [deployment(name, "{{ image }}"), service(name, name)];
        format!(
            "{:#}\n",
            json!({ "apiVersion": "v1", "kind": "List", "items": items })
        )
    }

    /// What the floor creates where it makes what promoter makes: the Deployments of
    /// `standing`, the list of those that promoter made last, and Jobs pinned alike.
    pub(super) fn pinned_floor(&self, release: &Release, standing: &Value) -> Result<Value> {
        let mut work = self.floor(release);
        let standing = standing["items"].as_array();
        let standing = standing.context("the list of promoter's Deployments is none")?;
        for (place, (app, image)) in self.apps.iter().zip(&release.images).enumerate() {
            let is_of_app = |found: &&Value| found["metadata"]["labels"][APP] == app.as_str();
            let found = standing.iter().find(is_of_app);
            let found = found.with_context(|| format!("promoter has no Deployment of {app}"))?;
            let mut deployment = json!({
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {
                    "name": found["metadata"]["name"],
                    "labels": found["metadata"]["labels"],
                },
                "spec": found["spec"],
            });
            let pod = &mut deployment["spec"]["template"]["spec"];
            pod["containers"][0]["image"] = json!(image);
            let job = &mut work["jobs"][place]["spec"]["template"]["spec"];
            job["hostAliases"] = pod["hostAliases"].clone();
            job["containers"][0]["env"] = pod["containers"][0]["env"].clone();
            work["deployments"][place] = deployment;
        }
        Ok(work)
    }

    /// What the floor creates.
    pub(super) fn floor(&self, release: &Release) -> Value {
        let apps = || self.apps.iter().zip(&release.images);
        let jobs = apps().map(|(app, image)| {
            json!({
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": { "name": app },
                "spec": job(image),
            })
        });
        json!({
            "deployments": apps().map(|(app, image)| deployment(app, image)).collect::<Vec<_>>(),
            "jobs": jobs.collect::<Vec<_>>(),
        })
    }

    /// What a group needs beside its Rollouts.
    pub(super) fn beside_rollouts(&self) -> Vec<Value> {
        let template = json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisTemplate",
            "metadata": { "name": CHECK },
            "spec": {
                "args": [{ "name": "image" }],
                "metrics": [{
                    "name": CHECK,
                    "provider": { "job": { "spec": job("{{args.image}}") } },
                }],
            },
        });
        let services = self
            .apps
            .iter()
            .flat_map(|app| [service(app, app), service(&format!("{app}-preview"), app)]);
        std::iter::once(template).chain(services).collect()
    }

    /// The Rollouts of a release.
    pub(super) fn rollouts(&self, release: &Release) -> Vec<Value> {
        let apps = self.apps.iter().zip(&release.images);
        let rollouts = apps.map(|(app, image)| {
            let mut rollout = deployment(app, image);
            rollout["apiVersion"] = json!("argoproj.io/v1alpha1");
            rollout["kind"] = json!("Rollout");
            rollout["spec"]["strategy"] = json!({
                "blueGreen": {
                    "activeService": app,
                    "previewService": format!("{app}-preview"),
                    "autoPromotionEnabled": true,
                    "scaleDownDelaySeconds": KEEP_OLD,
                    "prePromotionAnalysis": {
                        "templates": [{ "templateName": CHECK }],
                        "args": [{ "name": "image", "value": image }],
                    },
                },
            });
            rollout
        });
        rollouts.collect()
    }
}

fn deployment(name: &str, image: &str) -> Value {
    let labels = json!({ "app": name });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "automountServiceAccountToken": false,
                    "containers": [{
                        "name": "app",
                        "image": image,
                        "ports": [{ "name": "http", "containerPort": PORT }],
                        "readinessProbe": { "tcpSocket": { "port": PORT }, "periodSeconds": 1 },
                    }],
                },
            },
        },
    })
}

fn service(name: &str, app: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": name },
        "spec": {
            "selector": { "app": app },
            "ports": [{ "name": "http", "port": 80, "targetPort": PORT }],
        },
    })
}

/// What a check's Job consists of, as promoter makes it.
fn job(image: &str) -> Value {
    json!({
        "backoffLimit": 0,
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": false,
                "containers": [{ "name": CHECK, "image": image, "command": COMMAND }],
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_contenders_run_the_same_pods() {
        let workload = Workload::new(2);
        let release = Release {
            branch: "a",
            images: vec!["registry/1".to_owned(), "registry/2".to_owned()],
        };
        let floor = workload.floor(&release);
        let rollouts = workload.rollouts(&release);
        for (deployment, rollout) in floor["deployments"]
            .as_array()
            .expect("a list")
            .iter()
            .zip(&rollouts)
        {
            assert_eq!(deployment["spec"]["template"], rollout["spec"]["template"]);
        }
        let template: Value = serde_json::from_str(&Workload::template()).expect("JSON");
        let rendered = template["items"][0].to_string();
        let rendered = rendered
            .replace("{{ app.name }}", "app-001")
            .replace("{{ image }}", "registry/1");
        let rendered: Value = serde_json::from_str(&rendered).expect("JSON");
        assert_eq!(rendered, floor["deployments"][0]);
    }

    #[test]
    fn the_pinned_floor_makes_what_stands() {
        let workload = Workload::new(2);
        let release = Release {
            branch: "a",
            images: vec!["registry/1".to_owned(), "registry/2".to_owned()],
        };
        let aliases = json!([{ "ip": "10.96.0.7", "hostnames": ["app-001"] }]);
        let env = json!([{ "name": "APP_001_SERVICE_HOST", "value": "10.96.0.7" }]);
        let made = |app: &str| {
            let mut made = deployment(&format!("{app}-blue"), "registry/before");
            made["metadata"]["labels"][APP] = json!(app);
            made["metadata"]["uid"] = json!("1");
            let pod = &mut made["spec"]["template"]["spec"];
            pod["hostAliases"] = aliases.clone();
            pod["containers"][0]["env"] = env.clone();
            made
        };
        // In no order.
        let standing = json!({ "items": [made("app-002"), made("app-001")] });
        let work = workload
            .pinned_floor(&release, &standing)
            .expect("both stand");
        for (place, image) in release.images.iter().enumerate() {
            let deployment = &work["deployments"][place];
            assert_eq!(
                deployment["metadata"]["name"],
                format!("app-00{}-blue", place + 1)
            );
            assert!(deployment["metadata"]["uid"].is_null());
            for made in [deployment, &work["jobs"][place]] {
                let pod = &made["spec"]["template"]["spec"];
                assert_eq!(pod["hostAliases"], aliases);
                assert_eq!(pod["containers"][0]["env"], env);
                assert_eq!(pod["containers"][0]["image"], *image);
            }
        }
        let one = json!({ "items": [made("app-001")] });
        assert!(workload.pinned_floor(&release, &one).is_err());
    }
}
