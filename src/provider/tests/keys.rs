//! The provider's keys: which count, and when they are asked for (D-05, D-06, T-14, T-16, attacks 173 and 175).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::world::{METADATA, Reply, Signer, World, merged};
use crate::provider::ProviderError;

async fn with_keys(alg: Algorithm, keys: impl FnOnce(Value) -> Vec<Value>) -> Result<(), ProviderError> {
    let world = World::new(alg).await;
    let keys = keys(world.signer.public());
    world
        .fake
        .answers("/jwks", &[Reply::json(&json!({ "keys": keys }))]);
    world.verify_changed(&json!({})).await.map(drop)
}

/// T-14, T-16: what is wrong with a key keeps it from verifying.
#[tokio::test]
async fn a_key_that_does_not_fit_is_not_used() {
    let table = [
        (Algorithm::ES256, json!({"use": "enc"})),
        (Algorithm::ES256, json!({"key_ops": ["encrypt"]})),
        (Algorithm::ES256, json!({"key_ops": []})),
        (Algorithm::ES256, json!({"alg": "ES384"})),
        (Algorithm::ES256, json!({"alg": "ECDH-ES"})),
        (Algorithm::ES256, json!({"crv": "P-384"})),
        (Algorithm::ES256, json!({"crv": "P-521"})),
        (Algorithm::ES256, json!({"crv": "secp256k1"})),
        (Algorithm::ES256, json!({"kty": "RSA"})),
        (Algorithm::ES256, json!({"kty": "oct", "k": "AAAA"})),
        (Algorithm::ES256, json!({"kty": null})),
        (Algorithm::ES256, json!({"x": null})),
        (Algorithm::ES256, json!({"x": "!"})),
        (Algorithm::ES256, json!({"kid": 1})),
        (Algorithm::ES256, json!({"kid": "k2"})),
        (Algorithm::ES256, json!({"kid": "K1"})),
        // Not on the curve.
        (Algorithm::ES256, json!({"y": URL_SAFE_NO_PAD.encode([1; 32])})),
        (Algorithm::ES256, json!({"y": URL_SAFE_NO_PAD.encode([1; 31])})),
        (Algorithm::EdDSA, json!({"crv": "Ed448"})),
        (Algorithm::EdDSA, json!({"x": URL_SAFE_NO_PAD.encode([1; 31])})),
        (Algorithm::RS256, json!({"alg": "PS256"})),
        (Algorithm::RS256, json!({"alg": "RSA-OAEP"})),
        (Algorithm::RS256, json!({"e": ""})),
        (Algorithm::RS256, json!({"e": "AQ"})),
        (
            Algorithm::RS256,
            json!({"n": URL_SAFE_NO_PAD.encode([0xff; 128])}),
        ),
    ];
    for (alg, changes) in table {
        let result = with_keys(alg, |key| vec![merged(&key, &changes)]).await;
        assert!(
            matches!(result, Err(ProviderError::Invalid(_))),
            "{alg:?} {changes}: {result:?}"
        );
    }
}

#[tokio::test]
async fn a_key_that_says_little_or_more_is_used() {
    for changes in [
        json!({"use": "sig"}),
        json!({"use": null, "alg": null}),
        json!({"key_ops": ["verify"]}),
        json!({"x5c": ["garbage"], "x5t": 7, "private_note": {"a": 1}}),
        json!({"kid": null}),
    ] {
        let result = with_keys(Algorithm::ES256, |key| vec![merged(&key, &changes)]).await;
        assert!(result.is_ok(), "{changes}: {result:?}");
    }
    // A leading zero does not make a modulus longer, or shorter.
    let padded = |key: Value| {
        let mut modulus = vec![0; 3];
        modulus.extend(URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap());
        vec![merged(&key, &json!({"n": URL_SAFE_NO_PAD.encode(modulus)}))]
    };
    assert!(with_keys(Algorithm::RS256, padded).await.is_ok());
}

