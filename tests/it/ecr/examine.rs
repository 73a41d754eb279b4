//! What the doctor asks of a repository.

use promoter::port::RegistryError;
use promoter::port::chain::{RepositoryFound, Tags};
use promoter::port::registry::CredentialProblem;
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

use super::{action, answer, ecr, failure, hello};

const ACTIONS: [&str; 4] = [
    "DescribeImages",
    "BatchGetImage",
    "GetDownloadUrlForLayer",
    "DescribeRepositories",
];

/// ECR of somebody who may do all this, but for one thing.
async fn examined(but: Option<(&str, ResponseTemplate)>, repository: Value) -> Answered {
    let server = MockServer::start().await;
    if let Some((denied, with)) = but {
        action(denied)
            .respond_with(with)
            .with_priority(1)
            .mount(&server)
            .await;
    }
    let layers = failure(400, "LayersNotFoundException", "no such layer");
    let missing = json!({"images": [], "failures": [{"failureCode": "ImageNotFound"}]});
    for (name, with) in ACTIONS.into_iter().zip([
        answer(&json!({"imageDetails": []})),
        answer(&missing),
        layers,
        answer(&json!({"repositories": [repository]})),
    ]) {
        action(name).respond_with(with).mount(&server).await;
    }
    let found = ecr(&server).await.examine(&hello()).await;
    let requests = server.received_requests().await.unwrap();
    let asked = requests.iter().map(|request| {
        let target = request.headers["x-amz-target"].to_str().unwrap();
        target.rsplit('.').next().unwrap().to_owned()
    });
    (found, asked.collect())
}

type Answered = (Result<RepositoryFound, RegistryError>, Vec<String>);

fn denied() -> ResponseTemplate {
    failure(400, "AccessDeniedException", "not authorized")
}

fn mutability(word: &str, filters: &[&str]) -> Value {
    let filter = |filter: &&str| json!({"filterType": "WILDCARD", "filter": filter});
    let filters: Vec<_> = filters.iter().map(filter).collect();
    json!({
        "repositoryName": "hello-a",
        "imageTagMutability": word,
        "imageTagMutabilityExclusionFilters": filters,
    })
}

#[tokio::test]
async fn which_tags_can_be_moved() {
    for (word, immutable, filters) in [
        ("IMMUTABLE", true, &[][..]),
        ("IMMUTABLE_WITH_EXCLUSION", true, &["branch.*", "env.*"][..]),
        ("MUTABLE", false, &[]),
        ("MUTABLE_WITH_EXCLUSION", false, &["v*"]),
    ] {
        let (found, asked) = examined(None, mutability(word, filters)).await;
        let except = filters.iter().map(|&text| text.to_owned()).collect();
        let tags = Some(Tags { immutable, except });
        assert_eq!(found, Ok(RepositoryFound { labels: true, tags }), "{word}");
        assert_eq!(asked, ACTIONS);
    }
    let unknown = examined(None, mutability("SOMETHING_NEW", &[])).await.0;
    assert_eq!(unknown.unwrap().tags, None);
}

#[tokio::test]
async fn a_permission_that_planning_needs() {
    for action in ["DescribeImages", "BatchGetImage"] {
        let but = Some((action, denied()));
        let error = examined(but, mutability("MUTABLE", &[]))
            .await
            .0
            .unwrap_err();
        let RegistryError::Credentials { problem, .. } = error else {
            panic!("{action}: {error:?}")
        };
        assert_eq!(problem, CredentialProblem::Denied);
    }
}

#[tokio::test]
async fn a_permission_that_it_does_without() {
    let found = |but| examined(Some((but, denied())), mutability("IMMUTABLE", &[]));
    let labels = found("GetDownloadUrlForLayer").await.0.unwrap();
    assert!(!labels.labels && labels.tags.is_some());
    let tags = found("DescribeRepositories").await.0.unwrap();
    assert_eq!((tags.labels, tags.tags), (true, None));
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_told_with_those_like_it() {
    let gone = failure(400, "RepositoryNotFoundException", "It does not exist");
    let but = Some(("DescribeImages", gone));
    let alike = json!({"repositoryName": "hello-aa"});
    let error = examined(but, alike).await.0.unwrap_err();
    assert!(
        error.to_string().ends_with("did you mean `hello-aa`?"),
        "{error}"
    );
}
