//! Promotions, aborts and rollbacks in a row under constant load: nobody notices.

use crate::operation::{EVERY, USERS, carry_out_all};
use crate::site::Site;

#[test]
fn no_request_is_lost_and_no_answer_is_mixed() {
    carry_out_all(Site::open("drops", USERS, EVERY, |_| {}), None);
}
