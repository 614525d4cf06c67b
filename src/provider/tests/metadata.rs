//! Metadata: what is refused, what is accepted, and how an outage passes (D-01 … D-08, L-05, attack 176).

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::world::{METADATA, Reply, World, limits, merged, token_response};
use crate::config::ClientAuth;
use crate::provider::ProviderError;
use crate::provider::http::Limits;
use crate::token::RefreshToken;

impl World {
    /// The cheapest thing that needs metadata.
    async fn discover(&self) -> Result<(), ProviderError> {
        self.fake.answers("/token", &[Reply::json(&token_response())]);
        self.provider.rotate(&RefreshToken::new("r")).await.map(drop)
    }

    async fn discover_changed(&self, changes: &Value) -> Result<(), ProviderError> {
        self.fake
            .answers(METADATA, &[Reply::json(&merged(&self.fake.metadata(), changes))]);
        self.discover().await
    }
}

#[tokio::test]
async fn metadata_that_breaks_a_rule_is_refused_and_the_member_named() {
    let world = World::new(Algorithm::ES256).await;
    let issuer = &world.fake.issuer;
    for (member, changes) in [
        // D-01
        ("issuer", json!({"issuer": "https://evil.test"})),
        ("issuer", json!({"issuer": format!("{issuer}/")})),
        ("issuer", json!({"issuer": issuer.replace("op.", "OP.")})),
        ("issuer", json!({"issuer": ""})),
        // D-03, attack 176: every endpoint is https, or loopback as the issuer here is.
        ("authorization_endpoint", json!({"authorization_endpoint": null})),
        ("token_endpoint", json!({"token_endpoint": null})),
        ("jwks_uri", json!({"jwks_uri": null})),
        (
            "token_endpoint",
            json!({"token_endpoint": "http://op.example/token"}),
        ),
        (
            "token_endpoint",
            json!({"token_endpoint": "http://169.254.169.254/latest/meta-data"}),
        ),
        ("token_endpoint", json!({"token_endpoint": "file:///etc/passwd"})),
        (
            "token_endpoint",
            json!({"token_endpoint": "https://user:secret@op.example/token"}),
        ),
        (
            "authorization_endpoint",
            json!({"authorization_endpoint": "javascript:alert(1)"}),
        ),
        (
            "authorization_endpoint",
            json!({"authorization_endpoint": "https://op.example/#f"}),
        ),
        ("jwks_uri", json!({"jwks_uri": "http://127.0.0.1.evil.test/jwks"})),
        (
            "userinfo_endpoint",
            json!({"userinfo_endpoint": "http://op.example/userinfo"}),
        ),
        (
            "revocation_endpoint",
            json!({"revocation_endpoint": "http://op.example/revoke"}),
        ),
        (
            "end_session_endpoint",
            json!({"end_session_endpoint": "http://op.example/logout"}),
        ),
        // D-08, L-05
        (
            "response_types_supported",
            json!({"response_types_supported": ["id_token", "code token"]}),
        ),
        (
            "response_modes_supported",
            json!({"response_modes_supported": ["form_post", "fragment"]}),
        ),
        (
            "require_pushed_authorization_requests",
            json!({"require_pushed_authorization_requests": true}),
        ),
        (
            "require_signed_request_object",
            json!({"require_signed_request_object": true}),
        ),
        (
            "code_challenge_methods_supported",
            json!({"code_challenge_methods_supported": ["plain"]}),
        ),
        (
            "code_challenge_methods_supported",
            json!({"code_challenge_methods_supported": []}),
        ),
        (
            "token_endpoint_auth_methods_supported",
            json!({"token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"]}),
        ),
        (
            "id_token_signing_alg_values_supported",
            json!({"id_token_signing_alg_values_supported": ["RS256", "none"]}),
        ),
    ] {
        match world.discover_changed(&changes).await {
            Err(ProviderError::Invalid(text)) => assert!(text.contains(member), "{changes}: {text}"),
            other => panic!("{changes}: {other:?}"),
        }
    }
    assert!(world.fake.seen("/token").is_empty());
    assert!(world.discover_changed(&json!({})).await.is_ok());
}

#[tokio::test]
async fn metadata_that_says_less_or_more_is_accepted() {
    for changes in [
        json!({}),
        json!({"code_challenge_methods_supported": null, "response_types_supported": null}),
        json!({"code_challenge_methods_supported": ["plain", "S256"]}),
        json!({"response_modes_supported": ["form_post", "query"], "require_pushed_authorization_requests": false}),
        json!({"token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]}),
        json!({"id_token_signing_alg_values_supported": ["RS256", "ES256"]}),
        json!({"userinfo_endpoint": null, "revocation_endpoint": null, "end_session_endpoint": null}),
        json!({"token_endpoint_auth_signing_alg_values_supported": 7, "x": {"y": [null]}}),
    ] {
        let world = World::new(Algorithm::ES256).await;
        let result = world.discover_changed(&changes).await;
        assert!(result.is_ok(), "{changes}: {result:?}");
    }
}

/// D-08: each choice is held against its list.
#[tokio::test]
async fn the_configured_choice_must_be_offered() {
    let posts = World::configured(Algorithm::ES256, |config| config.client_auth = ClientAuth::Post).await;
    let basic_only = json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]});
    assert!(
        posts
            .discover_changed(&basic_only)
            .await
            .unwrap_err()
            .to_string()
            .contains("client_secret_post")
    );
    let edwards = World::new(Algorithm::EdDSA).await;
    let rfc9864 = json!({"id_token_signing_alg_values_supported": ["Ed25519"]});
    assert!(edwards.discover_changed(&rfc9864).await.is_ok());
}

