//! What of an observation is news.

use std::collections::{BTreeMap, BTreeSet};

use crate::group::name::AppName;
use crate::plan::color::Color;
use crate::promotion::Promotion;
use crate::promotion::event::Fact;
use crate::promotion::observed::Observed;
use crate::promotion::phase::Phase;
use crate::promotion::trouble::troubles;

/// What was reported last, so that only changes are.
#[derive(Debug, Default)]
pub(super) struct Reported {
    apps: BTreeMap<AppName, (u32, u32, Option<String>)>,
    old: BTreeSet<AppName>,
    /// Whether the switch was told.
    pub(super) switched: bool,
    /// Whether the end was told.
    pub(super) ended: bool,
    /// What of the active Services is astray, as last seen.
    pub(super) astray: Vec<String>,
}

impl Reported {
    /// Facts about apps that changed since the last call.
    pub(super) fn news(&mut self, promotion: &Promotion, observed: &Observed) -> Vec<Fact> {
        let mut news = Vec::new();
        let candidates = observed.deployments.iter().filter(|d| {
            d.color == promotion.candidate && d.promotion == promotion.id.as_ref() && !d.deleting
        });
        for deployment in candidates {
            let trouble = troubles(observed, &deployment.app, deployment.color)
                .into_iter()
                .next();
            let state = (
                observed.ready_pods(&deployment.app, &deployment.promotion),
                deployment.wanted,
                trouble.map(|trouble| trouble.text),
            );
            if self.apps.get(&deployment.app) == Some(&state) {
                continue;
            }
            let (ready, wanted, trouble) = state.clone();
            self.apps.insert(deployment.app.clone(), state);
            news.push(Fact::App {
                app: deployment.app.clone(),
                color: deployment.color,
                ready,
                wanted,
                trouble,
            });
        }
        if promotion.phase == Phase::Settling {
            news.extend(self.gone(promotion.candidate.other(), observed));
        }
        news
    }

    /// What of the active Services is astray, if that is news.
    pub(super) fn astray(&mut self, now: Vec<String>) -> Option<Vec<String>> {
        (self.astray != now).then(|| {
            self.astray.clone_from(&now);
            now
        })
    }

    /// Apps whose last pod of the old colour went since the last call.
    fn gone(&mut self, old: Color, observed: &Observed) -> Vec<Fact> {
        let pods = observed.pods.iter().filter(|pod| pod.color == old);
        let standing: BTreeSet<_> = pods.filter_map(|pod| pod.app.clone()).collect();
        let gone = self.old.difference(&standing).cloned();
        let facts = gone.map(|app| Fact::OldGone { app, color: old }).collect();
        self.old = standing;
        facts
    }
}
