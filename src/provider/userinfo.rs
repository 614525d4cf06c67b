//! The userinfo endpoint (OpenID Connect Core §5.3).
//!
//! `application/json` only: a signed answer is not asked for, and one that comes unasked is refused, not read
//! unverified. Nothing of it is used unless `sub` is the session's (T-19): the access token may be another user's.

use http::{HeaderValue, Request, StatusCode, header};
use serde_json::{Map, Value};
use url::Url;

use crate::token::AccessToken;

use super::http::Http;
use super::{ProviderError, strict_json};

/// The provider's claims about `subject`.
///
/// # Errors
/// `Unavailable`; `InvalidGrant` for a 401: the access token is no longer good; `Invalid` for all else.
pub(super) async fn fetch(
    http: &Http,
    endpoint: &Url,
    access: &AccessToken,
    subject: &str,
) -> Result<Map<String, Value>, ProviderError> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", access.expose()))
        .map_err(|_| invalid("the access token fits into no header"))?;
    bearer.set_sensitive(true);
    let request = Request::get(endpoint.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, bearer)
        .body(Vec::new())
        .map_err(|_| invalid("the endpoint is not a usable URL"))?;
    let response = http
        .send(request)
        .await
        .map_err(|error| error.about("userinfo"))?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED => return Err(ProviderError::InvalidGrant),
        status => return Err(invalid(&format!("it answered {}", status.as_u16()))),
    }
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(invalid("the answer is not `application/json`"));
    }
    let claims =
        strict_json::object(response.body()).map_err(|_| invalid("the answer is no clean JSON object"))?;
    if claims.get("sub").and_then(Value::as_str) != Some(subject) {
        return Err(invalid("`sub` is not that of the session"));
    }
    Ok(claims)
}

fn invalid(text: &str) -> ProviderError {
    ProviderError::Invalid(format!("userinfo: {text}").into())
}
