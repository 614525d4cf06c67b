//! What the terminal says when the demo is ready. Only what works.

use super::users::{PASSWORD, USERS};

/// The banner; plain text, at most 80 columns, the first URL is the one to open.
pub(crate) fn banner(spa: u16, api: u16, provider: u16, attacker: u16) -> String {
    let users = USERS
        .map(|user| format!("{} / {PASSWORD}", user.name))
        .join("   or   ");
    format!(
        "
  Cloakroom {version} demo: the provider is a FAKE, keys and sessions live in memory

  Open         http://localhost:{spa}
  Sign in as   {users}

  SPA, agent and proxy   http://localhost:{spa}   (also http://127.0.0.1:{spa})
  Example API            http://127.0.0.1:{api}   validates JWTs, shows what it received
  Demo provider          http://127.0.0.1:{provider}   cross-site to the SPA, as a real one would be
  Attacker's page        http://{evil}:{attacker}   another site; tries, and fails

  Next         cloakroom init   then your provider in config.toml   then cloakroom check
  Stop         Ctrl+C
",
        evil = super::attacker::HOST,
        version = env!("CARGO_PKG_VERSION"),
    )
}