/// D-04: whatever stands at the address of metadata, it is bounded, not followed, and never believed.
#[tokio::test]
async fn what_is_no_metadata_is_refused() {
    let world = World::new(Algorithm::ES256).await;
    let twice = |text: &str| format!("{{\"issuer\":\"https://evil.test\",{}", &text[1..]);
    for reply in [
        Reply::html(),
        Reply::json(&json!([world.fake.metadata()])),
        Reply::json(&json!(null)),
        Reply::json(&json!({})),
        Reply::json(&merged(&world.fake.metadata(), &json!({"issuer": 7}))),
        Reply::json(&merged(
            &world.fake.metadata(),
            &json!({"token_endpoint": "not a URL"}),
        )),
        Reply::json(&merged(
            &world.fake.metadata(),
            &json!({"response_types_supported": "code"}),
        )),
        Reply::Full(
            200,
            "application/json",
            twice(&world.fake.metadata().to_string()).into_bytes(),
        ),
        Reply::Full(200, "application/json", b"{".repeat(5000)),
        Reply::Full(200, "application/json", Vec::new()),
        Reply::Full(200, "application/json", vec![0xff; 100]),
        Reply::Redirect(format!("{}/elsewhere", world.fake.issuer)),
        Reply::status(404),
        Reply::status(401),
        Reply::status(204),
        Reply::Flood,
    ] {
        world.fake.answers(METADATA, &[reply]);
        let error = world.discover().await.unwrap_err();
        assert!(matches!(error, ProviderError::Invalid(_)), "{error}");
        assert!(error.to_string().contains("metadata"), "{error}");
    }
    assert!(world.fake.seen("/elsewhere").is_empty());
    // Of a hundred megabytes only what fits into the sockets' buffers left the provider.
    assert!(world.fake.flooded() < 50 << 20, "{}", world.fake.flooded());
}

#[tokio::test]
async fn a_provider_in_trouble_is_unavailable() {
    let world = World::new(Algorithm::ES256).await;
    for status in [500, 502, 503, 504, 408, 429] {
        world.fake.answers(METADATA, &[Reply::status(status)]);
        let error = world.discover().await.unwrap_err();
        assert!(
            matches!(error, ProviderError::Unavailable(_)),
            "{status}: {error}"
        );
    }
}

/// D-04: silence ends with the client's patience.
#[tokio::test]
async fn a_silent_provider_is_unavailable() {
    let impatient = Limits {
        total: Duration::from_millis(50),
        ..limits()
    };
    let world = World::limited(Algorithm::ES256, impatient, |_| {}).await;
    world.fake.answers(METADATA, &[Reply::Silent]);
    let error = world.discover().await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    assert!(!world.provider.offers_end_session().await);
}

/// Nothing is asked before it is needed, and then once an hour.
#[tokio::test]
async fn metadata_is_asked_for_once_an_hour() {
    let world = World::new(Algorithm::ES256).await;
    assert!(world.fake.seen(METADATA).is_empty());
    for _ in 0..5 {
        assert!(world.discover().await.is_ok());
    }
    assert_eq!(world.fake.seen(METADATA).len(), 1);
    world.clock.advance(Duration::from_secs(3599));
    assert!(world.discover().await.is_ok());
    assert_eq!(world.fake.seen(METADATA).len(), 1);
    world.clock.advance(Duration::from_secs(1));
    assert!(world.discover().await.is_ok());
    assert_eq!(world.fake.seen(METADATA).len(), 2);
}

/// D-06: once known it serves on, and what comes instead of it meanwhile is not believed.
#[tokio::test]
async fn known_metadata_outlives_an_outage() {
    let world = World::new(Algorithm::ES256).await;
    assert!(world.discover().await.is_ok());
    for reply in [
        Reply::status(503),
        Reply::html(),
        Reply::json(&json!({"issuer": "https://evil.test"})),
    ] {
        world.fake.answers(METADATA, &[reply]);
        world.clock.advance(Duration::from_secs(3600));
        assert!(world.discover().await.is_ok());
    }
}

/// D-06: recovery needs no restart, and a crowd at a closed door knocks once.
#[tokio::test]
async fn a_crowd_shares_a_failure_and_the_next_one_tries_again() {
    let world = World::new(Algorithm::ES256).await;
    world.fake.answers(METADATA, &[Reply::status(503)]);
    let results = futures_util::future::join_all((0..50).map(|_| world.discover())).await;
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(ProviderError::Unavailable(_))))
    );
    assert_eq!(world.fake.seen(METADATA).len(), 1);
    world
        .fake
        .answers(METADATA, &[Reply::json(&world.fake.metadata())]);
    assert!(world.discover().await.is_ok());
}

