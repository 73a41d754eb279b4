//! The token that GitHub is asked with.
//!
//! Input: the environment of the process. Output: a token that shows itself
//! nowhere, and the name of the variable it is from, which may be shown.

use std::fmt;

use crate::group::github::GithubApi;

/// Where tokens of GitHub itself are looked for, and those of other servers, as
/// GitHub's own command line does: no server is sent a token of another one.
const GITHUB: [&str; 2] = ["GH_TOKEN", "GITHUB_TOKEN"];
const ENTERPRISE: [&str; 2] = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
/// Which of the other servers theirs is for, where whoever writes environments is not
/// who sets tokens.
const HOST: &str = "GH_HOST";

/// A secret. It is not cloned and has no text; [`Token::secret`] is asked for
/// where it is sent.
pub struct Token {
    secret: String,
    variable: &'static str,
}

impl Token {
    /// The token for an API, from variables that `get` reads. Where `GH_HOST` is set,
    /// that of an enterprise's server goes to no other host.
    pub fn find(api: &GithubApi, get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let host = get(HOST).filter(|host| !host.is_empty() && !api.is_github());
        if host.is_some_and(|host| !host.eq_ignore_ascii_case(api.host())) {
            return None;
        }
        variables(api).into_iter().find_map(|variable| {
            // Files and commands that tokens are read from end in a line break.
            let secret = get(variable)?.trim().to_owned();
            (!secret.is_empty()).then_some(Self { secret, variable })
        })
    }

    /// Where it is from.
    pub fn variable(&self) -> &'static str {
        self.variable
    }

    /// What is sent.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// A text from outside, without the token should it hold it.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        text.replace(&self.secret, "***")
    }
}

/// Where the token for an API belongs, to be told to people.
pub(super) fn variable(api: &GithubApi) -> &'static str {
    if api.is_github() {
        "GITHUB_TOKEN"
    } else {
        "GH_ENTERPRISE_TOKEN"
    }
}

fn variables(api: &GithubApi) -> [&'static str; 2] {
    if api.is_github() { GITHUB } else { ENTERPRISE }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.variable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(api: &str, set: &[(&str, &str)]) -> Option<(String, &'static str)> {
        let api = GithubApi::parse(api).unwrap();
        let get = |name: &str| {
            let found = set.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let token = Token::find(&api, get)?;
        assert!(!format!("{token:?}").contains(&token.secret));
        Some((token.secret, token.variable))
    }

    #[test]
    fn each_server_has_its_own() {
        let all = [
            ("GITHUB_TOKEN", "a"),
            ("GH_TOKEN", "b"),
            ("GITHUB_ENTERPRISE_TOKEN", "c"),
            ("GH_ENTERPRISE_TOKEN", "d"),
        ];
        let of = |secret: &str, variable| Some((secret.to_owned(), variable));
        let github = "https://api.github.com";
        let own = "https://git.acme.example/api/v3";
        assert_eq!(found(github, &all), of("b", "GH_TOKEN"));
        assert_eq!(found(github, &all[..1]), of("a", "GITHUB_TOKEN"));
        assert_eq!(found("https://api.acme.ghe.com", &all), of("b", "GH_TOKEN"));
        assert_eq!(found(own, &all), of("d", "GH_ENTERPRISE_TOKEN"));
        assert_eq!(found(own, &all[..3]), of("c", "GITHUB_ENTERPRISE_TOKEN"));
        // A server of somebody else is not sent the token of GitHub.
        assert_eq!(found(own, &all[..2]), None);
        assert_eq!(found(github, &all[2..]), None);
    }

    #[test]
    fn a_host_keeps_it_from_others() {
        let mut set = vec![
            ("GH_ENTERPRISE_TOKEN", "d"),
            ("GH_HOST", "Git.acme.example"),
        ];
        let of = |secret: &str, variable| Some((secret.to_owned(), variable));
        let own = "https://git.acme.example/api/v3";
        assert_eq!(found(own, &set), of("d", "GH_ENTERPRISE_TOKEN"));
        assert_eq!(found("https://git.acme.example.evil.example", &set), None);
        // GitHub's is for GitHub anyway.
        set.push(("GH_TOKEN", "b"));
        assert_eq!(found("https://api.github.com", &set), of("b", "GH_TOKEN"));
        set[1].1 = "";
        assert_eq!(
            found("https://other.example", &set),
            of("d", "GH_ENTERPRISE_TOKEN")
        );
    }

    #[test]
    fn an_empty_one_is_none() {
        let github = "https://api.github.com";
        assert_eq!(found(github, &[("GH_TOKEN", " \n")]), None);
        let set = [("GH_TOKEN", ""), ("GITHUB_TOKEN", "a\n")];
        assert_eq!(found(github, &set), Some(("a".to_owned(), "GITHUB_TOKEN")));
    }
}
