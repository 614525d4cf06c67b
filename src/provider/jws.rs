//! JSON Web Signatures, strictly: what `jsonwebtoken` lets pass and an ID token or a logout token must not.
//!
//! Claims to be believed come out only of [`Unverified::verify`]. Rules, in order:
//!
//! 1. At most 64 KiB; three parts, none empty, base64url without padding and without stray bits (RFC 7515 §7.1).
//! 2. The header is a JSON object without repeated members (T-15).
//! 3. `alg` is the one configured algorithm, by its exact name (RFC 8725 §3.1, T-05); `none` and HMAC never are.
//! 4. `crit`, `b64`, `enc` and `zip`: refused, whatever they say: nothing here understands an extension (RFC 7515 §4.1.11).
//! 5. `typ` (T-17): of an ID token absent or `JWT`; of a logout token `logout+jwt`, or as of an ID token where the
//!    configuration does not require it (O-14). Every other kind of JWT names itself (`at+jwt`, `token-introspection+jwt`,
//!    `oauth-authz-req+jwt`, `dpop+jwt` …) and is therefore neither. `cty` says a token is nested: refused.
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
use crate::config::LogoutTokenTyp;

/// What a token is to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// OpenID Connect Core §2.
    IdToken,
    /// Back-Channel Logout §2.4.
    LogoutToken(LogoutTokenTyp),
}

impl Kind {
    /// Rule 5. RFC 7515 §4.1.9: `application/` may stand in front.
    fn bears(self, typ: Option<&str>) -> bool {
        let is = |typ: &str, wanted: &str| {
            let (prefix, rest) = typ.split_at_checked(APPLICATION.len()).unwrap_or_default();
            let short = if prefix.eq_ignore_ascii_case(APPLICATION) {
                rest
            } else {
                typ
            };
            short.eq_ignore_ascii_case(wanted)
        };
        let plain = typ.is_none_or(|typ| is(typ, "JWT"));
        match self {
            Self::IdToken => plain,
            Self::LogoutToken(rule) => {
                typ.is_some_and(|typ| is(typ, "logout+jwt")) || plain && rule == LogoutTokenTyp::Any
            }
        }
    }

    /// Rule `text` is broken.
    pub(super) fn invalid(self, text: &str) -> ProviderError {
        ProviderError::Invalid(format!("{}: {text}", self.name()).into())
    }

    const fn name(self) -> &'static str {
        match self {
            Self::IdToken => "ID token",
            Self::LogoutToken(_) => "logout token",
        }
    }
}

/// A signed token of acceptable form; nothing in it is to be believed yet.
pub(super) struct Unverified<'a> {
    kind: Kind,
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
    pub(super) fn parse(token: &'a str, wanted: Kind, alg: Algorithm) -> Result<Self, ProviderError> {
        let invalid = |text| wanted.invalid(text);
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
        let fits = match header.get("typ") {
            None => wanted.bears(None),
            Some(typ) => typ.as_str().is_some_and(|typ| wanted.bears(Some(typ))),
        };
        if !fits {
            return Err(invalid("`typ` is that of another kind of token"));
        }
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(invalid("`kid` is not a string")),
        };
        Ok(Self {
            kind: wanted,
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
        self.asserted().map(Some)
    }

    /// What the payload says, whoever wrote it: to refuse by, never to act on.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] when it is no clean JSON object: rule 8.
    pub(super) fn asserted(&self) -> Result<Map<String, Value>, ProviderError> {
        decoded_object(self.payload)
            .ok_or_else(|| self.invalid("the payload is no JSON object with each member once"))
    }

    /// Rule `text` is broken.
    pub(super) fn invalid(&self, text: &str) -> ProviderError {
        self.kind.invalid(text)
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

const APPLICATION: &str = "application/";

const REFUSED: [&str; 5] = ["crit", "b64", "enc", "zip", "cty"];

const MAX_BYTES: usize = 64 * 1024;
