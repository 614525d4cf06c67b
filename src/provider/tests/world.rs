//! A scripted provider on a port of its own, and a clock that moves when told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use jsonwebtoken::Algorithm;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Timestamp};
use crate::config;
use crate::config::tests::fixture;
use crate::provider::http::Limits;
use crate::provider::{Expectation, Provider, ProviderError, VerifiedIdToken};
use crate::token::{AccessToken, IdToken, Nonce};

pub(super) use super::signer::Signer;

/// When every test begins: 14 November 2023, 22:13:20 UTC.
pub(super) const NOW: u64 = 1_700_000_000;
pub(super) const CLIENT_ID: &str = "shop";
pub(super) const SECRET: &str = "client-secret-of-the-shop";
pub(super) const ACCESS: &str = "access-token-7f";
pub(super) const NONCE: &str = "nonce-of-this-login";

/// One answer of the provider.
#[derive(Clone)]
pub(super) enum Reply {
    /// Status, content type, body.
    Full(u16, &'static str, Vec<u8>),
    /// 302 to there.
    Redirect(String),
    /// Says nothing, ever.
    Silent,
    /// 200 and a hundred megabytes.
    Flood,
}

impl Reply {
    pub(super) fn json(value: &Value) -> Self {
        Self::Full(200, "application/json", value.to_string().into_bytes())
    }

    pub(super) fn error(status: u16, code: &str) -> Self {
        Self::Full(
            status,
            "application/json",
            json!({ "error": code }).to_string().into_bytes(),
        )
    }

    pub(super) fn html() -> Self {
        Self::Full(
            200,
            "text/html",
            b"<!doctype html><h1>Sign in to the hotel network</h1>".to_vec(),
        )
    }

    pub(super) fn status(status: u16) -> Self {
        Self::Full(status, "text/plain", b"no".to_vec())
    }
}

/// One request that the provider saw.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .into_owned()
            .collect()
    }

    pub(super) fn field(&self, name: &str) -> Vec<String> {
        self.form()
            .into_iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value)
            .collect()
    }
}

#[derive(Default)]
struct Inner {
    /// Answers by path: the first is taken as long as there are others, the last one stays.
    script: Mutex<HashMap<String, Vec<Reply>>>,
    seen: Mutex<Vec<Seen>>,
    flooded: AtomicUsize,
}

/// The provider.
#[derive(Clone)]
pub(super) struct Fake {
    pub(super) issuer: String,
    inner: Arc<Inner>,
}

impl Fake {
    /// A provider with sound metadata and the public half of `keys`.
    pub(super) async fn with_keys(keys: &[&Signer]) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self::listening(listener, format!("http://op.localhost:{port}"), keys)
    }

    /// The same behind any listener.
    pub(super) fn listening<L>(listener: L, issuer: String, keys: &[&Signer]) -> Self
    where
        L: axum::serve::Listener,
        L::Addr: std::fmt::Debug,
    {
        let fake = Self {
            issuer,
            inner: Arc::default(),
        };
        fake.answers(METADATA, &[Reply::json(&fake.metadata())]);
        fake.publishes(keys);
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&fake.inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    pub(super) fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer,
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

    pub(super) fn answers(&self, path: &str, replies: &[Reply]) {
        self.inner
            .script
            .lock()
            .unwrap()
            .insert(path.to_owned(), replies.to_vec());
    }

    pub(super) fn publishes(&self, keys: &[&Signer]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
        self.answers("/jwks", &[Reply::json(&json!({ "keys": keys }))]);
    }

    pub(super) fn seen(&self, path: &str) -> Vec<Seen> {
        self.inner
            .seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| seen.path == path)
            .cloned()
            .collect()
    }

    /// Bytes that the flood got rid of.
    pub(super) fn flooded(&self) -> usize {
        self.inner.flooded.load(Ordering::SeqCst)
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = head.uri.path().to_owned();
    inner.seen.lock().unwrap().push(Seen {
        path: path.clone(),
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    let reply = {
        let mut script = inner.script.lock().unwrap();
        match script.get_mut(&path) {
            Some(replies) if replies.len() > 1 => replies.remove(0),
            Some(replies) => replies[0].clone(),
            None => Reply::status(404),
        }
    };
    match reply {
        Reply::Full(status, content_type, body) => Response::builder()
            .status(status)
            .header("content-type", content_type)
            .body(Body::from(body))
            .unwrap(),
        Reply::Redirect(to) => Response::builder()
            .status(302)
            .header("location", to)
            .body(Body::empty())
            .unwrap(),
        Reply::Silent => std::future::pending().await,
        Reply::Flood => {
            let pieces = (0..1600).map(move |_| {
                inner.flooded.fetch_add(1 << 16, Ordering::SeqCst);
                Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1 << 16]))
            });
            Response::builder()
                .header("content-type", "application/json")
                .body(Body::from_stream(futures_util::stream::iter(pieces)))
                .unwrap()
        }
    }
}

