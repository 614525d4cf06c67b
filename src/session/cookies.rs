//! The cookies of one app: names, opening, sealing, clearing. Everything else in `session` serves this file.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use super::{Farewell, PendingLogin, Session};
use crate::clock::Timestamp;
use crate::config::{App, CookieKey};
use crate::random::Random;

/// What the `Cookie` fields of a request hold for one app.
#[derive(Debug)]
pub enum Opened {
    /// No session cookie of this app at all.
    Absent,
    /// There are session cookies, but they make no session. `clear` = a value under a known key did not open (it was
    /// tampered with): clear the jar. Otherwise leave it alone (a replica may be behind in a key rotation).
    Unreadable {
        /// Whether the answer clears the session cookies.
        clear: bool,
    },
    /// A session, and how many chunks of each cookie the browser presented.
    Session(Box<Session>, Presented),
}

/// How many chunks of at, rt, id the request carried, surplus ones included: what a reseal must clear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presented {
    /// Chunks of `-at`, `-rt`, `-id`.
    pub chunks: [u8; 3],
}

/// Which cookies to seal anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// `-at`
    pub access: bool,
    /// `-rt`
    pub refresh: bool,
    /// `-id`
    pub id: bool,
}

impl Parts {
    /// After a login or a renewal.
    pub const ALL: Self = Self {
        access: true,
        refresh: true,
        id: true,
    };
    /// When only the idle timeout slides.
    pub const ACCESS: Self = Self {
        access: true,
        refresh: false,
        id: false,
    };
}

/// What the new cookies replace: decides which surplus chunks are cleared along.
#[derive(Debug, Clone, Copy)]
pub enum Replaces {
    /// These, seen in the request.
    Presented(Presented),
    /// Unknown (a callback cannot see Strict cookies of the past): every chunk number up to the budget.
    Everything,
}

/// The tokens do not fit into `session.cookie_budget`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session needs {needed} bytes of cookies, the budget is {budget}")]
pub struct TooLarge {
    /// Bytes of `name=value; ` that the session would take.
    pub needed: usize,
    /// `session.cookie_budget`.
    pub budget: usize,
}

/// The cookies of one app.
#[derive(Debug)]
pub struct Cookies {}

impl Cookies {
    /// Derives the sub-keys of this app from the ring, once (contract §4).
    pub fn new(_keys: &[CookieKey], _app: &App, _random: Arc<dyn Random>) -> Self {
        todo!()
    }

    /// Opens the session in the `Cookie` fields of a request. Never fails, never tells why.
    pub fn open(&self, _headers: &HeaderMap) -> Opened {
        todo!()
    }

    /// `Set-Cookie` values that hold `session` (its `touched` must be set by the caller), with surplus chunks cleared.
    ///
    /// # Errors
    /// [`TooLarge`] when at, rt and id together exceed the budget.
    pub fn seal(
        &self,
        _session: &Session,
        _parts: Parts,
        _replaces: Replaces,
        _now: Timestamp,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        todo!()
    }

    /// `Set-Cookie` values that clear the app's session cookies: the plain names always, and every chunk seen in `headers`.
    pub fn clear(&self, _headers: &HeaderMap) -> Vec<HeaderValue> {
        todo!()
    }

    /// `Set-Cookie` values for a login that starts: its cookie, and the clearing of the oldest pending ones beyond 5
    /// or 4 KiB together, and of those that are over.
    ///
    /// # Errors
    /// [`TooLarge`] when the login cookie would exceed 2 KiB.
    pub fn seal_login(
        &self,
        _login: &PendingLogin,
        _headers: &HeaderMap,
        _now: Timestamp,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        todo!()
    }

    /// The pending login that belongs to `state`: found by its hash, opened, `state` compared in constant time, not
    /// older than ten minutes.
    pub fn open_login(&self, _headers: &HeaderMap, _state: &str, _now: Timestamp) -> Option<PendingLogin> {
        todo!()
    }

    /// Clears the login cookie that belongs to `state`.
    pub fn clear_login(&self, _state: &str) -> HeaderValue {
        todo!()
    }

    /// `Set-Cookie` for `-end`, Max-Age=120; `None` when it would not fit into one cookie's chunks of the budget.
    pub fn seal_farewell(&self, _farewell: &Farewell) -> Option<Vec<HeaderValue>> {
        todo!()
    }

    /// Opens `-end`, not older than two minutes.
    pub fn open_farewell(&self, _headers: &HeaderMap, _now: Timestamp) -> Option<Farewell> {
        todo!()
    }

    /// Clears `-end` and its chunks seen in `headers`.
    pub fn clear_farewell(&self, _headers: &HeaderMap) -> Vec<HeaderValue> {
        todo!()
    }
}
