//! The shapes of answers.

use axum::response::IntoResponse as _;
use http::StatusCode;

use super::world::app;
use crate::agent::answer;
use crate::refusal::{Code, Refusal};

#[test]
fn a_refusal_leaves_the_router_whole() {
    let refusal = Refusal::new(Code::ProviderUnavailable).retry_after(2);
    let response = refusal.into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let carried = response.extensions().get::<Refusal>().unwrap();
    assert_eq!(
        (carried.code, carried.retry_after),
        (Code::ProviderUnavailable, Some(2))
    );
}

#[test]
fn a_path_that_no_longer_passes_leads_home() {
    let mut app = app("https://login.test");
    app.error_path = "//evil.test".into();
    for (path, location) in [
        ("/bye", "/bye"),
        ("//evil.test", "/"),
        ("https://evil.test/", "/"),
    ] {
        let response = answer::to_page(&app, path, Vec::new()).unwrap();
        assert_eq!(response.headers()["location"], location);
    }
}
