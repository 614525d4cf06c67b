//! The provider's keys (RFC 7517): read so that only what may verify an ID token is left.
//!
//! 1. A key that cannot be read is skipped; the others still serve (attack 175).
//! 2. `kty` and `crv` are those of the configured algorithm, `use` is absent or `sig`, `key_ops` absent or with `verify`,
//!    `alg` absent or the configured one (T-14). So an `oct` key is never used, nor an encryption key.
//! 3. RSA from 2048 to 8192 bits; coordinates of exactly the curve's length (T-16). That a point is on its curve is
//!    checked by the cryptography when it verifies.
//! 4. A `kid` picks every key that bears it: where several do, what else is known of them has already thinned them out.
//!    Without a `kid` on either side the only key that fits is taken; where several fit, none (OpenID Connect Core §10.1).
//!
//! When and how often the set is fetched is decided in [`super::cached`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use super::http::Http;
use super::{ProviderError, jws, strict_json};

/// The keys that may verify an ID token.
#[derive(Debug)]
pub(super) struct KeySet {
    /// Where they came from: metadata may name another place tomorrow.
    pub(super) source: Url,
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// What is known of a key beside its numbers.
#[derive(Deserialize)]
struct Label {
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
}

impl KeySet {
    /// Asks the provider.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`], or [`ProviderError::Invalid`] when what comes is no key set.
    pub(super) async fn fetch(http: &Http, source: &Url, alg: Algorithm) -> Result<Self, ProviderError> {
        let body = http.get(source).await.map_err(|error| error.about("keys"))?;
        Self::parse(&body, source, alg)
    }

    /// Reads a key set.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] when it is no JSON object with an array `keys`.
    pub(super) fn parse(body: &[u8], source: &Url, alg: Algorithm) -> Result<Self, ProviderError> {
        let document: Document<'_> = serde_json::from_slice(body)
            .map_err(|_| ProviderError::Invalid("keys: not a JSON object with an array `keys`".into()))?;
        Ok(Self {
            source: source.clone(),
            keys: document
                .keys
                .into_iter()
                .filter_map(|key| Key::parse(key.get().as_bytes(), alg))
                .take(MAX_KEYS)
                .collect(),
        })
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.keys.len()
    }

    /// The keys under which a token with this `kid` may be signed: rule 4.
    pub(super) fn candidates(&self, kid: Option<&str>) -> impl Iterator<Item = &DecodingKey> {
        let only = match self.keys.as_slice() {
            [only] if kid.is_none() || only.kid.is_none() => Some(&only.key),
            _ => None,
        };
        let named = self
            .keys
            .iter()
            .filter(move |key| kid.is_some() && key.kid.as_deref() == kid)
            .map(|key| &key.key)
            .take(MAX_CANDIDATES);
        named.chain(only)
    }
}

impl Key {
    fn parse(json: &[u8], alg: Algorithm) -> Option<Self> {
        let members = Value::Object(strict_json::object(json).ok()?);
        let label = Label::deserialize(&members).ok()?;
        let parameters = AlgorithmParameters::deserialize(&members).ok()?;
        if !label.permits(alg) {
            return None;
        }
        Some(Self {
            kid: label.kid,
            key: decoding_key(&parameters, alg)?,
        })
    }
}

impl Label {
    fn permits(&self, alg: Algorithm) -> bool {
        self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self
                .key_ops
                .as_ref()
                .is_none_or(|ops| ops.iter().any(|op| op == "verify"))
            && self
                .alg
                .as_deref()
                .is_none_or(|name| jws::names(alg).contains(&name))
    }
}

/// Rules 2 and 3; `None` for every key that the algorithm cannot use.
fn decoding_key(parameters: &AlgorithmParameters, alg: Algorithm) -> Option<DecodingKey> {
    match parameters {
        AlgorithmParameters::RSA(rsa) if alg.family() == AlgorithmFamily::Rsa => {
            let modulus = number(&rsa.n)?;
            let exponent = number(&rsa.e)?;
            let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
            (RSA_BITS.contains(&bits) && !exponent.is_empty())
                .then(|| DecodingKey::from_rsa_raw_components(&modulus, &exponent))
        }
        AlgorithmParameters::EllipticCurve(point) => {
            let length = match (alg, &point.curve) {
                (Algorithm::ES256, EllipticCurve::P256) => 32,
                (Algorithm::ES384, EllipticCurve::P384) => 48,
                _ => return None,
            };
            let is_coordinate = |text: &str| {
                URL_SAFE_NO_PAD
                    .decode(text)
                    .is_ok_and(|bytes| bytes.len() == length)
            };
            if !is_coordinate(&point.x) || !is_coordinate(&point.y) {
                return None;
            }
            DecodingKey::from_ec_components(&point.x, &point.y).ok()
        }
        AlgorithmParameters::OctetKeyPair(pair)
            if alg == Algorithm::EdDSA && pair.curve == EllipticCurve::Ed25519 =>
        {
            let bytes = URL_SAFE_NO_PAD.decode(&pair.x).ok()?;
            (bytes.len() == 32).then(|| DecodingKey::from_ed_der(&bytes))
        }
        _ => None,
    }
}

/// A big-endian number without leading zeros.
fn number(text: &str) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    Some(bytes)
}

const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// More keys than any provider publishes.
const MAX_KEYS: usize = 100;

/// Of one `kid`: bounds the signatures that one token can make us compute.
const MAX_CANDIDATES: usize = 4;
