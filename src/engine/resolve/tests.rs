//! Resolving whole groups from a registry in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::*;
use crate::group::cloudwatch::CloudWatchRef;
use crate::group::github::GithubRef;
use crate::group::image::TagPattern;
use crate::group::name::{EnvironmentName, GroupName, Namespace};
use crate::group::triggers::Triggers;
use crate::group::{
    App, Check, ClusterRef, Environment, Inline, Manifest, Proof, RegistryRef, Report, Start,
    Strategy, Untested,
};
use crate::plan::image::{Digest, Platform, RegistryImage};
use crate::plan::init::Repositories;
use crate::plan::resolve::BRANCH_LABEL;
use crate::port::registry::{ImageDetails, Listing};

/// A registry in memory that notes what it was asked.
#[derive(Default)]
struct Fake {
    images: BTreeMap<RepositoryName, Vec<(RegistryImage, Option<&'static str>)>>,
    asked: Mutex<Vec<String>>,
}

impl Fake {
    /// Adds an image with its tags; its digest holds `n`, its time of push is
    /// `n` as well.
    fn with(mut self, repository: &str, n: i64, tag: &str, label: Option<&'static str>) -> Self {
        let image = RegistryImage {
            digest: digest(n),
            tags: tag.split(' ').map(str::to_owned).collect(),
            pushed_at: Timestamp::from_second(n).unwrap(),
        };
        let repository = RepositoryName::parse(repository).unwrap();
        self.images
            .entry(repository)
            .or_default()
            .push((image, label));
        self
    }

    fn asked(&self, prefix: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|a| a.starts_with(prefix)).count()
    }
}

#[async_trait]
impl Registry for Fake {
    async fn images(&self, repository: &RepositoryName) -> Result<Listing, RegistryError> {
        self.asked
            .lock()
            .unwrap()
            .push(format!("images {repository}"));
        let images = self.images.get(repository);
        let images = images.ok_or_else(|| RegistryError::RepositoryNotFound {
            repository: repository.clone(),
            registry: "the registry in memory".to_owned(),
            similar: Vec::new(),
        })?;
        Ok(Listing {
            registry: "registry.test".to_owned(),
            images: images.iter().map(|(image, _)| image.clone()).collect(),
        })
    }

    async fn tagged(
        &self,
        repository: &RepositoryName,
        tag: &str,
    ) -> Result<Listing, RegistryError> {
        let mut listing = self.images(repository).await?;
        self.asked.lock().unwrap().pop();
        self.asked.lock().unwrap().push(format!("tagged {tag}"));
        listing.images.retain(|i| i.tags.iter().any(|t| t == tag));
        Ok(listing)
    }

    async fn repositories(&self) -> Result<Repositories, RegistryError> {
        Ok(Repositories::default())
    }

