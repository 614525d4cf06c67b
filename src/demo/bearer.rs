//! How the example API (and the provider's userinfo) validates a bearer token: signature by the provider's keys, with
//! the one algorithm it uses, then type, issuer, audience and time (RFC 9068 §4, RFC 8725 §3).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::provider::ALGORITHM;
use crate::clock::Timestamp;

/// A token that checked out.
#[derive(Debug)]
pub(crate) struct Bearer {
    /// Its claims.
    pub(crate) claims: Map<String, Value>,
    /// `sha256:` and the first 12 hex digits of its hash: enough to tell two tokens apart, nothing to steal.
    pub(crate) fingerprint: String,
}

/// Why a request is not let in; the text goes into the answer, so it never holds the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("no bearer token")]
    Missing,
    #[error("more than one Authorization field")]
    Twice,
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    #[error("the token does not check out")]
    Invalid,
    #[error("the token has expired")]
    Expired,
}

/// Validates the bearer token of a request.
pub(crate) fn admit(
    headers: &HeaderMap,
    keys: &JwkSet,
    issuer: &str,
    audience: &str,
    now: Timestamp,
) -> Result<Bearer, Denied> {
    let mut fields = headers.get_all(header::AUTHORIZATION).into_iter();
    let field = fields
        .next()
        .ok_or(Denied::Missing)?
        .to_str()
        .map_err(|_| Denied::Invalid)?;
    if fields.next().is_some() {
        return Err(Denied::Twice);
    }
    let token = match field.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token,
        _ => return Err(Denied::Missing),
    };
    let claims = verify(token, "at+jwt", keys, issuer, audience)?;
    let second = |claim: &str| claims.get(claim).and_then(Value::as_u64);
    if second("exp").ok_or(Denied::Invalid)? <= now.as_secs() {
        return Err(Denied::Expired);
    }
    if second("nbf").is_some_and(|from| from > now.as_secs()) {
        return Err(Denied::Invalid);
    }
    let hash = Sha256::digest(token);
    let mut fingerprint = String::from("sha256:");
    for byte in hash.iter().take(6) {
        let _ = write!(fingerprint, "{byte:02x}");
    }
    Ok(Bearer { claims, fingerprint })
}

/// The claims of an `id_token_hint`: of this issuer for this client, expired or not.
pub(crate) fn claims_of_hint(
    token: &str,
    keys: &JwkSet,
    issuer: &str,
    client: &str,
) -> Option<Map<String, Value>> {
    verify(token, "JWT", keys, issuer, client).ok()
}

/// Everything but time, which is ours to tell.
fn verify(
    token: &str,
    typ: &str,
    keys: &JwkSet,
    issuer: &str,
    audience: &str,
) -> Result<Map<String, Value>, Denied> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Denied::Invalid)?;
    // The library accepts what it does not understand in `crit` and looks at neither `typ` nor `crit`.
    let raw = token
        .split('.')
        .next()
        .and_then(|head| URL_SAFE_NO_PAD.decode(head).ok())
        .ok_or(Denied::Invalid)?;
    let raw: Map<String, Value> = serde_json::from_slice(&raw).map_err(|_| Denied::Invalid)?;
    if header.alg != ALGORITHM || header.typ.as_deref() != Some(typ) || raw.contains_key("crit") {
        return Err(Denied::Invalid);
    }
    let key = header
        .kid
        .and_then(|kid| keys.find(&kid))
        .ok_or(Denied::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| Denied::UnknownKey)?;
    let mut rules = Validation::new(ALGORITHM);
    rules.validate_exp = false;
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[audience]);
    // An absent claim would otherwise pass.
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    jsonwebtoken::decode(token, &key, &rules)
        .map(|verified| verified.claims)
        .map_err(|_| Denied::Invalid)
}
