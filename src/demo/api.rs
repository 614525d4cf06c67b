//! The example API: validates the JWT of every request by the provider's JWKS and shows what reached it.
//!
//! It knows nothing of cookies or sessions: that is the point of a token handler.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Json, Router};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Uri};
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Map, Value, json};
use tokio::sync::RwLock;

use super::bearer::{self, Bearer, Denied};
use super::stage::{self, Stage};
use crate::clock::Clock;

/// The audience of its tokens.
pub(crate) const AUDIENCE: &str = "https://api.demo.example";

/// What the API knows about its provider: issuer, keys, nothing else.
#[derive(Debug)]
pub(crate) struct ExampleApi {
    issuer: String,
    jwks_uri: String,
    client: reqwest::Client,
    keys: RwLock<Option<Arc<JwkSet>>>,
    stage: Arc<Stage>,
    clock: Arc<dyn Clock>,
}

impl ExampleApi {
    /// An API that trusts `issuer`; its keys are fetched when the first token arrives.
    pub(crate) fn new(
        issuer: &str,
        stage: Arc<Stage>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        Ok(Self {
            issuer: issuer.to_owned(),
            jwks_uri: format!("{issuer}/jwks"),
            client: client.timeout(std::time::Duration::from_secs(5)).build()?,
            keys: RwLock::default(),
            stage,
            clock,
        })
    }

    /// All its endpoints, every one behind the validation; then what the demo needs to show how it works, and a word for
    /// who follows its address out of the banner.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        let stage = Arc::clone(&self.stage);
        let public = Router::new()
            .route("/api/stage", get(stage::shown))
            .route("/api/stage/loot", get(stage::loot))
            .with_state(Arc::clone(&stage));
        Router::new()
            .route("/api/echo", any(echo))
            .route("/api/orders", any(orders))
            .route("/api/stage/expire", post(stage::expire).with_state(stage))
            .fallback(|| async { (StatusCode::NOT_FOUND, Json(json!({ "error": "not_found" }))) })
            .layer(middleware::from_fn_with_state(self, admit))
            .merge(public)
            .route("/", get(index))
    }

    async fn validate(&self, headers: &HeaderMap) -> Result<Bearer, Denied> {
        if let Some(keys) = self.keys.read().await.clone() {
            match bearer::admit(headers, &keys, &self.issuer, AUDIENCE, self.clock.now()) {
                // Perhaps the provider has a new key since: ask once (OpenID Connect Core §10.1.1).
                Err(Denied::UnknownKey) => {}
                decided => return decided,
            }
        }
        let keys = Arc::new(self.fetch_keys().await.map_err(|_| Denied::UnknownKey)?);
        *self.keys.write().await = Some(keys.clone());
        bearer::admit(headers, &keys, &self.issuer, AUDIENCE, self.clock.now())
    }

    async fn fetch_keys(&self) -> Result<JwkSet, reqwest::Error> {
        self.client
            .get(&self.jwks_uri)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await
    }
}

/// `GET /`
async fn index() -> Json<Value> {
    Json(
        json!({ "endpoints": ["/api/echo", "/api/orders"], "needs": "Authorization: Bearer, a token of the demo provider" }),
    )
}

async fn admit(State(api): State<Arc<ExampleApi>>, mut request: Request, next: Next) -> Response {
    api.stage.reached(request.uri().query());
    match api.validate(request.headers()).await {
        Ok(bearer) => {
            request.extensions_mut().insert(Arc::new(bearer));
            next.run(request).await
        }
        Err(denied) => {
            let challenge = match denied {
                Denied::Missing => "Bearer",
                _ => "Bearer error=\"invalid_token\"",
            };
            let body = json!({ "error": "invalid_token", "error_description": denied.to_string() });
            let headers = [(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))];
            (StatusCode::UNAUTHORIZED, headers, Json(body)).into_response()
        }
    }
}

/// `ANY /api/echo`: what arrived. The bearer as claims and a fingerprint, never the token itself.
async fn echo(
    Extension(bearer): Extension<Arc<Bearer>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Json<Value> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let cookies: Vec<String> = headers.get_all(header::COOKIE).iter().map(text).collect();
    let mut shown = Map::new();
    for name in headers.keys().filter(|name| **name != header::AUTHORIZATION) {
        let values: Vec<String> = headers.get_all(name).iter().map(text).collect();
        shown.insert(name.to_string(), values.join(", ").into());
    }
    Json(json!({
        "method": method.as_str(),
        "path": uri.path(),
        "query": uri.query(),
        "authorization": { "scheme": "Bearer", "fingerprint": bearer.fingerprint, "claims": bearer.claims },
        "cookies": cookies,
        "headers": shown,
        "body": body,
    }))
}

/// `ANY /api/orders`: something that belongs to the user.
async fn orders(Extension(bearer): Extension<Arc<Bearer>>) -> Json<Value> {
    let subject = bearer
        .claims
        .get("sub")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let coat = if subject == "alice" {
        "duffle coat"
    } else {
        "trench coat"
    };
    Json(json!({
        "owner": subject,
        "orders": [
            { "id": 41, "item": coat, "ticket": "A-041", "status": "hanging" },
            { "id": 42, "item": "umbrella", "ticket": "A-042", "status": "collected" },
        ],
    }))
}
