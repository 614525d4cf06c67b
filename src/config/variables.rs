//! The environment, as an argument: overrides (`CLOAKROOM__…`) and the variables that secrets refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Environment variables. `Debug` shows no value: half of them are secrets.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
    not_unicode: BTreeSet<String>,
}

impl Variables {
    /// Those of this process.
    pub fn of_process() -> Self {
        let mut variables = Self::default();
        for (name, value) in std::env::vars_os() {
            // A name that is not Unicode can be neither referred to nor an override.
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => {
                    variables.values.insert(name, value);
                }
                Err(_) => {
                    variables.not_unicode.insert(name);
                }
            }
        }
        variables
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// Why there is none, in words for the operator.
    pub(super) fn value(&self, name: &str) -> Result<&str, &'static str> {
        match self.values.get(name) {
            Some(value) => Ok(value),
            None if self.not_unicode.contains(name) => Err("is set to bytes that are not UTF-8"),
            None => Err("is not set"),
        }
    }

    /// Names that begin with `prefix`, with their values; a value that is not Unicode is `None`.
    pub(super) fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
        let readable = self
            .values
            .iter()
            .map(|(name, value)| (name.as_str(), Some(value.as_str())));
        let unreadable = self.not_unicode.iter().map(|name| (name.as_str(), None));
        readable
            .chain(unreadable)
            .filter(move |(name, _)| name.starts_with(prefix))
    }

    /// Names that are like `name`, for a hint.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self {
            values: pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            not_unicode: BTreeSet::new(),
        }
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
