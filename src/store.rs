//! Shared state: used states, renewals, the ends of sessions (contract §9). Small on purpose: everything else about
//! a session lives in its cookies.
//!
//! What is put in is either a fact about an id or sealed bytes; an implementation that writes elsewhere stores ids
//! only as hashes. A method that answers [`StoreError`] makes the caller fail soft: 503, cookies untouched.
//!
//! [`Store::look`] is asked on every request and never waits for another machine: a store that is shared keeps what it
//! needs for that at hand.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::Timestamp;
use crate::config::CookieKey;

mod alone;
#[cfg(feature = "file-store")]
mod file;
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(test)]
mod tests;

pub(crate) use alone::AloneStore;
#[cfg(feature = "file-store")]
pub(crate) use file::FileStore;
pub use memory::{Capacity, MemoryStore};
#[cfg(feature = "redis")]
pub use redis::RedisStore;

/// What a store tells sessions apart by.
pub use crate::session::{Generation, SessionHandle, SessionId};

/// Names one lifetime of the store's memory. A session sealed under another epoch may have been ended without the
/// store remembering it, and is renewed at the provider before its access token is used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// Why a session ended, as `reason` of `GET session` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum EndReason {
    /// Logout or front-channel logout.
    LoggedOut,
    /// Back-channel logout, an administrator, reuse of a superseded generation.
    Revoked,
    /// A newer login of the same browser stands in its place.
    Replaced,
    /// A final `invalid_grant`.
    Expired,
}

impl EndReason {
    /// As a metric and the log say it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Revoked => "revoked",
            Self::Replaced => "replaced",
            Self::Expired => "expired",
        }
    }
}

/// What identifies a session towards the store.
#[derive(Debug, Clone, Copy)]
pub struct SessionRef<'a> {
    /// The session.
    pub id: SessionId,
    /// Its issuer.
    pub issuer: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// The provider's own session (`sid`), where its ID token named one.
    pub provider_session: Option<&'a str>,
    /// When it began.
    pub started: Timestamp,
}

/// Whose sessions end at once, among those of one issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose<'a> {
    /// Everybody's.
    Everybody,
    /// Of this subject (`sub`).
    Subject(&'a str),
    /// Of this session of the provider (`sid`).
    ProviderSession(&'a str),
}

/// The end of many sessions at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cutoff {
    /// Sessions that began before this have ended; later ones are others.
    pub before: Timestamp,
    /// Why.
    pub reason: EndReason,
    /// When the longest of them would have ended by itself: so long this is remembered.
    pub until: Timestamp,
}

/// A session as its login recorded it: for lists, and for ends that name no session id.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Record {
    /// What it is called outside.
    pub handle: SessionHandle,
    /// Its app.
    pub app: Box<str>,
    /// Its issuer.
    pub issuer: Box<str>,
    /// Its subject.
    pub subject: Box<str>,
    /// The provider's own session, where its ID token named one.
    pub provider_session: Option<Box<str>>,
    /// When it began.
    pub started: Timestamp,
    /// Its absolute end, at the latest.
    pub until: Timestamp,
}

/// Which records are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Find<'a> {
    /// All.
    Everybody,
    /// The one with this handle.
    Handle(SessionHandle),
    /// Those of this subject, of any issuer.
    Subject(&'a str),
    /// Those of a session of the provider.
    ProviderSession {
        /// The app that recorded them.
        app: &'a str,
        /// The issuer.
        issuer: &'a str,
        /// `sid`
        sid: &'a str,
    },
}

/// Whoever asks for the right to renew a session: random, of one flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claimant(pub u64);

/// How a store does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It can be reached.
    Up,
    /// It cannot; what is known of it holds, and what it needs is made up for when it is back.
    Down,
}

/// What the store knows about a session: one look on each request, so it must be cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Set once the session has ended.
    pub ended: Option<EndReason>,
    /// The newest generation known, where the session has been renewed in this epoch.
    pub newest: Option<Newest>,
}

/// The newest generation of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// Which one.
    pub generation: Generation,
    /// Whether a browser has presented it already; the results for older generations die 60 s after that.
    pub presented: bool,
}

/// The store cannot be reached or is full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub std::borrow::Cow<'static, str>);

