//! Sends requests to GitHub, and says what its refusals mean.
//!
//! Input: a path below the API's address. Output: the answer's content, or an
//! error of the port. No redirect is followed, as the token would go along; no
//! answer is waited for without end or read without bound; and nobody is asked
//! on who has said that it was too much.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout};

use super::answer::Message;
use super::limit::Limit;
use super::token::{self, Token};
use crate::adapter::trust;
use crate::group::github::GithubApi;
use crate::plan::proof::Claim;
use crate::port::chain::ForgeFound;
use crate::port::proof::ForgeError;
use crate::port::registry::Said;

/// Times that a request is sent, where nothing answers or the server failed.
const ATTEMPTS: u32 = 3;

/// How long the first of them waits for the next; then it is doubled.
const BACKOFF: Duration = Duration::from_millis(500);

/// Longest wait for one answer, all of it.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A hundred check runs may bring as many reports of 128 kB.
const LARGEST: usize = 16 << 20;

/// Longest text that is kept of a refusal, in characters.
const LONGEST: usize = 200;

/// What says how many requests are left, and is not counted itself.
const RATE_LIMIT: &str = "rate_limit";

/// The version of the API that is spoken.
const VERSION: &str = "2022-11-28";

/// What came of a request.
pub(super) enum Found<T> {
    /// What was asked for.
    Answer(T),
    /// There is no such thing, and what may be the reason.
    Nothing(String),
}

/// A connection to one API.
#[derive(Debug)]
pub(super) struct Client {
    connector: Option<SharedHttpConnector>,
    api: GithubApi,
    token: Option<Token>,
    /// Not to be asked before that moment, and what it said.
    limited: Mutex<Option<(Instant, Limit)>>,
}

/// An answer as it came.
struct Answer {
    status: u16,
    limit: Limit,
    body: Vec<u8>,
}

impl Client {
    pub(super) fn new(api: GithubApi, token: Option<Token>) -> Self {
        Self {
            connector: trust::connector(),
            api,
            token,
            limited: Mutex::default(),
        }
    }

