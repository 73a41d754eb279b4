//! What the API server and the client say, as the port's errors.

use std::error::Error;
use std::time::Duration;

use kube::client::AuthError;
use kube::config::KubeconfigError;
use kube::core::Status;

use crate::plan::object::ObjectRef;
use crate::port::registry::Said;
use crate::port::{ClusterError, LoginError};

/// How long the cluster may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How a server-side apply begins to say that the object has a field, or a
/// value, that its kind does not have.
const NOT_OF_ITS_TYPE: &str = "failed to create typed patch object";

/// What a 403 says that no Role would help against.
const NOT_ABOUT_RIGHTS: [&str; 3] = [
    "exceeded quota",
    "violates PodSecurity",
    "because it is being terminated",
];

const LOGS_IN: &str = "the program that the kubeconfig logs in with";

/// Maps an error of the client; `action` says what was tried ("apply Service x").
pub(super) fn from(action: &str, error: kube::Error) -> ClusterError {
    let kube::Error::Api(status) = error else {
        let login = match &error {
            kube::Error::Service(error) => error.downcast_ref::<LoginError>(),
            _ => None,
        };
        return ClusterError::Unreachable {
            cluster: format!("to {action}"),
            reason: login.map_or_else(|| said(&error), |login| Said::of(login).0),
        };
    };
    let reason = status.message.clone();
    match (status.code, status.reason.as_str()) {
        // Not for want of a right, whatever the code says.
        (403, _) if NOT_ABOUT_RIGHTS.iter().any(|words| reason.contains(words)) => {
            ClusterError::Refused {
                action: action.to_owned(),
                reason,
            }
        }
        (401, _) => ClusterError::Unreachable {
            cluster: format!("to {action}"),
            reason: "the credentials are not accepted; log in again".to_owned(),
        },
        (403, "Forbidden") => ClusterError::Forbidden {
            action: action.to_owned(),
            reason,
        },
        (409 | 410, _) => ClusterError::Moved {
            action: action.to_owned(),
        },
        // A server that is overloaded, or on its way down or up.
        (429 | 500 | 502 | 503 | 504, _) => ClusterError::Unreachable {
            cluster: format!("to {action}"),
            reason,
        },
        _ => ClusterError::Refused {
            action: action.to_owned(),
            reason,
        },
    }
}

/// An error of the client in words, without what may be a login: of a kubeconfig no
/// text is repeated, and a program that it logs in with is told of only by what that
/// says to people, not by its arguments and variables and all else that it writes.
pub(super) fn said(error: &(dyn Error + 'static)) -> String {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(KubeconfigError::Parse(error)) = cause.downcast_ref() {
            let place = error.location().map_or_else(String::new, |place| {
                format!(" in line {}, column {}", place.line(), place.column())
            });
            return format!("the kubeconfig has a mistake{place}");
        }
        match cause.downcast_ref() {
            Some(AuthError::AuthExecRun { out, .. }) => {
                let to_people = one_line(&String::from_utf8_lossy(&out.stderr));
                let status = out.status;
                return format!("{LOGS_IN} failed ({status}): {to_people}");
            }
            Some(AuthError::AuthExecParse(_)) => return format!("{LOGS_IN} wrote no credentials"),
            _ => next = cause.source(),
        }
    }
    Said::of(error).0
}

/// As [`from`], for server-side apply, whose conflicts name other managers.
pub(super) fn from_apply(object: &ObjectRef, error: kube::Error) -> ClusterError {
    match error {
        kube::Error::Api(status) if status.code == 409 && is_about_fields(&status) => {
            ClusterError::Conflict {
                object: object.clone(),
                reason: one_line(&status.message),
            }
        }
        // The server says so with 500, as if it had failed itself.
        kube::Error::Api(status) if status.message.starts_with(NOT_OF_ITS_TYPE) => {
            ClusterError::Refused {
                action: format!("apply {object}"),
                reason: one_line(words(object, &status)),
            }
        }
        kube::Error::Api(mut status) => {
            let message = words(object, &status).to_owned();
            status.message = message;
            from(&format!("apply {object}"), kube::Error::Api(status))
        }
        error => from(&format!("apply {object}"), error),
    }
}

/// What the server says of an object. Of a Secret it may repeat a value, unless
/// it is about rights.
fn words<'a>(object: &ObjectRef, status: &'a Status) -> &'a str {
    if object.kind == "Secret" && status.code != 403 {
        "the server does not take it; its words are not shown, as they may hold a value"
    } else {
        &status.message
    }
}

/// Whether other managers own what was to be applied; else it is another
/// version of the object than the one that was meant.
fn is_about_fields(status: &Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    causes.any(|cause| cause.reason == "FieldManagerConflict")
}

