//! Promotions, aborts and rollbacks in a row under constant load: nobody notices.

use std::time::Duration;

use crate::operation;
use crate::site::Site;
use crate::table::{self, LEAST_AROUND, LEAST_REQUESTS};

/// 450 requests a second, half of them on kept-alive connections.
const USERS: usize = 18;
const EVERY: Duration = Duration::from_millis(40);

#[test]
fn no_request_is_lost_and_no_answer_is_mixed() {
    let mut site = Site::open("drops", USERS, EVERY, |_| {});
    let mut done = Vec::new();
    for operation in operation::all() {
        done.push(operation.carry_out(&mut site, None));
        site.tell(done.len(), operation.name());
    }
    site.load.end();
    let (text, fewest) = table::of(&done, &site.load);
    println!("{text}");

    site.assert_undisturbed();
    assert!(site.load.so_far().requests >= LEAST_REQUESTS);
    assert!(fewest >= LEAST_AROUND, "too little load around a switch");
}
