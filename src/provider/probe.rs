//! What the provider says of itself, against what is configured: `check --online`.
//!
//! Asks for the metadata and the key set, nothing else, and never shows the client's secret. Each need has a finding of its
//! own, so that one look tells all of them; the last word has [`Metadata`], the same reader that a login goes by.
//!
//! Of the provider's text only an issuer is repeated, and only one that is a plain URL.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::config::LogoutMode;

use super::discovery::{Metadata, metadata_url};
use super::jwks::KeySet;
use super::{Provider, ProviderError, strict_json};

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    /// What it is about: `issuer`, `S256`, `client_auth`, …
    pub about: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found.
    pub text: String,
    /// What to do about it.
    pub fix: Option<String>,
}

/// How a need stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it has to be.
    Ok,
    /// Worth knowing; a login works.
    Note,
    /// A login fails.
    Wrong,
    /// Nobody answered, so nothing is known.
    Unavailable,
}

/// What is looked at, as it comes; members of the wrong type count as absent here and are refused by the reader.
#[derive(Default)]
struct Card {
    issuer: Option<String>,
    pkce: Option<Vec<String>>,
    client_auth: Option<Vec<String>>,
    response_modes: Option<Vec<String>>,
    algorithms: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    back_channel: bool,
    front_channel: bool,
}

impl Provider {
    /// Asks the provider about everything that the configuration relies on.
    pub async fn probe(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some(url) = metadata_url(&self.config.issuer) else {
            return vec![wrong(
                "discovery",
                "the issuer is no URL that metadata could be under",
                CORRECT_ISSUER,
            )];
        };
        let body = match self.http.get(&url).await {
            Ok(body) => body,
            Err(error) => {
                let fix = match error {
                    ProviderError::Unavailable(_) => {
                        "the provider, the network, DNS, `ca_file`: one of them is down or wrong"
                    }
                    _ => CORRECT_ISSUER,
                };
                return vec![failed("discovery", &error, fix)];
            }
        };
        findings.push(ok("discovery", format!("{url} answers")));
        let card = Card::read(&body);
        self.compare(&card, &mut findings);
        match Metadata::parse(&body, &self.http, &self.config) {
            Err(error) => {
                // Said already by a line of its own, unless the reader knows something that no line is about.
                if findings.iter().all(|finding| finding.verdict != Verdict::Wrong) {
                    findings.push(failed(
                        "metadata",
                        &error,
                        "compare the registration with `[app.provider]`",
                    ));
                }
            }
            Ok(metadata) => {
                self.look_behind(&metadata, &mut findings).await;
                findings.push(channels(&card));
            }
        }
        findings
    }

    fn compare(&self, card: &Card, findings: &mut Vec<Finding>) {
        let config = &self.config;
        findings.push(match card.issuer.as_deref() {
            Some(issuer) if *issuer == *config.issuer => {
                ok("issuer", "the metadata names the configured one")
            }
            Some(issuer) if presentable(issuer) => wrong(
                "issuer",
                format!("the metadata names another one: {issuer}"),
                "write it into the configuration, character for character",
            ),
            Some(_) => wrong("issuer", "the metadata names another one", CORRECT_ISSUER),
            None => wrong("issuer", "the metadata names none", CORRECT_ISSUER),
        });
        findings.push(match holds(card.pkce.as_deref(), "S256") {
            Some(true) => ok("S256", "announced"),
            Some(false) => wrong(
                "S256",
                "the provider lists PKCE methods without it",
                "enable PKCE with S256 for this client at the provider",
            ),
            None => note(
                "S256",
                "not announced; it is sent all the same, and most providers check it",
            ),
        });
        let method = config.client_auth.as_str();
        findings.push(match holds(card.client_auth.as_deref(), method) {
            Some(true) => ok("client_auth", format!("{method} is supported")),
            Some(false) => wrong(
                "client_auth",
                format!("{method} is not supported"),
                alternatives(card.client_auth.as_deref(), CLIENT_AUTH),
            ),
            // OpenID Connect Discovery §3: client_secret_basic is the default.
            None if method == "client_secret_basic" => ok("client_auth", format!("{method} is the default")),
            None => note("client_auth", format!("{method} is not announced")),
        });
        findings.push(match holds(card.response_modes.as_deref(), RESPONSE_MODE) {
            Some(true) => ok("response_mode", format!("{RESPONSE_MODE} is supported")),
            Some(false) => wrong(
                "response_mode",
                format!("{RESPONSE_MODE} is not supported"),
                "allow it for this client at the provider",
            ),
            None => ok("response_mode", format!("{RESPONSE_MODE} is the default")),
        });
        let algorithms = super::jws::names(config.id_token_alg);
        let listed = card.algorithms.as_deref();
        findings.push(
            match listed.map(|listed| algorithms.iter().any(|name| listed.iter().any(|one| one == name))) {
                Some(true) => ok(
                    "id_token_alg",
                    format!("{} is supported", algorithms.join(" or ")),
                ),
                Some(false) => wrong(
                    "id_token_alg",
                    format!("{} is not supported", algorithms.join(" or ")),
                    alternatives(listed, ALGORITHMS),
                ),
                None => note("id_token_alg", "the provider does not say how it signs"),
            },
        );
        if let Some(listed) = &card.scopes {
            let unknown: Vec<&str> = config
                .scopes
                .iter()
                .map(|scope| &**scope)
                .filter(|scope| !listed.iter().any(|known| known == scope))
                .collect();
            if !unknown.is_empty() {
                findings.push(note("scopes", format!("not announced: {}", unknown.join(", "))));
            }
            if holds(Some(listed), OFFLINE_ACCESS) == Some(true)
                && config.scopes.iter().all(|scope| **scope != *OFFLINE_ACCESS)
            {
                // OpenID Connect Core §11: what asks for a refresh token; some providers give one without being asked.
                findings.push(Finding {
                    fix: Some(
                        "add it to `scopes`; or sign in once: `renewable` in the log's `session_began` tells".to_owned(),
                    ),
                    ..note(
                        "scopes",
                        format!(
                            "`{OFFLINE_ACCESS}` is announced and not asked for: without a refresh token a session ends \
                             with its access token"
                        ),
                    )
                });
            }
        }
    }

