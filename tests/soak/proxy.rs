//! kube-proxy stopped around the switch: nodes go on routing to what served before, and nobody
//! notices, since that stays.

use std::time::Duration;

use crate::kube_proxy;
use crate::operation::{self, OVER};
use crate::site::Site;
use crate::table::{self, LEAST_AROUND, LEAST_REQUESTS};

/// 450 requests a second, half of them on kept-alive connections.
const USERS: usize = 18;
const EVERY: Duration = Duration::from_millis(40);

#[test]
fn no_request_is_lost_while_kube_proxy_is_stopped_around_the_switch() {
    let pid = kube_proxy::pid();
    let mut site = Site::open("proxy", USERS, EVERY, |group| {
        // So that there is time to stop it right before the switch, and not after it.
        let script = format!("npm test; code=$?; echo '{OVER}'; sleep 1; exit $code");
        group.checks[0].command = ["sh", "-c", &script].map(str::to_owned).to_vec();
    });
    let mut done = Vec::new();
    for operation in operation::all() {
        done.push(operation.carry_out(&mut site, Some(&pid)));
        site.tell(done.len(), operation.name());
    }
    site.load.end();
    let (text, fewest) = table::of(&done, &site.load);
    println!("{text}");

    site.assert_undisturbed();
    assert!(site.load.so_far().requests >= LEAST_REQUESTS);
    assert!(fewest >= LEAST_AROUND, "too little load around a switch");
    for done in &done {
        let (from, until, around) = done.stopped.unwrap();
        assert!(
            from < around && around < until,
            "kube-proxy was not stopped at that moment: {done:?}"
        );
    }
}
