//! An environment file by itself.
//!
//! Input: an [`EnvironmentSpec`]. Output: the [`Environment`] and its defaults
//! for groups, or all that is wrong with them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::report::Report;
use super::setting;
use crate::group::aws;
use crate::group::cloudwatch::{self, BudgetGuard, CloudWatchRef};
use crate::group::github::{GithubApi, GithubRef, Owner, SourceRepository};
use crate::group::image::{Branch, RepositoryName, TagPattern};
use crate::group::name::{EnvironmentName, Namespace};
use crate::group::problem::Problems;
use crate::group::spec::{
    CloudWatchSpec, ClusterSpec, EnvironmentSpec, GithubSpec, Spanned, TextOrNumber, map,
};
use crate::group::triggers::Triggers;
use crate::group::{
    ClusterRef, ENDPOINT_DELAY, EksRef, Environment, Isolation, Newest, Proof, REPLICAS,
    RegistryRef, Untested,
};

/// A valid environment, and what its groups need not say.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidEnvironment {
    /// The environment.
    pub environment: Environment,
    /// For its groups.
    pub defaults: Defaults,
}

/// What holds for groups that do not say otherwise: the environment's
/// `[defaults]` over the built-in ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// Built in: none.
    pub branch: Option<Branch>,
    /// Built in: `{slug}-{build}-{sha}`.
    pub tag: TagPattern,
    /// Built in: what the manifest says.
    pub replicas: Option<u32>,
    /// Built in: pushed.
    pub proof: Proof,
    /// Built in: pushed.
    pub newest: Newest,
    /// A schedule's cron expression. Built in: none.
    pub cron: Option<String>,
    /// A schedule's time zone. Built in: UTC.
    pub timezone: Option<String>,
    /// Built in: none.
    pub jitter: Duration,
    /// Built in: new images are not promoted by themselves.
    pub on_push: bool,
    /// Built in: 1 min.
    pub quiet_period: Duration,
    /// Built in: 30 s.
    pub keep_old: Duration,
    /// Built in: 5 min.
    pub deploy_timeout: Duration,
    /// Built in: 2 s.
    pub endpoint_delay: Duration,
    /// Built in: pinning.
    pub isolation: Isolation,
    /// Of checks. Built in: 5 min.
    pub timeout: Duration,
}

impl Default for Defaults {
    fn default() -> Self {
        let triggers = Triggers::default();
        Self {
            branch: None,
            tag: TagPattern::default(),
            replicas: None,
            proof: Proof::default(),
            newest: Newest::default(),
            cron: None,
            timezone: None,
            jitter: triggers.jitter,
            on_push: triggers.on_push,
            quiet_period: triggers.quiet_period,
            keep_old: Duration::from_secs(30),
            deploy_timeout: Duration::from_mins(5),
            endpoint_delay: ENDPOINT_DELAY,
            isolation: Isolation::default(),
            timeout: Duration::from_mins(5),
        }
    }
}

/// Validates an environment.
pub fn environment(spec: &EnvironmentSpec) -> (Option<ValidEnvironment>, Problems) {
    let mut report = Report::new(&spec.source);
    let name = report.parse(spec.name.as_ref(), EnvironmentName::parse);
    report.same_as_stem(spec.name.as_ref());
    let namespace = report.parse(spec.namespace.as_ref(), Namespace::parse);
    let cluster = spec
        .cluster
        .as_ref()
        .and_then(|spec| cluster(&mut report, spec));
    let cluster_domain = report.parse(spec.cluster_domain.as_ref(), domain);
    let untested: Option<Untested> = report.choice(spec.untested.as_ref(), "untested");
    let registry = RegistryRef {
        account: report.parse(spec.account.as_ref(), aws::account),
        region: report.parse(spec.region.as_ref(), aws::region),
    };
    let github = github(&mut report, &spec.github);
    let guard = spec.budget_guard.as_ref();
    let budget_guard = guard.and_then(|guard| budget_guard(&mut report, guard));
    let cloudwatch = cloudwatch_of(&mut report, &spec.cloudwatch);
    let defaults = defaults(&mut report, spec);

    let made = || {
        let environment = Environment {
            name: name?,
            namespace: namespace?,
            cluster: cluster?,
            cluster_domain: cluster_domain.unwrap_or_else(|| "cluster.local".to_owned()),
            untested: untested.unwrap_or_default(),
            registry,
            github,
            budget_guard,
            cloudwatch,
            values: map(spec.values.as_ref()),
        };
        Some(ValidEnvironment {
            environment,
            defaults,
        })
    };
    let made = made();
    (
        made.filter(|_| !report.problems.has_errors()),
        report.problems,
    )
}

fn github(report: &mut Report, spec: &GithubSpec) -> GithubRef {
    let mut sources = BTreeMap::new();
    for (repository, source) in spec.sources.iter().flat_map(Spanned::get_ref) {
        let source = Spanned::new(repository.span(), source.clone());
        let source = report.parse(Some(&source), SourceRepository::parse);
        let repository = report.parse(Some(repository), RepositoryName::parse);
        sources.extend(repository.zip(source));
    }
    report.each_once(&spec.required);
    let name = |name: &str| match name.trim() {
        "" => Err("`required` names nothing here, write the name of a status or a check run"),
        _ => Ok(name.to_owned()),
    };
    let required = spec.required.iter();
    let required = required.filter_map(|written| report.parse(Some(written), name));
    let required = required.collect();
    GithubRef {
        api: report
            .parse(spec.api.as_ref(), GithubApi::parse)
            .unwrap_or_default(),
        owner: report.parse(spec.owner.as_ref(), Owner::parse),
        sources,
        required,
    }
}

