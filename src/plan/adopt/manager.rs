//! Tools that manage what is adopted, and will go on doing so unless somebody
//! tells them not to.

use crate::plan::label::MANAGED_BY;
use crate::plan::object::Object;

/// By which label or annotation a tool is known, and how it is told to keep off.
const TOOLS: [(&str, &str, &str); 5] = [
    (
        "Helm",
        "meta.helm.sh/release-name",
        "the next `helm upgrade` changes or makes it again; take it out of the chart first",
    ),
    (
        "Argo CD",
        "argocd.argoproj.io/tracking-id",
        "it puts back what it knows; turn off its automated sync, or take it out of the Application",
    ),
    (
        "Argo CD",
        "argocd.argoproj.io/instance",
        "it puts back what it knows; turn off its automated sync, or take it out of the Application",
    ),
    (
        "Flux",
        "kustomize.toolkit.fluxcd.io/name",
        "it puts back what it knows; suspend its Kustomization, or take it out of it",
    ),
    (
        "Flux",
        "helm.toolkit.fluxcd.io/name",
        "it puts back what it knows; suspend its HelmRelease, or take it out of it",
    ),
];

/// That a tool would fight over an object, and what to do.
pub(super) fn warning(found: &Object) -> Option<String> {
    let marked = |key: &str| found.label(key).or_else(|| found.annotation(key));
    let of_tool = TOOLS.iter().find_map(|(tool, key, hint)| {
        let value = marked(key)?;
        Some((*tool, *key, value, *hint))
    });
    let is_helm = || found.label(MANAGED_BY) == Some("Helm");
    let helm = || is_helm().then(|| ("Helm", MANAGED_BY, "Helm", TOOLS[0].2));
    let (tool, key, value, hint) = of_tool.or_else(helm)?;
    let object = found.reference();
    Some(format!(
        "{object} is managed by {tool} ({key}: {value}): {hint}"
    ))
}
