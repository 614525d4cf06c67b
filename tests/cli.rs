//! The command line from outside (contract §2): what it prints, how it ends.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, reason = "tests fail loudly, their helpers too")]

#[cfg(target_os = "linux")]
#[path = "cli/bad_requests.rs"]
mod bad_requests;
#[path = "cli/check.rs"]
mod check;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/explain.rs"]
mod explain;
#[cfg(unix)]
#[path = "cli/init.rs"]
mod init;
#[path = "cli/keys.rs"]
mod keys;
#[path = "cli/online.rs"]
mod online;
#[path = "cli/pages.rs"]
mod pages;
#[cfg(unix)]
#[path = "cli/reload.rs"]
mod reload;
#[cfg(unix)]
#[path = "cli/serve.rs"]
mod serve;
#[path = "cli/show.rs"]
mod show;
#[cfg(unix)]
#[path = "cli/store.rs"]
mod store;
#[cfg(unix)]
#[path = "cli/upstream_tls.rs"]
mod upstream_tls;
#[path = "cli/world.rs"]
mod world;
