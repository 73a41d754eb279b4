//! Facts, and the links that they come to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::facts::{Answer, Facts};
use super::super::{Subject, links};
use super::{Link, LinkName, State};
use crate::group::cloudwatch::{AlarmRef, BudgetGuard};
use crate::group::image::RepositoryName;
use crate::group::spec::{EnvironmentSpec, GroupSpec};
use crate::group::validate::{self, Overrides};
use crate::port::chain::{Caller, ForgeFound, Presence, RepositoryFound, Right, Server, Tags};
use crate::port::registry::Said;
use crate::promotion::restraint::{Alarm, AlarmState, Charges, GuardFound};

const ENVIRONMENT: &str = "[environment]\nname = \"v2\"\nnamespace = \"shop\"\n\
    cluster = { eks = \"prod\" }\n[registry]\naccount = \"123456789012\"\n";

/// The group `master` with these lines more in its first table.
fn subject(more: &str) -> Subject {
    let spec = EnvironmentSpec::read("environments/v2.toml", ENVIRONMENT).0;
    let environment = validate::environment(&spec.unwrap()).0.unwrap();
    let text = format!(
        "[group]\nname = \"master\"\nenvironment = \"v2\"\nbranch = \"master\"\n{more}\n\
         [[app]]\nname = \"hello-a\"\n[[app]]\nname = \"hello-b\"\n\
         [[check]]\nname = \"greets\"\nrepository = \"hello-tests\"\n"
    );
    let spec = GroupSpec::read("groups/master.toml", &text).0.unwrap();
    let overrides = Overrides::default();
    let made = validate::group(&spec, Some(&environment), &BTreeMap::new(), &overrides);
    let group = made.0.unwrap_or_else(|| panic!("{}", made.1));
    Subject {
        environment: environment.environment,
        groups: vec![group],
    }
}

fn repository(name: &str) -> RepositoryName {
    RepositoryName::parse(name).unwrap()
}

fn fixed() -> Tags {
    Tags {
        immutable: true,
        except: vec!["branch.*".to_owned()],
    }
}

fn readable(tags: Option<Tags>) -> Answer<RepositoryFound> {
    let labels = true;
    Answer::Is(RepositoryFound { labels, tags })
}

fn alarm(name: &str, state: AlarmState) -> Alarm {
    let reason = match state {
        AlarmState::Alarm => "12.5 is greater than 10".to_owned(),
        _ => String::new(),
    };
    Alarm {
        name: name.to_owned(),
        state,
        reason,
        since: "2026-11-21T09:00:00Z".parse().ok(),
    }
}

/// All is well.
fn good() -> Facts {
    let names = ["hello-a", "hello-b", "hello-tests"].map(repository);
    Facts {
        caller: Answer::Is(Caller {
            arn: "arn:aws:iam::123456789012:user/deployer".to_owned(),
            account: "123456789012".to_owned(),
        }),
        repositories: names.map(|name| (name, readable(Some(fixed())))).into(),
        billing_alarms: Answer::Is(vec![alarm("billing-10", AlarmState::Ok)]),
        guard: None,
        server: Answer::Is(Server {
            version: "v1.34.4".to_owned(),
            user: Some("ada".to_owned()),
        }),
        installed: Answer::Is(true),
        namespace: Answer::Is(Presence::There),
        rights: Answer::Is(Vec::new()),
        forge: None,
    }
}

/// The links that are not good, a line each.
fn told(subject: &Subject, facts: &Facts) -> String {
    let links = links(subject, facts).into_iter();
    let told = links.filter(|link| link.state != State::Good);
    told.map(|link| line(&link)).collect::<Vec<_>>().join("\n")
}

fn line(link: &Link) -> String {
    let Link {
        name,
        of,
        state,
        found,
        help,
    } = link;
    let of = of.as_ref().map(|of| format!(" {of}")).unwrap_or_default();
    let help = help.as_ref().map(|help| format!(" => {help}"));
    format!("{state:?} {name}{of}: {found}{}", help.unwrap_or_default())
}

fn of(subject: &Subject, change: impl FnOnce(&mut Facts)) -> String {
    let mut facts = good();
    change(&mut facts);
    told(subject, &facts)
}

fn plain(change: impl FnOnce(&mut Facts)) -> String {
    of(&subject(""), change)
}

