//! What a login may be asked for: an allow-list of names, each with its rule (contract §3, L-11, L-22, L-23).
//!
//! 1. A name that is not listed, or stands twice, is refused and named (attack 8).
//! 2. Values only tighten what is configured: `scope` is a subset that keeps `openid`, `max_age` is at most the configured
//!    one, `acr_values` come from `acr_values` and `allowed_acr_values` (attack 218).
//! 3. `iss` and `target_link_uri` exist only on `GET login` with `third_party_login` (OpenID Connect Core §4): `iss` must
//!    be the configured issuer, nothing is ever looked up for another one, and a bad target is dropped (L-21, attack 10).

use super::parameters::{Parameters, shown};
use super::return_to::{ReturnTo, Rules};
use crate::config::{App, Provider};
use crate::refusal::{Code, Refusal};

/// A login that may be started.
#[derive(Debug)]
pub(super) struct LoginRequest {
    /// Where it ends.
    pub(super) return_to: ReturnTo,
    /// `prompt`
    pub(super) prompt: Option<Box<str>>,
    /// `login_hint`
    pub(super) login_hint: Option<Box<str>>,
    /// `acr_values`: what was asked, else what is configured.
    pub(super) acr_values: Vec<Box<str>>,
    /// `max_age` in seconds: what was asked, else what is configured.
    pub(super) max_age: Option<u64>,
    /// `ui_locales`
    pub(super) ui_locales: Option<Box<str>>,
    /// `scope`; `None` = all that is configured.
    pub(super) scope: Option<Box<str>>,
}

/// Through which endpoint a login is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// `POST login/start`
    Script,
    /// `GET login`
    Navigation {
        /// Fetch Metadata says that the app itself or the user's own hand led here.
        first_party: bool,
    },
}

impl LoginRequest {
    /// Reads and judges `parameters`.
    ///
    /// # Errors
    /// `invalid_request`, naming the parameter.
    pub(super) fn check(app: &App, parameters: &Parameters, door: Door) -> Result<Self, Refusal> {
        let third_party = match door {
            Door::Navigation { .. } => app.provider.third_party_login,
            Door::Script => false,
        };
        if let Some((name, _)) = parameters
            .iter()
            .find(|(name, _)| !(NAMES.contains(name) || third_party && THIRD_PARTY_NAMES.contains(name)))
        {
            return Err(refuse(&format!(
                "The parameter `{}` is not allowed.",
                shown(name)
            )));
        }
        if let Some(name) = parameters.repeated() {
            return Err(refuse(&format!("The parameter `{name}` stands more than once.")));
        }
        if let Some(name) = parameters.odd() {
            return Err(refuse(&format!("The parameter `{name}` must be a text.")));
        }
        if third_party {
            check_issuer(&app.provider, parameters, door)?;
        }
        Ok(Self {
            return_to: return_to(app, parameters)?,
            prompt: parameters.once("prompt").map(prompt).transpose()?,
            login_hint: parameters
                .once("login_hint")
                .map(|hint| plain(hint, "login_hint"))
                .transpose()?,
            acr_values: acr_values(&app.provider, parameters.once("acr_values"))?,
            max_age: max_age(&app.provider, parameters.once("max_age"))?,
            ui_locales: parameters.once("ui_locales").map(ui_locales).transpose()?,
            scope: parameters
                .once("scope")
                .map(|scope| subset(&app.provider, scope))
                .transpose()?,
        })
    }
}

/// Rule 3. A browser that vouches for the app itself needs no `iss`: the parameter protects against strangers.
fn check_issuer(provider: &Provider, parameters: &Parameters, door: Door) -> Result<(), Refusal> {
    let given = parameters
        .iter()
        .find(|(name, _)| *name == "iss")
        .map(|(_, value)| value);
    match given {
        Some(iss) if *iss == *provider.issuer => Ok(()),
        Some(_) => Err(refuse("The parameter `iss` is not the issuer of this app.")),
        None if door == (Door::Navigation { first_party: true }) => Ok(()),
        None => Err(refuse("The parameter `iss` is missing.")),
    }
}

