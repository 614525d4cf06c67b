//! An app, its agent, a scripted provider on a port of its own, a clock that moves when told, and a browser's jar.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jsonwebtoken::Algorithm;
use serde_json::Value;
use tower::ServiceExt as _;
use url::Url;

use crate::agent::{Agent, Asked, Places};
use crate::clock::{Clock, Timestamp};
use crate::config::tests::fixture;
use crate::config::{App, Origin};
use crate::gate::RequestId;
use crate::metrics::AppMeters;
use crate::provider::Provider;
use crate::random::{OsRandom, Random};
use crate::refusal::Refusal;
use crate::renewal::{SessionParts, Sessions};
use crate::session::Cookies;
use crate::store::{MemoryStore, Store};

use self::provider::{Script, Settings};

mod provider;

pub(crate) const NOW: u64 = 1_800_000_000;
pub(super) const REQUEST_ID: &str = "0000000000000000000000000000002a";

/// An app whose provider is at `issuer`.
pub(crate) fn app(issuer: &str) -> App {
    let mut app = fixture::app_at("https://app.test");
    app.allowed_origins = vec![Origin::parse("https://www.app.test").unwrap()];
    app.provider.issuer = issuer.into();
    app.provider.id_token_alg = Algorithm::ES256;
    app.provider.scopes = vec!["openid".into(), "profile".into(), "orders".into()];
    app
}

/// A clock that moves when told.
#[derive(Debug)]
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(super) struct World {
    pub(super) app: Arc<App>,
    pub(super) places: Places,
    clock: Arc<TestClock>,
    router: Router,
    script: Arc<Script>,
}

