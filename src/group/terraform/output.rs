//! The output `promoter` of Terraform's root, as `terraform output -json` prints it.
//!
//! Input: that text, or the output's bare value. Output: what was made. Keys
//! that are not known are left alone, as newer modules may tell more.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::group::name::EnvironmentName;

/// The output that is for promoter.
const OUTPUT: &str = "promoter";

/// The form of it that is understood.
const VERSION: u64 = 1;

/// Names of other outputs that are told.
const TOLD: usize = 10;

/// What Terraform made for one environment. What it does not tell is `None` or empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Names the file.
    pub environment: EnvironmentName,
    /// The namespace its groups run in.
    pub namespace: Option<String>,
    /// The name of its EKS cluster.
    pub cluster: Option<String>,
    /// The region of that.
    pub cluster_region: Option<String>,
    /// The account of its registry.
    pub account: Option<String>,
    /// The region of that.
    pub region: Option<String>,
    /// The repositories there, in ECR.
    pub repositories: Option<Vec<String>>,
    /// The alarm that scheduled promotions wait for.
    pub budget_guard: Option<String>,
    /// The alarms on what the account costs.
    pub billing_alarms: Vec<String>,
    /// Whether promoter's own metrics go to CloudWatch.
    pub metrics: Option<bool>,
}

