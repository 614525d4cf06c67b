//! What is different between two checked configurations: what a reload says, and how it knows what may stay.
//!
//! 1. By the path of the key, as an override names it: an app by its id, a route by its path.
//! 2. A secret is compared and never shown: `***` on both sides. Cookie keys are named by their ids, so that a rotation can
//!    be followed: which one seals, which ones open.
//! 3. Which keys there are and how they are shown says `entries`.

use std::fmt;
use std::sync::Arc;

use toml::Value;

use super::entries::{self, Entries, Entry, Ring};
use super::{App, Config, Provider, Route};

/// What a configuration has that another one had not, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes(Vec<Change>);

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    path: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Added,
    Removed,
    Value(String, String),
}

impl Changes {
    /// From `old` to `new`.
    pub fn between(old: &Config, new: &Config) -> Self {
        let mut list = Vec::new();
        let mut table = |name: &str, of: &dyn Fn(&Config) -> Entries| {
            differences(name, &of(old), &of(new), &mut list);
        };
        table("server", &|config| entries::of_server(&config.server));
        table("admin", &|config| entries::of_admin(config.admin.as_ref()));
        table("keys", &|config| entries::of_keys(&config.keys));
        table("store", &|config| entries::of_store(&config.store));
        let id = |app: &Arc<App>| app.id.as_str().to_owned();
        matched("app", &old.apps, &new.apps, id, app, &mut list);
        Self(list)
    }

    /// The differences.
    pub fn iter(&self) -> std::slice::Iter<'_, Change> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = &'a Change;
    type IntoIter = std::slice::Iter<'a, Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Change {
    /// The path of the key, or of the app or route that came or went: `app.shop.session.idle_timeout`,
    /// `app.shop.route."/api"`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What became of it: `added`, `removed`, or `30m -> 15m`.
    pub fn what(&self) -> String {
        match &self.kind {
            Kind::Added => "added".to_owned(),
            Kind::Removed => "removed".to_owned(),
            Kind::Value(from, to) => format!("{from} -> {to}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what())
    }
}

impl Provider {
    /// Whether nothing about it is different: what was learned from the provider may then be kept.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        entries::of_provider(self) == entries::of_provider(other)
    }
}

fn app(path: &str, old: &Arc<App>, new: &Arc<App>, list: &mut Vec<Change>) {
    differences(path, &entries::of_app(old), &entries::of_app(new), list);
    let below = |table| format!("{path}.{table}");
    differences(
        &below("provider"),
        &entries::of_provider(&old.provider),
        &entries::of_provider(&new.provider),
        list,
    );
    differences(
        &below("session"),
        &entries::of_session(&old.session),
        &entries::of_session(&new.session),
        list,
    );
    let id = |route: &Arc<Route>| format!("\"{}\"", route.path);
    matched(&below("route"), &old.routes, &new.routes, id, route, list);
}

fn route(path: &str, old: &Arc<Route>, new: &Arc<Route>, list: &mut Vec<Change>) {
    differences(path, &entries::of_route(old), &entries::of_route(new), list);
}

/// What of two lists belongs together by `id` is compared; the rest came or went.
fn matched<T>(
    path: &str,
    old: &[T],
    new: &[T],
    id: impl Fn(&T) -> String,
    compare: impl Fn(&str, &T, &T, &mut Vec<Change>),
    list: &mut Vec<Change>,
) {
    let came_or_went = |item: &T, kind| Change {
        path: format!("{path}.{}", id(item)),
        kind,
    };
    for gone in old.iter().filter(|old| new.iter().all(|new| id(new) != id(old))) {
        list.push(came_or_went(gone, Kind::Removed));
    }
    for new in new {
        match old.iter().find(|old| id(old) == id(new)) {
            Some(old) => compare(&format!("{path}.{}", id(new)), old, new, list),
            None => list.push(came_or_went(new, Kind::Added)),
        }
    }
}

fn differences(path: &str, old: &Entries, new: &Entries, list: &mut Vec<Change>) {
    for ((key, old), (_, new)) in old.iter().zip(new) {
        if old != new {
            list.push(Change {
                path: format!("{path}.{key}"),
                kind: Kind::Value(shown(old), shown(new)),
            });
        }
    }
}

/// What may be shown of a value, in a line.
fn shown(entry: &Entry) -> String {
    match entry {
        Entry::Unset | Entry::File(None) | Entry::Written => "unset".to_owned(),
        Entry::Plain(value) => plain(value),
        Entry::Secret(_) => "***".to_owned(),
        Entry::Keys(ring) => roles(ring),
        Entry::Url(url) => url.shown(),
        // No secret, but nothing to read either.
        Entry::File(Some(bytes)) => format!("{} bytes of PEM", bytes.len()),
    }
}

/// Without the marks that TOML needs.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => format!("[{}]", all.iter().map(plain).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Who seals and who opens: `1f2e3d4c seals, 0a1b2c3d opens`.
fn roles(ring: &[Ring]) -> String {
    let role = |index| if index == 0 { "seals" } else { "opens" };
    ring.iter()
        .enumerate()
        .map(|(index, key)| format!("{} {}", key.id(), role(index)))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
