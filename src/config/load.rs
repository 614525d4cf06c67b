//! From text to [`Config`]: one walk that stops at nothing and reports everything.
//!
//! ```text
//! text ─► document (tree with places) ─► overrides ─► schema (names, types) ─► one reader per table ─► Config
//!                        └─► mask (what may be shown)                              └─► overlap
//! ```

use std::path::Path;
use std::sync::Arc;

use super::check::Check;
use super::document;
use super::mask::Mask;
use super::problem::{Code, Place, Problem, Problems, Severity};
use super::schema::{self, ROOT};
use super::table::Table;
use super::variables::Variables;
use super::{App, Config, Effective, Server, effective};
use super::{admin, app, keys, meant, overlap, overrides, server, session, size, store};

/// What came of a reading: a configuration unless there are errors, and everything there is to say about it.
#[derive(Debug)]
pub struct Checked {
    /// `None` exactly when `problems` holds an error.
    pub config: Option<Config>,
    /// Errors and warnings, in the order of the file.
    pub problems: Problems,
}

impl Config {
    /// Reads the file at `path`, with the environment of this process.
    ///
    /// # Errors
    /// Every problem of the file, of the environment and of the secrets they refer to.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        Self::check(path, &Variables::of_process()).into_result()
    }

    /// Reads `text` as if it stood in `base_dir` under `file_name`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(
        text: &str,
        file_name: &str,
        base_dir: &Path,
        variables: &Variables,
    ) -> Result<Self, Problems> {
        check(text, file_name, base_dir, variables).0.into_result()
    }

    /// Reads the file at `path` and keeps the warnings as well.
    pub fn check(path: &Path, variables: &Variables) -> Checked {
        examine(path, variables).0
    }

    /// What the file at `path` comes to, and where each value is from.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn effective(path: &Path, variables: &Variables) -> Result<Effective, Problems> {
        let (checked, effective) = examine(path, variables);
        effective.ok_or(checked.problems)
    }
}

fn examine(path: &Path, variables: &Variables) -> (Checked, Option<Effective>) {
    let name = path.display().to_string();
    let base_dir = path.parent().unwrap_or_else(|| Path::new(""));
    let (cause, fix) = match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => return check(&text, &name, base_dir, variables),
        Ok(Err(_)) => ("it is not UTF-8".to_owned(), "save it as UTF-8"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (
            error.to_string(),
            "name the configuration with `--config FILE`, or make one: cloakroom init",
        ),
        Err(error) => (error.to_string(), "make it readable for this user"),
    };
    let mut check = Check::new(base_dir, variables);
    check
        .error(
            Code::FILE,
            "",
            &Place::Whole,
            format!("cannot read `{name}`: {cause}"),
        )
        .with_fix(fix);
    let problems = Problems {
        file_name: name.into(),
        list: check.problems,
    };
    let config = None;
    (Checked { config, problems }, None)
}

impl Checked {
    /// The configuration, or the problems.
    ///
    /// # Errors
    /// The problems, if one of them is an error.
    pub fn into_result(self) -> Result<Config, Problems> {
        self.config.ok_or(self.problems)
    }
}

fn check(
    text: &str,
    file_name: &str,
    base_dir: &Path,
    variables: &Variables,
) -> (Checked, Option<Effective>) {
    // Editors of one platform put a byte order mark in front; TOML knows none.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut root, syntax_errors) = document::parse(text);
    let mask = Mask::new(&root, syntax_errors.is_empty());
    let mut check = Check::new(base_dir, variables);
    overrides::apply(&mut root, &mut check);
    let config = Table::root(&root).and_then(|root| read(&root, &mut check));
    let misread = !syntax_errors.is_empty();
    for error in syntax_errors {
        check
            .error(
                Code::SYNTAX,
                "",
                &error.place,
                format!("not TOML: {}", error.message),
            )
            .with_fix(syntax_fix(&error.message));
    }
    mask.finish(text, &mut check);
    let mut list = check.problems;
    if misread {
        forget_consequences(&mut list);
    }
    list.sort_by_key(|problem| problem.position().unwrap_or_default());
    let failed = list.iter().any(|problem| problem.severity == Severity::Error);
    let config = config.filter(|_| !failed);
    let effective = config
        .as_ref()
        .zip(Table::root(&root))
        .map(|(config, root)| effective::of(config, &root, text, file_name));
    let problems = Problems {
        file_name: Arc::from(file_name),
        list,
    };
    (Checked { config, problems }, effective)
}

