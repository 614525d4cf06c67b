//! The signing key, new at each start: ES256, made by aws-lc, used through jsonwebtoken.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The algorithm of everything signed here.
pub(crate) const ALGORITHM: Algorithm = Algorithm::ES256;

/// One P-256 key pair.
pub(crate) struct SigningKey {
    private: EncodingKey,
    public: [String; 2],
}

/// The key could not be made or used.
#[derive(Debug, thiserror::Error)]
#[error("the demo provider's signing key failed")]
pub(crate) struct KeyError;

impl SigningKey {
    /// A new pair.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| KeyError)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError)?;
        // SEC 1 §2.3.3, uncompressed: 0x04, then x and y of 32 bytes each.
        let (x, y) = pair
            .public_key()
            .as_ref()
            .get(1..65)
            .and_then(|xy| xy.split_at_checked(32))
            .ok_or(KeyError)?;
        Ok(Self {
            private: EncodingKey::from_ec_der(pkcs8.as_ref()),
            public: [URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)],
        })
    }

    /// A compact JWS over `claims` with the header `typ`.
    pub(crate) fn sign(&self, typ: &str, claims: &Value) -> Result<String, KeyError> {
        let header = Header {
            typ: Some(typ.to_owned()),
            kid: Some(KEY_ID.to_owned()),
            ..Header::new(ALGORITHM)
        };
        jsonwebtoken::encode(&header, claims, &self.private).map_err(|_| KeyError)
    }

    /// The public half as a JWK set (RFC 7517 §5).
    pub(crate) fn jwks(&self) -> Value {
        let [x, y] = &self.public;
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": KEY_ID, "x": x, "y": y }] })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

const KEY_ID: &str = "demo-1";
