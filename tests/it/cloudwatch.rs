//! CloudWatch's adapter, against answers as CloudWatch gives them.

use std::sync::Arc;

use jiff::Timestamp;
use promoter::adapter::cloudwatch::{CloudWatch, Metrics};
use promoter::group::cloudwatch::{AlarmRef, BudgetGuard};
use promoter::group::name::{EnvironmentName, GroupName};
use promoter::port::{Recorder as _, Spending as _};
use promoter::promotion::event::{Event, Fact};
use promoter::promotion::restraint::{Alarm, AlarmState, GuardFound};
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::clock::FakeClock;
use crate::support::outside::{SECRET, config};
use crate::support::recording::Recording;

/// As CloudWatch and its clients speak: CBOR, of short lists and texts.
fn cbor(value: &Value) -> Vec<u8> {
    let head = |kind: u8, length: usize| match u8::try_from(length).unwrap() {
        few @ 0..24 => vec![kind << 5 | few],
        many => vec![kind << 5 | 0x18, many],
    };
    match value {
        Value::String(text) => [head(3, text.len()), text.as_bytes().to_vec()].concat(),
        Value::Array(values) => {
            let all = values.iter().map(cbor).collect::<Vec<_>>().concat();
            [head(4, values.len()), all].concat()
        }
        Value::Object(fields) => {
            let fields_of = fields
                .iter()
                .flat_map(|(key, value)| [cbor(&json!(key)), cbor(value)]);
            [
                head(5, fields.len()),
                fields_of.collect::<Vec<_>>().concat(),
            ]
            .concat()
        }
        other => panic!("not needed: {other}"),
    }
}

async fn answers(server: &MockServer, operation: &str, status: u16, body: &Value) {
    let answer = ResponseTemplate::new(status)
        .set_body_raw(cbor(body), "application/cbor")
        .insert_header("smithy-protocol", "rpc-v2-cbor");
    let operation = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
    Mock::given(path(operation))
        .respond_with(answer)
        .mount(server)
        .await;
}

/// Whether a request says that somewhere.
fn says(body: &[u8], text: &Value) -> bool {
    let text = cbor(text);
    body.windows(text.len()).any(|part| part == text)
}

#[tokio::test]
async fn an_alarm_is_asked_for_whatever_its_kind() {
    let server = MockServer::start().await;
    let alarm = json!({ "AlarmName": "spent", "StateValue": "ALARM", "StateReason": "so it is" });
    let body = json!({ "CompositeAlarms": [alarm] });
    answers(&server, "DescribeAlarms", 200, &body).await;
    let cloudwatch = CloudWatch::new(config(&server).load().await);
    let found = cloudwatch.alarms(&["spent".to_owned()]).await;
    let expected = Alarm {
        name: "spent".to_owned(),
        state: AlarmState::Alarm,
        reason: "so it is".to_owned(),
        since: None,
    };
    assert_eq!(found, Ok(vec![expected]));
    let asked = server.received_requests().await.unwrap();
    assert_eq!(asked.len(), 1);
    // CloudWatch tells of alarms on metrics only, and of fewer than are asked for, unless it is told.
    for said in [
        json!(["MetricAlarm", "CompositeAlarm"]),
        json!("MaxRecords"),
    ] {
        assert!(says(&asked[0].body, &said), "{said}: {:?}", asked[0].body);
    }
}

/// A namesake in the account of whoever asks is another alarm.
#[tokio::test]
async fn an_alarm_of_another_account_is_not_there() {
    let server = MockServer::start().await;
    let arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:spent";
    let alarm =
        json!({ "AlarmName": "spent", "AlarmArn": arn, "StateValue": "OK", "StateReason": "" });
    let body = json!({ "MetricAlarms": [alarm] });
    answers(&server, "DescribeAlarms", 200, &body).await;
    let cloudwatch = CloudWatch::new(config(&server).load().await);
    for (account, is_there) in [
        (None, true),
        (Some("123456789012"), true),
        (Some("210987654321"), false),
    ] {
        let of = AlarmRef {
            name: "spent".to_owned(),
            region: "us-east-1".to_owned(),
            account: account.map(str::to_owned),
        };
        let found = cloudwatch.guard(&BudgetGuard::Alarm(of)).await.unwrap();
        let GuardFound::Alarm(alarm) = found else {
            panic!("{found:?}");
        };
        assert_eq!(alarm.is_some(), is_there, "{account:?}");
    }
}

/// CloudWatch leaves out what is of the end's second, or later.
#[tokio::test]
async fn charges_of_this_very_second_are_asked_for() {
    let server = MockServer::start().await;
    let body = json!({ "Label": "EstimatedCharges", "Datapoints": [] });
    answers(&server, "GetMetricStatistics", 200, &body).await;
    let cloudwatch = CloudWatch::new(config(&server).load().await);
    let found = cloudwatch.guard(&BudgetGuard::Above(80.0)).await;
    assert_eq!(found, Ok(GuardFound::Charges(None)));
    let asked = server.received_requests().await.unwrap();
    let body = &asked[0].body;
    let field = cbor(&json!("EndTime"));
    let at = body.windows(field.len()).position(|part| part == field);
    // A moment: tag 1, and seconds since 1970 as a number of 64 bits.
    let moment = &body[at.unwrap() + field.len()..][..10];
    assert_eq!(moment[..2], [0xc1, 0xfb]);
    let end = f64::from_be_bytes(moment[2..].try_into().unwrap());
    let now = Timestamp::now().as_duration().as_secs_f64();
    assert!(end >= now + 1.0, "{end} {now}");
}

#[tokio::test]
async fn metrics_that_are_not_taken_are_said_and_put_with_the_next() {
    let server = MockServer::start().await;
    let refusal = json!({ "__type": "AccessDenied", "message": "no right to put metrics" });
    answers(&server, "PutMetricData", 403, &refusal).await;
    let said = Arc::new(Recording::default());
    let group = GroupName::parse("master").unwrap();
    let metrics = Metrics::new(
        CloudWatch::new(config(&server).load().await),
        EnvironmentName::parse("v2").unwrap(),
        group.clone(),
        Arc::new(FakeClock::new()),
        said.clone(),
    );
    let ended = |check: &str| {
        let result = json!({
            "check": check, "promotion": "p", "plan": "", "verdict": "Passed", "reason": "", "attempt": 1,
        });
        metrics.record(Event {
            at: Timestamp::UNIX_EPOCH,
            group: group.clone(),
            promotion: None,
            fact: Fact::CheckEnded {
                result: serde_json::from_value(result).unwrap(),
            },
        });
    };
    ended("first");
    metrics.flush().await;
    // Nothing new: nobody waits for CloudWatch once more.
    metrics.flush().await;
    let told = said.facts();
    assert!(
        matches!(&told[..], [Fact::Warning { message }]
            if message.contains("no right to put metrics") && !message.contains(SECRET)),
        "{told:?}"
    );
    server.reset().await;
    answers(&server, "PutMetricData", 200, &json!({})).await;
    ended("second");
    metrics.flush().await;
    metrics.flush().await;
    let asked = server.received_requests().await.unwrap();
    assert_eq!((asked.len(), said.facts().len()), (1, 1));
    for check in ["first", "second"] {
        assert!(says(&asked[0].body, &json!(check)), "{check}");
    }
}
