//! `examples/axum-app.rs`, run: a login through somebody else's axum app, and calls of the API behind it.

use std::net::SocketAddr;
use std::sync::Arc;

use cloakroom::{Environment, TokenHandler};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::world::{Browser, Plan, Provider, TestClock, config, read};

#[allow(dead_code, reason = "its `main` is what a user runs")]
#[path = "../../examples/axum-app.rs"]
mod axum_app;

/// The example's front and API, on ports of the test.
async fn start(provider: &Provider) -> (Browser, TempDir) {
    let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("http://{}", api.local_addr().unwrap());
    let address = front.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text = config(&Plan::default(), address, &provider.issuer, &upstream);
    let clock = Arc::new(TestClock::default());
    provider.follow(clock.clone());
    let environment = Environment {
        clock,
        ..Environment::default()
    };
    let handler = TokenHandler::new(&read(&text, folder.path()), environment).unwrap();
    tokio::spawn(async { axum::serve(api, axum_app::api()).await });
    tokio::spawn(async move {
        let service = axum_app::front(&handler).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(front, service).await
    });
    (
        Browser::new(&format!("http://app.localhost:{}", address.port())),
        folder,
    )
}

#[tokio::test]
async fn a_user_signs_in_through_an_app_that_mounts_the_handler() {
    let provider = Provider::start().await;
    let (browser, _folder) = start(&provider).await;
    assert_eq!(
        browser.get("/about").await.text(),
        "An app with a token handler in it."
    );
    let refused = browser.get("/api/hello").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_deref()),
        (401, Some("session_missing"))
    );
    browser.sign_in(&provider).await;
    assert!(browser.is_signed_in().await);
    let hello = browser.get("/api/hello").await;
    assert_eq!(hello.status, 200);
    assert!(hello.text().starts_with("hello, bearer of "), "{hello:?}");
    let forged = browser
        .fetch(http::Method::GET, "/api/hello")
        .without("token-handler-version")
        .send()
        .await;
    assert_eq!(forged.code().as_deref(), Some("csrf_rejected"));
    let nothing = browser.get("/nothing").await;
    assert_eq!(nothing.code().as_deref(), Some("route_not_found"));
    let left = browser.post("/oauth-agent/logout", &serde_json::json!({})).await;
    assert_eq!(left.status, 200);
    assert!(!browser.is_signed_in().await);
}
