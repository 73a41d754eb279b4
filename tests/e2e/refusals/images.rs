//! Branches without an image to take, and a registry that does not answer.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::SystemTime;

use serde_json::json;

use super::{OUTSIDE, REFUSED, app, group, plan_refused, refused, refused_with};
use crate::support::{Folder, Promoter, ecr, repository, until};

const WAITS: &str = "waits for the registry to say which images there are";

#[test]
fn images_that_cannot_be_taken() {
    let folder = Folder::new("images");
    let disordered = repository("disordered");
    ecr("create-repository", "disordered", &[]);
    for build in [2, 1] {
        // The double tells push times in whole seconds.
        let before = seconds();
        until("the next second", || (seconds() > before).then_some(()));
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": format!("sha256:{build:064}") },
            "layers": [],
        });
        let tag = format!("master-{build}-000000{build}");
        // The double computes other digests than a registry.
        let digest = format!("sha256:{build:064}");
        let of = ["--image-tag", &tag, "--image-digest", &digest];
        let what = ["--image-manifest", &manifest.to_string()];
        ecr("put-image", "disordered", &[of.as_slice(), &what].concat());
    }
    let mut missing = app("missing");
    missing.repository = repository("hello-bb");
    let mut no_branch = app("no-branch");
    no_branch.branch = Some("feature/a".to_owned());
    let mut slip = app("slip");
    slip.branch = Some("mastr".to_owned());
    let mut pattern = app("pattern");
    pattern.more = "tag = \"release-{slug}-{build}\"".to_owned();
    let mut order = app("order");
    order.repository = disordered;
    folder.write_group(&group(
        "all",
        vec![missing, no_branch, slip, pattern, order],
    ));
    refused(
        &folder,
        "all",
        REFUSED,
        &[
            &format!(
                "failed to find the image of app `missing`: branch `master` of repository `{}`",
                repository("hello-bb")
            ),
            "does not exist in ",
            &format!("did you mean `{}`", repository("hello-b")),
            "failed to find the image of app `no-branch`: branch `feature/a`",
            // Other tests push branches of their own into the same repository.
            "no tag has the branch's slug `feature-a`; there are images of `",
            "failed to find the image of app `slip`",
            "did you mean `master`?",
            "failed to find the image of app `pattern`",
            "no tag fits the pattern `release-{slug}-{build}`; there are `",
            "failed to find the image of app `order`",
            "`master-1-0000001` (",
            ") was pushed last, but `master-2-0000002` (",
            "or set `newest = \"build\"`",
            "failed to find 5 images",
        ],
    );

    folder.write_group(&group("fine", vec![app("fine")]));
    let of_fine = "failed to find the image of app `fine`";
    let without = |promoter: Promoter| {
        let variables = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"];
        let promoter = variables
            .iter()
            .fold(promoter, |promoter, variable| promoter.env(variable, ""));
        // Or else it would be asked on a machine that has none.
        promoter
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    };
    refused_with(
        &folder,
        "fine",
        OUTSIDE,
        &[
            of_fine,
            "failed to get AWS credentials: run `aws sso login`",
        ],
        without,
    );
    let expired = expired_credentials();
    refused_with(
        &folder,
        "fine",
        OUTSIDE,
        &[of_fine, "the AWS credentials have expired"],
        |promoter| promoter.env("AWS_ENDPOINT_URL", &expired),
    );
    // Asked again and again for some 20 s before it is given up: once is enough here.
    let nobody = "http://127.0.0.1:1";
    plan_refused(
        &folder,
        "fine",
        OUTSIDE,
        &[WAITS, of_fine, "failed to reach the registry"],
        |promoter| promoter.env("AWS_ENDPOINT_URL", nobody),
    );
}

fn seconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// The address of an ECR to which all credentials have expired.
fn expired_credentials() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let body = r#"{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}"#;
            let length = body.len();
            let _ = connection.read(&mut [0; 8192]);
            let _ = write!(
                connection,
                "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    address
}