/// The answer of every method.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Shared state behind one small interface.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The current epoch.
    fn epoch(&self) -> Epoch;

    /// Marks a one-time value (a hash of it) as used until `until`: `true` the first time, `false` ever after.
    /// Bounded; when full, the oldest marks go first.
    fn use_once(&self, mark: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, bool>;

    /// What is known about the session.
    fn look<'a>(&'a self, session: SessionRef<'a>, now: Timestamp) -> Answer<'a, Look>;

    /// Ends one session. Lives until `until` (the session's absolute end), is never evicted; when full: an error.
    /// The first reason stays.
    fn end(&self, session: SessionId, reason: EndReason, until: Timestamp, now: Timestamp) -> Answer<'_, ()>;

    /// Ends the sessions of an issuer that `cutoff` names. Never evicted; when full: an error. A later cutoff for the same
    /// ones adds to the earlier: what either ended stays ended.
    fn end_all<'a>(
        &'a self,
        issuer: &'a str,
        whose: Whose<'a>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Answer<'a, ()>;

    /// Records a session that begins. Bounded; when full, the oldest records go: a list is not complete then, and no end
    /// depends on it that a cookie could not be held against.
    fn record(&self, session: SessionId, record: Record, now: Timestamp) -> Answer<'_, ()>;

    /// Records of sessions that have not ended and are not over, newest first, at most `limit`.
    fn recorded<'a>(&'a self, find: Find<'a>, limit: usize, now: Timestamp) -> Answer<'a, Vec<Record>>;

    /// Since when every session that began, and is neither over nor ended, is in the list; `None` where nobody knows. One
    /// whose record went for room, or that began before this store did, may be missing from it.
    fn recorded_since(&self) -> Option<Timestamp> {
        None
    }

    /// Ends the session with this handle, where it is recorded; `false` where it is not.
    fn end_recorded(&self, handle: SessionHandle, reason: EndReason, now: Timestamp) -> Answer<'_, bool>;

    /// Takes the right to renew `session`, or keeps it: whoever has it asks again before [`LEASE`] is over. `false`:
    /// somebody else has it. A lease that was not kept up is anybody's. Once it is given, [`Store::look`] knows of every
    /// renewal that was kept before, by whomever.
    fn claim(&self, session: SessionId, claimant: Claimant, now: Timestamp) -> Answer<'_, bool>;

    /// Gives the right back, where `claimant` still has it.
    fn release(&self, session: SessionId, claimant: Claimant) -> Answer<'_, ()>;

    /// Keeps the sealed result of the renewal of generation `from`, and makes `from.next()` the newest generation.
    /// Refused (`false`, nothing kept) when the session has ended meanwhile: the end wins over renewal.
    /// `result_until`: when the result goes if nobody presents the new generation. `until`: the session's absolute end.
    fn keep_renewal(
        &self,
        session: SessionId,
        from: Generation,
        sealed: Vec<u8>,
        result_until: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool>;

    /// The sealed result of the renewal of generation `from`, while it is kept.
    fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Answer<'_, Option<Vec<u8>>>;

    /// A browser has presented `generation`: results for older generations live until `now` + 60 s, not longer.
    fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, ()>;

    /// The provider refused (`invalid_grant`) a generation this epoch knows nothing of: remembers the first time and
    /// answers it, so that the second refusal 5 s later is final (contract §9). Kept for at least a minute.
    fn refused(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, Timestamp>;

    /// Keeps the sealed content of a session that lives here (`session.mode = "store"`) under `name`, a hash, until
    /// `until`. Never evicted; when full: an error.
    fn put_content(
        &self,
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, ()>;

    /// What is kept under `name`.
    fn content(&self, name: [u8; 32], now: Timestamp) -> Answer<'_, Option<Vec<u8>>>;

    /// Forgets what is kept under `name` at `until`, if it is not forgotten before.
    fn forget_content(&self, name: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, ()>;

    /// Whether it keeps the content of sessions well enough that a session may move here by itself: not where a restart
    /// forgets them.
    fn keeps_content(&self) -> bool {
        false
    }

    /// Whether the newest generation that it knows is the newest there is. Not where several processes share nothing.
    fn is_authority(&self) -> bool {
        true
    }

    /// What all who share this store agree to be the time, where the own clock says `local`.
    fn time(&self, local: Timestamp) -> Timestamp {
        local
    }

    /// How it does, for readiness.
    fn health(&self) -> Health {
        Health::Up
    }

    /// The cookie keys are others from now on: what the store seals by keys derived from them, too.
    fn use_keys(&self, _keys: &[CookieKey]) {}

    /// Waits until what was taken in while it was out of reach, or is being written, is where it belongs; bounded by the
    /// caller. What a shutdown does last.
    fn settled(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// How long the right to renew a session lasts without being kept up (attack 146). Whoever has it asks again every third
/// of it; a process that stands still for longer has lost it.
pub const LEASE: Duration = Duration::from_secs(6);