/// As [`from`], for the group's own resource: a path that the server does not
/// know means that it was never installed. Where the namespace is missing, it
/// names that.
pub(super) fn from_group(action: &str, error: kube::Error) -> ClusterError {
    match error {
        kube::Error::Api(status) if status.code == 404 => {
            let missing = status
                .details
                .as_ref()
                .filter(|about| about.kind == "namespaces");
            missing.map_or(ClusterError::NotInstalled, |about| {
                ClusterError::NoNamespace {
                    namespace: about.name.clone(),
                }
            })
        }
        error => from(action, error),
    }
}

/// The server took the request and did not answer.
pub(super) fn no_answer(action: &str, waited: Duration) -> ClusterError {
    let seconds = waited.as_secs();
    ClusterError::Unreachable {
        cluster: format!("to {action}"),
        reason: format!("no answer within {seconds} s"),
    }
}

/// Whether the server said that there is no such object.
pub(super) fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// Whether the server said that a patch does not fit the object.
pub(super) fn is_invalid(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 422)
}

/// Whether the server said that there is one already.
pub(super) fn is_already_there(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.reason == "AlreadyExists")
}

/// What came of it, if that was in time.
pub(super) async fn in_time<T>(
    action: &str,
    patience: Duration,
    asked: impl Future<Output = T>,
) -> Result<T, ClusterError> {
    let answer = tokio::time::timeout(patience, asked).await;
    answer.map_err(|_| no_answer(action, patience))
}

/// Whether a right is missing.
pub(super) fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 403)
}

/// Whether the server said that the object was changed meanwhile.
pub(super) fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{ExitStatus, Output};

    use kube::config::Kubeconfig;

    use super::*;

    fn answered(kind: &str, code: u16, message: &str) -> ClusterError {
        let status = Status {
            code,
            message: message.to_owned(),
            ..Status::default()
        };
        let object = ObjectRef::new("v1", kind, "settings");
        from_apply(&object, kube::Error::Api(Box::new(status)))
    }

    /// It may arrive later, so that it is no refusal.
    #[test]
    fn a_server_that_is_in_trouble_has_refused_nothing() {
        for kind in ["ConfigMap", "Secret"] {
            for code in [401, 429, 500, 502, 503, 504] {
                let error = answered(kind, code, "etcdserver: request timed out");
                assert!(
                    matches!(error, ClusterError::Unreachable { .. }),
                    "{code}: {error}"
                );
            }
            for (code, message) in [(422, "is invalid"), (500, NOT_OF_ITS_TYPE)] {
                let error = answered(kind, code, message);
                assert!(
                    matches!(error, ClusterError::Refused { .. }),
                    "{code}: {error}"
                );
            }
        }
    }

    #[test]
    fn why_there_is_no_token_is_said_once_and_in_full() {
        let cluster = "prod".to_owned();
        let login = LoginError::Refused { cluster };
        let error = from("list pods", kube::Error::Service(login.clone().into()));
        let expected = format!("failed to reach the cluster to list pods: {login}");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_program_that_logs_in_is_told_of_without_what_may_be_a_login() {
        let out = Output {
            status: ExitStatus::from_raw(256),
            stdout: b"token: hunter2".to_vec(),
            stderr: b"your session\nhas expired\n".to_vec(),
        };
        let cmd = "KEY=\"hunter2\" \"login\" \"--password=hunter2\"".to_owned();
        let run = || AuthError::AuthExecRun {
            cmd: cmd.clone(),
            out: Box::new(out.clone()),
        };
        for error in [
            kube::Error::Auth(run()),
            kube::Error::Service(run().into()),
            kube::Error::Service(kube::Error::Auth(run()).into()),
        ] {
            let error = from("list pods", error).to_string();
            assert_eq!(
                error,
                "failed to reach the cluster to list pods: the program that the kubeconfig logs in \
                 with failed (exit status: 1): your session has expired"
            );
        }
    }

    #[test]
    fn a_kubeconfig_is_not_quoted() {
        let text = "users:\n- name: a\n  user: { token: [hunter2 }\n";
        let error = Kubeconfig::from_yaml(text).unwrap_err();
        assert!(error.to_string().contains("hunter2"));
        let error = said(&error);
        assert!(error.starts_with("the kubeconfig has a mistake in line 3, column "));
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_is_said_of_a_secret_is_not_repeated() {
        for code in [400, 422, 500, 503] {
            let error = answered("Secret", code, "data.key: invalid: hunter2").to_string();
            assert!(!error.contains("hunter2"), "{error}");
            let error = answered("ConfigMap", code, "data.key: invalid: hunter2").to_string();
            assert!(error.contains("hunter2"), "{error}");
        }
    }
}
