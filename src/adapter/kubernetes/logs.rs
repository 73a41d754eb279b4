//! Lines of containers.

use futures::io::AsyncBufReadExt;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::{Api, Client};

use super::error;
use crate::port::ClusterError;
use crate::port::cluster::LogSource;

/// Most bytes read of one container's log; what is beyond is cut off by the server.
const LIMIT_BYTES: i64 = 64 * 1024 * 1024;

pub(super) async fn lines(
    client: &Client,
    namespace: &str,
    source: &LogSource,
) -> Result<BoxStream<'static, String>, ClusterError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let params = LogParams {
        container: Some(source.container.clone()),
        follow: source.follow,
        previous: source.previous,
        tail_lines: source.tail,
        limit_bytes: Some(LIMIT_BYTES),
        ..LogParams::default()
    };
    let reader = pods.log_stream(&source.pod, &params).await;
    let reader = reader
        .map_err(|error| error::from(&format!("read the log of pod {}", source.pod), error))?;
    // A log is bytes; a line that is not UTF-8 must not end the reading.
    let lines = futures::stream::try_unfold(reader, |mut reader| async move {
        let mut line = Vec::new();
        let read = reader.read_until(b'\n', &mut line).await?;
        Ok::<_, std::io::Error>((read > 0).then_some((line, reader)))
    });
    let lines = lines.map_ok(|line| {
        let text = String::from_utf8_lossy(&line);
        text.trim_end_matches(['\n', '\r']).to_owned()
    });
    // A stream that breaks off ends: whoever reads decides whether it was whole.
    Ok(lines
        .take_while(|line| std::future::ready(line.is_ok()))
        .filter_map(|line| async { line.ok() })
        .boxed())
}
