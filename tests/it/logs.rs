//! A canary through a whole run (G-01): everything that happens to a session, well and badly, is logged at the most
//! talkative level, by us and by every library, and no secret of the run is found in it.

use std::io;
use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::world::provider::{CLIENT_SECRET, Instead};
use crate::world::upstream::Answer;
use crate::world::{Browser, COOKIE_KEY, World, parameter};

/// Collects what is written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What must not be found, gathered as the run goes.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    fn add(&mut self, secret: impl Into<String>) {
        let secret = secret.into();
        if secret.len() >= 8 {
            self.0.push(secret);
        }
    }

    /// Starts a login and notes what its URL holds.
    async fn start(&mut self, browser: &Browser) -> String {
        let url = browser.start_login(&json!({})).await;
        for name in ["state", "nonce", "code_challenge"] {
            self.add(parameter(&url, name).unwrap());
        }
        url
    }

    async fn sign_in(&mut self, world: &World, browser: &Browser) {
        let url = self.start(browser).await;
        let landed = browser.come_back(&world.provider.approve(&url)).await;
        assert_eq!(landed.location(), "/", "{landed:?}");
    }

    /// What the provider issued and saw, and every cookie that was ever set.
    fn gather(&mut self, world: &World, browsers: &[&Browser]) {
        for token in world.provider.issued() {
            self.0
                .extend(token.split('.').filter(|part| part.len() >= 8).map(str::to_owned));
        }
        for asked in world.provider.asked("/token") {
            for (name, value) in asked.form {
                if !["grant_type", "redirect_uri", "client_id"].contains(&name.as_str()) {
                    self.add(value);
                }
            }
            self.0.extend(
                asked
                    .headers
                    .get("authorization")
                    .map(|field| field.to_str().unwrap().replace("Basic ", "")),
            );
        }
        for browser in browsers {
            browser.jar().ever.iter().for_each(|value| self.add(value));
        }
    }

    /// Whole or in part.
    fn found_in(&self, log: &str) -> Vec<&str> {
        let pieces = |secret: &'_ str| -> Vec<String> {
            let middle = secret.len() / 2;
            [Some(secret), secret.get(..24), secret.get(middle..middle + 24)]
                .into_iter()
                .flatten()
                .map(str::to_owned)
                .collect()
        };
        self.0
            .iter()
            .map(String::as_str)
            .filter(|secret| pieces(secret).iter().any(|piece| log.contains(piece)))
            .collect()
    }
}

// G-01, T-22, attacks 29 and 184.
#[tokio::test]
async fn no_secret_of_a_whole_run_is_in_any_log() {
    let written = Written::default();
    let _guard = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(written.clone())
        .finish()
        .set_default();
    // With one dispatcher alive, tracing asks the thread that meets an event first, for all threads: a test running beside
    // this one would silence it. With two it asks them.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());

    let world = World::new().await;
    let mut secrets = Secrets::default();
    secrets.add(COOKIE_KEY);
    secrets.add(CLIENT_SECRET);
    secrets.add("canary");
    let (alice, bob) = (world.browser(), world.browser());

    well(&world, &alice, &mut secrets).await;
    logins_gone_wrong(&world, &bob, &mut secrets).await;
    calls_gone_wrong(&world, &bob, &mut secrets).await;
    renewals_gone_wrong(&world, &bob, &mut secrets).await;
    told_by_the_provider(&world, &mut secrets).await;
    leave(&world, &alice).await;

    secrets.gather(&world, &[&alice, &bob]);
    assert!(secrets.0.len() > 100, "only {} secrets", secrets.0.len());
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    for said in [
        "TRACE",
        "hyper_util",
        "rustls",
        "session_began",
        "session_renewed",
        "session_ended",
        "back_channel_logout",
        "front_channel_logout",
        "login_failed",
        "session_renewal_failed",
        "session_renewal_rejected",
        "token_revocation_failed",
        "upstream_header_dropped",
        "upstream_unavailable",
        "login_state_invalid",
    ] {
        assert!(
            log.contains(said),
            "{said} is not in the log: the run does not do what it says"
        );
    }
    let found = secrets.found_in(&log);
    assert!(found.is_empty(), "in the log: {found:?}\n{log}");
}

