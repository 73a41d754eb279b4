//! The outside systems that promotions of an environment hang on, a question each.
//!
//! For `promoter doctor` alone: it wants to know of every link whether it holds, and
//! why not, without the others. So each answer is one of its own, and what failed is
//! text that says what to do. Whoever implements it writes nothing anywhere, and
//! keeps credentials out of every text.

use async_trait::async_trait;
use thiserror::Error;

use super::SpendingError;
use super::registry::{CredentialProblem, RegistryError, Said};
use crate::group::cloudwatch::BudgetGuard;
use crate::group::image::RepositoryName;
use crate::promotion::restraint::{Alarm, GuardFound};

/// One environment's outside systems.
#[async_trait]
pub trait Chain: Send + Sync {
    /// Who the AWS credentials say that asks.
    async fn caller(&self) -> Result<Caller, CallerError>;

    /// What the registry lets be read of a repository, as planning reads it.
    async fn repository(&self, name: &RepositoryName) -> Result<RepositoryFound, RegistryError>;

    /// How alarms on what AWS charges stand: those of these names that are there, or if
    /// none is named all there are.
    async fn billing_alarms(&self, names: &[String]) -> Result<Vec<Alarm>, SpendingError>;

    /// What the budget guard is asked about.
    async fn guard(&self, guard: &BudgetGuard) -> Result<GuardFound, SpendingError>;

    /// The cluster. All that is asked of it later is asked of this one.
    async fn server(&self) -> Result<Server, Said>;

    /// Whether the server knows the group's own resource.
    async fn is_installed(&self) -> Result<bool, Said>;

    /// Whether the environment's namespace is there.
    async fn namespace(&self) -> Result<Presence, Said>;

    /// The rights that a promoter needs, and whoever asks does not have.
    async fn missing_rights(&self) -> Result<Vec<Right>, Said>;

    /// Where commits are proven.
    async fn forge(&self) -> Result<ForgeFound, Said>;
}

/// Who asks AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The ARN of the user, or of the role that was assumed.
    pub arn: String,
    /// The account.
    pub account: String,
}

/// Why it is not clear who asks AWS.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallerError {
    /// Nobody, or nobody that AWS knows.
    #[error("{problem}")]
    Credentials {
        /// What is wrong and what helps.
        problem: CredentialProblem,
        /// What AWS or the credential chain said.
        #[source]
        source: Said,
    },
    /// Nothing answered.
    #[error("failed to reach STS: check the network, AWS_REGION and AWS_ENDPOINT_URL")]
    Unreachable {
        /// What stood in the way.
        #[source]
        source: Said,
    },
    /// It is not clear where to ask.
    #[error("no AWS region is set: set AWS_REGION, or the profile's `region`")]
    NoRegion,
    /// Anything else.
    #[error("failed to ask STS whose the AWS credentials are")]
    Other {
        /// What AWS said.
        #[source]
        source: Said,
    },
}

/// A repository that may be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepositoryFound {
    /// Whether the labels of its images may be read, which name branch and commit.
    pub labels: bool,
    /// Which of its tags can be moved; `None`: that may not be read.
    pub tags: Option<Tags>,
}

/// Which tags of a repository can be moved to another image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags {
    /// None can, but for the exceptions; else all can, but for those.
    pub immutable: bool,
    /// Patterns with `*` for any text.
    pub except: Vec<String>,
}

/// A cluster that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The version it says it has.
    pub version: String,
    /// Who it takes us for, if it says so.
    pub user: Option<String>,
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    There,
    /// It is being deleted.
    Ending,
    /// It is not.
    Missing,
    /// Who asks may not know.
    Hidden,
}

/// Something that may be done in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Whether it is needed in the whole cluster, and not in the namespace alone.
    pub everywhere: bool,
    /// To what, as `jobs.batch` or `pods/log`.
    pub resource: String,
    /// What is done to it.
    pub verb: String,
}

/// A forge that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeFound {
    /// Where it was asked.
    pub host: String,
    /// The variable that the token is from; `None`: there is none.
    pub token: Option<&'static str>,
    /// Where a token belongs.
    pub variable: &'static str,
    /// Requests that are left, of how many; `None`: it does not count them.
    pub left: Option<(u64, u64)>,
}
