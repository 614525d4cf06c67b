//! A provider's key: its public half, and whatever is to be signed with it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::token::IdToken;

/// A key of the provider.
pub(super) struct Signer {
    alg: Algorithm,
    kid: Option<&'static str>,
    key: EncodingKey,
}

impl Signer {
    pub(super) fn new(alg: Algorithm, kid: Option<&'static str>) -> Self {
        use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
        use aws_lc_rs::signature::{
            ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        };
        let key = match alg {
            Algorithm::ES256 | Algorithm::ES384 => {
                let curve = if alg == Algorithm::ES256 {
                    &ECDSA_P256_SHA256_FIXED_SIGNING
                } else {
                    &ECDSA_P384_SHA384_FIXED_SIGNING
                };
                let pair = EcdsaKeyPair::generate(curve).unwrap();
                EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
            }
            Algorithm::EdDSA => {
                EncodingKey::from_ed_der(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref())
            }
            _ => {
                let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
                let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
                let lines = STANDARD.encode(der.as_ref());
                let pem = format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n");
                EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
            }
        };
        Self { alg, kid, key }
    }

    /// The JWK, with `kid` and `alg`.
    pub(super) fn public(&self) -> Value {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.key, self.alg).unwrap()).unwrap();
        if let Some(kid) = self.kid {
            jwk["kid"] = kid.into();
        }
        jwk
    }

    /// The header that this key's tokens usually have.
    pub(super) fn header(&self) -> Value {
        let mut header = json!({ "alg": format!("{:?}", self.alg), "typ": "JWT" });
        if let Some(kid) = self.kid {
            header["kid"] = kid.into();
        }
        header
    }

    pub(super) fn sign(&self, claims: &Value) -> IdToken {
        self.sign_raw(&self.header().to_string(), &claims.to_string())
    }

    pub(super) fn sign_with_header(&self, header: &Value, claims: &Value) -> IdToken {
        self.sign_raw(&header.to_string(), &claims.to_string())
    }

    /// Any two texts, truly signed.
    pub(super) fn sign_raw(&self, header: &str, payload: &str) -> IdToken {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.alg).unwrap();
        IdToken::new(format!("{message}.{signature}"))
    }
}
