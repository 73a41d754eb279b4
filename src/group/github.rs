//! Where GitHub says whether a commit is good, as an environment names it.
//!
//! Input: text of an environment file, and labels of images. Output: the
//! address of GitHub's API, and repositories there. All of it may become part
//! of an address, so nothing is taken that would mean something else there.
//! Which commit an image is of is decided elsewhere.

use std::collections::BTreeMap;

use thiserror::Error;

use super::image::RepositoryName;
use super::name::text_newtype;

/// GitHub's own host, which has its API at another one.
const GITHUB: &str = "github.com";

/// Whose API is asked, and which repositories there build the images.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GithubRef {
    /// Where the API is.
    pub api: GithubApi,
    /// Who owns the repositories that are not told otherwise.
    pub owner: Option<Owner>,
    /// What builds the images of a registry's repository, where names differ.
    pub sources: BTreeMap<RepositoryName, SourceRepository>,
    /// The statuses and check runs that have to pass, and alone count. Empty:
    /// all that there are.
    pub required: Vec<String>,
}

text_newtype! {
    /// Who owns repositories on GitHub: a user or an organisation.
    Owner, OwnerError, |text| if is_owner(text) { Ok(()) } else { Err(OwnerError(text.to_owned())) }
}

text_newtype! {
    /// A repository on GitHub, as `owner/name`.
    SourceRepository, SourceError, check_source
}

text_newtype! {
    /// The address of GitHub's API, without a `/` at its end.
    GithubApi, ApiError, check_api
}

/// The text is no owner.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no owner on GitHub, write the name of a user or an organisation")]
pub struct OwnerError(String);

/// The text is no repository.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no repository on GitHub, write it as owner/name")]
pub struct SourceError(String);

/// Why a text cannot be the address of an API.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApiError {
    /// Everybody on the way could read the token.
    #[error("the API's address must begin with https://, as a token is sent there")]
    Insecure,
    /// It would be sent with every request, and shown.
    #[error(
        "the API's address cannot hold a user or a password, the token comes from GITHUB_TOKEN"
    )]
    Credentials,
    /// Something else.
    #[error(
        "`{0}` is no address of an API, write one like https://api.github.com or https://<host>/api/v3"
    )]
    Form(String),
}

impl Default for GithubApi {
    fn default() -> Self {
        Self(format!("https://api.{GITHUB}"))
    }
}

impl GithubApi {
    /// The host it is asked at, without a port.
    pub fn host(&self) -> &str {
        let (_, rest) = self.0.split_once("://").unwrap_or_default();
        host(rest.split('/').next().unwrap_or_default())
    }

    /// The host that people find its repositories at.
    pub fn web_host(&self) -> &str {
        self.host().strip_prefix("api.").unwrap_or(self.host())
    }

    /// Whether it is GitHub's own, and not that of an enterprise's server.
    pub fn is_github(&self) -> bool {
        let host = self.web_host();
        host == GITHUB || host.ends_with(".ghe.com")
    }
}

impl SourceRepository {
    /// An owner's repository.
    pub fn of(owner: &Owner, name: &str) -> Result<Self, SourceError> {
        Self::parse(&format!("{owner}/{name}"))
    }

