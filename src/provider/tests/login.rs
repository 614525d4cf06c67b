//! The whole way once: authorize, redeem, verify, rotate, verify again.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::world::{ACCESS, NONCE, Reply, World, merged, token_response};
use crate::provider::{AuthorizationRequest, Expectation};
use crate::token::{AccessToken, AuthorizationCode, Nonce, RefreshToken, State, Verifier};

#[tokio::test]
async fn a_login_and_a_refresh_go_through() {
    for alg in [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ] {
        let world = World::new(alg).await;
        let id_token = world.signer.sign(&merged(
            &world.claims(),
            &json!({"sid": "s1", "auth_time": 1_699_999_990, "acr": "silver", "roles": ["a", {"b": 1}]}),
        ));
        let response = merged(&token_response(), &json!({"id_token": id_token.expose()}));
        world.fake.answers("/token", &[Reply::json(&response)]);

        let url = world
            .provider
            .authorization_url(&AuthorizationRequest {
                state: &State::new("s"),
                nonce: &Nonce::new(NONCE),
                verifier: &Verifier::new("v".repeat(43)),
                scope: None,
                acr_values: &[],
                max_age: None,
                prompt: None,
                login_hint: None,
                ui_locales: None,
            })
            .await
            .unwrap();
        assert!(
            url.as_str()
                .starts_with(&format!("{}/authorize?", world.fake.issuer))
        );

        let tokens = world
            .provider
            .redeem(
                AuthorizationCode::new("code-1"),
                &Verifier::new("v".repeat(43)),
                "https://shop.example/cb",
            )
            .await
            .unwrap();
        assert_eq!(tokens.access.expose(), ACCESS);
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(300)));
        assert_eq!(tokens.scope.as_deref(), Some("openid profile"));
        let sent = &world.fake.seen("/token")[0];
        assert_eq!(sent.field("grant_type"), ["authorization_code"]);
        assert_eq!(sent.field("code"), ["code-1"]);
        assert_eq!(sent.field("code_verifier"), ["v".repeat(43)]);
        assert_eq!(sent.field("redirect_uri"), ["https://shop.example/cb"]);

        let verified = world.verify(&tokens.id_token.unwrap()).await.unwrap();
        assert_eq!(&*verified.identity.subject, "alice");
        assert_eq!(verified.identity.provider_session.as_deref(), Some("s1"));
        assert_eq!(verified.identity.auth_time, Some(1_699_999_990));
        assert_eq!(verified.identity.acr.as_deref(), Some("silver"));
        assert_eq!(verified.claims["roles"], json!(["a", {"b": 1}]));

        let refreshed = world.provider.rotate(&tokens.refresh.unwrap()).await.unwrap();
        let sent = &world.fake.seen("/token")[1];
        assert_eq!(sent.field("grant_type"), ["refresh_token"]);
        assert_eq!(sent.field("refresh_token"), ["refresh-token-8a"]);
        let again = world
            .provider
            .verify(
                &refreshed.id_token.unwrap(),
                Expectation::Refresh {
                    identity: &verified.identity,
                    access: &AccessToken::new(ACCESS),
                    previous: None,
                },
            )
            .await
            .unwrap();
        assert_eq!(again.identity, verified.identity);
        // Metadata and keys were asked for once.
        assert_eq!(world.fake.seen(super::world::METADATA).len(), 1);
        assert_eq!(world.fake.seen("/jwks").len(), 1);
    }
}

/// Nothing is asked at start, and a provider that is not there is said to be so.
#[tokio::test]
async fn a_provider_that_is_not_there_is_unavailable() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    drop(listener);
    let world = World::configured(Algorithm::ES256, |config| config.issuer = issuer.into()).await;
    let error = world.provider.rotate(&RefreshToken::new("r")).await.unwrap_err();
    assert!(
        matches!(error, crate::provider::ProviderError::Unavailable(_)),
        "{error}"
    );
}

/// Renewal and code redemption run detached: their futures must be able to move between threads.
#[tokio::test]
async fn every_conversation_can_be_spawned() {
    fn spawnable<T: Send>(_: T) {}
    let world = World::new(Algorithm::ES256).await;
    let provider = &world.provider;
    let (access, refresh) = (AccessToken::new("a"), RefreshToken::new("r"));
    let (verifier, nonce) = (Verifier::new("v"), Nonce::new("n"));
    let id_token = crate::token::IdToken::new("i");
    spawnable(provider.redeem(AuthorizationCode::new("c"), &verifier, "https://shop.example/"));
    spawnable(provider.rotate(&refresh));
    spawnable(provider.revoke_refresh(&refresh));
    spawnable(provider.userinfo(&access, "alice"));
    spawnable(provider.end_session_url(None, None, "s"));
    spawnable(provider.check_response_issuer("i", None));
    spawnable(provider.verify(
        &id_token,
        Expectation::Login {
            nonce: &nonce,
            access: &access,
            max_age: None,
            acr_values: &[],
        },
    ));
}
