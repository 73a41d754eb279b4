//! Why a candidate is not ready, in words that name the cause.
//!
//! "timed out" helps nobody: the pull error, the crash with its last lines,
//! the node that is missing or the failing probe does.

use std::collections::BTreeSet;
use std::fmt;

use super::observed::{ContainerState, Observed, PodState};
use crate::group::name::AppName;
use crate::plan::color::Color;

/// Restarts after which a crash loop will not heal by itself.
const HOPELESS_RESTARTS: u32 = 3;

/// Something that keeps an app from becoming ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The app.
    pub app: AppName,
    /// One line that can be read alone.
    pub text: String,
    /// Whether waiting longer cannot help.
    pub hopeless: bool,
    /// The container whose last lines tell more, as pod and container.
    pub crashed: Option<(String, String)>,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "app {}: {}", self.app, self.text)
    }
}

/// What keeps an app of a colour from being ready, worst first, each said once.
pub fn troubles(observed: &Observed, app: &AppName, color: Color) -> Vec<Trouble> {
    let plain = |text: String| Trouble {
        app: app.clone(),
        text,
        hopeless: false,
        crashed: None,
    };
    let deployment = observed.deployment(app, color);
    let failure = deployment.and_then(|d| d.failure.clone()).map(plain);
    let pods = observed
        .app_pods(app, color)
        .filter(|pod| !pod.ready && !pod.deleting);
    let mut found: Vec<_> = failure
        .into_iter()
        .chain(pods.filter_map(|pod| pod_trouble(app, pod)))
        .collect();
    found.sort_by_key(|trouble| (!trouble.hopeless, trouble.crashed.is_none()));
    let mut said = BTreeSet::new();
    found.retain(|trouble| said.insert(trouble.text.clone()));
    found
}

fn pod_trouble(app: &AppName, pod: &PodState) -> Option<Trouble> {
    let of = |text: String, hopeless: bool, crashed: Option<(String, String)>| {
        Some(Trouble {
            app: app.clone(),
            text,
            hopeless,
            crashed,
        })
    };
    if let Some(message) = &pod.unschedulable {
        return of(format!("unschedulable: {message}"), false, None);
    }
    for container in &pod.containers {
        if let Some((reason, message)) = &container.waiting {
            let crashed = ended_before(container);
            let text = match reason.as_str() {
                "ContainerCreating" | "PodInitializing" => continue,
                "CrashLoopBackOff" => crash_text(container),
                "ErrImagePull" | "ImagePullBackOff" => {
                    format!("its image cannot be pulled: {message}")
                }
                _ if message.is_empty() => reason.clone(),
                _ => format!("{reason}: {message}"),
            };
            let hopeless = reason == "InvalidImageName"
                || reason == "ErrImageNeverPull"
                || (reason == "CrashLoopBackOff" && container.restarts >= HOPELESS_RESTARTS);
            let crashed = crashed.then(|| (pod.name.clone(), container.name.clone()));
            return of(text, hopeless, crashed);
        }
        if !container.ready && ended_before(container) {
            let hopeless = container.restarts >= HOPELESS_RESTARTS;
            return of(
                crash_text(container),
                hopeless,
                Some((pod.name.clone(), container.name.clone())),
            );
        }
        if !container.ready && container.running_since.is_some() {
            return of(
                format!(
                    "container {} runs, but its readiness probe does not pass",
                    container.name
                ),
                false,
                None,
            );
        }
    }
    let reason = pod.reason.as_ref()?;
    of(format!("pod {}: {reason}", pod.name), false, None)
}

fn ended_before(container: &ContainerState) -> bool {
    container
        .ended
        .as_ref()
        .is_some_and(|ended| ended.exit_code != 0 || container.restarts > 0)
}

fn crash_text(container: &ContainerState) -> String {
    let how =
        container
            .ended
            .as_ref()
            .map_or_else(String::new, |ended| match ended.reason.as_str() {
                "OOMKilled" => " (out of memory)".to_owned(),
                _ => format!(" (exit code {})", ended.exit_code),
            });
    format!(
        "container {} crashes{how}, {} restarts",
        container.name, container.restarts
    )
}
