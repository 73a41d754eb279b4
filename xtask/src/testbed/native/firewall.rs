//! The packet filter: a few rules of our own, and the removal of all that the
//! cluster's programs leave behind.
//!
//! Only chains of Kubernetes', of our pods' network and our own go; rules that
//! others put beside them stay.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Result;

use super::layout;
use super::system::Before;
use crate::run;

const FAMILIES: [&str; 2] = ["iptables", "ip6tables"];
/// Our own chain.
const CHAIN: &str = "PROMOTER-TESTBED";

/// Makes our own rules; those that are there are made anew.
pub(crate) fn guard() -> Result<()> {
    restore("iptables", &ours_to_make(&saved("iptables")))
}

/// Refuses what is on its way to a Service's address once nobody led it on to a
/// pod. kube-proxy takes a second or two to know a new Service, and a moment
/// between the tables when it does; the machine's own router would have it then,
/// and whoever answers in the pod's place stays connected as that Service.
///
/// And asks the network policies about every new connection of a pod, before any
/// rule of kube-proxy could let it through. What comes from the node itself, such
/// as a probe, is not asked about; nor is anything while nobody answers.
fn ours_to_make(saved: &str) -> String {
    let services = layout::SERVICES;
    let ask = |end: &str| {
        let (pods, queue) = (layout::PODS, layout::POLICIES_QUEUE);
        format!(
            "-A {CHAIN} {end} {pods} -m conntrack --ctstate NEW -j NFQUEUE \
             --queue-num {queue} --queue-bypass\n"
        )
    };
    let refuse = format!("-A {CHAIN} -d {services} -j REJECT\n");
    [
        ("filter", &["FORWARD", "OUTPUT"][..], refuse),
        ("mangle", &["FORWARD"], ask("-s") + &ask("-d")),
    ]
    .map(|(table, from, rules)| {
        let begin = format!("*{table}\n");
        let mut tables = saved.split("COMMIT\n");
        let now = tables.find(|now| now.contains(&begin)).unwrap_or_default();
        let jumps = from.iter().map(|chain| format!("{chain} -j {CHAIN}\n"));
        let missing = jumps.filter(|jump| !now.contains(&format!("-A {jump}")));
        let jumps: String = missing.flat_map(|jump| ["-I ".to_owned(), jump]).collect();
        // Named like this, the chain is emptied or made.
        format!("{begin}:{CHAIN} - [0:0]\n{rules}{jumps}COMMIT\n")
    })
    .concat()
}

/// Removes the rules of the cluster.
pub(crate) fn clean(before: &Before) -> Result<()> {
    for family in FAMILIES {
        let removal = removal(&saved(family));
        if !removal.is_empty() {
            restore(family, &removal)?;
        }
    }
    // Where the kernel can, whoever decides on policies asks by a table of its own
    // as well.
    let table = ["inet", layout::POLICIES_TABLE];
    run::answer(Command::new("nft").args(["delete", "table"]).args(table));
    for table in before.new_tables() {
        // Emptied by the above. If it is not, others use it by now.
        if empty(&table) {
            run::output(
                Command::new("nft")
                    .arg("delete")
                    .arg("table")
                    .args(table.split(' ')),
            )?;
        }
    }
    Ok(())
}

/// The rules of the cluster that are there.
pub(crate) fn left() -> Vec<String> {
    let removals = FAMILIES.iter().map(|family| removal(&saved(family)));
    let lines: Vec<_> = removals
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    lines
        .into_iter()
        .filter_map(|line| Some(line.strip_prefix("-X ")?.to_owned()))
        .collect()
}

fn restore(family: &str, rules: &str) -> Result<()> {
    let mut restore = Command::new(format!("{family}-restore"));
    run::output_with_input(restore.args(["--noflush", "--wait"]), rules)?;
    Ok(())
}

fn saved(family: &str) -> String {
    run::answer(&mut Command::new(format!("{family}-save"))).unwrap_or_default()
}

fn empty(table: &str) -> bool {
    let mut nft = Command::new("nft");
    nft.args(["list", "table"]).args(table.split(' '));
    run::answer(&mut nft).is_some_and(|text| {
        text.lines().map(str::trim).all(|line| {
            line.is_empty() || line == "}" || line.ends_with('{') || line.starts_with("type ")
        })
    })
}

