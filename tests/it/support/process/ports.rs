//! The ports of one promoter: each call goes through [`Process::call`].

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, stream};
use promoter::group::image::RepositoryName;
use promoter::group::name::GroupName;
use promoter::plan::Plan;
use promoter::plan::check::reporter::REPORTER;
use promoter::plan::config::ConfigKey;
use promoter::plan::fingerprint::PlanId;
use promoter::plan::image::Digest;
use promoter::plan::init::Repositories;
use promoter::plan::object::{Object, ObjectRef};
use promoter::plan::survey::{Survey, Trials};
use promoter::port::cluster::{Lines, LogSource, Pointing, Runs, Work, Worker};
use promoter::port::registry::{ImageDetails, Listing, Registry, RegistryError, Said};
use promoter::port::{Clock, Cluster, ClusterError, Epoch, Ledger, LockError};
use promoter::promotion::Raise;
use promoter::promotion::observed::Observed;
use promoter::promotion::record::GroupRecord;
use promoter::promotion::request::Request;
use promoter::promotion::restraint::{Restraints, Statement};
use serde_json::Value;

use super::Process;
use crate::support::world::State;

#[async_trait]
impl Cluster for Process {
    async fn survey(&self) -> Result<Survey, ClusterError> {
        let act = |state: &mut State| Ok(state.survey());
        self.call("survey".to_owned(), None, act).await
    }

    async fn try_out(
        &self,
        objects: &[Object],
        adopted: &[ObjectRef],
    ) -> Result<Trials, ClusterError> {
        let act = |state: &mut State| Ok(state.try_out(objects, adopted));
        self.call("try out".to_owned(), None, act).await
    }

    async fn find(&self, objects: &[ObjectRef]) -> Result<Vec<Object>, ClusterError> {
        let act = |state: &mut State| Ok(state.find(objects));
        self.call("find".to_owned(), None, act).await
    }

    async fn all(&self, kinds: &[(&str, &str)]) -> Result<Vec<Object>, ClusterError> {
        let act = |state: &mut State| Ok(state.all(kinds));
        self.call("all".to_owned(), None, act).await
    }

    async fn alter(
        &self,
        epoch: Epoch,
        found: &Object,
        patch: &Value,
    ) -> Result<Object, ClusterError> {
        let act = |state: &mut State| state.alter(found, patch);
        let call = format!("alter {}", found.reference());
        self.call(call, Some(epoch), act).await
    }

    async fn observe(&self) -> Result<Observed, ClusterError> {
        let version = *self.world.version.borrow();
        let act = |state: &mut State| Ok(state.observed());
        let observed = self.call("observe".to_owned(), None, act).await?;
        self.seen.store(version, Ordering::SeqCst);
        Ok(observed)
    }

