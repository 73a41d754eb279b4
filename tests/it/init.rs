//! `promoter init`: what it proposes for what runs is valid, and can be adopted.

use std::fs;
use std::path::Path;

use promoter::adapter::files::Catalog;
use promoter::engine::Deployed;
use promoter::engine::init::{InitError, look};
use promoter::group::Group;
use promoter::group::name::Namespace;
use promoter::group::validate::Overrides;
use promoter::plan::init::{Draft, Wish, draft};
use promoter::port::ClusterError;
use promoter::port::registry::{RegistryError, Said};
use promoter::promotion::phase::Phase;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::Scenario;
use crate::support::simulate::Run;

const APPS: [&str; 2] = ["hello-a", "hello-b"];

/// Both apps run as somebody else made them.
fn standing() -> Scenario {
    let scenario = Scenario::new(given::hello_with_window());
    scenario
        .world
        .meddle(|state| APPS.iter().for_each(|app| state.stand(app)));
    scenario
}

async fn proposed(scenario: &Scenario) -> Result<Draft, InitError> {
    let process = scenario.process(None);
    let namespace = Namespace::parse("v2").unwrap();
    let found = look(&*process, &*process, "prod".to_owned(), namespace).await?;
    Ok(draft(&found, &Wish::default()).unwrap())
}

/// The group of a draft, once its files are written.
fn written(draft: &Draft, folder: &Path) -> Group {
    for file in &draft.files {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.text).unwrap();
    }
    let validation = Catalog::load(folder).validate_all();
    assert!(!validation.problems.has_errors(), "{}", validation.problems);
    let group = Catalog::load(folder).group(draft.group.as_str(), &Overrides::default());
    group.unwrap_or_else(|problems| panic!("{problems}"))
}

#[tokio::test(start_paused = true)]
async fn what_it_proposes_can_be_adopted() {
    let scenario = standing();
    let draft = proposed(&scenario).await.unwrap();
    assert!(draft.adopts);
    let folder = tempfile::tempdir().unwrap();
    let mut group = written(&draft, folder.path());
    let apps: Vec<_> = group.apps.iter().map(|app| app.name.as_str()).collect();
    assert_eq!(apps, APPS);
    assert_eq!(
        (group.apps[0].port, group.apps[0].replicas),
        (Some(8080), Some(2))
    );
    group.checks = vec![given::check("greets")];
    scenario.world.run("greets", Run::exits(0));
    let process = scenario.process(None);
    let engine = scenario.engine(&process);
    let never = CancellationToken::new();
    let sources = scenario.sources(process.as_ref());
    let adopted = engine.adopt(sources, &group, scenario.options(), never);
    let adopted = Box::pin(adopted).await.unwrap();
    let Deployed::Ended { outcome, .. } = adopted else {
        panic!("{adopted:?}")
    };
    assert_eq!(outcome.phase, Phase::Promoted);
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_is_told_of() {
    let scenario = standing();
    let scaler = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": "by-load", "uid": "uid-of-by-load" },
        "spec": { "scaleTargetRef": { "kind": "Deployment", "name": "hello-a" } },
    });
    scenario.world.meddle(|state| state.put(scaler));
    let draft = proposed(&scenario).await.unwrap();
    let said = "app hello-a: HorizontalPodAutoscaler by-load scales it";
    assert!(
        draft.notes.iter().any(|note| note.starts_with(said)),
        "{:?}",
        draft.notes
    );
}

/// It asks; it changes nothing.
#[tokio::test(start_paused = true)]
async fn where_nothing_runs_apps_come_from_the_registry() {
    let scenario = Scenario::new(given::hello());
    let draft = proposed(&scenario).await.unwrap();
    assert!(!draft.adopts);
    let folder = tempfile::tempdir().unwrap();
    let group = written(&draft, folder.path());
    let apps: Vec<_> = group.apps.iter().map(|app| app.name.as_str()).collect();
    assert_eq!(apps, APPS);
    let state = scenario.world.state();
    let changes = ["create", "apply", "alter", "write", "delete"];
    let changes = changes.iter().flat_map(|call| state.journal.calls(call));
    assert_eq!(changes.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_named() {
    let scenario = standing();
    let source = Said("connection refused".to_owned());
    scenario
        .registry
        .fail(RegistryError::Unreachable { source });
    let error = proposed(&scenario).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the cluster has 2 Deployments in namespace v2, but the registry does not say which images are its own"
    );
    let forbidden = ClusterError::Forbidden {
        action: "list Deployments".to_owned(),
        reason: "alice may not".to_owned(),
    };
    scenario.world.fail("all", 1, forbidden.clone());
    let error = proposed(&scenario).await.unwrap_err();
    assert!(matches!(error, InitError::Cluster(found) if found == forbidden));
}