fn budget_guard(report: &mut Report, written: &Spanned<TextOrNumber>) -> Option<BudgetGuard> {
    let guard = match written.get_ref() {
        TextOrNumber::Text(text) => cloudwatch::alarm(text).map(BudgetGuard::Alarm),
        TextOrNumber::Number(usd) => cloudwatch::amount(*usd).map(BudgetGuard::Above),
    };
    let problem = |message: String| report.push(report.error(&written.span(), message));
    guard.map_err(problem).ok()
}

fn cloudwatch_of(report: &mut Report, spec: &CloudWatchSpec) -> CloudWatchRef {
    report.each_once(&spec.billing_alarms);
    let alarms = spec.billing_alarms.iter();
    let alarms = alarms.filter_map(|name| report.parse(Some(name), cloudwatch::alarm_name));
    CloudWatchRef {
        billing_alarms: alarms.collect(),
        metrics: spec.metrics.as_ref().is_some_and(|on| *on.get_ref()),
        region: report.parse(spec.region.as_ref(), aws::region),
    }
}

fn defaults(report: &mut Report, spec: &EnvironmentSpec) -> Defaults {
    let written = &spec.defaults;
    let built_in = Defaults::default();
    let (cron, timezone) = (written.schedule.as_ref(), written.timezone.as_ref());
    setting::schedule(report, cron, timezone, &built_in);
    let own = |written: Option<&Spanned<String>>| written.map(|written| written.get_ref().clone());
    Defaults {
        branch: report.parse(written.branch.as_ref(), Branch::parse),
        tag: report
            .parse(written.tag.as_ref(), TagPattern::parse)
            .unwrap_or(built_in.tag),
        replicas: report.number(written.replicas.as_ref(), "replicas", REPLICAS),
        proof: setting::proof(report, written.proof.as_ref()).unwrap_or(built_in.proof),
        newest: setting::newest(report, written.newest.as_ref()).unwrap_or(built_in.newest),
        cron: own(cron),
        timezone: own(timezone),
        jitter: setting::bounded(report, written.jitter.as_ref()).unwrap_or(built_in.jitter),
        on_push: written
            .on_push
            .as_ref()
            .map_or(built_in.on_push, |on| *on.get_ref()),
        quiet_period: setting::bounded(report, written.quiet_period.as_ref())
            .unwrap_or(built_in.quiet_period),
        keep_old: setting::keep_old(report, written.keep_old.as_ref()).unwrap_or(built_in.keep_old),
        deploy_timeout: setting::timeout(report, written.deploy_timeout.as_ref())
            .unwrap_or(built_in.deploy_timeout),
        endpoint_delay: setting::endpoint_delay(report, written.endpoint_delay.as_ref())
            .unwrap_or(built_in.endpoint_delay),
        isolation: setting::isolation(report, written.isolation.as_ref())
            .unwrap_or(built_in.isolation),
        timeout: setting::timeout(report, written.timeout.as_ref()).unwrap_or(built_in.timeout),
    }
}

fn cluster(report: &mut Report, spec: &ClusterSpec) -> Option<ClusterRef> {
    let hint = "write { context = \"<a context of the kubeconfig>\" }, { eks = \"<a cluster's name>\" } or { in-cluster = true }";
    let in_cluster = spec.in_cluster.as_ref().is_some_and(|flag| *flag.get_ref());
    let message = match (&spec.context, &spec.eks, in_cluster) {
        (None, Some(_), false) => return eks(report, spec),
        (None, None, true) => {
            of_eks_only(report, spec);
            return Some(ClusterRef::InCluster);
        }
        (Some(context), None, false) if !context.get_ref().is_empty() => {
            of_eks_only(report, spec);
            return Some(ClusterRef::Context(context.get_ref().clone()));
        }
        (Some(_), None, false) => "`context` cannot be empty",
        (None, None, false) => "`cluster` does not say which",
        (Some(_), Some(_), _) => "`cluster` has both `context` and `eks`",
        (Some(_), None, true) => "`cluster` has both `context` and `in-cluster`",
        (None, Some(_), true) => "`cluster` has both `eks` and `in-cluster`",
    };
    report.push(report.error(&spec.place, message).hint(hint));
    None
}

fn eks(report: &mut Report, spec: &ClusterSpec) -> Option<ClusterRef> {
    let name = report.parse(spec.eks.as_ref(), aws::cluster);
    let region = report.parse(spec.region.as_ref(), aws::region);
    let role = report.parse(spec.role.as_ref(), aws::role);
    name.map(|name| ClusterRef::Eks(EksRef { name, region, role }))
}

fn of_eks_only(report: &mut Report, spec: &ClusterSpec) {
    for (key, written) in [("region", &spec.region), ("role", &spec.role)] {
        if let Some(written) = written {
            let message = format!("`{key}` says nothing of a cluster that is not `eks`");
            let hint = "name the cluster as { eks = \"<its name>\" }, or leave it out";
            report.push(report.error(&written.span(), message).hint(hint));
        }
    }
}

fn domain(text: &str) -> Result<String, String> {
    let label = |label: &str| Namespace::parse(label).is_ok();
    if text.len() <= 200 && text.split('.').all(label) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not a DNS domain, write one like cluster.local"
        ))
    }
}

#[cfg(test)]
mod tests;