/// Why a text tells nothing of what Terraform made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OutputError {
    /// There is no text.
    #[error("Terraform's output is empty: look at what `terraform output -json` says by itself")]
    Empty,
    /// It is another format.
    #[error(
        "Terraform's output is not JSON (line {line}, column {column}): print it with `terraform output -json`"
    )]
    NotJson {
        /// Where it is not, from one.
        line: usize,
        /// The same.
        column: usize,
    },
    /// It is JSON of something else.
    #[error("this is {0}, not Terraform's output: print that with `terraform output -json`")]
    NotOutput(&'static str),
    /// Nothing was applied.
    #[error("Terraform has no outputs: run `terraform apply` first, in the folder of the root")]
    NoOutputs,
    /// It is that of another root, or of an older one.
    #[error(
        "Terraform has no output `{OUTPUT}`, only {}: add it to the root module, as terraform/outputs.tf has it, and apply",
        listed(there)
    )]
    NotThere {
        /// The names of those that are there.
        there: Vec<String>,
    },
    /// What is in it was not meant to be in a file.
    #[error(
        "Terraform's output `{OUTPUT}` is marked as sensitive, and would be written into a file: it holds names only, so take out `sensitive = true` and apply"
    )]
    Sensitive,
    /// It has another form.
    #[error(
        "Terraform's output `{OUTPUT}` is of version {found}, and this promoter reads version {VERSION}: use modules and promoter of one release"
    )]
    Version {
        /// The number, or that there is none.
        found: String,
    },
    /// Something in it is not what it has to be.
    #[error(
        "`{key}` in Terraform's output `{OUTPUT}` must be {expected}: use the modules as they are"
    )]
    Form {
        /// Where.
        key: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// The environment's name cannot be one.
    #[error("`environment` in Terraform's output `{OUTPUT}`: {reason}")]
    Name {
        /// What is wrong with it.
        reason: String,
    },
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(TOLD).map(|name| format!("`{name}`"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(TOLD) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl Made {
    /// Reads `terraform output -json`, or `terraform output -json promoter`.
    ///
    /// # Errors
    /// The text is something else, or does not say what it has to.
    pub fn read(text: &str) -> Result<Self, OutputError> {
        if text.trim().is_empty() {
            return Err(OutputError::Empty);
        }
        // The parser's own words may quote the text, which may hold secrets.
        let root: Value = serde_json::from_str(text).map_err(|error| OutputError::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
        let Value::Object(root) = root else {
            return Err(OutputError::NotOutput("a single value"));
        };
        Fields {
            value: bare(&root)?,
            within: "",
        }
        .made()
    }
}

/// The output's value, wherever it is.
fn bare(root: &Map<String, Value>) -> Result<&Map<String, Value>, OutputError> {
    if root.contains_key("version") && root.contains_key("environment") {
        return Ok(root);
    }
    if root.contains_key("terraform_version") {
        return Err(OutputError::NotOutput("a state or a plan of Terraform"));
    }
    if root.is_empty() {
        return Err(OutputError::NoOutputs);
    }
    let is_output = |output: &Value| output.get("value").is_some();
    if !root.values().all(is_output) {
        return Err(OutputError::NotOutput("JSON of another kind"));
    }
    let there = || root.keys().cloned().collect();
    let output = root
        .get(OUTPUT)
        .ok_or_else(|| OutputError::NotThere { there: there() })?;
    if output.get("sensitive") == Some(&Value::Bool(true)) {
        return Err(OutputError::Sensitive);
    }
    let value = output.get("value").and_then(Value::as_object);
    value.ok_or_else(|| form("value", "an object"))
}

fn form(key: impl Into<String>, expected: &'static str) -> OutputError {
    OutputError::Form {
        key: key.into(),
        expected,
    }
}

/// An object of the output. A key that is null is one that is not there.
struct Fields<'a> {
    value: &'a Map<String, Value>,
    /// What messages put before its keys.
    within: &'static str,
}

impl<'a> Fields<'a> {
    fn made(&self) -> Result<Made, OutputError> {
        let version = self.get("version");
        if version.and_then(Value::as_u64) != Some(VERSION) {
            let number = version.and_then(Value::as_number);
            let found = number.map_or_else(|| "none".to_owned(), ToString::to_string);
            return Err(OutputError::Version { found });
        }
        let name = self.text("environment")?;
        let name = name.ok_or_else(|| form("environment", "text"))?;
        let environment = EnvironmentName::parse(&name).map_err(|error| OutputError::Name {
            reason: error.to_string(),
        })?;
        let cluster = self.object("cluster", "cluster.")?;
        let registry = self.object("registry", "registry.")?;
        let in_cluster = |key| cluster.as_ref().map_or(Ok(None), |fields| fields.text(key));
        let in_registry = |key| {
            registry
                .as_ref()
                .map_or(Ok(None), |fields| fields.text(key))
        };
        Ok(Made {
            environment,
            namespace: self.text("namespace")?,
            cluster: in_cluster("eks")?,
            cluster_region: in_cluster("region")?,
            account: in_registry("account")?,
            region: in_registry("region")?,
            repositories: self.texts("repositories")?,
            budget_guard: self.text("budget_guard")?,
            billing_alarms: self.texts("billing_alarms")?.unwrap_or_default(),
            metrics: self.flag("metrics")?,
        })
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.value.get(key).filter(|value| !value.is_null())
    }

    /// A key's value as `take` reads it.
    fn read<T>(
        &self,
        key: &str,
        expected: &'static str,
        take: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, OutputError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let key = || format!("{}{key}", self.within);
        take(value).map(Some).ok_or_else(|| form(key(), expected))
    }

    /// Text; one that is empty says nothing.
    fn text(&self, key: &str) -> Result<Option<String>, OutputError> {
        let text = self.read(key, "text", Value::as_str)?;
        Ok(text.filter(|text| !text.is_empty()).map(str::to_owned))
    }

    fn texts(&self, key: &str) -> Result<Option<Vec<String>>, OutputError> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        self.read(key, "a list of texts", |value| {
            value.as_array()?.iter().map(text).collect()
        })
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, OutputError> {
        self.read(key, "true or false", Value::as_bool)
    }

    fn object(&self, key: &str, within: &'static str) -> Result<Option<Fields<'a>>, OutputError> {
        let value = self.read(key, "an object", Value::as_object)?;
        Ok(value.map(|value| Fields { value, within }))
    }
}
