//! What happens to a group, as Kubernetes Events on its `DeploymentGroup`.
//!
//! One more consumer of the promotion's events. It writes in the background;
//! what the cluster does not take is lost and fails nothing (promise 8).

use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event as Written, EventType, Recorder as Writer};
use kube::{Api, Client, Resource, ResourceExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::columns::word;
use super::{crd, error};
use crate::group::name::{AppName, GroupName, Namespace};
use crate::plan::label::FIELD_MANAGER;
use crate::port::Recorder;
use crate::promotion::check::Verdict;
use crate::promotion::event::{Event, Fact};
use crate::promotion::phase::Phase;

/// Most bytes of a note; the API server takes no more than 1024.
const NOTE: usize = 1000;
/// Most bytes of an action; the API server takes no more than 128.
const ACTION: usize = 120;
/// A wait that is over sooner is not worth telling.
const SHORT_WAIT: Duration = Duration::from_secs(2);
/// The least between two waits that are told: in a large group, what is waited
/// for changes all the time.
const NEXT_WAIT: Duration = Duration::from_secs(10);
/// How long the end of a command waits for the last Events to be written.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes Events in the background, as long as there is this to tell it of them.
pub struct Events {
    queue: UnboundedSender<Told>,
}

/// What the writer in the background is told.
enum Told {
    /// Write this.
    Event {
        event: Box<Written>,
        /// Whether nothing is waited for any more as before.
        ends_wait: bool,
    },
    /// Write this if something is still waited for in a while.
    Wait(Box<Written>),
    /// Say when all of before is written.
    Flush(oneshot::Sender<()>),
}

impl Events {
    pub(super) fn start(client: &Client, namespace: &Namespace, group: &GroupName) -> Self {
        let (queue, queued) = unbounded_channel();
        let groups = Api::namespaced_with(client.clone(), namespace.as_str(), &crd::resource());
        let writer = Writer::new(client.clone(), FIELD_MANAGER.into());
        tokio::spawn(write(groups, group.to_string(), writer, queued));
        Self { queue }
    }
}

#[async_trait]
impl Recorder for Events {
    fn record(&self, event: Event) {
        let waits = matches!(event.fact, Fact::Waiting { .. });
        let ends_wait = matches!(event.fact, Fact::Entered { .. } | Fact::Finished { .. });
        if let Some(written) = written(event) {
            let event = Box::new(written);
            let told = if waits {
                Told::Wait(event)
            } else {
                Told::Event { event, ends_wait }
            };
            // An error says that whoever writes is gone: there is nobody to tell.
            drop(self.queue.send(told));
        }
    }

    async fn flush(&self) {
        let (all, are_written) = oneshot::channel();
        let told = self.queue.send(Told::Flush(all)).is_ok();
        if told && tokio::time::timeout(PATIENCE, are_written).await.is_err() {
            tracing::debug!("the last Events were not written in time");
        }
    }
}

async fn write(
    groups: Api<kube::api::DynamicObject>,
    group: String,
    writer: Writer,
    mut queued: UnboundedReceiver<Told>,
) {
    let mut about: Option<ObjectReference> = None;
    // Only a wait that lasts is told.
    let mut wait: Option<(Instant, Box<Written>)> = None;
    let mut next_wait = Instant::now();
    loop {
        let due = wait.as_ref().map_or_else(Instant::now, |(due, _)| *due);
        let event = tokio::select! {
            told = queued.recv() => match told {
                Some(Told::Wait(event)) => {
                    let due = wait.map(|(due, _)| due);
                    let due = due.unwrap_or_else(|| next_wait.max(Instant::now() + SHORT_WAIT));
                    wait = Some((due, event));
                    continue;
                }
                Some(Told::Event { event, ends_wait }) => {
                    if ends_wait {
                        wait = None;
                        next_wait = Instant::now();
                    }
                    event
                }
                Some(Told::Flush(done)) => {
                    // Who asked may have lost patience.
                    let _ = done.send(());
                    continue;
                }
                None => return,
            },
            () = tokio::time::sleep_until(due), if wait.is_some() => match wait.take() {
                Some((_, event)) => {
                    next_wait = Instant::now() + NEXT_WAIT;
                    event
                }
                None => continue,
            },
        };
        if about.is_none() {
            about = groups.get(&group).await.ok().map(|found| {
                let mut reference = found.object_ref(&crd::resource());
                reference.uid = found.uid();
                reference
            });
        }
        if let Some(about) = &about
            && let Err(error) = writer.publish(&event, about).await
        {
            tracing::debug!(error = error::said(&error), "an Event was not written");
        }
    }
}

/// What of an event belongs on the object. What is told many times a second,
/// or once per app, is left to those who drive.
fn written(event: Event) -> Option<Written> {
    let (warns, reason, note) = told(event.fact)?;
    let mut note = match event.promotion {
        Some(id) => format!("promotion {id}: {note}"),
        None => note,
    };
    note.truncate(note.floor_char_boundary(NOTE));
    // Events of one action and reason count as the same one, whatever they note.
    let mut action = note.clone();
    action.truncate(action.floor_char_boundary(ACTION));
    Some(Written {
        type_: if warns {
            EventType::Warning
        } else {
            EventType::Normal
        },
        action,
        reason,
        note: Some(note),
        secondary: None,
    })
}

/// What became of apps that ran before promoter came.
fn adopted(what: &str, apps: &[AppName]) -> String {
    let names: Vec<_> = apps.iter().map(ToString::to_string).collect();
    format!("{what} {}", names.join(", "))
}

fn told(fact: Fact) -> Option<(bool, String, String)> {
    let say = |warns: bool, reason: &str, note: String| Some((warns, reason.to_owned(), note));
    match fact {
        Fact::Started {
            release,
            candidate,
            apps,
            ..
        } => say(
            false,
            "Started",
            format!("release {release} into {candidate}, {} apps", apps.len()),
        ),
        Fact::Resumed { phase } => say(false, "Resumed", format!("it was left while {phase}")),
        Fact::Entered { phase, reasons } if !phase.is_final() => {
            let texts: Vec<_> = reasons.iter().map(|reason| reason.text.as_str()).collect();
            let note = if texts.is_empty() {
                phase.to_string()
            } else {
                texts.join("; ")
            };
            say(!reasons.is_empty(), &word(phase), note)
        }
        Fact::Waiting { wait_for, .. } => say(false, "Waiting", format!("waits for {wait_for}")),
        Fact::App {
            app,
            trouble: Some(trouble),
            ..
        } => say(true, "Unready", format!("app {app}: {trouble}")),
        Fact::CheckRepeated { check, reason } => say(
            true,
            "CheckRepeated",
            format!("check {check} is run again: {reason}"),
        ),
        Fact::CheckEnded { result } if result.verdict != Verdict::Passed => say(
            true,
            &format!("Check{:?}", result.verdict),
            format!("check {}: {}", result.check, result.reason),
        ),
        Fact::Switched {
            services, color, ..
        } => say(
            false,
            "Switched",
            format!("{services} Services point at {color}"),
        ),
        Fact::SwitchedBack => say(
            true,
            "SwitchedBack",
            "what served before serves again".to_owned(),
        ),
        Fact::LockAwaited { holder } => say(
            false,
            "LockAwaited",
            format!("waits for the lock of {holder} to be renewed or to run out"),
        ),
        Fact::Left { phase } => say(
            false,
            "Left",
            format!("left while {phase}, for the next promoter to go on"),
        ),
        Fact::Warning { message } => say(true, "Warning", message),
        Fact::Rebuilt { .. } => say(
            true,
            "Rebuilt",
            "the record was put together again".to_owned(),
        ),
        Fact::TakenOver { apps } => say(false, "TakenOver", adopted("took over", &apps)),
        Fact::GivenBack { apps } => say(false, "GivenBack", adopted("gave back", &apps)),
        Fact::Repaired { service, color } => say(
            false,
            "Repaired",
            format!("Service {service} points at {color} again"),
        ),
        Fact::Astray { found } if !found.is_empty() => say(true, "Astray", found.join("; ")),
        Fact::Finished { outcome } => {
            let texts: Vec<_> = outcome.reasons.iter().map(|r| r.text.as_str()).collect();
            let note = if texts.is_empty() {
                format!("release {} serves in {}", outcome.release, outcome.color)
            } else {
                texts.join("; ")
            };
            let promoted = outcome.phase == Phase::Promoted;
            say(!promoted, &word(outcome.phase), note)
        }
        fact => wished(fact),
    }
}

/// What people ask for, and what becomes of that.
fn wished(fact: Fact) -> Option<(bool, String, String)> {
    let say = |warns: bool, reason: &str, note: String| Some((warns, reason.to_owned(), note));
    match fact {
        Fact::ReturnAsked { holder, .. } => say(
            false,
            "RollbackAsked",
            format!("{holder} is asked to move traffic back"),
        ),
        Fact::Held { by } => say(true, "Held", format!("held by {by}")),
        Fact::Unheld { by } => say(false, "Unheld", format!("let go by {by}")),
        Fact::Refused {
            actor, restraints, ..
        } => {
            let why = restraints.iter().map(ToString::to_string);
            let why = why.collect::<Vec<_>>().join("; ");
            say(
                true,
                "Refused",
                format!("asked for by {}: {why}", actor.name),
            )
        }
        Fact::Overridden { actor, overrides } => say(
            true,
            "Overridden",
            format!("{} goes on all the same: {overrides}", actor.name),
        ),
        Fact::Removing { by } => say(true, "Removing", format!("{by} removes the group")),
        Fact::AbortAsked { holder, .. } => say(
            false,
            "AbortAsked",
            format!("{holder} is asked to give it up"),
        ),
        _ => None,
    }
}
