//! Logout tokens, rule by rule (Back-Channel Logout §2.4, §2.6; O-08 … O-14, attacks 115, 116).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::world::{ACCESS, CLIENT_ID, NONCE, NOW, Reply, Signer, World, merged};
use crate::config::LogoutTokenTyp;
use crate::provider::{Expectation, LogoutToken, ProviderError};
use crate::token::{AccessToken, Nonce};

fn claims(world: &World) -> Value {
    json!({
        "iss": world.fake.issuer,
        "aud": CLIENT_ID,
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "one",
        "sub": "alice",
        "sid": "s-1",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    })
}

fn token(world: &World, changes: &Value) -> String {
    let header = merged(&world.signer.header(), &json!({ "typ": "logout+jwt" }));
    let claims = merged(&claims(world), changes);
    world
        .signer
        .sign_with_header(&header, &claims)
        .expose()
        .to_owned()
}

async fn heard(world: &World, changes: &Value) -> Result<LogoutToken, ProviderError> {
    world.provider.verify_logout_token(&token(world, changes)).await
}

fn is_refused(result: Result<LogoutToken, ProviderError>, why: impl std::fmt::Display) {
    match result {
        Err(ProviderError::Invalid(text)) => assert!(text.starts_with("logout token: "), "{why}: {text}"),
        other => panic!("{why}: {other:?}"),
    }
}

#[tokio::test]
async fn a_sound_logout_token_says_whom_it_means() {
    let world = World::new(Algorithm::RS256).await;
    let both = heard(&world, &json!({})).await.unwrap();
    assert_eq!(
        (both.subject.as_deref(), both.provider_session.as_deref()),
        (Some("alice"), Some("s-1"))
    );
    // O-10: one of both is enough.
    let sub = heard(&world, &json!({ "sid": null })).await.unwrap();
    assert_eq!(
        (sub.subject.as_deref(), sub.provider_session),
        (Some("alice"), None)
    );
    let sid = heard(&world, &json!({ "sub": null })).await.unwrap();
    assert_eq!(
        (sid.subject, sid.provider_session.as_deref()),
        (None, Some("s-1"))
    );
    // O-09: an audience of one, in an array; `azp` that is ours; events beside the one that counts; claims that nobody knows.
    for more in [
        json!({ "aud": [CLIENT_ID] }),
        json!({ "azp": CLIENT_ID }),
        json!({ "events": { "http://schemas.openid.net/event/backchannel-logout": { "more": 1 }, "https://other.example": 1 } }),
        json!({ "trace_id": "x" }),
    ] {
        assert!(heard(&world, &more).await.is_ok(), "{more}");
    }
    let told = format!("{both:?}");
    assert!(!told.contains("alice") && !told.contains("s-1"), "{told}");
}

#[tokio::test]
async fn each_claim_of_a_logout_token_is_held_to_its_rule() {
    let world = World::new(Algorithm::RS256).await;
    let event = "http://schemas.openid.net/event/backchannel-logout";
    for wrong in [
        // O-09
        json!({ "iss": null }),
        json!({ "iss": "https://other.example" }),
        json!({ "iss": format!("{}/", world.fake.issuer) }),
        json!({ "iss": [world.fake.issuer] }),
        json!({ "aud": null }),
        json!({ "aud": "another" }),
        json!({ "aud": [] }),
        json!({ "aud": [CLIENT_ID, "another"] }),
        json!({ "azp": "another" }),
        json!({ "iat": null }),
        json!({ "iat": NOW + 61 }),
        json!({ "iat": NOW - 360 }),
        json!({ "iat": NOW - 360, "exp": 1e300 }),
        json!({ "iat": NOW.to_string() }),
        json!({ "iat": -1 }),
        json!({ "exp": null }),
        json!({ "exp": NOW - 60 }),
        json!({ "exp": (NOW + 120).to_string() }),
        json!({ "nbf": NOW + 61 }),
        // O-10
        json!({ "sub": null, "sid": null }),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!({ "sub": "a".repeat(256) }),
        json!({ "sub": "ä" }),
        json!({ "sid": "" }),
        json!({ "sid": 7 }),
        json!({ "sid": ["s-1"] }),
        json!({ "sid": "s".repeat(1025) }),
        // O-11
        json!({ "events": null }),
        json!({ "events": {} }),
        json!({ "events": [event] }),
        json!({ "events": event }),
        json!({ "events": { "http://schemas.openid.net/event/other": {} } }),
        json!({ "events": { event: null } }),
        json!({ "events": { event: true } }),
        json!({ "events": { event: [] } }),
        // O-12
        json!({ "nonce": NONCE }),
        json!({ "nonce": "" }),
        // O-13
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "jti": 7 }),
        json!({ "jti": "j".repeat(1025) }),
    ] {
        is_refused(heard(&world, &wrong).await, wrong);
    }
    // A clock that differs by a minute is no reason.
    for skewed in [
        json!({ "iat": NOW + 60 }),
        json!({ "iat": NOW - 359 }),
        json!({ "exp": NOW - 59 }),
        json!({ "nbf": NOW + 60 }),
    ] {
        assert!(heard(&world, &skewed).await.is_ok(), "{skewed}");
    }
}

