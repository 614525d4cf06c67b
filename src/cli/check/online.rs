//! `cloakroom check --online`: what to register, what the provider of each app says of itself, and whether its upstreams are
//! there. One line each, with the fix.

use std::sync::Arc;

use super::super::exit::Failure;
use super::super::report;
use super::super::serve::runtime;
use super::upstreams;
use crate::agent::Endpoint;
use crate::clock::SystemClock;
use crate::config::{App, Config, LogoutMode, StoreKind};
use crate::provider::{Provider, Verdict};

/// Asks every provider, says what came of it, and fails with 1 where a login would, with 69 where nobody answered. An upstream
/// that is not there fails nothing: it may be started later.
pub(super) fn ask(config: &Config) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    let mut silent = Vec::new();
    for app in &config.apps {
        let id = app.id.as_str();
        let provider = Provider::new(&app.provider, Arc::new(SystemClock))
            .map_err(|error| Failure::config(format!("app `{id}`: {error}")))?;
        let runtime = runtime()?;
        let findings = runtime.block_on(provider.probe());
        let mut text = format!("app `{id}`: {}\n", app.provider.issuer);
        for what in to_register(app, &config.store) {
            text.push_str(&line("note", "register", &what, None));
        }
        for finding in &findings {
            let word = word(finding.verdict);
            text.push_str(&line(word, finding.about, &finding.text, finding.fix.as_deref()));
            match finding.verdict {
                Verdict::Ok | Verdict::Note => {}
                Verdict::Wrong => wrong.push(format!("app `{id}`: {}: {}", finding.about, finding.text)),
                Verdict::Unavailable => {
                    silent.push(format!("app `{id}`: {}: {}", finding.about, finding.text));
                }
            }
        }
        for found in runtime.block_on(upstreams::try_all(app))? {
            let word = if found.fix.is_none() { "ok" } else { "warn" };
            text.push_str(&line(word, "upstream", &found.text, found.fix));
        }
        report::print(&text)?;
    }
    match (wrong.as_slice(), silent.as_slice()) {
        ([], []) => Ok(()),
        ([], [one]) => Err(Failure::unavailable(one)),
        ([], several) => Err(Failure::unavailable(format!(
            "{} providers do not answer",
            several.len()
        ))),
        ([one], []) => Err(Failure::failed(one)),
        (wrong, silent) => Err(Failure::failed(format!(
            "the provider and the configuration do not fit: {} problems",
            wrong.len() + silent.len()
        ))),
    }
}

/// What the provider has to know of the app, as it will be sent: it compares byte for byte (RFC 9700 §2.1).
fn to_register(app: &App, store: &StoreKind) -> Vec<String> {
    let provider = &app.provider;
    let mut all = vec![format!("redirect URI {}", provider.redirect_uri)];
    if provider.logout_mode == LogoutMode::Oidc {
        all.push(format!(
            "post-logout redirect URI {}",
            provider.post_logout_redirect_uri
        ));
    }
    if !matches!(store, StoreKind::None) {
        let at = format!("{}{}", app.origin, app.agent_path);
        for (name, endpoint) in [
            ("back-channel logout URI", Endpoint::BackchannelLogout),
            ("front-channel logout URI", Endpoint::FrontchannelLogout),
        ] {
            all.push(format!("{name} {at}/{}", endpoint.path()));
        }
    }
    all
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Note => "note",
        Verdict::Wrong => "fail",
        Verdict::Unavailable => "down",
    }
}

/// `  ok    issuer         the metadata names the configured one`
fn line(word: &str, about: &str, text: &str, fix: Option<&str>) -> String {
    let line = format!("  {word:<5} {about:<13} {text}\n");
    match fix {
        Some(fix) => format!("{line}{:22}fix: {fix}\n", ""),
        None => line,
    }
}
