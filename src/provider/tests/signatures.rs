//! Who signed an ID token, and in which form: the traps that `jsonwebtoken` leaves open (T-04, T-05, T-14 … T-18, attack 170).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::world::{Fake, Signer, World, merged};
use crate::provider::ProviderError;
use crate::token::IdToken;

async fn refused(world: &World, token: &IdToken, why: &str) {
    match world.verify(token).await {
        Err(ProviderError::Invalid(text)) => assert!(text.starts_with("ID token: "), "{why}: {text}"),
        other => panic!("{why}: {other:?}"),
    }
}

async fn header_refused(world: &World, changes: &Value) {
    let header = merged(&world.signer.header(), changes);
    let token = world.signer.sign_with_header(&header, &world.claims());
    refused(world, &token, &changes.to_string()).await;
}

fn unsigned(header: &Value, claims: &Value, signature: &str) -> IdToken {
    IdToken::new(format!(
        "{}.{}.{signature}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    ))
}

/// T-05: `none` in every spelling, with and without a signature.
#[tokio::test]
async fn an_unsigned_token_is_refused() {
    let world = World::new(Algorithm::RS256).await;
    for alg in [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!(""),
        json!(null),
        json!(0),
        json!(["RS256"]),
    ] {
        for signature in ["", "AAAA"] {
            refused(
                &world,
                &unsigned(&json!({"alg": alg, "kid": "k1"}), &world.claims(), signature),
                "none",
            )
            .await;
        }
    }
    refused(
        &world,
        &unsigned(&json!({"kid": "k1"}), &world.claims(), "AAAA"),
        "no alg",
    )
    .await;
}

/// T-05: the public key is no shared secret, in whichever form an attacker takes it.
#[tokio::test]
async fn the_public_key_is_no_hmac_secret() {
    let world = World::new(Algorithm::RS256).await;
    let jwk = world.signer.public();
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let secrets = [
        jwk.to_string().into_bytes(),
        modulus,
        super::world::SECRET.into(),
        Vec::new(),
    ];
    for secret in secrets {
        for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = json!({"alg": format!("{alg:?}"), "kid": "k1"});
            let message = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(header.to_string()),
                URL_SAFE_NO_PAD.encode(world.claims().to_string())
            );
            let key = EncodingKey::from_secret(&secret);
            let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, alg).unwrap();
            refused(&world, &IdToken::new(format!("{message}.{signature}")), "HMAC").await;
        }
    }
}

/// Even where the operator could configure it: HMAC verifies nothing, and no `oct` key is ever used (T-16, attack 175).
#[tokio::test]
async fn a_shared_secret_never_verifies() {
    let secret = EncodingKey::from_secret(&[7; 32]);
    let mut world = World::new(Algorithm::ES256).await;
    world.fake.answers(
        "/jwks",
        &[super::world::Reply::json(
            &json!({"keys": [{"kty": "oct", "k": URL_SAFE_NO_PAD.encode([7; 32]), "kid": "k1", "alg": "HS256"}]}),
        )],
    );
    for alg in [Algorithm::ES256, Algorithm::HS256] {
        world.provider = provider_with(&world.fake, alg);
        let header = json!({"alg": "HS256", "kid": "k1"});
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(world.claims().to_string())
        );
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, Algorithm::HS256).unwrap();
        refused(&world, &IdToken::new(format!("{message}.{signature}")), "oct").await;
    }
}

fn provider_with(fake: &Fake, alg: Algorithm) -> crate::provider::Provider {
    let config = super::world::config(&fake.issuer, alg);
    let clock = std::sync::Arc::new(crate::clock::SystemClock);
    crate::provider::Provider::with_limits(&config, clock, super::world::limits()).unwrap()
}