/// A clock that moves when told.
#[derive(Debug)]
pub(super) struct TestClock(AtomicU64);

impl TestClock {
    pub(super) fn advance(&self, by: Duration) {
        self.0
            .fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(super) fn turn_back(&self, by: Duration) {
        self.0
            .fetch_sub(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// What one app has: its provider, the fake behind it, the clock.
pub(super) struct World {
    pub(super) fake: Fake,
    pub(super) signer: Signer,
    pub(super) clock: Arc<TestClock>,
    pub(super) provider: Provider,
}

impl World {
    pub(super) async fn new(alg: Algorithm) -> Self {
        Self::configured(alg, |_| {}).await
    }

    pub(super) async fn configured(alg: Algorithm, change: impl FnOnce(&mut config::Provider)) -> Self {
        Self::limited(alg, limits(), change).await
    }

    pub(super) async fn limited(
        alg: Algorithm,
        limits: Limits,
        change: impl FnOnce(&mut config::Provider),
    ) -> Self {
        let signer = Signer::new(alg, Some("k1"));
        let fake = Fake::with_keys(&[&signer]).await;
        let clock = Arc::new(TestClock(AtomicU64::new(NOW * 1000)));
        let mut config = config(&fake.issuer, alg);
        change(&mut config);
        let provider = Provider::with_limits(&config, Arc::clone(&clock) as Arc<dyn Clock>, limits).unwrap();
        Self {
            fake,
            signer,
            clock,
            provider,
        }
    }

    /// The claims of a sound ID token for the login below.
    pub(super) fn claims(&self) -> Value {
        json!({
            "iss": self.fake.issuer,
            "sub": "alice",
            "aud": CLIENT_ID,
            "exp": NOW + 300,
            "iat": NOW,
            "nonce": NONCE,
        })
    }

    pub(super) async fn verify(&self, token: &IdToken) -> Result<VerifiedIdToken, ProviderError> {
        self.verify_demanding(token, None, &[]).await
    }

    pub(super) async fn verify_demanding(
        &self,
        token: &IdToken,
        max_age: Option<u64>,
        acr_values: &[Box<str>],
    ) -> Result<VerifiedIdToken, ProviderError> {
        let expected = Expectation::Login {
            nonce: &Nonce::new(NONCE),
            access: &AccessToken::new(ACCESS),
            max_age,
            acr_values,
        };
        self.provider.verify(token, expected).await
    }

    /// Verifies sound claims with `changes` merged in; `null` removes.
    pub(super) async fn verify_changed(&self, changes: &Value) -> Result<VerifiedIdToken, ProviderError> {
        self.verify(&self.signer.sign(&merged(&self.claims(), changes)))
            .await
    }
}

pub(super) fn merged(base: &Value, changes: &Value) -> Value {
    let mut all: Map<String, Value> = base.as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    Value::Object(all)
}

/// Nothing waits for its own sake, and no machine is too busy.
pub(super) fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(60),
        total: Duration::from_secs(60),
        pause: Duration::ZERO,
        patience: Duration::from_secs(60),
        ..Limits::default()
    }
}

pub(super) fn config(issuer: &str, alg: Algorithm) -> config::Provider {
    config::Provider {
        issuer: issuer.into(),
        client_secret: SecretString::from(SECRET),
        id_token_alg: alg,
        scopes: vec!["openid".into(), "profile".into()],
        ..fixture::app_at("https://shop.example").provider
    }
}

/// A sound token response.
pub(super) fn token_response() -> Value {
    json!({
        "access_token": ACCESS,
        "token_type": "Bearer",
        "expires_in": 300,
        "refresh_token": "refresh-token-8a",
        "scope": "openid profile",
    })
}

pub(super) const METADATA: &str = "/.well-known/openid-configuration";
