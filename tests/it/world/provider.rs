//! A provider that does what it is told: everything right by default, anything wrong on demand, and every request of
//! the back channel recorded. The front channel needs no pages: [`Provider::approve`] is the user who says yes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cloakroom::clock::Clock as _;
use http::{HeaderMap, Uri};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use url::Url;

use super::TestClock;

pub const CLIENT_SECRET: &str = "client secret with: odd% characters+";

/// One request that reached the provider.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub headers: HeaderMap,
    pub form: Vec<(String, String)>,
}

impl Asked {
    pub fn one(&self, name: &str) -> Option<&str> {
        self.form
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A whole answer in place of the right one.
#[derive(Clone, Debug)]
pub enum Instead {
    /// Status, content type, body.
    Whole(u16, &'static str, Bytes),
    /// A 200 whose JSON body never ends (up to this many bytes).
    Flood(usize),
    /// No answer while the world lives.
    Silence,
}

impl Instead {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Whole(status, "application/json", Bytes::from(body.to_string()))
    }

    pub fn html(status: u16) -> Self {
        Self::Whole(
            status,
            "text/html",
            Bytes::from_static(b"<html><body>nope</body></html>"),
        )
    }

    /// An OAuth error of the token endpoint.
    pub fn error(code: &str) -> Self {
        Self::json(
            400,
            &json!({ "error": code, "error_description": "<script>alert('description')</script>" }),
        )
    }
}

/// What is told.
#[derive(Debug, Default)]
pub struct Script {
    /// In place of the answer of a path, every time.
    pub instead: Vec<(String, Instead)>,
    /// In place of the answers of the token endpoint, each once.
    pub token_turns: VecDeque<Instead>,
    /// Merged into the metadata; null takes a member out.
    pub metadata: Map<String, Value>,
    /// Merged into the next ID tokens; null takes a claim out.
    pub id_token: Map<String, Value>,
    /// Merged into the header of the next ID tokens.
    pub id_token_header: Map<String, Value>,
    /// In place of the whole ID token.
    pub id_token_whole: Option<String>,
    /// Merged into the token responses; null takes a member out.
    pub token_response: Map<String, Value>,
    /// Merged into userinfo.
    pub userinfo: Map<String, Value>,
    /// Seconds an access token lives.
    pub expires_in: u64,
    /// How many characters an access token has at least.
    pub access_token_length: usize,
    /// Old refresh tokens stay good (no rotation).
    pub keep_refresh: bool,
}

/// The provider.
#[derive(Clone)]
pub struct Provider {
    /// `http://127.0.0.1:<port>`
    pub issuer: String,
    inner: Arc<Inner>,
}

struct Inner {
    issuer: String,
    key: Key,
    script: Mutex<Script>,
    asked: Mutex<Vec<Asked>>,
    grants: Mutex<Grants>,
    clock: Mutex<Option<Arc<TestClock>>>,
    /// While it has no permits, the token endpoint waits.
    gate: Semaphore,
    /// Rings after every answer.
    changed: Notify,
}

#[derive(Default)]
struct Grants {
    /// code → (nonce, challenge, user, scope)
    codes: Vec<(String, Login)>,
    /// good refresh tokens → their login
    refresh: Vec<(String, Login)>,
    /// every token ever issued, so that a test can search for them
    issued: Vec<String>,
    revoked: Vec<String>,
    counter: u64,
}

#[derive(Clone)]
struct Login {
    nonce: String,
    challenge: String,
    user: String,
    scope: String,
    auth_time: u64,
}

struct Key {
    private: EncodingKey,
    kid: String,
    public: Value,
}

impl Provider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            issuer: issuer.clone(),
            key: Key::new("k1"),
            script: Mutex::new(Script {
                expires_in: 300,
                access_token_length: 40,
                ..Script::default()
            }),
            asked: Mutex::default(),
            grants: Mutex::default(),
            clock: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            changed: Notify::new(),
        });
        let router = Router::new().fallback(answer).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer, inner }
    }

    /// Signs with this clock's time from now on.
    pub fn follow(&self, clock: Arc<TestClock>) {
        *self.inner.clock.lock().unwrap() = Some(clock);
    }

    /// Changes what is told.
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.inner.script.lock().unwrap());
    }

    /// Answers `path` with this, every time.
    pub fn instead(&self, path: &str, answer: Instead) {
        self.script(|script| {
            script.instead.retain(|(other, _)| other != path);
            script.instead.push((path.to_owned(), answer));
        });
    }

    /// Answers rightly again.
    pub fn heal(&self) {
        self.script(|script| script.instead.clear());
    }

    /// Holds every token request until [`Self::release`].
    pub fn hold(&self) {
        self.inner.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets `count` held token requests go on.
    pub fn release(&self, count: usize) {
        self.inner.gate.add_permits(count);
    }

    /// Every request to `path` so far.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        self.inner
            .asked
            .lock()
            .unwrap()
            .iter()
            .filter(|asked| asked.path == path)
            .cloned()
            .collect()
    }

    /// How many token requests with this grant type arrived.
    pub fn token_requests(&self, grant_type: &str) -> usize {
        self.asked("/token")
            .iter()
            .filter(|asked| asked.one("grant_type") == Some(grant_type))
            .count()
    }

    /// Every token this provider ever issued, and the codes.
    pub fn issued(&self) -> Vec<String> {
        self.inner.grants.lock().unwrap().issued.clone()
    }

    /// What was revoked.
    pub fn revoked(&self) -> Vec<String> {
        self.inner.grants.lock().unwrap().revoked.clone()
    }

    /// The user says yes at `authorization_url`: the URL that the browser is sent back to.
    pub fn approve(&self, authorization_url: &str) -> String {
        self.approve_as(authorization_url, "alice")
    }

    pub fn approve_as(&self, authorization_url: &str, user: &str) -> String {
        let asked = Url::parse(authorization_url).unwrap();
        let one = |name: &str| {
            let mut found = asked.query_pairs().filter(|(other, _)| other == name);
            let value = found.next().map(|(_, value)| value.into_owned());
            assert!(
                found.next().is_none(),
                "{name} stands twice in {authorization_url}"
            );
            value
        };
        assert_eq!(one("response_type").as_deref(), Some("code"), "L-01");
        assert_eq!(one("code_challenge_method").as_deref(), Some("S256"), "L-03");
        let mut grants = self.inner.grants.lock().unwrap();
        grants.counter += 1;
        let code = format!("code-{}-{}", grants.counter, "c".repeat(20));
        let login = Login {
            nonce: one("nonce").unwrap_or_default(),
            challenge: one("code_challenge").expect("L-03: PKCE"),
            user: user.to_owned(),
            scope: one("scope").unwrap_or_default(),
            auth_time: self.inner.now(),
        };
        grants.codes.push((code.clone(), login));
        grants.issued.push(code.clone());
        self.back(&asked, &[("code", &code)])
    }

    /// The user, or the provider, says no.
    pub fn refuse(&self, authorization_url: &str, error: &str) -> String {
        let asked = Url::parse(authorization_url).unwrap();
        self.back(
            &asked,
            &[
                ("error", error),
                ("error_description", "<script>alert('description')</script>"),
            ],
        )
    }

    /// Claims of a logout token for all sessions of alice (Back-Channel Logout §2.4), with `changes` merged in; null takes a
    /// claim out.
    pub fn logout_claims(&self, changes: &Value) -> Value {
        let now = self.inner.now();
        let mut grants = self.inner.grants.lock().unwrap();
        grants.counter += 1;
        let mut claims = json!({
            "iss": self.issuer, "aud": "shop-client", "iat": now, "exp": now + 120, "sub": "alice",
            "jti": format!("logout-{}", grants.counter),
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        merge(&mut claims, changes.as_object().unwrap());
        claims
    }

    /// A logout token of these claims.
    pub fn logout_token(&self, changes: &Value) -> String {
        self.sign(&json!({ "typ": "logout+jwt" }), &self.logout_claims(changes))
    }

    /// Any claims, truly signed, under a header with this `typ` and `kid`.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.inner.key.sign(header.as_object().unwrap().clone(), claims)
    }

    /// The public key, as the key set shows it.
    pub fn public_key(&self) -> Value {
        self.inner.key.public.clone()
    }

    fn back(&self, asked: &Url, parameters: &[(&str, &str)]) -> String {
        let one = |name: &str| {
            asked
                .query_pairs()
                .find(|(other, _)| other == name)
                .map(|(_, value)| value.into_owned())
        };
        let mut url = Url::parse(&one("redirect_uri").unwrap()).unwrap();
        url.query_pairs_mut()
            .extend_pairs(parameters)
            .append_pair("state", &one("state").unwrap())
            .append_pair("iss", &self.issuer);
        url.into()
    }

    /// Waits until something that runs detached has happened: looks again whenever this provider has been asked.
    pub async fn eventually(&self, what: &str, mut happened: impl FnMut() -> bool) {
        let waiting = async {
            loop {
                let changed = self.inner.changed.notified();
                if happened() {
                    return;
                }
                changed.await;
            }
        };
        let bound = std::time::Duration::from_secs(10);
        assert!(
            tokio::time::timeout(bound, waiting).await.is_ok(),
            "never happened: {what}"
        );
    }
}

