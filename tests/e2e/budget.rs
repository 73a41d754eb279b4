//! What is spent, as CloudWatch's double tells it, and promoter's own metrics there.

use serde_json::Value;

use crate::support::{Alarm, Folder, Run, Testbed, aws};

/// With a line more in its `[environment]`, and more at its end.
fn with(folder: &Folder, line: &str, more: &str) {
    let file = "environments/test.toml";
    let text = folder.read(file);
    let head = "[environment]\n";
    assert!(text.contains(head), "{text}");
    let text = text.replace(head, &format!("{head}{line}\n"));
    folder.write(file, &format!("{text}\n{more}\n"));
}

fn run(folder: &Folder, arguments: &[&str]) -> Run {
    folder.promoter(arguments.iter().copied()).run()
}

#[test]
fn nothing_is_promoted_while_the_alarm_is_on_unless_a_person_says_why() {
    let folder = Folder::new("budget");
    let alarm = Alarm::new(format!("e2e-{}-guard", Testbed::get().run), 100);
    alarm.is("OK", "95 USD");
    with(&folder, &format!("budget_guard = \"{}\"", alarm.name), "");
    folder.open(&folder.hello("master"));

    alarm.is("ALARM", "101 USD were charged");
    let served = folder.owned();
    let refused = run(&folder, &["deploy", "master", "--force"]);
    assert_eq!(refused.code, 4, "{refused}");
    for told in [
        alarm.name.as_str(),
        "101 USD were charged",
        "--despite-budget --reason",
    ] {
        assert!(refused.stderr.contains(told), "{told}: {refused}");
    }
    assert_eq!(folder.owned(), served);
    let plan = run(&folder, &["plan", "master"]);
    assert_eq!(plan.code, 0, "{plan}");
    assert!(plan.stdout.contains("101 USD were charged"), "{plan}");

    let silent = run(&folder, &["deploy", "master", "--despite-budget"]);
    assert_eq!(silent.code, 2, "{silent}");
    let reason = "the shop is down";
    let despite = [
        "deploy",
        "master",
        "--force",
        "--despite-budget",
        "--reason",
    ];
    let despite = run(&folder, &[despite.as_slice(), &[reason]].concat());
    assert_eq!(despite.code, 0, "{despite}");
    let history = run(&folder, &["history", "-o", "json"]);
    let history = history.stdout;
    assert!(
        history.contains(reason) && history.contains("101 USD"),
        "{history}"
    );

    alarm.is("OK", "a new month");
    let deploy = run(&folder, &["deploy", "master", "--force"]);
    assert_eq!(deploy.code, 0, "{deploy}");
}

#[test]
fn what_aws_charges_is_compared_with_a_threshold() {
    let folder = Folder::new("charges");
    aws(&[
        "cloudwatch",
        "put-metric-data",
        "--namespace=AWS/Billing",
        "--metric-name=EstimatedCharges",
        "--dimensions=Currency=USD",
        "--value=7.5",
        "--region=us-east-1",
    ]);
    with(&folder, "budget_guard = 7.25", "");
    folder.write_group(&folder.hello("master"));
    let refused = run(&folder, &["deploy", "master"]);
    assert_eq!(refused.code, 4, "{refused}");
    let told = "AWS has charged 7.50 USD this month, which is more than 7.25";
    assert!(refused.stderr.contains(told), "{refused}");
    let text = folder.read("environments/test.toml");
    let text = text.replace("budget_guard = 7.25", "budget_guard = 8");
    folder.write("environments/test.toml", &text);
    let deploy = run(&folder, &["deploy", "master"]);
    assert_eq!(deploy.code, 0, "{deploy}");
}

/// The dimensions of all metrics of a name that are of a group.
fn metrics(group: &str, name: &str) -> Vec<Vec<(String, String)>> {
    let of = format!("--dimensions=Name=Group,Value={group}");
    let name = format!("--metric-name={name}");
    let found = aws(&[
        "cloudwatch",
        "list-metrics",
        "--namespace=promoter",
        &name,
        &of,
    ]);
    let found: Value = serde_json::from_str(&found).unwrap();
    let metrics = found["Metrics"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let dimensions = metrics.map(|metric| {
        let pairs = metric["Dimensions"].as_array().unwrap().iter();
        let mut pairs: Vec<_> = pairs
            .map(|pair| (text(&pair["Name"]), text(&pair["Value"])))
            .collect();
        pairs.sort();
        pairs
    });
    let mut dimensions: Vec<_> = dimensions.collect();
    dimensions.sort();
    dimensions
}

#[test]
fn promotions_are_counted_in_cloudwatch_and_none_fails_by_it() {
    let folder = Folder::new("metrics");
    with(&folder, "", "[cloudwatch]\nmetrics = true");
    let name = format!("m{}", Testbed::get().run);
    let mut group = folder.hello(&name);
    folder.open(&group);
    let pairs = |more: &[(&str, &str)]| {
        let own = [("Environment", "test"), ("Group", name.as_str())];
        let pairs = own.iter().chain(more);
        let mut pairs: Vec<_> = pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        pairs.sort();
        pairs
    };
    let promoted = pairs(&[("Outcome", "promoted")]);
    assert_eq!(
        metrics(&name, "Promotions"),
        std::slice::from_ref(&promoted)
    );
    assert_eq!(metrics(&name, "PromotionDuration"), [pairs(&[])]);
    let check = ("Check", "greets");
    let passed = pairs(&[check, ("Verdict", "passed")]);
    assert_eq!(metrics(&name, "Checks"), [passed]);
    assert_eq!(metrics(&name, "CheckDuration"), [pairs(&[check])]);

    // Nobody answers: it is said, and all the same promoted.
    let deploy = folder.promoter(["deploy", &name, "--force"]);
    let nobody = "http://127.0.0.1:9";
    let deploy = deploy.env("AWS_ENDPOINT_URL_CLOUDWATCH", nobody).run();
    assert_eq!(deploy.code, 0, "{deploy}");
    let output = deploy.output();
    assert!(output.contains("metrics are not in CloudWatch"), "{deploy}");

    "none".clone_into(&mut group.checks[0].report);
    "0s".clone_into(&mut group.endpoint_delay);
    group.checks[0].command = ["false"].map(str::to_owned).to_vec();
    folder.write_group(&group);
    let failed = run(&folder, &["deploy", &name]);
    assert_eq!(failed.code, 3, "{failed}");
    let ended = [pairs(&[("Outcome", "failed")]), promoted];
    assert_eq!(metrics(&name, "Promotions"), ended);
}
