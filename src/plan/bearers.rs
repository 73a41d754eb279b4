//! Which candidates a selector finds.

use std::collections::BTreeMap;

use super::AppPlan;
use super::object::Object;

/// Apps by the labels that their candidates' pods bear, so that many Services
/// can be held against many apps.
pub struct Bearers<'a>(BTreeMap<(&'a str, &'a str), Vec<&'a AppPlan>>);

impl<'a> Bearers<'a> {
    /// The bearers among these apps.
    pub fn of(apps: &'a [AppPlan]) -> Self {
        let mut bearers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for app in apps {
            for label in labels(app) {
                bearers.entry(label).or_default().push(app);
            }
        }
        Self(bearers)
    }

    /// Apps whose candidates a Service sends requests to. Without a selector
    /// it sends none to any.
    pub fn selected_by<'b>(
        &'b self,
        service: &'b Object,
    ) -> impl Iterator<Item = &'a AppPlan> + 'b {
        let selector = || service.pairs_at("/spec/selector");
        let rarest = selector()
            .map(|label| self.0.get(&label).map_or(&[][..], Vec::as_slice))
            .min_by_key(|bearers| bearers.len());
        let all =
            move |app: &&AppPlan| selector().all(|wanted| labels(app).any(|label| label == wanted));
        rarest.unwrap_or_default().iter().copied().filter(all)
    }
}

fn labels(app: &AppPlan) -> impl Iterator<Item = (&str, &str)> {
    app.deployment.pairs_at("/spec/template/metadata/labels")
}