/// T-16: RSA from 2048 bits, counted on the number and not on its writing.
#[test]
fn short_rsa_keys_are_skipped() {
    let source = url::Url::parse("https://op.example/jwks").unwrap();
    let count = |modulus: Vec<u8>| {
        let key = json!({"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(modulus)});
        let set = json!({"keys": [key]}).to_string();
        let keys = crate::provider::jwks::KeySet::parse(set.as_bytes(), &source, Algorithm::RS256).unwrap();
        keys.candidates(None).count()
    };
    let number = |first: u8, bytes: usize| {
        let mut number = vec![0xff; bytes];
        number[0] = first;
        number
    };
    assert_eq!(count(number(0x80, 256)), 1);
    assert_eq!(count(number(0x7f, 256)), 0);
    assert_eq!(count(number(0xff, 3)), 0);
    assert_eq!(count(vec![0; 256]), 0);
    assert_eq!(count(Vec::new()), 0);
    assert_eq!(count(number(0x80, 1024)), 1);
    assert_eq!(count(number(0x01, 1025)), 0);
}

/// Attack 175: broken neighbours, in any number, do not stop a good key.
#[tokio::test]
async fn broken_keys_are_skipped() {
    let result = with_keys(Algorithm::ES256, |key| {
        vec![
            json!(null),
            json!(7),
            json!("key"),
            json!([]),
            json!({}),
            json!({"kty": "EC"}),
            json!({"kty": "EC", "crv": "P-256", "x": 1, "y": 2, "kid": "k1"}),
            json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "kid": "k1"}),
            json!({"kty": "oct", "k": "c2VjcmV0", "kid": "k1"}),
            json!({"kty": "OKP", "crv": "Ed448", "x": "AAAA", "kid": "k1"}),
            merged(&key, &json!({"x": "%%%"})),
            key,
        ]
    })
    .await;
    assert!(result.is_ok(), "{result:?}");
}

/// T-14: of several keys with one `kid` the one that fits counts; decoys that fit as well do not stop it.
#[tokio::test]
async fn duplicate_kids_are_told_apart_by_the_rest() {
    let decoy = |alg| Signer::new(alg, Some("k1")).public();
    let result = with_keys(Algorithm::ES256, |key| {
        vec![
            decoy(Algorithm::RS256),
            decoy(Algorithm::EdDSA),
            merged(&decoy(Algorithm::ES256), &json!({"use": "enc", "alg": null})),
            decoy(Algorithm::ES256),
            key,
        ]
    })
    .await;
    assert!(result.is_ok(), "{result:?}");
}

/// T-14: without a `kid` in the token the only key that fits is taken; of several, none, wherever it stands.
#[tokio::test]
async fn without_a_kid_the_only_fitting_key_is_taken() {
    let other = |alg| Signer::new(alg, Some("k2")).public();
    let tables: [(Vec<Value>, bool); 3] = [
        (vec![], true),
        (vec![other(Algorithm::RS256)], true),
        (vec![other(Algorithm::ES256)], false),
    ];
    for (others, good) in tables {
        let world = World::new(Algorithm::ES256).await;
        let ours = vec![world.signer.public()];
        for keys in [
            [ours.clone(), others.clone()].concat(),
            [others.clone(), ours].concat(),
        ] {
            world
                .fake
                .answers("/jwks", &[Reply::json(&json!({ "keys": keys }))]);
            let header = merged(&world.signer.header(), &json!({"kid": null}));
            let token = world.signer.sign_with_header(&header, &world.claims());
            let result = world.verify(&token).await;
            assert_eq!(result.is_ok(), good, "{keys:?}: {result:?}");
        }
    }
}

/// Attack 175: what is no key set is an invalid answer; a provider that is down is unavailable.
#[tokio::test]
async fn what_is_no_key_set_is_refused() {
    for (reply, unavailable) in [
        (Reply::html(), false),
        (Reply::json(&json!([])), false),
        (Reply::json(&json!({})), false),
        (Reply::json(&json!({"keys": {}})), false),
        (Reply::Flood, false),
        (Reply::Redirect("/elsewhere".to_owned()), false),
        (Reply::status(404), false),
        (Reply::status(500), true),
        (Reply::status(503), true),
        (Reply::status(429), true),
    ] {
        let world = World::new(Algorithm::ES256).await;
        world.fake.answers("/jwks", &[reply]);
        let error = world.verify_changed(&json!({})).await.unwrap_err();
        assert_eq!(
            matches!(error, ProviderError::Unavailable(_)),
            unavailable,
            "{error}"
        );
        assert!(world.fake.seen("/elsewhere").is_empty());
    }
}