fn read(root: &Table<'_>, check: &mut Check<'_>) -> Option<Config> {
    schema::inspect(root.entries(), ROOT, "", check);
    let mut server = server::read(root, check);
    let public = server.as_ref().map(|server| server.listen);
    let admin = admin::read(root, public, check);
    let keys = keys::read(root, check);
    admin::refuse_a_cookie_key(root, admin.as_ref().and_then(Option::as_ref), &keys, check);
    let store = store::read(root, check);
    let tables = root.tables("app");
    if tables.is_empty()
        && root
            .field("app")
            .is_none_or(|field| field.is_list() && field.elements().is_empty())
    {
        root.missing("app", "`[[app]]` with `id`, `origin` and `[app.provider]`", check);
    }
    app::refuse_equal_ids(&tables, check);
    let mut claims = Vec::new();
    let apps: Vec<Option<App>> = tables
        .iter()
        .enumerate()
        .map(|(index, table)| app::read(table, index, &mut claims, check))
        .collect();
    overlap::inspect(&claims, check);
    if let Some(server) = &mut server {
        if root.table_or_empty("server").field("max_header_bytes").is_none() {
            server.max_header_bytes = room_for_cookies(server.max_header_bytes, apps.iter().flatten());
        }
        for (app, table) in apps.iter().zip(&tables) {
            warn_of_large_cookies(server, app.as_ref(), table, check);
            let origin = app.as_ref().map(|app| &app.origin);
            meant::warn_of_another_port(server, origin, table, check);
        }
    }
    if let Some(store) = &store {
        for (app, table) in apps.iter().zip(&tables) {
            if let Some(app) = app {
                session::inspect_mode(store, &app.session, table, check);
            }
        }
    }
    keys.refuse_client_secrets(check);
    let apps: Option<Vec<App>> = apps.into_iter().collect();
    Some(Config {
        server: server?,
        admin: admin?,
        keys: keys.ring?,
        store: store?,
        apps: apps?.into_iter().map(Arc::new).collect(),
    })
}

/// Where nobody limits the head, a cookie budget that was raised raises it too: a session that was opened can come back.
fn room_for_cookies<'a>(usual: usize, apps: impl Iterator<Item = &'a App>) -> usize {
    apps.map(|app| app.session.cookie_budget.saturating_add(OTHER_HEADERS))
        .fold(usual, usize::max)
}

/// Cookies come back in the head of every request: a budget beyond the head's limit ends in 431, not in a session.
fn warn_of_large_cookies(server: &Server, app: Option<&App>, table: &Table<'_>, check: &mut Check<'_>) {
    let Some(app) = app else { return };
    let room = server.max_header_bytes.saturating_sub(OTHER_HEADERS);
    if app.session.cookie_budget <= room {
        return;
    }
    let session = table.table_or_empty("session");
    let place = session
        .field("cookie_budget")
        .map_or_else(|| session.place(), |field| field.place());
    check
        .warning(
            Code::COOKIE_BUDGET,
            &schema::join(&session.path, "cookie_budget"),
            place,
            "the cookies of one session may not fit into a request",
        )
        .with_cause(format!(
            "`server.max_header_bytes` is {}, and other headers need room beside {} of cookies",
            size::write(server.max_header_bytes as u64),
            size::write(app.session.cookie_budget as u64)
        ))
        .with_fix("raise `server.max_header_bytes`, and the same limit of every proxy in front");
}

/// What a browser sends besides our cookies.
const OTHER_HEADERS: usize = 8 << 10;

/// What to do about a mistake of the syntax, by the parser's own words for it.
fn syntax_fix(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "a key stands once in its table, a `[table]` once in the file: merge them"
    } else if message.contains("table") {
        "a header stands on a line of its own: `[table]`, or `[[table]]` for one of several"
    } else if message.contains("string") && !message.contains("quoted") {
        "end the text with the quote mark that it began with, on the same line"
    } else {
        "texts stand in straight quotes, one key per line: `key = \"value\"`"
    }
}

/// Where the text is not TOML, what is missing may stand in what could not be read, a key may be unknown because the
/// header above it was not read, and what is wrong on the same line is the same mistake.
fn forget_consequences(list: &mut Vec<Problem>) {
    let line = |problem: &Problem| problem.position().map(|(line, _)| line);
    let broken: Vec<_> = list
        .iter()
        .filter(|problem| problem.code == Code::SYNTAX)
        .filter_map(line)
        .collect();
    let mut lines = Vec::new();
    list.retain(|problem| {
        if problem.code != Code::SYNTAX {
            return true;
        }
        // The reader goes on behind a mistake, and stumbles over the rest of it.
        let line = line(problem);
        let first = line.is_none() || !lines.contains(&line);
        lines.push(line);
        first
    });
    list.retain(|problem| {
        problem.code == Code::SYNTAX
            || ![Code::MISSING_KEY, Code::UNKNOWN_KEY].contains(&problem.code)
                && line(problem).is_none_or(|line| !broken.contains(&line))
    });
}
