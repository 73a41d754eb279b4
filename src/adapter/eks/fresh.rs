//! Keeps a token, and has the next one before it is over.
//!
//! Whoever asks while the token is good gets it at once, whatever becomes of the
//! next one. Whoever asks when there is none waits for it, together with all
//! others who do. A token that could not be made is tried again when the next
//! one asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tracing::debug;

use super::Eks;
use crate::port::Clock;
use crate::port::login::{Login, LoginError, Token};

/// How long before its end a token is replaced.
const EARLY: Duration = Duration::from_mins(1);

/// How old a token gets before another one is made for an identity that is not
/// let in: somebody may have changed that, or the credentials.
const PAUSE: Duration = Duration::from_mins(1);

/// A token that is always good.
#[derive(Clone)]
pub struct Fresh(Arc<Kept>);

struct Kept {
    eks: Eks,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// The next one, while it is being made.
    next: Option<Next>,
    /// Whether a token was refused, and none was taken since: then the identity
    /// is not let in, and would not be with another one right away.
    doubted: bool,
}

type Next = Shared<BoxFuture<'static, Result<Token, LoginError>>>;

impl Fresh {
    /// Makes nothing yet. The clock is the one that tokens are dated by: it has
    /// to show the time of day, even after the machine slept.
    pub fn new(eks: Eks, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Kept {
            eks,
            clock,
            state: Mutex::default(),
        }))
    }

    /// The next token, which is made from here on unless it is already;
    /// `anew`: with credentials that are read again.
    fn next(&self, state: &mut State, anew: bool) -> Next {
        if let Some(next) = &state.next {
            return next.clone();
        }
        let kept = Arc::clone(&self.0);
        let next = async move {
            let made = kept.eks.sign(&*kept.clock, anew).await;
            let mut state = kept.state();
            state.next = None;
            match &made {
                Ok(token) => {
                    debug!(expires = %token.expires, "a new token for the cluster");
                    state.token = Some(token.clone());
                }
                Err(error) => debug!(%error, "no new token for the cluster"),
            }
            made
        };
        let next = next.boxed().shared();
        state.next = Some(next.clone());
        // It is made even if whoever asked first goes away, or does not wait.
        tokio::spawn(next.clone());
        next
    }
}

impl Kept {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Login for Fresh {
    async fn token(&self) -> Result<Token, LoginError> {
        loop {
            let next = {
                let now = self.0.clock.now();
                let mut state = self.0.state();
                let good = state.token.clone().filter(|token| token.is_good(now));
                if let Some(token) = good.clone().filter(|token| token.is_good(now + EARLY)) {
                    return Ok(token);
                }
                let next = self.next(&mut state, false);
                if let Some(token) = good {
                    return Ok(token);
                }
                next
            };
            let token = next.await?;
            // The machine may have slept before this went on.
            if token.is_good(self.0.clock.now()) {
                return Ok(token);
            }
        }
    }

    async fn instead_of(&self, refused: &Token) -> Result<Option<Token>, LoginError> {
        let next = {
            let mut state = self.0.state();
            if state.token.as_ref() != Some(refused) {
                None
            } else if state.doubted && self.0.clock.now() < refused.signed + PAUSE {
                return Ok(None);
            } else {
                state.token = None;
                state.doubted = true;
                Some(self.next(&mut state, true))
            }
        };
        match next {
            Some(next) => next.await.map(Some),
            // Somebody else was refused before, and is on it.
            None => self.token().await.map(Some),
        }
    }

    fn accepted(&self, token: &Token) {
        let mut state = self.0.state();
        if state.token.as_ref() == Some(token) {
            state.doubted = false;
        }
    }

    fn refused(&self) -> LoginError {
        LoginError::Refused {
            cluster: self.0.eks.name.clone(),
        }
    }
}
