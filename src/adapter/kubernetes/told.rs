//! Tells of each request to the API server, by its verb and what came of it.
//!
//! Verbs are those of Kubernetes' roles and audit log, as far as a request's
//! method and address tell them. Nothing else of the request is passed on.

use http::{Method, Request, Response, StatusCode, Uri};
use kube::client::Body;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt as _, service_fn};

use crate::port::calls::{Call, CallResult, Listener, System};

/// What answers requests.
type Http<B> = BoxCloneSyncService<Request<Body>, Response<B>, BoxError>;

/// The same, and somebody is told of each request. A watch is told of once it begins.
pub(super) fn told<B: 'static>(http: Http<B>, listener: Listener) -> Http<B> {
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
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::port::Calls;

    #[derive(Default)]
    struct Noted(Mutex<Vec<String>>);

    impl Calls for Noted {
        fn made(&self, call: &Call<'_>) {
            assert_eq!(call.system, System::Kubernetes);
            let line = format!("{} {}", call.operation, call.result.word());
            self.0.lock().unwrap().push(line);
        }
    }

    /// Answers with the status that the path begins with.
    #[tokio::test]
    async fn what_came_of_requests_is_told() {
        let listener = Listener::default();
        let answers = service_fn(async |request: Request<Body>| {
            let status = request.uri().path().get(1..4);
            let status = status.ok_or_else(|| BoxError::from("nobody is there"))?;
            let answer = Response::builder().status(status).body(());
            answer.map_err(BoxError::from)
        });
        let http = told(Http::new(answers), listener.clone());
        let ask = async |path: &'static str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            http.clone()
                .oneshot(request)
                .await
                .map(|answer| answer.status())
        };
        // Nobody listens yet.
        assert_eq!(ask("/200").await.unwrap(), 200);
        let noted = Arc::new(Noted::default());
        listener.listen(noted.clone());
        for path in ["/200", "/404", "/429", "/"] {
            assert_eq!(ask(path).await.is_ok(), path != "/");
        }
        let noted = noted.0.lock().unwrap();
        let expected = ["get ok", "get failed", "get throttled", "get unanswered"];
        assert_eq!(*noted, expected);
    }

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
