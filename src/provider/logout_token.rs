//! What a logout token must say (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6; O-08 … O-14, attacks 115, 116, 118, 119).
//!
//! | claim | rule |
//! | --- | --- |
//! | `iss`, `aud`, `azp`, `exp`, `iat`, `nbf` | as in an ID token ([`super::claims`]); `iat` not more than 5 min ago, plus 60 s |
//! | `events` | an object whose member for back-channel logout is an object |
//! | `nonce` | not there: an ID token is no logout token |
//! | `sub`, `sid` | one of them, or both; a `sub` of 1 to 255 ASCII characters, a `sid` of 1 to 1024 bytes |
//! | `jti` | required, 1 to 1024 bytes: used once (the store remembers it) |
//!
//! The header's `typ` is checked by [`super::jws`]: `logout+jwt`, or, unless `logout_token_typ = "required"`, none at all.
//!
//! [`check`] is asked twice: before the signature, so that what is wrong on its face costs no cryptography and no question
//! to the provider, and for what the signature vouches for.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;
use crate::config;

use super::ProviderError;
use super::claims::{self, Claims, SKEW, invalid};

/// A verified logout token: whose sessions the provider has ended. `Debug` shows neither user nor session.
#[derive(Clone, PartialEq, Eq)]
pub struct LogoutToken {
    /// `sub`, where it is there.
    pub subject: Option<Box<str>>,
    /// `sid`, where it is there; one of the two is.
    pub provider_session: Option<Box<str>>,
    /// What makes it this token and no other: a hash of issuer, client and `jti`.
    pub mark: [u8; 32],
    /// From when on it is refused anyhow.
    pub good_until: Timestamp,
    /// No login after this moment can be meant, however long the token was under way: `iat`, and what clocks may differ.
    pub reaches: Timestamp,
}

impl fmt::Debug for LogoutToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutToken")
            .field("subject", &self.subject.is_some())
            .field("provider_session", &self.provider_session.is_some())
            .finish_non_exhaustive()
    }
}

/// Checks the claims of a logout token.
///
/// # Errors
/// [`ProviderError::Invalid`] naming the claim.
pub(super) fn check(
    claims: &Claims,
    config: &config::Provider,
    now: Timestamp,
) -> Result<LogoutToken, ProviderError> {
    read(claims, config, now).map_err(|error| error.about("logout token"))
}

fn read(claims: &Claims, config: &config::Provider, now: Timestamp) -> Result<LogoutToken, ProviderError> {
    claims::check_issuer_and_audience(claims, config)?;
    let lifetime = claims::check_lifetime(claims, now)?;
    let stale = lifetime.issued.after(OLDEST).after(SKEW);
    if now >= stale {
        return Err(invalid("it was issued too long ago (`iat`)"));
    }
    let is_logout = claims
        .get("events")
        .and_then(|events| events.as_object()?.get(EVENT))
        .is_some_and(Value::is_object);
    if !is_logout {
        return Err(invalid("`events` does not say back-channel logout"));
    }
    if claims.contains_key("nonce") {
        return Err(invalid("`nonce` is there"));
    }
    let subject = match claims.get("sub") {
        None => None,
        Some(Value::String(sub)) if claims::is_subject(sub) => Some(sub.as_str().into()),
        Some(_) => return Err(invalid("`sub` is not 1 to 255 ASCII characters")),
    };
    let provider_session = match claims.get("sid") {
        None => None,
        Some(Value::String(sid)) if is_name(sid) => Some(sid.as_str().into()),
        Some(_) => return Err(invalid("`sid` is not 1 to 1024 bytes of text")),
    };
    if subject.is_none() && provider_session.is_none() {
        return Err(invalid("`sub` and `sid` are both missing"));
    }
    let jti = match claims.get("jti") {
        Some(Value::String(jti)) if is_name(jti) => jti,
        _ => return Err(invalid("`jti` is missing or not 1 to 1024 bytes of text")),
    };
    Ok(LogoutToken {
        subject,
        provider_session,
        mark: mark(config, jti),
        good_until: lifetime.expires.after(SKEW).min(stale),
        reaches: lifetime.issued.after(SKEW),
    })
}

/// No part can run into the next: issuer and client hold no zero byte.
fn mark(config: &config::Provider, jti: &str) -> [u8; 32] {
    Sha256::new_with_prefix(b"cloakroom logout token\0")
        .chain_update(&*config.issuer)
        .chain_update([0])
        .chain_update(&*config.client_id)
        .chain_update([0])
        .chain_update(jti)
        .finalize()
        .into()
}

fn is_name(text: &str) -> bool {
    (1..=1024).contains(&text.len())
}

/// The member of `events` (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How long a provider may try to deliver one. §2.4 wants `exp` at most two minutes ahead; this bounds one without such an
/// `exp`, and how long a used `jti` is remembered.
const OLDEST: Duration = Duration::from_secs(5 * 60);
