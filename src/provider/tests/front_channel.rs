//! URLs for the browser, and the issuer of what comes back (L-03, L-09, L-11, L-12, C-03, O-03, attack 50).

use jsonwebtoken::Algorithm;
use serde_json::json;
use url::Url;

use super::world::{CLIENT_ID, METADATA, NONCE, Reply, World, merged};
use crate::config::{LogoutHint, LogoutMode};
use crate::provider::{AuthorizationRequest, ProviderError, registered_error_code};
use crate::token::{IdToken, Nonce, State, Verifier};

fn values(url: &Url, name: &str) -> Vec<String> {
    url.query_pairs()
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .collect()
}

async fn authorization_url(world: &World, change: impl FnOnce(&mut AuthorizationRequest<'_>)) -> Url {
    let (state, nonce) = (State::new("state-1"), Nonce::new(NONCE));
    // RFC 7636, appendix B.
    let verifier = Verifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let mut request = AuthorizationRequest {
        state: &state,
        nonce: &nonce,
        verifier: &verifier,
        scope: None,
        acr_values: &[],
        max_age: None,
        prompt: None,
        login_hint: None,
        ui_locales: None,
    };
    change(&mut request);
    world.provider.authorization_url(&request).await.unwrap()
}

#[tokio::test]
async fn an_authorization_request_has_each_parameter_once() {
    let world = World::new(Algorithm::ES256).await;
    let url = authorization_url(&world, |_| {}).await;
    let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(
        names,
        [
            "response_type",
            "client_id",
            "redirect_uri",
            "scope",
            "state",
            "nonce",
            "code_challenge",
            "code_challenge_method"
        ]
    );
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", "https://shop.example/oauth-agent/callback"),
        ("scope", "openid profile"),
        ("state", "state-1"),
        ("nonce", NONCE),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(values(&url, name), [value], "{name}");
    }
}

#[tokio::test]
async fn what_a_login_asks_for_is_passed_on() {
    let world = World::configured(Algorithm::ES256, |config| {
        config.audience = Some("https://api.example/a b".into());
        config.resource = vec!["https://a.example/".into(), "https://b.example/".into()];
    })
    .await;
    let acr: &'static [Box<str>] = vec!["gold".into(), "urn:x:platinum".into()].leak();
    let url = authorization_url(&world, |request| {
        request.scope = Some("openid");
        request.acr_values = acr;
        request.max_age = Some(0);
        request.prompt = Some("login consent");
        request.login_hint = Some("zoë+1@example.test & co");
        request.ui_locales = Some("de-CH en");
    })
    .await;
    for (name, expected) in [
        ("scope", vec!["openid"]),
        ("acr_values", vec!["gold urn:x:platinum"]),
        ("max_age", vec!["0"]),
        ("prompt", vec!["login consent"]),
        ("login_hint", vec!["zoë+1@example.test & co"]),
        ("ui_locales", vec!["de-CH en"]),
        ("audience", vec!["https://api.example/a b"]),
        // RFC 8707 §2: the one that may repeat.
        ("resource", vec!["https://a.example/", "https://b.example/"]),
    ] {
        assert_eq!(values(&url, name), expected, "{name}");
    }
}

/// RFC 6749 §3.1: the endpoint's own query is kept; it cannot double what is ours.
#[tokio::test]
async fn the_endpoints_own_query_is_kept() {
    for (query, kept) in [
        ("p=b2c_1_signin", vec![("p", "b2c_1_signin")]),
        ("tenant=a%26b&x", vec![("tenant", "a&b"), ("x", "")]),
        ("client_id=other&p=1&response_type=token", vec![("p", "1")]),
        ("state=evil", vec![]),
        ("", vec![]),
    ] {
        let world = World::new(Algorithm::ES256).await;
        let endpoint = format!("{}/authorize?{query}", world.fake.issuer);
        let metadata = merged(
            &world.fake.metadata(),
            &json!({"authorization_endpoint": endpoint}),
        );
        world.fake.answers(METADATA, &[Reply::json(&metadata)]);
        let url = authorization_url(&world, |_| {}).await;
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs.len(), kept.len() + 8, "{url}");
        for (pair, (name, value)) in pairs.iter().zip(&kept) {
            assert_eq!((pair.0.as_str(), pair.1.as_str()), (*name, *value), "{url}");
        }
        assert_eq!(values(&url, "client_id"), [CLIENT_ID]);
        assert_eq!(values(&url, "response_type"), ["code"]);
        assert_eq!(values(&url, "state"), ["state-1"]);
    }
}

