//! A `CronJob` made into that of one colour.

use serde_json::json;

use super::{Paint, is_subset};
use crate::plan::color::Color;
use crate::plan::cron::{API_VERSION, NAME_LIMIT, change_job, job};
use crate::plan::label;
use crate::plan::object::{Object, entry};
use crate::plan::refusal::Refusal;

impl Paint<'_> {
    /// Every reason why two colours cannot have it, beside these Services.
    pub(super) fn unfit_cron(&self, cron: &Object, services: &[Object]) -> Vec<Refusal> {
        let reference = cron.reference();
        let refuse = |reason: String| Refusal::object(&self.app.name, &reference, reason);
        let mut refusals = Vec::new();
        if cron.api_version() != API_VERSION {
            let reason = format!("its version {} cannot be carried over", cron.api_version());
            refusals.push(refuse(reason).hint(format!("write it as {API_VERSION}")));
        }
        let suffix = Color::ALL.map(|color| color.as_str().len() + 1);
        let most = NAME_LIMIT - suffix.into_iter().max().unwrap_or_default();
        if cron.name().len() > most {
            let reason = "its name leaves no room for the colour".to_owned();
            refusals.push(refuse(reason).hint(format!("use at most {most} characters")));
        }
        let job = job(cron);
        if job.at("/spec/template/spec/hostNetwork") == Some(&json!(true)) {
            let reason = "uses the host's network, where its calls are not kept to one colour";
            refusals.push(
                refuse(reason.to_owned())
                    .hint("leave hostNetwork out, or run it outside the group"),
            );
        }
        let labels = job.texts_at("/spec/template/metadata/labels");
        let selects = |service: &&Object| {
            let selector = service.texts_at("/spec/selector");
            !selector.is_empty() && is_subset(&selector, &labels)
        };
        refusals.extend(services.iter().filter(selects).map(|service| {
            let reason = format!("Service {} would send requests to its pods", service.name());
            refuse(reason).hint("give the pods of its jobTemplate other labels")
        }));
        refusals
    }

    /// Names and labels it, its Jobs and their pods. The pods do not bear the app's
    /// label: they are not those that take its requests.
    pub(super) fn cron(&self, mut cron: Object) -> Object {
        let base = cron.name().to_owned();
        cron.rename(&format!("{base}-{}", self.color));
        self.mark_colored(&mut cron);
        let of_job = |job: &mut Object| {
            let pod_labels = job.texts_at("/spec/template/metadata/labels");
            let labels = self.color_labels().into_iter();
            let labels: Vec<_> = labels.chain([(label::CRON, base.as_str())]).collect();
            let paths: [&[&str]; 2] = [
                &["metadata", "labels"],
                &["spec", "template", "metadata", "labels"],
            ];
            for path in paths {
                let here = entry(&mut job.0, path);
                here.extend(
                    labels
                        .iter()
                        .map(|(key, value)| ((*key).into(), (*value).into())),
                );
            }
            job.set_label(label::APP, self.app.name.as_ref());
            if let Some(spec) = job.0.pointer_mut("/spec/template/spec") {
                self.narrow_selectors(spec, &pod_labels);
            }
        };
        change_job(&mut cron, of_job);
        cron
    }
}
