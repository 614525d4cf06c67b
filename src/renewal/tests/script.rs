//! A provider that does what a test says: metadata, keys, token endpoint, revocation.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::sync::watch;

type Reply = dyn Fn(&Asked) -> (StatusCode, Value) + Send + Sync;

/// One request to the token endpoint.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The refresh token sent.
    pub(super) refresh: String,
    /// From 1.
    pub(super) number: usize,
}

pub(super) struct Script {
    pub(super) issuer: String,
    pub(super) keys: Mutex<Value>,
    reply: Mutex<Arc<Reply>>,
    asked: watch::Sender<Vec<Asked>>,
    revoked: watch::Sender<Vec<String>>,
    held: watch::Sender<bool>,
    key: EncodingKey,
}

impl Script {
    /// Served from now on, rotating like an honest provider: `at-1`, `rt-1` and so on, good for ten minutes.
    pub(super) async fn serve() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (key, jwks) = signing_key();
        let script = Arc::new(Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            keys: Mutex::new(jwks),
            reply: Mutex::new(Arc::new(rotated)),
            asked: watch::Sender::new(Vec::new()),
            revoked: watch::Sender::new(Vec::new()),
            held: watch::Sender::new(false),
            key,
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks_answer))
            .route("/token", post(token))
            .route("/revoke", post(revoke))
            .with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, router).await });
        script
    }

    /// What the token endpoint answers from now on.
    pub(super) fn replies(&self, reply: impl Fn(&Asked) -> (StatusCode, Value) + Send + Sync + 'static) {
        *self.reply.lock().unwrap() = Arc::new(reply);
    }

    /// Requests stay at the token endpoint until [`Self::release`].
    pub(super) fn hold(&self) {
        self.held.send_replace(true);
    }

    pub(super) fn release(&self) {
        self.held.send_replace(false);
    }

    /// The refresh tokens that arrived at the token endpoint so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked
            .borrow()
            .iter()
            .map(|asked| asked.refresh.clone())
            .collect()
    }

    /// Waits until that many requests have arrived at the token endpoint.
    pub(super) async fn arrived(&self, count: usize) {
        reaches(&self.asked, count).await;
    }

    /// Waits until that many tokens were revoked; answers them sorted.
    pub(super) async fn revoked(&self, count: usize) -> Vec<String> {
        let mut tokens = reaches(&self.revoked, count).await;
        tokens.sort();
        tokens
    }

    /// The refresh tokens that were revoked so far, in order.
    pub(super) fn revoked_refresh_tokens(&self) -> Vec<String> {
        let all = self.revoked.borrow();
        all.iter()
            .filter(|token| token.starts_with("rt-"))
            .cloned()
            .collect()
    }

    /// An ID token over `claims`, by this provider's key.
    pub(super) fn id_token(&self, claims: &Value) -> String {
        let header = Header {
            kid: Some("k1".to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

/// Waits until `count` are there; fails when they never come, instead of hanging.
async fn reaches<T: Clone>(all: &watch::Sender<Vec<T>>, count: usize) -> Vec<T> {
    let mut seen = all.subscribe();
    let enough = tokio::time::timeout(NEVER, seen.wait_for(|all| all.len() >= count)).await;
    match enough {
        Ok(Ok(all)) => all.clone(),
        _ => panic!("{} of {count} came", all.borrow().len()),
    }
}

/// `at-N`, `rt-N`, ten minutes.
pub(super) fn rotated(asked: &Asked) -> (StatusCode, Value) {
    let number = asked.number;
    (
        StatusCode::OK,
        json!({
            "access_token": format!("at-{number}"),
            "refresh_token": format!("rt-{number}"),
            "token_type": "Bearer",
            "expires_in": 600,
        }),
    )
}

/// RFC 6749 §5.2.
pub(super) fn invalid_grant(_: &Asked) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant" }))
}

/// Down.
pub(super) fn broken(_: &Asked) -> (StatusCode, Value) {
    (StatusCode::INTERNAL_SERVER_ERROR, json!({}))
}

async fn metadata(State(script): State<Arc<Script>>) -> Json<Value> {
    let issuer = &script.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    }))
}

async fn jwks_answer(State(script): State<Arc<Script>>) -> Response {
    let keys = script.keys.lock().unwrap().clone();
    if keys.is_null() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    Json(keys).into_response()
}

async fn token(State(script): State<Arc<Script>>, Form(form): Form<Vec<(String, String)>>) -> Response {
    let refresh = form
        .into_iter()
        .find(|(name, _)| name == "refresh_token")
        .unwrap()
        .1;
    let mut asked = Asked { refresh, number: 0 };
    script.asked.send_modify(|all| {
        asked.number = all.len() + 1;
        all.push(asked.clone());
    });
    script.held.subscribe().wait_for(|held| !held).await.unwrap();
    let reply = Arc::clone(&script.reply.lock().unwrap());
    let (status, body) = reply(&asked);
    (status, [("cache-control", "no-store")], Json(body)).into_response()
}

async fn revoke(State(script): State<Arc<Script>>, Form(form): Form<Vec<(String, String)>>) -> StatusCode {
    let token = form.into_iter().find(|(name, _)| name == "token").unwrap().1;
    script.revoked.send_modify(|all| all.push(token));
    StatusCode::OK
}

fn signing_key() -> (EncodingKey, Value) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "k1",
        "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    });
    let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    (key, json!({ "keys": [jwk] }))
}

/// A slow machine is not late yet.
const NEVER: Duration = Duration::from_secs(30);