impl Inner {
    fn now(&self) -> u64 {
        self.clock
            .lock()
            .unwrap()
            .as_ref()
            .map_or(1_800_000_000, |clock| clock.now().as_secs())
    }

    fn metadata(&self) -> Value {
        let issuer = &self.issuer;
        let mut metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "revocation_endpoint": format!("{issuer}/revoke"),
            "end_session_endpoint": format!("{issuer}/end-session"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        merge(&mut metadata, &self.script.lock().unwrap().metadata);
        metadata
    }

    fn token(&self, asked: &Asked) -> Result<Value, &'static str> {
        if !knows_client(asked) {
            return Err("invalid_client");
        }
        let mut grants = self.grants.lock().unwrap();
        let login = match asked.one("grant_type") {
            Some("authorization_code") => {
                let code = asked.one("code").unwrap_or_default();
                let at = grants
                    .codes
                    .iter()
                    .position(|(other, _)| other == code)
                    .ok_or("invalid_grant")?;
                let (_, login) = grants.codes.remove(at);
                let verifier = asked.one("code_verifier").unwrap_or_default();
                if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != login.challenge {
                    return Err("invalid_grant");
                }
                login
            }
            Some("refresh_token") => {
                let token = asked.one("refresh_token").unwrap_or_default();
                let at = grants
                    .refresh
                    .iter()
                    .position(|(other, _)| other == token)
                    .ok_or("invalid_grant")?;
                if self.script.lock().unwrap().keep_refresh {
                    grants.refresh[at].1.clone()
                } else {
                    grants.refresh.remove(at).1
                }
            }
            _ => return Err("unsupported_grant_type"),
        };
        grants.counter += 1;
        let number = grants.counter;
        let script = self.script.lock().unwrap();
        let mut access = format!("AT{number}-");
        while access.len() < script.access_token_length {
            // Not compressible, or a size would say nothing.
            access.push_str(&URL_SAFE_NO_PAD.encode(Sha256::digest(access.as_bytes())));
        }
        access.truncate(script.access_token_length.max(8));
        let refresh = format!(
            "RT{number}-{}",
            URL_SAFE_NO_PAD.encode(Sha256::digest(access.as_bytes()))
        );
        let mut claims = json!({
            "iss": self.issuer, "sub": login.user, "aud": "shop-client", "exp": self.now() + 3600, "iat": self.now(),
            "auth_time": login.auth_time, "nonce": login.nonce, "sid": format!("sid-{}", login.user),
            "name": "Alice", "at_hash": at_hash(&access),
        });
        merge(&mut claims, &script.id_token);
        let id_token = script
            .id_token_whole
            .clone()
            .unwrap_or_else(|| self.key.sign(script.id_token_header.clone(), &claims));
        let mut response = json!({
            "access_token": access, "token_type": "bearer", "expires_in": script.expires_in, "refresh_token": refresh,
            "id_token": id_token, "scope": login.scope,
        });
        merge(&mut response, &script.token_response);
        grants.refresh.push((refresh.clone(), login));
        grants.issued.extend([access, refresh, id_token]);
        Ok(response)
    }

