//! Revocation and userinfo (O-02, T-19, T-20).

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value, json};

use super::world::{ACCESS, METADATA, Reply, World, merged};
use crate::provider::ProviderError;
use crate::token::{AccessToken, RefreshToken};

impl World {
    async fn revoke(&self, replies: &[Reply]) -> Result<(), ProviderError> {
        self.fake.answers("/revoke", replies);
        self.provider
            .revoke_refresh(&RefreshToken::new("refresh-token-1"))
            .await
    }

    async fn userinfo(&self, reply: Reply) -> Result<Map<String, Value>, ProviderError> {
        self.fake.answers("/userinfo", &[reply]);
        self.provider.userinfo(&AccessToken::new(ACCESS), "alice").await
    }
}

/// O-02, RFC 7009 §2.1: authenticated, with the kind of token.
#[tokio::test]
async fn both_tokens_are_revoked_by_their_kind() {
    let world = World::new(Algorithm::ES256).await;
    world.revoke(&[Reply::status(200)]).await.unwrap();
    world
        .provider
        .revoke_access(&AccessToken::new(ACCESS))
        .await
        .unwrap();
    let seen = world.fake.seen("/revoke");
    for (sent, token, hint) in [
        (&seen[0], "refresh-token-1", "refresh_token"),
        (&seen[1], ACCESS, "access_token"),
    ] {
        assert_eq!(sent.field("token"), [token]);
        assert_eq!(sent.field("token_type_hint"), [hint]);
        assert!(
            sent.headers["authorization"]
                .to_str()
                .unwrap()
                .starts_with("Basic ")
        );
        assert_eq!(sent.headers["content-type"], "application/x-www-form-urlencoded");
    }
}

/// O-02: a provider that is down is asked twice, one that says no once.
#[tokio::test]
async fn a_revocation_is_tried_once_more() {
    for (replies, requests, good, unavailable) in [
        (vec![Reply::status(200)], 1, true, false),
        (vec![Reply::status(204)], 1, true, false),
        (vec![Reply::status(503), Reply::status(200)], 2, true, false),
        (vec![Reply::status(429), Reply::status(200)], 2, true, false),
        (vec![Reply::status(503)], 2, false, true),
        (vec![Reply::status(500)], 2, false, true),
        (vec![Reply::error(400, "unsupported_token_type")], 1, true, false),
        (vec![Reply::error(400, "invalid_request")], 1, false, false),
        (vec![Reply::error(401, "invalid_client")], 1, false, false),
        (vec![Reply::status(404)], 1, false, false),
        (vec![Reply::Redirect("/elsewhere".to_owned())], 1, false, false),
    ] {
        let world = World::new(Algorithm::ES256).await;
        let result = world.revoke(&replies).await;
        assert_eq!(result.is_ok(), good, "{result:?}");
        if let Err(error) = result {
            assert_eq!(
                matches!(error, ProviderError::Unavailable(_)),
                unavailable,
                "{error}"
            );
            assert!(!error.to_string().contains("refresh-token-1"));
        }
        assert_eq!(world.fake.seen("/revoke").len(), requests);
        assert!(world.fake.seen("/elsewhere").is_empty());
    }
}

/// Some providers have no revocation endpoint: nothing to do is not a failure.
#[tokio::test]
async fn without_a_revocation_endpoint_there_is_nothing_to_do() {
    let world = World::new(Algorithm::ES256).await;
    let metadata = merged(
        &world.fake.metadata(),
        &json!({"revocation_endpoint": null, "userinfo_endpoint": null}),
    );
    world.fake.answers(METADATA, &[Reply::json(&metadata)]);
    assert!(world.revoke(&[Reply::status(500)]).await.is_ok());
    assert!(world.fake.seen("/revoke").is_empty());
    let error = world
        .userinfo(Reply::json(&json!({"sub": "alice"})))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ProviderError::Invalid(text) if text.contains("userinfo_endpoint")),
        "{error}"
    );
}

/// T-19, T-20: bearer in the header, `sub` of the session, JSON.
#[tokio::test]
async fn userinfo_is_taken_by_rule() {
    let world = World::new(Algorithm::ES256).await;
    let alice = json!({"sub": "alice", "name": "Alice", "groups": ["a", {"b": null}]});
    assert_eq!(
        Value::Object(world.userinfo(Reply::json(&alice)).await.unwrap()),
        alice
    );
    let charset = Reply::Full(
        200,
        "Application/JSON; charset=utf-8",
        alice.to_string().into_bytes(),
    );
    assert!(world.userinfo(charset).await.is_ok());
    let sent = &world.fake.seen("/userinfo")[0];
    assert_eq!(sent.headers["authorization"], format!("Bearer {ACCESS}").as_str());
    assert!(sent.body.is_empty());

    let text = alice.to_string();
    let full = |content_type, body: &str| Reply::Full(200, content_type, body.as_bytes().to_vec());
    for reply in [
        Reply::json(&json!({"sub": "mallory"})),
        Reply::json(&json!({"sub": "Alice"})),
        Reply::json(&json!({"sub": ["alice"]})),
        Reply::json(&json!({"name": "Alice"})),
        Reply::json(&json!(["alice"])),
        Reply::html(),
        // A signed answer was not asked for, and is not believed unverified.
        full("application/jwt", world.signer.sign(&alice).expose()),
        full("text/plain", &text),
        full("application/json", r#"{"sub":"mallory","sub":"alice"}"#),
        full("application/json", ""),
        full("application/jsonp", &text),
        Reply::status(403),
        Reply::status(204),
        Reply::Flood,
        Reply::Redirect("/elsewhere".to_owned()),
    ] {
        let error = world.userinfo(reply).await.unwrap_err();
        assert!(
            matches!(&error, ProviderError::Invalid(text) if text.starts_with("userinfo: ")),
            "{error}"
        );
    }
    assert!(matches!(
        world.userinfo(Reply::status(401)).await,
        Err(ProviderError::InvalidGrant)
    ));
    assert!(matches!(
        world.userinfo(Reply::status(503)).await,
        Err(ProviderError::Unavailable(_))
    ));
}
