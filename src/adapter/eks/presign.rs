//! Tokens as EKS takes them.
//!
//! A token is the address of a request to STS (who am I?) that was signed with
//! the caller's credentials and never sent. The cluster sends it, and believes
//! the answer. So making one asks nobody, unless for credentials.

use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_types::service_config::ServiceConfigKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::{Eks, error};
use crate::port::login::Token;
use crate::port::registry::{CredentialProblem, Said};
use crate::port::{Clock, LoginError};

/// How long a token is used. EKS takes it for 15 minutes from its date, and the
/// clocks of two machines differ.
const GOOD_FOR: Duration = Duration::from_mins(14);

/// How long the signature says that it is good for. EKS wants no more, and does
/// not go by it.
const SIGNED_FOR: Duration = Duration::from_mins(1);

const PREFIX: &str = "k8s-aws-v1.";
const QUERY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
/// Says which cluster it is for, so that no other can use it.
const CLUSTER_HEADER: &str = "x-k8s-aws-id";

type Failed = Box<dyn Error + Send + Sync>;

impl Eks {
    /// A token of now; `anew`: with credentials that are read again.
    ///
    /// # Errors
    /// There are no credentials, or they are good no longer.
    pub async fn sign(&self, clock: &dyn Clock, anew: bool) -> Result<Token, LoginError> {
        let action = || format!("sign a token for cluster `{}`", self.name);
        if anew {
            self.session.renew().await;
        }
        let credentials = self.session.credentials().await;
        let credentials = credentials.map_err(|meaning| error(action(), meaning))?;
        let config = self.session.connection().await.config.clone();
        // What a signature says of its date, it says in whole seconds.
        let now = clock.now();
        let signed = Timestamp::from_second(now.as_second()).unwrap_or_default();
        let mut expires = signed + GOOD_FOR;
        // A signature is worth nothing once its key is.
        let ends = credentials
            .expiry()
            .and_then(|end| Timestamp::try_from(end).ok());
        if let Some(end) = ends.filter(|end| *end < expires) {
            expires = end;
        }
        if expires <= now {
            return Err(LoginError::Credentials {
                problem: CredentialProblem::Expired,
                source: Said(format!("they were good until {expires}")),
            });
        }
        let url = async {
            let endpoint = endpoint(&config, &self.region).await?;
            presigned(&endpoint, &self.region, &self.name, credentials, signed)
        };
        let url = url.await.map_err(|failed| LoginError::Other {
            action: action(),
            source: Said(failed.to_string()),
        })?;
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(url));
        Ok(Token::new(secret, signed, expires))
    }
}

/// The regional endpoint of STS, or the one that is configured.
async fn endpoint(config: &SdkConfig, region: &str) -> Result<String, Failed> {
    let key = ServiceConfigKey::builder()
        .service_id("STS")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()?;
    let service = config.service_config();
    let own = service.and_then(|service| service.load_config(key));
    let set = |url: &String| !url.is_empty();
    let everybodys = || config.endpoint_url().map(str::to_owned);
    let configured = own.filter(set).or_else(everybodys).filter(set);
    let params = Params::builder()
        .region(region)
        .set_use_fips(config.use_fips())
        .set_use_dual_stack(config.use_dual_stack())
        .set_endpoint(configured)
        .build()?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&params).await?;
    Ok(endpoint.url().to_owned())
}

/// The address of the signed request.
fn presigned(
    endpoint: &str,
    region: &str,
    cluster: &str,
    credentials: Credentials,
    at: Timestamp,
) -> Result<String, Failed> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(SIGNED_FOR);
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(SystemTime::from(at))
        .settings(settings)
        .build()?
        .into();
    let url = format!("{}/?{QUERY}", endpoint.trim_end_matches('/'));
    let headers = [(CLUSTER_HEADER, cluster)];
    let request = SignableRequest::new(
        "GET",
        url.as_str(),
        headers.into_iter(),
        SignableBody::empty(),
    )?;
    let (signature, _) = sign(request, &params)?.into_parts();
    let mut request = http::Request::get(url).body(())?;
    signature.apply_to_request_http1x(&mut request);
    Ok(request.uri().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `aws eks get-token` made of the same credentials and date.
    const OF_THE_CLI: &str = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity\
        &Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Feu-west-1%2Fsts%2Faws4_request\
        &X-Amz-Date=20261121T090000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id\
        &X-Amz-Security-Token=a%2Btoken%2Fof%3Da%2F%2Fsession\
        &X-Amz-Signature=64d6c84b35a179888384e6d99c2bdbac705d72186ba78a5f44b49cfdcb3b4807";

    fn url(cluster: &str) -> String {
        let key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let token = Some("a+token/of=a//session".to_owned());
        let credentials = Credentials::new("AKIDEXAMPLE", key, token, None, "test");
        let endpoint = "https://sts.eu-west-1.amazonaws.com";
        let at = "2026-11-21T09:00:00Z".parse().unwrap();
        presigned(endpoint, "eu-west-1", cluster, credentials, at).unwrap()
    }

    /// An address with its parameters in order; what is signed has one already.
    fn in_order(url: &str) -> Vec<&str> {
        let mut parts: Vec<_> = url.split(['?', '&']).collect();
        parts.sort_unstable();
        parts
    }

    #[test]
    fn a_token_is_the_one_of_the_aws_cli() {
        assert_eq!(in_order(&url("prod")), in_order(OF_THE_CLI));
    }

    #[test]
    fn the_cluster_is_signed_and_not_written() {
        assert_ne!(in_order(&url("other")), in_order(OF_THE_CLI));
        assert!(!url("other").contains("other"));
    }

    #[tokio::test]
    async fn the_endpoint_is_that_of_the_region() {
        for (region, expected) in [
            ("eu-west-1", "https://sts.eu-west-1.amazonaws.com"),
            ("us-east-1", "https://sts.us-east-1.amazonaws.com"),
            ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
            ("us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov"),
        ] {
            let config = SdkConfig::builder().build();
            assert_eq!(endpoint(&config, region).await.unwrap(), expected);
        }
        let config = SdkConfig::builder()
            .endpoint_url("http://localhost:1/")
            .build();
        assert_eq!(
            endpoint(&config, "eu-west-1").await.unwrap(),
            "http://localhost:1/"
        );
    }
}
