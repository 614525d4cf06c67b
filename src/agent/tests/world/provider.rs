//! A scripted provider: sound answers, changed where the test says so, and a record of what was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::NOW;

/// What the provider answers and what it has seen.
pub(super) struct Script {
    pub(super) issuer: String,
    key: EncodingKey,
    pub(super) nonces: Mutex<BTreeMap<String, String>>,
    pub(super) settings: Mutex<Settings>,
    pub(super) seen: watch::Sender<Vec<(String, BTreeMap<String, String>)>>,
    pub(super) gate: watch::Sender<bool>,
}

/// The levers of the provider.
#[derive(Clone)]
pub(in crate::agent::tests) struct Settings {
    /// Merged into the ID token's claims; `null` removes.
    pub(in crate::agent::tests) claims: Value,
    /// Merged into the token response; `null` removes.
    pub(in crate::agent::tests) tokens: Value,
    /// Merged into the metadata; `null` removes.
    pub(in crate::agent::tests) metadata: Value,
    /// Status of the token endpoint, and its error code where it is none of 200.
    pub(in crate::agent::tests) token_status: (u16, &'static str),
    /// Status and body of userinfo.
    pub(in crate::agent::tests) userinfo: (u16, Value),
    /// Everything answers 503.
    pub(in crate::agent::tests) down: bool,
}

impl Script {
    /// A provider on a port of its own.
    pub(super) async fn serve() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://op.localhost:{}", listener.local_addr().unwrap().port());
        let script = Arc::new(Script {
            issuer: issuer.clone(),
            key: new_key(),
            nonces: Mutex::default(),
            settings: Mutex::new(Settings {
                claims: json!({}),
                tokens: json!({}),
                metadata: json!({}),
                token_status: (200, ""),
                userinfo: (
                    200,
                    json!({"sub": "alice", "email": "alice@example.com", "groups": ["a", {"b": 1}]}),
                ),
                down: false,
            }),
            seen: watch::Sender::new(Vec::new()),
            gate: watch::Sender::new(true),
        });
        let router = Router::new().fallback(play).with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, router).await });
        script
    }
}

async fn play(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let path = head.uri.path().to_owned();
    let text = [head.uri.query().unwrap_or_default().as_bytes(), b"&", &body].concat();
    let fields: BTreeMap<_, _> = url::form_urlencoded::parse(&text).into_owned().collect();
    script
        .seen
        .send_modify(|seen| seen.push((path.clone(), fields.clone())));
    let settings = script.settings.lock().unwrap().clone();
    if settings.down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match path.as_str() {
        "/.well-known/openid-configuration" => {
            axum::Json(merged(metadata(&script.issuer), &settings.metadata)).into_response()
        }
        "/jwks" => {
            let mut jwk =
                serde_json::to_value(Jwk::from_encoding_key(&script.key, Algorithm::ES256).unwrap()).unwrap();
            jwk["kid"] = "k1".into();
            axum::Json(json!({ "keys": [jwk] })).into_response()
        }
        "/token" => {
            let mut open = script.gate.subscribe();
            open.wait_for(|open| *open).await.unwrap();
            token(&script, &settings, &fields)
        }
        "/userinfo" => {
            let status = StatusCode::from_u16(settings.userinfo.0).unwrap();
            (status, axum::Json(settings.userinfo.1)).into_response()
        }
        "/revoke" => StatusCode::OK.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn metadata(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"),
        "userinfo_endpoint": at("/userinfo"),
        "revocation_endpoint": at("/revoke"),
        "end_session_endpoint": at("/logout"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
    })
}

fn token(script: &Script, settings: &Settings, fields: &BTreeMap<String, String>) -> Response {
    let (status, error) = settings.token_status;
    if status != 200 {
        return (
            StatusCode::from_u16(status).unwrap(),
            axum::Json(json!({ "error": error })),
        )
            .into_response();
    }
    let mut claims = json!({
        "iss": script.issuer,
        "sub": "alice",
        "aud": "shop",
        "exp": NOW + 3600,
        "iat": NOW,
        "auth_time": NOW,
        "name": "Alice",
        "sid": "sid-1",
        "roles": ["a", {"b": 1}],
    });
    let grant = fields
        .get("code")
        .or_else(|| fields.get("refresh_token"))
        .unwrap()
        .clone();
    if let Some(nonce) = fields
        .get("code")
        .and_then(|code| script.nonces.lock().unwrap().get(code).cloned())
    {
        claims["nonce"] = nonce.into();
    }
    let header = Header {
        kid: Some("k1".into()),
        ..Header::new(Algorithm::ES256)
    };
    let id_token = jsonwebtoken::encode(&header, &merged(claims, &settings.claims), &script.key).unwrap();
    let tokens = json!({
        "access_token": format!("access-of-{grant}"),
        "token_type": "Bearer",
        "expires_in": 300,
        "refresh_token": format!("refresh-of-{grant}"),
        "id_token": id_token,
    });
    axum::Json(merged(tokens, &settings.tokens)).into_response()
}

fn merged(mut base: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

fn new_key() -> EncodingKey {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let lines = STANDARD.encode(pair.to_pkcs8v1().unwrap().as_ref());
    EncodingKey::from_ec_pem(
        format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n").as_bytes(),
    )
    .unwrap()
}