/// Attack 173: the first token under a new key brings the new keys; nobody is turned away.
#[tokio::test]
async fn a_rotation_is_noticed_at_once() {
    let world = World::new(Algorithm::ES256).await;
    assert!(world.verify_changed(&json!({})).await.is_ok());
    // Three rotations in a row, without the clock moving.
    for kid in ["k2", "k3", "k4"] {
        let next = Signer::new(Algorithm::ES256, Some(kid));
        world.fake.publishes(&[&next]);
        let token = next.sign(&world.claims());
        let (first, second) = tokio::join!(world.verify(&token), world.verify(&token));
        assert!(first.is_ok() && second.is_ok(), "{kid}: {first:?} {second:?}");
    }
    assert_eq!(world.fake.seen("/jwks").len(), 4);
    // The old key is gone.
    assert!(world.verify_changed(&json!({})).await.is_err());
}

/// The same for a provider that replaces its key under the old `kid`, or names no `kid` at all.
#[tokio::test]
async fn a_key_replaced_under_its_old_name_is_noticed() {
    for kid in [Some("k1"), None] {
        let world = World::new(Algorithm::ES256).await;
        let old = Signer::new(Algorithm::ES256, kid);
        world.fake.publishes(&[&old]);
        assert!(world.verify(&old.sign(&world.claims())).await.is_ok());
        let new = Signer::new(Algorithm::ES256, kid);
        world.fake.publishes(&[&new]);
        assert!(world.verify(&new.sign(&world.claims())).await.is_ok(), "{kid:?}");
    }
}

/// D-05: a thousand tokens under unknown keys cost the provider a bounded number of requests, and a genuine rotation
/// still gets through.
#[tokio::test]
async fn unknown_kids_fetch_a_bounded_number_of_times() {
    let world = World::new(Algorithm::ES256).await;
    let stranger = Signer::new(Algorithm::ES256, None);
    for number in 0..1000 {
        let header = json!({"alg": "ES256", "kid": format!("bad-{number}")});
        let token = stranger.sign_with_header(&header, &world.claims());
        assert!(matches!(
            world.verify(&token).await,
            Err(ProviderError::Invalid(_))
        ));
    }
    assert_eq!(world.fake.seen("/jwks").len(), 4);
    world.clock.advance(Duration::from_secs(5));
    let next = Signer::new(Algorithm::ES256, Some("k2"));
    world.fake.publishes(&[&next]);
    assert!(world.verify(&next.sign(&world.claims())).await.is_ok());
    assert_eq!(world.fake.seen("/jwks").len(), 5);
}

/// D-05: one bad token does not stand in the way of the rotation behind it.
#[tokio::test]
async fn a_rotation_right_after_an_unknown_kid_is_noticed() {
    let world = World::new(Algorithm::ES256).await;
    let stranger = Signer::new(Algorithm::ES256, Some("bad"));
    assert!(world.verify(&stranger.sign(&world.claims())).await.is_err());
    let next = Signer::new(Algorithm::ES256, Some("k2"));
    world.fake.publishes(&[&next]);
    assert!(world.verify(&next.sign(&world.claims())).await.is_ok());
}