/// A session from its login on.
async fn well(world: &World, browser: &Browser, secrets: &mut Secrets) {
    secrets.sign_in(world, browser).await;
    assert!(browser.is_signed_in().await);
    let call = browser.fetch(Method::POST, "/api/orders?q=canary-query");
    let call = call.header("authorization", "Bearer canary-of-the-client");
    assert_eq!(call.json(&json!({ "body": "canary" })).send().await.status, 200);
    assert_eq!(browser.get("/oauth-agent/userinfo").await.status, 200);
    assert_eq!(browser.post("/oauth-agent/refresh", &json!({})).await.status, 200);
    world.clock.advance_secs(290);
    assert_eq!(browser.get("/api/orders").await.status, 200);
}

async fn logins_gone_wrong(world: &World, browser: &Browser, secrets: &mut Secrets) {
    let provider = &world.provider;
    for path in [
        "/oauth-agent/callback?code=canary-code&state=canary-state",
        "/oauth-agent/callback?error=canary-error&error_description=canary-words",
        "/oauth-agent/login?return_to=https://canary.test/",
        "/oauth-agent/login?client_secret=canary-value",
        "/oauth-agent/logged-out?state=canary-state",
        "/oauth-agent/end-session?id_token_hint=canary-hint",
    ] {
        browser.visit(path).send().await;
    }
    // The provider says no, in its own words; a replay; another issuer.
    let url = secrets.start(browser).await;
    let back = provider.refuse(&url, "access_denied");
    browser.come_back(&back).await;
    browser.come_back(&back).await;
    let url = secrets.start(browser).await;
    let back = provider.approve(&url);
    browser.come_back(&back.replace("&iss=", "&iss=canary-")).await;
    // An ID token of another login; an answer with tokens in the wrong place; errors with words of their own.
    provider.script(|script| _ = script.id_token.insert("nonce".to_owned(), json!("canary-nonce")));
    let url = secrets.start(browser).await;
    browser.come_back(&provider.approve(&url)).await;
    provider.script(|script| script.id_token.clear());
    for turn in [
        Instead::json(
            200,
            &json!({ "access_token": "canary-access", "token_type": "canary-mac" }),
        ),
        Instead::json(200, &json!({ "access_token": ["canary-access"] })),
        Instead::json(
            400,
            &json!({ "error": "canary_error", "error_description": "canary" }),
        ),
        Instead::error("invalid_grant"),
        Instead::html(500),
    ] {
        provider.script(|script| script.token_turns.push_back(turn));
        let url = secrets.start(browser).await;
        browser.come_back(&provider.approve(&url)).await;
    }
    assert!(!browser.is_signed_in().await);
}

async fn calls_gone_wrong(world: &World, browser: &Browser, secrets: &mut Secrets) {
    secrets.sign_in(world, browser).await;
    // An API that shows what it got, and sets cookies that look like ours.
    world.upstream.script(|seen| {
        let bearer = seen.one("authorization").unwrap_or_default().to_owned();
        Answer::json(
            "{}",
            &format!(
                "x-echo: {bearer}\r\nlocation: https://x.test/?t={bearer}\r\n\
                 set-cookie: __Host-Http-shop-at=canary-cookie; Secure\r\n"
            ),
        )
    });
    assert_eq!(browser.get("/api/x").await.status, 200);
    world
        .upstream
        .script(|_| Answer::BytesThenClose(b"HTTP/1.1 canary-status".to_vec()));
    assert_eq!(browser.get("/api/x?token=canary").await.status, 502);
    world.upstream.script(|_| Answer::json("{}", ""));
    // Cookies that were tampered with, and ones that are none.
    let mut thief = browser.copy();
    let stolen = thief.jar().value("__Host-Http-shop-at").unwrap().to_owned();
    thief.jar().plant(
        "__Host-Http-shop-at",
        &format!("{}canary", &stolen[..stolen.len() - 6]),
    );
    assert_eq!(thief.get("/api/x").await.status, 401);
    thief = browser.copy();
    thief.jar().plant("__Host-Http-shop-rt", "canary-canary-canary");
    assert_eq!(thief.get("/oauth-agent/session").await.status, 200);
    // Heads that are refused before anything is looked at.
    for request in [
        format!(
            "GET /api/%zz?canary HTTP/1.1\r\nHost: {}\r\nCookie: a=canary\r\n\r\n",
            world.host()
        ),
        "GET /api HTTP/1.1\r\nHost: canary.test\r\nAuthorization: Bearer canary\r\n\r\n".to_owned(),
        format!(
            "GET /api HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n",
            world.host(),
            "canary".repeat(8000)
        ),
    ] {
        world.raw(request).await;
    }
}