/// T-05: another algorithm of the same key is another algorithm.
#[tokio::test]
async fn only_the_configured_algorithm_verifies() {
    let world = World::new(Algorithm::RS256).await;
    // The key itself would do: metadata of the set says nothing against it.
    let mut jwk = world.signer.public();
    jwk.as_object_mut().unwrap().remove("alg");
    world
        .fake
        .answers("/jwks", &[super::world::Reply::json(&json!({"keys": [jwk]}))]);
    assert!(world.verify_changed(&json!({})).await.is_ok());
    for alg in ["RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", "RS256 "] {
        header_refused(&world, &json!({"alg": alg})).await;
    }
    // A true signature by another key and algorithm that the provider also publishes.
    let other = Signer::new(Algorithm::ES256, Some("k2"));
    world.fake.publishes(&[&world.signer, &other]);
    refused(&world, &other.sign(&world.claims()), "alternate algorithm").await;
}

/// RFC 9864 calls it `Ed25519`.
#[tokio::test]
async fn the_new_name_of_eddsa_is_known() {
    let world = World::new(Algorithm::EdDSA).await;
    let header = merged(&world.signer.header(), &json!({"alg": "Ed25519"}));
    let mut jwk = world.signer.public();
    jwk["alg"] = "Ed25519".into();
    world
        .fake
        .answers("/jwks", &[super::world::Reply::json(&json!({"keys": [jwk]}))]);
    assert!(
        world
            .verify(&world.signer.sign_with_header(&header, &world.claims()))
            .await
            .is_ok()
    );
}

/// T-04: every bit of the token counts.
#[tokio::test]
async fn a_changed_token_is_refused() {
    let world = World::new(Algorithm::ES256).await;
    let token = world.signer.sign(&world.claims());
    let text = token.expose();
    for place in (0..text.len()).step_by(7) {
        let mut bytes = text.as_bytes().to_vec();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        refused(&world, &IdToken::new(changed), "one character").await;
    }
    let stranger = Signer::new(Algorithm::ES256, Some("k1"));
    refused(
        &world,
        &stranger.sign(&world.claims()),
        "a stranger's key under a known kid",
    )
    .await;
}

/// T-15, one line of dependencies each: `crit` and `b64`, understood or not.
#[tokio::test]
async fn extensions_are_refused() {
    let world = World::new(Algorithm::ES256).await;
    for changes in [
        json!({"crit": ["exp"], "exp": 1}),
        json!({"crit": ["b64"], "b64": true}),
        json!({"crit": []}),
        json!({"crit": "b64"}),
        json!({"b64": false}),
        json!({"b64": true}),
        json!({"zip": "DEF"}),
        json!({"enc": "A256GCM"}),
        json!({"cty": "JWT"}),
        json!({"kid": 1}),
        json!({"kid": ["k1"]}),
    ] {
        header_refused(&world, &changes).await;
    }
}

/// T-17: the kinds of JWT are not interchangeable.
#[tokio::test]
async fn other_kinds_of_token_are_refused() {
    let world = World::new(Algorithm::ES256).await;
    for typ in [
        json!("at+jwt"),
        json!("application/at+jwt"),
        json!("AT+JWT"),
        json!("logout+jwt"),
        json!("token-introspection+jwt"),
        json!("oauth-authz-req+jwt"),
        json!("dpop+jwt"),
        json!("secevent+jwt"),
        json!("JWS"),
        json!(""),
        json!(["JWT"]),
        json!(1),
    ] {
        header_refused(&world, &json!({"typ": typ})).await;
    }
    for typ in [json!("JWT"), json!("jwt"), json!("application/JWT"), Value::Null] {
        let header = merged(&world.signer.header(), &json!({"typ": typ}));
        let token = world.signer.sign_with_header(&header, &world.claims());
        assert!(world.verify(&token).await.is_ok(), "{typ}");
    }
}