/// C-03, attack 50.
#[tokio::test]
async fn the_issuer_of_a_response_is_checked() {
    for (announced, required) in [(false, false), (true, false), (false, true), (true, true)] {
        let world = World::configured(Algorithm::ES256, |config| config.require_iss = required).await;
        let metadata = merged(
            &world.fake.metadata(),
            &json!({"authorization_response_iss_parameter_supported": announced}),
        );
        world.fake.answers(METADATA, &[Reply::json(&metadata)]);
        let issuer = world.fake.issuer.clone();
        let check =
            async |sent_to: &str, iss: Option<&str>| world.provider.check_response_issuer(sent_to, iss).await;

        assert!(check(&issuer, Some(&issuer)).await.is_ok());
        for other in [
            "https://other.test",
            "",
            &format!("{issuer}/"),
            &issuer.to_uppercase(),
        ] {
            assert!(
                matches!(check(&issuer, Some(other)).await, Err(ProviderError::Invalid(_))),
                "{other}"
            );
        }
        // A login that was sent elsewhere is not ended here.
        assert!(
            check("https://other.test", Some("https://other.test"))
                .await
                .is_err()
        );
        assert_eq!(check(&issuer, None).await.is_ok(), !announced && !required);
    }
}

/// O-03.
#[tokio::test]
async fn a_logout_request_names_the_session_as_configured() {
    let token = IdToken::new("the.id.token");
    for (hint, id_token_hint, logout_hint) in [
        (LogoutHint::IdToken, vec!["the.id.token"], vec![]),
        (LogoutHint::Sid, vec![], vec!["s 1&"]),
        (LogoutHint::ClientId, vec![], vec![]),
    ] {
        let world = World::configured(Algorithm::ES256, |config| config.logout_hint = hint).await;
        assert!(world.provider.offers_end_session().await);
        let url = world
            .provider
            .end_session_url(Some(&token), Some("s 1&"), "state-2")
            .await
            .unwrap();
        assert!(
            url.as_str()
                .starts_with(&format!("{}/logout?", world.fake.issuer))
        );
        assert_eq!(values(&url, "id_token_hint"), id_token_hint);
        assert_eq!(values(&url, "logout_hint"), logout_hint);
        assert_eq!(values(&url, "client_id"), [CLIENT_ID]);
        assert_eq!(
            values(&url, "post_logout_redirect_uri"),
            ["https://shop.example/oauth-agent/logged-out"]
        );
        assert_eq!(values(&url, "state"), ["state-2"]);
        let bare = world
            .provider
            .end_session_url(None, None, "state-2")
            .await
            .unwrap();
        assert_eq!(bare.query_pairs().count(), 3);
    }
}

/// O-03: without an endpoint, or where the operator wants it so, logout stays at home.
#[tokio::test]
async fn logout_may_stay_at_home() {
    let local = World::configured(Algorithm::ES256, |config| config.logout_mode = LogoutMode::Local).await;
    assert!(!local.provider.offers_end_session().await);
    assert!(local.provider.end_session_url(None, None, "s").await.is_none());
    assert!(local.fake.seen(METADATA).is_empty());

    let without = World::new(Algorithm::ES256).await;
    let metadata = merged(&without.fake.metadata(), &json!({"end_session_endpoint": null}));
    without.fake.answers(METADATA, &[Reply::json(&metadata)]);
    assert!(!without.provider.offers_end_session().await);
    assert!(without.provider.end_session_url(None, None, "s").await.is_none());
}

/// C-07: a code is repeated only if it is ours to know.
#[test]
fn only_registered_codes_are_repeated() {
    for code in [
        "access_denied",
        "login_required",
        "interaction_required",
        "temporarily_unavailable",
        "invalid_grant",
    ] {
        assert_eq!(registered_error_code(code), code);
    }
    for code in [
        "",
        "other",
        "ACCESS_DENIED",
        "access_denied ",
        "<script>",
        "access_denied&x=1",
    ] {
        assert_eq!(registered_error_code(code), "other");
    }
}
