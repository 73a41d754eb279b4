//! An environment file as it is once it says what Terraform made.

use thiserror::Error;
use toml_edit::{DocumentMut, InlineTable, TableLike};

use super::edit::{close_ranks, put_above, set, set_texts, table, take};
use super::output::Made;
use crate::group::problem::Problems;
use crate::group::spec::{EnvironmentSpec, Spanned};
use crate::group::validate;

/// What a file becomes.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its text from now on.
    pub text: String,
    /// The text before and after, as it may be shown: without the lines of
    /// values that may be secrets. Nothing where nothing changes.
    pub shown: (String, String),
    /// What the change does not show by itself.
    pub notes: Vec<String>,
}

impl Imported {
    /// Whether anything has to be written.
    pub fn changes(&self) -> bool {
        !self.shown.1.is_empty()
    }
}

/// Why a file cannot be written.
#[derive(Debug, Clone, Error)]
pub enum ImportError {
    /// It is no environment as it stands, or would be none.
    #[error("the environment's file has problems")]
    Problems(Problems),
    /// It is another environment's.
    #[error(
        "{path} is of environment `{name}`, and Terraform's output is of `{wanted}`: give the file the name {name}.toml, or set `name` in it to {wanted}"
    )]
    OtherName {
        /// The file.
        path: String,
        /// What it is of.
        name: String,
        /// What the output is of.
        wanted: String,
    },
}

/// Puts what Terraform made into the file at `path`, whose text is `there`;
/// `schemas` says whether a new one can name the schema for editors.
///
/// What Terraform does not tell stays as it is. Terraform's word wins over a
/// person's for all that it does tell.
///
/// # Errors
/// The file cannot be read as TOML, is another environment's, or would not be valid.
pub fn import(
    made: &Made,
    path: &str,
    there: Option<&str>,
    schemas: bool,
) -> Result<Imported, ImportError> {
    let before = there.map(with_line_feeds);
    let text = before.clone().unwrap_or_else(|| skeleton(made, schemas));
    let (spec, problems) = EnvironmentSpec::read(path, &text);
    let (Some(spec), Ok(mut document)) = (spec, text.parse::<DocumentMut>()) else {
        return Err(ImportError::Problems(problems));
    };
    same_name(made, path, spec.name.as_ref())?;
    let unchanged = document.to_string();
    let notes = edit(made, &mut document).ok_or(ImportError::Problems(problems))?;
    let text = document.to_string();
    if let Some(there) = there.filter(|_| text == unchanged) {
        return Ok(Imported {
            text: there.to_owned(),
            shown: (String::new(), String::new()),
            notes,
        });
    }
    let (new, mut problems) = EnvironmentSpec::read(path, &text);
    if let Some(new) = &new {
        problems.extend(validate::environment(new).1);
    }
    let new = new.filter(|_| !problems.has_errors());
    let new = new.ok_or(ImportError::Problems(problems))?;
    let shown_before = before.is_some().then(|| spec.source.masked());
    Ok(Imported {
        shown: (shown_before.unwrap_or_default(), new.source.masked()),
        text: match there {
            Some(there) if is_crlf(there) => text.replace('\n', "\r\n"),
            _ => text,
        },
        notes,
    })
}

