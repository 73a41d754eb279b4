//! `promoter serve`: promote by schedule and on new images, until told to stop.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::CliError;
use super::args::Serve;
use super::driving::interrupted;
use super::exit::Exit;
use super::progress::Log;
use crate::adapter::clock::{SystemClock, TimeOfDay};
use crate::config::{self, Outside};
use crate::serve::health::Pulse;
use crate::serve::http::{Listening, Told};
use crate::serve::{Daemon, Settings};

/// How often it is looked whether files changed: cheap, and nobody has to say so.
const RELOAD: Duration = Duration::from_secs(5);

pub(super) async fn run(dir: &Path, command: Serve) -> Result<Exit, CliError> {
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
    let hangups = signal(SignalKind::hangup())?;
    tokio::spawn(obey(hangups, reload, stop.clone()));
    let ((), served) = tokio::join!(daemon.run(queue, stop.clone()), listening.serve(stop));
    served?;
    Ok(Exit::Success)
}

/// SIGHUP has the configuration read; the first SIGTERM or SIGINT leaves what is under
/// way to whoever drives on, a second one ends the process.
async fn obey(
    mut hangups: tokio::signal::unix::Signal,
    reload: Arc<Notify>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            hangup = hangups.recv() => match hangup {
                Some(()) => reload.notify_one(),
                None => return,
            },
            _ = interrupted() => {
                if stop.is_cancelled() {
                    std::process::exit(i32::from(Exit::Interrupted.code()));
                }
                tracing::info!("stopping; what is under way is left to who drives on");
                stop.cancel();
            }
        }
    }
}
