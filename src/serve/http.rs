//! What the daemon answers over HTTP: whether it lives, whether it is ready, and its
//! metrics. It takes no wishes.

mod brief;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::brief::Brief;
use super::health::Pulse;
use super::state::State;

/// What is told.
#[derive(Clone)]
pub struct Told {
    /// Who is stuck.
    pub pulse: Arc<Pulse>,
    /// What is not ready.
    pub state: Arc<State>,
    /// What is measured.
    pub metrics: Arc<dyn Metrics>,
}

/// Tells what is measured.
pub trait Metrics: Send + Sync {
    /// All of it now, and of which content type that is; for a process that knows so much
    /// of itself.
    fn text(&self, state: &State) -> (&'static str, String);
}

/// The port is taken, or there is no such address.
#[derive(Debug, thiserror::Error)]
#[error("failed to listen on {address}: give another address with --listen")]
pub struct ListenError {
    address: SocketAddr,
    #[source]
    source: std::io::Error,
}

/// A port that is listened on.
pub struct Listening {
    listener: TcpListener,
    told: Told,
}

impl Listening {
    /// Listens there; port 0 takes any that is free.
    ///
    /// # Errors
    /// It is taken, or there is no such address.
    pub async fn on(address: SocketAddr, told: Told) -> Result<Self, ListenError> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| ListenError { address, source })?;
        Ok(Self { listener, told })
    }

    /// Where.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is stopped.
    ///
    /// # Errors
    /// Nobody can connect any more.
    pub async fn serve(self, stop: CancellationToken) -> std::io::Result<()> {
        let router = Router::new()
            .route("/livez", get(live))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self.told);
        let served = axum::serve(Brief(self.listener), router);
        served.with_graceful_shutdown(stop.cancelled_owned()).await
    }
}

async fn live(Shared(told): Shared<Told>) -> (StatusCode, String) {
    let stuck = told.pulse.stuck();
    let stuck = stuck.iter().map(|role| format!("{role} does not get on"));
    answer(&stuck.collect::<Vec<_>>())
}

async fn metrics(Shared(told): Shared<Told>) -> ([(HeaderName, &'static str); 1], String) {
    let (kind, text) = told.metrics.text(&told.state);
    ([(CONTENT_TYPE, kind)], text)
}

async fn ready(Shared(told): Shared<Told>) -> (StatusCode, String) {
    answer(&told.state.not_ready())
}

fn answer(wrong: &[String]) -> (StatusCode, String) {
    if wrong.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, wrong.join("\n") + "\n")
}
