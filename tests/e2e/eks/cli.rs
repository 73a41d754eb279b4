//! Tokens beside those of the AWS CLI: same credentials, region and date, same
//! address, signature included.

use std::collections::BTreeMap;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::support::{Promoter, Testbed, faketime};

type Env<'a> = &'a [(&'a str, &'a str)];

/// The signed address in a token, taken apart.
fn parts(credential: &str) -> BTreeMap<String, String> {
    let credential: Value = serde_json::from_str(credential).unwrap();
    let token = credential["status"]["token"].as_str().unwrap();
    let token = token.strip_prefix("k8s-aws-v1.").expect("a token of EKS");
    let url = String::from_utf8(URL_SAFE_NO_PAD.decode(token).unwrap()).unwrap();
    let (address, query) = url.split_once('?').unwrap();
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut parts: BTreeMap<_, _> = pairs.collect();
    parts.insert("address".to_owned(), address.to_owned());
    parts
}

fn of_the_cli(arguments: &[&str], env: Env) -> BTreeMap<String, String> {
    let mut aws = Command::new("aws");
    aws.args([
        "eks",
        "get-token",
        "--output",
        "json",
        "--cluster-name",
        "prod",
    ]);
    let output = aws.args(arguments).envs(env.iter().copied()).output();
    let output = output.expect("the AWS CLI can be started");
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{failed}");
    parts(&String::from_utf8(output.stdout).unwrap())
}

/// A token of promoter's, as if it was that date.
fn ours(arguments: &[&str], env: Env, date: &str) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let words = ["token", "--cluster", "prod"].iter().chain(arguments);
    let mut promoter = Promoter::new(folder.path(), words.copied());
    for (name, value) in env {
        promoter = promoter.env(name, value);
    }
    let (day, time) = date.trim_end_matches('Z').split_once('T').unwrap();
    let date = format!(
        "{}-{}-{} {}:{}:{}",
        &day[..4],
        &day[4..6],
        &day[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    let run = promoter
        .env("LD_PRELOAD", faketime().to_str().unwrap())
        .env("FAKETIME", &date)
        .env("TZ", "UTC")
        .run();
    assert_eq!(run.code, 0, "{run}");
    parts(&run.stdout)
}

#[test]
fn a_token_is_that_of_the_aws_cli() {
    Testbed::get();
    // Empty: AWS itself, which making a token does not ask.
    let aws = ("AWS_ENDPOINT_URL", "");
    let keys = (
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    );
    let session = ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjE+a/b=c//d==");
    let own = ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9/");
    let fips = ("AWS_USE_FIPS_ENDPOINT", "true");
    let cases: [(&str, Env); 8] = [
        ("eu-west-1", &[aws]),
        ("us-east-1", &[aws, keys]),
        ("eu-central-1", &[aws, keys, session]),
        ("cn-north-1", &[aws]),
        ("us-gov-west-1", &[aws, session]),
        ("us-east-2", &[aws, fips]),
        ("eu-west-1", &[own]),
        ("eu-west-1", &[]),
    ];
    for (region, env) in cases {
        let arguments = ["--region", region];
        let theirs = of_the_cli(&arguments, env);
        let ours = ours(&arguments, env, &theirs["X-Amz-Date"]);
        assert_eq!(ours, theirs, "{region}, {env:?}");
        assert!(theirs.contains_key("X-Amz-Signature"), "{theirs:?}");
    }
}
