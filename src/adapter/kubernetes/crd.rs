//! The `DeploymentGroup` resource: what the cluster knows of a group.

use kube::api::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::plan::label::DOMAIN;

/// Version of the resource.
pub(super) const VERSION: &str = "v1alpha1";
/// Its kind.
pub(super) const KIND: &str = "DeploymentGroup";
/// Its name in paths.
pub(super) const PLURAL: &str = "deploymentgroups";

/// Most characters of what a person writes into it.
const LONGEST: usize = 500;

/// How the client addresses it.
pub(super) fn resource() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(DOMAIN, VERSION, KIND), PLURAL)
}

/// The definition that `promoter install` applies.
pub(super) fn definition() -> Value {
    let column = |name: &str, path: &str, kind: &str, priority: u8| json!({ "name": name, "jsonPath": path, "type": kind, "priority": priority });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{PLURAL}.{DOMAIN}") },
        "spec": {
            "group": DOMAIN,
            "scope": "Namespaced",
            "names": {
                "plural": PLURAL,
                "singular": "deploymentgroup",
                "kind": KIND,
                "shortNames": ["dg"],
                "categories": ["all"],
            },
            "versions": [{
                "name": VERSION,
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "additionalPrinterColumns": [
                    column("Color", ".status.color", "string", 0),
                    column("Release", ".status.release", "string", 0),
                    column("Phase", ".status.phase", "string", 0),
                    column("Verdict", ".status.verdict", "string", 0),
                    column("Reason", ".status.reason", "string", 1),
                    column("Since", ".status.since", "date", 0),
                    column("Held", ".spec.hold.reason", "string", 0),
                ],
                "schema": { "openAPIV3Schema": schema() },
            }],
        },
    })
}

fn schema() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let words =
        |about: &str| json!({ "type": "string", "description": about, "maxLength": LONGEST });
    json!({
        "type": "object",
        "description": "A deployment group: apps that are promoted together or not at all.",
        "properties": {
            "spec": {
                "type": "object",
                "description": "A group is described by its TOML file; here is only what is asked of its promoter.",
                "properties": {
                    "request": {
                        "type": "object",
                        "description": "What a person asks about the promotion under way.",
                        "required": ["promotion", "action", "actor", "at"],
                        "properties": {
                            "promotion": text("The promotion it is about; any other ignores it."),
                            "action": { "type": "string", "enum": ["abort", "rollback"] },
                            "actor": text("Who asks."),
                            "reason": text("Why, in their words."),
                            "at": { "type": "string", "format": "date-time" },
                        },
                    },
                    "hold": {
                        "type": "object",
                        "description": "Nothing of the group is promoted while this is here.",
                        "required": ["actor", "reason", "at"],
                        "properties": {
                            "actor": words("Who holds it."),
                            "reason": words("Why, in their words."),
                            "at": { "type": "string", "format": "date-time" },
                        },
                    },
                },
            },
            "status": {
                "type": "object",
                "properties": {
                    "color": text("The active colour."),
                    "release": text("The release that serves."),
                    "phase": text("Phase of the promotion under way, or of the last one."),
                    "verdict": text("What the checks of that promotion said."),
                    "reason": text("Why it was not promoted."),
                    "since": { "type": "string", "format": "date-time", "description": "When that phase began." },
                    "conditions": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["type"],
                        "items": {
                            "type": "object",
                            "required": ["type", "status", "reason", "lastTransitionTime"],
                            "properties": {
                                "type": text("Progressing, Promoted or Astray."),
                                "status": { "type": "string", "enum": ["True", "False", "Unknown"] },
                                "reason": text("One word for programs."),
                                "message": text("What is waited for, or why it was not promoted."),
                                "lastTransitionTime": { "type": "string", "format": "date-time" },
                            },
                        },
                    },
                    "fence": { "type": "integer", "format": "int64", "description": "Epoch of the lock it was last written under." },
                    "record": {
                        "type": "object",
                        "description": "Serving and previous release, the checkpoint of the promotion under way, the last outcomes.",
                        "x-kubernetes-preserve-unknown-fields": true,
                        // Written as a whole: else the API server notes the owner of every field in it.
                        "x-kubernetes-map-type": "atomic",
                    },
                },
            },
        },
    })
}
