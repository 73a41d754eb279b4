//! Rules of this project that no linter knows.
//!
//! Text is looked at line by line: it is known to be formatted.

use std::collections::BTreeMap;

use super::sources::{self, FOLDER, Module, Sources};

/// Resources that put workloads or what belongs to them into the cluster.
/// promoter sets their images, and Terraform, which puts everything back to
/// what it last said, would set them to others with the next apply.
const PROMOTERS: [&str; 3] = ["kubernetes_", "helm_", "kubectl_"];

/// The providers of such resources.
const PROVIDERS: [&str; 3] = ["kubernetes", "helm", "kubectl"];

/// Writes the tables. It is not to be had as a Go module, so whether they are
/// what it would write is not asked, but what matters most in them is looked at.
const TABLE_WRITER: &str = "terraform-docs --config terraform/.terraform-docs.yml";

/// Where the tables in a README begin and end.
const TABLES: (&str, &str) = ("<!-- BEGIN_TF_DOCS -->", "<!-- END_TF_DOCS -->");

/// What breaks a rule, each with its place.
pub(super) fn faults(sources: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in &sources.texts {
        for (number, line) in text.lines().enumerate() {
            let fault = unexplained(line).or_else(|| {
                let terraform = sources::is_configuration(path) || path.ends_with(".tftest.hcl");
                terraform.then(|| tug_of_war(line)).flatten()
            });
            if let Some(fault) = fault {
                found.push(format!("{path}:{}: {fault}: {}", number + 1, line.trim()));
            }
        }
    }
    let examples = format!("{FOLDER}/examples/");
    for module in &sources.modules {
        if module.path.starts_with(&examples) {
            continue;
        }
        let readme = format!("{}/README.md", module.path);
        let text = sources.texts.get(&readme).map_or("", String::as_str);
        let faults = undocumented(&declared(sources, module), text);
        if !faults.is_empty() {
            let faults = faults.join("; ");
            let path = &module.path;
            found.push(format!("{readme}: {faults}: run {TABLE_WRITER} {path}"));
        }
    }
    found
}

/// A check that is left out without a reason, in `checkov:skip=ID:reason`.
fn unexplained(line: &str) -> Option<&'static str> {
    let (_, skip) = line.split_once("checkov:skip=")?;
    let reason = skip.split_once(':').map_or("", |(_, reason)| reason);
    // One word is a label and no reason.
    (reason.split_whitespace().count() < 2)
        .then_some("say why it is skipped, as in checkov:skip=ID:reason")
}

/// A line that declares what is promoter's to change.
fn tug_of_war(line: &str) -> Option<&'static str> {
    let words: Vec<_> = line.split_whitespace().collect();
    let label = |word: &str| word.trim_matches('"').to_owned();
    let of_promoter = match words.as_slice() {
        ["resource" | "data" | "ephemeral", kind, ..] => {
            let kind = label(kind);
            PROMOTERS.iter().any(|start| kind.starts_with(start))
        }
        ["provider" | "mock_provider", name, ..] => PROVIDERS.contains(&label(name).as_str()),
        ["source", "=", source, ..] => {
            let source = label(source);
            let name = source.rsplit_once('/').map(|(_, name)| name);
            !source.starts_with('.') && name.is_some_and(|name| PROVIDERS.contains(&name))
        }
        _ => false,
    };
    of_promoter.then_some("Terraform must not own what promoter sets")
}

/// Variables and outputs of a module with their descriptions, by heading.
type Declared<'a> = BTreeMap<&'static str, Vec<(&'a str, Option<&'a str>)>>;

fn declared<'a>(sources: &'a Sources, module: &Module) -> Declared<'a> {
    let mut all = Declared::new();
    for text in sources.texts_of(module) {
        for (heading, keyword) in [("Inputs", "variable \""), ("Outputs", "output \"")] {
            all.entry(heading)
                .or_default()
                .extend(blocks(text, keyword));
        }
    }
    all
}

/// The blocks of a kind: their names and, where it is one line that a table
/// shows as it is, what they say of themselves.
fn blocks<'a>(
    text: &'a str,
    keyword: &'static str,
) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
    text.split("\n}").filter_map(move |block| {
        let at = block.lines().position(|line| line.starts_with(keyword))?;
        let mut lines = block.lines().skip(at);
        let name = lines.next()?.strip_prefix(keyword)?.split('"').next()?;
        Some((name, lines.find_map(description)))
    })
}

fn description(line: &str) -> Option<&str> {
    let value = line.strip_prefix("  description")?;
    let value = value.trim_start().strip_prefix("= \"")?;
    let text = value.strip_suffix('"')?;
    (!text.contains(['\\', '|', '<'])).then_some(text)
}

