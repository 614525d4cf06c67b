//! The token endpoint: what is sent, what is taken, what each refusal means (C-06, C-09, T-20, T-31, R-01, R-02, attack 181).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::Algorithm;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::world::{ACCESS, CLIENT_ID, Reply, SECRET, World, limits, merged, token_response};
use crate::config::ClientAuth;
use crate::provider::ProviderError;
use crate::provider::http::Limits;
use crate::token::{AuthorizationCode, RefreshToken, TokenSet, Verifier};

impl World {
    async fn rotate(&self, reply: Reply) -> Result<TokenSet, ProviderError> {
        self.fake.answers("/token", &[reply]);
        self.provider.rotate(&RefreshToken::new("refresh-token-1")).await
    }

    async fn rotate_changed(&self, changes: &Value) -> Result<TokenSet, ProviderError> {
        self.rotate(Reply::json(&merged(&token_response(), changes)))
            .await
    }
}

/// C-09, attack 181.
#[tokio::test]
async fn a_token_response_is_taken_by_rule() {
    let world = World::configured(Algorithm::ES256, |config| config.default_expires_in = None).await;
    let hour = Some(Duration::from_secs(3600));
    for (changes, expires_in) in [
        (json!({"expires_in": 3600}), hour),
        (json!({"expires_in": "3600"}), hour),
        (json!({"expires_in": 0}), Some(Duration::ZERO)),
        (json!({"expires_in": null}), None),
        (json!({"expires_in": 3600, "token_type": "bearer"}), hour),
        (json!({"expires_in": 3600, "token_type": "BEARER"}), hour),
        (
            json!({"expires_in": 3600, "surprise": {"a": [1]}, "error": null}),
            hour,
        ),
        (
            json!({"expires_in": 3600, "refresh_token": null, "id_token": null, "scope": null}),
            hour,
        ),
    ] {
        let tokens = world.rotate_changed(&changes).await;
        assert_eq!(tokens.expect("good").expires_in, expires_in, "{changes}");
    }
    // Far beyond any session, and still a number that arithmetic survives.
    let forever = world
        .rotate_changed(&json!({"expires_in": u64::MAX}))
        .await
        .unwrap();
    assert_eq!(forever.expires_in, Some(Duration::from_secs(3_153_600_000)));
}

#[tokio::test]
async fn a_response_that_does_not_check_out_is_invalid() {
    let world = World::new(Algorithm::ES256).await;
    let whole = token_response().to_string();
    let changed = |changes: Value| Reply::json(&merged(&token_response(), &changes));
    let twice = format!("{{\"access_token\":\"other\",{}", &whole[1..]);
    for reply in [
        changed(json!({"access_token": null})),
        changed(json!({"access_token": ""})),
        changed(json!({"access_token": 7})),
        changed(json!({"access_token": "two words"})),
        changed(json!({"access_token": "a\r\nX-Evil: 1"})),
        changed(json!({"access_token": "zoë"})),
        changed(json!({"token_type": null})),
        changed(json!({"token_type": "mac"})),
        changed(json!({"token_type": "DPoP"})),
        changed(json!({"token_type": ["Bearer"]})),
        changed(json!({"expires_in": -1})),
        changed(json!({"expires_in": 1e20})),
        changed(json!({"expires_in": 3600.5})),
        changed(json!({"expires_in": 3600.0})),
        changed(json!({"expires_in": "-1"})),
        changed(json!({"expires_in": "+3600"})),
        changed(json!({"expires_in": " 3600"})),
        changed(json!({"expires_in": ""})),
        changed(json!({"expires_in": "1e3"})),
        changed(json!({"expires_in": "99999999999999999999"})),
        changed(json!({"expires_in": true})),
        changed(json!({"refresh_token": 7})),
        changed(json!({"id_token": {}})),
        changed(json!({"scope": 7})),
        Reply::json(&json!([token_response()])),
        Reply::json(&json!(null)),
        Reply::html(),
        Reply::Full(200, "application/json", b"<html>".to_vec()),
        Reply::Full(200, "application/json", Vec::new()),
        Reply::Full(200, "application/json", twice.into_bytes()),
        Reply::Full(200, "application/json", format!("{whole}{whole}").into_bytes()),
        Reply::Full(
            200,
            "application/x-www-form-urlencoded",
            b"access_token=a&token_type=bearer".to_vec(),
        ),
        Reply::Full(201, "application/json", whole.clone().into_bytes()),
        Reply::Full(204, "application/json", Vec::new()),
        Reply::json(&merged(&token_response(), &json!({"x": "x".repeat(5 << 20)}))),
        Reply::Flood,
        Reply::Redirect("/elsewhere".to_owned()),
        Reply::status(400),
        Reply::status(404),
        Reply::Full(400, "application/json", Vec::new()),
        Reply::Full(400, "application/json", b"{}".to_vec()),
        Reply::Full(400, "text/html", b"<html>".to_vec()),
        // An error with status 200 is no token response (and no OAuth).
        Reply::error(200, "invalid_grant"),
    ] {
        let error = world.rotate(reply).await.unwrap_err();
        assert!(matches!(error, ProviderError::Invalid(_)), "{error}");
        let said = format!("{error} {error:?}");
        assert!(
            !said.contains(ACCESS) && !said.contains("refresh-token"),
            "{said}"
        );
    }
    assert!(world.fake.seen("/elsewhere").is_empty());
}

