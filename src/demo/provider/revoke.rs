//! Token revocation (RFC 7009): 200 whether the token was known or not.

use std::sync::Arc;

use axum::extract::{RawForm, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

use super::DemoProvider;
use super::token::{Fields, unknown_client};

/// `POST /revoke`. A refresh token takes its whole grant along (§2.1); an access token of this provider lives a minute
/// or two and is left to expire.
pub(super) async fn revoke(
    State(provider): State<Arc<DemoProvider>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let form = Fields::read(&form);
    if !provider.knows_client(&headers, &form) {
        return unknown_client();
    }
    let mut grants = provider.grants();
    if let Some(grant) = form.one("token").and_then(|token| grants.of_refresh(token)) {
        grants.revoke(grant);
    }
    StatusCode::OK.into_response()
}
