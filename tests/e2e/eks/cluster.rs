//! Whole commands through an EKS environment.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Scene;
use crate::support::{Answer, Asked, Proxy, Testbed, certificate};

/// An API server behind TLS of its own, which lets in by tokens of EKS.
struct Server {
    proxy: Proxy,
    authority: String,
    /// With which requests were let in.
    tokens: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one that lets in by the tokens it is told to: by the addresses in them.
    fn start(mut admits: impl FnMut(&str) -> bool + Send + 'static) -> Self {
        let files = tempfile::tempdir().unwrap();
        let (tls, certificate) = certificate(files.path(), "IP:127.0.0.1");
        let proxy = Proxy::to_cluster_by_tls(tls);
        let tokens = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&tokens);
        proxy.answer(move |asked| match token(asked) {
            Err(why) => Some(unauthorized(&why)),
            Ok((_, address)) if !admits(&address) => Some(unauthorized("not let in")),
            Ok((token, _)) => {
                seen.lock().unwrap().push(token);
                None
            }
        });
        Self {
            proxy,
            authority: STANDARD.encode(certificate),
            tokens,
        }
    }
}

/// The token of a request and the address in it, if EKS would ask that.
fn token(asked: &Asked) -> Result<(String, String), String> {
    let header = asked.headers.get("authorization").ok_or("no token")?;
    let header = header.to_str().map_err(|_| "no text")?;
    let token = header
        .strip_prefix("Bearer k8s-aws-v1.")
        .ok_or("no token of EKS")?;
    let url = URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|error| error.to_string())?;
    let url = String::from_utf8(url).map_err(|error| error.to_string())?;
    for part in [
        "/?Action=GetCallerIdentity&Version=2011-06-15&",
        "&X-Amz-Expires=60&",
        "&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&",
        "%2Fsts%2Faws4_request&",
        "&X-Amz-Signature=",
    ] {
        if !url.contains(part) {
            return Err(format!("{url} has no {part}"));
        }
    }
    let date = url.split("&X-Amz-Date=").nth(1).ok_or("no date")?;
    let date = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &date[..16]);
    let date = date.map_err(|error| error.to_string())?;
    let signed = date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let age = Timestamp::now().duration_since(signed).as_secs();
    if !(0..15 * 60).contains(&age) {
        return Err(format!("it is {age} s old"));
    }
    Ok((token.to_owned(), url))
}

fn unauthorized(why: &str) -> Answer {
    let body = json!({
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "message": why,
        "reason": "Unauthorized",
        "code": 401,
    });
    Answer { status: 401, body }
}

#[test]
fn a_group_is_promoted_in_a_cluster_named_by_eks() {
    let mut is_first = true;
    let server = Server::start(move |_| !std::mem::take(&mut is_first));
    let scene = Scene::new("eks", &server.proxy.url(), &server.authority);
    scene.folder.write_group(&scene.folder.hello("master"));
    for arguments in [
        ["install", "-e", "test"],
        ["plan", "master", "--color=never"],
    ] {
        let run = scene.promoter(arguments).run();
        assert_eq!(run.code, 0, "{run}");
    }
    let deployed = scene.promoter(["deploy", "master", "-o", "json"]).run();
    assert_eq!(deployed.code, 0, "{deployed}");
    assert_eq!(deployed.outcome()["phase"], "Promoted", "{deployed}");
    let status = scene.promoter(["status", "--group", "master"]);
    let session = ("AWS_SESSION_TOKEN", "not-to-be-seen");
    let status = status
        .env(session.0, session.1)
        .env("PROMOTER_LOG", "trace")
        .run();
    assert!(status.stdout.contains("serves"), "{status}");
    assert!(!status.output().contains(session.1), "{status}");
    let tokens = server.tokens.lock().unwrap().clone();
    assert!(tokens.len() > 100, "{} requests", tokens.len());
    // The token is a secret: nothing that is shown or kept has it.
    let kept = scene.folder.path().join("records.db");
    let kept = String::from_utf8_lossy(&fs::read(kept).unwrap()).into_owned();
    for token in &tokens {
        for shown in [&deployed.output(), &status.output(), &kept] {
            assert!(!shown.contains(token.as_str()), "a token is shown");
        }
    }
}

#[test]
fn kubectl_gets_in_by_a_kubeconfig_of_promoter() {
    let server = Server::start(|_| true);
    let scene = Scene::new("eks-kubectl", &server.proxy.url(), &server.authority);
    let file = scene.folder.path().join("kubeconfig.yaml");
    let write = ["kubeconfig", "--file", "kubeconfig.yaml"];
    let written = scene.promoter(write).run();
    assert_eq!(written.code, 0, "{written}");
    let again = scene.promoter(write).run();
    assert_eq!(again.code, 2, "a file is overwritten: {again}");

    let programs = Path::new(env!("CARGO_BIN_EXE_promoter")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut kubectl = Command::new("kubectl");
    kubectl.arg("--kubeconfig").arg(&file);
    kubectl
        .arg("--cache-dir")
        .arg(scene.folder.path().join(".kube"));
    kubectl.args(["get", "roles", "-o", "name"]);
    let output = kubectl
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("AWS_ENDPOINT_URL", scene.aws.url())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("/promoter"), "{said}{failed}");
    assert!(!server.tokens.lock().unwrap().is_empty());
}

/// The SDK keeps what stands in a profile for as long as it lives.
#[test]
fn credentials_are_read_again_when_a_token_is_refused() {
    let files = tempfile::tempdir().unwrap();
    let profiles = files.path().join("credentials");
    let write = |profiles: &Path, key: &str| {
        let text = format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n");
        fs::write(profiles, text).unwrap();
    };
    write(&profiles, "REVOKED");
    let renewed = profiles.clone();
    let server = Server::start(move |address| {
        write(&renewed, "RENEWED");
        address.contains("X-Amz-Credential=RENEWED%2F")
    });
    let scene = Scene::new("eks-renewed", &server.proxy.url(), &server.authority);
    let run = scene
        .promoter(["status"])
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SHARED_CREDENTIALS_FILE", profiles.to_str().unwrap())
        .run();
    assert_eq!(run.code, 0, "{run}");
    assert!(!server.tokens.lock().unwrap().is_empty());
}

/// The testbed's own API server is who it says, and knows no token of AWS.
#[test]
fn a_cluster_that_does_not_know_the_identity_is_told_from_one_that_is_none() {
    let view = [
        "config",
        "view",
        "--raw",
        "--minify",
        "-o",
        "json",
        "--context",
    ];
    let mut kubectl = Command::new("kubectl");
    let output = kubectl.args(view).arg(&Testbed::get().context).output();
    let config: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let cluster = &config["clusters"][0]["cluster"];
    let url = cluster["server"].as_str().unwrap();
    let data = cluster["certificate-authority-data"].as_str();
    let read = || {
        let file = cluster["certificate-authority"].as_str().unwrap();
        STANDARD.encode(fs::read(file).unwrap())
    };
    let authority = data.map_or_else(read, str::to_owned);
    let scene = Scene::new("eks-unknown", url, &authority);
    let run = scene.promoter(["status"]).run();
    assert_eq!(run.code, 7, "{run}");
    assert!(
        run.stderr
            .contains("cluster `prod` does not let the AWS credentials in"),
        "{run}"
    );

    let other = Server::start(|_| true);
    let scene = Scene::new("eks-stranger", url, &other.authority);
    let run = scene.promoter(["status"]).run();
    assert_eq!(run.code, 7, "{run}");
    assert!(run.stderr.contains("certificate"), "{run}");
}
