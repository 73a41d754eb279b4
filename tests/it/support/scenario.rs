//! Drives whole promotions and tells how they ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use promoter::engine::deploy::DeployOptions;
use promoter::engine::resolve::Sources;
use promoter::engine::{Deployed, Engine, EngineError, OnStop};
use promoter::group::{CheckImage, Group};
use promoter::plan::Plan;
use promoter::plan::color::Color;
use promoter::plan::label;
use promoter::plan::object::ObjectRef;
use promoter::port::Registry;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::Outcome;
use promoter::promotion::{Actor, ReasonKind, Trigger};
use tokio_util::sync::CancellationToken;

use super::clock::FakeClock;
use super::forge::FakeForge;
use super::process::{Process, Strike};
use super::recording::Recording;
use super::registry::FakeRegistry;
use super::spending::FakeSpending;
use super::world::{State, World};

/// One group in one world.
pub(crate) struct Scenario {
    pub(crate) world: Arc<World>,
    pub(crate) registry: Arc<FakeRegistry>,
    pub(crate) forge: Arc<FakeForge>,
    pub(crate) spending: Arc<FakeSpending>,
    pub(crate) events: Arc<Recording>,
    pub(crate) group: Group,
    pub(crate) clock: FakeClock,
    chance: AtomicU16,
}

impl Scenario {
    /// The world of a group, with one image pushed of each of its branches.
    pub(crate) fn new(group: Group) -> Self {
        let clock = FakeClock::new();
        let scenario = Self {
            world: World::new(group.name.as_ref(), clock),
            registry: Arc::default(),
            forge: Arc::default(),
            spending: Arc::default(),
            events: Arc::default(),
            group,
            clock,
            chance: AtomicU16::new(0),
        };
        scenario.push_all();
        scenario
    }

    /// Blue serves, and green is promoted next.
    pub(crate) async fn ready_for_green(group: Group) -> Self {
        let scenario = Self::new(group);
        scenario.promote().await;
        scenario.push_all();
        scenario.forget();
        scenario
    }

    /// The same in a world of its own, which has no past.
    pub(crate) fn twin(&self) -> Self {
        let world = self.world.twin();
        Self {
            clock: world.clock,
            world,
            registry: Arc::new(self.registry.twin()),
            forge: Arc::new(self.forge.twin()),
            spending: Arc::new(self.spending.twin()),
            events: Arc::default(),
            group: self.group.clone(),
            chance: AtomicU16::new(self.chance.load(Ordering::SeqCst)),
        }
    }

    /// CI pushes a further build of everything.
    pub(crate) fn push_all(&self) {
        let of_checks = self.group.checks.iter().filter_map(|c| match &c.image {
            CheckImage::Branch(image) => Some(image),
            CheckImage::App(_) | CheckImage::Image(_) => None,
        });
        let images = self
            .group
            .apps
            .iter()
            .map(|app| &app.image)
            .chain(of_checks);
        let wanted: BTreeSet<_> = images
            .map(|image| (image.repository.to_string(), image.branch.to_string()))
            .collect();
        for (repository, branch) in wanted {
            self.registry.push(&repository, &branch);
        }
    }

    /// A promoter with a name of its own.
    pub(crate) fn process(&self, strike: Option<Strike>) -> Arc<Process> {
        let number = self.chance.fetch_add(1, Ordering::SeqCst);
        let name = format!("promoter-{number}");
        Process::new(&self.world, &self.registry, &name, strike)
    }

    pub(crate) fn engine(&self, process: &Arc<Process>) -> Engine {
        Engine {
            group: self.group.name.clone(),
            cluster: Arc::clone(process) as _,
            ledger: Arc::clone(process) as _,
            clock: Arc::new(self.clock),
            recorder: Arc::clone(&self.events) as _,
            on_stop: OnStop::Abort,
        }
    }

    /// Where images come from, as a promoter or anybody sees the registry.
    pub(crate) fn sources<'a>(&'a self, registry: &'a dyn Registry) -> Sources<'a> {
        Sources {
            registry,
            forge: Some(self.forge.as_ref()),
            spending: Some(self.spending.as_ref()),
        }
    }