fn same_name(made: &Made, path: &str, name: Option<&Spanned<String>>) -> Result<(), ImportError> {
    let wanted = made.environment.as_str();
    match name.map(Spanned::get_ref) {
        Some(name) if name != wanted => Err(ImportError::OtherName {
            path: path.to_owned(),
            name: name.clone(),
            wanted: wanted.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The beginning of a file that is not there yet.
fn skeleton(made: &Made, schemas: bool) -> String {
    let schema = if schemas {
        "#:schema ../schema/environment.json\n\n"
    } else {
        ""
    };
    let name = &made.environment;
    format!(
        "{schema}# What Terraform made. `promoter config import-terraform` brings it up to date, and keeps what you add.\n\n\
         [environment]\nname      = \"{name}\"\n"
    )
}

/// Says in the document what Terraform made; `None` if something else than a
/// table is where one has to be.
fn edit(made: &Made, document: &mut DocumentMut) -> Option<Vec<String>> {
    let mut notes = Vec::new();
    let mut trailing = document.trailing().clone();
    let root = document.as_table_mut();
    let environment = table(root, &mut trailing, "environment")?;
    set(environment, "name", made.environment.as_str());
    if let Some(namespace) = &made.namespace {
        set(environment, "namespace", namespace);
    }
    if let Some(name) = &made.cluster {
        let region = made.cluster_region.as_deref();
        let was = cluster(environment, name, region)?;
        notes.extend((!was.is_empty()).then(|| {
            format!("the cluster was {was}; from now on EKS tells where `{name}` is, and the AWS credentials log in")
        }));
    }
    match &made.budget_guard {
        Some(alarm) => set(environment, "budget_guard", alarm),
        None => notes.extend(stays(environment, "budget_guard")),
    }
    let registry = [("account", &made.account), ("region", &made.region)];
    if registry.iter().any(|(_, value)| value.is_some()) {
        let table = table(root, &mut trailing, "registry")?;
        for (key, value) in registry {
            if let Some(value) = value {
                set(table, key, value);
            }
        }
    }
    let alarms = &made.billing_alarms;
    let metrics = made.metrics.unwrap_or_default();
    if !alarms.is_empty() || metrics || root.contains_key("cloudwatch") {
        let cloudwatch = table(root, &mut trailing, "cloudwatch")?;
        if alarms.is_empty() {
            notes.extend(stays(cloudwatch, "billing_alarms"));
        } else {
            set_texts(cloudwatch, "billing_alarms", alarms);
        }
        // Without it there are none.
        if metrics || (made.metrics.is_some() && cloudwatch.contains_key("metrics")) {
            set(cloudwatch, "metrics", metrics);
        }
    }
    document.set_trailing(trailing);
    Some(notes)
}

/// Names the EKS cluster, and says what it was if that was no cluster of EKS; `None` if
/// something else than a table is there.
fn cluster(environment: &mut dyn TableLike, name: &str, region: Option<&str>) -> Option<String> {
    if !environment.contains_key("cluster") {
        let mut table = InlineTable::new();
        table.extend([("eks", name)]);
        table.extend(region.map(|region| ("region", region)));
        set(environment, "cluster", table);
        return Some(String::new());
    }
    let item = environment.get_mut("cluster")?;
    let cluster = item.as_table_like_mut()?;
    let (was, comments) = match (take(cluster, "context"), take(cluster, "in-cluster")) {
        (Some((context, comments)), _) => {
            let context = context.as_str().unwrap_or_default();
            let was = format!("the context `{context}` of the kubeconfig");
            (was, comments)
        }
        (None, Some((_, comments))) => ("the one that promoter runs in".to_owned(), comments),
        (None, None) => (String::new(), String::new()),
    };
    set(cluster, "eks", name);
    put_above(cluster, "eks", comments);
    if let Some(region) = region {
        set(cluster, "region", region);
    }
    close_ranks(item);
    Some(was)
}

/// That a key stays although Terraform has nothing for it.
fn stays(table: &dyn TableLike, key: &str) -> Option<String> {
    let written = table.get(key)?;
    let is_empty = written.as_array().is_some_and(toml_edit::Array::is_empty);
    (!is_empty).then(|| {
        format!("`{key}` stays as it is, although Terraform made nothing for it: take it out if it is no longer meant")
    })
}

/// Whether all lines end as on Windows.
fn is_crlf(text: &str) -> bool {
    let all = text.matches('\n').count();
    all > 0 && text.matches("\r\n").count() == all
}

fn with_line_feeds(text: &str) -> String {
    if is_crlf(text) {
        text.replace("\r\n", "\n")
    } else {
        text.to_owned()
    }
}
