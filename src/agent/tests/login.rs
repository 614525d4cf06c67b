//! How a login starts.

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::Value;

use super::world::{Jar, World, query_of};

/// POST login/start with a body of any type.
async fn post(world: &World, content_type: Option<&str>, body: impl Into<Body>) -> super::world::Answer {
    let mut request = Jar::default().request(Method::POST, "/login/start");
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    world.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn script_gets_the_authorization_url_and_a_login_cookie() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let answer = world.post(&mut jar, "/login/start", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1);
    let url = body["authorization_url"].as_str().unwrap();
    assert!(url.starts_with(&*world.app.provider.issuer));
    let fields = query_of(url);
    // L-03, L-08, L-09, L-11
    assert_eq!(fields["response_type"], "code");
    assert_eq!(fields["client_id"], "shop");
    assert_eq!(fields["redirect_uri"], "https://app.test/oauth-agent/callback");
    assert_eq!(fields["scope"], "openid profile orders");
    assert_eq!(fields["code_challenge_method"], "S256");
    assert!(fields["nonce"].len() <= 64);
    assert_eq!(jar.logins(), 1);
    let [cookie] = answer.set_cookies()[..] else {
        panic!("one cookie expected")
    };
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    // Attack 46: neither the verifier nor the nonce can be read off the cookie.
    assert!(!cookie.contains(&fields["nonce"]) && !cookie.contains(&fields["state"]));
}

#[tokio::test]
async fn a_navigation_is_sent_to_the_provider() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let answer = world.open(&mut jar, "/login?return_to=%2Fdashboard").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(query_of(answer.location())["response_type"], "code");
    assert!(answer.body.is_empty());
    assert_eq!(jar.logins(), 1);
}

#[tokio::test]
async fn two_logins_share_no_value() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let urls = [
        world.open(&mut jar, "/login").await,
        world.open(&mut jar, "/login").await,
    ]
    .map(|answer| query_of(answer.location()));
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(urls[0][name], urls[1][name]);
    }
    assert_eq!(jar.logins(), 2);
}

#[tokio::test]
async fn what_is_allowed_reaches_the_provider() {
    let world = World::configured(|app| {
        app.provider.acr_values = vec!["silver".into()];
        app.provider.allowed_acr_values = vec!["gold".into()];
        app.provider.max_age = Some(std::time::Duration::from_secs(3600));
    })
    .await;
    let mut jar = Jar::default();
    let fields = query_of(world.open(&mut jar, "/login").await.location());
    assert_eq!((&*fields["acr_values"], &*fields["max_age"]), ("silver", "3600"));

    let form = [
        ("prompt", "login select_account"),
        ("login_hint", "alice@example.com&prompt=none"),
        ("acr_values", "gold"),
        ("max_age", "60"),
        ("ui_locales", "de en"),
        ("scope", "orders openid"),
    ];
    let answer = world.post(&mut jar, "/login/start", &form).await;
    let fields = query_of(answer.json()["authorization_url"].as_str().unwrap());
    for (name, value) in form {
        assert_eq!(fields[name], value);
    }
}

