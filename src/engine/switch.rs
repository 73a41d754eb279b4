//! The switch: every active Service's selector moves at the same moment.
//!
//! Beside `mend`, which puts right what somebody changed, this file is the only
//! one that points a Service at a colour. Ports move in the same patch where they
//! change: a Service with the new ports and the old
//! pods, or the other way round, would refuse its users.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::Value;

use super::drive::Drive;
use crate::plan::label::SWITCHED_FIELDS;
use crate::plan::object::Object;
use crate::plan::{Plan, ServicePlan};
use crate::port::ClusterError;
use crate::port::cluster::Pointing;
use crate::promotion::event::Fact;
use crate::promotion::observed::Observed;
use crate::promotion::phase::Phase;

type Selector = BTreeMap<String, String>;

/// One Service's way to the candidate and back.
struct Move {
    there: Pointing,
    back: Pointing,
}

impl Drive {
    /// Points all active Services at the candidate; if one patch fails, those
    /// done are moved back before the error is returned.
    pub(super) async fn switch(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let moves = self.moves(observed)?;
        let moves: Vec<_> = moves
            .iter()
            .filter(|m| m.there.from != m.there.to)
            .collect();
        let started = self.engine.clock.now();
        let patches = moves
            .iter()
            .map(|m| self.engine.cluster.point(self.epoch, &m.there));
        let results = join_all(patches).await;
        let skew = self
            .engine
            .clock
            .now()
            .duration_since(started)
            .unsigned_abs();
        if let Some(Err(error)) = results.iter().find(|result| result.is_err()) {
            let done = moves
                .iter()
                .zip(&results)
                .filter(|(_, result)| result.is_ok());
            let moved_back = self.move_back(done.map(|(m, _)| &m.back)).await;
            return Err(moved_back.err().unwrap_or_else(|| error.clone()));
        }
        self.tell_switched(moves.len(), Some(skew));
        Ok(())
    }

    /// Points whatever follows the candidate at what was there before.
    pub(super) async fn switch_back(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let moves = self.moves(observed)?;
        let follows = moves.iter().filter(|m| m.there.from == m.there.to);
        for result in
            join_all(follows.map(|m| self.engine.cluster.point(self.epoch, &m.back))).await
        {
            result?;
        }
        self.promotion.returned_at = Some(self.engine.clock.now());
        self.tell_once_recorded(Fact::SwitchedBack);
        self.put_on_record().await
    }

    /// As far as it goes: aborting looks again and moves back what still
    /// follows the candidate. Fails only if a move may still come about.
    async fn move_back(
        &self,
        changes: impl Iterator<Item = &Pointing>,
    ) -> Result<(), ClusterError> {
        let moves = changes.map(|change| self.engine.cluster.point(self.epoch, change));
        let mut open = Ok(());
        for error in join_all(moves).await.into_iter().filter_map(Result::err) {
            let message = format!("a Service could not be moved back at once: {error}");
            self.emit(Fact::Warning { message });
            if let ClusterError::Unreachable { .. } | ClusterError::Fenced = error {
                open = Err(error);
            }
        }
        open
    }

    /// The move of every active Service that is there.
    fn moves(&self, observed: &Observed) -> Result<Vec<Move>, ClusterError> {
        let aborting = self.promotion.phase == Phase::Aborting;
        let mut moves = Vec::new();
        for service in self.plan.services() {
            let name = service.active.name();
            match observed
                .service(name)
                .and_then(|active| Some((active, active.uid()?)))
            {
                Some((active, uid)) => moves.push(self.one_move(service, active, uid)),
                // What was never made need not be moved back.
                None if aborting => {}
                None => {
                    return Err(ClusterError::Moved {
                        action: format!("switch Service {name}"),
                    });
                }
            }
        }
        Ok(moves)
    }

    fn one_move(&self, service: &ServicePlan, active: &Object, uid: &str) -> Move {
        let name = service.active.name();
        let before = self
            .replaced
            .iter()
            .flat_map(Plan::services)
            .find(|old| old.active.name() == name);
        let old_active = before.map_or(&service.active, |old| &old.active);
        let pointing = |from: Option<Selector>,
                        to: Option<Selector>,
                        like: &Object,
                        unlike: &Object| Pointing {
            service: name.to_owned(),
            uid: uid.to_owned(),
            from,
            to,
            spec: moved_fields(like, unlike),
        };
        let now = Some(active.texts_at("/spec/selector")).filter(|selector| !selector.is_empty());
        let new = Some(service.selector.clone());
        // A Service that points somewhere is never left pointing nowhere.
        let old = before
            .map(|old| old.selector.clone())
            .or_else(|| now.clone().filter(|now| Some(now) != new.as_ref()));
        Move {
            there: pointing(now, new.clone(), &service.active, old_active),
            back: pointing(new, old, old_active, &service.active),
        }
    }
}

/// Fields that must not change before or after the selector does, as they are
/// in `like` where `unlike` has something else.
fn moved_fields(like: &Object, unlike: &Object) -> BTreeMap<String, Value> {
    let fields = SWITCHED_FIELDS.into_iter();
    let fields = fields.map(|name| {
        (
            name,
            switched_field(like, name),
            switched_field(unlike, name),
        )
    });
    fields
        .filter(|(_, to, from)| to != from)
        .map(|(name, to, _)| (name.to_owned(), to))
        .collect()
}

/// What a Service says of one of [`SWITCHED_FIELDS`], or what holds if it does not.
pub(super) fn switched_field(service: &Object, name: &str) -> Value {
    match (name, service.at(&format!("/spec/{name}"))) {
        (_, Some(value)) => value.clone(),
        ("type", None) => "ClusterIP".into(),
        (_, None) => Value::Null,
    }
}
