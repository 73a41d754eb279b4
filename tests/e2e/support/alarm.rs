//! Alarms of CloudWatch's double on what AWS charges, as Terraform's module makes them.

use super::aws::aws;

/// Where billing is.
const REGION: &str = "--region=us-east-1";

/// What they watch.
const CHARGES: [&str; 7] = [
    "--namespace=AWS/Billing",
    "--metric-name=EstimatedCharges",
    "--dimensions=Name=Currency,Value=USD",
    "--statistic=Maximum",
    "--period=21600",
    "--evaluation-periods=1",
    "--comparison-operator=GreaterThanThreshold",
];

/// An alarm, which goes with its test.
pub(crate) struct Alarm {
    pub(crate) name: String,
}

impl Alarm {
    /// One that did not go off.
    pub(crate) fn new(name: String, usd: u32) -> Self {
        let alarm = Self { name };
        let threshold = format!("--threshold={usd}");
        alarm.call(
            "put-metric-alarm",
            "--alarm-name",
            &[&[threshold.as_str()], &CHARGES[..]].concat(),
        );
        alarm
    }

    /// From now on it is in that state.
    pub(crate) fn is(&self, state: &str, reason: &str) {
        let to = ["--state-value", state, "--state-reason", reason];
        self.call("set-alarm-state", "--alarm-name", &to);
    }

    /// It is not there any more.
    pub(crate) fn delete(&self) {
        self.call("delete-alarms", "--alarm-names", &[]);
    }

    fn call(&self, action: &str, named: &str, options: &[&str]) {
        let of = ["cloudwatch", action, REGION, named, &self.name];
        aws(&[&of, options].concat());
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.delete();
    }
}
