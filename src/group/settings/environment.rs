//! The settings of an environment file, but for `[defaults]`: these are shown
//! where they hold, with their groups.

use std::collections::BTreeMap;

use super::{Setting, Shown, at, is, names, word};
use crate::group::cloudwatch::BudgetGuard;
use crate::group::spec::{CloudWatchSpec, EnvironmentSpec, GithubSpec};
use crate::group::{ClusterRef, Environment};

/// All of them; `made` is what came of `spec`.
pub fn environment(spec: &EnvironmentSpec, made: &Environment) -> Vec<Setting> {
    let EnvironmentSpec {
        source,
        place: _,
        name,
        namespace,
        cluster: _,
        cluster_domain,
        untested,
        values,
        defaults: _,
        account,
        region,
        github: _,
        budget_guard,
        cloudwatch: _,
    } = spec;
    let text = |value: &Option<String>| Shown::from(value.clone());
    let mut settings = vec![
        Setting::new(
            "environment.name",
            made.name.as_str(),
            at(source, name.as_ref()),
        ),
        Setting::new(
            "environment.namespace",
            made.namespace.as_str(),
            at(source, namespace.as_ref()),
        ),
    ];
    settings.extend(cluster(spec, made));
    settings.extend([
        Setting::new(
            "environment.cluster_domain",
            made.cluster_domain.as_str(),
            at(source, cluster_domain.as_ref()),
        ),
        Setting::new(
            "environment.untested",
            word(made.untested),
            at(source, untested.as_ref()),
        ),
        Setting::new(
            "environment.budget_guard",
            made.budget_guard.as_ref().map(guard),
            at(source, budget_guard.as_ref()),
        ),
        Setting::new(
            "values",
            names(values.as_ref()),
            at(source, values.as_ref()),
        ),
        Setting::new(
            "registry.account",
            text(&made.registry.account),
            at(source, account.as_ref()),
        ),
        Setting::new(
            "registry.region",
            text(&made.registry.region),
            at(source, region.as_ref()),
        ),
    ]);
    settings.extend(github(spec, made));
    settings.extend(cloudwatch(spec, made));
    settings
}

fn guard(guard: &BudgetGuard) -> Shown {
    match guard {
        BudgetGuard::Alarm(alarm) => alarm.to_string().into(),
        BudgetGuard::Above(usd) => is(*usd),
    }
}

fn cloudwatch(spec: &EnvironmentSpec, made: &Environment) -> [Setting; 3] {
    let source = &spec.source;
    let CloudWatchSpec {
        billing_alarms,
        metrics,
        region,
    } = &spec.cloudwatch;
    let made = &made.cloudwatch;
    let alarms = Some(made.billing_alarms.clone()).filter(|names| !names.is_empty());
    [
        Setting::new(
            "cloudwatch.billing_alarms",
            alarms,
            at(source, billing_alarms.first()),
        ),
        Setting::new(
            "cloudwatch.metrics",
            is(made.metrics),
            at(source, metrics.as_ref()),
        ),
        Setting::new(
            "cloudwatch.region",
            made.region.clone(),
            at(source, region.as_ref()),
        ),
    ]
}

fn cluster(spec: &EnvironmentSpec, made: &Environment) -> Vec<Setting> {
    let Some(written) = &spec.cluster else {
        return Vec::new();
    };
    let source = &spec.source;
    let (context, eks, inside) = match &made.cluster {
        ClusterRef::Context(context) => (Some(context.as_str()), None, false),
        ClusterRef::Eks(eks) => (None, Some(eks), false),
        ClusterRef::InCluster => (None, None, true),
    };
    let region = eks.and_then(|eks| eks.region.as_deref());
    let role = eks.and_then(|eks| eks.role.as_deref());
    let eks = eks.map(|eks| eks.name.as_str());
    let setting = |name: &str, value: Shown, from| {
        Setting::new(format!("environment.cluster.{name}"), value, from)
    };
    vec![
        setting(
            "context",
            context.into(),
            at(source, written.context.as_ref()),
        ),
        setting("eks", eks.into(), at(source, written.eks.as_ref())),
        setting("region", region.into(), at(source, written.region.as_ref())),
        setting("role", role.into(), at(source, written.role.as_ref())),
        setting(
            "in-cluster",
            is(inside),
            at(source, written.in_cluster.as_ref()),
        ),
    ]
}

fn github(spec: &EnvironmentSpec, made: &Environment) -> [Setting; 4] {
    let source = &spec.source;
    let GithubSpec {
        api,
        owner,
        required,
        sources,
    } = &spec.github;
    let github = &made.github;
    let of: BTreeMap<_, _> = github
        .sources
        .iter()
        .map(|(repository, source)| (repository.to_string(), source.to_string()))
        .collect();
    let of = (!of.is_empty()).then(|| is(of.into_iter().collect::<serde_json::Value>()));
    let asked = Some(github.required.clone()).filter(|names| !names.is_empty());
    let owned = github.owner.as_ref().map(ToString::to_string);
    [
        Setting::new(
            "github.api",
            github.api.to_string(),
            at(source, api.as_ref()),
        ),
        Setting::new("github.owner", owned, at(source, owner.as_ref())),
        Setting::new("github.required", asked, at(source, required.first())),
        Setting::new("github.sources", of, at(source, sources.as_ref())),
    ]
}
