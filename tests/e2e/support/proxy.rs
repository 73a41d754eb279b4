//! A proxy between promoter and an outside system. It passes everything on,
//! streams included, except what a test holds back or answers itself.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::http::{HeaderMap, Method, header};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use kube::client::Body;
use kube::{Client, Config};
use rustls::ServerConfig;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::cluster::{block_on, runtime};
use super::testbed::Testbed;
use super::wait::until;

/// Where only this machine gets in.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A proxy on a port of this machine, until it is dropped.
pub(crate) struct Proxy {
    url: String,
    port: u16,
    rules: Rules,
    server: JoinHandle<()>,
    upstream: Client,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer, by whoever gave it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// A request that is held back, or will be once it comes.
pub(crate) struct Held {
    asked: Arc<Mutex<Option<Asked>>>,
    upstream: Client,
}

type Rules = Arc<Mutex<Vec<Rule>>>;

/// Says what is done about a request that it is for.
type Rule = Box<dyn FnMut(&Asked) -> Option<Act> + Send>;

enum Act {
    /// Leave the caller without an answer.
    Hold,
    Answer(Answer),
}

impl Proxy {
    /// In front of the API server, with all its rights.
    pub(crate) fn to_cluster() -> Self {
        Self::to(Testbed::get().cluster.config())
    }

    /// The same over TLS.
    pub(crate) fn to_cluster_by_tls(tls: ServerConfig) -> Self {
        let tls = Arc::new(tls).into();
        Self::with(Testbed::get().cluster.config(), Some(tls), HERE)
    }

    /// In front of the AWS double.
    pub(crate) fn to_aws() -> Self {
        Self::to(aws())
    }

    /// The same at an address of the node, which pods can route to.
    pub(crate) fn to_aws_from_pods(node: IpAddr) -> Self {
        Self::with(aws(), None, node)
    }

    fn to(config: Config) -> Self {
        Self::with(config, None, HERE)
    }

    fn with(mut config: Config, tls: Option<TlsAcceptor>, at: IpAddr) -> Self {
        // What fails is the caller's to try again.
        config.default_retry = false;
        block_on(async {
            let upstream = Client::try_from(config).unwrap();
            let listener = TcpListener::bind((at, 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            let rules = Rules::default();
            let scheme = if tls.is_some() { "https" } else { "http" };
            let answering = serve(listener, tls, upstream.clone(), Arc::clone(&rules));
            let server = runtime().spawn(answering);
            Self {
                port: address.port(),
                url: format!("{scheme}://{address}"),
                rules,
                server,
                upstream,
            }
        })
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A kubeconfig with the testbed's context, which leads here.
    pub(crate) fn kubeconfig(&self) -> String {
        let context = &Testbed::get().context;
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "contexts": [{ "name": context, "context": { "cluster": "proxy", "user": "proxy" } }],
            "clusters": [{ "name": "proxy", "cluster": { "server": self.url() } }],
            "users": [{ "name": "proxy", "user": {} }],
        });
        config.to_string()
    }

    /// Holds back the next request that matches.
    pub(crate) fn hold(&self, matches: impl Fn(&Asked) -> bool + Send + 'static) -> Held {
        let held = Arc::new(Mutex::new(None));
        let (keep, mut came) = (Arc::clone(&held), false);
        self.rule(move |asked| {
            if came || !matches(asked) {
                return None;
            }
            came = true;
            *keep.lock().unwrap() = Some(asked.clone());
            Some(Act::Hold)
        });
        Held {
            asked: held,
            upstream: self.upstream.clone(),
        }
    }

    /// Answers requests itself, as long as the rule has an answer.
    pub(crate) fn answer(&self, mut rule: impl FnMut(&Asked) -> Option<Answer> + Send + 'static) {
        self.rule(move |asked| rule(asked).map(Act::Answer));
    }

    fn rule(&self, rule: impl FnMut(&Asked) -> Option<Act> + Send + 'static) {
        self.rules.lock().unwrap().push(Box::new(rule));
    }
}

impl Asked {
    /// Whether it does this to that: the end of a path, without the query. A
    /// dry run is never meant.
    pub(crate) fn is(&self, method: &str, end: &str) -> bool {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        self.method == method && path.ends_with(end) && !query.contains("dryRun")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Held {
    /// Waits until the request has come.
    #[track_caller]
    pub(crate) fn arrived(&self, what: &str) -> Asked {
        until(what, || self.asked.lock().unwrap().clone())
    }

    /// Passes the request on at last and gives the answer, which nobody else gets.
    #[track_caller]
    pub(crate) fn release(self) -> Answer {
        let asked = self.asked.lock().unwrap().take();
        let asked = asked.expect("the request has come");
        block_on(async {
            let answer = forward(&self.upstream, asked).await.unwrap();
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            Answer {
                status,
                body: serde_json::from_slice(&body).unwrap_or_default(),
            }
        })
    }
}

fn aws() -> Config {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").unwrap();
    Config::new(endpoint.parse().unwrap())
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, upstream: Client, rules: Rules) {
    while let Ok((stream, _)) = listener.accept().await {
        let (upstream, rules, tls) = (upstream.clone(), Arc::clone(&rules), tls.clone());
        let service = service_fn(move |request| {
            let (upstream, rules) = (upstream.clone(), Arc::clone(&rules));
            async move { respond(request, upstream, &rules).await }
        });
        // A caller that goes away is no concern of the proxy's.
        let http = http1::Builder::new();
        match tls {
            None => drop(tokio::spawn(
                http.serve_connection(TokioIo::new(stream), service),
            )),
            Some(tls) => drop(tokio::spawn(async move {
                if let Ok(stream) = tls.accept(stream).await {
                    tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
                }
            })),
        }
    }
}

async fn respond(
    request: Request<Incoming>,
    upstream: Client,
    rules: &Mutex<Vec<Rule>>,
) -> Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let asked = Asked {
        method: parts.method,
        path: parts.uri.to_string(),
        headers: parts.headers,
        body: body.collect().await?.to_bytes(),
    };
    let act = {
        let mut rules = rules.lock().unwrap();
        rules.iter_mut().find_map(|rule| rule(&asked))
    };
    match act {
        None => Ok(forward(&upstream, asked).await?),
        Some(Act::Answer(answer)) => {
            let body = Body::from(answer.body.to_string().into_bytes());
            Ok(Response::builder().status(answer.status).body(body)?)
        }
        Some(Act::Hold) => std::future::pending().await,
    }
}

async fn forward(upstream: &Client, asked: Asked) -> kube::Result<Response<Body>> {
    let mut request = Request::new(Body::from(asked.body));
    *request.method_mut() = asked.method;
    *request.uri_mut() = asked.path.parse().unwrap();
    *request.headers_mut() = asked.headers;
    // These are about one connection.
    for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING] {
        request.headers_mut().remove(name);
    }
    let mut answer = upstream.send(request).await?;
    answer.headers_mut().remove(header::CONNECTION);
    answer.headers_mut().remove(header::TRANSFER_ENCODING);
    Ok(answer)
}