    /// Who owns it.
    pub fn owner(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The host and the repository of an address as labels have it, for a
    /// browser or for git.
    pub fn of_address(address: &str) -> Option<(&str, Self)> {
        let rest = match address.split_once("://") {
            Some((scheme, rest)) => ["https", "http", "ssh", "git"]
                .contains(&scheme)
                .then_some(rest)?,
            None => address,
        };
        let (authority, path) = rest.split_once('/')?;
        // As in `git@github.com:owner/name`; a port is digits.
        let (authority, first) = match authority.split_once(':') {
            Some((authority, owner)) if !owner.chars().all(|c| c.is_ascii_digit()) => {
                (authority, format!("{owner}/"))
            }
            _ => (authority, String::new()),
        };
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        Some((host(authority), Self::parse(&(first + path)).ok()?))
    }
}

/// An authority without its port.
fn host(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn is_owner(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    (1..=100).contains(&text.len()) && text.chars().all(allowed)
}

fn check_source(text: &str) -> Result<(), SourceError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let is_name = |name: &str| {
        (1..=100).contains(&name.len()) && name.chars().all(allowed) && ![".", ".."].contains(&name)
    };
    match text.split_once('/') {
        Some((owner, name)) if is_owner(owner) && is_name(name) => Ok(()),
        _ => Err(SourceError(text.to_owned())),
    }
}

fn check_api(text: &str) -> Result<(), ApiError> {
    if text.contains('@') {
        return Err(ApiError::Credentials);
    }
    let form = || ApiError::Form(text.chars().take(80).collect());
    let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
    let authority = rest.split('/').next().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-:/[]".contains(c);
    let name = host(authority);
    if !["https", "http"].contains(&scheme)
        || name.is_empty()
        || rest.ends_with('/')
        || rest.split('/').any(|part| part.is_empty() || part == "..")
        || !rest.chars().all(allowed)
    {
        return Err(form());
    }
    // What is asked on this machine goes over no wire.
    let is_local = ["127.0.0.1", "[::1]", "localhost"].contains(&name);
    if scheme == "http" && !is_local {
        return Err(ApiError::Insecure);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn apis() {
        for (text, host, web_host, is_github) in [
            (
                "https://api.github.com",
                "api.github.com",
                "github.com",
                true,
            ),
            (
                "https://api.acme.ghe.com",
                "api.acme.ghe.com",
                "acme.ghe.com",
                true,
            ),
            (
                "https://git.acme.example/api/v3",
                "git.acme.example",
                "git.acme.example",
                false,
            ),
            (
                "https://git.acme.example:8443/api/v3",
                "git.acme.example",
                "git.acme.example",
                false,
            ),
            ("http://127.0.0.1:8080", "127.0.0.1", "127.0.0.1", false),
            ("http://[::1]:8080", "[::1]", "[::1]", false),
            // Not GitHub's, whatever it looks like.
            (
                "https://api.github.com.example",
                "api.github.com.example",
                "github.com.example",
                false,
            ),
            ("https://notghe.com", "notghe.com", "notghe.com", false),
        ] {
            let api = GithubApi::parse(text).unwrap();
            assert_eq!((api.host(), api.web_host()), (host, web_host), "{text}");
            assert_eq!(api.is_github(), is_github, "{text}");
        }
        assert_eq!(GithubApi::default().as_str(), "https://api.github.com");
        GithubApi::parse(GithubApi::default().as_str()).unwrap();
    }

    #[test]
    fn what_is_no_api() {
        for text in [
            "",
            "api.github.com",
            "https://",
            "https:///api",
            "https://api.github.com/",
            "https://a//b",
            "https://a/../b",
            "https://a?b",
            "https://a/#b",
            "https://a b",
            "ftp://api.github.com",
        ] {
            let error = GithubApi::parse(text).unwrap_err();
            assert!(matches!(error, ApiError::Form(_)), "{text}: {error}");
        }
        let insecure = GithubApi::parse("http://api.github.com");
        assert_eq!(insecure, Err(ApiError::Insecure));
        assert_eq!(
            GithubApi::parse("http://127.0.0.1.example"),
            Err(ApiError::Insecure)
        );
        for text in ["https://me:hidden@a", "me:hidden@a"] {
            let error = GithubApi::parse(text).unwrap_err();
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }

    #[test]
    fn addresses_as_labels_have_them() {
        for (address, expected) in [
            (
                "https://github.com/acme/hello-a",
                Some(("github.com", "acme/hello-a")),
            ),
            (
                "https://github.com/acme/hello-a.git",
                Some(("github.com", "acme/hello-a")),
            ),
            (
                "https://github.com/acme/hello-a/",
                Some(("github.com", "acme/hello-a")),
            ),
            (
                "https://git.acme.example:8443/acme/a",
                Some(("git.acme.example", "acme/a")),
            ),
            ("git@github.com:acme/a.git", Some(("github.com", "acme/a"))),
            (
                "ssh://git@github.com/acme/a.git",
                Some(("github.com", "acme/a")),
            ),
            ("github.com/acme/a", Some(("github.com", "acme/a"))),
            // Whom the address is for is what stands last before the path.
            (
                "https://github.com@evil.example/acme/a",
                Some(("evil.example", "acme/a")),
            ),
            ("https://github.com:a@evil.example/acme/a", None),
            ("https://github.com/acme", None),
            ("https://github.com/acme/a/tree/main", None),
            ("https://github.com/acme/..", None),
            ("https://github.com/acme/a?b", None),
            ("file://github.com/acme/a", None),
            ("", None),
        ] {
            let found = SourceRepository::of_address(address);
            let found = found
                .as_ref()
                .map(|(host, source)| (*host, source.as_str()));
            assert_eq!(found, expected, "{address}");
        }
    }
    proptest! {
        #[test]
        fn what_is_taken_leads_nowhere_else(text in "(https?://|git@|[a-z]{0,3}|[.@:/?#%\\\\]|\\PC){0,12}") {
            let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/:[]".contains(c));
            if let Ok(api) = GithubApi::parse(&text) {
                prop_assert!(plain(api.as_str()) && !api.host().is_empty());
            }
            if let Some((_, source)) = SourceRepository::of_address(&text) {
                let name = source.as_str().split_once('/').unwrap().1;
                prop_assert!(plain(name) && !name.contains('/') && name != "..");
            }
        }
    }
}