async fn renewals_gone_wrong(world: &World, browser: &Browser, secrets: &mut Secrets) {
    let provider = &world.provider;
    for turn in [
        Instead::html(503),
        Instead::json(200, &json!({ "access_token": "canary access" })),
        Instead::json(
            400,
            &json!({ "error": "canary", "error_uri": "https://canary.test" }),
        ),
    ] {
        provider.script(|script| script.token_turns.push_back(turn));
        world.clock.advance_secs(301);
        browser.get("/api/x").await;
    }
    world.clock.advance_secs(5);
    assert_eq!(browser.get("/api/x").await.status, 200);
    // A refreshed ID token of somebody else.
    provider.script(|script| _ = script.id_token.insert("sub".to_owned(), json!("canary-mallory")));
    world.clock.advance_secs(301);
    assert_eq!(browser.get("/api/x").await.status, 502);
    provider.script(|script| script.id_token.clear());
    // A grant that is over.
    secrets.sign_in(world, browser).await;
    provider.script(|script| script.token_turns.push_back(Instead::error("invalid_grant")));
    world.clock.advance_secs(301);
    assert_eq!(browser.get("/api/x").await.status, 401);
}

/// The provider ends sessions: well, again, wrongly, and by way of a frame.
async fn told_by_the_provider(world: &World, secrets: &mut Secrets) {
    let provider = &world.provider;
    let sid = "canary-of-a-sid";
    provider.script(|script| {
        script
            .id_token
            .clone_from(json!({ "sid": sid }).as_object().unwrap())
    });
    let sound =
        json!({ "sub": "canary-of-a-sub", "sid": sid, "jti": "canary-of-a-jti", "iat": world.clock.secs() });
    let nobodys = provider.logout_token(&json!({ "sub": "canary-of-a-sub", "jti": "canary-of-a-jti" }));
    let wrong = provider
        .logout_token(&json!({ "sub": "canary-of-a-sub", "jti": "canary-of-a-jti", "nonce": "canary" }));
    for (token, status) in [
        (nobodys.clone(), 200),
        (nobodys, 400),
        (wrong, 400),
        (provider.logout_token(&sound), 400),
    ] {
        let heard = world
            .browser()
            .bare(Method::POST, "/oauth-agent/backchannel-logout")
            .form(&[("logout_token", &token)])
            .send()
            .await;
        assert_eq!(heard.status, status);
        secrets.0.extend(token.split('.').map(str::to_owned));
    }
    let browser = world.browser();
    secrets.sign_in(world, &browser).await;
    let issuer = &provider.issuer;
    let frame = format!("/oauth-agent/frontchannel-logout?iss={issuer}&sid={sid}");
    assert_eq!(world.browser().bare(Method::GET, &frame).send().await.status, 200);
    assert_eq!(browser.get("/api/x").await.status, 401);
    provider.script(|script| script.id_token.clear());
}

/// The provider cannot revoke, and says so at length.
async fn leave(world: &World, browser: &Browser) {
    let provider = &world.provider;
    provider.instead(
        "/revoke",
        Instead::json(400, &json!({ "error": "canary", "error_description": "canary" })),
    );
    let left = browser.post("/oauth-agent/logout", &json!({})).await;
    assert_eq!(left.status, 200);
    let further = browser.visit("/oauth-agent/end-session").send().await;
    assert!(
        further.location_parameter("id_token_hint").is_some(),
        "{further:?}"
    );
    provider
        .eventually("both tokens were tried", || provider.asked("/revoke").len() >= 2)
        .await;
    assert_eq!(browser.get("/api/x").await.status, 401);
}