    async fn look_behind(&self, metadata: &Metadata, findings: &mut Vec<Finding>) {
        let alg = self.config.id_token_alg;
        findings.push(match KeySet::fetch(&self.http, &metadata.jwks_uri, alg).await {
            Err(error) => failed("keys", &error, "without keys no ID token can be checked"),
            Ok(keys) => match keys.len() {
                0 => wrong(
                    "keys",
                    "none of them fits the configured `id_token_alg`",
                    "register this algorithm for the client, or configure the one that is registered",
                ),
                1 => ok("keys", "1 fits `id_token_alg`"),
                count => ok("keys", format!("{count} fit `id_token_alg`")),
            },
        });
        findings.push(match (&metadata.end_session_endpoint, self.config.logout_mode) {
            (_, LogoutMode::Local) => note("end_session", "not asked: `logout_mode` is \"local\""),
            (Some(_), LogoutMode::Oidc) => ok(
                "end_session",
                "present: a logout ends the session at the provider, too",
            ),
            (None, LogoutMode::Oidc) => note("end_session", "absent: a logout ends only our own session"),
        });
        findings.push(match &metadata.revocation_endpoint {
            Some(_) => ok("revocation", "present: a logout revokes the tokens"),
            None => note("revocation", "absent: tokens live on until they expire"),
        });
    }
}

impl Card {
    fn read(body: &[u8]) -> Self {
        let members = strict_json::object(body).unwrap_or_default();
        let list = |name: &str| {
            let value = members.get(name)?.clone();
            Vec::<String>::deserialize(value).ok()
        };
        let says = |name: &str| members.get(name) == Some(&Value::Bool(true));
        Self {
            back_channel: says("backchannel_logout_supported"),
            front_channel: says("frontchannel_logout_supported"),
            issuer: members.get("issuer").and_then(Value::as_str).map(str::to_owned),
            pkce: list("code_challenge_methods_supported"),
            client_auth: list("token_endpoint_auth_methods_supported"),
            response_modes: list("response_modes_supported"),
            algorithms: list("id_token_signing_alg_values_supported"),
            scopes: list("scopes_supported"),
        }
    }
}

/// Whether the provider would tell us that somebody signed out there.
fn channels(card: &Card) -> Finding {
    match (card.back_channel, card.front_channel) {
        (true, _) => ok(
            "back-channel",
            "announced: with our URI registered, a logout at the provider ends our session",
        ),
        (false, true) => note(
            "front-channel",
            "announced, back-channel logout is not: a logout at the provider ends our session if the browser takes part",
        ),
        (false, false) => note(
            "back-channel",
            "not announced: a logout at the provider does not end our session",
        ),
    }
}

fn holds(list: Option<&[String]>, wanted: &str) -> Option<bool> {
    list.map(|list| list.iter().any(|one| one == wanted))
}

/// Those of our choices that the provider lists: its own words are not repeated.
fn alternatives(listed: Option<&[String]>, ours: &[&str]) -> String {
    let both: Vec<&str> = ours
        .iter()
        .copied()
        .filter(|ours| holds(listed, ours) == Some(true))
        .collect();
    if both.is_empty() {
        "allow it for this client at the provider: nothing that it lists is built here".to_owned()
    } else {
        format!("configure {}, or allow ours for this client", both.join(" or "))
    }
}

/// Whether an issuer that the provider sent may be shown: a plain https URL of a moderate length.
fn presentable(issuer: &str) -> bool {
    issuer.len() <= 200
        && issuer.bytes().all(|byte| byte.is_ascii_graphic())
        && Url::parse(issuer).is_ok_and(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
        })
}

fn ok(about: &'static str, text: impl Into<String>) -> Finding {
    finding(about, Verdict::Ok, text, None)
}

fn note(about: &'static str, text: impl Into<String>) -> Finding {
    finding(about, Verdict::Note, text, None)
}

fn wrong(about: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Finding {
    finding(about, Verdict::Wrong, text, Some(fix.into()))
}

fn failed(about: &'static str, error: &ProviderError, fix: &str) -> Finding {
    let (verdict, text) = match error {
        ProviderError::Unavailable(text) => (
            Verdict::Unavailable,
            CLIENT_NOISE
                .iter()
                .fold(&**text, |text, noise| text.trim_start_matches(noise))
                .to_owned(),
        ),
        ProviderError::Invalid(text) => (Verdict::Wrong, text.to_string()),
        other => (Verdict::Wrong, other.to_string()),
    };
    finding(about, verdict, text, Some(fix.to_owned()))
}

fn finding(about: &'static str, verdict: Verdict, text: impl Into<String>, fix: Option<String>) -> Finding {
    Finding {
        about,
        verdict,
        text: text.into(),
        fix,
    }
}

/// What the HTTP client says before it says what happened.
const CLIENT_NOISE: &[&str] = &[
    "error sending request: ",
    "client error (Connect): ",
    "dns error: ",
];

const CORRECT_ISSUER: &str = "copy `issuer` from the provider's documentation, every character of it";
const RESPONSE_MODE: &str = "query";
const OFFLINE_ACCESS: &str = "offline_access";
const CLIENT_AUTH: &[&str] = &["client_secret_basic", "client_secret_post"];
const ALGORITHMS: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
];
