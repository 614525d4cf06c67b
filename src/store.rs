//! Shared state: used states, renewals, the ends of sessions (contract §9). Small on purpose: everything else about
//! a session lives in its cookies.
//!
//! What is put in is either a fact about an id or sealed bytes; an implementation that writes elsewhere stores ids
//! only as keyed hashes. A method that answers [`StoreError`] makes the caller fail soft: 503, cookies untouched.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::clock::Timestamp;

mod memory;
#[cfg(test)]
mod tests;

pub use memory::{Capacity, MemoryStore};

/// What a store tells sessions apart by.
pub use crate::session::{Generation, SessionId};

/// Names one lifetime of the store's memory. A session sealed under another epoch may have been ended without the
/// store remembering it, and is renewed at the provider before its access token is used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// Why a session ended, as `reason` of `GET session` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// What identifies a session towards the store.
#[derive(Debug, Clone, Copy)]
pub struct SessionRef<'a> {
    /// The session.
    pub id: SessionId,
    /// Its issuer.
    pub issuer: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// When it began.
    pub started: Timestamp,
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

    /// Ends every session of `issuer` + `subject` (`None` = of everybody) that began before `before`.
    fn end_subject<'a>(
        &'a self,
        issuer: &'a str,
        subject: Option<&'a str>,
        before: Timestamp,
        reason: EndReason,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'a, ()>;

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
}