/// Contract §6; R-07, R-08, attacks 136 and 137.
#[tokio::test]
async fn each_refusal_has_its_meaning() {
    let world = World::new(Algorithm::ES256).await;
    for status in [400, 401, 403] {
        assert!(matches!(
            world.rotate(Reply::error(status, "invalid_grant")).await,
            Err(ProviderError::InvalidGrant)
        ));
    }
    for code in ["invalid_client", "unauthorized_client"] {
        let error = world.rotate(Reply::error(401, code)).await.unwrap_err();
        assert!(
            matches!(&error, ProviderError::Invalid(text) if text.contains(code)),
            "{error}"
        );
    }
    for code in [
        "invalid_request",
        "invalid_scope",
        "unsupported_grant_type",
        "invalid_target",
        "access_denied",
    ] {
        let error = world.rotate(Reply::error(400, code)).await.unwrap_err();
        assert!(
            matches!(error, ProviderError::Refused(said) if said == code),
            "{error}"
        );
    }
    for code in ["bad_day", "", "invalid_grant ", "<script>alert(1)</script>"] {
        let error = world.rotate(Reply::error(400, code)).await.unwrap_err();
        assert!(matches!(error, ProviderError::Refused("other")), "{error}");
    }
    // The text of the provider is nobody's business.
    let talkative =
        json!({"error": "invalid_request", "error_description": ACCESS, "error_uri": "https://evil.test"});
    let error = world
        .rotate(Reply::Full(
            400,
            "application/json",
            talkative.to_string().into_bytes(),
        ))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the provider refused: invalid_request");
    // An outage ends nobody's session, whatever the body says.
    for reply in [
        Reply::status(500),
        Reply::status(503),
        Reply::error(500, "invalid_grant"),
        Reply::error(502, "invalid_client"),
        Reply::error(429, "invalid_grant"),
    ] {
        let error = world.rotate(reply).await.unwrap_err();
        assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    }
}

/// R-04, attack 137: a refresh token is sent once; nobody knows whether a lost answer used it up.
#[tokio::test]
async fn an_unanswered_refresh_is_not_repeated() {
    let impatient = Limits {
        total: Duration::from_millis(200),
        ..limits()
    };
    let world = World::limited(Algorithm::ES256, impatient, |_| {}).await;
    let error = world.rotate(Reply::Silent).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    for reply in [Reply::status(503), Reply::error(400, "invalid_grant")] {
        assert!(world.rotate(reply).await.is_err());
    }
    assert_eq!(world.fake.seen("/token").len(), 3);
}

/// R-02, attack 139.
#[tokio::test]
async fn what_a_refresh_leaves_out_is_none() {
    let world = World::configured(Algorithm::ES256, |config| {
        config.default_expires_in = Some(Duration::from_secs(77));
    })
    .await;
    let bare = world
        .rotate(Reply::json(&json!({"access_token": "a", "token_type": "Bearer"})))
        .await
        .unwrap();
    assert!(bare.refresh.is_none() && bare.id_token.is_none() && bare.scope.is_none());
    assert_eq!(bare.expires_in, Some(Duration::from_secs(77)));
    let empty = world
        .rotate_changed(&json!({"refresh_token": "", "id_token": ""}))
        .await
        .unwrap();
    assert!(empty.refresh.is_none() && empty.id_token.is_none());
    assert_eq!(empty.expires_in, Some(Duration::from_secs(300)));
    let listed = world
        .rotate_changed(&json!({"scope": ["openid", "profile"]}))
        .await
        .unwrap();
    assert_eq!(listed.scope.as_deref(), Some("openid profile"));
}

/// R-11. No standard has them, so nothing they hold makes a good response a bad one.
#[tokio::test]
async fn the_life_of_a_refresh_token_is_believed_where_it_says_something() {
    let world = World::new(Algorithm::ES256).await;
    for (changes, life) in [
        (json!({"refresh_expires_in": 1800}), Some(1800)),
        (json!({"refresh_expires_in": "1800"}), Some(1800)),
        (json!({"refresh_token_expires_in": 1_209_600}), Some(1_209_600)),
        (
            json!({"refresh_expires_in": 60, "refresh_token_expires_in": 90}),
            Some(60),
        ),
        (json!({"refresh_expires_in": 0}), None),
        (json!({"refresh_expires_in": -1}), None),
        (json!({"refresh_expires_in": 1.5}), None),
        (json!({"refresh_expires_in": "never"}), None),
        (json!({"refresh_expires_in": {"seconds": 5}}), None),
        (json!({"refresh_expires_in": null}), None),
        (json!({}), None),
    ] {
        let tokens = world.rotate_changed(&changes).await.expect("good");
        assert_eq!(
            tokens.refresh_expires_in,
            life.map(Duration::from_secs),
            "{changes}"
        );
    }
}

