//! What the claims of an ID token must say (OpenID Connect Core §2, §3.1.3.7; T-01 … T-12, T-23). The signature has been
//! checked before ([`super::jws`]).
//!
//! | claim | rule |
//! | --- | --- |
//! | `iss` | a string, exactly the configured issuer |
//! | `aud` | our client id, as a string or as the only value of an array: no other audience is trusted |
//! | `azp` | when present, our client id |
//! | `exp` | required, not more than 60 s ago |
//! | `nbf` | when present, not more than 60 s ahead |
//! | `iat` | required, not more than 60 s ahead |
//! | `sub` | required, 1 to 255 ASCII characters |
//! | `nonce` | after a login: required and the one sent, compared in constant time |
//! | `at_hash` | when present, that of the access token that came along |
//! | `acr` | where some were demanded: one of them |
//! | `auth_time` | never ahead; where `max_age` was demanded: required and at most that old, plus 60 s |
//!
//! Times are JSON numbers, fractions allowed (RFC 7519 §2), counted to the millisecond; negative ones and strings are
//! refused; ones beyond any calendar saturate (attack 172). After a refresh the subject must be the session's, `auth_time`
//! must not change, and a `nonce` is the one of the token before or not there (Core §12.2, R-05).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

use crate::clock::Timestamp;
use crate::config;
use crate::session::Identity;
use crate::token::{AccessToken, IdToken, Nonce};

use super::{Expectation, ProviderError, VerifiedIdToken, jws};

/// Checks the claims of a token whose signature holds.
///
/// # Errors
/// [`ProviderError::Invalid`] naming the claim, [`ProviderError::StepUp`].
pub(super) fn check(
    claims: Map<String, Value>,
    config: &config::Provider,
    now: Timestamp,
    expected: &Expectation<'_>,
) -> Result<VerifiedIdToken, ProviderError> {
    check_issuer_and_audience(&claims, config)?;
    check_lifetime(&claims, now)?;
    let found = Identity {
        subject: subject(&claims)?,
        provider_session: string(&claims, "sid"),
        auth_time: auth_time(&claims, now)?,
        acr: string(&claims, "acr"),
    };
    let identity = match expected {
        Expectation::Login {
            nonce,
            access,
            max_age,
            acr_values,
        } => {
            check_nonce(&claims, nonce)?;
            check_at_hash(&claims, access, config.id_token_alg)?;
            check_demands(&found, now, *max_age, acr_values)?;
            found
        }
        Expectation::Refresh {
            identity,
            access,
            previous,
        } => {
            check_at_hash(&claims, access, config.id_token_alg)?;
            check_same_nonce(&claims, *previous)?;
            continued(found, identity)?
        }
    };
    Ok(VerifiedIdToken { identity, claims })
}

