//! Back-Channel Logout: the provider ends sessions by a token that it signs (O-07 … O-16, attacks 115 to 122).

use http::Method;
use serde_json::{Value, json};

use crate::world::browser::Request;
use crate::world::{Browser, Reply, World};

mod ends;
mod refusals;

const PATH: &str = "/oauth-agent/backchannel-logout";

/// What the provider sends: a form, and nothing of a browser.
fn post<'a>(provider: &'a Browser, token: &str) -> Request<'a> {
    provider.bare(Method::POST, PATH).form(&[("logout_token", token)])
}

async fn send(world: &World, token: &str) -> Reply {
    post(&world.browser(), token).send().await
}

/// Signs a logout token with `changes` and sends it: 200 (§2.8, O-15).
async fn log_out(world: &World, changes: &Value) {
    let reply = send(world, &world.provider.logout_token(changes)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.text().as_str()),
        (200, ""),
        "{reply:?}"
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

/// 400 in the form of §2.8 (O-15).
fn assert_bad(reply: &Reply, why: &str) {
    assert_eq!(reply.status, 400, "{why}: {reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let body = reply.json();
    assert_eq!(body["error"], "invalid_request", "{why}");
    let description = body["error_description"].as_str().unwrap();
    assert!(
        !description.is_empty() && !description.contains(['"', '\\']),
        "{why}: {description}"
    );
    for (name, _) in body.as_object().unwrap() {
        assert!(
            ["error", "error_description"].contains(&name.as_str()),
            "{why}: {name}"
        );
    }
}

async fn signed_in_as(world: &World, user: &str) -> Browser {
    let browser = world.browser();
    let url = browser.start_login(&json!({})).await;
    let landed = browser.come_back(&world.provider.approve_as(&url, user)).await;
    assert!(landed.location_parameter("login_error").is_none(), "{landed:?}");
    browser
}

async fn assert_revoked(browser: &Browser) {
    let call = browser.get("/api/x").await;
    assert_eq!(
        (call.status.as_u16(), call.code().as_deref()),
        (401, Some("session_revoked"))
    );
    assert!(
        call.set_cookies().is_empty(),
        "contract §4: a 401 leaves the jar alone"
    );
    let session = browser.session().await;
    assert_eq!(session, json!({ "is_logged_in": false, "reason": "revoked" }));
}

async fn assert_alive(browser: &Browser) {
    assert_eq!(browser.get("/api/x").await.status, 200);
}
