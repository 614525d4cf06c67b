//! Arbitrary bytes, and nearly right ones, never panic and are never believed.

use jsonwebtoken::Algorithm;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use url::Url;

use super::world::{ACCESS, CLIENT_ID, NONCE, NOW, config, limits};
use crate::clock::Timestamp;
use crate::config::LogoutTokenTyp;
use crate::provider::discovery::Metadata;
use crate::provider::http::Http;
use crate::provider::jwks::KeySet;
use crate::provider::jws::Kind;
use crate::provider::{Expectation, Provider, id_token, jws, logout_token, strict_json};
use crate::token::{AccessToken, IdToken, Nonce};

const LOGOUT: Kind = Kind::LogoutToken(LogoutTokenTyp::Any);

const ALGORITHMS: [Algorithm; 12] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::EdDSA,
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,20}".prop_map(Value::from),
        Just(Value::from(CLIENT_ID)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{1,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Objects whose members have the right names and any value.
fn object_of(names: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::hash_map(prop::sample::select(names), any_json(), 0..names.len()).prop_map(|members| {
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    })
}

fn keys(body: &[u8], alg: Algorithm) -> Option<KeySet> {
    KeySet::parse(body, &Url::parse("https://op.example/jwks").unwrap(), alg).ok()
}

proptest! {
    #[test]
    fn any_text_is_no_id_token(text in "\\PC{0,200}", alg in prop::sample::select(&ALGORITHMS[..])) {
        prop_assert!(jws::Unverified::parse(&text, Kind::IdToken, alg).is_err());
        prop_assert!(jws::Unverified::parse(&text, LOGOUT, alg).is_err());
        let _ = Provider::claims_of_sealed(&IdToken::new(text));
    }

    #[test]
    fn any_header_with_any_signature_is_not_believed(
        header in object_of(&["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "cty"]),
        name in prop::sample::select(&["none", "HS256", "RS256", "ES256", "ES384", "PS256", "EdDSA"][..]),
        signature in prop::collection::vec(any::<u8>(), 1..300),
        alg in prop::sample::select(&ALGORITHMS[..]),
    ) {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let mut header = header;
        header.insert("alg".to_owned(), name.into());
        let token = format!(
            "{}.e30.{}",
            URL_SAFE_NO_PAD.encode(Value::Object(header).to_string()),
            URL_SAFE_NO_PAD.encode(signature)
        );
        let set = json!({"keys": [
            {"kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode([7; 32]), "y": URL_SAFE_NO_PAD.encode([9; 32])},
            {"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([7; 32])},
            {"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 256])},
        ]});
        let keys = keys(set.to_string().as_bytes(), alg).unwrap();
        for kind in [Kind::IdToken, LOGOUT] {
            if let Ok(token) = jws::Unverified::parse(&token, kind, alg) {
                prop_assert!(matches!(token.verify(&keys), Ok(None)));
            }
        }
    }

    #[test]
    fn any_bytes_are_no_documents(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let config = config("https://op.example", Algorithm::RS256);
        let _ = strict_json::object(&bytes);
        for alg in ALGORITHMS {
            let _ = keys(&bytes, alg);
        }
        let judged = id_token::check(
            strict_json::object(&bytes).unwrap_or_default(),
            &config,
            Timestamp::from_secs(NOW),
            &Expectation::Login {
                nonce: &Nonce::new(NONCE),
                access: &AccessToken::new(ACCESS),
                max_age: None,
                acr_values: &[],
            },
        );
        prop_assert!(judged.is_err());
        let claims = strict_json::object(&bytes).unwrap_or_default();
        prop_assert!(logout_token::check(&claims, &config, Timestamp::from_secs(NOW)).is_err());
    }

    #[test]
    fn any_keys_are_read_or_skipped(
        set in prop::collection::vec(
            object_of(&["kty", "crv", "x", "y", "n", "e", "k", "kid", "use", "alg", "key_ops", "x5c"]),
            0..5,
        ),
        kty in prop::sample::select(&["RSA", "EC", "OKP", "oct"][..]),
    ) {
        let set: Vec<Value> = set
            .into_iter()
            .map(|mut key| {
                key.insert("kty".to_owned(), kty.into());
                Value::Object(key)
            })
            .collect();
        let body = json!({ "keys": set }).to_string();
        for alg in ALGORITHMS {
            let read = keys(body.as_bytes(), alg);
            prop_assert!(read.is_some());
            let _ = read.unwrap().candidates(Some("a")).count();
        }
    }

    #[test]
    fn any_claims_are_judged(
        claims in object_of(&["iss", "aud", "azp", "exp", "nbf", "iat", "sub", "nonce", "at_hash", "acr", "auth_time", "sid"]),
        now in any::<u64>(),
        max_age in any::<Option<u64>>(),
    ) {
        let config = config("https://op.example", Algorithm::RS256);
        let mut claims = claims;
        // Beyond the first gate.
        claims.insert("iss".to_owned(), "https://op.example".into());
        claims.insert("aud".to_owned(), CLIENT_ID.into());
        let _ = id_token::check(
            claims,
            &config,
            Timestamp::from_millis(now),
            &Expectation::Login {
                nonce: &Nonce::new(NONCE),
                access: &AccessToken::new(ACCESS),
                max_age,
                acr_values: &["gold".into()],
            },
        );
    }

    #[test]
    fn any_claims_are_judged_as_those_of_a_logout_token(
        claims in object_of(&["azp", "exp", "nbf", "iat", "sub", "nonce", "jti", "sid", "events"]),
        now in any::<u64>(),
    ) {
        let config = config("https://op.example", Algorithm::RS256);
        let mut claims = claims;
        claims.insert("iss".to_owned(), "https://op.example".into());
        claims.insert("aud".to_owned(), CLIENT_ID.into());
        // Nobody draws the name of the event by chance.
        prop_assert!(logout_token::check(&claims, &config, Timestamp::from_millis(now)).is_err());
        claims.insert("events".to_owned(), json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
        if let Ok(token) = logout_token::check(&claims, &config, Timestamp::from_millis(now)) {
            prop_assert!(token.subject.is_some() || token.provider_session.is_some());
            prop_assert!(token.good_until.as_millis() > now);
        }
    }
}

#[test]
fn any_metadata_is_read_or_refused() {
    let config = config("https://op.example", Algorithm::RS256);
    let http = Http::new(&config, limits()).unwrap();
    let strategy = object_of(&[
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "response_types_supported",
        "code_challenge_methods_supported",
        "authorization_response_iss_parameter_supported",
    ]);
    proptest!(|(metadata in strategy, bytes in prop::collection::vec(any::<u8>(), 0..300))| {
        let mut metadata = metadata;
        metadata.insert("issuer".to_owned(), "https://op.example".into());
        let body = Value::Object(metadata).to_string();
        prop_assert!(Metadata::parse(body.as_bytes(), &http, &config).is_err());
        prop_assert!(Metadata::parse(&bytes, &http, &config).is_err());
    });
}
