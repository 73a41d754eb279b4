//! Images that are promoted only if CI found their commits good.

use std::time::Duration;

use promoter::cli::view::{proposal as proposal_text, resolve_errors};
use promoter::engine::EngineError;
use promoter::engine::propose::{Proposal, ProposeError};
use promoter::engine::resolve::{ResolveError, Sources};
use promoter::group::github::Owner;
use promoter::group::image::RepositoryName;
use promoter::group::{CheckImage, Group, Newest, Proof};
use promoter::plan::image::RegistryImage;
use promoter::plan::proof::{REVISION_LABEL, SOURCE_LABEL, Standing};
use promoter::port::proof::ForgeError;
use promoter::port::registry::Said;
use promoter::port::{Clock as _, Registry};

use crate::support::given;
use crate::support::scenario::Scenario;

/// [`given::hello`], whose images and those of its check are to be proven.
fn hello() -> Group {
    let mut group = given::hello();
    group.proof = Proof::GithubChecks;
    group.environment.github.owner = Some(Owner::parse("acme").unwrap());
    group.checks[0].image = CheckImage::Branch(given::branch_image("hello-tests"));
    group
}

fn bad(why: &str) -> Standing {
    Standing::Bad(why.to_owned())
}

/// The images of a repository, newest first.
async fn images(scenario: &Scenario, repository: &str) -> Vec<RegistryImage> {
    let repository = RepositoryName::parse(repository).unwrap();
    let mut listing = scenario.registry.images(&repository).await.unwrap();
    listing.images.reverse();
    listing.images
}

/// The commit in an image's tag.
fn commit(image: &RegistryImage) -> &str {
    image.tags[0].rsplit('-').next().unwrap()
}

async fn propose(scenario: &Scenario) -> Result<Proposal, ProposeError> {
    let engine = scenario.engine(&scenario.process(None));
    let sources = scenario.sources(scenario.registry.as_ref());
    engine.propose(sources, &scenario.group).await
}

/// Why there is no plan, as a person reads it, and whether that is outside.
async fn refused(scenario: &Scenario) -> (String, bool) {
    let error = propose(scenario).await.unwrap_err();
    let ProposeError::Resolve(errors) = error else {
        panic!("{error:?}");
    };
    let outside = errors.iter().any(ResolveError::is_outside);
    let text = resolve_errors(&errors);
    (anstream::adapter::strip_str(&text).to_string(), outside)
}

