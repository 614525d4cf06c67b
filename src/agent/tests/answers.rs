//! The shapes of answers.

use axum::body::{Body, to_bytes};
use axum::response::IntoResponse as _;
use http::{Method, StatusCode};
use serde_json::Value;

use super::world::app;
use crate::agent::answer;
use crate::gate::RequestId;
use crate::refusal::{Code, Demanded, Refusal};

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

/// RFC 9470 §3, contract §6: script learns what the next login must bring.
#[tokio::test]
async fn a_step_up_says_what_it_takes() {
    let render = async |acr_values: &str, max_age| {
        let refusal = Refusal {
            demanded: Some(Demanded {
                acr_values: acr_values.into(),
                max_age,
            }),
            ..Refusal::new(Code::StepUpRequired)
        };
        let response = refusal.render(RequestId(42), &Method::POST);
        let body = to_bytes(Body::new(response.into_body()), 1 << 16).await.unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    let whole = render("gold platinum", Some(60)).await;
    assert_eq!(whole["error_code"], "step_up_required");
    assert_eq!(whole["acr_values"], "gold platinum");
    assert_eq!(whole["max_age"], 60);
    let empty = render("", None).await;
    assert!(empty.get("acr_values").is_none() && empty.get("max_age").is_none());
}
