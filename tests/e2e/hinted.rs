//! Pushes that a queue tells of, as SQS' double hands them out.

use promoter::adapter::sqs::Sqs;
use promoter::group::RegistryRef;
use promoter::port::Hints as _;

use crate::support::{Queue, Testbed, pushed};

#[test]
fn a_push_is_heard_of_and_a_forged_one_is_dropped() {
    let queue = Queue::new("hinted");
    let account = "123456789012";
    queue.send(&pushed(account, "hello-a"));
    queue.send(&pushed("210987654321", "hello-a"));
    queue.send("hello-a was pushed, believe me");
    queue.send(&pushed(account, "hello-a"));

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let own = RegistryRef {
            account: Some(account.to_owned()),
            region: Some(Testbed::get().region.clone()),
        };
        let sqs = Sqs::connect(&queue.url, &[own]).await.unwrap();
        // SQS may hand out fewer messages than there are.
        let (mut hints, mut dropped, mut messages) = (Vec::new(), 0, 0);
        while messages + dropped < 4 {
            let heard = sqs.next().await.unwrap();
            messages += heard.hints.iter().map(|h| h.receipts.len()).sum::<usize>();
            dropped += heard.dropped;
            hints.extend(heard.hints);
        }
        assert_eq!((messages, dropped), (2, 2));
        assert!(
            hints
                .iter()
                .all(|hint| hint.repository.as_str() == "hello-a")
        );
        // Those of use stay until they were followed.
        assert_eq!(queue.messages(), 2);
        for hint in &hints {
            sqs.done(hint).await.unwrap();
        }
        assert_eq!(queue.messages(), 0);
    });
}