fn check_issuer_and_audience(
    claims: &Map<String, Value>,
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

fn check_lifetime(claims: &Map<String, Value>, now: Timestamp) -> Result<(), ProviderError> {
    let exp = time(claims, "exp")?.ok_or_else(|| invalid("`exp` is missing"))?;
    let iat = time(claims, "iat")?.ok_or_else(|| invalid("`iat` is missing"))?;
    if now >= exp.after(SKEW) {
        return Err(invalid("it has expired (`exp`)"));
    }
    if iat > now.after(SKEW) {
        return Err(invalid("it was issued in the future (`iat`): compare the clocks"));
    }
    if time(claims, "nbf")?.is_some_and(|nbf| nbf > now.after(SKEW)) {
        return Err(invalid("it is not valid yet (`nbf`)"));
    }
    Ok(())
}

fn subject(claims: &Map<String, Value>) -> Result<Box<str>, ProviderError> {
    match claims.get("sub") {
        Some(Value::String(sub)) if (1..=255).contains(&sub.len()) && sub.is_ascii() => {
            Ok(sub.as_str().into())
        }
        _ => Err(invalid("`sub` is missing or not 1 to 255 ASCII characters")),
    }
}

fn auth_time(claims: &Map<String, Value>, now: Timestamp) -> Result<Option<u64>, ProviderError> {
    let auth_time = time(claims, "auth_time")?;
    if auth_time.is_some_and(|at| at > now.after(SKEW)) {
        return Err(invalid("`auth_time` is in the future: compare the clocks"));
    }
    Ok(auth_time.map(Timestamp::as_secs))
}

fn check_nonce(claims: &Map<String, Value>, sent: &Nonce) -> Result<(), ProviderError> {
    let equal = claims
        .get("nonce")
        .and_then(Value::as_str)
        .is_some_and(|nonce| nonce.as_bytes().ct_eq(sent.expose().as_bytes()).into());
    if equal {
        Ok(())
    } else {
        Err(invalid("`nonce` is not the one of this login"))
    }
}

/// Core §3.1.3.6: the left half of the hash whose size `alg` names; Ed25519 hashes with SHA-512.
fn check_at_hash(
    claims: &Map<String, Value>,
    access: &AccessToken,
    alg: Algorithm,
) -> Result<(), ProviderError> {
    let Some(at_hash) = claims.get("at_hash") else {
        return Ok(());
    };
    let token = access.expose().as_bytes();
    let hash = match alg {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 | Algorithm::HS256 => {
            Sha256::digest(token).to_vec()
        }
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 | Algorithm::HS384 => {
            Sha384::digest(token).to_vec()
        }
        _ => Sha512::digest(token).to_vec(),
    };
    let (left, _) = hash.split_at(hash.len() / 2);
    if at_hash.as_str() == Some(URL_SAFE_NO_PAD.encode(left).as_str()) {
        Ok(())
    } else {
        Err(invalid("`at_hash` is not that of the access token"))
    }
}

/// T-10, T-11. A demand that is not met is no fault of the token: the user has to sign in again, or better.
fn check_demands(
    found: &Identity,
    now: Timestamp,
    max_age: Option<u64>,
    acr_values: &[Box<str>],
) -> Result<(), ProviderError> {
    if let Some(max_age) = max_age {
        let oldest = Duration::from_secs(max_age).saturating_add(SKEW);
        let recent = found
            .auth_time
            .is_some_and(|at| now.since(Timestamp::from_secs(at)) <= oldest);
        if !recent {
            return Err(ProviderError::StepUp);
        }
    }
    if !acr_values.is_empty() && !found.acr.as_ref().is_some_and(|acr| acr_values.contains(acr)) {
        return Err(ProviderError::StepUp);
    }
    Ok(())
}

/// OpenID Connect Core §12.2: a refreshed token should have no nonce; one that has another was made for another login.
fn check_same_nonce(claims: &Map<String, Value>, previous: Option<&IdToken>) -> Result<(), ProviderError> {
    let Some(nonce) = claims.get("nonce") else {
        return Ok(());
    };
    let before = previous.and_then(|token| jws::claims_of_trusted(token.expose()));
    match before.as_ref().and_then(|claims| claims.get("nonce")) {
        Some(before) if before != nonce => Err(invalid("`nonce` changed in a refresh")),
        _ => Ok(()),
    }
}

/// Core §12.2. What the refreshed token leaves out stays as the login said it.
fn continued(found: Identity, before: &Identity) -> Result<Identity, ProviderError> {
    if found.subject != before.subject {
        return Err(invalid("`sub` is not that of the session"));
    }
    if let (Some(now), Some(then)) = (found.auth_time, before.auth_time)
        && now != then
    {
        return Err(invalid("`auth_time` changed in a refresh"));
    }
    Ok(Identity {
        subject: found.subject,
        provider_session: found.provider_session.or_else(|| before.provider_session.clone()),
        auth_time: found.auth_time.or(before.auth_time),
        acr: found.acr.or_else(|| before.acr.clone()),
    })
}

/// A time claim; `None` when it is absent.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, ProviderError> {
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
        _ => Err(invalid(&format!("`{name}` is no time"))),
    }
}

/// A claim that we can do without: anything but a text counts as absent.
fn string(claims: &Map<String, Value>, name: &str) -> Option<Box<str>> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(Into::into)
}

fn invalid(text: &str) -> ProviderError {
    ProviderError::Invalid(format!("ID token: {text}").into())
}

/// How far clocks may differ.
const SKEW: Duration = Duration::from_secs(60);
