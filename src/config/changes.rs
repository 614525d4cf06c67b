//! What is different between two checked configurations: what a reload says, and how it knows what may stay.
//!
//! 1. By the path of the key, as an override names it: an app by its id, a route by its path.
//! 2. A secret is compared and never shown: `***` on both sides.
//! 3. Every field is named here, by taking each struct apart: a key that is new does not compile until somebody has said
//!    how it is shown.

use std::fmt;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{App, Config, Provider, Route, Server, Session, SpaFiles, duration, size};

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
        let Config {
            server,
            keys,
            store,
            apps,
        } = old;
        let mut list = Vec::new();
        differences(
            "server",
            &entries_of_server(server),
            &entries_of_server(&new.server),
            &mut list,
        );
        let ring = |keys: &[super::CookieKey]| vec![("cookie", ring(keys))];
        differences("keys", &ring(keys), &ring(&new.keys), &mut list);
        let kind = |kind| vec![("kind", word(kind))];
        differences("store", &kind(store), &kind(&new.store), &mut list);
        let id = |app: &Arc<App>| app.id.as_str().to_owned();
        matched("app", apps, &new.apps, id, app, &mut list);
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
        entries_of_provider(self) == entries_of_provider(other)
    }
}

/// A value to be compared, and what may be shown of it.
#[derive(PartialEq, Eq)]
enum Value {
    Plain(String),
    Secret(Zeroizing<Vec<u8>>, String),
}

impl Value {
    fn shown(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Secret(_, text) => text,
        }
    }
}

type Entries = Vec<(&'static str, Value)>;

fn app(path: &str, old: &Arc<App>, new: &Arc<App>, list: &mut Vec<Change>) {
    differences(path, &entries_of_app(old), &entries_of_app(new), list);
    let below = |table| format!("{path}.{table}");
    differences(
        &below("provider"),
        &entries_of_provider(&old.provider),
        &entries_of_provider(&new.provider),
        list,
    );
    differences(
        &below("session"),
        &entries_of_session(&old.session),
        &entries_of_session(&new.session),
        list,
    );
    let id = |route: &Arc<Route>| format!("\"{}\"", route.path);
    matched(&below("route"), &old.routes, &new.routes, id, route, list);
}

fn route(path: &str, old: &Arc<Route>, new: &Arc<Route>, list: &mut Vec<Change>) {
    differences(path, &entries_of_route(old), &entries_of_route(new), list);
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
                kind: Kind::Value(old.shown().to_owned(), new.shown().to_owned()),
            });
        }
    }
}

fn entries_of_server(server: &Server) -> Entries {
    let Server {
        listen,
        trusted_proxies,
        max_header_bytes,
    } = server;
    vec![
        ("listen", plain(listen)),
        ("trusted_proxies", texts(trusted_proxies)),
        ("max_header_bytes", bytes(*max_header_bytes as u64)),
    ]
}

fn entries_of_app(app: &App) -> Entries {
    let App {
        id: _,
        origin,
        spa_origin,
        agent_path,
        allowed_origins,
        error_path,
        post_logout_path,
        spa,
        provider: _,
        session: _,
        routes: _,
    } = app;
    vec![
        ("origin", plain(origin)),
        ("spa_origin", plain(spa_origin)),
        ("agent_path", plain(agent_path)),
        ("allowed_origins", texts(allowed_origins)),
        ("error_path", plain(error_path)),
        ("post_logout_path", plain(post_logout_path)),
        (
            "spa",
            match spa {
                None => unset(),
                Some(SpaFiles::Dir(dir)) => plain(dir.display()),
                Some(SpaFiles::Bundled) => plain("bundled"),
            },
        ),
    ]
}