    fn userinfo(&self, asked: &Asked) -> Result<Value, &'static str> {
        let bearer = asked
            .headers
            .get("authorization")
            .and_then(|field| field.to_str().ok())
            .unwrap_or_default();
        let token = bearer.strip_prefix("Bearer ").ok_or("invalid_token")?;
        if !self
            .grants
            .lock()
            .unwrap()
            .issued
            .iter()
            .any(|issued| issued == token)
        {
            return Err("invalid_token");
        }
        let mut claims = json!({ "sub": "alice", "name": "Alice from userinfo" });
        merge(&mut claims, &self.script.lock().unwrap().userinfo);
        Ok(claims)
    }
}

async fn answer(State(inner): State<Arc<Inner>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    let asked = Asked {
        path: uri.path().to_owned(),
        headers,
        form,
    };
    inner.asked.lock().unwrap().push(asked.clone());
    inner.changed.notify_waiters();
    if asked.path == "/token" {
        inner.gate.acquire().await.unwrap().forget();
        // A permit is used up only while the gate is being worked by hand.
        if inner.gate.available_permits() > 1_000_000 {
            inner.gate.add_permits(1);
        }
    }
    let turn = {
        let mut script = inner.script.lock().unwrap();
        let turn = if asked.path == "/token" {
            script.token_turns.pop_front()
        } else {
            None
        };
        turn.or_else(|| {
            script
                .instead
                .iter()
                .find(|(path, _)| *path == asked.path)
                .map(|(_, instead)| instead.clone())
        })
    };
    if let Some(turn) = turn {
        return told(turn).await;
    }
    let right = match asked.path.as_str() {
        "/.well-known/openid-configuration" => Ok(inner.metadata()),
        "/jwks" => Ok(json!({ "keys": [inner.key.public] })),
        "/token" => inner.token(&asked),
        "/userinfo" => inner.userinfo(&asked),
        "/revoke" => {
            let token = asked.one("token").unwrap_or_default().to_owned();
            let mut grants = inner.grants.lock().unwrap();
            grants.refresh.retain(|(other, _)| *other != token);
            grants.revoked.push(token);
            Ok(json!({}))
        }
        _ => Err("not_found"),
    };
    inner.changed.notify_waiters();
    match right {
        Ok(body) => json_response(200, &body),
        Err("invalid_client" | "invalid_token") => json_response(401, &json!({ "error": "invalid_client" })),
        Err("not_found") => json_response(404, &json!({})),
        Err(code) => json_response(400, &json!({ "error": code })),
    }
}

