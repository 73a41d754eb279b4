//! Fills a manifest template.
//!
//! Input: an app's template and image, and what else a template may name.
//! Output: text that is YAML or JSON by its author's word, or why there is
//! none. A template that never ends, prints without end or nests without end
//! is an error like any other. What it takes of memory on the way is its
//! author's business.

use std::io::{self, Write};
use std::thread;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment as Jinja, Error, UndefinedBehavior, Value};
use serde_json::json;

use super::first_line;
use crate::group::{App, Group, Template};
use crate::plan::image::ResolvedImage;
use crate::plan::refusal::Refusal;

/// Steps a template may take; a manifest takes some hundred.
const FUEL: u64 = 100_000;

/// Most bytes it may become: far more than Kubernetes takes.
const LONGEST: usize = 4 << 20;

/// Stack for values that are nested in each other: one more takes some steps.
const STACK: usize = 64 << 20;

/// Stack for every byte of the text: one byte may nest an expression deeper.
const STACK_PER_BYTE: usize = 2 << 10;

/// Fills the template for one image.
pub(super) fn fill(
    group: &Group,
    app: &App,
    image: &ResolvedImage,
    template: &Template,
) -> Result<String, Refusal> {
    let refuse = |said: &str| Refusal::app(&app.name, format!("{}{said}", template.path));
    let filled = with_stack(template.text.len(), || {
        rendered(template, context(group, app, image))
    });
    match filled {
        Ok(filled) => filled.map_err(|said| {
            refuse(&said).hint(
                "known names are image, app.{name,port,replicas,branch,tag,commit}, group.name, \
                 environment.{name,namespace} and values.*",
            )
        }),
        Err(error) => Err(refuse(&format!(": no memory to render it: {error}"))),
    }
}

fn context(group: &Group, app: &App, image: &ResolvedImage) -> Value {
    let mut values = group.environment.values.clone();
    values.extend(app.values.clone());
    Value::from(Serde(json!({
        "image": image.reference,
        "app": {
            "name": app.name,
            "port": app.port,
            "replicas": app.replicas.unwrap_or(1),
            "branch": image.branch,
            "tag": image.tag,
            "commit": image.commit,
        },
        "group": { "name": group.name },
        "environment": { "name": group.environment.name, "namespace": group.environment.namespace },
        "values": values,
    })))
}

fn rendered(template: &Template, context: Value) -> Result<String, String> {
    let mut jinja = Jinja::new();
    jinja.set_undefined_behavior(UndefinedBehavior::Strict);
    // What a user writes around a placeholder decides about quotes.
    jinja.set_auto_escape_callback(|_| AutoEscape::None);
    jinja.set_fuel(Some(FUEL));
    let mut output = Output::default();
    let done = jinja
        .template_from_named_str(&template.path, &template.text)
        .and_then(|compiled| {
            let rendered = compiled.render_captured_to(context, &mut output);
            rendered.map(drop)
        });
    if output.is_full {
        return Err(format!(": renders to more than {} MiB", LONGEST >> 20));
    }
    done.map_err(|error| told(&error))?;
    String::from_utf8(output.text).map_err(|error| format!(": {error}"))
}

/// `:<line>: <what is wrong>`
fn told(error: &Error) -> String {
    let line = error.line().map(|line| format!(":{line}"));
    let detail = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    format!("{}: {}", line.unwrap_or_default(), first_line(&detail))
}

/// Takes what is rendered, up to [`LONGEST`].
#[derive(Default)]
struct Output {
    text: Vec<u8>,
    is_full: bool,
}

impl Write for Output {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        self.is_full |= self.text.len() + more.len() > LONGEST;
        if self.is_full {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs something with a stack that no text of so many bytes can use up.
///
/// The template engine calls itself for every level of an expression and of a
/// value, and bounds only some of them. Stack that is not used is not taken
/// from anybody.
fn with_stack<T: Send>(bytes: usize, run: impl FnOnce() -> T + Send) -> io::Result<T> {
    let stack = STACK + bytes.saturating_mul(STACK_PER_BYTE);
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(stack);
        let running = thread.spawn_scoped(scope, run)?;
        let done = running.join();
        Ok(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