    async fn changed(&self) {
        let mut version = self.world.version.subscribe();
        loop {
            let due = self.world.state().next_due();
            if *version.borrow_and_update() > self.seen.load(Ordering::SeqCst) {
                return;
            }
            let due = async {
                match due {
                    Some(due) => self.world.clock.sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = version.changed() => {}
                () = due => {}
            }
        }
    }

    async fn is_ending(&self) -> Result<bool, ClusterError> {
        let act = |state: &mut State| Ok(state.namespace.is_none());
        self.call("is-ending".to_owned(), None, act).await
    }

    async fn create(&self, epoch: Epoch, object: &Object) -> Result<Object, ClusterError> {
        let act = |state: &mut State| state.create(object);
        let call = format!("create {}", object.reference());
        self.call(call, Some(epoch), act).await
    }

    async fn apply(&self, epoch: Epoch, object: &Object) -> Result<Object, ClusterError> {
        let act = |state: &mut State| state.apply(object, epoch);
        let call = format!("apply {}", object.reference());
        self.call(call, Some(epoch), act).await
    }

    async fn let_run(&self, epoch: Epoch, job: &ObjectRef, uid: &str) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.let_run(&job.name, uid);
            Ok(())
        };
        let call = format!("let run {}", job.name);
        self.call(call, Some(epoch), act).await
    }

    async fn delete(
        &self,
        epoch: Epoch,
        object: &ObjectRef,
        uid: &str,
    ) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.delete(object, uid);
            Ok(())
        };
        let call = format!("delete {object}");
        self.call(call, Some(epoch), act).await
    }

    async fn delete_unchanged(&self, epoch: Epoch, found: &Object) -> Result<(), ClusterError> {
        let act = |state: &mut State| state.delete_unchanged(found);
        let call = format!("delete {} as found", found.reference());
        self.call(call, Some(epoch), act).await
    }

    async fn delete_runs(&self, epoch: Epoch, runs: &Runs) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.delete_runs(runs);
            Ok(())
        };
        let call = format!("delete Jobs of {}", runs.promotion);
        self.call(call, Some(epoch), act).await
    }

    async fn point(&self, epoch: Epoch, change: &Pointing) -> Result<(), ClusterError> {
        let act = |state: &mut State| state.point(change, epoch);
        let to = change.to.as_ref();
        let color = to.and_then(|to| to.get(promoter::plan::label::COLOR));
        let color = color.map_or("nothing", String::as_str);
        let call = format!("point {} to {color}", change.service);
        self.call(call, Some(epoch), act).await
    }

    async fn raise(&self, epoch: Epoch, raise: &Raise) -> Result<i64, ClusterError> {
        let act = |state: &mut State| state.raise(raise);
        let call = format!("raise {} to {}", raise.deployment, raise.replicas);
        self.call(call, Some(epoch), act).await
    }

    async fn set_work(&self, epoch: Epoch, worker: &Worker) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.set_work(worker);
            Ok(())
        };
        let name = &worker.object.name;
        let call = match worker.work {
            Work::Pods(pods) => format!("set-work {name} to {pods} pods"),
            Work::Suspended => format!("set-work {name} to suspended"),
            Work::Scheduled(_) => format!("set-work {name} to scheduled"),
        };
        self.call(call, Some(epoch), act).await
    }

    async fn scale_down(
        &self,
        epoch: Epoch,
        autoscaler: &str,
        policy: Option<&str>,
    ) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.scale_down(autoscaler, policy);
            Ok(())
        };
        let call = format!("scale-down {autoscaler} {}", policy.unwrap_or("freely"));
        self.call(call, Some(epoch), act).await
    }

    async fn owned(&self, kinds: &[(String, String)]) -> Result<Vec<Object>, ClusterError> {
        let act = |state: &mut State| Ok(state.of_kinds(kinds));
        self.call("owned".to_owned(), None, act).await
    }

    async fn lines(&self, source: &LogSource) -> Result<Lines, ClusterError> {
        let is_report = source.container == REPORTER;
        let of = if is_report { "report" } else { "lines" };
        let call = format!("{of} {}", source.pod);
        let read = move |state: &mut State, name: &str| {
            let pod = state.pod(name)?;
            if is_report {
                return Some((pod.report.clone(), false));
            }
            let going_on = pod.state.containers[0].ended.is_none();
            Some((pod.log.clone(), going_on))
        };
        let pod = source.pod.clone();
        let act = |state: &mut State| {
            read(state, &pod).ok_or_else(|| ClusterError::Refused {
                action: format!("read the log of {pod}"),
                reason: "not found".to_owned(),
            })
        };
        let (log, going_on) = self.call(call, None, act).await?;
        if !source.follow || !going_on {
            return Ok(stream::iter(log.into_iter().map(Ok)).boxed());
        }
        let (world, pod) = (Arc::clone(&self.world), source.pod.clone());
        let mut version = world.version.subscribe();
        let wait = async move {
            loop {
                let found = read(&mut world.state(), &pod);
                match found {
                    None => return Vec::new(),
                    Some((log, false)) => return log,
                    Some(_) => {}
                }
                if version.changed().await.is_err() {
                    return Vec::new();
                }
            }
        };
        let lines = wait.into_stream().flat_map(stream::iter);
        Ok(lines.map(Ok).boxed())
    }
}

#[async_trait]
impl Ledger for Process {
    async fn read(&self) -> Result<GroupRecord, ClusterError> {
        let act = |state: &mut State| Ok(state.record.clone());
        self.call("read".to_owned(), None, act).await
    }

