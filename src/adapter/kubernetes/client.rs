//! The HTTP client: a few HTTP/2 connections for everything.
//!
//! A switch sends a patch per Service at the same moment. Over HTTP/1.1, which
//! the library's own client speaks, each of them would wait for a connection
//! and a TLS handshake of its own. Over a single HTTP/2 connection the server
//! sends their answers one after the other, and has room for a hundred at most.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::{Client, Config};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceBuilder, service_fn};

/// How often a quiet connection is asked whether it is still there.
const PING: Duration = Duration::from_secs(5);
/// How long it may take to say so. Both together are shorter than a lock is good for.
const PONG: Duration = Duration::from_secs(5);
/// What the server may send ahead of what was read, in bytes: lists of a large
/// group are as large as that lets them be in memory.
const AHEAD: u32 = 1 << 20;
/// The same for one answer.
const AHEAD_OF_ONE: u32 = 1 << 18;
/// Connections, each of which is made when it is needed first.
const CONNECTIONS: usize = 4;

/// Sends requests, whichever connection they take.
pub(super) type Http = BoxCloneSyncService<Request<Body>, Response<Incoming>, BoxError>;

/// A client that says which program it is: whoever reads the API server's audit
/// log can tell what that asked for, and how often. `logged_in` is what has to be
/// done to requests so that they are let in, beyond what the configuration says;
/// through a proxy it is left out.
pub(super) fn client(
    mut config: Config,
    agent: &'static str,
    logged_in: impl FnOnce(Http) -> Http,
) -> Result<Client, BoxError> {
    let agent = HeaderValue::from_static(agent);
    config.headers.push((USER_AGENT, agent));
    if config.proxy_url.is_some() {
        return Ok(Client::try_from(config)?);
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let tls = HttpsConnectorBuilder::new()
        .with_tls_config(config.rustls_client_config()?)
        .https_or_http();
    let tls = match &config.tls_server_name {
        Some(name) => {
            let name = name.clone().try_into()?;
            tls.with_server_name_resolver(FixedServerNameResolver::new(name))
        }
        None => tls,
    };
    let mut connector = TimeoutConnector::new(tls.enable_all_versions().wrap_connector(tcp));
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    let mut builder = legacy::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PONG)
        .http2_initial_connection_window_size(AHEAD)
        .http2_initial_stream_window_size(AHEAD_OF_ONE);
    // A client has one connection to a server that speaks HTTP/2.
    let clients = iter::repeat_with(|| builder.build(connector.clone()));
    let clients: Arc<[legacy::Client<_, Body>]> = clients.take(CONNECTIONS).collect();
    let turn = Arc::new(AtomicUsize::new(0));
    let http = service_fn(move |request| {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        clients[turn % CONNECTIONS].request(request)
    });
    let http = Http::new(ServiceBuilder::new().map_err(BoxError::from).service(http));
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .service(logged_in(http));
    Ok(ClientBuilder::new(service, config.default_namespace).build())
}