/// T-15: keys named by the token itself are never followed, nor used.
#[tokio::test]
async fn keys_that_the_token_brings_are_ignored() {
    let world = World::new(Algorithm::ES256).await;
    let canary = Fake::with_keys(&[]).await;
    let stranger = Signer::new(Algorithm::ES256, Some("k9"));
    let header = merged(
        &stranger.header(),
        &json!({
            "jwk": stranger.public(),
            "jku": format!("{}/jwks", canary.issuer),
            "x5u": format!("{}/cert", canary.issuer),
            "x5c": ["MIIB"],
        }),
    );
    refused(
        &world,
        &stranger.sign_with_header(&header, &world.claims()),
        "own key",
    )
    .await;
    // In a token of the provider they do no harm.
    let header = merged(&header, &json!({"kid": "k1"}));
    assert!(
        world
            .verify(&world.signer.sign_with_header(&header, &world.claims()))
            .await
            .is_ok()
    );
    assert!(canary.seen("/jwks").is_empty() && canary.seen("/cert").is_empty());
}

/// T-15: a member that appears twice has two meanings.
#[tokio::test]
async fn repeated_members_are_refused() {
    let world = World::new(Algorithm::ES256).await;
    let claims = world.claims().to_string();
    let header = world.signer.header().to_string();
    let twice = |text: &str, member: &str| format!("{{{member},{}", &text[1..]);
    let sound = world.signer.sign_raw(&header, &claims);
    assert!(world.verify(&sound).await.is_ok());
    for (header, claims) in [
        (header.clone(), twice(&claims, r#""sub":"mallory""#)),
        (header.clone(), twice(&claims, r#""s\u0075b":"mallory""#)),
        (header.clone(), twice(&claims, r#""x":{"a":1,"a":2}"#)),
        (header.clone(), twice(&claims, r#""x":[{"a":1,"a":1}]"#)),
        (twice(&header, r#""alg":"none""#), claims.clone()),
        (twice(&header, r#""kid":"k2""#), claims.clone()),
        // No object, something after it, nothing.
        (header.clone(), format!("[{claims}]")),
        (header.clone(), format!("{claims}{{}}")),
        (header.clone(), "null".to_owned()),
        (header.clone(), "{".to_owned()),
        (header, "[".repeat(10_000)),
        ("[]".to_owned(), claims),
    ] {
        refused(
            &world,
            &world.signer.sign_raw(&header, &claims),
            &format!("{header:.60} {claims:.60}"),
        )
        .await;
    }
}

/// RFC 7515 §7.1: the compact form and nothing like it (T-15, T-18).
#[tokio::test]
async fn only_the_compact_form_is_read() {
    let world = World::new(Algorithm::ES256).await;
    let token = world.signer.sign(&world.claims());
    let token = token.expose();
    let parts: Vec<&str> = token.split('.').collect();
    for text in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        parts[0].to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!(".{}.{}", parts[1], parts[2]),
        format!("{}..{}", parts[0], parts[2]),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{}", parts[2]),
        format!("{}.{}.{}.{}.{}", parts[0], parts[1], parts[2], parts[1], parts[2]),
        format!("{token}="),
        format!("{token}=="),
        format!(" {token}"),
        format!("{token}\n"),
        token.replace('.', "\u{ff0e}"),
        json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]}).to_string(),
    ] {
        refused(&world, &IdToken::new(text.clone()), &text).await;
    }
    // 64 KiB are the end.
    let filled = |bytes: usize| {
        world
            .signer
            .sign(&merged(&world.claims(), &json!({"x": "x".repeat(bytes)})))
    };
    assert!(world.verify(&filled(48_000)).await.is_ok());
    refused(&world, &filled(50_000), "too long").await;
}

/// The signature part has one spelling: stray bits in the last character are not ignored.
#[tokio::test]
async fn a_signature_has_one_spelling() {
    let world = World::new(Algorithm::ES256).await;
    let token = world.signer.sign(&world.claims());
    let (rest, last) = token.expose().split_at(token.expose().len() - 1);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let verified = {
        let mut verified = 0;
        for character in alphabet {
            let text = format!("{rest}{}", char::from(*character));
            verified += usize::from(world.verify(&IdToken::new(text)).await.is_ok());
        }
        verified
    };
    assert_eq!(verified, 1, "{last}");
}
