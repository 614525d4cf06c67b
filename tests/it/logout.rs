//! The end of a session. Standards O-; attacks G.

use http::Method;
use serde_json::json;
use url::Url;

use crate::world::provider::Instead;
use crate::world::{Plan, World};

#[tokio::test]
async fn logout_ends_the_session_everywhere_and_revokes_its_tokens() {
    // O-01, O-02; attacks 79, 91, 128.
    let world = World::new().await;
    let browser = world.signed_in().await;
    let stolen = browser.copy();
    let out = browser.post("/oauth-agent/logout", &json!({})).await;
    assert_eq!(
        (out.status.as_u16(), out.header("cache-control")),
        (200, Some("no-store"))
    );
    let left: Vec<String> = browser
        .jar()
        .names()
        .into_iter()
        .filter(|name| !name.contains("-end"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let replayed = stolen.get("/api/x").await;
    assert_eq!(
        (replayed.status.as_u16(), replayed.code().as_deref()),
        (401, Some("session_revoked"))
    );
    assert_eq!(
        stolen.session().await,
        json!({ "is_logged_in": false, "reason": "logged_out" })
    );
    let revoked = world.provider.revoked();
    assert!(
        revoked.iter().any(|token| token.starts_with("RT"))
            && revoked.iter().any(|token| token.starts_with("AT")),
        "contract §3: the answer says that it is done"
    );
    for asked in world.provider.asked("/revoke") {
        assert!(asked.one("token_type_hint").is_some());
        assert!(
            asked.headers.contains_key("authorization"),
            "RFC 7009 §2.1: client-authenticated"
        );
    }
}

#[tokio::test]
async fn the_way_to_the_provider_leads_through_end_session_once() {
    // O-03; attack 125; contract §3.
    let world = World::new().await;
    let browser = world.signed_in().await;
    let out = browser.post("/oauth-agent/logout", &json!({})).await;
    let url = out.json()["logout_url"].as_str().unwrap().to_owned();
    assert!(url.ends_with("/oauth-agent/end-session"), "{url}");
    let path = url.strip_prefix(&world.origin).unwrap_or(&url).to_owned();
    let thief = browser.copy();
    let away = browser.visit(&path).send().await;
    assert_eq!(away.status, 303);
    let away = Url::parse(away.location()).unwrap();
    let one = |name: &str| {
        away.query_pairs()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(away.path(), "/end-session");
    assert!(world.provider.issued().contains(&one("id_token_hint").unwrap()));
    assert_eq!(one("client_id").as_deref(), Some("shop-client"));
    assert_eq!(
        one("post_logout_redirect_uri").unwrap(),
        format!("{}/oauth-agent/logged-out", world.origin)
    );
    assert!(one("state").unwrap().len() >= 22);
    assert!(browser.jar().names().is_empty(), "{:?}", browser.jar().names());
    for again in [&browser, &thief] {
        let reply = again.visit(&path).send().await;
        assert_eq!(reply.status, 303);
        assert!(!reply.location().contains("id_token_hint"), "{reply:?}");
    }
    // O-04: whatever state comes back.
    for query in ["", "?state=other", "?state=a&state=b"] {
        let landed = browser
            .arrive(&format!("/oauth-agent/logged-out{query}"))
            .send()
            .await;
        assert_eq!(landed.status, 303);
        assert!(landed.set_cookies().is_empty());
        assert_eq!(
            Url::parse("http://x.invalid")
                .unwrap()
                .join(landed.location())
                .unwrap()
                .path(),
            "/"
        );
    }
}

#[tokio::test]
async fn end_session_is_over_after_two_minutes() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    browser.post("/oauth-agent/logout", &json!({})).await;
    world.clock.advance_secs(121);
    let reply = browser.visit("/oauth-agent/end-session").send().await;
    assert_eq!(reply.status, 303);
    assert!(!reply.location().contains("id_token_hint"));
}

#[tokio::test]
async fn logout_without_a_session_is_quiet() {
    let world = World::new().await;
    let reply = world.browser().post("/oauth-agent/logout", &json!({})).await;
    assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({})));
}

#[tokio::test]
async fn logout_works_while_the_provider_is_down() {
    // O-02; attack 127.
    let world = World::new().await;
    let browser = world.signed_in().await;
    for path in ["/revoke", "/token", "/.well-known/openid-configuration"] {
        world.provider.instead(path, Instead::html(500));
    }
    let stolen = browser.copy();
    assert_eq!(browser.post("/oauth-agent/logout", &json!({})).await.status, 200);
    assert!(!browser.is_signed_in().await);
    assert_eq!(stolen.get("/api/x").await.status, 401);
}

#[tokio::test]
async fn a_provider_without_end_session_gives_no_logout_url() {
    let world = World::new().await;
    world.provider.script(|script| {
        script.metadata = json!({ "end_session_endpoint": null })
            .as_object()
            .unwrap()
            .clone()
    });
    let browser = world.signed_in().await;
    let out = browser.post("/oauth-agent/logout", &json!({})).await;
    assert_eq!((out.status.as_u16(), out.json()), (200, json!({})));
    assert!(browser.jar().names().is_empty());
    let world = World::with(Plan {
        provider: "logout_mode = \"local\"".into(),
        ..Plan::default()
    })
    .await;
    let out = world
        .signed_in()
        .await
        .post("/oauth-agent/logout", &json!({}))
        .await;
    assert_eq!(out.json(), json!({}));
}

#[tokio::test]
async fn logout_cannot_be_forced_from_elsewhere() {
    // O-06; attacks 109, 110.
    let world = World::new().await;
    let browser = world.signed_in().await;
    let get = browser.visit("/oauth-agent/logout?sid=wrong").send().await;
    assert_eq!(
        (
            get.status.as_u16(),
            get.header("allow").map(|allow| allow.contains("POST"))
        ),
        (405, Some(true))
    );
    for site in ["cross-site", "same-site"] {
        let form = browser
            .fetch(Method::POST, "/oauth-agent/logout")
            .without("token-handler-version")
            .header("sec-fetch-site", site)
            .header("origin", "http://evil.localhost")
            .form(&[("a", "b")])
            .send()
            .await;
        assert_eq!(form.status, 403);
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn userinfo_shows_the_providers_claims_of_this_user_only() {
    // T-19; attack 190.
    let world = World::new().await;
    let browser = world.signed_in().await;
    let reply = browser.get("/oauth-agent/userinfo").await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (200, json!({ "sub": "alice", "name": "Alice from userinfo" }))
    );
    for wrong in [json!({ "sub": "bob" }), json!({ "sub": null })] {
        world
            .provider
            .script(|script| script.userinfo = wrong.as_object().unwrap().clone());
        let reply = browser.get("/oauth-agent/userinfo").await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (502, Some("provider_response_invalid")),
            "{wrong}"
        );
    }
    world.provider.instead("/userinfo", Instead::html(503));
    assert_eq!(
        browser.get("/oauth-agent/userinfo").await.code().as_deref(),
        Some("provider_unavailable")
    );
    let nobody = world.browser().get("/oauth-agent/userinfo").await;
    assert_eq!(
        (nobody.status.as_u16(), nobody.code().as_deref()),
        (401, Some("session_missing"))
    );
}
