//! HTTP clients for adapters, which trust whom the machine trusts.
//!
//! Where that is nobody, as in an image without files, no server can be told from a
//! forger: then each request by HTTPS fails and says what to do, before it is sent. The
//! client library would not begin at all, or blame the server's certificate.

use std::sync::LazyLock;

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector, default_connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use rustls::RootCertStore;
use thiserror::Error;

/// Whether the machine trusts anybody; found out when it is asked first.
static TRUSTS: LazyLock<bool> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    let (valid, _) = RootCertStore::empty().add_parsable_certificates(found.certs);
    valid > 0
});

/// Nobody is trusted.
#[derive(Debug, Error)]
#[error(
    "there are no certificates of authorities on this machine to check a server's by; \
     install them (`ca-certificates`), or give a file of them in SSL_CERT_FILE"
)]
struct NobodyTrusted;

/// The client for AWS. `None`: its own does.
pub(in crate::adapter) fn client() -> Option<SharedHttpClient> {
    if *TRUSTS {
        return None;
    }
    let plain = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(nobody())
        .build_https();
    Some(http_client_fn(move |settings, components| {
        let connector = plain.http_connector(settings, components);
        SharedHttpConnector::new(Plain(connector))
    }))
}

/// What sends single requests.
pub(in crate::adapter) fn connector() -> Option<SharedHttpConnector> {
    if *TRUSTS {
        return default_connector(&HttpConnectorSettings::builder().build(), None);
    }
    let plain = Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(nobody())
        .build();
    let plain = SharedHttpConnector::new(plain);
    Some(SharedHttpConnector::new(Plain(plain)))
}

fn nobody() -> TlsContext {
    let context = TlsContext::builder().with_trust_store(TrustStore::empty());
    context.build().expect("a context without certificates")
}

/// Sends what needs no certificates.
#[derive(Debug)]
struct Plain(SharedHttpConnector);

impl HttpConnector for Plain {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.uri().starts_with("https:") {
            let error = ConnectorError::other(NobodyTrusted.into(), None);
            return HttpConnectorFuture::ready(Err(error));
        }
        self.0.call(request)
    }
}
