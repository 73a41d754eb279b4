//! kube-proxy stopped around the switch: nodes go on routing to what served before, and nobody
//! notices, since that stays.

use crate::kube_proxy;
use crate::operation::{EVERY, OVER, USERS, carry_out_all};
use crate::site::Site;

#[test]
fn no_request_is_lost_while_kube_proxy_is_stopped_around_the_switch() {
    let pid = kube_proxy::pid();
    let site = Site::open("proxy", USERS, EVERY, |group| {
        // So that there is time to stop it before the switch.
        let script = format!("npm test; code=$?; echo '{OVER}'; sleep 1; exit $code");
        group.checks[0].command = ["sh", "-c", &script].map(str::to_owned).to_vec();
    });
    for done in carry_out_all(site, Some(&pid)) {
        let (from, until, around) = done.stopped.unwrap();
        assert!(
            from < around && around < until,
            "kube-proxy was not stopped at that moment: {done:?}"
        );
    }
}
