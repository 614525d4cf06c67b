//! The configuration as it holds in the end, with the origin of each value: what `config show` prints.
//!
//! 1. Values come from the checked [`Config`], so that what is shown is what `serve` runs with; where each comes from, the
//!    tree says. A key that a later reader adds and this file forgets does not compile (structs are taken apart by name).
//! 2. A secret is `***`; beside it stands the reference, which is none.
//! 3. The text is a configuration again: with references in place of the stars it reads back as the same.

use std::fmt::Write as _;
use std::sync::Arc;

use toml::Value;

use self::rows::{Rows, texts};
use super::table::Table;
use super::{App, Config, Provider, Route, Server, Session, SpaFiles, StoreKind, duration, provider, size};

mod rows;

/// The effective configuration.
#[derive(Debug, Clone)]
pub struct Effective {
    file_name: Arc<str>,
    tables: Vec<Shown>,
}

/// One table: its header as TOML writes it, its path as problems write it.
#[derive(Debug, Clone)]
struct Shown {
    header: &'static str,
    path: String,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    key: &'static str,
    /// `None` where nothing is set and nothing stands in for it.
    value: Option<Value>,
    source: Source,
    /// Where its secrets are.
    references: Vec<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Default,
    /// Line of the file, from 1.
    File(usize),
    /// An environment variable, by name.
    Variable(Arc<str>),
}

impl Effective {
    /// As TOML, each line with its origin in a comment.
    pub fn to_toml(&self) -> String {
        let mut text = format!(
            "# What {} comes to: values, and where each is from. Secrets stay hidden.\n",
            self.file_name
        );
        for table in &self.tables {
            // Writing to a string does not fail.
            let _ = writeln!(text, "\n{}", table.header);
            for row in &table.rows {
                let line = match &row.value {
                    Some(value) => format!("{} = {value}", row.key),
                    None => format!("# {}", row.key),
                };
                let _ = writeln!(text, "{line:<WIDTH$} # {}", row.origin(&self.file_name));
            }
        }
        text
    }

    /// As JSON: one object per key.
    pub fn to_json(&self) -> serde_json::Value {
        let row = |table: &Shown, row: &Row| {
            let mut object = serde_json::json!({
                "key": super::schema::join(&table.path, row.key),
                "value": row.value,
                "source": match &row.source {
                    Source::Default => "default",
                    Source::File(_) => "file",
                    Source::Variable(_) => "environment",
                },
            });
            let mut add = |name: &str, value: serde_json::Value| {
                if let Some(object) = object.as_object_mut() {
                    object.insert(name.to_owned(), value);
                }
            };
            match &row.source {
                Source::Default => {}
                Source::File(line) => {
                    add("file", (*self.file_name).into());
                    add("line", (*line).into());
                }
                Source::Variable(name) => add("variable", (**name).into()),
            }
            if !row.references.is_empty() {
                add("references", row.references.clone().into());
            }
            object
        };
        self.tables
            .iter()
            .flat_map(|table| table.rows.iter().map(move |one| row(table, one)))
            .collect()
    }
}

impl Row {
    fn origin(&self, file_name: &str) -> String {
        let source = match (&self.source, &self.value) {
            (Source::Default, None) => "not set".to_owned(),
            (Source::Default, Some(_)) => "default".to_owned(),
            (Source::File(line), _) => format!("{file_name}:{line}"),
            (Source::Variable(name), _) => name.to_string(),
        };
        [source]
            .into_iter()
            .chain(self.references.iter().cloned())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Looks at a configuration and the tree it was read from.
pub(super) fn of(config: &Config, root: &Table<'_>, text: &str, file_name: &str) -> Effective {
    let Config {
        server,
        keys,
        store,
        apps,
    } = config;
    let mut view = View {
        text,
        tables: Vec::new(),
    };
    view.server(root.table_or_empty("server"), server);
    let mut rows = view.rows(root.table_or_empty("keys"));
    rows.secrets("cookie", keys.len());
    view.push("[keys]", rows);
    let mut rows = view.rows(root.table_or_empty("store"));
    rows.set(
        "kind",
        match store {
            StoreKind::Memory => "memory",
        },
    );
    view.push("[store]", rows);
    for (app, table) in apps.iter().zip(root.tables("app")) {
        view.app(&table, app);
    }
    Effective {
        file_name: file_name.into(),
        tables: view.tables,
    }
}

struct View<'t> {
    text: &'t str,
    tables: Vec<Shown>,
}

impl<'t> View<'t> {
    fn rows<'a>(&self, table: Table<'a>) -> Rows<'a, 't> {
        Rows::new(self.text, table)
    }

    fn push(&mut self, header: &'static str, rows: Rows<'_, '_>) {
        self.tables.push(Shown {
            header,
            path: rows.table.path,
            rows: rows.done,
        });
    }

