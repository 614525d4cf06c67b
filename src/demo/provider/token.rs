//! The token endpoint (RFC 6749 §4.1.3, §6; RFC 7636 §4.6).

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawForm, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::form_urlencoded::parse;

use super::DemoProvider;
use super::grants::Grant;
use crate::demo::stage::SHORT_LIFE_SECONDS;
use crate::demo::users::User;

/// `POST /token`
pub(super) async fn redeem(
    State(provider): State<Arc<DemoProvider>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let form = Fields::read(&form);
    if !provider.knows_client(&headers, &form) {
        return unknown_client();
    }
    let granted = match form.one("grant_type") {
        Some("authorization_code") => provider.redeem_code(&form),
        Some("refresh_token") => provider
            .grants()
            .use_refresh(form.one("refresh_token").unwrap_or_default()),
        _ => return error("unsupported_grant_type"),
    };
    match granted.and_then(|(id, grant)| provider.issue(id, &grant)) {
        Some(tokens) => no_store(Json(tokens).into_response()),
        None => error("invalid_grant"),
    }
}

/// 401 for a client that does not prove who it is (RFC 6749 §5.2).
pub(super) fn unknown_client() -> Response {
    let mut response = error("invalid_client");
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"demo\""),
    );
    response
}

impl DemoProvider {
    /// `client_secret_basic` or `client_secret_post`, one of them (RFC 6749 §2.3.1).
    pub(super) fn knows_client(&self, headers: &HeaderMap, form: &Fields) -> bool {
        let (id, secret) = match headers.get(header::AUTHORIZATION) {
            Some(basic) => match read_basic(basic) {
                Some(pair) => pair,
                None => return false,
            },
            None => (
                form.one("client_id").unwrap_or_default().to_owned(),
                form.one("client_secret").unwrap_or_default().to_owned(),
            ),
        };
        id == self.client.id
            && bool::from(
                secret
                    .as_bytes()
                    .ct_eq(self.client.secret.expose_secret().as_bytes()),
            )
    }

    fn redeem_code(&self, form: &Fields) -> Option<(u64, Grant)> {
        let (id, grant) = self.grants().redeem_code(form.one("code")?, self.now())?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form.one("code_verifier")?));
        let same =
            challenge == grant.request.challenge && form.one("redirect_uri")? == grant.request.redirect_uri;
        if !same {
            self.grants().revoke(id);
        }
        same.then_some((id, grant))
    }

    /// Access token, ID token and the next refresh token.
    fn issue(&self, id: u64, grant: &Grant) -> Option<Value> {
        let now = self.now().as_secs();
        let lives = if self.stage.takes_short_life(id) {
            SHORT_LIFE_SECONDS
        } else {
            ACCESS_TOKEN_SECONDS
        };
        let user = User::named(grant.who.user)?;
        let access = self.key.sign(
            "at+jwt",
            &json!({
                "iss": self.issuer, "aud": self.audience, "sub": user.name, "client_id": self.client.id,
                "scope": grant.request.scope, "sid": grant.who.sid, "jti": self.random.token(), "grant": id,
                "iat": now, "exp": now + lives + GRACE_SECONDS,
            }),
        );
        let mut claims = user.claims(&grant.request.scope);
        claims.as_object_mut()?.extend(
            json!({
                "iss": self.issuer, "aud": self.client.id, "sid": grant.who.sid, "auth_time": grant.who.since.as_secs(),
                "iat": now, "exp": now + ACCESS_TOKEN_SECONDS,
            })
            .as_object()?
            .clone(),
        );
        if let Some(nonce) = &grant.request.nonce {
            claims
                .as_object_mut()?
                .insert("nonce".into(), nonce.as_str().into());
        }
        let id_token = self.key.sign("JWT", &claims);
        let (access, id_token) = (access.ok()?, id_token.ok()?);
        let refresh = self.random.token();
        self.grants().keep_refresh(refresh.clone(), id, self.now());
        Some(json!({
            "access_token": access, "token_type": "Bearer", "expires_in": lives,
            "refresh_token": refresh, "id_token": id_token, "scope": grant.request.scope,
        }))
    }
}

/// The fields of a form.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn read(form: &[u8]) -> Self {
        Self(parse(form).into_owned().collect())
    }

    /// The one field of this name; two make none.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(other, _)| other == name);
        let first = found.next()?;
        found.next().is_none().then_some(first.1.as_str())
    }
}

/// Id and secret are form-urlencoded before they are joined (RFC 6749 §2.3.1).
fn read_basic(field: &HeaderValue) -> Option<(String, String)> {
    let decoded = String::from_utf8(
        STANDARD
            .decode(field.to_str().ok()?.strip_prefix("Basic ")?)
            .ok()?,
    )
    .ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |text: &str| {
        parse(format!("x={text}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

fn error(code: &str) -> Response {
    no_store((StatusCode::BAD_REQUEST, Json(json!({ "error": code }))).into_response())
}

fn no_store(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// How much longer a token is good than it is said to be: who believes what it is told never holds one that is over.
const GRACE_SECONDS: u64 = 1;
/// Short, so that a visitor sees a renewal happen.
const ACCESS_TOKEN_SECONDS: u64 = 120;