/// D-05: many at once share one fetch.
#[tokio::test]
async fn a_crowd_fetches_once() {
    let world = World::new(Algorithm::ES256).await;
    let token = world.signer.sign(&world.claims());
    let results = futures_util::future::join_all((0..50).map(|_| world.verify(&token))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(
        (world.fake.seen(METADATA).len(), world.fake.seen("/jwks").len()),
        (1, 1)
    );
}

/// D-05: the same while the provider is down: one knock for all who stand there.
#[tokio::test]
async fn a_crowd_with_an_unknown_key_shares_a_failure() {
    let world = World::new(Algorithm::ES256).await;
    assert!(world.verify_changed(&json!({})).await.is_ok());
    world.fake.answers("/jwks", &[Reply::status(503)]);
    let token = Signer::new(Algorithm::ES256, Some("k2")).sign(&world.claims());
    let results = futures_util::future::join_all((0..20).map(|_| world.verify(&token))).await;
    let unavailable = |result: &Result<_, _>| matches!(result, Err(ProviderError::Unavailable(_)));
    assert!(results.iter().all(unavailable));
    assert_eq!(world.fake.seen("/jwks").len(), 2);
}

/// D-06: known keys serve on while the provider is down, for a day; then nothing is known any more.
#[tokio::test]
async fn keys_outlive_an_outage() {
    let world = World::new(Algorithm::ES256).await;
    let forever = json!({"exp": 4_000_000_000_u64});
    assert!(world.verify_changed(&forever).await.is_ok());
    world.fake.answers("/jwks", &[Reply::status(503)]);
    world.fake.answers(METADATA, &[Reply::status(503)]);
    for _ in 0..24 {
        world.clock.advance(Duration::from_secs(3600));
        assert!(world.verify_changed(&forever).await.is_ok());
    }
    // An unknown key cannot be judged meanwhile: that is an outage, not a bad token.
    let next = Signer::new(Algorithm::ES256, Some("k2"));
    let error = world
        .verify(&next.sign(&merged(&world.claims(), &forever)))
        .await
        .unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    world.clock.advance(Duration::from_secs(3600));
    let error = world.verify_changed(&forever).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    // It is back, and so are we.
    world
        .fake
        .answers(METADATA, &[Reply::json(&world.fake.metadata())]);
    world.fake.publishes(&[&world.signer]);
    assert!(world.verify_changed(&forever).await.is_ok());
}

/// Keys that are an hour old are asked for again: a key that the provider withdrew stops counting.
#[tokio::test]
async fn a_withdrawn_key_stops_counting_within_the_hour() {
    let world = World::new(Algorithm::ES256).await;
    let forever = json!({"exp": 4_000_000_000_u64});
    assert!(world.verify_changed(&forever).await.is_ok());
    world
        .fake
        .publishes(&[&Signer::new(Algorithm::ES256, Some("k2"))]);
    assert!(world.verify_changed(&forever).await.is_ok());
    world.clock.advance(Duration::from_secs(3600));
    assert!(world.verify_changed(&forever).await.is_err());
}

/// Keys that moved are looked for at the new place at once.
#[tokio::test]
async fn keys_that_moved_are_found() {
    let world = World::new(Algorithm::ES256).await;
    assert!(world.verify_changed(&json!({})).await.is_ok());
    let moved = merged(
        &world.fake.metadata(),
        &json!({"jwks_uri": format!("{}/keys/v2", world.fake.issuer)}),
    );
    let next = Signer::new(Algorithm::ES256, Some("k2"));
    world.fake.answers(METADATA, &[Reply::json(&moved)]);
    world
        .fake
        .answers("/keys/v2", &[Reply::json(&json!({"keys": [next.public()]}))]);
    world.clock.advance(Duration::from_secs(3600));
    let token = next.sign(&merged(&world.claims(), &json!({"exp": 4_000_000_000_u64})));
    assert!(world.verify(&token).await.is_ok());
}

/// A clock that is set back does not freeze what is held.
#[tokio::test]
async fn a_clock_set_back_costs_one_fetch() {
    let world = World::new(Algorithm::ES256).await;
    assert!(world.verify_changed(&json!({})).await.is_ok());
    world.clock.turn_back(Duration::from_secs(10));
    assert!(world.verify_changed(&json!({})).await.is_ok());
    assert!(world.verify_changed(&json!({})).await.is_ok());
    assert_eq!(world.fake.seen("/jwks").len(), 2);
}
