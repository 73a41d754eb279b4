//! `promoter serve`: promote by schedule and on new images, until told to stop.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::CliError;
use super::args::Serve;
use super::exit::Exit;
use super::progress::Log;
use crate::adapter::clock::{SystemClock, TimeOfDay};
use crate::config::{self, Outside};
use crate::serve::health::Pulse;
use crate::serve::http::{Listening, Told};
use crate::serve::{Daemon, Settings};

/// How often it is looked whether files changed: cheap, and nobody has to say so.
const RELOAD: Duration = Duration::from_secs(5);

/// How long those are answered who asked when it was told to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

pub(super) async fn run(dir: &Path, command: Serve) -> Result<Exit, CliError> {
    let signals = Signals::new()?;
    let queue = command.push_queue.as_deref().filter(|url| !url.is_empty());
    let outside = Outside::new(dir.to_owned(), queue, |environment| {
        Arc::new(Log::new(environment.clone()))
    });
    let yard = Arc::new(outside.await?);
    let queue = yard.queue();
    let settings = Settings {
        actor: config::actor().name,
        at_once: command.at_once,
        poll: command.poll,
        reload: RELOAD,
    };
    let reload = Arc::new(Notify::new());
    // Schedules are about the time of day, which goes on while a machine sleeps.
    let clock = Arc::new(TimeOfDay);
    let pulse = Pulse::new(Arc::new(SystemClock::default()));
    let daemon = Daemon::new(settings, yard.clone(), clock, pulse.clone(), reload.clone());
    let told = Told {
        pulse,
        state: daemon.state(),
        metrics: yard,
    };
    let listening = Listening::on(command.listen, told).await;
    let listening = listening.map_err(CliError::usage)?;
    let address = listening.address()?;
    tracing::info!(%address, dir = %dir.display(), "serving");
    let stop = CancellationToken::new();
    tokio::spawn(signals.obey(reload, stop.clone()));
    let ended = CancellationToken::new();
    let running = async {
        daemon.run(queue, stop.clone()).await;
        ended.cancel();
    };
    let answering = async {
        tokio::select! {
            served = listening.serve(stop.clone()) => served,
            // Who asks and does not listen keeps nobody from ending.
            () = async {
                ended.cancelled().await;
                tokio::time::sleep(LAST_ANSWERS).await;
            } => Ok(()),
        }
    };
    let ((), served) = tokio::join!(running, answering);
    served?;
    Ok(Exit::Success)
}

/// What the system says to a daemon.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Hears them from now on: one that comes while another is thought over is not lost.
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// SIGHUP has the configuration read; the first SIGTERM or SIGINT leaves what is under
    /// way to whoever drives on, a second one ends the process.
    async fn obey(mut self, reload: Arc<Notify>, stop: CancellationToken) {
        loop {
            tokio::select! {
                Some(()) = self.hangup.recv() => {
                    reload.notify_one();
                    continue;
                }
                Some(()) = self.terminate.recv() => {}
                Some(()) = self.interrupt.recv() => {}
                else => return,
            }
            if stop.is_cancelled() {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            tracing::info!("stopping; what is under way is left to who drives on");
            stop.cancel();
        }
    }
}
