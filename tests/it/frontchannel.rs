//! Front-Channel Logout: the provider's page embeds our address in a frame (O-18, attack 124).

use http::Method;
use serde_json::json;

use crate::world::{Browser, Reply, World};

/// As a browser asks for a frame of another site: without a single cookie of ours.
async fn frame(world: &World, parameters: &[(&str, &str)]) -> Reply {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    let browser = world.browser();
    let reply = browser
        .bare(Method::GET, &format!("/oauth-agent/frontchannel-logout?{query}"))
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "iframe")
        .header("referer", &world.provider.issuer)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.set_cookies().is_empty());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply
}

async fn assert_alive(browser: &Browser) {
    assert_eq!(browser.get("/api/x").await.status, 200);
}

#[tokio::test]
async fn a_recorded_session_ends_by_its_sid() {
    let world = World::new().await;
    let alice = world.signed_in().await;
    let saved = alice.copy();
    let bob = world.browser();
    let url = bob.start_login(&json!({})).await;
    bob.come_back(&world.provider.approve_as(&url, "bob")).await;
    let issuer = world.provider.issuer.clone();
    frame(&world, &[("iss", &issuer), ("sid", "sid-alice")]).await;
    for browser in [&alice, &saved] {
        let call = browser.get("/api/x").await;
        assert_eq!(
            (call.status.as_u16(), call.code().as_deref()),
            (401, Some("session_revoked"))
        );
        assert_eq!(
            browser.session().await,
            json!({ "is_logged_in": false, "reason": "logged_out" })
        );
    }
    assert_alive(&bob).await;
    // Attack 124: whoever asks is nobody, so nothing is revoked at the provider.
    assert!(world.provider.revoked().is_empty());
    let again = world.signed_in().await;
    assert_alive(&again).await;
}

#[tokio::test]
async fn anything_else_has_no_effect_and_looks_the_same() {
    let world = World::new().await;
    let alice = world.signed_in().await;
    let issuer = world.provider.issuer.clone();
    let unknown = frame(&world, &[("iss", &issuer), ("sid", "sid-nobody")]).await;
    for wrong in [
        vec![],
        vec![("sid", "sid-alice")],
        vec![("iss", issuer.as_str())],
        vec![("iss", issuer.as_str()), ("sid", "")],
        vec![("iss", ""), ("sid", "sid-alice")],
        vec![("iss", "https://other.example"), ("sid", "sid-alice")],
        vec![("iss", &format!("{issuer}/")), ("sid", "sid-alice")],
        vec![("iss", issuer.as_str()), ("sid", "SID-ALICE")],
        vec![
            ("iss", issuer.as_str()),
            ("sid", "sid-alice"),
            ("sid", "sid-alice"),
        ],
        vec![
            ("iss", issuer.as_str()),
            ("iss", issuer.as_str()),
            ("sid", "sid-alice"),
        ],
    ] {
        let reply = frame(&world, &wrong).await;
        assert_eq!(reply.body, unknown.body, "{wrong:?}");
        for name in ["content-type", "content-security-policy", "content-length"] {
            assert_eq!(reply.header(name), unknown.header(name), "{wrong:?} {name}");
        }
    }
    assert_alive(&alice).await;
    assert!(alice.is_signed_in().await);
    let post = alice
        .bare(Method::POST, "/oauth-agent/frontchannel-logout")
        .send()
        .await;
    assert_eq!((post.status.as_u16(), post.header("allow")), (405, Some("GET")));
    // Whoever previews links asks by HEAD.
    let head = alice
        .bare(Method::HEAD, "/oauth-agent/frontchannel-logout")
        .send()
        .await;
    assert_eq!(head.status, 405);
}

// B-13: the exception, for the provider alone.
#[tokio::test]
async fn only_the_provider_may_frame_it() {
    let world = World::new().await;
    world.signed_in().await;
    let reply = frame(&world, &[]).await;
    assert_eq!(
        reply.header("content-security-policy").unwrap(),
        format!("default-src 'none'; frame-ancestors {}", world.provider.issuer)
    );
    assert!(reply.header("x-frame-options").is_none());
    assert_eq!(reply.header("cross-origin-resource-policy"), Some("cross-origin"));
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));

    // A logout page on a host of its own.
    let world = World::new().await;
    world.provider.script(|script| {
        script.metadata = json!({ "end_session_endpoint": "http://localhost:1/out" })
            .as_object()
            .unwrap()
            .clone();
    });
    world.signed_in().await;
    let policy = frame(&world, &[]).await;
    let policy = policy.header("content-security-policy").unwrap();
    assert!(
        policy.ends_with(&format!(
            "frame-ancestors {} http://localhost:1",
            world.provider.issuer
        )),
        "{policy}"
    );
    let other = world.browser().visit("/oauth-agent/logged-out").send().await;
    assert!(
        other
            .header("content-security-policy")
            .unwrap()
            .contains("frame-ancestors 'none'")
    );
}

// Contract §3: (app, iss, sid). Another app's session of the same provider session is another app's business.
#[tokio::test]
async fn a_session_of_another_app_lives_on() {
    use crate::world::Plan;
    let plan = Plan {
        top: "[server]\nlisten = \"127.0.0.1:{port}\"\n".to_owned(),
        routes: Some(
            "[[app.route]]\npath = \"/api\"\nupstream = \"{upstream}\"\n\
             [[app]]\nid = \"other\"\norigin = \"http://app.localhost:{port}\"\nagent_path = \"/other-agent\"\n\
             [app.provider]\nissuer = \"{issuer}\"\nclient_id = \"shop-client\"\nclient_secret = \"env:CLIENT_SECRET\"\n\
             id_token_alg = \"ES256\"\n"
                .to_owned(),
        ),
        ..Plan::default()
    };
    let world = World::with(plan).await;
    let alice = world.signed_in().await;
    let issuer = url::form_urlencoded::byte_serialize(world.provider.issuer.as_bytes()).collect::<String>();
    let ask = async |agent: &str| {
        let path = format!("{agent}/frontchannel-logout?iss={issuer}&sid=sid-alice");
        assert_eq!(world.browser().bare(Method::GET, &path).send().await.status, 200);
    };
    ask("/other-agent").await;
    assert_alive(&alice).await;
    ask("/oauth-agent").await;
    assert_eq!(alice.get("/api/x").await.status, 401);
}