async fn told(instead: Instead) -> Response {
    match instead {
        Instead::Whole(status, content_type, body) => Response::builder()
            .status(status)
            .header("content-type", content_type)
            .body(Body::from(body))
            .unwrap(),
        Instead::Flood(size) => {
            let piece = Bytes::from(vec![b' '; 64 * 1024]);
            let pieces = futures_util::stream::iter(
                (0..size / piece.len()).map(move |_| Ok::<_, std::io::Error>(piece.clone())),
            );
            Response::builder()
                .header("content-type", "application/json")
                .body(Body::from_stream(pieces))
                .unwrap()
        }
        Instead::Silence => std::future::pending().await,
    }
}

fn json_response(status: u16, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("cache-control", "no-store")
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// Basic or post, urlencoded as RFC 6749 §2.3.1 says (T-31), never both.
fn knows_client(asked: &Asked) -> bool {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", encode("shop-client"), encode(CLIENT_SECRET)))
    );
    let by_basic = asked
        .headers
        .get("authorization")
        .map(|field| field == basic.as_str());
    let by_post = asked
        .one("client_secret")
        .map(|secret| secret == CLIENT_SECRET && asked.one("client_id") == Some("shop-client"));
    matches!((by_basic, by_post), (Some(true), None) | (None, Some(true)))
}

impl Key {
    fn new(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let public = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
        });
        Self {
            private: EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref()),
            kid: kid.to_owned(),
            public,
        }
    }

    fn sign(&self, patch: Map<String, Value>, claims: &Value) -> String {
        let mut header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::ES256)
        };
        if let Some(typ) = patch.get("typ") {
            header.typ = typ.as_str().map(str::to_owned);
        }
        if let Some(kid) = patch.get("kid") {
            header.kid = kid.as_str().map(str::to_owned);
        }
        jsonwebtoken::encode(&header, claims, &self.private).unwrap()
    }
}

/// OpenID Connect Core §3.1.3.6, for ES256.
fn at_hash(access: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(access)[..16])
}

fn merge(into: &mut Value, patch: &Map<String, Value>) {
    let map = into.as_object_mut().unwrap();
    for (name, value) in patch {
        if value.is_null() {
            map.remove(name);
        } else {
            map.insert(name.clone(), value.clone());
        }
    }
}
