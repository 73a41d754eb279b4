//! What a message of the queue says.
//!
//! Input: a message's text, by whomever. Output: which registry and repository it
//! is about, if it is an event of ECR about an image that was pushed, and nothing
//! else. Every text that is passed on is short and plain.

use serde::Deserialize;

use crate::group::image::RepositoryName;
use crate::plan::image::Digest;

/// Events have less than a kilobyte.
const LARGEST: usize = 16 << 10;
/// Longest tag, by the registry's rule.
const LONGEST_TAG: usize = 128;
/// Longest name of a region that is believed.
const LONGEST_REGION: usize = 32;

/// An image that was pushed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Push {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) repository: RepositoryName,
    pub(super) pushed: String,
}

/// Why a message is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Useless {
    /// It is no event of ECR.
    Unreadable,
    /// It is one about something else.
    OtherKind,
    /// It is about a registry that nobody asked for.
    Foreign,
}

/// As `EventBridge` writes it; fields that are not read may be anything.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Event {
    version: String,
    detail_type: String,
    source: String,
    account: String,
    region: String,
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    result: String,
    action_type: String,
    repository_name: String,
    image_digest: String,
    #[serde(default)]
    image_tag: String,
}

/// Reads a message.
pub(super) fn read(text: &str) -> Result<Push, Useless> {
    if text.len() > LARGEST {
        return Err(Useless::Unreadable);
    }
    let event: Event = serde_json::from_str(text).map_err(|_| Useless::Unreadable)?;
    let of_ecr = event.source == "aws.ecr" && event.detail_type == "ECR Image Action";
    let detail = event.detail;
    if !of_ecr || detail.action_type != "PUSH" || detail.result != "SUCCESS" {
        return Err(Useless::OtherKind);
    }
    let tag = &detail.image_tag;
    let plain = event.version == "0"
        && is_account(&event.account)
        && is_region(&event.region)
        && is_tag(tag)
        && Digest::parse(&detail.image_digest).is_ok();
    let repository = RepositoryName::parse(&detail.repository_name);
    let repository = repository.ok().filter(|_| plain);
    let repository = repository.ok_or(Useless::Unreadable)?;
    let pushed = if tag.is_empty() {
        detail.image_digest
    } else {
        detail.image_tag
    };
    Ok(Push {
        account: event.account,
        region: event.region,
        repository,
        pushed,
    })
}

/// Whether it is an AWS account.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= LONGEST_REGION && text.bytes().all(letter)
}

/// A tag, or none at all: platforms of an image are pushed without.
fn is_tag(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.len() <= LONGEST_TAG && text.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const DIGEST: &str = "sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd12345678";

    fn event() -> Value {
        json!({
            "version": "0",
            "id": "13cde686-328b-6117-af20-0e5566167482",
            "detail-type": "ECR Image Action",
            "source": "aws.ecr",
            "account": "123456789012",
            "time": "2026-11-16T01:54:34Z",
            "region": "eu-west-1",
            "resources": [],
            "detail": {
                "result": "SUCCESS",
                "repository-name": "shop/hello-a",
                "image-digest": DIGEST,
                "action-type": "PUSH",
                "image-tag": "master-42-000002a",
                "manifest-media-type": "application/vnd.oci.image.index.v1+json"
            }
        })
    }

    /// The event with another value in one place.
    fn with(place: &str, value: Value) -> String {
        let mut event = event();
        *event.pointer_mut(place).unwrap() = value;
        event.to_string()
    }

    #[test]
    fn a_push() {
        let push = read(&event().to_string()).unwrap();
        assert_eq!(push.account, "123456789012");
        assert_eq!(push.region, "eu-west-1");
        assert_eq!(push.repository.as_str(), "shop/hello-a");
        assert_eq!(push.pushed, "master-42-000002a");
        let untagged = with("/detail/image-tag", json!(""));
        assert_eq!(read(&untagged).unwrap().pushed, DIGEST);
    }

    #[test]
    fn of_another_kind() {
        for (place, value) in [
            ("/source", "my.own"),
            ("/detail-type", "ECR Image Scan"),
            ("/detail/action-type", "DELETE"),
            ("/detail/result", "FAILURE"),
        ] {
            let read = read(&with(place, json!(value)));
            assert_eq!(read, Err(Useless::OtherKind), "{place}");
        }
    }

    #[test]
    fn forged() {
        for (place, value) in [
            ("/version", json!("1")),
            ("/account", json!("12345678901")),
            ("/account", json!("12345678901\n")),
            ("/account", json!(123_456_789_012_u64)),
            ("/region", json!("")),
            ("/region", json!("eu-west-1\u{1b}[31m")),
            ("/region", json!("e".repeat(33))),
            ("/detail/repository-name", json!("../secrets")),
            ("/detail/repository-name", json!(["shop/hello-a"])),
            ("/detail/image-digest", json!("latest")),
            ("/detail/image-tag", json!("a b")),
            ("/detail/image-tag", json!("a".repeat(129))),
            ("/detail", json!([])),
        ] {
            let text = with(place, value);
            assert_eq!(read(&text), Err(Useless::Unreadable), "{text}");
        }
        for text in ["", "{}", "[]", "null", "PUSH"] {
            assert_eq!(read(text), Err(Useless::Unreadable), "{text}");
        }
        let large = with("/resources", json!(["a".repeat(LARGEST)]));
        assert_eq!(read(&large), Err(Useless::Unreadable));
    }
}
