//! Manifest templates to objects. Strict: an undefined value is an error.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment as Jinja, UndefinedBehavior, Value as JinjaValue};
use serde_json::{Value, json};

use super::image::ResolvedImage;
use super::object::Object;
use super::refusal::Refusal;
use crate::group::{App, Group, Inline, Manifest, Template};

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

fn fill(
    group: &Group,
    app: &App,
    image: &ResolvedImage,
    template: &Template,
) -> Result<String, Refusal> {
    let mut jinja = Jinja::new();
    jinja.set_undefined_behavior(UndefinedBehavior::Strict);
    // What a user writes around a placeholder decides about quotes.
    jinja.set_auto_escape_callback(|_| AutoEscape::None);
    // A template that loops without end must not hang a promotion.
    jinja.set_fuel(Some(1_000_000));
    let mut values = group.environment.values.clone();
    values.extend(app.values.clone());
    let context = JinjaValue::from(Serde(json!({
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
    })));
    jinja
        .render_named_str(&template.path, &template.text, context)
        .map_err(|error| {
            let line = error
                .line()
                .map(|line| format!(":{line}"))
                .unwrap_or_default();
            let detail = error
                .detail()
                .map_or_else(|| error.kind().to_string(), str::to_owned);
            Refusal::app(&app.name, format!("{}{line}: {detail}", template.path)).hint(
                "known names are image, app.{name,port,replicas,branch,tag,commit}, group.name, \
             environment.{name,namespace} and values.*",
            )
        })
}

/// JSON by the file's name, else YAML with any number of documents; a `List` is opened.
fn parse(app: &App, template: &Template, text: &str) -> Result<Vec<Object>, Refusal> {
    let is_json = std::path::Path::new(&template.path)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let documents: Vec<Value> = if is_json {
        let value = serde_json::from_str(text).map_err(|error| {
            Refusal::app(
                &app.name,
                format!("{} is not JSON once rendered: {error}", template.path),
            )
        })?;
        vec![value]
    } else {
        serde_saphyr::from_multiple(text).map_err(|error| {
            let first = error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            Refusal::app(
                &app.name,
                format!("{} is not YAML once rendered: {first}", template.path),
            )
        })?
    };
    let objects = documents
        .into_iter()
        .filter(|value| !value.is_null())
        .flat_map(open_list);
    Ok(objects.map(Object).collect())
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
