//! What every JWT of the provider for us must say, ID token or logout token (OpenID Connect Core §3.1.3.7, Back-Channel
//! Logout §2.6): whose it is, whom it is for, and when.
//!
//! Times are JSON numbers, fractions allowed (RFC 7519 §2), counted to the millisecond; negative ones and strings are
//! refused; ones beyond any calendar saturate (attack 172).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::config;

use super::ProviderError;

/// The claims of one token.
pub(super) type Claims = Map<String, Value>;

/// `iss` is the configured issuer, `aud` our client alone, `azp`, when present, our client: no other audience is trusted.
///
/// # Errors
/// [`ProviderError::Invalid`] naming the claim.
pub(super) fn check_issuer_and_audience(
    claims: &Claims,
    config: &config::Provider,
) -> Result<(), ProviderError> {
    let is = |value: &Value, text: &str| value.as_str() == Some(text);
    if !claims.get("iss").is_some_and(|iss| is(iss, &config.issuer)) {
        return Err(invalid("`iss` is not the configured issuer"));
    }
    let for_us = match claims.get("aud") {
        Some(Value::Array(all)) => !all.is_empty() && all.iter().all(|aud| is(aud, &config.client_id)),
        Some(aud) => is(aud, &config.client_id),
        None => false,
    };
    if !for_us {
        return Err(invalid("`aud` is not our client alone"));
    }
    if claims.get("azp").is_some_and(|azp| !is(azp, &config.client_id)) {
        return Err(invalid("`azp` is not our client"));
    }
    Ok(())
}

/// When a token was made and until when it is good.
pub(super) struct Lifetime {
    /// `iat`
    pub(super) issued: Timestamp,
    /// `exp`
    pub(super) expires: Timestamp,
}

/// `exp` and `iat` are there, the one not more than [`SKEW`] ago, the other not more than that ahead; no more is `nbf`, when
/// present.
///
/// # Errors
/// [`ProviderError::Invalid`] naming the claim.
pub(super) fn check_lifetime(claims: &Claims, now: Timestamp) -> Result<Lifetime, ProviderError> {
    let expires = time(claims, "exp")?.ok_or_else(|| invalid("`exp` is missing"))?;
    let issued = time(claims, "iat")?.ok_or_else(|| invalid("`iat` is missing"))?;
    if now >= expires.after(SKEW) {
        return Err(invalid("it has expired (`exp`)"));
    }
    if issued > now.after(SKEW) {
        return Err(invalid("it was issued in the future (`iat`): compare the clocks"));
    }
    if time(claims, "nbf")?.is_some_and(|nbf| nbf > now.after(SKEW)) {
        return Err(invalid("it is not valid yet (`nbf`)"));
    }
    Ok(Lifetime { issued, expires })
}

/// Whether `sub` is 1 to 255 ASCII characters (OpenID Connect Core §2).
pub(super) fn is_subject(sub: &str) -> bool {
    (1..=255).contains(&sub.len()) && sub.is_ascii()
}

/// A time claim; `None` when it is absent.
///
/// # Errors
/// [`ProviderError::Invalid`] when it is no time.
pub(super) fn time(claims: &Claims, name: &str) -> Result<Option<Timestamp>, ProviderError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    if let Some(secs) = value.as_u64() {
        return Ok(Some(Timestamp::from_secs(secs)));
    }
    match value.as_f64() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and the cast saturates: 1e300 is the end of time"
        )]
        Some(secs) if secs >= 0.0 => Ok(Some(Timestamp::from_millis((secs * 1000.0) as u64))),
        _ => Err(ProviderError::Invalid(format!("`{name}` is no time").into())),
    }
}

/// A rule that is broken; which kind of token broke it is added by whoever asked.
pub(super) const fn invalid(rule: &'static str) -> ProviderError {
    ProviderError::Invalid(std::borrow::Cow::Borrowed(rule))
}

/// How far clocks may differ.
pub(super) const SKEW: Duration = Duration::from_secs(60);