#[tokio::test]
async fn bad_parameters_are_refused_and_named() {
    let world = World::configured(|app| {
        app.provider.acr_values = vec!["silver".into()];
        app.provider.max_age = Some(std::time::Duration::from_secs(3600));
    })
    .await;
    let long = "x".repeat(257);
    for (name, value) in [
        // Attacks 7 and 8: nothing but the allow-list.
        ("response_type", "token"),
        ("redirect_uri", "https://evil.test"),
        ("client_id", "other"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge_method", "plain"),
        ("resource", "https://api.test"),
        ("audience", "x"),
        ("request", "x"),
        ("claims", "{}"),
        ("iss", "https://idp.test"),
        ("target_link_uri", "/"),
        ("Prompt", "none"),
        ("prompt=none&redirect_uri", "x"),
        // L-22
        ("return_to", "https://evil.test"),
        ("return_to", "//evil.test"),
        ("return_to", ""),
        ("return_to", "/oauth-agent/logout"),
        // L-11, attack 218: nothing widens what is configured.
        ("scope", "openid admin"),
        ("scope", "profile"),
        ("scope", "openid\torders"),
        ("max_age", "3601"),
        ("max_age", "-1"),
        ("max_age", "1e3"),
        ("max_age", " 1"),
        ("max_age", "99999999999999999999"),
        ("acr_values", "low"),
        ("acr_values", "silver low"),
        ("acr_values", " "),
        ("prompt", "create"),
        ("prompt", "none login"),
        ("prompt", "login create"),
        ("prompt", " "),
        ("login_hint", &long),
        ("login_hint", "a\r\nb"),
        ("ui_locales", "de&x=y"),
        ("ui_locales", &long),
    ] {
        let mut jar = Jar::default();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair(name, value)
            .finish();
        for answer in [
            world.post(&mut jar, "/login/start", &[(name, value)]).await,
            world.open(&mut jar, &format!("/login?{query}")).await,
        ] {
            assert_eq!(
                (answer.status, answer.code()),
                (StatusCode::BAD_REQUEST, "invalid_request"),
                "{name}={value}"
            );
            assert!(
                answer.detail().contains(&format!("`{name}`")),
                "{}",
                answer.detail()
            );
            assert!(answer.set_cookies().is_empty());
        }
    }
    assert!(world.seen("/.well-known/openid-configuration").is_empty());
}

#[tokio::test]
async fn a_parameter_that_stands_twice_is_refused() {
    let world = World::new().await;
    let mut jar = Jar::default();
    for query in [
        "prompt=login&prompt=login",
        "return_to=/a&return_to=/b",
        "prompt=&prompt=none",
    ] {
        let answer = world.open(&mut jar, &format!("/login?{query}")).await;
        assert_eq!(answer.code(), "invalid_request", "{query}");
    }
    let answer = post(
        &world,
        Some("application/json"),
        r#"{"prompt":"none","prompt":"login"}"#,
    )
    .await;
    assert_eq!(answer.code(), "invalid_request");
}

#[tokio::test]
async fn bodies_are_json_or_forms_and_nothing_else() {
    let world = World::new().await;
    for (content_type, body) in [
        (None, ""),
        (Some("text/plain"), ""),
        (Some("application/json"), "{}"),
        (
            Some("application/json"),
            r#"{"return_to":"/x","max_age":60,"prompt":null}"#,
        ),
        (Some("Application/JSON; charset=utf-8"), r#"{"return_to":"/x"}"#),
        (
            Some("application/x-www-form-urlencoded;charset=UTF-8"),
            "return_to=%2Fx&login_hint=",
        ),
    ] {
        let answer = post(&world, content_type, body).await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{content_type:?} {body}: {answer:?}"
        );
    }
    for (content_type, body) in [
        (None, "{}"),
        (None, "prompt=none"),
        (Some("text/plain"), "{}"),
        (Some("multipart/form-data; boundary=x"), "--x--"),
        (Some("application/jsonp"), "{}"),
        (Some("application/json"), "[]"),
        (Some("application/json"), "null"),
        (Some("application/json"), r#""x""#),
        (Some("application/json"), "{"),
        (Some("application/json"), r#"{"prompt":"none"} x"#),
        (Some("application/json"), r#"{"prompt":["none"]}"#),
        (Some("application/json"), r#"{"return_to":{"a":1}}"#),
        (Some("application/json"), r#"{"max_age":-1}"#),
        (Some("application/json"), r#"{"max_age":true}"#),
        (
            Some("application/json"),
            r#"{"extraParams":[{"key":"prompt=none&x","value":"1"}]}"#,
        ),
    ] {
        let answer = post(&world, content_type, body).await;
        assert_eq!(answer.code(), "invalid_request", "{content_type:?} {body}");
    }
}

#[tokio::test]
async fn a_body_beyond_64_kib_is_too_large() {
    let world = World::new().await;
    let form = Some("application/x-www-form-urlencoded");
    let at_most = format!("login_hint={}", "x".repeat(64 * 1024 - "login_hint=".len()));
    assert_eq!(
        post(&world, form, at_most.clone()).await.code(),
        "invalid_request"
    );
    let whole = post(&world, form, format!("{at_most}x")).await;
    let pieces = futures_util::stream::iter(
        at_most
            .into_bytes()
            .into_iter()
            .chain([b'x'])
            .collect::<Vec<_>>()
            .chunks(1000)
            .map(|piece| Ok::<_, std::io::Error>(bytes::Bytes::copy_from_slice(piece)))
            .collect::<Vec<_>>(),
    );
    let streamed = post(&world, form, Body::from_stream(pieces)).await;
    for answer in [whole, streamed] {
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large")
        );
        assert!(answer.refusal.unwrap().close);
    }
}

#[tokio::test]
async fn a_provider_out_of_reach_is_an_error_for_script_and_a_page_for_people() {
    let world = World::configured(|app| app.error_path = "/sorry?x=y#z".into()).await;
    world.provider(|provider| provider.down = true);
    let mut jar = Jar::default();
    let answer = world.post(&mut jar, "/login/start", &[]).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "provider_unavailable")
    );

    let answer = world.open(&mut jar, "/login").await;
    assert!(answer.location().starts_with("/sorry?x=y&login_error="));
    assert!(answer.location().ends_with("#z"));
    let failure = answer.failure();
    assert_eq!(failure["login_error"], "provider_unavailable");
    assert!(!failure.contains_key("provider_error"));
    assert_eq!(jar, Jar::default());
}

#[tokio::test]
async fn metadata_that_does_not_check_out_is_told_apart() {
    let world = World::new().await;
    world.provider(|provider| provider.metadata = serde_json::json!({"issuer": "https://other.test"}));
    let mut jar = Jar::default();
    let answer = world.post(&mut jar, "/login/start", &[]).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::BAD_GATEWAY, "provider_response_invalid")
    );
    assert_eq!(
        world.open(&mut jar, "/login").await.failure()["login_error"],
        "provider_response_invalid"
    );
}

/// L-21, attack 10.
#[tokio::test]
async fn strangers_may_start_a_login_only_where_that_is_allowed_and_only_for_our_issuer() {
    let world = World::configured(|app| app.provider.third_party_login = true).await;
    let issuer = world.app.provider.issuer.to_string();
    let login = async |site: Option<&str>, query: &str| {
        let mut request = Jar::default().request(Method::GET, &format!("/login?{query}"));
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        world.send(request.body(Body::empty()).unwrap()).await
    };
    for (site, query, ok) in [
        (Some("cross-site"), format!("iss={issuer}"), true),
        (
            Some("cross-site"),
            format!("iss={issuer}&target_link_uri=/x"),
            true,
        ),
        (
            Some("cross-site"),
            format!("iss={issuer}&target_link_uri=https://evil.test/"),
            true,
        ),
        (Some("cross-site"), String::new(), false),
        (None, String::new(), false),
        (Some("cross-site"), "iss=".into(), false),
        (Some("cross-site"), format!("iss={issuer}/"), false),
        (Some("cross-site"), "iss=https://unknown.test".into(), false),
        (Some("same-origin"), "iss=https://unknown.test".into(), false),
        (Some("same-origin"), String::new(), true),
        (Some("none"), "return_to=/x".into(), true),
    ] {
        let answer = login(site, &query).await;
        let expected = if ok {
            StatusCode::SEE_OTHER
        } else {
            StatusCode::BAD_REQUEST
        };
        assert_eq!(answer.status, expected, "{site:?} {query}");
    }
    // Script has its own door, and knows the issuer anyway.
    let mut jar = Jar::default();
    assert_eq!(
        world
            .post(&mut jar, "/login/start", &[("iss", &issuer)])
            .await
            .code(),
        "invalid_request"
    );
}

#[tokio::test]
async fn where_a_stranger_wants_to_end_is_dropped_unless_it_is_ours() {
    let world = World::configured(|app| app.provider.third_party_login = true).await;
    let issuer = world.app.provider.issuer.to_string();
    for (target, landed) in [("/x", "/x"), ("https://evil.test/", "/")] {
        let mut jar = Jar::default();
        let callback = world
            .start(&mut jar, &format!("iss={issuer}&target_link_uri={target}"))
            .await;
        assert_eq!(world.open(&mut jar, &callback).await.location(), landed);
    }
}

#[tokio::test]
async fn a_target_that_fits_no_cookie_is_refused() {
    let world = World::configured(|app| {
        app.provider.redirect_uri = format!("https://app.test/{}", "r".repeat(800)).into();
    })
    .await;
    let mut jar = Jar::default();
    let target = format!("/{}", "a".repeat(1000));
    let answer = world
        .post(&mut jar, "/login/start", &[("return_to", &target)])
        .await;
    assert_eq!(answer.code(), "invalid_request");
    assert_eq!(jar, Jar::default());
}

#[tokio::test]
async fn what_is_no_endpoint_is_not_found() {
    let world = World::new().await;
    let mut jar = Jar::default();
    for path in ["/", "/diagnostics", "/login/", "/Login", "/callback/x"] {
        assert_eq!(
            world.open(&mut jar, path).await.code(),
            "route_not_found",
            "{path}"
        );
    }
    let _: Value = world.session(&mut jar).await;
}