#[tokio::test(start_paused = true)]
async fn an_image_whose_commit_is_bad_is_passed_over_until_it_is_good() {
    let scenario = Scenario::new(hello());
    let old = images(&scenario, "hello-a").await.remove(0);
    scenario.push_all();
    let newest = images(&scenario, "hello-a").await.remove(0);
    scenario
        .forge
        .says(commit(&newest), bad("check run lint failed"));

    let proposal = propose(&scenario).await.unwrap();
    assert_eq!(proposal.plan.apps[0].image.tag, old.tags[0]);
    let warning = format!(
        "app hello-a: {} passed over: check run lint failed",
        newest.tags[0]
    );
    assert_eq!(proposal.warnings, std::slice::from_ref(&warning));
    scenario.promote().await;
    assert!(scenario.events.warnings().contains(&warning));

    scenario.forge.says(commit(&newest), Standing::Good);
    let proposal = propose(&scenario).await.unwrap();
    assert_eq!(proposal.plan.apps[0].image.tag, newest.tags[0]);
    assert!(proposal.warnings.is_empty(), "{:?}", proposal.warnings);
    assert!(!proposal.is_up_to_date());
    scenario.promote().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_what_was_passed_over() {
    let scenario = Scenario::ready_for_green(hello()).await;
    let newest = images(&scenario, "hello-a").await.remove(0);
    scenario
        .forge
        .says(commit(&newest), bad("check run lint failed"));
    let proposal = propose(&scenario).await.unwrap();
    let now = scenario.clock.now();
    let text = proposal_text(&proposal, now, 100.into(), false);
    insta::assert_snapshot!(anstream::adapter::strip_str(&text), @"
    master  environment v2, namespace shop
    release 4bbce748fec9 would fill green, while blue serves release 33056c95a4fe

    APP      ACTIVE            CANDIDATE         BRANCH  BUILD  COMMIT   PUSHED
    hello-a  master-1-84af544  unchanged         master  1      84af544  2026-09-21 14:13 UTC
             84af54483690                                                60d ago
    hello-b  master-2-331a7b4  master-5-bb83482  master  5      bb83482  2026-09-21 14:13 UTC
             331a7b431116      bb83482cc148                              60d ago

    changes against what serves, with names as in blue:
    ~ Deployment hello-b-blue  of hello-b
            spec:
              containers:
              - env: []
      -         image: registry.test/hello-b@sha256:331a7b431116c1058a0ae360701cefaebce3c3da44a10a4c020591b44ac7ca0c
      +         image: registry.test/hello-b@sha256:bb83482cc148b3a7a18a2c8f0449b7355577ff1f7d3e857910c99719edd49220
                name: hello-b
                ports:
                - containerPort: 8080

    promotes only if check greets passes:
      greets  hello-tests master master-6-223f6e5 223f6e50f6b6  timeout 1m, judged by its exit code
    the candidate has 5m to become ready; blue stays 30s after the switch
    needs 5 of 110 free pods, 0m of 8000m free CPU, 0Mi of 16384Mi free memory

    warning: app hello-a: master-4-8e35dfe passed over: check run lint failed

    Plan: 1 app changes, 1 object changes, 1 check decides. Nothing was written.
    ");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_pending_or_unknown_is_passed_over_as_well() {
    let scenario = Scenario::new(hello());
    scenario.push_all();
    scenario.push_all();
    let tests = images(&scenario, "hello-tests").await;
    let pending = Standing::Pending("check run build has not ended (queued)".to_owned());
    scenario.forge.says(commit(&tests[0]), pending);
    let unknown = Standing::Unknown("nothing has reported on its commit".to_owned());
    scenario.forge.says(commit(&tests[1]), unknown);
    let proposal = propose(&scenario).await.unwrap();
    let expected = [
        "check run build has not ended (queued)",
        "nothing has reported on its commit",
    ];
    let expected = expected
        .iter()
        .zip(&tests)
        .map(|(why, image)| format!("check greets: {} passed over: {why}", image.tags[0]));
    assert_eq!(proposal.warnings, expected.collect::<Vec<_>>());
    let image = &proposal.plan.checks[0].image;
    assert!(image.ends_with(tests[2].digest.as_str()), "{image}");
}

#[tokio::test(start_paused = true)]
async fn where_none_is_good_nothing_is_planned() {
    let scenario = Scenario::new(hello());
    for _ in 0..30 {
        scenario.push_all();
    }
    for image in images(&scenario, "hello-b").await {
        scenario
            .forge
            .says(commit(&image), bad("status ci/build errored"));
    }
    let (text, outside) = refused(&scenario).await;
    insta::assert_snapshot!(text, @"
    error: failed to find the image of app `hello-b`: branch `master` of repository `hello-b`
      caused by: none of the 20 newest images is proven: `master-92-149db56` (status ci/build errored), `master-89-55712bc` (status ci/build errored), `master-86-1413210` (status ci/build errored) and 17 more; let CI pass on the branch, or run again what failed
    ");
    assert!(!outside);
    let of_b = scenario.forge.asked();
    let of_b = of_b
        .iter()
        .filter(|asked| asked.starts_with("acme/hello-b "));
    assert_eq!(of_b.count(), 20);
}

#[tokio::test(start_paused = true)]
async fn an_outage_takes_no_release_back() {
    let scenario = Scenario::new(hello());
    scenario.push_all();
    scenario.forge.fail(ForgeError::Unreachable {
        host: "api.github.com".to_owned(),
        source: Said("it answers with HTTP status 502".to_owned()),
    });
    let (text, outside) = refused(&scenario).await;
    insta::assert_snapshot!(text, @"
    error: failed to find the image of app `hello-a`: branch `master` of repository `hello-a`
      caused by: failed to get an answer of GitHub at api.github.com: try again later, or check the network and `api` under [github]
      caused by: it answers with HTTP status 502

    error: failed to find the image of app `hello-b`: branch `master` of repository `hello-b`
      caused by: failed to get an answer of GitHub at api.github.com: try again later, or check the network and `api` under [github]
      caused by: it answers with HTTP status 502

    error: failed to find the image of check `greets`: branch `master` of repository `hello-tests`
      caused by: failed to get an answer of GitHub at api.github.com: try again later, or check the network and `api` under [github]
      caused by: it answers with HTTP status 502

    error: failed to find 3 images
    ");
    assert!(outside);
    // Once for each repository, and for no older image.
    assert_eq!(scenario.forge.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_not_proven_is_no_part_of_a_disagreement() {
    let mut group = hello();
    group.apps.truncate(1);
    group.apps[0].needs.clear();
    let scenario = Scenario::new(group);
    scenario.registry.push_as("hello-a", "master-7-aaaaaaa");
    scenario.registry.push_as("hello-a", "master-6-bbbbbbb");
    let (text, _) = refused(&scenario).await;
    assert!(text.contains("has the higher build number"), "{text}");
    scenario.forge.says("aaaaaaa", bad("check run lint failed"));
    let proposal = propose(&scenario).await.unwrap();
    assert_eq!(proposal.plan.apps[0].image.tag, "master-6-bbbbbbb");
}

#[tokio::test(start_paused = true)]
async fn labels_are_believed_as_far_as_they_agree_with_the_tag() {
    let mut group = hello();
    group.apps.truncate(1);
    group.apps[0].needs.clear();
    group.checks[0] = given::check("greets");
    let scenario = Scenario::new(group);
    scenario.registry.push_as("hello-a", "master-7-aaaaaaa");
    let whole = format!("aaaaaaa{}", "0".repeat(33));
    let source = "https://github.com/acme/mono";
    scenario.registry.label(REVISION_LABEL, &whole);
    scenario.registry.label(SOURCE_LABEL, source);
    propose(&scenario).await.unwrap();
    assert_eq!(scenario.forge.asked(), [format!("acme/mono {whole}")]);

    // As a base image hands it down.
    scenario.registry.label(REVISION_LABEL, &"f".repeat(40));
    let (text, _) = refused(&scenario).await;
    let contradicts = format!("says `{}`, its tag `aaaaaaa`", "f".repeat(40));
    assert!(text.contains(&contradicts), "{text}");
    assert_eq!(scenario.forge.asked().len(), 1, "nobody was asked");
}

#[tokio::test(start_paused = true)]
async fn a_moving_tag_leads_to_no_other_image() {
    let mut group = hello();
    group.newest = Newest::MovingTag;
    group.apps.truncate(1);
    group.apps[0].needs.clear();
    group.checks[0] = given::check("greets");
    let scenario = Scenario::new(group);
    scenario
        .registry
        .push_as("hello-a", "master-7-aaaaaaa branch.master");
    assert_eq!(
        propose(&scenario).await.unwrap().plan.apps[0].image.build,
        7
    );
    scenario.forge.says("aaaaaaa", bad("check run lint failed"));
    let (text, _) = refused(&scenario).await;
    assert!(
        text.contains("`master-7-aaaaaaa` (check run lint failed)"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_for_proof_is_said() {
    let scenario = Scenario::ready_for_green(hello()).await;
    scenario.forge.takes(Duration::from_secs(30));
    scenario.promote().await;
    assert_eq!(
        scenario.events.waits()[0],
        "the registry and GitHub to say which images there are, and which are proven"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_to_ask_is_no_proof() {
    let scenario = Scenario::new(hello());
    let engine = scenario.engine(&scenario.process(None));
    let sources = Sources::pushed(scenario.registry.as_ref());
    let error = engine.propose(sources, &scenario.group).await.unwrap_err();
    assert!(matches!(error, ProposeError::Resolve(errors) if errors.len() == 3));
}

#[tokio::test(start_paused = true)]
async fn groups_that_do_not_ask_for_it_ask_nobody() {
    let mut group = hello();
    group.proof = Proof::Pushed;
    let scenario = Scenario::new(group);
    scenario.promote().await;
    assert!(scenario.forge.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_deploy_without_proof_changes_nothing() {
    let scenario = Scenario::new(hello());
    let newest = images(&scenario, "hello-a").await.remove(0);
    scenario
        .forge
        .says(commit(&newest), bad("check run lint failed"));
    let error = scenario.deploy().await.unwrap_err();
    assert!(
        matches!(error, EngineError::Propose(ProposeError::Resolve(_))),
        "{error:?}"
    );
    scenario.rests_at(None);
}
