//! Whose the AWS credentials are, as STS tells it.
//!
//! Input: an AWS configuration. Output: who asks. The question needs no permission,
//! so that it tells whether credentials are good at all.

use aws_config::SdkConfig;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::Builder;

use super::aws::{Meaning, Session, Source, Told};
use crate::port::chain::{Caller, CallerError};
use crate::port::registry::Said;

/// Says who asks.
///
/// # Errors
/// Nobody does that AWS knows, or STS does not answer.
pub async fn caller(config: SdkConfig) -> Result<Caller, CallerError> {
    if config.region().is_none() {
        return Err(CallerError::NoRegion);
    }
    let source = Source {
        given: Some(config.clone()),
        ..Source::default()
    };
    let session = Session::new("STS", source, config, client);
    let ask = |client: &Client| client.get_caller_identity().send();
    let answer = match session.send(ask).await {
        Ok(answer) => answer,
        Err(failed) => return Err(error(session.meaning(&failed).await)),
    };
    let caller = answer.arn().zip(answer.account());
    let caller = caller.map(|(arn, account)| Caller {
        arn: arn.to_owned(),
        account: account.to_owned(),
    });
    caller.ok_or_else(|| CallerError::Other {
        source: Said("it does not say".to_owned()),
    })
}

fn client(config: &SdkConfig, told: Told) -> Client {
    let own = Builder::from(config).interceptor(told);
    Client::from_conf(own.build())
}

fn error(meaning: Meaning) -> CallerError {
    match meaning {
        Meaning::Credentials { problem, source } => CallerError::Credentials { problem, source },
        Meaning::Unreachable { source } => CallerError::Unreachable { source },
        Meaning::Throttled { source, .. } | Meaning::Other { source } => {
            CallerError::Other { source }
        }
    }
}