/// `null` above takes a claim out; here it stands there.
#[tokio::test]
async fn a_claim_that_is_null_is_not_absent() {
    let world = World::new(Algorithm::RS256).await;
    let header = merged(&world.signer.header(), &json!({ "typ": "logout+jwt" }));
    for name in ["nonce", "sub", "sid"] {
        let mut claims = claims(&world);
        claims[name] = Value::Null;
        let token = world.signer.sign_with_header(&header, &claims);
        is_refused(world.provider.verify_logout_token(token.expose()).await, name);
    }
}

/// O-14, both settings; T-17: no other kind of token is one, and it is no other kind.
#[tokio::test]
async fn the_type_of_a_logout_token_is_a_setting() {
    let absent = Value::Null;
    for (rule, typ, taken) in [
        (LogoutTokenTyp::Any, json!("logout+jwt"), true),
        (LogoutTokenTyp::Any, json!("LOGOUT+JWT"), true),
        (LogoutTokenTyp::Any, json!("application/logout+jwt"), true),
        (LogoutTokenTyp::Any, json!("JWT"), true),
        (LogoutTokenTyp::Any, absent.clone(), true),
        (LogoutTokenTyp::Any, json!("at+jwt"), false),
        (LogoutTokenTyp::Any, json!("secevent+jwt"), false),
        (LogoutTokenTyp::Any, json!(["logout+jwt"]), false),
        (LogoutTokenTyp::Required, json!("logout+jwt"), true),
        (LogoutTokenTyp::Required, json!("application/logout+jwt"), true),
        (LogoutTokenTyp::Required, json!("JWT"), false),
        (LogoutTokenTyp::Required, json!("logout"), false),
        (LogoutTokenTyp::Required, absent, false),
    ] {
        let world = World::configured(Algorithm::ES256, |config| config.logout_token_typ = rule).await;
        let header = merged(&world.signer.header(), &json!({ "typ": typ }));
        let token = world.signer.sign_with_header(&header, &claims(&world));
        let result = world.provider.verify_logout_token(token.expose()).await;
        assert_eq!(result.is_ok(), taken, "{rule:?} {typ}: {result:?}");
    }
}

#[tokio::test]
async fn an_id_token_is_no_logout_token_and_a_logout_token_no_id_token() {
    let world = World::new(Algorithm::ES256).await;
    // As after a login, as after a refresh, and with everything that a logout token has but the event.
    for changes in [
        json!({}),
        json!({ "nonce": null }),
        json!({ "nonce": null, "sid": "s-1", "jti": "one" }),
    ] {
        let id_token = world.signer.sign(&merged(&world.claims(), &changes));
        is_refused(
            world.provider.verify_logout_token(id_token.expose()).await,
            changes,
        );
    }
    let expected = Expectation::Login {
        nonce: &Nonce::new(NONCE),
        access: &AccessToken::new(ACCESS),
        max_age: None,
        acr_values: &[],
    };
    let logout = crate::token::IdToken::new(token(&world, &json!({ "nonce": NONCE })));
    assert!(world.provider.verify(&logout, expected).await.is_err());
}

/// O-08, attack 115: `none`, another algorithm, the public key as a shared secret, a stranger's key, nothing signed, a JWE.
#[tokio::test]
async fn only_the_providers_signature_counts() {
    let world = World::new(Algorithm::RS256).await;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let payload = part(&claims(&world));
    for alg in ["none", "None", "HS256", "ES256", "RS512", ""] {
        let header = part(&json!({ "alg": alg, "kid": "k1", "typ": "logout+jwt" }));
        for signature in ["", "AAAA"] {
            let token = format!("{header}.{payload}.{signature}");
            is_refused(world.provider.verify_logout_token(&token).await, alg);
        }
    }
    let header = part(&json!({ "alg": "HS256", "kid": "k1", "typ": "logout+jwt" }));
    let message = format!("{header}.{payload}");
    for secret in [world.signer.public().to_string(), super::world::SECRET.to_owned()] {
        let key = EncodingKey::from_secret(secret.as_bytes());
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        let token = format!("{message}.{signature}");
        is_refused(world.provider.verify_logout_token(&token).await, "key confusion");
    }
    let stranger = Signer::new(Algorithm::RS256, Some("k1"));
    let forged = stranger.sign(&claims(&world));
    is_refused(
        world.provider.verify_logout_token(forged.expose()).await,
        "a stranger's key",
    );
    let own = merged(&stranger.header(), &json!({ "jwk": stranger.public() }));
    let forged = stranger.sign_with_header(&own, &claims(&world));
    is_refused(
        world.provider.verify_logout_token(forged.expose()).await,
        "its own key",
    );
    let sound = token(&world, &json!({}));
    let (signed, signature) = sound.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let other = part(&merged(&claims(&world), &json!({ "sub": "bob" })));
    for broken in [
        format!("{header}.{other}.{signature}"),
        format!("{signed}."),
        signed.to_owned(),
        format!("{sound}.x.y"),
        "e30.e30.e30.e30.e30".to_owned(),
        String::new(),
        "a".repeat(65 * 1024),
    ] {
        is_refused(world.provider.verify_logout_token(&broken).await, "broken");
    }
}

