//! A configuration in place of another.

use http::{Request, StatusCode};

use super::*;
use crate::body::RequestBody;
use crate::config::tests::fixture;
use crate::config::{App, Route};
use crate::gate::tests::app;
use crate::handler::tests::routes;

fn config(app: App, routes: Vec<Route>) -> Config {
    let app = App {
        routes: routes.into_iter().map(Arc::new).collect(),
        ..app
    };
    fixture::config(vec![app])
}

async fn status(handler: &TokenHandler, path: &str) -> StatusCode {
    let request = Request::builder()
        .uri(path)
        .header("host", "shop.example.com")
        .header("token-handler-version", "1")
        .body(RequestBody::Empty)
        .unwrap();
    handler.handle(request, [192, 0, 2, 1].into()).await.status()
}

#[tokio::test]
async fn every_clone_sees_the_new_configuration_at_its_next_request() {
    let before = config(app(), Vec::new());
    let handler = TokenHandler::new(&before, Environment::default()).unwrap();
    let of_a_connection = handler.clone();
    let router = handler.router();
    assert_eq!(status(&of_a_connection, "/api").await, 404);
    handler
        .reload(&config(app(), routes("http://127.0.0.1:1")))
        .unwrap();
    assert_eq!(status(&of_a_connection, "/api").await, 401);
    let asked = Request::builder()
        .uri("/api")
        .header("host", "shop.example.com")
        .header("token-handler-version", "1")
        .body(axum::body::Body::empty())
        .unwrap();
    let answered = tower::ServiceExt::oneshot(router, asked).await.unwrap();
    assert_eq!(answered.status(), 401);
}

#[tokio::test]
async fn what_cannot_be_built_changes_nothing() {
    let handler = TokenHandler::new(
        &config(app(), routes("http://127.0.0.1:1")),
        Environment::default(),
    )
    .unwrap();
    let mut broken = app();
    broken.provider.ca_pem =
        Some(b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n".to_vec());
    assert!(handler.reload(&config(broken, Vec::new())).is_err());
    assert_eq!(status(&handler, "/api").await, 401);
}

/// Metadata and keys that are known serve on while the provider is down; those of another registration are not its.
#[tokio::test]
async fn a_provider_is_kept_exactly_while_nothing_about_it_is_different() {
    let handler = TokenHandler::new(&config(app(), Vec::new()), Environment::default()).unwrap();
    let provider = || Arc::clone(&handler.view.live().current().apps[0].sessions.parts.provider);
    let first = provider();
    handler
        .reload(&config(app(), routes("http://127.0.0.1:1")))
        .unwrap();
    assert!(Arc::ptr_eq(&first, &provider()));
    let mut other = app();
    other.provider.client_id = "another".into();
    handler.reload(&config(other, Vec::new())).unwrap();
    assert!(!Arc::ptr_eq(&first, &provider()));
}

#[test]
fn idle_connections_keep_their_name_and_apps_what_they_have_under_way() {
    let upstream = ["http://127.0.0.1:1", "http://127.0.0.1:2"];
    let before = config(app(), routes(upstream[0]));
    let handler = TokenHandler::new(&before, Environment::default()).unwrap();
    let names = || handler.lasting.heirlooms.lock().unwrap().upstreams.clone();
    let first = names();
    assert_eq!(first.len(), 1);
    handler.reload(&config(app(), routes(upstream[1]))).unwrap();
    handler.reload(&before).unwrap();
    assert_eq!(names().len(), 2);
    assert!(first.iter().all(|(name, key)| names().get(name) == Some(key)));

    // An app that goes is waited for all the same, and is there once.
    let other = App {
        id: AppId("other".into()),
        ..fixture::app_at("https://other.example.org")
    };
    handler.reload(&fixture::config(vec![other])).unwrap();
    handler.reload(&before).unwrap();
    assert_eq!(handler.lasting.under_way().len(), 2);
}