    pub(crate) fn options(&self) -> DeployOptions {
        DeployOptions {
            actor: Actor {
                name: "ann@laptop".to_owned(),
                trigger: Trigger::Cli,
            },
            chance: self.chance.fetch_add(1, Ordering::SeqCst),
            force: false,
            detach: false,
            retry: false,
            overriding: None,
            despite_budget: false,
            why: None,
            meets: None,
        }
    }

    /// `promoter deploy`, by a new process.
    pub(crate) async fn deploy(&self) -> Result<Deployed, EngineError> {
        self.deploy_with(self.options(), CancellationToken::new())
            .await
    }

    /// What keeps the next deploy from being begun.
    pub(crate) async fn refused(&self) -> Vec<String> {
        match self.deploy().await.unwrap() {
            Deployed::Refused(restraints) => restraints.iter().map(ToString::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn deploy_with(
        &self,
        options: DeployOptions,
        stop: CancellationToken,
    ) -> Result<Deployed, EngineError> {
        let process = self.process(None);
        self.deploy_by(&process, options, stop)
            .await
            .expect("nobody kills this promoter")
    }

    /// Deploys and leaves as soon as traffic is moved.
    pub(crate) async fn detach(&self) -> Deployed {
        let mut options = self.options();
        options.detach = true;
        let never = CancellationToken::new();
        self.deploy_with(options, never).await.unwrap()
    }

    /// `None`: the promoter was killed.
    pub(crate) async fn deploy_by(
        &self,
        process: &Arc<Process>,
        options: DeployOptions,
        stop: CancellationToken,
    ) -> Option<Result<Deployed, EngineError>> {
        let engine = self.engine(process);
        let deployed = engine.deploy(self.sources(process.as_ref()), &self.group, options, stop);
        self.until_dead(process, Box::pin(deployed)).await
    }

    /// Deploys, and dies with the first call that begins with these words.
    pub(crate) async fn deploy_until(&self, call: &str) {
        let process = self.process(None);
        let dying = Arc::clone(&process);
        self.world.when(call, move |_| dying.doom());
        let never = CancellationToken::new();
        let deployed = self.deploy_by(&process, self.options(), never);
        assert!(deployed.await.is_none(), "{call} never came");
    }

    /// `None`: the promoter was killed before it came to its end.
    pub(crate) async fn until_dead<T>(
        &self,
        process: &Process,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let work = async {
            tokio::select! {
                biased;
                () = process.dead() => None,
                done = work => Some(done),
            }
        };
        let day = Duration::from_hours(24);
        let done = tokio::time::timeout(day, work).await;
        let done = done.unwrap_or_else(|_| panic!("no end:\n{}", self.world.state().journal));
        process.exit();
        done
    }

    /// Deploys to the end, whatever it is.
    pub(crate) async fn outcome(&self) -> Outcome {
        match self.deploy().await.unwrap() {
            Deployed::Ended { outcome, .. } => *outcome,
            other => panic!("not carried out: {other:?}"),
        }
    }

    /// Deploys, which has to promote and to leave everything tidy.
    pub(crate) async fn promote(&self) -> Outcome {
        let outcome = self.outcome().await;
        let state = &self.world.state().journal;
        assert_eq!(
            outcome.phase,
            Phase::Promoted,
            "{:?}\n{state}",
            outcome.reasons
        );
        outcome
    }

    /// Deploys, which has to abort.
    pub(crate) async fn abort(&self) -> Outcome {
        let outcome = self.outcome().await;
        assert_eq!(outcome.phase, Phase::Aborted, "{:?}", outcome.reasons);
        assert!(!outcome.reasons.is_empty(), "it does not say why");
        outcome
    }

    /// Forgets calls and events, so that later ones can be told apart.
    pub(crate) fn forget(&self) {
        self.events.clear();
        // Promises keep count of the calls they have seen.
        let mut state = self.world.state();
        state.forget_calls();
        state.history.clear();
    }

    /// The cluster is as it has to be when nothing is under way: it serves
    /// `color`, and nothing of any other promotion is left.
    #[track_caller]
    pub(crate) fn rests_at(&self, color: Option<Color>) {
        let state = self.world.state();
        assert_eq!(state.record.in_flight, None);
        assert_eq!(state.record.serving.as_ref().map(|s| s.color), color);
        assert!(state.lease.is_none(), "the lock was not given back");
        let serving = state.record.serving.as_ref();
        let plan = serving.map(|s| state.plans.get(&s.plan).expect("its plan is kept"));
        let (wanted, found) = state.wanted_and_found(plan);
        assert_eq!(found, wanted);
        let idle: Vec<_> = plan
            .iter()
            .flat_map(|plan| state.idle_workers(plan))
            .collect();
        assert!(idle.is_empty(), "{idle:?} stand still");
        assert!(state.jobs.is_empty(), "{:?}", state.jobs);
        for pod in &state.pods {
            let promoter_made = pod.labels.contains_key(label::GROUP);
            assert!(!promoter_made || Some(pod.state.color) == color, "{pod:?}");
        }
        drop(state);
        self.points_where_the_record_says();
    }

    /// Whether exactly what serves is there.
    pub(crate) fn is_tidy(&self) -> bool {
        let state = self.world.state();
        let serving = state.record.serving.as_ref();
        let plan = serving.and_then(|serving| state.plans.get(&serving.plan));
        let (wanted, found) = state.wanted_and_found(plan);
        wanted == found && state.jobs.is_empty()
    }

    /// Nothing is under way, and users are where the record says.
    #[track_caller]
    pub(crate) fn points_where_the_record_says(&self) {
        let state = self.world.state();
        assert_eq!(state.record.in_flight, None);
        let serving = state.record.serving.as_ref();
        let plan = serving.map(|s| state.plans.get(&s.plan).expect("its plan is kept"));
        for service in plan.into_iter().flat_map(Plan::services) {
            let name = service.active.name();
            assert_eq!(state.selector(name), service.selector, "{name}");
        }
    }
}

impl State {
    /// Objects that a plan consists of, and the group's objects that are there.
    fn wanted_and_found(&self, plan: Option<&Plan>) -> (BTreeSet<String>, BTreeSet<String>) {
        let wanted = plan.map(Plan::inventory).unwrap_or_default();
        let mut wanted: BTreeSet<_> = wanted.iter().map(ToString::to_string).collect();
        wanted.extend(plan.into_iter().flat_map(|plan| self.links(plan)));
        let found = self.owned();
        let last = self.record.outcomes.first();
        let is_kept = last.is_none_or(|last| last.phase == Phase::Promoted);
        let idle = plan.filter(|_| is_kept).into_iter();
        let idle = idle.flat_map(Plan::idle_services);
        let is_colored = |service: &ObjectRef| {
            let found = self.objects.get(service);
            found.is_some_and(|found| found.label(label::ROLE) == Some("colored"))
        };
        let idle = idle.filter(is_colored);
        let idle: BTreeSet<_> = idle.map(|service| service.to_string()).collect();
        let kept =
            |name: &&String| !name.starts_with("PersistentVolumeClaim") && !idle.contains(*name);
        let found: BTreeSet<_> = found.iter().filter(kept).cloned().collect();
        let wanted: BTreeSet<_> = wanted.iter().filter(kept).cloned().collect();
        (wanted, found)
    }

    /// What pods of a plan take their variables for Services from, if any do.
    fn links(&self, plan: &Plan) -> BTreeSet<String> {
        let color = Some(plan.candidate.as_str());
        let deployments = self.objects.values().filter(|object| {
            ["Deployment", "CronJob"].contains(&object.kind())
                && object.label(label::COLOR) == color
                && plan.services().next().is_some()
        });
        let named = deployments.filter_map(|found| {
            let name = format!("{}-links-{}", plan.group, found.label(label::PROMOTION)?);
            found.0.to_string().contains(&name).then_some(name)
        });
        named
            .map(|name| ObjectRef::new("v1", "ConfigMap", &name).to_string())
            .collect()
    }
}

/// The kinds of an outcome's reasons, with their texts.
pub(crate) fn reasons(outcome: &Outcome) -> Vec<(ReasonKind, &str)> {
    let reasons = outcome.reasons.iter();
    reasons.map(|r| (r.kind, r.text.as_str())).collect()
}
