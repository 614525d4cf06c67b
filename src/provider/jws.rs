//! JSON Web Signatures, strictly: what `jsonwebtoken` lets pass and an ID token must not.
//!
//! Claims come out only of [`Unverified::verify`]. Rules, in order:
//!
//! 1. At most 64 KiB; three parts, none empty, base64url without padding and without stray bits (RFC 7515 §7.1).
//! 2. The header is a JSON object without repeated members (T-15).
//! 3. `alg` is the one configured algorithm, by its exact name (RFC 8725 §3.1, T-05); `none` and HMAC never are.
//! 4. `crit`, `b64`, `enc` and `zip`: refused, whatever they say: nothing here understands an extension (RFC 7515 §4.1.11).
//! 5. `typ`: absent, `JWT` or `application/jwt` (T-17). Every other kind of JWT names itself (`at+jwt`, `logout+jwt`,
//!    `token-introspection+jwt`, `oauth-authz-req+jwt`, `dpop+jwt` …) and is therefore no ID token. `cty` says a token is
//!    nested: refused.
//! 6. `jku`, `jwk`, `x5u`, `x5c` are never looked at: keys come from the provider's `jwks_uri` alone (T-15).
//! 7. The signature holds under one of the few keys that fit (T-14).
//! 8. The payload is a JSON object without repeated members.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::ProviderError;
use super::jwks::KeySet;
use super::strict_json;

/// A signed token of acceptable form; nothing in it is to be believed yet.
pub(super) struct Unverified<'a> {
    kid: Option<String>,
    alg: Algorithm,
    /// Header and payload as they were signed.
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Unverified<'a> {
    /// Rules 1 to 5.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] naming the rule.
    pub(super) fn parse(token: &'a str, alg: Algorithm) -> Result<Self, ProviderError> {
        if token.len() > MAX_BYTES {
            return Err(invalid("longer than 64 KiB"));
        }
        let (header, message, payload, signature) =
            parts(token).ok_or_else(|| invalid("not a compact JWS"))?;
        let header = decoded_object(header).ok_or_else(|| invalid("the header is no JSON object"))?;
        match header.get("alg") {
            Some(Value::String(name)) if names(alg).contains(&name.as_str()) => {}
            _ => return Err(invalid("`alg` is not the configured one")),
        }
        if REFUSED.iter().any(|name| header.contains_key(*name)) {
            return Err(invalid("the header has `crit`, `b64`, `enc`, `zip` or `cty`"));
        }
        match header.get("typ") {
            None => {}
            // RFC 7515 §4.1.9: `application/` may stand in front.
            Some(Value::String(typ))
                if ["JWT", "application/jwt"]
                    .iter()
                    .any(|known| typ.eq_ignore_ascii_case(known)) => {}
            Some(_) => return Err(invalid("`typ` is not that of an ID token")),
        }
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(invalid("`kid` is not a string")),
        };
        Ok(Self {
            kid,
            alg,
            message,
            payload,
            signature,
        })
    }

    /// Rules 7 and 8. `None`: no key of this set verifies it; a newer set might.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] when the payload, although signed, is no clean JSON object.
    pub(super) fn verify(&self, keys: &KeySet) -> Result<Option<Map<String, Value>>, ProviderError> {
        let signed = keys.candidates(self.kid.as_deref()).any(|key| {
            jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), key, self.alg)
                .unwrap_or(false)
        });
        if !signed {
            return Ok(None);
        }
        decoded_object(self.payload)
            .map(Some)
            .ok_or_else(|| invalid("the payload is no JSON object with each member once"))
    }
}

/// The claims of a token whose signature was checked earlier and that nobody but us could have touched since. Checks
/// nothing.
pub(super) fn claims_of_trusted(token: &str) -> Option<Map<String, Value>> {
    let (_, _, payload, _) = parts(token)?;
    decoded_object(payload)
}

/// The names of an algorithm in `alg`. RFC 9864 renamed `EdDSA` over Curve25519 to `Ed25519`; the keys decide that no
/// other curve is meant. Empty for what is never used: HMAC would make the client secret, or worse a public key, a
/// signing key (RFC 8725 §2.1).
pub(super) fn names(alg: Algorithm) -> &'static [&'static str] {
    match alg {
        Algorithm::RS256 => &["RS256"],
        Algorithm::RS384 => &["RS384"],
        Algorithm::RS512 => &["RS512"],
        Algorithm::PS256 => &["PS256"],
        Algorithm::PS384 => &["PS384"],
        Algorithm::PS512 => &["PS512"],
        Algorithm::ES256 => &["ES256"],
        Algorithm::ES384 => &["ES384"],
        Algorithm::EdDSA => &["EdDSA", "Ed25519"],
        _ => &[],
    }
}

/// Header, header and payload, payload, signature.
fn parts(token: &str) -> Option<(&str, &str, &str, &str)> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let whole = !header.is_empty() && !payload.is_empty() && !signature.is_empty();
    (whole && !payload.contains('.')).then_some((header, message, payload, signature))
}

fn decoded_object(part: &str) -> Option<Map<String, Value>> {
    strict_json::object(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn invalid(text: &str) -> ProviderError {
    ProviderError::Invalid(format!("ID token: {text}").into())
}

const REFUSED: [&str; 5] = ["crit", "b64", "enc", "zip", "cty"];

const MAX_BYTES: usize = 64 * 1024;
