//! Lines of containers.

use std::time::Duration;

use futures::io::AsyncBufReadExt;
use futures::stream;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::{Api, Client};
use tokio::time::timeout;

use super::error;
use crate::port::ClusterError;
use crate::port::cluster::{Lines, LogSource};
use crate::port::registry::Said;

/// What a node answers in place of a log that it does not have any more. It is
/// no part of a log, and has no end of line.
const NO_LOG: &[u8] = b"unable to retrieve container logs for ";

/// Most bytes read of one container's log; what is beyond is cut off by the server.
const LIMIT_BYTES: i64 = 64 * 1024 * 1024;

/// How long each part of a log that is there may take to arrive.
const ANSWER: Duration = Duration::from_secs(10);

pub(super) async fn lines(
    client: &Client,
    namespace: &str,
    source: &LogSource,
) -> Result<Lines, ClusterError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let params = LogParams {
        container: Some(source.container.clone()),
        follow: source.follow,
        previous: source.previous,
        tail_lines: source.tail,
        limit_bytes: Some(LIMIT_BYTES),
        ..LogParams::default()
    };
    // Only who reads along waits for lines to be written.
    let patience = if source.follow { Duration::MAX } else { ANSWER };
    let action = format!("read the log of pod {}", source.pod);
    let asked = pods.log_stream(&source.pod, &params);
    let reader = error::in_time(&action, patience, asked).await?;
    let reader = reader.map_err(|error| error::from(&action, error))?;
    // A log is bytes; a line that is not UTF-8 must not end the reading.
    let lines = stream::try_unfold(reader, move |mut reader| async move {
        let mut line = Vec::new();
        let read = timeout(patience, reader.read_until(b'\n', &mut line)).await??;
        Ok::<_, std::io::Error>((read > 0).then_some((line, reader)))
    });
    let mut lines = lines.boxed();
    let first = lines.next().await;
    if let Some(Ok(line)) = &first
        && is_no_log(line)
    {
        return Err(ClusterError::Refused {
            action: format!("read the log of pod {}", source.pod),
            reason: "its node does not have it any more".to_owned(),
        });
    }
    let lines = stream::iter(first).chain(lines).map_ok(|line| {
        let text = String::from_utf8_lossy(&line);
        text.trim_end_matches(['\n', '\r']).to_owned()
    });
    let pod = source.pod.clone();
    let broken = move |error: std::io::Error| ClusterError::Unreachable {
        cluster: format!("to read the log of pod {pod}"),
        reason: Said::of(&error).0,
    };
    Ok(lines.map_err(broken).boxed())
}

fn is_no_log(line: &[u8]) -> bool {
    line.starts_with(NO_LOG) && !line.ends_with(b"\n")
}

#[cfg(test)]
mod tests {
    use super::is_no_log;

    #[test]
    fn what_a_node_says_is_no_log() {
        assert!(is_no_log(
            b"unable to retrieve container logs for containerd://bf2a"
        ));
        assert!(!is_no_log(
            b"unable to retrieve container logs for containerd://bf2a\n"
        ));
        assert!(!is_no_log(b"unable"));
    }
}