    async fn inspect(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ImageDetails, RegistryError> {
        self.asked
            .lock()
            .unwrap()
            .push(format!("inspect {repository}"));
        let found = self.images[repository]
            .iter()
            .find(|(image, _)| image.digest == *digest);
        let label = found.unwrap().1;
        let platform = Platform {
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
        };
        Ok(ImageDetails {
            platforms: vec![platform],
            labels: label
                .map(|l| (BRANCH_LABEL.to_owned(), l.to_owned()))
                .into_iter()
                .collect(),
        })
    }
}

fn digest(n: i64) -> Digest {
    Digest::parse(&format!("sha256:{n:064x}")).unwrap()
}

fn branch_image(repository: &str, branch: &str) -> BranchImage {
    BranchImage {
        repository: RepositoryName::parse(repository).unwrap(),
        branch: Branch::parse(branch).unwrap(),
        tag: TagPattern::default(),
    }
}

fn group(apps: &[(&str, BranchImage)], checks: &[(&str, CheckImage)]) -> Group {
    let app = |(name, image): &(&str, BranchImage)| App {
        name: AppName::parse(name).unwrap(),
        image: image.clone(),
        manifest: Manifest::Inline(Inline::default()),
        port: None,
        replicas: None,
        start: Start::Beside,
        needs: Vec::new(),
        values: BTreeMap::new(),
    };
    let check = |(name, image): &(&str, CheckImage)| Check {
        name: CheckName::parse(name).unwrap(),
        image: image.clone(),
        command: Vec::new(),
        env: BTreeMap::new(),
        timeout: Duration::from_mins(1),
        start_timeout: Duration::from_secs(1),
        report: Report::None,
    };
    Group {
        name: GroupName::parse("master").unwrap(),
        environment: Environment {
            name: EnvironmentName::parse("v2").unwrap(),
            namespace: Namespace::parse("v2").unwrap(),
            cluster: ClusterRef::InCluster,
            cluster_domain: "cluster.local".to_owned(),
            untested: Untested::Refused,
            registry: RegistryRef::default(),
            github: GithubRef::default(),
            budget_guard: None,
            cloudwatch: CloudWatchRef::default(),
            values: BTreeMap::new(),
        },
        triggers: Triggers::default(),
        requires: Vec::new(),
        proof: Proof::Pushed,
        newest: Newest::Pushed,
        strategy: Strategy {
            on_regression: crate::group::OnRegression::SwitchBack,
            parallel_checks: 4,
            isolation: crate::group::Isolation::Pinning,
            keep_failed: Duration::ZERO,
            keep_old: Duration::from_secs(30),
            deploy_timeout: Duration::from_mins(5),
            endpoint_delay: Duration::from_millis(800),
        },
        apps: apps.iter().map(app).collect(),
        checks: checks.iter().map(check).collect(),
        hooks: Vec::new(),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

async fn resolved(registry: &Fake, group: &Group) -> Resolved {
    resolve(Sources::pushed(registry), group).await.unwrap()
}

async fn errors(registry: &Fake, group: &Group) -> Vec<String> {
    let errors = resolve(Sources::pushed(registry), group).await.unwrap_err();
    errors.iter().map(|error| chain(error)).collect()
}

#[tokio::test]
async fn every_app_and_check_gets_its_image() {
    let registry = Fake::default()
        .with("hello-a", 1, "master-1-aaaaaaa", None)
        .with("hello-a", 2, "develop-2-bbbbbbb", None)
        .with("hello-tests", 3, "master-3-ccccccc", None);
    let group = group(
        &[
            ("one", branch_image("hello-a", "master")),
            ("two", branch_image("hello-a", "develop")),
            ("three", branch_image("hello-a", "master")),
        ],
        &[
            (
                "own",
                CheckImage::Branch(branch_image("hello-tests", "master")),
            ),
            (
                "same",
                CheckImage::Branch(branch_image("hello-a", "master")),
            ),
            ("app", CheckImage::App(AppName::parse("two").unwrap())),
            ("fixed", CheckImage::Image("busybox:1".to_owned())),
        ],
    );
    let found = resolved(&registry, &group).await;
    let apps: Vec<_> = found
        .apps
        .iter()
        .map(|(n, i)| (n.as_str(), i.reference.clone()))
        .collect();
    let reference = |repository, n| format!("registry.test/{repository}@{}", digest(n));
    assert_eq!(
        apps,
        [
            ("one", reference("hello-a", 1)),
            ("three", reference("hello-a", 1)),
            ("two", reference("hello-a", 2)),
        ]
    );
    let checks: Vec<_> = found
        .checks
        .iter()
        .map(|(n, i)| (n.as_str(), i.reference()))
        .collect();
    assert_eq!(
        checks,
        [
            ("app", &*reference("hello-a", 2)),
            ("fixed", "busybox:1"),
            ("own", &*reference("hello-tests", 3)),
            ("same", &*reference("hello-a", 1)),
        ]
    );
    let one = &found.apps["one"];
    assert_eq!((one.build, one.commit.as_deref()), (1, Some("aaaaaaa")));
    assert_eq!(one.platforms[0].to_string(), "linux/amd64");
    assert!(one.warnings.is_empty());
    assert_eq!(registry.asked("images"), 2);
    assert_eq!(registry.asked("inspect"), 3);
}

#[tokio::test]
async fn every_error_is_told_with_its_place() {
    let registry = Fake::default()
        .with("hello-a", 1, "master-2-aaaaaaa", None)
        .with("hello-a", 2, "master-1-bbbbbbb", None);
    let group = group(
        &[
            ("one", branch_image("hello-a", "develop")),
            ("two", branch_image("hello-z", "master")),
        ],
        &[
            ("old", CheckImage::Branch(branch_image("hello-a", "master"))),
            ("app", CheckImage::App(AppName::parse("one").unwrap())),
            ("lost", CheckImage::App(AppName::parse("six").unwrap())),
        ],
    );
    assert_eq!(
        errors(&registry, &group).await,
        [
            "failed to find the image of app `one`: branch `develop` of repository `hello-a`: no \
             tag has the branch's slug `develop`; there are images of `master`",
            "failed to find the image of app `two`: branch `master` of repository `hello-z`: \
             repository `hello-z` does not exist in the registry in memory: check `repository`, \
             the account and the region",
            "failed to find the image of check `old`: branch `master` of repository `hello-a`: \
             `master-1-bbbbbbb` (000000000000, pushed 1970-01-01T00:00:02Z) was pushed last, but \
             `master-2-aaaaaaa` (000000000000, pushed 1970-01-01T00:00:01Z) has the higher build \
             number: run CI again for the one that is wanted, or set `newest = \"build\"` to take \
             the higher build",
            "check `lost` runs in the image of app `six`, which is not in the group",
        ]
    );
}

#[tokio::test]
async fn labels_tell_branches_apart_that_are_tagged_alike() {
    let registry = Fake::default()
        .with("hello-a", 1, "feature-a-1-aaaaaaa", Some("feature/a"))
        // Builds are counted per branch, so the other branch's are no disorder.
        .with("hello-a", 2, "feature-a-7-bbbbbbb", Some("feature-a"))
        .with("hello-a", 3, "feature-a-2-ccccccc", Some("feature/a"))
        .with("hello-a", 4, "feature-a-9-ddddddd", Some("feature-a"));
    for (branch, tag) in [
        ("feature/a", "feature-a-2-ccccccc"),
        ("feature-a", "feature-a-9-ddddddd"),
    ] {
        let group = group(&[("one", branch_image("hello-a", branch))], &[]);
        let image = &resolved(&registry, &group).await.apps["one"];
        assert_eq!(image.tag, tag);
        assert!(image.warnings.is_empty());
    }
}

#[tokio::test]
async fn without_a_label_there_is_a_warning() {
    let registry = Fake::default().with("hello-a", 1, "feature-a-1-aaaaaaa", Some("ubuntu"));
    let group = group(&[("one", branch_image("hello-a", "feature/a"))], &[]);
    let image = &resolved(&registry, &group).await.apps["one"];
    assert_eq!(image.warnings.len(), 1);
    assert!(image.warnings[0].contains("`feature-a` if there is such a branch"));
}

#[tokio::test]
async fn only_so_many_labels_are_read() {
    let all_of_other = (1..500).fold(Fake::default(), |registry, n| {
        registry.with(
            "hello-a",
            n,
            &format!("feature-a-{n}-aaaaaaa"),
            Some("feature-a"),
        )
    });
    let group = group(&[("one", branch_image("hello-a", "feature/a"))], &[]);
    assert_eq!(
        errors(&all_of_other, &group).await,
        [
            "failed to find the image of app `one`: branch `feature/a` of repository `hello-a`: the \
             40 newest images with a tag of the branch are of other branches by their labels: \
             `feature-a`"
        ]
    );
    assert_eq!(all_of_other.asked("inspect"), 40);
}

#[tokio::test]
async fn moving_tags_are_looked_up_and_nothing_is_listed() {
    let registry = Fake::default()
        .with("hello-a", 1, "master-1-aaaaaaa branch.master", None)
        .with("hello-a", 2, "master-2-bbbbbbb", None)
        .with("hello-a", 3, "x-a-1-ccccccc branch.x-a", Some("x-a"));
    let app = |name, branch| (name, branch_image("hello-a", branch));
    let mut group = group(&[app("one", "master"), app("two", "master")], &[]);
    group.newest = Newest::MovingTag;
    assert_eq!(
        resolved(&registry, &group).await.apps["two"].tag,
        "master-1-aaaaaaa"
    );
    let asked = registry.asked.lock().unwrap().clone();
    assert_eq!(asked, ["tagged branch.master", "inspect hello-a"]);

    // Branches of one slug share the moving tag as well: whoever pushed last has it.
    group.apps[0].image = branch_image("hello-a", "x/a");
    group.apps[1].image = branch_image("hello-a", "develop");
    assert_eq!(
        errors(&registry, &group).await,
        [
            "failed to find the image of app `one`: branch `x/a` of repository `hello-a`: the 1 \
             newest images with a tag of the branch are of other branches by their labels: `x-a`",
            "failed to find the image of app `two`: branch `develop` of repository `hello-a`: the \
             repository has no tag `branch.develop`: have CI move it to each good image of the \
             branch, or set `newest = \"pushed\"` to find the image by its numbered tag",
        ]
    );
}

#[test]
fn it_can_be_spawned() {
    fn spawnable<T: Send>(_: T) {}
    let group = group(&[], &[]);
    spawnable(resolve(Sources::pushed(&Fake::default()), &group));
}
