//! Tells of each request that a client sends, attempts that are repeated included.
//!
//! The SDK repeats what was throttled by itself, so whoever only sees the end of a
//! request does not learn of it before all attempts are used up.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry as _, RetryAction, RetryReason,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::ErrorKind;

use crate::port::calls::{Call, CallResult, Listener, System};

/// Hands each attempt to a listener.
#[derive(Debug, Clone)]
pub(in crate::adapter) struct Told(pub(super) Listener);

impl Intercept for Told {
    fn name(&self) -> &'static str {
        "Told"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(metadata) = settings.load::<Metadata>() else {
            return Ok(());
        };
        // Nothing was sent, for want of credentials or of a network.
        let answered = context.response().is_some();
        let result = match context.output_or_error() {
            Some(Ok(_)) => CallResult::Ok,
            _ if !answered => CallResult::Unanswered,
            _ if is_throttled(context, components) => CallResult::Throttled,
            _ => CallResult::Failed,
        };
        self.0.tell(&Call {
            system: System::Aws(metadata.service()),
            operation: metadata.name(),
            result,
        });
        Ok(())
    }
}

/// As the SDK itself sees it when it thinks about another attempt.
fn is_throttled(
    context: &FinalizerInterceptorContextRef<'_>,
    components: &RuntimeComponents,
) -> bool {
    let mut classifiers = components.retry_classifiers();
    classifiers.any(|classifier| {
        let action = classifier.classify_retry(context.inner());
        let throttling = ErrorKind::ThrottlingError;
        matches!(action, RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. })
            if kind == throttling)
    })
}