/// What the tables of a README do not say, or say of something else.
fn undocumented(declared: &Declared, readme: &str) -> Vec<String> {
    let tables = readme
        .split_once(TABLES.0)
        .and_then(|(_, rest)| rest.split_once(TABLES.1));
    let Some((tables, _)) = tables else {
        return vec![format!(
            "has no tables between {} and {}",
            TABLES.0, TABLES.1
        )];
    };
    let mut found = Vec::new();
    for (heading, items) in declared {
        let rows: BTreeMap<_, _> = rows(tables, heading).collect();
        let (mut lacking, mut otherwise) = (Vec::new(), Vec::new());
        for (name, meant) in items {
            match (rows.get(name), meant) {
                (None, _) => lacking.push(*name),
                (Some(said), Some(meant)) if said != meant => otherwise.push(*name),
                _ => {}
            }
        }
        let known = |name: &&str| items.iter().any(|(item, _)| item == name);
        let gone = rows.into_keys().filter(|name| !known(name)).collect();
        for (fault, names) in [
            ("lack", lacking),
            ("describe otherwise", otherwise),
            ("still have", gone),
        ] {
            if !names.is_empty() {
                found.push(format!("{heading} {fault} {}", names.join(", ")));
            }
        }
    }
    found
}

/// Names and descriptions in the table under a heading.
fn rows<'a>(tables: &'a str, heading: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let heading = format!("## {heading}");
    let mut lines = tables.lines();
    lines.find(|line| *line == heading);
    let table = lines.take_while(|line| !line.starts_with('#'));
    // The first two are the names of the columns and a line below them.
    let table = table.filter(|line| line.starts_with('|')).skip(2);
    table.filter_map(|line| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        Some((cells.next()?, cells.next()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_needs_a_reason() {
        for line in [
            "  #checkov:skip=CKV_AWS_1",
            "# checkov:skip=CKV_AWS_1:later",
            "#checkov:skip=CKV_AWS_1: ",
        ] {
            assert!(unexplained(line).is_some(), "{line}");
        }
        let line = "  #checkov:skip=CKV_AWS_1:the topic carries no secrets";
        assert_eq!(unexplained(line), None);
        assert_eq!(unexplained("# nothing is skipped"), None);
    }

    #[test]
    fn terraform_owns_nothing_that_promoter_sets() {
        for line in [
            r#"resource "kubernetes_deployment_v1" "hello" {"#,
            r#"resource "helm_release" "hello" {"#,
            r#"data "kubectl_file_documents" "hello" {"#,
            r#"provider "kubernetes" {"#,
            r#"      source  = "hashicorp/helm""#,
            r#"      source = "alekc/kubectl""#,
        ] {
            assert!(tug_of_war(line).is_some(), "{line}");
        }
        for line in [
            r#"resource "aws_eks_addon" "helm_release" {"#,
            r#"variable "kubernetes_version" {"#,
            r#"      source  = "hashicorp/aws""#,
            r#"  source = "./modules/kubernetes""#,
            r#"  # resource "helm_release" "hello" {"#,
        ] {
            assert_eq!(tug_of_war(line), None, "{line}");
        }
    }

    const VARIABLES: &str = r#"
variable "name" {
  description = "What it is called."
  type        = string

  validation {
    condition     = length(var.name) > 2
    error_message = "Make it longer."
  }
}

# One per app.
variable "apps" {
  type        = map(object({ port = number }))
  description = <<-EOT
    Long, so
    in lines.
  EOT
}
"#;

    fn inputs(text: &str) -> Declared<'_> {
        Declared::from([("Inputs", blocks(text, "variable \"").collect())])
    }

    fn readme(rows: &str) -> String {
        format!(
            "# ecr\n\n{}\n## Inputs\n\n| Name | Description | Type |\n|------|---|---|\n{rows}\n\
             ## Outputs\n\n| Name | Description |\n|---|---|\n| x | y |\n{}\n",
            TABLES.0, TABLES.1
        )
    }

    #[test]
    fn tables_say_what_variables_say() {
        let declared = inputs(VARIABLES);
        let good = readme(
            "| name | What it is called. | `string` |\n| apps | Long, so<br/>in lines. | x |\n",
        );
        assert_eq!(undocumented(&declared, &good), [""; 0]);
        let old = readme("| name | What it was called. | `string` |\n| app | One. | x |\n");
        assert_eq!(
            undocumented(&declared, &old),
            [
                "Inputs lack apps",
                "Inputs describe otherwise name",
                "Inputs still have app",
            ]
        );
    }

    #[test]
    fn a_module_needs_tables() {
        let faults = undocumented(&inputs(VARIABLES), "# ecr\n");
        assert!(faults[0].starts_with("has no tables"), "{faults:?}");
    }
}