#[test]
fn all_is_well() {
    let all = links(&subject(""), &good());
    let all: Vec<_> = all.iter().map(line).collect();
    insta::assert_snapshot!(all.join("\n"), @r"
    Good AWS credentials: arn:aws:iam::123456789012:user/deployer of account 123456789012
    Good repository hello-a, hello-b, hello-tests: may be read
    Good billing alarms billing-10: OK
    Good cluster prod: Kubernetes v1.34.4, as ada
    Good DeploymentGroup resource: is installed
    Good namespace shop: is there
    Good rights: all that promotions need
    ");
}

#[test]
fn credentials_of_another_account() {
    let other = |facts: &mut Facts| {
        facts.caller = Answer::Is(Caller {
            arn: "arn:aws:iam::210987654321:user/eve".to_owned(),
            account: "210987654321".to_owned(),
        });
    };
    assert_eq!(
        plain(other),
        "Doubtful AWS credentials: arn:aws:iam::210987654321:user/eve of account 210987654321, and \
         images are in the registry of account 123456789012 => choose credentials of account \
         123456789012, unless its repositories let account 210987654321 in by their policies"
    );
    // Where no registry is named, it is that of the credentials.
    let mut anybodys = subject("");
    anybodys.environment.registry.account = None;
    assert_eq!(of(&anybodys, other), "");
}

#[test]
fn what_failed_says_so_itself_and_what_needs_it_is_not_looked_at() {
    let text = plain(|facts| {
        facts.caller = Answer::Failed(Said("no credentials: log in".to_owned()));
        for (_, answer) in &mut facts.repositories {
            *answer = Answer::Behind(LinkName::Credentials);
        }
        facts.server = Answer::Late(Duration::from_secs(20));
        facts.installed = Answer::Behind(LinkName::Cluster);
        facts.namespace = Answer::Is(Presence::Missing);
        facts.rights = Answer::Behind(LinkName::Namespace);
    });
    insta::assert_snapshot!(text, @r"
    Bad AWS credentials: no credentials: log in
    NotLookedAt repository hello-a, hello-b, hello-tests: not looked at, as it needs the AWS credentials
    Bad cluster prod: no answer within 20 s => check the network, and whether the cluster's endpoint lets this machine's address in (`allowed_cidrs` of Terraform)
    NotLookedAt DeploymentGroup resource: not looked at, as it needs the cluster
    Bad namespace shop: is not there => `promoter install --environment v2` makes it
    NotLookedAt rights: not looked at, as it needs the namespace
    ");
}

#[test]
fn repositories_that_are_good_are_told_together() {
    let text = |change: fn(&mut Answer<RepositoryFound>)| {
        let mut facts = good();
        change(&mut facts.repositories[1].1);
        let links = links(&subject(""), &facts);
        let links = links
            .iter()
            .filter(|link| link.name == LinkName::Repository);
        links.map(line).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        text(|answer| *answer = Answer::Failed(Said("it is gone: did you mean `b`?".to_owned()))),
        "Good repository hello-a, hello-tests: may be read\n\
         Bad repository hello-b: it is gone: did you mean `b`?"
    );
    assert_eq!(
        text(|answer| *answer = Answer::Is(RepositoryFound::default())),
        "Good repository hello-a, hello-tests: may be read\n\
         Doubtful repository hello-b: its images may be listed, and their labels not be read => \
         grant `ecr:GetDownloadUrlForLayer`: branch and commit are told by tags alone now"
    );
    let none = Subject {
        groups: Vec::new(),
        ..subject("")
    };
    let facts = Facts {
        repositories: Vec::new(),
        ..good()
    };
    assert_eq!(told(&none, &facts), "");
}

#[test]
fn tags_that_can_be_moved_and_those_that_cannot() {
    let moves = "newest = \"moving-tag\"";
    let of = |more: &str, immutable, except: &[&str]| {
        let except = except.iter().map(|&text| text.to_owned()).collect();
        let tags = Tags { immutable, except };
        let mut facts = good();
        facts.repositories[0].1 = readable(Some(tags));
        told(&subject(more), &facts)
    };
    let movable = "Doubtful repository hello-a: a tag such as `master-1-0123abc` can be moved to \
                   another image => make its tags immutable, but for `branch.*`";
    let stuck = "Doubtful repository hello-a: CI cannot move its tag `branch.master`, which says \
                 what is the newest => exclude `branch.*` from the immutability of its tags";
    for (more, immutable, except, expected) in [
        ("", true, &[][..], ""),
        ("", true, &["branch.*"][..], ""),
        ("", true, &["*"], movable),
        ("", false, &[], movable),
        ("", false, &["master-*"], ""),
        (moves, true, &[], stuck),
        (moves, true, &["env.*"], stuck),
        (moves, true, &["env.*", "branch.*"], ""),
        (moves, false, &[], movable),
        (moves, false, &["*"], stuck),
    ] {
        assert_eq!(
            of(more, immutable, except),
            expected,
            "{more} {immutable} {except:?}"
        );
    }
    let mut facts = good();
    facts.repositories[0].1 = readable(None);
    assert_eq!(
        told(&subject(moves), &facts),
        "",
        "what may not be read is not told"
    );
}

/// The subject with these alarms named, and this guard.
fn watched(alarms: &[&str], guard: Option<BudgetGuard>) -> Subject {
    let mut subject = subject("");
    let names = alarms.iter().map(|&name| name.to_owned());
    subject.environment.cloudwatch.billing_alarms = names.collect();
    subject.environment.budget_guard = guard;
    subject
}

#[test]
fn billing_alarms_are_told_by_how_they_stand() {
    let named = watched(&["a", "b", "c", "d", "e"], None);
    let found = vec![
        alarm("a", AlarmState::Alarm),
        alarm("b", AlarmState::InsufficientData),
        alarm("c", AlarmState::Ok),
        alarm("d", AlarmState::InsufficientData),
    ];
    let text = of(&named, |facts| {
        facts.billing_alarms = Answer::Is(found.clone());
    });
    insta::assert_snapshot!(text, @r#"
    Doubtful billing alarms: a is in ALARM since 2026-11-21 09:00 UTC: 12.5 is greater than 10
    Doubtful billing alarms b, d: INSUFFICIENT_DATA, so that they never go off => switch on "Receive billing alerts" by hand in the paying account, under its billing preferences: only then AWS publishes charges, some hours later for the first time
    Bad billing alarms e: not there, in CloudWatch in us-east-1 of this account => `terraform apply` makes them; else take them out of `billing_alarms`
    "#);
}

#[test]
fn where_no_billing_alarms_are_named_any_will_do() {
    let none = watched(&[], None);
    let text = |answer: Answer<Vec<Alarm>>| of(&none, |facts| facts.billing_alarms = answer);
    assert_eq!(text(Answer::Is(vec![alarm("a", AlarmState::Ok)])), "");
    assert_eq!(
        text(Answer::Is(Vec::new())),
        "Doubtful billing alarms: no alarm in us-east-1 watches what AWS charges => let Terraform \
         make some (terraform/modules/billing-alarms), and name them under `billing_alarms`"
    );
    let denied = Answer::Failed(Said("no right".to_owned()));
    assert_eq!(
        text(denied.clone()),
        "Doubtful billing alarms: whether there are any is not known: no right"
    );
    let named = watched(&["a"], None);
    assert_eq!(
        of(&named, |facts| facts.billing_alarms = denied),
        "Bad billing alarms: no right"
    );
    assert_eq!(
        text(Answer::Behind(LinkName::Credentials)),
        "NotLookedAt billing alarms: not looked at, as it needs the AWS credentials"
    );
}

#[test]
fn a_budget_guard() {
    let alarm_guard = || {
        let (name, region) = ("spent".to_owned(), "us-east-1".to_owned());
        watched(
            &[],
            Some(BudgetGuard::Alarm(AlarmRef {
                name,
                region,
                account: None,
            })),
        )
    };
    let above = || watched(&[], Some(BudgetGuard::Above(80.0)));
    let text = |subject: &Subject, found: GuardFound| {
        of(subject, |facts| facts.guard = Some(Answer::Is(found)))
    };
    let by_alarm = |state| {
        let found = GuardFound::Alarm(Some(alarm("spent", state)));
        text(&alarm_guard(), found)
    };
    let at = jiff::Timestamp::UNIX_EPOCH;
    let charges = |usd| text(&above(), GuardFound::Charges(Some(Charges { usd, at })));
    assert_eq!(by_alarm(AlarmState::Ok), "");
    assert_eq!(charges(80.0), "");
    insta::assert_snapshot!(
        [
            by_alarm(AlarmState::Alarm),
            by_alarm(AlarmState::InsufficientData),
            text(&alarm_guard(), GuardFound::Alarm(None)),
            charges(80.5),
            text(&above(), GuardFound::Charges(None)),
        ]
        .join("\n"),
        @r#"
    Doubtful budget guard spent: spent is in ALARM since 2026-11-21 09:00 UTC: 12.5 is greater than 10 => promotions wait meanwhile; a person may go on with `--despite-budget --reason`
    Doubtful budget guard spent: no data, so that it keeps nothing back => switch on "Receive billing alerts" by hand in the paying account, under its billing preferences: only then AWS publishes charges, some hours later for the first time
    Bad budget guard spent: not there, in CloudWatch in us-east-1 of this account => nothing is promoted by itself without it: `terraform apply` makes it, or take out `budget_guard`
    Doubtful budget guard of 80 USD: AWS has charged 80.50 USD this month => promotions wait meanwhile; a person may go on with `--despite-budget --reason`
    Doubtful budget guard of 80 USD: no data, so that it keeps nothing back => switch on "Receive billing alerts" by hand in the paying account, under its billing preferences: only then AWS publishes charges, some hours later for the first time
    "#
    );
}

#[test]
fn a_cluster_that_is_not_prepared() {
    assert_eq!(
        plain(|facts| facts.installed = Answer::Is(false)),
        "Bad DeploymentGroup resource: is not installed => `promoter install --environment v2` \
         installs it"
    );
    assert_eq!(
        plain(|facts| facts.namespace = Answer::Is(Presence::Ending)),
        "Bad namespace shop: is being deleted => wait until it is gone; then `promoter install \
         --environment v2` makes it anew"
    );
    assert_eq!(
        plain(|facts| facts.namespace = Answer::Is(Presence::Hidden)),
        "Doubtful namespace shop: may not be read => see what rights are missing"
    );
}

fn right(everywhere: bool, verb: &str, resource: &str) -> Right {
    Right {
        everywhere,
        resource: resource.to_owned(),
        verb: verb.to_owned(),
    }
}

#[test]
fn missing_rights_are_named() {
    let here = vec![
        right(false, "create", "jobs.batch"),
        right(false, "get", "secrets"),
        right(false, "delete", "jobs.batch"),
    ];
    let all = || [here.clone(), vec![right(true, "list", "nodes")]].concat();
    let print = "`promoter install --environment v2 --print-role` prints the roles: bind them to \
                 whoever deploys";
    assert_eq!(
        plain(|facts| facts.rights = Answer::Is(here.clone())),
        format!(
            "Bad rights: may not create, delete jobs.batch; get secrets in namespace shop => {print}"
        )
    );
    assert_eq!(
        plain(|facts| facts.rights = Answer::Is(all())),
        format!(
            "Bad rights: may not create, delete jobs.batch; get secrets in namespace shop, nor \
             list nodes in the whole cluster => {print}"
        )
    );
    assert_eq!(
        plain(|facts| facts.rights = Answer::Is(vec![right(true, "list", "nodes")])),
        format!(
            "Doubtful rights: may not list nodes in the whole cluster => `promoter plan` cannot \
             tell all without; {print}"
        )
    );
    let many = (0..20).map(|n| right(false, "get", &format!("kind{n:02}")));
    let text = plain(|facts| facts.rights = Answer::Is(many.collect()));
    assert!(
        text.contains("get kind07; and so on with 12 more kinds in namespace"),
        "{text}"
    );
}

#[test]
fn github() {
    let found = |token, left| {
        let forge = ForgeFound {
            host: "api.github.com".to_owned(),
            token,
            variable: "GITHUB_TOKEN",
            left,
        };
        let mut facts = good();
        facts.forge = Some(Answer::Is(forge));
        line(links(&subject(""), &facts).last().unwrap())
    };
    let token = Some("GH_TOKEN");
    assert_eq!(
        found(token, Some((4990, 5000))),
        "Good GitHub: api.github.com takes the token in GH_TOKEN; 4990 of 5000 requests are left"
    );
    assert_eq!(
        found(token, None),
        "Good GitHub: api.github.com takes the token in GH_TOKEN"
    );
    assert_eq!(
        found(token, Some((499, 5000))),
        "Doubtful GitHub: api.github.com takes the token in GH_TOKEN; 499 of 5000 requests are \
         left => wait for the hour to end, or find out who else uses the token"
    );
    assert_eq!(
        found(None, Some((60, 60))),
        "Doubtful GitHub: api.github.com answers, without a token; 60 of 60 requests are left => \
         set GITHUB_TOKEN: without it private repositories are not seen, and few requests are taken"
    );
}
