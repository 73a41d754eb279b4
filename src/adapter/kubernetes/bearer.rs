//! Lets requests in by tokens that are good for a while.
//!
//! Every request gets the token of its moment. One that the cluster refuses is
//! sent once more with another token: a cluster looks at the token before
//! anything else, so what it refused has not happened.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response, StatusCode};
use kube::client::Body;
use tower::{BoxError, Service};

use crate::port::Login;
use crate::port::login::Token;

/// Adds tokens of a login to what the service below is asked.
#[derive(Clone)]
pub(super) struct Bearer<S> {
    login: Arc<dyn Login>,
    below: S,
}

impl<S> Bearer<S> {
    pub(super) fn new(login: Arc<dyn Login>, below: S) -> Self {
        Self { login, below }
    }
}

impl<S, B> Service<Request<Body>> for Bearer<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Send,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.below.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that is ready, and not the copy.
        let copy = self.below.clone();
        let mut below = std::mem::replace(&mut self.below, copy);
        let login = Arc::clone(&self.login);
        async move {
            let token = login.token().await?;
            let again = copy_of(&request);
            let answer = below.call(with(request, &token)?).await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                login.accepted(&token);
                return Ok(answer);
            }
            let Some(again) = again else {
                return Err(login.refused().into());
            };
            let Some(token) = login.instead_of(&token).await? else {
                return Err(login.refused().into());
            };
            std::future::poll_fn(|context| below.poll_ready(context)).await?;
            let answer = below.call(with(again, &token)?).await?;
            if answer.status() == StatusCode::UNAUTHORIZED {
                return Err(login.refused().into());
            }
            login.accepted(&token);
            Ok(answer)
        }
        .boxed()
    }
}

/// The same request, unless its body is a stream.
fn copy_of(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

fn with(mut request: Request<Body>, token: &Token) -> Result<Request<Body>, BoxError> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.secret()))?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(request)
}

#[cfg(test)]
mod tests;
