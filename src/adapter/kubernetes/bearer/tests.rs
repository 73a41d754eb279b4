//! A cluster and a login in memory, and what one asks of the other.

use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;
use tower::{ServiceExt as _, service_fn};

use super::*;
use crate::port::LoginError;

/// Gives out `token-1`, and another one for each that is refused.
#[derive(Default)]
struct Tokens {
    given: Mutex<u32>,
    /// Nothing more is given out in place of a refused one.
    gives_up: bool,
    broken: bool,
    accepted: Mutex<Vec<String>>,
}

fn token(number: u32) -> Token {
    Token::new(format!("token-{number}"), Timestamp::MIN, Timestamp::MAX)
}

#[async_trait]
impl Login for Tokens {
    async fn token(&self) -> Result<Token, LoginError> {
        if self.broken {
            return Err(LoginError::NoRegion);
        }
        Ok(token(*self.given.lock().unwrap() + 1))
    }

    async fn instead_of(&self, _: &Token) -> Result<Option<Token>, LoginError> {
        if self.gives_up {
            return Ok(None);
        }
        *self.given.lock().unwrap() += 1;
        self.token().await.map(Some)
    }

    fn accepted(&self, token: &Token) {
        self.accepted
            .lock()
            .unwrap()
            .push(token.secret().to_owned());
    }

    fn refused(&self) -> LoginError {
        LoginError::Refused {
            cluster: "prod".to_owned(),
        }
    }
}

/// Asks a cluster that lets one token in; gives its answer, and what it was asked.
async fn ask(login: &Arc<Tokens>, accepts: &'static str) -> (Result<u16, BoxError>, Vec<String>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let cluster = service_fn(move |request: Request<Body>| {
        let seen = Arc::clone(&seen);
        async move {
            let header = &request.headers()[AUTHORIZATION];
            assert!(header.is_sensitive(), "it would be seen in a log");
            let header = header.to_str().unwrap().to_owned();
            let good = header == format!("Bearer {accepts}");
            let body = request.into_body().collect_bytes().await?;
            let body = String::from_utf8(body.to_vec())?;
            seen.lock().unwrap().push(format!("{header} {body}"));
            let status = if good { 201 } else { 401 };
            Ok::<_, BoxError>(Response::builder().status(status).body(())?)
        }
    });
    let service = Bearer::new(Arc::clone(login) as Arc<dyn Login>, cluster);
    let request = Request::post("/")
        .body(Body::from(b"patch".to_vec()))
        .unwrap();
    let answer = service.oneshot(request).await;
    let answer = answer.map(|answer| answer.status().as_u16());
    let asked = asked.lock().unwrap().clone();
    (answer, asked)
}

#[tokio::test]
async fn a_request_carries_the_token_of_its_moment() {
    let login = Arc::new(Tokens::default());
    let (answer, asked) = ask(&login, "token-1").await;
    assert_eq!(answer.unwrap(), 201);
    assert_eq!(asked, ["Bearer token-1 patch"]);
    assert_eq!(*login.accepted.lock().unwrap(), ["token-1"]);
}

#[tokio::test]
async fn what_is_refused_is_sent_once_more_with_another_token() {
    let login = Arc::new(Tokens::default());
    let (answer, asked) = ask(&login, "token-2").await;
    assert_eq!(answer.unwrap(), 201);
    assert_eq!(asked, ["Bearer token-1 patch", "Bearer token-2 patch"]);
    assert_eq!(*login.accepted.lock().unwrap(), ["token-2"]);
}

#[tokio::test]
async fn a_cluster_that_takes_no_token_is_asked_twice_at_most() {
    for (gives_up, times) in [(false, 2), (true, 1)] {
        let login = Arc::new(Tokens {
            gives_up,
            ..Tokens::default()
        });
        let (answer, asked) = ask(&login, "none").await;
        assert_eq!(asked.len(), times);
        let error = answer.unwrap_err();
        let error = error.downcast_ref::<LoginError>().unwrap();
        assert!(matches!(error, LoginError::Refused { .. }), "{error}");
        assert!(login.accepted.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let login = Arc::new(Tokens {
        broken: true,
        ..Tokens::default()
    });
    let (answer, asked) = ask(&login, "token-1").await;
    assert!(answer.unwrap_err().is::<LoginError>());
    assert_eq!(asked, Vec::<String>::new());
}