/// T-31: RFC 6749 §2.3.1 encodes before it joins; one method for each request.
#[tokio::test]
async fn awkward_credentials_arrive_whole() {
    let (id, secret) = ("shop:one/+%&ü", "p:a%s+s w=ö\"&'");
    let awkward = |auth| {
        move |config: &mut crate::config::Provider| {
            config.client_id = id.into();
            config.client_secret = SecretString::from(secret);
            config.client_auth = auth;
        }
    };
    let decoded = |text: &str| {
        url::form_urlencoded::parse(text.as_bytes())
            .next()
            .map(|(name, _)| name.into_owned())
            .unwrap()
    };

    let basic = World::configured(Algorithm::ES256, awkward(ClientAuth::Basic)).await;
    basic.rotate(Reply::json(&token_response())).await.unwrap();
    basic.fake.answers("/revoke", &[Reply::status(200)]);
    basic
        .provider
        .revoke_refresh(&RefreshToken::new("r"))
        .await
        .unwrap();
    for path in ["/token", "/revoke"] {
        let sent = &basic.fake.seen(path)[0];
        let header = sent.headers["authorization"]
            .to_str()
            .unwrap()
            .strip_prefix("Basic ")
            .unwrap();
        let pair = String::from_utf8(STANDARD.decode(header).unwrap()).unwrap();
        let (name, password) = pair.split_once(':').unwrap();
        assert_eq!(
            (decoded(name).as_str(), decoded(password).as_str()),
            (id, secret),
            "{path}"
        );
        assert!(sent.field("client_id").is_empty() && sent.field("client_secret").is_empty());
    }

    let post = World::configured(Algorithm::ES256, awkward(ClientAuth::Post)).await;
    post.rotate(Reply::json(&token_response())).await.unwrap();
    post.fake.answers("/revoke", &[Reply::status(200)]);
    post.provider
        .revoke_refresh(&RefreshToken::new("r"))
        .await
        .unwrap();
    for path in ["/token", "/revoke"] {
        let sent = &post.fake.seen(path)[0];
        assert!(!sent.headers.contains_key("authorization"));
        assert_eq!(
            (sent.field("client_id"), sent.field("client_secret")),
            (vec![id.to_owned()], vec![secret.to_owned()])
        );
    }
}

/// RFC 8707 §2: at the token endpoint too; C-06: each parameter once; L-09: byte for byte.
#[tokio::test]
async fn resources_go_to_the_token_endpoint_too() {
    let world = World::configured(Algorithm::ES256, |config| {
        config.resource = vec!["https://a.example/".into(), "https://b.example/?x=1&y".into()];
    })
    .await;
    world.rotate(Reply::json(&token_response())).await.unwrap();
    world
        .provider
        .redeem(
            AuthorizationCode::new("c+1 /&"),
            &Verifier::new("v".repeat(43)),
            "https://SHOP.example:443/a/../cb?x=1",
        )
        .await
        .unwrap();
    for sent in world.fake.seen("/token") {
        assert_eq!(
            sent.field("resource"),
            ["https://a.example/", "https://b.example/?x=1&y"]
        );
        for name in [
            "grant_type",
            "code",
            "redirect_uri",
            "code_verifier",
            "refresh_token",
        ] {
            assert!(sent.field(name).len() <= 1, "{name}");
        }
    }
    let redeemed = &world.fake.seen("/token")[1];
    assert_eq!(redeemed.field("code"), ["c+1 /&"]);
    assert_eq!(
        redeemed.field("redirect_uri"),
        ["https://SHOP.example:443/a/../cb?x=1"]
    );
    assert_eq!(redeemed.headers["accept"], "application/json");
    assert!(
        redeemed.headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("cloakroom/")
    );
}

/// Nothing that is printed shows a secret: not the provider, not what it sends, not what it gets.
#[tokio::test]
async fn nothing_that_is_printed_shows_a_secret() {
    let world = World::new(Algorithm::ES256).await;
    let id_token = world.signer.sign(&world.claims());
    let tokens = world
        .rotate_changed(&json!({"id_token": id_token.expose()}))
        .await
        .unwrap();
    let printed = format!("{:?} {tokens:?} {:#?}", world.provider, world.provider);
    for secret in [SECRET, ACCESS, "refresh-token", id_token.expose()] {
        assert!(!printed.contains(secret));
    }
    assert!(printed.contains(CLIENT_ID));
}
