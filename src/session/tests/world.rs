//! What a test of cookies needs: an app, keys, seeded randomness, a browser's jar.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;
pub(super) use crate::config::tests::fixture::{app, key};
use crate::config::{App, CookieKey};
use crate::random::Random;
use crate::session::{Access, Cookies, Generation, Identity, Opened, Presented, Session, SessionId};
use crate::store::Epoch;
use crate::token::{AccessToken, IdToken, RefreshToken};

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Different every time within a test, the same in every run.
#[derive(Debug, Default)]
pub(super) struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for block in bytes.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            let hash = Sha256::digest(count.to_be_bytes());
            block.copy_from_slice(&hash[..block.len()]);
        }
    }
}

pub(super) fn cookies_of(keys: &[CookieKey], app: &App) -> Cookies {
    Cookies::new(keys, app, Arc::new(Counted::default()))
}

pub(super) fn cookies() -> Cookies {
    cookies_of(&[key(1)], &app())
}

/// With room for large tokens.
pub(super) fn roomy() -> Cookies {
    let mut app = app();
    app.session.cookie_budget = 64 * 1024;
    cookies_of(&[key(1)], &app)
}

/// A session with all three tokens, each of `token_len` characters.
pub(super) fn session_of(token_len: usize) -> Session {
    let token = |kind: char| std::iter::repeat_n(kind, token_len).collect::<String>();
    Session {
        id: SessionId([7; 16]),
        generation: Generation(3),
        started: NOW,
        touched: NOW.after(Duration::from_secs(60)),
        idle: Duration::from_secs(1800),
        absolute: Duration::from_secs(12 * 3600),
        epoch: Epoch(42),
        access: Access {
            token: AccessToken::new(token('A')),
            expires: Some(NOW.after(Duration::from_secs(300))),
            generation: Generation(3),
            scope: Some("openid profile".into()),
            has_refresh: true,
        },
        refresh: Some(RefreshToken::new(token('R'))),
        id_token: Some(IdToken::new(token('I'))),
        shelf: None,
        identity: Identity {
            subject: "alice".into(),
            provider_session: Some("sid-1".into()),
            auth_time: Some(NOW.as_secs()),
            acr: Some("gold".into()),
        },
    }
}

pub(super) fn session() -> Session {
    session_of(200)
}

/// All that two sessions can differ in, secrets included.
pub(super) fn assert_same(left: &Session, right: &Session) {
    let texts = |session: &Session| {
        (
            session.access.token.expose().to_owned(),
            session.refresh.as_ref().map(|token| token.expose().to_owned()),
            session.id_token.as_ref().map(|token| token.expose().to_owned()),
        )
    };
    assert!(left.id == right.id);
    assert_eq!(texts(left), texts(right));
    // Debug hides the secrets, which were compared above, and shows the rest.
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
}

/// What a browser keeps: name → value, in order of name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Jar(pub(super) BTreeMap<String, String>);

impl Jar {
    pub(super) fn of(set: &[HeaderValue]) -> Self {
        let mut jar = Self::default();
        jar.apply(set);
        jar
    }

    /// Does what `Set-Cookie` says; `Max-Age=0` removes.
    pub(super) fn apply(&mut self, set: &[HeaderValue]) {
        for field in set {
            let field = field.to_str().unwrap();
            let (pair, attributes) = field.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.split("; ").any(|attribute| attribute == "Max-Age=0") {
                self.0.remove(name);
            } else {
                assert!(name.len() + value.len() <= 4096, "a browser drops {name}");
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        header(pairs.join("; ").as_bytes())
    }
}

pub(super) fn header(cookie: &[u8]) -> HeaderMap {
    headers(&[cookie])
}

pub(super) fn headers(fields: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append(COOKIE, HeaderValue::from_bytes(field).unwrap());
    }
    headers
}

/// As many chunks as the values were sealed for.
pub(super) const fn presented(chunks: [u8; 3]) -> Presented {
    Presented {
        chunks,
        sealed: chunks,
        keys: [0; 3],
    }
}

pub(super) fn opened(cookies: &Cookies, headers: &HeaderMap) -> (Session, Presented) {
    match cookies.open(headers) {
        Opened::Session(session, presented) => (Session::clone(&session), presented),
        other => panic!("expected a session, found {other:?}"),
    }
}

/// `None`: no cookie; `Some(clear)`: unreadable.
pub(super) fn unreadable(cookies: &Cookies, headers: &HeaderMap) -> Option<bool> {
    match cookies.open(headers) {
        Opened::Absent => None,
        Opened::Unreadable { clear } => Some(clear),
        Opened::Session(..) | Opened::Shelved(..) => panic!("expected no session, found one"),
    }
}

/// For properties that need no world of their own.
pub(super) static SHARED: LazyLock<Cookies> = LazyLock::new(roomy);