/// A failure is followed by a pause: whoever comes in it waits, the provider is left alone.
#[tokio::test]
async fn a_failed_fetch_is_not_repeated_at_once() {
    let patient = Limits {
        pause: Duration::from_secs(3600),
        ..limits()
    };
    let world = World::limited(Algorithm::ES256, patient, |_| {}).await;
    world.fake.answers(METADATA, &[Reply::status(503)]);
    assert!(world.discover().await.is_err());
    for _ in 0..3 {
        let waiting = tokio::time::timeout(Duration::from_millis(5), world.discover()).await;
        assert!(waiting.is_err());
    }
    assert_eq!(world.fake.seen(METADATA).len(), 1);
}

/// A browser that goes away while its request is the one that fetches leaves the others unharmed.
#[tokio::test]
async fn an_abandoned_fetch_is_taken_up_by_the_next() {
    let world = World::new(Algorithm::ES256).await;
    world
        .fake
        .answers(METADATA, &[Reply::Silent, Reply::json(&world.fake.metadata())]);
    let abandoned = tokio::time::timeout(Duration::from_millis(50), world.discover()).await;
    assert!(abandoned.is_err());
    assert!(world.discover().await.is_ok());
}

/// D-03: an issuer on the open network cannot point us at our own machine, nor at plain http.
#[test]
fn a_public_issuer_names_no_loopback_endpoint() {
    let config = super::world::config("https://op.example", Algorithm::ES256);
    let http = crate::provider::http::Http::new(&config, limits()).unwrap();
    let permits = |url: &str| http.permits(&url::Url::parse(url).unwrap());
    assert!(permits("https://other.example/token"));
    for url in [
        "http://localhost/token",
        "http://127.0.0.1:9000/token",
        "http://[::1]/token",
        "http://op.example/token",
        "ftp://op.example/token",
        "https://user@op.example/token",
        "data:application/json,{}",
    ] {
        assert!(!permits(url), "{url}");
    }
    let config = super::world::config("http://op.localhost:1", Algorithm::ES256);
    let http = crate::provider::http::Http::new(&config, limits()).unwrap();
    let permits = |url: &str| http.permits(&url::Url::parse(url).unwrap());
    for url in [
        "http://localhost/",
        "http://a.b.localhost/",
        "http://127.8.9.10/",
        "http://[::1]:3/",
        "https://op.example/",
    ] {
        assert!(permits(url), "{url}");
    }
    for url in [
        "http://localhost.evil.test/",
        "http://evillocalhost/",
        "http://128.0.0.1/",
        "http://[::2]/",
        "http://op.example/",
    ] {
        assert!(!permits(url), "{url}");
    }
}

/// RFC 6761: names below `localhost` are found without asking the system, at any depth.
#[tokio::test]
async fn loopback_names_resolve_by_themselves() {
    let world = World::new(Algorithm::ES256).await;
    let port = world.fake.issuer.rsplit(':').next().unwrap().to_owned();
    for host in [
        "localhost",
        "op.localhost",
        "a.b-c.op.localhost",
        "LOCALHOST",
        "127.0.0.1",
    ] {
        let issuer = format!("http://{host}:{port}");
        let mut metadata = world.fake.metadata();
        metadata["issuer"] = issuer.as_str().into();
        world.fake.answers(METADATA, &[Reply::json(&metadata)]);
        world.fake.answers("/token", &[Reply::json(&token_response())]);
        let config = super::world::config(&issuer, Algorithm::ES256);
        let clock = std::sync::Arc::clone(&world.clock) as std::sync::Arc<dyn crate::clock::Clock>;
        let provider = crate::provider::Provider::with_limits(&config, clock, limits()).unwrap();
        let result = provider.rotate(&RefreshToken::new("r")).await;
        assert!(result.is_ok(), "{host}: {result:?}");
    }
}

#[test]
fn a_ca_file_without_a_certificate_is_refused() {
    for pem in [
        "",
        "not a certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let mut config = super::world::config("https://op.example", Algorithm::ES256);
        config.ca_pem = Some(pem.as_bytes().to_vec());
        let result = crate::provider::http::Http::new(&config, limits());
        assert!(
            matches!(result, Err(ProviderError::Invalid(_))),
            "{pem}: {result:?}"
        );
    }
}

/// D-06: with metadata at hand nobody waits long for a provider that hangs; those who do not ask themselves, not at all.
#[tokio::test]
async fn a_hanging_provider_does_not_hold_up_those_who_know_it() {
    let impatient = Limits {
        total: Duration::from_secs(3600),
        patience: Duration::from_millis(50),
        ..limits()
    };
    let world = World::limited(Algorithm::ES256, impatient, |_| {}).await;
    assert!(world.discover().await.is_ok());
    world.clock.advance(Duration::from_secs(3600));
    world.fake.answers(METADATA, &[Reply::Silent]);
    // The second one is only polled when the first has asked and waits.
    let (first, second) = tokio::join!(world.discover(), world.discover());
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    assert_eq!(world.fake.seen(METADATA).len(), 2);
}