/// An empty `return_to` is no path; it is refused like any other that is none.
fn return_to(app: &App, parameters: &Parameters) -> Result<ReturnTo, Refusal> {
    let rules = Rules::of(app);
    let given = |wanted: &str| {
        parameters
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value)
    };
    if let Some(text) = given("return_to") {
        return ReturnTo::check(text, &rules)
            .map_err(|rejected| refuse(&format!("The parameter `return_to` {rejected}.")));
    }
    Ok(given("target_link_uri")
        .and_then(|text| ReturnTo::check(text, &rules).ok())
        .unwrap_or_else(|| ReturnTo::home(&rules)))
}

/// OpenID Connect Core §3.1.2.1: a list, in which `none` stands alone.
fn prompt(text: &str) -> Result<Box<str>, Refusal> {
    let asked: Vec<&str> = words(text).collect();
    let known = asked.iter().all(|prompt| PROMPTS.contains(prompt));
    let alone = asked.len() == 1 || !asked.contains(&"none");
    if asked.is_empty() || !known || !alone {
        return Err(refuse(
            "The parameter `prompt` must be `none`, or some of `login`, `consent`, `select_account`.",
        ));
    }
    Ok(asked.join(" ").into())
}

fn plain(text: &str, name: &str) -> Result<Box<str>, Refusal> {
    if text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(refuse(&format!(
            "The parameter `{name}` must be a text of at most {MAX_TEXT} bytes."
        )));
    }
    Ok(text.into())
}

fn acr_values(provider: &Provider, asked: Option<&str>) -> Result<Vec<Box<str>>, Refusal> {
    let Some(asked) = asked else {
        return Ok(provider.acr_values.clone());
    };
    let allowed = || provider.acr_values.iter().chain(&provider.allowed_acr_values);
    words(asked)
        .map(|value| allowed().find(|known| ***known == *value).cloned())
        .collect::<Option<Vec<_>>>()
        .filter(|values| !values.is_empty())
        .ok_or_else(|| refuse("The parameter `acr_values` holds a value that is not allowed for this app."))
}

fn max_age(provider: &Provider, asked: Option<&str>) -> Result<Option<u64>, Refusal> {
    let configured = provider.max_age.map(|age| age.as_secs());
    let Some(asked) = asked else {
        return Ok(configured);
    };
    // Nine digits are thirty years: nobody means more, and what is added to it later cannot overflow.
    let seconds = Some(asked)
        .filter(|text| text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| refuse("The parameter `max_age` must be a whole number of seconds."))?;
    if configured.is_some_and(|most| seconds > most) {
        return Err(refuse("The parameter `max_age` is more than this app allows."));
    }
    Ok(Some(seconds))
}

/// BCP 47 language tags, as OpenID Connect Core §3.1.2.1 wants them.
fn ui_locales(text: &str) -> Result<Box<str>, Refusal> {
    if text.len() > MAX_TEXT
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b' '))
    {
        return Err(refuse(
            "The parameter `ui_locales` must be language tags, separated by spaces.",
        ));
    }
    Ok(text.into())
}

fn subset(provider: &Provider, asked: &str) -> Result<Box<str>, Refusal> {
    let scopes: Vec<&str> = words(asked).collect();
    let known = |scope: &&str| provider.scopes.iter().any(|configured| **configured == **scope);
    if !scopes.iter().all(known) || !scopes.contains(&"openid") {
        return Err(refuse(
            "The parameter `scope` must be a subset of this app's scopes that keeps `openid`.",
        ));
    }
    Ok(scopes.join(" ").into())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

fn refuse(detail: &str) -> Refusal {
    Refusal::new(Code::InvalidRequest).saying(detail.to_owned())
}

const NAMES: [&str; 7] = [
    "return_to",
    "prompt",
    "login_hint",
    "acr_values",
    "max_age",
    "ui_locales",
    "scope",
];
const THIRD_PARTY_NAMES: [&str; 2] = ["iss", "target_link_uri"];
const PROMPTS: [&str; 4] = ["none", "login", "consent", "select_account"];
const MAX_TEXT: usize = 256;
