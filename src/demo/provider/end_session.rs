//! RP-initiated logout (OpenID Connect RP-Initiated Logout §2); the client hears of it in the back channel.

use std::sync::Arc;

use axum::extract::{RawForm, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use cookie::{Cookie, SameSite};
use http::HeaderMap;
use http::header::{self, HeaderValue};
use url::Url;

use super::authorize::sso_cookie;
use super::token::Fields;
use super::{DemoProvider, page};
use crate::demo::bearer;

/// `GET /end-session`
pub(super) async fn end(
    State(provider): State<Arc<DemoProvider>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    provider.end_session(&headers, &Fields::read(query.unwrap_or_default().as_bytes()))
}

/// `POST /end-session`
pub(super) async fn end_by_form(
    State(provider): State<Arc<DemoProvider>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    provider.end_session(&headers, &Fields::read(&form))
}

impl DemoProvider {
    fn end_session(&self, headers: &HeaderMap, asked: &Fields) -> Response {
        // The hint may have expired (§2): its signature is what counts.
        let hint = asked.one("id_token_hint").and_then(|hint| {
            let keys = serde_json::from_value(self.key.jwks()).ok()?;
            bearer::claims_of_hint(hint, &keys, &self.issuer, self.client.id)
        });
        let sid = hint
            .as_ref()
            .and_then(|claims| claims.get("sid")?.as_str().map(str::to_owned));
        let known_client = hint.is_some() || asked.one("client_id") == Some(self.client.id);
        let ended = self
            .grants()
            .sign_out(sso_cookie(headers).as_deref(), sid.as_deref());
        self.tell_client(ended);

        let registered = |uri: &&str| {
            self.client
                .post_logout_redirect_uris
                .iter()
                .any(|known| known == uri)
        };
        let target = asked
            .one("post_logout_redirect_uri")
            .filter(registered)
            .filter(|_| known_client);
        let mut response = match target.and_then(|uri| Url::parse(uri).ok()) {
            Some(mut url) => {
                url.query_pairs_mut()
                    .extend_pairs(asked.one("state").map(|state| ("state", state)));
                Redirect::to(url.as_str()).into_response()
            }
            None => page::signed_out(),
        };
        let gone = Cookie::build(("demo-provider-session", ""))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax);
        if let Ok(gone) = HeaderValue::try_from(gone.removal().build().to_string()) {
            response.headers_mut().append(header::SET_COOKIE, gone);
        }
        response
    }
}
