//! The groups that a daemon serves: their files as teams write them, and their images.

use std::fmt::Write;

use anyhow::Result;
use serde_json::json;

use super::super::images::{Shelves, Source};
use super::super::site::{ENVIRONMENT, Site};
use super::super::workload::Workload;

/// The branch of all of them.
pub(super) const BRANCH: &str = "a";
/// What a check says: a few test cases, as a small suite has them.
const TAP: &str = "echo 1..5; for n in 1 2 3 4 5; do echo ok $n - case $n of the suite; done";

/// So many groups of so many apps, of which no two share one.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    pub(super) number: usize,
    pub(super) apps: usize,
    /// For how long nobody may have pushed until they are promoted.
    pub(super) quiet_period: &'static str,
}

impl Groups {
    /// The name of a group.
    pub(super) fn name(group: usize) -> String {
        format!("group-{group:03}")
    }

    /// The names of a group's apps.
    fn apps(&self, group: usize) -> impl Iterator<Item = String> {
        let group = Self::name(group);
        (0..self.apps).map(move |app| format!("{group}-app-{app}"))
    }

    /// Writes the files of all.
    pub(super) fn write(&self, site: &Site) -> Result<()> {
        for group in 0..self.number {
            let name = Self::name(group);
            site.write(&format!("groups/{name}.toml"), &self.file(group))?;
            for app in self.apps(group) {
                site.write(&format!("groups/manifests/{app}.json"), &manifest())?;
            }
        }
        Ok(())
    }

    /// Puts an image into the repositories of all; into those of the first group as one
    /// that can be run.
    pub(super) fn push(&self, shelves: &Shelves, source: &Source) -> Result<()> {
        for group in 0..self.number {
            for app in self.apps(group) {
                let repository = Workload::repository(&app);
                if group == 0 {
                    shelves.put(source, &repository)?;
                } else {
                    shelves.list(source, &repository)?;
                }
            }
        }
        Ok(())
    }

    fn file(&self, group: usize) -> String {
        let mut text = format!(
            "[group]\nname = \"{}\"\nenvironment = \"{ENVIRONMENT}\"\nbranch = \"{BRANCH}\"\n\
             on_push = true\nquiet_period = \"{}\"\n\n\
             [strategy]\nkeep_old = \"10s\"\ndeploy_timeout = \"5m\"\n",
            Self::name(group),
            self.quiet_period,
        );
        let mut before = None;
        for app in self.apps(group) {
            let repository = Workload::repository(&app);
            // Each calls the one before it.
            let needs: Vec<String> = before.into_iter().collect();
            // Nothing fails that writes into memory.
            let _ = write!(
                text,
                "\n[[app]]\nname = \"{app}\"\nrepository = \"{repository}\"\n\
                 manifest = \"manifests/{app}.json\"\nport = 8080\nneeds = {needs:?}\n\
                 \n[[check]]\nname = \"{app}\"\napp = \"{app}\"\n\
                 command = [\"sh\", \"-c\", \"{TAP}\"]\ntimeout = \"2m\"\nreport = \"tap\"\n",
            );
            before = Some(app);
        }
        text
    }
}

/// A template of the size that those of real apps have.
fn manifest() -> String {
    let name = "{{ app.name }}";
    let labels = json!({ "app": name, "app.kubernetes.io/name": name });
    let settings = format!("{name}-settings");
    let probe = |seconds: u32| json!({ "tcpSocket": { "port": "http" }, "periodSeconds": seconds });
    let items = [
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": settings, "labels": labels },
            "data": {
                "DRAIN_SECONDS": "5",
                "LOG_LEVEL": "info",
                "DATABASE": "postgres://db.example.com:5432/app",
                "FEATURES": "search,recommendations,checkout-by-invoice",
            },
        }),
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": name, "labels": labels },
            "spec": {
                "replicas": 1,
                "selector": { "matchLabels": { "app": name } },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": {
                        "terminationGracePeriodSeconds": 1,
                        "automountServiceAccountToken": false,
                        "securityContext": { "runAsNonRoot": true, "runAsUser": 1000 },
                        "containers": [{
                            "name": "app",
                            "image": "{{ image }}",
                            "ports": [{ "name": "http", "containerPort": 8080 }],
                            "env": [
                                { "name": "PORT", "value": "8080" },
                                { "name": "POD_NAME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } },
                            ],
                            "envFrom": [{ "configMapRef": { "name": settings } }],
                            "readinessProbe": probe(1),
                            "livenessProbe": probe(2),
                            "resources": {
                                "requests": { "cpu": "5m", "memory": "8Mi" },
                                "limits": { "memory": "32Mi" },
                            },
                        }],
                    },
                },
            },
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": name, "labels": labels },
            "spec": {
                "selector": { "app": name },
                "ports": [{ "name": "http", "port": 80, "targetPort": "http" }],
            },
        }),
    ];
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    format!("{list:#}\n")
}
