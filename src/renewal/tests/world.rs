//! One app with its provider, its store, a clock moved by hand, and browsers with a cookie jar.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};

use super::script::Script;
use crate::clock::{Clock, Timestamp};
use crate::config::tests::fixture;
use crate::config::{App, CookieKey, SessionMode};
use crate::metrics::AppMeters;
use crate::provider::Provider;
use crate::random::Random;
use crate::refusal::{Code, Refusal};
use crate::renewal::flight::Patience;
use crate::renewal::{Admitted, Peek, SessionParts, Sessions};
use crate::session::{Cookies, Identity, Opened, Session, SessionId};
use crate::store::{Capacity, MemoryStore, Store};
use crate::token::{AccessToken, IdToken, RefreshToken, TokenSet};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(super) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(super) fn advance(&self, secs: u64) {
        self.0.fetch_add(secs * 1000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// The same bytes in the same order, every time.
#[derive(Debug, Default)]
pub(super) struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// A world whose sessions lie in their cookies.
pub(super) type World = WorldOf<false>;

/// A world whose sessions lie in the store, or not.
pub(super) struct WorldOf<const IN_STORE: bool> {
    pub(super) sessions: Sessions,
    pub(super) provider: Arc<Script>,
    pub(super) clock: Arc<ManualClock>,
    app: Arc<App>,
    random: Arc<Counted>,
}

impl<const IN_STORE: bool> WorldOf<IN_STORE> {
    /// `refresh = "inline"`, idle 30 minutes, absolute 12 hours.
    pub(super) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut App)) -> Self {
        Self::with_room(change, Capacity::default()).await
    }

    /// A store that holds less than usual.
    pub(super) async fn with_room(change: impl FnOnce(&mut App), room: Capacity) -> Self {
        let provider = Script::serve().await;
        let mut app = app(&provider.issuer);
        if IN_STORE {
            app.session.mode = SessionMode::Store;
        }
        change(&mut app);
        let app = Arc::new(app);
        let clock = Arc::new(ManualClock(AtomicU64::new(1_800_000_000_000)));
        let random = Arc::new(Counted::default());
        let sessions = sessions(&app, &clock, &random, room);
        Self {
            sessions,
            provider,
            clock,
            app,
            random,
        }
    }

    /// The process starts anew: the memory store has forgotten everything and has another epoch.
    pub(super) fn restart(&mut self) {
        self.sessions = sessions(&self.app, &self.clock, &self.random, Capacity::default());
    }

    /// The process starts anew with another configuration; what it has in the store is still there.
    pub(super) fn restart_with(&mut self, change: impl FnOnce(&mut App)) {
        change(Arc::make_mut(&mut self.app));
        if IN_STORE {
            self.sessions = self.replica();
        } else {
            self.restart();
        }
    }

    /// From now on the store is this one.
    pub(super) fn share(&mut self, store: Arc<dyn Store>) {
        self.sessions = sessions_with(&self.app, &self.clock, &self.random, store);
    }

    /// Another process with the same configuration and the same store.
    pub(super) fn replica(&self) -> Sessions {
        let parts = &self.sessions.parts;
        sessions_with(&self.app, &self.clock, &self.random, Arc::clone(&parts.store))
    }

    /// Another process with the same store and these cookie keys.
    pub(super) fn replica_with(&self, keys: &[CookieKey]) -> Sessions {
        let parts = &self.sessions.parts;
        sessions_of(
            &self.app,
            &self.clock,
            &self.random,
            Arc::clone(&parts.store),
            keys,
        )
    }

    /// Another process with the same configuration and provider, and this store.
    pub(super) fn process(&self, store: Arc<dyn Store>, patience: Patience) -> Sessions {
        let mut process = sessions_with(&self.app, &self.clock, &self.random, store);
        process.patience = patience;
        process
    }

    /// The same store, asked with less patience: a test need not wait ten seconds to see what an impatient request gets.
    pub(super) fn impatient(&self) -> Sessions {
        let mut sessions = self.sessions.clone();
        sessions.patience = Patience {
            request: Duration::ZERO,
            farewell: Duration::ZERO,
            revocation: Duration::ZERO,
            ..Patience::default()
        };
        sessions
    }

    /// Alice signs in: `at-0` for ten minutes, `rt-0`, an ID token.
    pub(super) async fn browser(&self) -> Browser {
        self.browser_with(tokens()).await
    }

    pub(super) async fn browser_with(&self, tokens: TokenSet) -> Browser {
        let mut browser = Browser::default();
        browser.store(
            &self
                .sessions
                .begin(tokens, alice(), None, self.sessions.now())
                .await
                .unwrap()
                .1,
        );
        browser
    }

    /// One API call: admitted, answered, its cookies stored.
    pub(super) async fn call(&self, browser: &mut Browser) -> Result<Admitted, Refusal> {
        let admitted = self.sessions.admit(&browser.headers()).await.map(Option::unwrap);
        self.answer(browser, admitted).await
    }

    /// One `POST refresh`: likewise.
    pub(super) async fn refresh(&self, browser: &mut Browser) -> Result<Admitted, Refusal> {
        let admitted = self.sessions.refresh(&browser.headers()).await;
        self.answer(browser, admitted).await
    }

    async fn answer(
        &self,
        browser: &mut Browser,
        admitted: Result<Admitted, Refusal>,
    ) -> Result<Admitted, Refusal> {
        match admitted {
            Ok(admitted) => {
                browser.store(&self.sessions.cookies_for_answer(&admitted).await);
                Ok(admitted)
            }
            Err(refusal) => {
                browser.store(&refusal.set_cookies);
                Err(refusal)
            }
        }
    }

    /// `GET session`: alive or the reason why not; its cookies stored.
    pub(super) async fn peek(&self, browser: &mut Browser) -> Result<Peeked, &'static str> {
        match self.sessions.peek(&browser.headers()).await.unwrap() {
            Peek::Alive {
                access_expires_in,
                session_expires_in,
                idle_expires_in,
                set_cookies,
                ..
            } => {
                browser.store(&set_cookies);
                Ok(Peeked {
                    access: access_expires_in,
                    session: session_expires_in,
                    idle: idle_expires_in,
                })
            }
            Peek::Gone { reason, set_cookies } => {
                browser.store(&set_cookies);
                Err(reason)
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Peeked {
    pub(super) access: Option<u64>,
    pub(super) session: u64,
    pub(super) idle: u64,
}

/// A cookie jar. Cloned, it is a second tab that was quicker, or a thief.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Browser {
    jar: BTreeMap<String, String>,
}

impl Browser {
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let pairs: Vec<String> = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !pairs.is_empty() {
            headers.insert(header::COOKIE, HeaderValue::from_str(&pairs.join("; ")).unwrap());
        }
        headers
    }

    pub(super) fn store(&mut self, set_cookies: &[HeaderValue]) {
        for field in set_cookies {
            let cookie = cookie::Cookie::parse(field.to_str().unwrap().to_owned()).unwrap();
            if cookie.max_age().is_some_and(time::Duration::is_zero) {
                self.jar.remove(cookie.name());
            } else {
                self.jar
                    .insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jar.is_empty()
    }

    /// The kinds of its session cookies, in order of name, chunks apart.
    pub(super) fn names(&self) -> Vec<&str> {
        self.jar
            .keys()
            .filter_map(|name| name.strip_prefix("__Host-Http-shop-"))
            .filter(|kind| !kind.contains('.'))
            .collect()
    }

    /// Gets a cookie of somebody else: the same session, in a field that nobody has seen.
    pub(super) fn disguise(&mut self) {
        self.jar.insert("theme".to_owned(), "dark".to_owned());
    }

    /// Loses one cookie and its chunks.
    pub(super) fn lose(&mut self, kind: &str) {
        let name = format!("__Host-Http-shop-{kind}");
        self.jar
            .retain(|held, _| *held != name && !held.starts_with(&format!("{name}.")));
    }

    /// Changes the last character of one cookie.
    pub(super) fn tamper(&mut self, kind: &str) {
        let value = self.jar.get_mut(&format!("__Host-Http-shop-{kind}")).unwrap();
        // Not the last one: its lowest bits may be padding.
        let middle = value.len() / 2;
        let other = if value.as_bytes()[middle] == b'A' {
            "B"
        } else {
            "A"
        };
        value.replace_range(middle..=middle, other);
    }

    /// Takes one cookie from another jar.
    pub(super) fn take(&mut self, kind: &str, from: &Self) {
        let name = format!("__Host-Http-shop-{kind}");
        self.jar.insert(name.clone(), from.jar[&name].clone());
    }
}

/// The code of a refusal and whether it says something about cookies.
pub(super) fn said<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> (Code, bool) {
    let refusal = answer.unwrap_err();
    (refusal.code, !refusal.set_cookies.is_empty())
}

/// What a login brings.
pub(super) fn tokens() -> TokenSet {
    TokenSet {
        access: AccessToken::new("at-0"),
        expires_in: Some(Duration::from_secs(600)),
        refresh: Some(RefreshToken::new("rt-0")),
        refresh_expires_in: None,
        id_token: Some(IdToken::new("header.alice.signature")),
        scope: Some("openid profile".to_owned()),
    }
}

/// The same without a refresh token.
pub(super) fn without_refresh() -> TokenSet {
    TokenSet {
        refresh: None,
        ..tokens()
    }
}

pub(super) fn alice() -> Identity {
    Identity {
        subject: "alice".into(),
        provider_session: Some("sid-1".into()),
        auth_time: Some(1_799_999_990),
        acr: None,
    }
}

/// The id of a browser's session.
pub(super) fn session_of<const IN_STORE: bool>(world: &WorldOf<IN_STORE>, browser: &Browser) -> SessionId {
    match world.sessions.parts.cookies.open(&browser.headers()) {
        Opened::Session(session, _) => session.id,
        Opened::Shelved(shelved, _) => shelved.facts().id,
        other => panic!("no session: {other:?}"),
    }
}

/// A browser's session, alive or not.
pub(super) async fn opened<const IN_STORE: bool>(
    world: &WorldOf<IN_STORE>,
    browser: &Browser,
) -> Arc<Session> {
    match world.sessions.parts.cookies.open(&browser.headers()) {
        Opened::Session(session, _) => session,
        Opened::Shelved(shelved, _) => {
            let session = world.sessions.fetch(&shelved, world.sessions.now()).await;
            Arc::new(session.unwrap().expect("content"))
        }
        other => panic!("no session: {other:?}"),
    }
}

fn sessions(app: &Arc<App>, clock: &Arc<ManualClock>, random: &Arc<Counted>, room: Capacity) -> Sessions {
    let store = Arc::new(MemoryStore::with_capacity(&**random, room));
    sessions_with(app, clock, random, store)
}

pub(super) fn sessions_with(
    app: &Arc<App>,
    clock: &Arc<ManualClock>,
    random: &Arc<Counted>,
    store: Arc<dyn Store>,
) -> Sessions {
    sessions_of(app, clock, random, store, &[fixture::key(7)])
}

fn sessions_of(
    app: &Arc<App>,
    clock: &Arc<ManualClock>,
    random: &Arc<Counted>,
    store: Arc<dyn Store>,
    keys: &[CookieKey],
) -> Sessions {
    let random: Arc<dyn Random> = Arc::<Counted>::clone(random);
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    Sessions::new(SessionParts {
        app: Arc::clone(app),
        cookies: Cookies::new(keys, app, Arc::clone(&random)),
        provider: Arc::new(Provider::new(&app.provider, Arc::clone(&clock)).unwrap()),
        store,
        clock,
        random,
        meters: AppMeters::default(),
    })
}

fn app(issuer: &str) -> App {
    let mut app = fixture::app();
    app.provider.issuer = issuer.into();
    app.provider.id_token_alg = jsonwebtoken::Algorithm::ES256;
    app
}
