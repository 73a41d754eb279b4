//! One app's rendered objects, made into what one colour consists of.
//!
//! Takes an app with its objects, gives an [`AppPlan`] or every reason why
//! there is none. Knows nothing of the cluster.

mod autoscaler;
mod cron;
mod service;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::AppPlan;
use super::color::Color;
use super::config::{self, ConfigKey};
use super::cron::{change_job, job};
use super::image::ResolvedImage;
use super::kind::{Treatment, treatment};
use super::label::{self, Role};
use super::object::{Object, entry, texts};
use super::refusal::Refusal;
use super::text::shown_key;
use crate::group::name::GroupName;
use crate::group::{App, Start};

pub(super) use service::colored_service;

/// What one app is painted with.
pub struct Paint<'a> {
    /// The group it belongs to.
    pub group: &'a GroupName,
    /// The app.
    pub app: &'a App,
    /// Its image.
    pub image: &'a ResolvedImage,
    /// The colour.
    pub color: Color,
    /// Key of content hashes.
    pub key: &'a ConfigKey,
}

impl Paint<'_> {
    /// Makes the app's objects into those of the colour.
    ///
    /// # Errors
    /// Every object that cannot be part of a blue/green promotion.
    pub fn apply(&self, objects: Vec<Object>) -> Result<AppPlan, Vec<Refusal>> {
        let mut refusals = Vec::new();
        let (mut workloads, mut autoscalers, mut crons) = (vec![], vec![], vec![]);
        let (mut services, mut configs, mut budgets, mut shared) = (vec![], vec![], vec![], vec![]);
        for object in objects {
            match treatment(&object) {
                Treatment::Workload => workloads.push(object),
                Treatment::Service => services.push(object),
                Treatment::Config => configs.push(object),
                Treatment::Budget => budgets.push(object),
                Treatment::Autoscaler => autoscalers.push(object),
                Treatment::Cron => crons.push(object),
                Treatment::Shared => shared.push(object),
                Treatment::Refused(why) => refusals.push(
                    Refusal::object(
                        &self.app.name,
                        &object.reference(),
                        "cannot be promoted blue/green",
                    )
                    .hint(why),
                ),
            }
        }
        let workload = self.only_workload(workloads, &mut refusals);
        let Some(mut workload) = workload else {
            return Err(refusals);
        };
        let pod_labels = workload.texts_at("/spec/template/metadata/labels");
        refusals.extend(self.unfit_worker(&services, &autoscalers));
        refusals.extend(
            crons
                .iter()
                .flat_map(|cron| self.unfit_cron(cron, &services)),
        );
        let services = services.into_iter().filter_map(|service| {
            self.service(service, &pod_labels)
                .map_err(|refusal| refusals.push(refusal))
                .ok()
        });
        let services: Vec<_> = services.collect();

        refusals.extend(configs.iter().filter_map(|config| self.untextual(config)));
        let (mut used, unused): (Vec<_>, Vec<_>) = configs
            .into_iter()
            .partition(|config| is_used(config, &workload, &crons, self.key));
        for object in &mut used {
            // Without the app: what several apps use alike is one object.
            object.own(self.group.as_ref(), Role::Config);
        }
        let (config, renames) = config::name_by_content(used, self.key);
        config::rewrite_references(&mut workload, &renames);
        for cron in &mut crons {
            change_job(cron, |job| config::rewrite_references(job, &renames));
        }
        shared.extend(unused);

        let budgets = budgets
            .into_iter()
            .map(|budget| self.budget(budget))
            .collect();
        self.workload(&mut workload, &pod_labels);
        let autoscaler = self.autoscaler(autoscalers, &mut workload, &mut refusals);
        for object in &mut shared {
            self.mark(object, Role::Shared);
        }
        if !refusals.is_empty() {
            return Err(refusals);
        }
        Ok(AppPlan {
            name: self.app.name.clone(),
            image: self.image.clone(),
            needs: self.app.needs.clone(),
            deployment: workload,
            services,
            config,
            colored: budgets,
            autoscaler,
            start: self.app.start,
            crons: crons.into_iter().map(|cron| self.cron(cron)).collect(),
            shared,
        })
    }

    /// What an app may not have whose pods start when it is promoted.
    fn unfit_worker(&self, services: &[Object], autoscalers: &[Object]) -> Vec<Refusal> {
        if self.app.start != Start::OnPromote {
            return Vec::new();
        }
        let refuse = |object: &Object, reason: &str| {
            Refusal::object(&self.app.name, &object.reference(), reason)
        };
        let services = services.iter().map(|service| {
            refuse(
                service,
                "would lead to no pod while the app waits for its promotion",
            )
            .hint("leave out `start = \"on-promote\"`, which is for apps that nobody calls")
        });
        let autoscalers = autoscalers.iter().map(|autoscaler| {
            refuse(
                autoscaler,
                "cannot scale pods that start when they are promoted",
            )
            .hint("set `replicas` instead, or leave out `start = \"on-promote\"`")
        });
        services.chain(autoscalers).collect()
    }

    /// Values that are no texts. The server would refuse them in words that
    /// repeat the value, which for a Secret nobody may see.
    fn untextual(&self, config: &Object) -> Option<Refusal> {
        let maps = ["data", "stringData"]
            .into_iter()
            .filter_map(|field| config.0.get(field)?.as_object());
        let keys: Vec<_> = maps
            .flatten()
            .filter(|(_, value)| !value.is_string())
            .map(|(key, _)| match config.kind() {
                "Secret" => shown_key(key),
                _ => key,
            })
            .collect();
        (!keys.is_empty()).then(|| {
            let reason = format!("the values of {} are no texts", keys.join(", "));
            Refusal::object(&self.app.name, &config.reference(), reason)
                .hint("put them in quotes, and a space behind each colon")
        })
    }

    /// The app's one Deployment, if it is fit for two colours.
    fn only_workload(
        &self,
        mut workloads: Vec<Object>,
        refusals: &mut Vec<Refusal>,
    ) -> Option<Object> {
        let app = &self.app.name;
        if workloads.len() != 1 {
            let found = workloads.len();
            refusals.push(
                Refusal::app(app, format!("its manifest has {found} Deployments")).hint(format!(
                    "one app is one Deployment, named {app}; make further ones apps of their own"
                )),
            );
            return None;
        }
        let mut workload = workloads.pop()?;
        let reference = workload.reference();
        let refuse = |reason: &str| Refusal::object(app, &reference, reason);
        if workload.name() != app.as_ref() {
            refusals.push(refuse("is not named as the app").hint(format!("name it {app}")));
        }
        let image = &self.image.reference;
        let uses_image = workload
            .containers_mut()
            .any(|c| c.get("image").and_then(Value::as_str) == Some(image.as_str()));
        if !uses_image {
            refusals.push(
                refuse("no container runs the resolved image").hint("write `image: {{ image }}`"),
            );
        }
        if workload.at("/spec/template/spec/hostNetwork") == Some(&json!(true)) {
            refusals.push(
                refuse("uses the host's network, where two colours collide")
                    .hint("leave hostNetwork out, or run it outside the group"),
            );
        }
        if self.app.replicas.is_none() && workload.at("/spec/replicas") == Some(&json!(0)) {
            refusals.push(
                refuse("asks for no pods, so nothing would serve")
                    .hint("set `replicas` to at least 1"),
            );
        }
        let selector = workload.texts_at("/spec/selector/matchLabels");
        let labels = workload.texts_at("/spec/template/metadata/labels");
        if selector.is_empty() || !is_subset(&selector, &labels) {
            refusals.push(refuse(
                "spec.selector.matchLabels does not select its own pod template",
            ));
        }
        Some(workload)
    }

    fn workload(&self, workload: &mut Object, pod_labels: &BTreeMap<String, String>) {
        workload.rename(&format!("{}-{}", self.app.name, self.color));
        self.mark_colored(workload);
        if let Some(replicas) = self.app.replicas {
            entry(&mut workload.0, &["spec"]).insert("replicas".into(), replicas.into());
        }
        for path in [
            &["spec", "selector", "matchLabels"][..],
            &["spec", "template", "metadata", "labels"],
        ] {
            let labels = entry(&mut workload.0, path);
            for (key, value) in self.color_labels() {
                labels.insert(key.into(), value.into());
            }
            labels.insert(label::APP.into(), self.app.name.as_ref().into());
        }
        let spec = workload.0.pointer_mut("/spec/template/spec");
        if let Some(spec) = spec {
            self.narrow_selectors(spec, pod_labels);
        }
    }

    /// Makes spread and affinity terms that mean the app's own pods mean those of its colour.
    fn narrow_selectors(&self, value: &mut Value, pod_labels: &BTreeMap<String, String>) {
        match value {
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.narrow_selectors(item, pod_labels)),
            Value::Object(map) => {
                for (key, item) in map.iter_mut() {
                    let own = key == "labelSelector"
                        && item
                            .get("matchLabels")
                            .is_some_and(|labels| is_subset(&texts(labels), pod_labels));
                    if own {
                        entry(item, &["matchLabels"])
                            .insert(label::COLOR.into(), self.color.as_str().into());
                    } else {
                        self.narrow_selectors(item, pod_labels);
                    }
                }
            }
            _ => {}
        }
    }

    fn budget(&self, mut budget: Object) -> Object {
        let name = format!("{}-{}", budget.name(), self.color);
        budget.rename(&name);
        self.mark_colored(&mut budget);
        let labels = entry(&mut budget.0, &["spec", "selector", "matchLabels"]);
        for (key, value) in self.color_labels() {
            labels.insert(key.into(), value.into());
        }
        budget
    }

    fn color_labels(&self) -> [(&'static str, &str); 2] {
        [
            (label::GROUP, self.group.as_ref()),
            (label::COLOR, self.color.as_str()),
        ]
    }

    fn mark(&self, object: &mut Object, role: Role) {
        object.own(self.group.as_ref(), role);
        object.set_label(label::APP, self.app.name.as_ref());
    }

    fn mark_colored(&self, object: &mut Object) {
        self.mark(object, Role::Colored);
        object.set_label(label::COLOR, self.color.as_str());
    }
}

fn is_used(config: &Object, workload: &Object, crons: &[Object], key: &ConfigKey) -> bool {
    let (_, renames) = config::name_by_content(vec![config.clone()], key);
    let refers = |workload: &Object| {
        let mut rewritten = workload.clone();
        config::rewrite_references(&mut rewritten, &renames);
        rewritten != *workload
    };
    refers(workload) || crons.iter().any(|cron| refers(&job(cron)))
}

/// Whether every label of the selector stands in the labels.
pub fn is_subset(selector: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> bool {
    selector
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}
