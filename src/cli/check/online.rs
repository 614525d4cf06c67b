//! `cloakroom check --online`: what the provider of each app says of itself, one line per need, with the fix.

use std::sync::Arc;

use super::super::exit::Failure;
use super::super::report;
use super::super::serve::runtime;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::provider::{Finding, Provider, Verdict};

/// Asks every provider, says what came of it, and fails with 1 where a login would, with 69 where nobody answered.
pub(super) fn ask(config: &Config) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    let mut silent = Vec::new();
    for app in &config.apps {
        let id = app.id.as_str();
        let provider = Provider::new(&app.provider, Arc::new(SystemClock))
            .map_err(|error| Failure::config(format!("app `{id}`: {error}")))?;
        let findings = runtime()?.block_on(provider.probe());
        let mut text = format!("app `{id}`: {}\n", app.provider.issuer);
        for finding in &findings {
            text.push_str(&line(finding));
            match finding.verdict {
                Verdict::Ok | Verdict::Note => {}
                Verdict::Wrong => wrong.push(format!("app `{id}`: {}: {}", finding.about, finding.text)),
                Verdict::Unavailable => {
                    silent.push(format!("app `{id}`: {}: {}", finding.about, finding.text));
                }
            }
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

/// `  ok    issuer         the metadata names the configured one`
fn line(finding: &Finding) -> String {
    let Finding {
        about,
        verdict,
        text,
        fix,
    } = finding;
    let word = match verdict {
        Verdict::Ok => "ok",
        Verdict::Note => "note",
        Verdict::Wrong => "fail",
        Verdict::Unavailable => "down",
    };
    let line = format!("  {word:<5} {about:<13} {text}\n");
    match fix {
        Some(fix) => format!("{line}{:22}fix: {fix}\n", ""),
        None => line,
    }
}
