//! Tokens over time: virtual time, and credentials that come slowly or not at all.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use futures::future::join_all;
use promoter::adapter::eks::{Eks, Fresh};
use promoter::port::login::Token;
use promoter::port::{Clock, Login as _};

use super::{chain, prod};
use crate::support::clock::FakeClock;

/// Whoever gives out credentials, and how often somebody asked for them.
#[derive(Default)]
pub(super) struct Source {
    pub(super) asked: AtomicU32,
    /// How long that takes, in seconds.
    takes: AtomicU32,
    pub(super) broken: AtomicBool,
}

impl Source {
    pub(super) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let takes = self.takes.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(takes.into())).await;
        if self.broken.load(Ordering::Relaxed) {
            return Err(CredentialsError::provider_error(
                "the SSO session has expired",
            ));
        }
        Ok(Credentials::new(
            format!("AKID{number}"),
            "secret",
            None,
            None,
            "test",
        ))
    }
}

/// The adapter as it runs in production, but for credentials and clock.
pub(super) async fn fresh(source: &Arc<Source>, clock: impl Clock + 'static) -> Fresh {
    let source = Arc::clone(source);
    let provider = provide_credentials_fn(move || {
        let source = Arc::clone(&source);
        async move { source.credentials().await }
    });
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .build();
    let eks = Eks::new(config, &prod()).await.unwrap();
    Fresh::new(eks, Arc::new(clock))
}

/// Asks for a token as a request does, which it must be good for.
async fn ask(fresh: &Fresh, clock: FakeClock) -> Token {
    let token = fresh.token().await.unwrap();
    assert!(token.is_good(clock.now()), "{token:?} at {}", clock.now());
    token
}

const fn minutes(number: u64) -> Duration {
    Duration::from_mins(number)
}

#[tokio::test(start_paused = true)]
async fn two_hours_of_requests_take_a_token_per_quarter_of_one() {
    let (source, clock) = (Arc::default(), FakeClock::new());
    let fresh = fresh(&source, clock).await;
    let mut tokens = BTreeSet::new();
    while clock.elapsed() < minutes(120) {
        let token = ask(&fresh, clock).await;
        tokens.insert(token.secret().to_owned());
        tokio::time::sleep(Duration::from_secs(7)).await;
    }
    // One at once, and the others after 13 minutes each.
    assert_eq!((tokens.len(), source.asked()), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn many_requests_at_once_share_one_token() {
    let (source, clock) = (Arc::<Source>::default(), FakeClock::new());
    source.takes.store(30, Ordering::Relaxed);
    let fresh = fresh(&source, clock).await;
    for expected in 1..=3 {
        let tokens = join_all((0..100).map(|_| ask(&fresh, clock))).await;
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert_eq!(source.asked(), expected);
        tokio::time::sleep(minutes(20)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_the_next_token_while_there_is_one() {
    let (source, clock) = (Arc::<Source>::default(), FakeClock::new());
    let fresh = fresh(&source, clock).await;
    let first = ask(&fresh, clock).await;
    source.takes.store(40, Ordering::Relaxed);
    tokio::time::sleep(minutes(13)).await;
    let began = clock.elapsed();
    for _ in 0..100 {
        assert_eq!(ask(&fresh, clock).await, first);
    }
    assert_eq!(clock.elapsed(), began, "a request waited");
    tokio::time::sleep(Duration::from_secs(41)).await;
    assert_ne!(ask(&fresh, clock).await, first);
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_has_none_waits_for_the_next_one() {
    let (source, clock) = (Arc::<Source>::default(), FakeClock::new());
    let fresh = fresh(&source, clock).await;
    let first = ask(&fresh, clock).await;
    source.takes.store(90, Ordering::Relaxed);
    tokio::time::sleep(minutes(13)).await;
    assert_eq!(ask(&fresh, clock).await, first);
    tokio::time::sleep(minutes(1)).await;
    let second = ask(&fresh, clock).await;
    assert_ne!(second, first);
    assert_eq!(clock.elapsed(), minutes(14) + Duration::from_secs(30));
    // Dated when it was signed, and not when it was asked for.
    assert_eq!(second.signed, clock.now());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_made_is_tried_again_at_the_next_request() {
    let (source, clock) = (Arc::<Source>::default(), FakeClock::new());
    let fresh = fresh(&source, clock).await;
    let first = ask(&fresh, clock).await;
    source.broken.store(true, Ordering::Relaxed);
    tokio::time::sleep(minutes(13)).await;
    for _ in 0..5 {
        assert_eq!(ask(&fresh, clock).await, first, "it is still good");
        tokio::time::sleep(Duration::from_secs(11)).await;
    }
    tokio::time::sleep(minutes(1)).await;
    let error = fresh.token().await.unwrap_err();
    assert_eq!(
        chain(&error),
        "the AWS credentials have expired: run `aws sso login`, or renew the session token: an \
         error occurred while loading credentials: the SSO session has expired"
    );
    source.broken.store(false, Ordering::Relaxed);
    assert_ne!(ask(&fresh, clock).await, first);
}
