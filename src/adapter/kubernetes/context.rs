//! Which cluster and namespace the kubeconfig means where nobody says.

use kube::config::Kubeconfig;

use super::unreachable;
use crate::port::ClusterError;

/// The namespace of contexts that name none.
const DEFAULT: &str = "default";

/// A context of the kubeconfig. Contacts nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// The namespace it is set to.
    pub namespace: String,
}

impl Context {
    /// The context of that name, or the current one.
    ///
    /// # Errors
    /// No kubeconfig, no current context, or none of that name.
    pub fn of(name: Option<&str>) -> Result<Self, ClusterError> {
        let whose = name.unwrap_or("of the kubeconfig");
        let kubeconfig = Kubeconfig::read().map_err(|error| unreachable(whose, &error))?;
        Self::among(&kubeconfig, name)
    }

    /// The same, in a kubeconfig that was read.
    pub(super) fn among(kubeconfig: &Kubeconfig, name: Option<&str>) -> Result<Self, ClusterError> {
        let known = || {
            let names = kubeconfig.contexts.iter().map(|context| &*context.name);
            names.collect::<Vec<_>>().join(", ")
        };
        let current = kubeconfig.current_context.as_deref();
        let name = name.or(current.filter(|name| !name.is_empty()));
        let name = name.ok_or_else(|| ClusterError::NoCurrentContext { known: known() })?;
        let mut contexts = kubeconfig.contexts.iter();
        let found = contexts.find(|context| context.name == name);
        let found = found.ok_or_else(|| ClusterError::NoContext {
            context: name.to_owned(),
            known: known(),
        })?;
        let namespace = found.context.as_ref();
        let namespace = namespace.and_then(|context| context.namespace.clone());
        Ok(Self {
            name: name.to_owned(),
            namespace: namespace.unwrap_or_else(|| DEFAULT.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts() {
        let kubeconfig = |current: &str| {
            let text = format!(
                "current-context: {current:?}\ncontexts:\n\
                 - name: a\n  context: {{ cluster: a, user: a }}\n\
                 - name: b\n  context: {{ cluster: b, user: b, namespace: shop }}\n"
            );
            Kubeconfig::from_yaml(&text).unwrap()
        };
        let of = |current: &str, name: Option<&str>| {
            let found = Context::among(&kubeconfig(current), name);
            found.map_or_else(
                |error| error.to_string(),
                |found| format!("{} {}", found.name, found.namespace),
            )
        };
        assert_eq!(of("a", None), "a default");
        assert_eq!(of("a", Some("b")), "b shop");
        assert_eq!(
            of("", None),
            "the kubeconfig has no current context; name one with --context: a, b"
        );
        assert_eq!(
            of("a", Some("c")),
            "the kubeconfig has no context \"c\"; it has: a, b"
        );
    }
}
