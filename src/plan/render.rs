//! Manifest templates to objects. Strict: an undefined value is an error.

mod fill;

use serde_json::{Value, json};

use super::image::ResolvedImage;
use super::object::Object;
use super::refusal::Refusal;
use crate::group::{App, Group, Inline, Manifest, Template};
use fill::fill;

/// Most characters kept of what a parser says; it may quote the whole manifest.
const LONGEST_REASON: usize = 300;

/// Renders an app's manifest for one image.
///
/// # Errors
/// Every reason why the manifest cannot be used: template errors with their
/// line, text that is neither YAML nor JSON, objects without kind or name.
pub fn render(
    group: &Group,
    app: &App,
    image: &ResolvedImage,
) -> Result<Vec<Object>, Vec<Refusal>> {
    let objects = match &app.manifest {
        Manifest::Inline(inline) => inline_objects(app, inline, image),
        Manifest::Template(template) => {
            let text = fill(group, app, image, template).map_err(|refusal| vec![refusal])?;
            parse(app, template, &text).map_err(|refusal| vec![refusal])?
        }
    };
    let refusals: Vec<_> = objects
        .iter()
        .filter_map(|o| malformed(group, app, o))
        .collect();
    if !refusals.is_empty() {
        return Err(refusals);
    }
    Ok(objects)
}

/// JSON by the file's name, else YAML with any number of documents; a `List` is opened.
fn parse(app: &App, template: &Template, text: &str) -> Result<Vec<Object>, Refusal> {
    let is_json = std::path::Path::new(&template.path)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let documents: Result<Vec<Value>, _> = if is_json {
        let value = serde_json::from_str(text);
        value
            .map(|value| vec![value])
            .map_err(|error| ("JSON", error.to_string()))
    } else {
        serde_saphyr::from_multiple(text).map_err(|error| ("YAML", error.to_string()))
    };
    let documents = documents.map_err(|(format, said)| {
        let said = first_line(&said);
        let reason = format!("{} is not {format} once rendered: {said}", template.path);
        Refusal::app(&app.name, reason)
    })?;
    let objects = documents
        .into_iter()
        .filter(|value| !value.is_null())
        .flat_map(open_list);
    Ok(objects.map(Object).collect())
}

/// The first line, within bounds.
fn first_line(said: &str) -> String {
    let line = said.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn open_list(value: Value) -> Vec<Value> {
    let is_list = value.get("kind").and_then(Value::as_str) == Some("List");
    match value.get("items").and_then(Value::as_array) {
        Some(items) if is_list => items.clone(),
        _ => vec![value],
    }
}

fn malformed(group: &Group, app: &App, object: &Object) -> Option<Refusal> {
    if object.api_version().is_empty() || object.kind().is_empty() || object.name().is_empty() {
        let found = object.reference();
        return Some(Refusal::app(
            &app.name,
            format!(
                "an object of its manifest lacks apiVersion, kind or metadata.name \
                 (apiVersion {:?}, kind {:?}, name {:?})",
                found.api_version, found.kind, found.name
            ),
        ));
    }
    let namespace = object.str_at("/metadata/namespace")?;
    if namespace == group.environment.namespace.as_ref() {
        return None;
    }
    Some(
        Refusal::object(
            &app.name,
            &object.reference(),
            format!("names the namespace {namespace:?}"),
        )
        .hint(format!(
            "leave metadata.namespace out: environment {} runs in {}",
            group.environment.name, group.environment.namespace
        )),
    )
}

/// The Deployment and, if the app has a port, the Service of an app without a manifest.
fn inline_objects(app: &App, inline: &Inline, image: &ResolvedImage) -> Vec<Object> {
    let name = app.name.as_ref();
    let labels = json!({ "app.kubernetes.io/name": name });
    let env: Vec<_> = inline
        .env
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let mut container = json!({ "name": name, "image": image.reference, "env": env });
    if let Some(port) = app.port {
        container["ports"] = json!([{ "name": "http", "containerPort": port }]);
        container["readinessProbe"] = json!({ "tcpSocket": { "port": port }, "periodSeconds": 2 });
    }
    if let Some(resources) = &inline.resources {
        container["resources"] = resources.clone();
    }
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [container] } },
        },
    });
    let service = app.port.map(|port| {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": name, "labels": labels },
            "spec": { "selector": labels, "ports": [{ "name": "http", "port": 80, "targetPort": port }] },
        })
    });
    std::iter::once(deployment)
        .chain(service)
        .map(Object)
        .collect()
}
