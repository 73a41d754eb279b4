//! Which queue a URL is of.

use super::event::is_account;
use crate::port::HintError;

/// A queue, by its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) url: String,
    pub(super) account: String,
    pub(super) name: String,
    /// `None`: the host is none of AWS' own, as that of a double.
    pub(super) region: Option<String>,
}

impl Queue {
    /// Takes a URL as SQS tells it: `https://sqs.<region>.amazonaws.com/<account>/<name>`.
    pub(super) fn parse(url: &str) -> Result<Self, HintError> {
        let wrong = HintError::Url;
        let rest = url.strip_prefix("https://");
        let rest = rest.or_else(|| url.strip_prefix("http://"));
        let mut parts = rest.ok_or(wrong.clone())?.split('/');
        let (host, account, name) = (parts.next(), parts.next(), parts.next());
        let host = host.filter(|host| !host.is_empty() && !host.contains('@'));
        let account = account.filter(|account| is_account(account));
        let name = name.filter(|name| is_name(name));
        match (host, account, name, parts.next()) {
            (Some(host), Some(account), Some(name), None) => Ok(Self {
                url: url.to_owned(),
                account: account.to_owned(),
                name: name.to_owned(),
                region: region(host),
            }),
            _ => Err(wrong),
        }
    }
}

fn is_name(text: &str) -> bool {
    let text = text.strip_suffix(".fifo").unwrap_or(text);
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.len() <= 80 && text.bytes().all(letter)
}

/// The region in a host of AWS: behind `sqs` or its relatives, or before `queue`,
/// as it was in older URLs.
fn region(host: &str) -> Option<String> {
    if !host.contains(".amazonaws.") && !host.contains(".api.aws") {
        return None;
    }
    let parts: Vec<_> = host.split('.').collect();
    let service = |part: &&str| ["sqs", "sqs-fips", "queue"].contains(part);
    let at = parts.iter().position(service)?;
    let region = match parts[at] {
        "queue" => parts.get(at.checked_sub(1)?),
        _ => parts.get(at + 1),
    };
    region.map(|region| (*region).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (host, region) in [
            ("sqs.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("sqs-fips.us-east-1.amazonaws.com", Some("us-east-1")),
            ("sqs.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("sqs.eu-west-1.api.aws", Some("eu-west-1")),
            ("eu-west-1.queue.amazonaws.com", Some("eu-west-1")),
            (
                "vpce-1a-2b.sqs.eu-west-1.vpce.amazonaws.com",
                Some("eu-west-1"),
            ),
            ("queue.amazonaws.com", None),
            ("127.0.0.1:4566", None),
        ] {
            let url = format!("https://{host}/123456789012/promoter-pushes");
            let queue = Queue::parse(&url).unwrap();
            assert_eq!(queue.region.as_deref(), region, "{host}");
            assert_eq!(
                (&*queue.account, &*queue.name),
                ("123456789012", "promoter-pushes")
            );
        }
    }

    #[test]
    fn what_is_none() {
        for url in [
            "",
            "promoter-pushes",
            "arn:aws:sqs:eu-west-1:123456789012:promoter-pushes",
            "ftp://sqs.eu-west-1.amazonaws.com/123456789012/a",
            "https:///123456789012/a",
            "https://user@sqs.eu-west-1.amazonaws.com/123456789012/a",
            "https://sqs.eu-west-1.amazonaws.com/12345678901/a",
            "https://sqs.eu-west-1.amazonaws.com/123456789012",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/a/b",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/a?b",
        ] {
            assert_eq!(Queue::parse(url), Err(HintError::Url));
        }
    }
}