    async fn request(&self, request: &Request) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.request = Some(request.clone());
            Ok(())
        };
        let put = self.call("request".to_owned(), None, act).await;
        self.world.version.send_modify(|version| *version += 1);
        put
    }

    async fn withdraw(&self, request: &Request) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.request.take_if(|found| found == request);
            Ok(())
        };
        let withdrawn = self.call("withdraw".to_owned(), None, act).await;
        self.world.version.send_modify(|version| *version += 1);
        withdrawn
    }

    async fn hold(&self, hold: Option<&Statement>) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.restraints.hold = hold.cloned();
            Ok(())
        };
        let put = self.call("hold".to_owned(), None, act).await;
        self.world.version.send_modify(|version| *version += 1);
        put
    }

    async fn restraints(&self) -> Result<Restraints, ClusterError> {
        let act = |state: &mut State| Ok(state.restraints.clone());
        self.call("restraints".to_owned(), None, act).await
    }

    async fn acquire(&self, holder: &str) -> Result<Epoch, LockError> {
        let _ = holder;
        let act = |state: &mut State| Ok(state.acquire(&self.name));
        let taken = self.call("acquire".to_owned(), None, act).await;
        let taken = taken.map_err(LockError::Cluster)?;
        taken.map_err(|lease| LockError::Held {
            holder: lease.holder,
            since: lease.since,
            alive: lease.until.is_none(),
        })
    }

    async fn release(&self, epoch: Epoch) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            if state.epoch == epoch.0 {
                state.lease = None;
            }
            Ok(())
        };
        self.call("release".to_owned(), None, act).await
    }

    async fn write(&self, epoch: Epoch, record: &GroupRecord) -> Result<(), ClusterError> {
        let phase = record.in_flight.as_ref().map(|promotion| promotion.phase);
        let phase = phase.or_else(|| record.outcomes.first().map(|outcome| outcome.phase));
        let call = format!(
            "write {}",
            phase.map_or_else(String::new, |p| p.to_string())
        );
        let act = |state: &mut State| {
            // What was written is what JSON keeps of it.
            let json = serde_json::to_value(record).unwrap();
            assert!(
                json.to_string().len() < 64 * 1024,
                "the record outgrows etcd"
            );
            state.record = serde_json::from_value(json).unwrap();
            state.history.push(state.record.clone());
            Ok(())
        };
        self.call(call, Some(epoch), act).await
    }

    async fn store_plan(&self, epoch: Epoch, plan: &Plan) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            let json = serde_json::to_vec(plan).unwrap();
            let kept: Plan = serde_json::from_slice(&json).unwrap();
            assert_eq!(kept.id(), plan.id(), "a plan changes by being kept");
            state.plans.insert(plan.id(), kept);
            Ok(())
        };
        self.call("store plan".to_owned(), Some(epoch), act).await
    }

    async fn plan(&self, id: &PlanId) -> Result<Option<Plan>, ClusterError> {
        let act = |state: &mut State| Ok(state.plans.get(id).cloned());
        self.call("plan".to_owned(), None, act).await
    }

    async fn serving(&self, group: &GroupName) -> Result<Option<Plan>, ClusterError> {
        let group = group.clone();
        let act = move |state: &mut State| Ok(state.required.get(group.as_str()).cloned());
        self.call("serving".to_owned(), None, act).await
    }

    async fn forget_plans(&self, epoch: Epoch, except: &[PlanId]) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.plans.retain(|id, _| except.contains(id));
            Ok(())
        };
        self.call("forget plans".to_owned(), Some(epoch), act).await
    }

    async fn forget_group(&self, epoch: Epoch) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.plans.clear();
            state.record = GroupRecord::default();
            Ok(())
        };
        self.call("forget group".to_owned(), Some(epoch), act).await
    }

    async fn config_key(&self, epoch: Epoch) -> Result<ConfigKey, ClusterError> {
        let act = |state: &mut State| Ok(state.key.get_or_insert(ConfigKey([7; 32])).clone());
        self.call("config key".to_owned(), Some(epoch), act).await
    }
}

#[async_trait]
impl Registry for Process {
    async fn images(&self, repository: &RepositoryName) -> Result<Listing, RegistryError> {
        let answer = self.registry.images(repository).await;
        let act = |_: &mut State| Ok(answer);
        let call = format!("images {repository}");
        let answer = self.call(call, None, act).await;
        answer.map_err(|error| of_registry(&error))?
    }

    async fn tagged(
        &self,
        repository: &RepositoryName,
        tag: &str,
    ) -> Result<Listing, RegistryError> {
        let answer = self.registry.tagged(repository, tag).await;
        let act = |_: &mut State| Ok(answer);
        let call = format!("tagged {repository} {tag}");
        let answer = self.call(call, None, act).await;
        answer.map_err(|error| of_registry(&error))?
    }

    async fn repositories(&self) -> Result<Repositories, RegistryError> {
        let answer = self.registry.repositories().await;
        let act = |_: &mut State| Ok(answer);
        let answer = self.call("repositories".to_owned(), None, act).await;
        answer.map_err(|error| of_registry(&error))?
    }

    async fn inspect(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ImageDetails, RegistryError> {
        let answer = self.registry.inspect(repository, digest).await;
        let act = |_: &mut State| Ok(answer);
        let call = format!("inspect {repository}");
        let answer = self.call(call, None, act).await;
        answer.map_err(|error| of_registry(&error))?
    }
}

/// The same trouble as a registry would tell it.
fn of_registry(error: &ClusterError) -> RegistryError {
    let source = Said(error.to_string());
    match error {
        ClusterError::Unreachable { .. } => RegistryError::Unreachable { source },
        _ => RegistryError::Other {
            action: "ask the registry".to_owned(),
            source,
        },
    }
}
