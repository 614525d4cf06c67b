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
//! The first six are those of every token for us ([`super::claims`]). After a refresh the subject must be the session's,
//! `auth_time` must not change, and a `nonce` is the one of the token before or not there (Core §12.2, R-05).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

use crate::clock::Timestamp;
use crate::config;
use crate::session::Identity;
use crate::token::{AccessToken, IdToken, Nonce};

use super::claims::{self, Claims, SKEW, invalid};
use super::{Expectation, ProviderError, VerifiedIdToken, jws};

/// Checks the claims of a token whose signature holds.
///
/// # Errors
/// [`ProviderError::Invalid`] naming the claim, [`ProviderError::StepUp`].
pub(super) fn check(
    claims: Claims,
    config: &config::Provider,
    now: Timestamp,
    expected: &Expectation<'_>,
) -> Result<VerifiedIdToken, ProviderError> {
    match read(&claims, config, now, expected) {
        Ok(identity) => Ok(VerifiedIdToken { identity, claims }),
        Err(error) => Err(error.about("ID token")),
    }
}

fn read(
    claims: &Claims,
    config: &config::Provider,
    now: Timestamp,
    expected: &Expectation<'_>,
) -> Result<Identity, ProviderError> {
    claims::check_issuer_and_audience(claims, config)?;
    claims::check_lifetime(claims, now)?;
    let found = Identity {
        subject: subject(claims)?,
        provider_session: string(claims, "sid"),
        auth_time: auth_time(claims, now)?,
        acr: string(claims, "acr"),
    };
    match expected {
        Expectation::Login {
            nonce,
            access,
            max_age,
            acr_values,
        } => {
            check_nonce(claims, nonce)?;
            check_at_hash(claims, access, config.id_token_alg)?;
            check_demands(&found, now, *max_age, acr_values)?;
            Ok(found)
        }
        Expectation::Refresh {
            identity,
            access,
            previous,
        } => {
            check_at_hash(claims, access, config.id_token_alg)?;
            check_same_nonce(claims, *previous)?;
            continued(found, identity)
        }
    }
}

fn subject(claims: &Claims) -> Result<Box<str>, ProviderError> {
    match claims.get("sub") {
        Some(Value::String(sub)) if claims::is_subject(sub) => Ok(sub.as_str().into()),
        _ => Err(invalid("`sub` is missing or not 1 to 255 ASCII characters")),
    }
}

fn auth_time(claims: &Claims, now: Timestamp) -> Result<Option<u64>, ProviderError> {
    let auth_time = claims::time(claims, "auth_time")?;
    if auth_time.is_some_and(|at| at > now.after(SKEW)) {
        return Err(invalid("`auth_time` is in the future: compare the clocks"));
    }
    Ok(auth_time.map(Timestamp::as_secs))
}

fn check_nonce(claims: &Claims, sent: &Nonce) -> Result<(), ProviderError> {
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
fn check_at_hash(claims: &Claims, access: &AccessToken, alg: Algorithm) -> Result<(), ProviderError> {
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
fn check_same_nonce(claims: &Claims, previous: Option<&IdToken>) -> Result<(), ProviderError> {
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
        // The login's stays: under it the session was recorded, and its end is looked for (O-16).
        provider_session: before.provider_session.clone().or(found.provider_session),
        auth_time: found.auth_time.or(before.auth_time),
        acr: found.acr.or_else(|| before.acr.clone()),
    })
}

/// A claim that we can do without: anything but a text counts as absent.
fn string(claims: &Claims, name: &str) -> Option<Box<str>> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(Into::into)
}
