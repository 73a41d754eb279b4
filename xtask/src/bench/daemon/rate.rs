//! Requests as so many in a minute, to the API server by verb and resource and to
//! ECR by operation.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::audit::Request;

/// How often each of them was made in a minute.
pub(super) type Rates = BTreeMap<String, f64>;

/// The requests to the API server in a namespace, which began within `span` from
/// `begun`. A watch counts when it begins.
pub(super) fn of_requests(
    requests: &[Request],
    namespace: &str,
    begun: SystemTime,
    span: Duration,
) -> Rates {
    let until = begun + span;
    let within = |request: &&Request| {
        // Of all namespaces together others may ask, too.
        request.namespace == namespace && (begun..until).contains(&request.received)
    };
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for request in requests.iter().filter(within) {
        let what = format!("{} {}", request.verb, request.resource);
        *counts.entry(what).or_default() += 1;
    }
    let counts = counts.into_iter();
    counts
        .map(|(what, count)| (what, per_minute(f64::from(count), span)))
        .collect()
}

/// The requests to ECR between two answers of `/metrics`, by operation and result.
pub(super) fn of_ecr(before: &str, after: &str, span: Duration) -> Rates {
    let before = calls(before);
    let more = calls(after).into_iter().filter_map(|(what, count)| {
        let more = count - before.get(&what).copied().unwrap_or_default();
        (more > 0.0).then(|| (what, per_minute(more, span)))
    });
    more.collect()
}

fn per_minute(count: f64, span: Duration) -> f64 {
    count * 60.0 / span.as_secs_f64()
}

/// How often ECR was asked, as metrics tell.
fn calls(metrics: &str) -> BTreeMap<String, f64> {
    let lines = metrics.lines().filter_map(|line| {
        let (labels, count) = line
            .strip_prefix("promoter_aws_requests_total{")?
            .split_once("} ")?;
        let label = |name: &str| {
            let mut labels = labels.split(',');
            let value = labels.find_map(|label| label.strip_prefix(name)?.strip_prefix('='));
            Some(value?.trim_matches('"'))
        };
        let is_ecr = label("service")?.eq_ignore_ascii_case("ecr");
        let what = format!("{} {}", label("operation")?, label("result")?);
        is_ecr.then_some((what, count.parse().ok()?))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(verb: &str, namespace: &str, second: u64) -> Request {
        let received = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        Request {
            user: String::new(),
            group: String::new(),
            verb: verb.to_owned(),
            resource: "leases".to_owned(),
            namespace: namespace.to_owned(),
            name: String::new(),
            uri: String::new(),
            code: 200,
            received,
            answered: received,
        }
    }

    #[test]
    fn requests_count_by_what_began_in_the_time() {
        let requests = [
            // A watch that ended in the time.
            request("watch", "here", 9),
            request("watch", "here", 10),
            request("list", "here", 11),
            request("list", "here", 39),
            request("list", "there", 20),
            request("list", "here", 40),
        ];
        let begun = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
        let rates = of_requests(&requests, "here", begun, Duration::from_secs(30));
        let expected = [("list leases", 4.0), ("watch leases", 2.0)];
        let expected = expected.map(|(what, rate)| (what.to_owned(), rate));
        assert_eq!(rates, Rates::from(expected));
    }

    #[test]
    fn calls_of_ecr_count_by_how_many_more_there_are() {
        let line = |service: &str, operation: &str, count: u32| {
            format!(
                "promoter_aws_requests_total{{operation=\"{operation}\",result=\"ok\",service=\"{service}\"}} {count}\n"
            )
        };
        let before = [line("ecr", "a", 3), line("ecr", "b", 3)].concat();
        let after = [
            line("ecr", "a", 5),
            line("ecr", "b", 3),
            line("ecr", "c", 1),
            line("sqs", "d", 1),
        ];
        let rates = of_ecr(&before, &after.concat(), Duration::from_mins(2));
        let expected = [("a ok", 1.0), ("c ok", 0.5)];
        let expected = expected.map(|(what, rate)| (what.to_owned(), rate));
        assert_eq!(rates, Rates::from(expected));
    }
}