    fn server(&mut self, table: Table<'_>, server: &Server) {
        let Server {
            listen,
            trusted_proxies,
            max_header_bytes,
        } = server;
        let mut rows = self.rows(table);
        rows.set("listen", listen.to_string());
        rows.set("trusted_proxies", texts(trusted_proxies));
        rows.set("max_header_bytes", size::write(*max_header_bytes as u64));
        self.push("[server]", rows);
    }

    fn app(&mut self, table: &Table<'_>, app: &App) {
        let App {
            id,
            origin,
            spa_origin,
            agent_path,
            allowed_origins,
            error_path,
            post_logout_path,
            spa,
            provider,
            session,
            routes,
        } = app;
        let mut rows = self.rows(table.clone());
        rows.set("id", id.as_str());
        rows.set("origin", origin.as_str());
        rows.set("spa_origin", spa_origin.as_str());
        rows.set("agent_path", &**agent_path);
        rows.set("allowed_origins", texts(allowed_origins));
        rows.set("error_path", &**error_path);
        rows.set("post_logout_path", &**post_logout_path);
        match spa {
            Some(SpaFiles::Dir(dir)) => {
                let dir = Value::from(dir.display().to_string());
                rows.set("spa", toml::Table::from_iter([("dir".to_owned(), dir)]));
            }
            Some(SpaFiles::Bundled) | None => rows.unset("spa"),
        }
        self.push("[[app]]", rows);
        self.provider(table.table_or_empty("provider"), provider);
        self.session(table.table_or_empty("session"), session);
        for (route, table) in routes.iter().zip(table.tables("route")) {
            self.route(table, route);
        }
    }

    fn provider(&mut self, table: Table<'_>, provider: &Provider) {
        let Provider {
            issuer,
            client_id,
            client_secret: _,
            client_auth,
            scopes,
            redirect_uri,
            post_logout_redirect_uri,
            ca_pem: _,
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
        let mut rows = self.rows(table);
        rows.set("issuer", &**issuer);
        rows.set("client_id", &**client_id);
        rows.secret("client_secret");
        rows.set("client_auth", client_auth.as_str());
        rows.set("scopes", texts(scopes));
        rows.set("redirect_uri", &**redirect_uri);
        rows.set("post_logout_redirect_uri", &**post_logout_redirect_uri);
        // Its bytes are kept, its name is not: that stands in the file.
        rows.as_written("ca_file");
        rows.set("id_token_alg", provider::algorithm_name(*id_token_alg));
        rows.maybe("audience", audience.as_deref());
        rows.set("resource", texts(resource));
        rows.set("acr_values", texts(acr_values));
        rows.set("allowed_acr_values", texts(allowed_acr_values));
        rows.maybe("max_age", max_age.map(duration::write));
        rows.set("require_iss", *require_iss);
        rows.set(
            "userinfo",
            if *userinfo_at_login {
                "at_login"
            } else {
                "on_demand"
            },
        );
        rows.maybe("default_expires_in", default_expires_in.map(duration::write));
        rows.set("logout_mode", logout_mode.as_str());
        rows.set("logout_hint", logout_hint.as_str());
        rows.set("third_party_login", *third_party_login);
        self.push("[app.provider]", rows);
    }

    fn session(&mut self, table: Table<'_>, session: &Session) {
        let Session {
            idle_timeout,
            absolute_timeout,
            refresh,
            persistent,
            cookie_budget,
            claims,
        } = session;
        let mut rows = self.rows(table);
        rows.time("idle_timeout", *idle_timeout);
        rows.time("absolute_timeout", *absolute_timeout);
        rows.set("refresh", refresh.as_str());
        rows.set("persistent", *persistent);
        rows.set("cookie_budget", size::write(*cookie_budget as u64));
        rows.maybe("claims", claims.as_ref().map(|claims| texts(claims)));
        self.push("[app.session]", rows);
    }

    fn route(&mut self, table: Table<'_>, route: &Route) {
        let Route {
            path,
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
        let insecure_http = table.flag("insecure_http", false).unwrap_or(false);
        let mut rows = self.rows(table);
        rows.set("path", &**path);
        rows.set("upstream", format!("{upstream:?}"));
        rows.set("insecure_http", insecure_http);
        rows.maybe("methods", methods.as_ref().map(|methods| texts(methods)));
        rows.set("strip_path", *strip_path);
        rows.set("session", session.as_str());
        rows.set("token", token.as_str());
        rows.set("csrf", csrf.as_str());
        rows.set("drop_cookies", *drop_cookies);
        rows.set("drop_headers", texts(drop_headers));
        rows.set(
            "encoded_slash",
            if *pass_encoded_slash { "pass" } else { "refuse" },
        );
        rows.time("timeout", *timeout);
        rows.time("stream_idle_timeout", *stream_idle_timeout);
        rows.time("connect_timeout", *connect_timeout);
        rows.set("max_body", size::write(*max_body));
        self.push("[[app.route]]", rows);
    }
}

/// Where the origins begin, unless the value is longer.
const WIDTH: usize = 44;
