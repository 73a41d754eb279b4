//! Tokens that the cluster does not take, and clocks that jump.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use jiff::Timestamp;
use promoter::port::{Clock, Login as _};

use super::chain;
use super::fresh::{Source, fresh};
use crate::support::clock::FakeClock;

#[tokio::test(start_paused = true)]
async fn all_who_are_refused_get_the_same_next_token() {
    let source = Arc::<Source>::default();
    let fresh = fresh(&source, FakeClock::new()).await;
    let refused = fresh.token().await.unwrap();
    let asked = (0..10).map(|_| fresh.instead_of(&refused));
    let others = join_all(asked).await;
    let second = fresh.token().await.unwrap();
    assert_ne!(second, refused);
    for other in others {
        assert_eq!(other.unwrap().unwrap(), second);
    }
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_is_not_let_in_gets_no_token_after_token() {
    let source = Arc::<Source>::default();
    let fresh = fresh(&source, FakeClock::new()).await;
    let first = fresh.token().await.unwrap();
    let second = fresh.instead_of(&first).await.unwrap().unwrap();
    for _ in 0..10 {
        assert_eq!(fresh.token().await.unwrap(), second);
        assert_eq!(fresh.instead_of(&second).await, Ok(None));
    }
    assert_eq!(source.asked(), 2);
    assert_eq!(
        chain(&fresh.refused()),
        "cluster `prod` does not let the AWS credentials in: log in with others, or give their \
         IAM identity an access entry in the cluster"
    );
    // Somebody may have let it in, or logged in as somebody else.
    tokio::time::sleep(Duration::from_mins(1)).await;
    let third = fresh.instead_of(&second).await.unwrap().unwrap();
    assert_ne!(third, second);
    assert_eq!(fresh.instead_of(&third).await, Ok(None));
    // Once one was taken, there is use in another again.
    fresh.accepted(&third);
    assert!(fresh.instead_of(&third).await.unwrap().is_some());
}

/// A clock that somebody sets.
#[derive(Clone)]
pub(super) struct Set(Arc<Mutex<Timestamp>>);

impl Set {
    pub(super) fn new() -> Self {
        let date = "2026-11-21T09:00:00Z".parse().unwrap();
        Self(Arc::new(Mutex::new(date)))
    }

    pub(super) fn by(&self, minutes: i64) {
        *self.0.lock().unwrap() += jiff::SignedDuration::from_mins(minutes);
    }
}

#[async_trait]
impl Clock for Set {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep_until(&self, _: Timestamp) {
        std::future::pending::<()>().await;
    }
}

/// As after the sleep of a machine, and after somebody put a wrong clock right.
#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_makes_a_token_worthless() {
    let source = Arc::<Source>::default();
    let clock = Set::new();
    let fresh = fresh(&source, clock.clone()).await;
    for (minutes, expected) in [(0, 1), (60, 2), (-120, 3), (12, 3)] {
        clock.by(minutes);
        let token = fresh.token().await.unwrap();
        assert!(token.is_good(clock.now()), "{token:?} at {}", clock.now());
        assert_eq!(source.asked(), expected, "after {minutes} minutes more");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(source.asked(), 3, "nothing is made that nobody asks for");
}
