//! Userinfo (OpenID Connect Core §5.3).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::DemoProvider;
use crate::demo::bearer::{self, Bearer};
use crate::demo::users::User;

/// `GET /userinfo`
pub(super) async fn userinfo(State(provider): State<Arc<DemoProvider>>, headers: HeaderMap) -> Response {
    if let Some(claims) = provider.claims_for(&headers) {
        return Json(claims).into_response();
    }
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
}

impl DemoProvider {
    fn claims_for(&self, headers: &HeaderMap) -> Option<Value> {
        let keys = serde_json::from_value(self.key.jwks()).ok()?;
        let Bearer { claims, .. } =
            bearer::admit(headers, &keys, &self.issuer, self.audience, self.now()).ok()?;
        // Unlike an API, the provider knows at once that it has revoked a grant.
        self.grants().live(claims.get("grant")?.as_u64()?)?;
        let user = User::named(claims.get("sub")?.as_str()?)?;
        Some(user.claims(claims.get("scope")?.as_str()?))
    }
}
