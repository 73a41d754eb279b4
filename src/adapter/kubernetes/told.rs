//! Tells of each request to the API server, by its verb and what came of it.
//!
//! Verbs are those of Kubernetes' roles and audit log, as far as a request's
//! method and address tell them. Nothing else of the request is passed on.

use http::{Method, Request, Response, StatusCode, Uri};
use kube::client::Body;
use tower::{ServiceExt as _, service_fn};

use super::client::Http;
use crate::port::calls::{Call, CallResult, Listener, System};

/// The same, and somebody is told of each request. A watch is told of once it begins.
pub(super) fn told(http: Http, listener: Listener) -> Http {
    Http::new(service_fn(move |request: Request<Body>| {
        let (http, listener) = (http.clone(), listener.clone());
        let operation = verb(request.method(), request.uri());
        async move {
            let answer = http.oneshot(request).await;
            let status = answer.as_ref().map(Response::status);
            let result = match status {
                Ok(status) if status.is_success() => CallResult::Ok,
                Ok(StatusCode::TOO_MANY_REQUESTS) => CallResult::Throttled,
                Ok(_) => CallResult::Failed,
                Err(_) => CallResult::Unanswered,
            };
            listener.tell(&Call {
                system: System::Kubernetes,
                operation,
                result,
            });
            answer
        }
    }))
}

fn verb(method: &Method, uri: &Uri) -> &'static str {
    let query = uri.query().unwrap_or_default();
    let watches = || {
        let mut options = query.split('&');
        options.any(|option| matches!(option, "watch=true" | "watch=1"))
    };
    match *method {
        Method::GET if watches() => "watch",
        Method::GET if is_of_one(uri.path()) => "get",
        Method::GET => "list",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if is_of_one(uri.path()) => "delete",
        Method::DELETE => "deletecollection",
        _ => "other",
    }
}

/// Whether an address is that of one object, or of what describes the server.
fn is_of_one(path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let kinds = match parts.next() {
        Some("api") => parts.next(),
        Some("apis") => parts.nth(1),
        _ => None,
    };
    let rest: Vec<_> = parts.collect();
    match (kinds, rest.as_slice()) {
        (None, _) | (_, []) => true,
        (_, ["namespaces", _, rest @ ..]) if !rest.is_empty() => rest.len() > 1,
        (_, rest) => rest.len() > 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs() {
        for (method, uri, expected) in [
            (Method::GET, "/api/v1/namespaces/v2/pods", "list"),
            (Method::GET, "/api/v1/namespaces/v2/pods?limit=1", "list"),
            (
                Method::GET,
                "/api/v1/namespaces/v2/pods?watch=true",
                "watch",
            ),
            (
                Method::GET,
                "/api/v1/namespaces/v2/pods?a=b&watch=1",
                "watch",
            ),
            (Method::GET, "/api/v1/namespaces/v2/pods/a", "get"),
            (Method::GET, "/api/v1/namespaces/v2/pods/a/log", "get"),
            (Method::GET, "/api/v1/namespaces", "list"),
            (Method::GET, "/api/v1/namespaces/v2", "get"),
            (
                Method::GET,
                "/apis/apps/v1/namespaces/v2/deployments",
                "list",
            ),
            (
                Method::GET,
                "/apis/apps/v1/namespaces/v2/deployments/a",
                "get",
            ),
            (Method::GET, "/apis/apps/v1", "get"),
            (Method::GET, "/version", "get"),
            (Method::POST, "/api/v1/namespaces/v2/secrets", "create"),
            (Method::PUT, "/api/v1/namespaces/v2/secrets/a", "update"),
            (Method::PATCH, "/api/v1/namespaces/v2/services/a", "patch"),
            (Method::DELETE, "/api/v1/namespaces/v2/services/a", "delete"),
            (
                Method::DELETE,
                "/api/v1/namespaces/v2/secrets",
                "deletecollection",
            ),
        ] {
            let uri = Uri::from_static(uri);
            assert_eq!(verb(&method, &uri), expected, "{method} {uri}");
        }
    }
}