fn entries_of_provider(provider: &Provider) -> Entries {
    let Provider {
        issuer,
        client_id,
        client_secret,
        client_auth,
        scopes,
        redirect_uri,
        post_logout_redirect_uri,
        ca_pem,
        id_token_alg,
        audience,
        resource,
        acr_values,
        allowed_acr_values,
        max_age,
        require_iss,
        userinfo_at_login,
        default_expires_in,
        logout_mode,
        logout_hint,
        third_party_login,
    } = provider;
    vec![
        ("issuer", plain(issuer)),
        ("client_id", plain(client_id)),
        (
            "client_secret",
            secret(client_secret.expose_secret().as_bytes(), "***"),
        ),
        ("client_auth", word(client_auth)),
        ("scopes", texts(scopes)),
        ("redirect_uri", plain(redirect_uri)),
        ("post_logout_redirect_uri", plain(post_logout_redirect_uri)),
        (
            "ca_file",
            // No secret, but nothing to read either.
            ca_pem
                .as_ref()
                .map_or_else(unset, |pem| secret(pem, &format!("{} bytes of PEM", pem.len()))),
        ),
        ("id_token_alg", plain(format_args!("{id_token_alg:?}"))),
        ("audience", audience.as_ref().map_or_else(unset, plain)),
        ("resource", texts(resource)),
        ("acr_values", texts(acr_values)),
        ("allowed_acr_values", texts(allowed_acr_values)),
        ("max_age", max_age.map_or_else(unset, time)),
        ("require_iss", plain(require_iss)),
        (
            "userinfo",
            plain(if *userinfo_at_login {
                "at_login"
            } else {
                "on_demand"
            }),
        ),
        ("default_expires_in", default_expires_in.map_or_else(unset, time)),
        ("logout_mode", word(logout_mode)),
        ("logout_hint", word(logout_hint)),
        ("third_party_login", plain(third_party_login)),
    ]
}

fn entries_of_session(session: &Session) -> Entries {
    let Session {
        idle_timeout,
        absolute_timeout,
        refresh,
        persistent,
        cookie_budget,
        claims,
    } = session;
    vec![
        ("idle_timeout", time(*idle_timeout)),
        ("absolute_timeout", time(*absolute_timeout)),
        ("refresh", word(refresh)),
        ("persistent", plain(persistent)),
        ("cookie_budget", bytes(*cookie_budget as u64)),
        ("claims", claims.as_deref().map_or_else(unset, texts)),
    ]
}

fn entries_of_route(route: &Route) -> Entries {
    let Route {
        path: _,
        upstream,
        methods,
        strip_path,
        session,
        token,
        csrf,
        drop_cookies,
        drop_headers,
        pass_encoded_slash,
        timeout,
        stream_idle_timeout,
        connect_timeout,
        max_body,
    } = route;
    vec![
        ("upstream", plain(format_args!("{upstream:?}"))),
        ("methods", methods.as_deref().map_or_else(unset, texts)),
        ("strip_path", plain(strip_path)),
        ("session", word(session)),
        ("token", word(token)),
        ("csrf", word(csrf)),
        ("drop_cookies", plain(drop_cookies)),
        ("drop_headers", texts(drop_headers)),
        (
            "encoded_slash",
            plain(if *pass_encoded_slash { "pass" } else { "refuse" }),
        ),
        ("timeout", time(*timeout)),
        ("stream_idle_timeout", time(*stream_idle_timeout)),
        ("connect_timeout", time(*connect_timeout)),
        ("max_body", bytes(*max_body)),
    ]
}

fn plain(value: impl fmt::Display) -> Value {
    Value::Plain(value.to_string())
}

fn unset() -> Value {
    plain("unset")
}

fn texts(values: &[impl fmt::Display]) -> Value {
    let all: Vec<String> = values.iter().map(ToString::to_string).collect();
    plain(format_args!("[{}]", all.join(", ")))
}

fn time(value: std::time::Duration) -> Value {
    plain(duration::write(value))
}

fn bytes(value: u64) -> Value {
    plain(size::write(value))
}

fn secret(bytes: &[u8], shown: &str) -> Value {
    Value::Secret(Zeroizing::new(bytes.to_vec()), shown.to_owned())
}

/// The keys in their order: which one seals is a difference, too.
fn ring(keys: &[super::CookieKey]) -> Value {
    let all: Zeroizing<Vec<u8>> = Zeroizing::new(keys.iter().flat_map(|key| **key.0).collect());
    let shown = if keys.len() == 1 {
        "*** (1 key)".to_owned()
    } else {
        format!("*** ({} keys)", keys.len())
    };
    secret(&all, &shown)
}

/// A choice by its name in the code, which is its word in the file but for the case.
fn word(choice: impl fmt::Debug) -> Value {
    let mut word = String::new();
    for c in format!("{choice:?}").chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    plain(word)
}

#[cfg(test)]
mod tests;
