//! ECR's registry as CI meets it: by its own name, for whoever is logged in, and what is pushed to
//! it is an image of ECR by that alone.
//!
//! The testbed has a registry and a double of ECR's API that know nothing of each other. This is an
//! HTTP proxy, so that programs that are told of it need not know that either: it answers by TLS as
//! ECR's host, passes on to the registry what it is asked, and registers each tag that is pushed. A
//! tag that ECR does not let move stays where it is.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_sdk_ecr::Client as Ecr;
use aws_sdk_ecr::error::DisplayErrorContext;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::certificate::certificate;
use super::cluster::{block_on, runtime};
use super::testbed::Testbed;

/// The proxy, until it is dropped.
pub(crate) struct Registry {
    url: String,
    files: TempDir,
    server: JoinHandle<()>,
}

type Body = Either<Incoming, Full<Bytes>>;

/// What is behind it.
#[derive(Clone)]
struct Behind {
    tls: TlsAcceptor,
    registry: Client<HttpConnector, Body>,
    ecr: Ecr,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Registry {
    pub(crate) fn start() -> Self {
        let files = tempfile::tempdir().unwrap();
        let name = format!("DNS:{}", Testbed::get().ecr);
        let (tls, _) = certificate(files.path(), &name);
        block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let behind = Behind {
                tls: Arc::new(tls).into(),
                registry: Client::builder(TokioExecutor::new()).build_http(),
                ecr: Ecr::new(&aws_config::load_defaults(BehaviorVersion::latest()).await),
            };
            let server = runtime().spawn(serve(listener, behind));
            Self { url, files, server }
        })
    }

    /// What `https_proxy` has to be for a program to find it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The file of the certificate to trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.files.path().join("certificate.pem")
    }

    /// The password that the double of ECR gives to everybody.
    pub(crate) fn password() -> String {
        format!("{}-auth-token", Testbed::get().account)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, behind: Behind) {
    while let Ok((stream, _)) = listener.accept().await {
        let behind = behind.clone();
        let service = service_fn(move |request| {
            let answer = connect(request, behind.clone());
            async { Ok::<_, Infallible>(answer) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A caller that goes away is no concern of the registry's.
        tokio::spawn(connection.with_upgrades());
    }
}

/// Answers in ECR's place what asks for its host, and nothing else.
fn connect(request: Request<Incoming>, behind: Behind) -> Response<Body> {
    let host = request.uri().host();
    if request.method() != Method::CONNECT || host != Some(&Testbed::get().ecr) {
        return refuse(502, "UNKNOWN", "this leads to ECR only");
    }
    tokio::spawn(async move {
        let stream = TokioIo::new(hyper::upgrade::on(request).await?);
        let stream = TokioIo::new(behind.tls.accept(stream).await?);
        let service = service_fn(move |request| respond(request, behind.clone()));
        http1::Builder::new()
            .serve_connection(stream, service)
            .await?;
        Ok::<_, Failure>(())
    });
    Response::new(Either::Right(Full::default()))
}

async fn respond(request: Request<Incoming>, behind: Behind) -> Result<Response<Body>, Failure> {
    let credentials = BASE64_STANDARD.encode(format!("AWS:{}", Registry::password()));
    let given = request.headers().get(AUTHORIZATION);
    if given.is_none_or(|given| given.as_bytes() != format!("Basic {credentials}").as_bytes()) {
        let mut refused = refuse(401, "DENIED", "Not Authorized");
        let realm = "Basic realm=\"ECR\",service=\"ecr.amazonaws.com\"";
        refused
            .headers_mut()
            .insert(WWW_AUTHENTICATE, realm.parse()?);
        return Ok(refused);
    }
    let path = request.uri().path().to_owned();
    if let Some(repository) = between(&path, "/v2/", "/blobs/uploads/")
        && request.method() == Method::POST
        && !behind.has(repository).await
    {
        let said =
            format!("The repository with name '{repository}' does not exist in the registry");
        return Ok(refuse(404, "NAME_UNKNOWN", &said));
    }
    let manifest = path
        .strip_prefix("/v2/")
        .and_then(|rest| rest.split_once("/manifests/"));
    match manifest {
        Some((repository, tag)) if request.method() == Method::PUT && !tag.contains(':') => {
            behind.tag(request, repository, tag).await
        }
        _ => behind.forward(request.map(Either::Left)).await,
    }
}

/// The middle of a text that begins and ends like this.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(begin)?.strip_suffix(end)
}

impl Behind {
    async fn has(&self, repository: &str) -> bool {
        let asked = self.ecr.describe_repositories();
        asked.repository_names(repository).send().await.is_ok()
    }

    /// Takes a manifest by its digest, and gives it the tag if ECR does.
    async fn tag(
        &self,
        request: Request<Incoming>,
        repository: &str,
        tag: &str,
    ) -> Result<Response<Body>, Failure> {
        let (parts, body) = request.into_parts();
        let manifest = body.collect().await?.to_bytes();
        let sent = |path: &str| {
            let mut request = Request::new(Either::Right(Full::new(manifest.clone())));
            *request.method_mut() = Method::PUT;
            *request.uri_mut() = path.parse().unwrap();
            request.headers_mut().clone_from(&parts.headers);
            self.forward(request)
        };
        let hash = Sha256::digest(&manifest);
        let hex = hash
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let digest = format!("sha256:{hex}");
        let stored = sent(&format!("/v2/{repository}/manifests/{digest}")).await?;
        if !stored.status().is_success() {
            return Ok(stored);
        }
        let put = self
            .ecr
            .put_image()
            .repository_name(repository)
            .image_tag(tag);
        let put = put
            .image_digest(digest)
            .image_manifest(String::from_utf8(manifest.to_vec())?)
            .image_manifest_media_type(parts.headers[CONTENT_TYPE].to_str()?);
        match put.send().await.map_err(aws_sdk_ecr::Error::from) {
            Ok(_) | Err(aws_sdk_ecr::Error::ImageAlreadyExistsException(_)) => {
                sent(&format!("/v2/{repository}/manifests/{tag}")).await
            }
            Err(refused) => {
                let said = DisplayErrorContext(refused).to_string();
                Ok(refuse(400, "TAG_INVALID", &said))
            }
        }
    }

    async fn forward(&self, mut request: Request<Body>) -> Result<Response<Body>, Failure> {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let address = format!("http://{}{path}", Testbed::get().registry);
        *request.uri_mut() = address.parse()?;
        request.headers_mut().remove(AUTHORIZATION);
        // The registry names places for uploads as it was called.
        let headers = request.headers_mut();
        headers.insert(HOST, Testbed::get().ecr.parse()?);
        headers.insert("x-forwarded-proto", "https".parse()?);
        Ok(self.registry.request(request).await?.map(Either::Left))
    }
}

fn refuse(status: u16, code: &str, said: &str) -> Response<Body> {
    let errors = json!({ "errors": [{ "code": code, "message": said }] });
    let body = Either::Right(Full::from(errors.to_string()));
    Response::builder().status(status).body(body).unwrap()
}
