//! SIGHUP: `serve` reads its configuration again, and serves the new one whole or the old one still.
//!
//! 1. It is read and checked as at the start. What `check` would say of it stands in the log, and nothing has changed.
//! 2. What cannot change while the process runs (the port, the store) is refused with everything that came with it.
//! 3. What has changed is said by the path of its key; secrets as `***`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::report;
use super::signals::HangUps;
use crate::admin::Admin;
use crate::config::{Changes, Config, Problem, Problems, Severity, Variables};
use crate::handler::TokenHandler;

/// Reloads at each hang-up; never returns.
pub(super) async fn follow(
    path: PathBuf,
    first: Config,
    handler: TokenHandler,
    admin: Option<Admin>,
    mut hang_ups: HangUps,
) {
    let path: Arc<Path> = path.into();
    let mut current = Arc::new(first);
    let meters = Arc::clone(handler.meters());
    loop {
        hang_ups.next().await;
        let (path, old, handler) = (Arc::clone(&path), Arc::clone(&current), handler.clone());
        let admin = admin.clone();
        // It reads files and derives keys: not on a thread that serves.
        match tokio::task::spawn_blocking(move || reload(&path, &old, &handler, admin.as_ref())).await {
            Ok(Some(new)) => current = Arc::new(new),
            Ok(None) => meters.reload(false),
            Err(error) => {
                meters.reload(false);
                refused(&format!("a bug: {error}"));
            }
        }
    }
}

/// The configuration that is served from now on; `None`: it is still the old one.
fn reload(path: &Path, old: &Config, handler: &TokenHandler, admin: Option<&Admin>) -> Option<Config> {
    let checked = Config::check(path, &Variables::of_process());
    let Some(new) = checked.config else {
        tell_problems(path, &checked.problems);
        refused(&checked.problems.reason());
        return None;
    };
    let changes = Changes::between(old, &new);
    let fixed: Vec<String> = changes
        .iter()
        .filter(|change| needs_restart(change.path()))
        .map(ToString::to_string)
        .collect();
    if !fixed.is_empty() {
        refused(&format!("{}: only a restart can change that", fixed.join(", ")));
        return None;
    }
    if let Err(error) = handler.reload(&new) {
        refused(&error.to_string());
        return None;
    }
    if let (Some(admin), Some(settings)) = (admin, &new.admin) {
        admin.use_token_of(settings);
    }
    handler.meters().reload(true);
    report::log_warnings(&checked.problems);
    for change in &changes {
        tracing::info!(
            event = "reload_change",
            key = change.path(),
            change = change.what(),
            "{change}"
        );
    }
    // Whoever scrapes no metrics sees here when an old key can go (contract §4).
    for (index, key) in new.keys.iter().enumerate() {
        let (key, role) = (key.id(), if index == 0 { "seals" } else { "opens" });
        let opened = handler.meters().opened(&key);
        tracing::info!(event = "cookie_key", key, role, opened);
    }
    let count = changes.iter().count();
    tracing::info!(
        event = "reloaded",
        changes = count,
        apps = new.apps.len(),
        "reloaded"
    );
    Some(new)
}

fn refused(reason: &str) {
    tracing::error!(
        event = "reload_refused",
        reason,
        "not reloaded: the configuration is as it was"
    );
}

/// As `check` would: drawn for people, one line each for machines.
fn tell_problems(path: &Path, problems: &Problems) {
    if report::is_for_people() {
        report::draw(problems);
        return;
    }
    for problem in problems {
        tell(path, problem);
    }
}

fn tell(path: &Path, problem: &Problem) {
    let (line, column) = problem.position().unzip();
    let (file, code, key) = (path.display(), problem.code(), problem.path());
    let (variable, cause, fix) = (problem.variable(), problem.cause(), problem.fix());
    match problem.severity() {
        Severity::Error => {
            tracing::error!(event = "reload_problem", %code, key, %file, line, column, variable, cause, fix, "{}", problem.message());
        }
        Severity::Warning => {
            tracing::warn!(event = "reload_problem", %code, key, %file, line, column, variable, cause, fix, "{}", problem.message());
        }
    }
}

/// The port is taken and the store holds what it holds.
fn needs_restart(key: &str) -> bool {
    key == "server.listen" || key == "admin.listen" || key.starts_with("store.")
}