    /// Asks for something about a commit.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        claim: &Claim,
        path: &str,
    ) -> Result<Found<T>, ForgeError> {
        if let Some(limit) = self.limited() {
            return Err(self.exceeded(&limit));
        }
        let answer = self.answer(path).await;
        let answer = answer.map_err(|failed| failed.about(claim))?;
        answer.limit.log(self.api.host());
        if answer.status == 200 {
            let read = serde_json::from_slice(&answer.body);
            return read
                .map(Found::Answer)
                .map_err(|_| other(claim, "it is cut off, or is not GitHub's"));
        }
        let message = serde_json::from_slice::<Message>(&answer.body);
        let message = message.map(|read| read.message).unwrap_or_default();
        if answer.limit.is_exceeded(answer.status, &message) {
            let until = Instant::now() + answer.limit.pause();
            *self.lock() = Some((until, answer.limit));
            return Err(self.exceeded(&answer.limit));
        }
        self.refused(claim, answer.status, &message)
    }

    /// Whether the API answers, and takes the token.
    pub(super) async fn examine(&self) -> Result<ForgeFound, Said> {
        let said = |error: ForgeError| Said::of(&error);
        let host = self.api.host().to_owned();
        let variable = token::variable(&self.api);
        let answer = match self.answer(RATE_LIMIT).await {
            Ok(answer) => answer,
            Err(Failed::Known(error)) => return Err(said(error)),
            Err(Failed::Unusable(why)) => {
                return Err(Said(format!("failed to read an answer of {host}: {why}")));
            }
        };
        answer.limit.log(&host);
        match (answer.status, &self.token) {
            // An enterprise's server need not count.
            (200 | 404, token) => Ok(ForgeFound {
                host,
                token: token.as_ref().map(Token::variable),
                variable,
                left: answer.limit.left(),
            }),
            (401, Some(token)) => Err(said(self.bad_token(token))),
            (401, None) => Err(Said(format!(
                "{host} answers nobody without a token: set {variable}"
            ))),
            (status, _) if answer.limit.is_exceeded(status, "") => {
                Err(said(self.exceeded(&answer.limit)))
            }
            (status, _) => Err(Said(format!(
                "{host} answers with HTTP status {status}, as GitHub's API does not: check `api` under [github]"
            ))),
        }
    }

    /// An answer of whatever status, but for a server's own failures.
    async fn answer(&self, path: &str) -> Result<Answer, Failed> {
        let mut pause = BACKOFF;
        let mut attempt = 1;
        loop {
            let failed = match timeout(TIMEOUT, self.send(path)).await {
                Ok(Ok(answer)) if answer.status < 500 => return Ok(answer),
                Ok(Ok(answer)) => format!("it answers with HTTP status {}", answer.status),
                Ok(Err(Failure::Final(failed))) => return Err(failed),
                Ok(Err(Failure::Transport(text))) => text,
                Err(_) => format!("it does not answer within {} s", TIMEOUT.as_secs()),
            };
            if attempt == ATTEMPTS {
                return Err(Failed::Known(ForgeError::Unreachable {
                    host: self.api.host().to_owned(),
                    source: Said(self.shortened(&failed)),
                }));
            }
            sleep(pause).await;
            pause *= 2;
            attempt += 1;
        }
    }

    async fn send(&self, path: &str) -> Result<Answer, Failure> {
        let unusable = |why| Failure::Final(Failed::Unusable(why));
        let connector = self.connector.as_ref();
        let connector = connector.ok_or_else(|| unusable("this build has no HTTP client"))?;
        let address = format!("{}/{path}", self.api);
        let mut request = HttpRequest::get(address).map_err(|_| unusable("its address is none"))?;
        let headers = request.headers_mut();
        headers.insert("accept", "application/vnd.github+json");
        headers.insert("x-github-api-version", VERSION);
        headers.insert(
            "user-agent",
            concat!("promoter/", env!("CARGO_PKG_VERSION")),
        );
        if let Some(token) = &self.token {
            let value = format!("Bearer {}", token.secret());
            let set = headers.try_insert("authorization", value);
            set.map_err(|_| Failure::Final(Failed::Known(self.bad_token(token))))?;
        }
        let answer = connector.call(request).await;
        let answer = answer.map_err(|error| Failure::Transport(Said::of(&error).0))?;
        let status = answer.status().as_u16();
        let limit = Limit::read(|name| answer.headers().get(name));
        let mut stream = ByteStream::new(answer.into_body());
        let mut body = Vec::new();
        while let Some(part) = stream.next().await {
            let broken = |_| Failure::Transport("its answer broke off".to_owned());
            body.extend_from_slice(&part.map_err(broken)?);
            if body.len() > LARGEST {
                return Err(unusable("it is too large"));
            }
        }
        Ok(Answer {
            status,
            limit,
            body,
        })
    }

    /// What it means that something else was answered than what was asked for.
    fn refused<T>(
        &self,
        claim: &Claim,
        status: u16,
        message: &str,
    ) -> Result<Found<T>, ForgeError> {
        let Claim { repository, commit } = claim;
        let host = self.api.host().to_owned();
        let variable = token::variable(&self.api);
        let said =
            |message: &str| Said(format!("HTTP status {status} {}", self.shortened(message)));
        match (status, &self.token) {
            (301 | 302 | 307 | 308, _) => Err(ForgeError::Moved {
                repository: repository.clone(),
            }),
            (401, Some(token)) => Err(self.bad_token(token)),
            (401 | 403, token) => Err(ForgeError::Denied {
                host,
                repository: repository.clone(),
                variable: token.as_ref().map_or(variable, Token::variable),
                source: said(message),
            }),
            (404, _) => Ok(Found::Nothing(format!(
                "{host} shows no commit {commit} of `{repository}`: check `owner` and `sources` under \
                 [github] in the environment, and that {variable} may read it"
            ))),
            (409 | 422, _) => Ok(Found::Nothing(format!(
                "`{repository}` has no commit {commit}, or several that begin like that: have CI set \
                 the image's revision label to the full commit"
            ))),
            _ => Err(other(claim, &said(message).0)),
        }
    }

    fn bad_token(&self, token: &Token) -> ForgeError {
        ForgeError::Token {
            host: self.api.host().to_owned(),
            variable: token.variable(),
        }
    }

    fn exceeded(&self, limit: &Limit) -> ForgeError {
        let without = self.token.is_none();
        ForgeError::Limited {
            until: limit.until(),
            variable: without.then(|| token::variable(&self.api)),
        }
    }

    /// The limit that still holds.
    fn limited(&self) -> Option<Limit> {
        let limited = *self.lock();
        let (_, limit) = limited.filter(|(until, _)| Instant::now() < *until)?;
        Some(limit)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Limit)>> {
        self.limited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A text from outside on one line, within bounds and without the token.
    fn shortened(&self, text: &str) -> String {
        let text = self
            .token
            .as_ref()
            .map_or_else(|| text.to_owned(), |token| token.hidden_in(text));
        let visible = |c: char| if c.is_control() { ' ' } else { c };
        text.chars().take(LONGEST).map(visible).collect()
    }
}

/// Why there is no answer.
enum Failure {
    /// Another attempt may do better.
    Transport(String),
    /// None would.
    Final(Failed),
}

/// Why there is none in the end.
enum Failed {
    /// The answer cannot be used, whatever it is about.
    Unusable(&'static str),
    /// Something that has a name.
    Known(ForgeError),
}

impl Failed {
    /// The same of a question about a commit.
    fn about(self, claim: &Claim) -> ForgeError {
        match self {
            Self::Unusable(why) => other(claim, why),
            Self::Known(error) => error,
        }
    }
}

/// An answer that says nothing of the commit.
pub(super) fn other(claim: &Claim, text: &str) -> ForgeError {
    ForgeError::Other {
        commit: claim.commit.clone(),
        repository: claim.repository.clone(),
        source: Said(text.to_owned()),
    }
}
