//! The least that a promotion can take on a cluster.
//!
//! Creates Deployments, waits until their pods are ready, creates Jobs, and
//! waits until the Jobs' pods have ended well. It plans, records, guards and
//! switches nothing: whatever promoter takes beyond this is its own doing.
//! What it made stays, for the bench to remove outside of the time it takes.
//!
//! `floor CONTEXT NAMESPACE FILE`: the file is JSON with the lists
//! `deployments` and `jobs`.

#[path = "../../../src/adapter/kubernetes/client.rs"]
mod client;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::serde::Serialize;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Config, ResourceExt};
use serde_json::Value;

/// The container whose end is the check's end, as in promoter.
const CHECK: &str = "check";
/// Names the Job of a pod.
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

type Pods = BTreeMap<String, Pod>;

#[tokio::main]
async fn main() -> Result<()> {
    let start = Instant::now();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [context, namespace, file] = arguments.as_slice() else {
        bail!("usage: floor CONTEXT NAMESPACE FILE");
    };
    let text = std::fs::read(file).with_context(|| format!("failed to read {file}"))?;
    let work: Value = serde_json::from_slice(&text)?;
    let deployments: Vec<Deployment> = list(&work, "deployments")?;
    let jobs: Vec<Job> = list(&work, "jobs")?;

    let client = client(context).await?;
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    let mut changes = watcher(pods, watcher::Config::default()).boxed();
    let mut seen = Pods::new();

    let creating = create(&client, namespace, deployments.clone());
    let ready = until(&mut changes, &mut seen, |pods| {
        Ok(deployments.iter().all(|one| is_ready(one, pods)))
    });
    futures::try_join!(creating, ready)?;
    let ready_after = start.elapsed();

    let creating = create(&client, namespace, jobs.clone());
    let ended = until(&mut changes, &mut seen, |pods| {
        jobs.iter()
            .try_fold(true, |all, job| Ok(all && has_ended(job, pods)?))
    });
    futures::try_join!(creating, ended)?;
    let took = serde_json::json!({
        "ready": ready_after.as_secs_f64(),
        "ended": start.elapsed().as_secs_f64(),
    });
    println!("{took}");
    Ok(())
}

async fn client(context: &str) -> Result<Client> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(Kubeconfig::read()?, &options).await?;
    let client = client::client(
        config,
        concat!("floor/", env!("CARGO_PKG_VERSION")),
        std::convert::identity,
    );
    client.map_err(|error| anyhow!(error))
}

fn list<T: DeserializeOwned>(work: &Value, key: &str) -> Result<Vec<T>> {
    serde_json::from_value(work[key].clone()).with_context(|| format!("{key} is no such list"))
}

/// Creates all of them at the same time.
async fn create<T>(client: &Client, namespace: &str, objects: Vec<T>) -> Result<()>
where
    T: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize,
    T::DynamicType: Default,
{
    let api = Api::<T>::namespaced(client.clone(), namespace);
    let parameters = PostParams::default();
    try_join_all(objects.iter().map(|object| api.create(&parameters, object))).await?;
    Ok(())
}

/// Follows the pods until something holds of them.
async fn until(
    changes: &mut (impl StreamExt<Item = watcher::Result<Event<Pod>>> + Unpin),
    seen: &mut Pods,
    holds: impl Fn(&Pods) -> Result<bool>,
) -> Result<()> {
    while !holds(seen)? {
        match changes
            .try_next()
            .await?
            .context("the watch of pods ended")?
        {
            Event::Apply(pod) | Event::InitApply(pod) => drop(seen.insert(pod.name_any(), pod)),
            Event::Delete(pod) => drop(seen.remove(&pod.name_any())),
            Event::Init | Event::InitDone => {}
        }
    }
    Ok(())
}

/// Whether a Deployment has as many ready pods as it asks for.
fn is_ready(deployment: &Deployment, pods: &Pods) -> bool {
    let spec = deployment.spec.as_ref();
    let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let selector = spec.and_then(|spec| spec.selector.match_labels.as_ref());
    let own = |pod: &&Pod| {
        let mut labels = selector.into_iter().flatten();
        labels.all(|(key, value)| pod.labels().get(key) == Some(value))
    };
    let ready = |pod: &&Pod| {
        let conditions = pod
            .status
            .iter()
            .flat_map(|status| status.conditions.iter());
        let mut conditions = conditions.flatten();
        conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
    };
    i32::try_from(pods.values().filter(own).filter(ready).count()).is_ok_and(|n| n >= wanted)
}

/// Whether the check of a Job has ended; an error if it did not end well.
fn has_ended(job: &Job, pods: &Pods) -> Result<bool> {
    let name = job.name_any();
    let own = pods
        .values()
        .filter(|pod| pod.labels().get(JOB_NAME) == Some(&name));
    let statuses = own
        .filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref())
        .flatten()
        .filter(|container| container.name == CHECK);
    let mut ends = statuses.filter_map(|container| container.state.as_ref()?.terminated.as_ref());
    match ends.next() {
        None => Ok(false),
        Some(end) if end.exit_code == 0 => Ok(true),
        Some(end) => bail!("{name} exited with {}", end.exit_code),
    }
}