/// An answer of the agent, taken apart.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) refusal: Option<Refusal>,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::configured(|_| {}).await
    }

    pub(super) async fn configured(change: impl FnOnce(&mut App)) -> Self {
        let script = Script::serve().await;
        Self::with(script, Arc::new(TestClock(AtomicU64::new(NOW * 1000))), change)
    }

    /// The same provider, keys and clock under another configuration, as after a reload.
    pub(super) fn reloaded(&self, change: impl FnOnce(&mut App)) -> Self {
        Self::with(Arc::clone(&self.script), Arc::clone(&self.clock), change)
    }

    fn with(script: Arc<Script>, clock: Arc<TestClock>, change: impl FnOnce(&mut App)) -> Self {
        let mut app = app(&script.issuer);
        change(&mut app);
        let app = Arc::new(app);
        let random: Arc<dyn Random> = Arc::new(OsRandom);
        let provider = Arc::new(Provider::new(&app.provider, clock.clone()).unwrap());
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(&*random));
        let keys = [fixture::key(7)];
        let sessions = Sessions::new(SessionParts {
            app: Arc::clone(&app),
            cookies: Cookies::new(&keys, &app, Arc::clone(&random)),
            provider: Arc::clone(&provider),
            store: Arc::clone(&store),
            clock: clock.clone(),
            random: Arc::clone(&random),
            meters: AppMeters::default(),
        });
        let places = Places::default();
        let router = Agent {
            app: Arc::clone(&app),
            sessions,
            provider,
            store,
            clock: clock.clone(),
            random,
            places: places.clone(),
            frames: Places::default(),
            longest_session: app.session.absolute_timeout,
        }
        .router();
        Self {
            app,
            places,
            clock,
            router,
            script,
        }
    }

    pub(super) fn advance(&self, by: Duration) {
        self.clock
            .0
            .fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(super) fn provider(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.script.settings.lock().unwrap());
    }

    /// Holds back the token endpoint's answers until it is released.
    pub(super) fn hold(&self) {
        self.script.gate.send_replace(false);
    }

    pub(super) fn release(&self) {
        self.script.gate.send_replace(true);
    }

    /// The requests the provider saw at `path`: form or query.
    pub(super) fn seen(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        self.script
            .seen
            .borrow()
            .iter()
            .filter(|(seen, _)| seen == path)
            .map(|(_, fields)| fields.clone())
            .collect()
    }

    /// Waits until the provider has seen `count` requests at `path`.
    pub(super) async fn wait_for(&self, path: &str, count: usize) -> Vec<BTreeMap<String, String>> {
        let mut seen = self.script.seen.subscribe();
        tokio::time::timeout(
            Duration::from_secs(20),
            seen.wait_for(|seen| seen.iter().filter(|(at, _)| at == path).count() >= count),
        )
        .await
        .expect("the provider was asked in time")
        .unwrap();
        self.seen(path)
    }

    pub(super) async fn send(&self, request: http::Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(with_asked(request)).await.unwrap();
        let (head, body) = response.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: to_bytes(body, 1 << 20).await.unwrap().to_vec(),
            refusal: head.extensions.get::<Refusal>().cloned(),
        }
    }

    /// A GET that carries the jar and keeps what the answer sets.
    pub(super) async fn open(&self, jar: &mut Jar, path: &str) -> Answer {
        let request = jar.request(Method::GET, path).body(Body::empty()).unwrap();
        let answer = self.send(request).await;
        jar.apply(&answer);
        answer
    }

    /// A POST of a form that carries the jar and keeps what the answer sets.
    pub(super) async fn post(&self, jar: &mut Jar, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = jar
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let answer = self.send(request).await;
        jar.apply(&answer);
        answer
    }

    /// What the user does at the provider: comes back with a code. The path and query of the callback.
    pub(super) fn consent(&self, authorization_url: &str) -> String {
        let fields = query_of(authorization_url);
        let code = format!("code-{}", &fields["state"]);
        self.script
            .nonces
            .lock()
            .unwrap()
            .insert(code.clone(), fields["nonce"].clone());
        format!("/callback?code={code}&state={}", fields["state"])
    }

    /// Starts a login by navigation; the callback to follow.
    pub(super) async fn start(&self, jar: &mut Jar, query: &str) -> String {
        let answer = self.open(jar, &format!("/login?{query}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        self.consent(answer.location())
    }

    /// A whole login.
    pub(super) async fn log_in(&self, jar: &mut Jar) -> Answer {
        let callback = self.start(jar, "").await;
        let answer = self.open(jar, &callback).await;
        assert_eq!(answer.location(), "/", "{answer:?}");
        answer
    }

    /// The body of `GET session`.
    pub(super) async fn session(&self, jar: &mut Jar) -> Value {
        let answer = self.open(jar, "/session").await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.json()
    }
}

/// The request as the gate would hand it on.
pub(super) fn with_asked(mut request: http::Request<Body>) -> http::Request<Body> {
    request.extensions_mut().insert(Asked {
        request_id: RequestId(42),
        client: [127, 0, 0, 1].into(),
    });
    request
}

impl World {
    /// The router itself, for requests that are given up on.
    pub(super) fn router(&self) -> Router {
        self.router.clone()
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn location(&self) -> &str {
        self.header("location")
    }

    pub(super) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn set_cookies(&self) -> Vec<&str> {
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|value| value.to_str().unwrap())
            .chain(
                self.refusal
                    .iter()
                    .flat_map(|refusal| refusal.set_cookies.iter().map(|value| value.to_str().unwrap())),
            )
            .collect()
    }

    /// The refusal's code, as the client reads it.
    pub(super) fn code(&self) -> &str {
        self.refusal.as_ref().map_or("", |refusal| refusal.code.as_str())
    }

    pub(super) fn detail(&self) -> &str {
        self.refusal
            .as_ref()
            .and_then(|refusal| refusal.detail.as_deref())
            .unwrap_or_default()
    }

    /// The query of the page that a failed login led to.
    pub(super) fn failure(&self) -> BTreeMap<String, String> {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("referrer-policy"), "no-referrer");
        let fields = query_of(&format!("https://app.test{}", self.location()));
        assert_eq!(fields["request_id"], REQUEST_ID);
        fields
    }
}

/// What a browser keeps: name → value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Jar(pub(super) BTreeMap<String, String>);

impl Jar {
    pub(super) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let request = http::Request::builder().method(method).uri(path);
        if self.0.is_empty() {
            return request;
        }
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        request.header(header::COOKIE, HeaderValue::from_str(&pairs.join("; ")).unwrap())
    }

    pub(super) fn apply(&mut self, answer: &Answer) {
        for field in answer.set_cookies() {
            let (pair, attributes) = field.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(name.starts_with("__Host-Http-shop-"), "{name}");
            if attributes.split("; ").any(|attribute| attribute == "Max-Age=0") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(super) fn logins(&self) -> usize {
        self.0.keys().filter(|name| name.contains("-login-")).count()
    }

    pub(super) fn has_session(&self) -> bool {
        self.0.contains_key("__Host-Http-shop-at")
    }
}

pub(super) fn query_of(url: &str) -> BTreeMap<String, String> {
    let url = Url::parse(url).unwrap();
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "a parameter stands twice in {url}");
    map
}