/// What is wrong on its face costs the provider nothing, and what only looks right not much (attack 115, D-05).
#[tokio::test]
async fn a_flood_of_forged_tokens_hardly_reaches_the_provider() {
    let world = World::new(Algorithm::ES256).await;
    is_refused(heard(&world, &json!({ "aud": "another" })).await, "aud");
    assert_eq!(
        world.fake.seen("/jwks").len(),
        0,
        "refused before any key was asked for"
    );

    assert!(heard(&world, &json!({})).await.is_ok());
    let asked = world.fake.seen("/jwks").len();
    let stranger = Signer::new(Algorithm::ES256, Some("unknown"));
    for number in 0..200 {
        let claims = merged(&claims(&world), &json!({ "jti": number.to_string() }));
        let forged = stranger.sign(&claims);
        is_refused(world.provider.verify_logout_token(forged.expose()).await, number);
    }
    assert!(world.fake.seen("/jwks").len() <= asked + 3, "T-14");
    // Meanwhile a real one waits for nobody.
    assert!(heard(&world, &json!({ "jti": "two" })).await.is_ok());
}

/// T-14: a key that is new is fetched, once.
#[tokio::test]
async fn a_logout_token_of_a_new_key_is_verified() {
    let world = World::new(Algorithm::ES256).await;
    assert!(heard(&world, &json!({})).await.is_ok());
    let next = Signer::new(Algorithm::ES256, Some("k2"));
    world.fake.publishes(&[&world.signer, &next]);
    let header = merged(&next.header(), &json!({ "typ": "logout+jwt" }));
    let token = next.sign_with_header(&header, &claims(&world));
    assert!(world.provider.verify_logout_token(token.expose()).await.is_ok());
    assert_eq!(world.fake.seen("/jwks").len(), 2);
}

/// A provider that cannot be asked may say it again: that is not the token's fault.
#[tokio::test]
async fn without_keys_nothing_is_decided() {
    for reply in [Reply::status(503), Reply::html()] {
        let world = World::new(Algorithm::ES256).await;
        world.fake.answers("/jwks", &[reply]);
        assert!(matches!(
            heard(&world, &json!({})).await,
            Err(ProviderError::Unavailable(_))
        ));
    }
}

/// However many wait for a provider that does not answer, their number is bounded, and whom the known keys verify passes.
#[tokio::test]
async fn strangers_wait_a_few_at_a_time() {
    let world = World::new(Algorithm::ES256).await;
    assert!(heard(&world, &json!({})).await.is_ok());
    world.fake.answers("/jwks", &[Reply::Silent]);
    let stranger = Signer::new(Algorithm::ES256, Some("unknown"));
    let forged = stranger.sign(&claims(&world));
    let mut waiting: Vec<_> = (0..16)
        .map(|_| Box::pin(world.provider.verify_logout_token(forged.expose())))
        .collect();
    for one in &mut waiting {
        assert!(one.now_or_never().is_none());
    }
    assert!(matches!(
        world.provider.verify_logout_token(forged.expose()).await,
        Err(ProviderError::Unavailable(_))
    ));
    assert!(heard(&world, &json!({ "jti": "two" })).await.is_ok());
}

/// O-13: how long a `jti` must be remembered, and how far a token that was long under way reaches.
#[tokio::test]
async fn a_logout_token_is_good_for_minutes() {
    let world = World::new(Algorithm::ES256).await;
    let short = heard(&world, &json!({})).await.unwrap();
    assert_eq!(short.good_until.as_secs(), NOW + 180);
    assert_eq!(short.reaches.as_secs(), NOW + 60);
    let long = heard(&world, &json!({ "exp": NOW + 86_400 })).await.unwrap();
    assert_eq!(long.good_until.as_secs(), NOW + 360);
    world.clock.advance(Duration::from_secs(359));
    assert!(heard(&world, &json!({ "exp": NOW + 86_400 })).await.is_ok());
    world.clock.advance(Duration::from_secs(1));
    is_refused(heard(&world, &json!({ "exp": NOW + 86_400 })).await, "too old");
    assert_eq!(
        short.mark, long.mark,
        "the same `jti` of the same issuer for the same client"
    );
}
