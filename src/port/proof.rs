//! What CI says of the commits that images were built from.
//!
//! The port answers for one commit at a time. Whether that is enough is decided
//! in [`crate::plan::proof`], and which image is taken in
//! [`crate::plan::resolve`]. What is not known is never good, and an outage is
//! an error, so that nobody takes an older image because of it. Whoever
//! implements it keeps tokens out of every error.

use async_trait::async_trait;
use jiff::Timestamp;
use thiserror::Error;

use crate::group::github::SourceRepository;
use crate::plan::proof::{Claim, Commit, Standing};
use crate::port::registry::Said;

/// Where code is kept and CI reports.
#[async_trait]
pub trait Forge: Send + Sync {
    /// What CI says of the commit now.
    ///
    /// # Errors
    /// The forge did not answer, or not as asked.
    async fn standing(&self, claim: &Claim) -> Result<Standing, ForgeError>;
}

/// Why the forge did not say what CI says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForgeError {
    /// Nothing answered, or not to the end.
    #[error(
        "failed to get an answer of GitHub at {host}: try again later, or check the network and `api` \
         under [github]"
    )]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What stood in the way.
        #[source]
        source: Said,
    },
    /// The token is not good.
    #[error("{host} does not accept the token in {variable}: renew it")]
    Token {
        /// Who was asked.
        host: String,
        /// Where the token is from.
        variable: &'static str,
    },
    /// It is good, but not for this, or there is none.
    #[error(
        "{host} does not tell what was reported on `{repository}`: let {variable} hold a token that \
         may read its commit statuses and checks"
    )]
    Denied {
        /// Who was asked.
        host: String,
        /// About what.
        repository: SourceRepository,
        /// Where the token is looked for.
        variable: &'static str,
        /// What it said.
        #[source]
        source: Said,
    },
    /// Too many requests were made with this token, or from here.
    #[error("GitHub's rate limit is used up{}{}", when(*.until), without(*.variable))]
    Limited {
        /// When it answers again, if it said so.
        until: Option<Timestamp>,
        /// Where to put a token, with which the limit is higher. `None`: one
        /// was used.
        variable: Option<&'static str>,
    },
    /// The repository has another name now.
    #[error(
        "repository `{repository}` has moved on GitHub: set its name under [github.sources] in the \
         environment"
    )]
    Moved {
        /// By its former name.
        repository: SourceRepository,
    },
    /// Anything else.
    #[error("failed to read what was reported on commit {commit} of `{repository}`")]
    Other {
        /// Which commit.
        commit: Commit,
        /// Of which repository.
        repository: SourceRepository,
        /// What was answered.
        #[source]
        source: Said,
    },
}

fn when(until: Option<Timestamp>) -> String {
    until.map_or_else(
        || ": try again later".to_owned(),
        |until| format!(" until {}: try again then", until.strftime("%F %H:%M UTC")),
    )
}

fn without(variable: Option<&str>) -> String {
    variable.map_or_else(String::new, |variable| {
        format!(", or set {variable}, as without a token it is low")
    })
}
