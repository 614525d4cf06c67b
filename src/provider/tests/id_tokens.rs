//! What an ID token says: every claim of OpenID Connect Core §3.1.3.7, right and wrong (T-01 … T-12, attack 172).

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::world::{ACCESS, CLIENT_ID, NOW, World, merged};
use crate::provider::{Expectation, Provider, ProviderError};
use crate::session::Identity;
use crate::token::{AccessToken, IdToken};

/// Each change makes an otherwise sound token bad, and the error names the claim.
#[tokio::test]
async fn a_bad_claim_is_refused_and_named() {
    let world = World::new(Algorithm::ES256).await;
    let issuer = &world.fake.issuer;
    let long = "a".repeat(256);
    let table: Vec<(&str, Value)> = vec![
        // T-01
        ("iss", json!({"iss": "https://evil.test"})),
        ("iss", json!({"iss": format!("{issuer}/")})),
        ("iss", json!({"iss": issuer.to_uppercase()})),
        ("iss", json!({"iss": [issuer]})),
        ("iss", json!({"iss": [issuer, "https://evil.test"]})),
        ("iss", json!({"iss": null})),
        ("iss", json!({"iss": 7})),
        // T-02
        ("aud", json!({"aud": "other"})),
        ("aud", json!({"aud": [CLIENT_ID, "other"]})),
        ("aud", json!({"aud": ["other", CLIENT_ID], "azp": CLIENT_ID})),
        ("aud", json!({"aud": []})),
        ("aud", json!({"aud": [[CLIENT_ID]]})),
        ("aud", json!({"aud": {"0": CLIENT_ID}})),
        ("aud", json!({"aud": "Shop"})),
        ("aud", json!({"aud": null})),
        // T-03
        ("azp", json!({"azp": "other"})),
        ("azp", json!({"azp": [CLIENT_ID]})),
        ("azp", json!({"azp": ""})),
        // T-06
        ("exp", json!({"exp": null})),
        ("exp", json!({"exp": NOW - 60})),
        ("exp", json!({"exp": (NOW + 300).to_string()})),
        ("exp", json!({"exp": "9"})),
        ("exp", json!({"exp": -1})),
        ("exp", json!({"exp": -1e300})),
        ("exp", json!({"exp": 0})),
        ("exp", json!({"exp": [NOW + 300]})),
        ("exp", json!({"exp": true})),
        ("nbf", json!({"nbf": NOW + 61})),
        ("nbf", json!({"nbf": 1e300})),
        ("nbf", json!({"nbf": "1"})),
        ("nbf", json!({"nbf": -5})),
        // T-07
        ("iat", json!({"iat": null})),
        ("iat", json!({"iat": NOW + 61})),
        ("iat", json!({"iat": 1e300})),
        ("iat", json!({"iat": NOW.to_string()})),
        ("iat", json!({"iat": -1})),
        // T-08
        ("sub", json!({"sub": null})),
        ("sub", json!({"sub": ""})),
        ("sub", json!({"sub": long})),
        ("sub", json!({"sub": "zoë"})),
        ("sub", json!({"sub": 42})),
        // T-09
        ("nonce", json!({"nonce": null})),
        ("nonce", json!({"nonce": ""})),
        ("nonce", json!({"nonce": "nonce-of-another-login"})),
        ("nonce", json!({"nonce": "nonce-of-this-logi"})),
        ("nonce", json!({"nonce": ["nonce-of-this-login"]})),
        // T-12
        ("at_hash", json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"})),
        ("at_hash", json!({"at_hash": ""})),
        ("at_hash", json!({"at_hash": 1})),
        // T-11
        ("auth_time", json!({"auth_time": NOW + 61})),
        ("auth_time", json!({"auth_time": "1699999990"})),
    ];
    for (claim, changes) in table {
        match world.verify_changed(&changes).await {
            Err(ProviderError::Invalid(text)) => {
                assert!(text.contains(&format!("`{claim}`")), "{changes}: {text}");
            }
            other => panic!("{changes}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_merely_unusual_is_accepted() {
    let world = World::new(Algorithm::ES256).await;
    for changes in [
        json!({}),
        json!({"aud": [CLIENT_ID]}),
        json!({"aud": [CLIENT_ID, CLIENT_ID]}),
        json!({"azp": CLIENT_ID}),
        // Sixty seconds of clock difference either way.
        json!({"exp": NOW - 59}),
        json!({"iat": NOW + 60}),
        json!({"nbf": NOW + 60}),
        // A time far beyond the calendar saturates (attack 172).
        json!({"exp": 1e300}),
        json!({"exp": u64::MAX}),
        // RFC 7519 §2 allows fractions.
        json!({"exp": 1_700_000_299.5, "iat": 1_700_000_000.25}),
        json!({"iat": 0}),
        json!({"sub": "a".repeat(255)}),
        json!({"sid": 5, "acr": 1}),
    ] {
        let verified = world.verify_changed(&changes).await;
        assert!(verified.is_ok(), "{changes}: {verified:?}");
    }
    // The fraction counts: half a second after the end of the minute of grace it is over.
    let edge = world.verify_changed(&json!({"exp": 1_699_999_940.5})).await;
    assert!(edge.is_ok(), "{edge:?}");
    assert!(
        world
            .verify_changed(&json!({"exp": 1_699_999_939.5}))
            .await
            .is_err()
    );
}

/// T-23: the user is `sub` at this issuer, whatever else the token says.
#[tokio::test]
async fn the_user_is_the_subject_and_claims_keep_their_types() {
    let world = World::new(Algorithm::ES256).await;
    let claims = json!({
        "email": "alice@example.test", "email_verified": "true", "n": 1.5, "big": u64::MAX,
        "nested": {"a": [1, null, {"b": false}]},
    });
    let verified = world.verify_changed(&claims).await.unwrap();
    assert_eq!(&*verified.identity.subject, "alice");
    for (name, value) in claims.as_object().unwrap() {
        assert_eq!(&verified.claims[name], value);
    }
    let token = world.signer.sign(&world.claims());
    assert_eq!(
        Provider::claims_of_sealed(&token),
        Some(world.claims().as_object().unwrap().clone())
    );
    assert_eq!(Provider::claims_of_sealed(&IdToken::new("no.token")), None);
}

/// T-12: the hash is the one that `alg` names (vector: OpenID Connect Core A.3 uses SHA-256).
#[tokio::test]
async fn the_hash_of_the_access_token_follows_the_algorithm() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use sha2::{Digest as _, Sha256, Sha384, Sha512};
    let hashes = |alg| match alg {
        Algorithm::ES256 | Algorithm::RS256 => URL_SAFE_NO_PAD.encode(&Sha256::digest(ACCESS)[..16]),
        Algorithm::ES384 | Algorithm::RS384 => URL_SAFE_NO_PAD.encode(&Sha384::digest(ACCESS)[..24]),
        _ => URL_SAFE_NO_PAD.encode(&Sha512::digest(ACCESS)[..32]),
    };
    let algs = [
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
        Algorithm::RS384,
        Algorithm::RS512,
    ];
    for alg in algs {
        let world = World::new(alg).await;
        let right = world.verify_changed(&json!({"at_hash": hashes(alg)})).await;
        assert!(right.is_ok(), "{alg:?}: {right:?}");
        for other in algs.into_iter().filter(|other| hashes(*other) != hashes(alg)) {
            assert!(
                world
                    .verify_changed(&json!({"at_hash": hashes(other)}))
                    .await
                    .is_err(),
                "{alg:?}, {other:?}"
            );
        }
    }
}

/// T-10, T-11: a demand that is not met asks for another login; it is not the provider's fault.
#[tokio::test]
async fn an_unmet_demand_is_a_step_up() {
    let world = World::new(Algorithm::ES256).await;
    let gold: Vec<Box<str>> = vec!["gold".into(), "platinum".into()];
    let table = [
        (json!({"acr": "gold"}), None, &gold[..], true),
        (json!({"acr": "platinum"}), None, &gold, true),
        (json!({"acr": "silver"}), None, &gold, false),
        (json!({"acr": ["gold"]}), None, &gold, false),
        (json!({"acr": "gold platinum"}), None, &gold, false),
        (json!({}), None, &gold, false),
        (json!({"auth_time": NOW - 300}), Some(300), &[], true),
        (json!({"auth_time": NOW - 360}), Some(300), &[], true),
        (json!({"auth_time": NOW - 361}), Some(300), &[], false),
        (json!({"auth_time": NOW}), Some(0), &[], true),
        (json!({"auth_time": 0}), Some(u64::MAX), &[], true),
        (json!({}), Some(300), &[], false),
        (json!({}), Some(u64::MAX), &[], false),
    ];
    for (changes, max_age, acr_values, met) in table {
        let token = world.signer.sign(&merged(&world.claims(), &changes));
        match world.verify_demanding(&token, max_age, acr_values).await {
            Ok(_) => assert!(met, "{changes} {max_age:?}"),
            Err(error) => assert!(
                !met && matches!(error, ProviderError::StepUp),
                "{changes}: {error}"
            ),
        }
    }
}

/// R-05, OpenID Connect Core §12.2, attack 140.
#[tokio::test]
async fn a_refreshed_token_speaks_of_the_same_login() {
    let world = World::new(Algorithm::ES256).await;
    let before = Identity {
        subject: "alice".into(),
        provider_session: Some("s1".into()),
        auth_time: Some(NOW - 1000),
        acr: Some("gold".into()),
    };
    let refreshed = async |changes: Value, identity: &Identity| {
        let token = world.signer.sign(&merged(&world.claims(), &changes));
        let access = AccessToken::new(ACCESS);
        let previous = world.signer.sign(&world.claims());
        let expected = Expectation::Refresh {
            identity,
            access: &access,
            previous: Some(&previous),
        };
        world.provider.verify(&token, expected).await
    };

    for (changes, good) in [
        (json!({}), true),
        (json!({"nonce": null}), true),
        (json!({"nonce": "of another login"}), false),
        (json!({"auth_time": NOW - 1000}), true),
        (json!({"auth_time": NOW - 999}), false),
        (json!({"auth_time": NOW - 2000}), false),
        (json!({"sub": "mallory"}), false),
        (json!({"sub": "Alice"}), false),
        (json!({"iss": "https://evil.test"}), false),
        (json!({"aud": "other"}), false),
        (json!({"azp": "other"}), false),
        (json!({"exp": NOW - 60}), false),
        (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), false),
    ] {
        let result = refreshed(changes.clone(), &before).await;
        assert_eq!(result.is_ok(), good, "{changes}: {result:?}");
        if let Err(error) = result {
            assert!(matches!(error, ProviderError::Invalid(_)), "{changes}: {error}");
        }
    }
    // What the new token leaves out stays; what it says anew holds, but for the session's name at the provider: under that
    // it was recorded, and its end will be looked for (O-16).
    assert_eq!(refreshed(json!({}), &before).await.unwrap().identity, before);
    let newer = refreshed(json!({"acr": "silver", "sid": "s2"}), &before)
        .await
        .unwrap()
        .identity;
    assert_eq!(
        (newer.acr.as_deref(), newer.provider_session.as_deref()),
        (Some("silver"), Some("s1"))
    );
    let nameless = Identity {
        provider_session: None,
        ..before.clone()
    };
    let named = refreshed(json!({"sid": "s2"}), &nameless).await.unwrap().identity;
    assert_eq!(named.provider_session.as_deref(), Some("s2"));
    // Nothing known before: whatever is said is taken.
    let unknown = Identity {
        auth_time: None,
        ..before
    };
    let known = refreshed(json!({"auth_time": NOW - 5}), &unknown)
        .await
        .unwrap()
        .identity;
    assert_eq!(known.auth_time, Some(NOW - 5));
}

/// The clock is the injected one.
#[tokio::test]
async fn a_token_ages_with_the_clock() {
    let world = World::new(Algorithm::ES256).await;
    let token = world.signer.sign(&world.claims());
    assert!(world.verify(&token).await.is_ok());
    world.clock.advance(std::time::Duration::from_secs(359));
    assert!(world.verify(&token).await.is_ok());
    world.clock.advance(std::time::Duration::from_secs(1));
    assert!(world.verify(&token).await.is_err());
}
