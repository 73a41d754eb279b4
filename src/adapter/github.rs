//! The forge port over GitHub's API, that of an enterprise's server included.
//!
//! Input: a commit that an image claims. Output: what its statuses and check
//! runs come to, by the rule in [`crate::plan::proof`]. Whole lists or nothing:
//! what is cut off, or is about another commit than the one that was asked for,
//! proves nothing. Only the configured host is asked, whatever a label says. It
//! only reads, and keeps what is final for as long as the process lives.

mod answer;
mod client;
mod limit;
mod token;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::group::github::GithubRef;
use crate::plan::proof::{Claim, Commit, Reports, Standing, standing};
use crate::port::chain::ForgeFound;
use crate::port::proof::{Forge, ForgeError};
use crate::port::registry::Said;
use answer::{List, RunList, StatusList};
use client::{Client, Found};

pub use token::Token;

/// Most pages of a list; more than these 2,000 reports are somebody's mistake.
const PAGES: usize = 20;

/// What is known of a commit. Who asks holds it, so that the apps of one
/// commit ask once.
type Known = Arc<tokio::sync::Mutex<Option<Standing>>>;

/// GitHub, or an enterprise's server.
#[derive(Debug)]
pub struct Github {
    client: Client,
    required: Vec<String>,
    known: Mutex<BTreeMap<Claim, Known>>,
}

impl Github {
    /// Nothing is asked yet. Without a token only what is public is seen.
    pub fn new(github: &GithubRef, token: Option<Token>) -> Self {
        Self {
            client: Client::new(github.api.clone(), token),
            required: github.required.clone(),
            known: Mutex::default(),
        }
    }

    /// Whether the API answers, and takes the token; one request, which no limit counts.
    ///
    /// # Errors
    /// It does not, and what helps.
    pub async fn examine(&self) -> Result<ForgeFound, Said> {
        self.client.examine().await
    }

    fn known(&self, claim: &Claim) -> Known {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(claim.clone()).or_default())
    }

    async fn ask(&self, claim: &Claim) -> Result<Standing, ForgeError> {
        let statuses: StatusList = match self.list(claim, &claim.commit, "status?").await? {
            Ok(statuses) => statuses,
            Err(missing) => return Ok(missing),
        };
        let Some(commit) = statuses
            .commit()
            .filter(|found| found.agrees(&claim.commit))
        else {
            return Ok(Standing::Unknown(format!(
                "`{}` is a branch or a tag of `{}` as well, and leads to another commit: have CI \
                 set the image's revision label to the full commit",
                claim.commit, claim.repository
            )));
        };
        // From here on by the whole hash, which no branch can be called.
        let runs: RunList = match self
            .list(claim, &commit, "check-runs?filter=latest&")
            .await?
        {
            Ok(runs) => runs,
            Err(missing) => return Ok(missing),
        };
        if !runs.are_of(&commit) {
            return Err(client::other(
                claim,
                "it lists check runs of another commit",
            ));
        }
        let reports = Reports {
            statuses: statuses.reports(),
            runs: runs.reports(),
        };
        Ok(standing(&reports, &self.required))
    }

    /// All pages of a list; where there is none, what that says of the commit.
    async fn list<L: List>(
        &self,
        claim: &Claim,
        commit: &Commit,
        what: &str,
    ) -> Result<Result<L, Standing>, ForgeError> {
        let mut all: Option<L> = None;
        for page in 1..=PAGES {
            let path = format!(
                "repos/{}/commits/{commit}/{what}per_page={}&page={page}",
                claim.repository,
                answer::PAGE
            );
            let found: L = match self.client.get(claim, &path).await? {
                Found::Answer(found) => found,
                Found::Nothing(why) => return Ok(Err(Standing::Unknown(why))),
            };
            let is_last = found.len() < answer::PAGE;
            let list = match all.take() {
                None => found,
                Some(list) => list.and(found),
            };
            if is_last || list.len() == list.total() {
                return if list.len() == list.total() {
                    Ok(Ok(list))
                } else {
                    let all = format!("it lists {} of {} reports", list.len(), list.total());
                    Err(client::other(claim, &all))
                };
            }
            all = Some(list);
        }
        Err(client::other(claim, "there are too many reports"))
    }
}

#[async_trait]
impl Forge for Github {
    async fn standing(&self, claim: &Claim) -> Result<Standing, ForgeError> {
        let known = self.known(claim);
        let mut known = known.lock().await;
        if let Some(standing) = &*known {
            return Ok(standing.clone());
        }
        let standing = self.ask(claim).await?;
        if standing.is_final() {
            *known = Some(standing.clone());
        }
        Ok(standing)
    }
}
