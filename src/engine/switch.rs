//! The switch: every active Service's selector moves at the same moment.
//!
//! This file is the only one that points a Service at a colour.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;

use super::drive::Drive;
use crate::plan::ServicePlan;
use crate::plan::object::Object;
use crate::port::ClusterError;
use crate::port::cluster::Pointing;
use crate::promotion::event::Fact;
use crate::promotion::observed::Observed;

type Selector = BTreeMap<String, String>;

impl Drive {
    /// Points all active Services at the candidate; if one patch fails, those
    /// done are moved back before the error is returned.
    pub(super) async fn switch(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let changes: Vec<_> = self
            .plan
            .services()
            .map(|service| pointing(service, observed, Some(service.selector.clone())))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .filter(|change| change.from != change.to)
            .collect();
        let skew = self.point_all(&changes).await?;
        self.emit(Fact::Switched {
            services: changes.len(),
            color: self.promotion.candidate,
            skew,
        });
        Ok(())
    }

    /// Points whatever follows the candidate at what was there before.
    pub(super) async fn switch_back(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let changes: Vec<_> = self
            .plan
            .services()
            .filter_map(|service| {
                let active = observed.service(service.active.name())?;
                let follows = active.texts_at("/spec/selector") == service.selector;
                follows.then(|| pointing(service, observed, self.before(service)))
            })
            .collect::<Result<_, _>>()?;
        self.point_all(&changes).await?;
        self.emit(Fact::SwitchedBack);
        Ok(())
    }

    /// The selector a Service had before the promotion. `None`: it had none.
    fn before(&self, service: &ServicePlan) -> Option<Selector> {
        let replaced = self.replaced.as_ref()?;
        let old = replaced
            .services()
            .find(|old| old.active.name() == service.active.name())?;
        Some(old.selector.clone())
    }

    async fn point_all(&self, changes: &[Pointing]) -> Result<Duration, ClusterError> {
        let started = self.engine.clock.now();
        let patches = changes
            .iter()
            .map(|change| self.engine.cluster.point(self.epoch, change));
        let results = join_all(patches).await;
        let skew = self
            .engine
            .clock
            .now()
            .duration_since(started)
            .unsigned_abs();
        let Some(error) = results.iter().find_map(|result| result.as_ref().err()) else {
            return Ok(skew);
        };
        let done = changes
            .iter()
            .zip(&results)
            .filter(|(_, result)| result.is_ok());
        let back: Vec<_> = done.map(|(change, _)| reversed(change)).collect();
        for failed in join_all(
            back.iter()
                .map(|change| self.engine.cluster.point(self.epoch, change)),
        )
        .await
        {
            if let Err(error) = failed {
                // Aborting looks again and moves back what still follows the candidate.
                let message = format!("a Service could not be moved back at once: {error}");
                self.emit(Fact::Warning { message });
            }
        }
        Err(error.clone())
    }
}

fn pointing(
    service: &ServicePlan,
    observed: &Observed,
    to: Option<Selector>,
) -> Result<Pointing, ClusterError> {
    let name = service.active.name();
    let gone = || ClusterError::Moved {
        action: format!("switch Service {name}"),
    };
    let active = observed.service(name).ok_or_else(gone)?;
    let uid = active.uid().ok_or_else(gone)?.to_owned();
    Ok(Pointing {
        service: name.to_owned(),
        uid,
        from: selector_of(active),
        to,
    })
}

fn selector_of(service: &Object) -> Option<Selector> {
    let selector = service.texts_at("/spec/selector");
    (!selector.is_empty()).then_some(selector)
}

fn reversed(change: &Pointing) -> Pointing {
    Pointing {
        from: change.to.clone(),
        to: change.from.clone(),
        ..change.clone()
    }
}