/// Turns the saved rules into commands that remove the cluster's.
fn removal(saved: &str) -> String {
    let mut script = String::new();
    for table in saved.split("COMMIT\n") {
        let lines: Vec<_> = table.lines().collect();
        let Some(name) = lines.iter().find(|line| line.starts_with('*')) else {
            continue;
        };
        let rules: Vec<_> = lines
            .iter()
            .filter_map(|line| line.strip_prefix("-A "))
            .collect();
        let chains: BTreeSet<_> = lines
            .iter()
            .filter_map(|line| line.strip_prefix(':')?.split(' ').next())
            .filter(|chain| ours(chain, &rules))
            .collect();
        if chains.is_empty() {
            continue;
        }
        let elsewhere = rules.iter().filter(|rule| {
            !chains.contains(chain_of(rule))
                && target_of(rule).is_some_and(|to| chains.contains(to))
        });
        let mut commands = vec![(*name).to_owned()];
        commands.extend(elsewhere.map(|rule| format!("-D {rule}")));
        commands.extend(chains.iter().map(|chain| format!("-F {chain}")));
        commands.extend(chains.iter().map(|chain| format!("-X {chain}")));
        commands.push("COMMIT\n".to_owned());
        script.push_str(&commands.join("\n"));
    }
    script
}

/// Whether a chain is Kubernetes' or our network's. The network's chains have
/// hashes for names, and the rules that lead to them name the network. Those
/// for host ports are shared: they go when no other network uses them.
fn ours(chain: &str, rules: &[&str]) -> bool {
    let network = format!("name: \\\"{}\\\"", layout::NAME);
    let names_us = |rule: &&str| rule.contains(&network);
    if chain.starts_with("CNI-HOSTPORT-") {
        return rules
            .iter()
            .filter(|rule| chain_of(rule) == "CNI-HOSTPORT-DNAT")
            .all(names_us);
    }
    if chain.starts_with("CNI-") {
        return rules.iter().any(|rule| {
            names_us(rule) && (target_of(rule) == Some(chain) || chain_of(rule) == chain)
        });
    }
    chain == CHAIN || chain.starts_with("KUBE-")
}

fn chain_of<'a>(rule: &&'a str) -> &'a str {
    rule.split(' ').next().unwrap_or_default()
}

fn target_of<'a>(rule: &&'a str) -> Option<&'a str> {
    let (_, rest) = rule
        .split_once(" -j ")
        .or_else(|| rule.split_once(" -g "))?;
    rest.split(' ').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVED: &str = r#"# Generated
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-SERVICES - [0:0]
:CNI-abc - [0:0]
:CNI-def - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -j DOCKER
-A POSTROUTING -s 10.244.0.2/32 -m comment --comment "name: \"promoter-testbed\" id: \"1\"" -j CNI-abc
-A POSTROUTING -s 10.1.0.2/32 -m comment --comment "name: \"podman\" id: \"2\"" -j CNI-def
-A CNI-HOSTPORT-DNAT -m comment --comment "dnat name: \"podman\" id: \"2\"" -j CNI-DN-1
-A KUBE-SERVICES -d 10.96.0.1/32 -j RETURN
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:PROMOTER-TESTBED - [0:0]
-A FORWARD -j PROMOTER-TESTBED
-A PROMOTER-TESTBED -d 10.96.0.0/16 -j REJECT --reject-with icmp-port-unreachable
COMMIT
"#;

    #[test]
    fn only_the_cluster_s_chains_go() {
        let expected = r#"*nat
-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-D POSTROUTING -s 10.244.0.2/32 -m comment --comment "name: \"promoter-testbed\" id: \"1\"" -j CNI-abc
-F CNI-abc
-F KUBE-SERVICES
-X CNI-abc
-X KUBE-SERVICES
COMMIT
*filter
-D FORWARD -j PROMOTER-TESTBED
-F PROMOTER-TESTBED
-X PROMOTER-TESTBED
COMMIT
"#;
        assert_eq!(removal(SAVED), expected);
    }

    #[test]
    fn what_is_there_is_not_made_twice() {
        let made = ours_to_make(SAVED);
        assert!(made.contains("-I OUTPUT -j PROMOTER-TESTBED\n"), "{made}");
        // Only the one table leads to it from there.
        let mangle = made.split("COMMIT\n").nth(1).unwrap();
        assert!(mangle.starts_with("*mangle\n"), "{made}");
        assert!(
            mangle.contains("-I FORWARD -j PROMOTER-TESTBED\n"),
            "{made}"
        );
        assert_eq!(made.matches("-I FORWARD").count(), 1, "{made}");
    }

    #[test]
    fn a_clean_machine_needs_nothing() {
        assert_eq!(removal("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"), "");
    }
}
