//! What replicas tell each other: an end, a cutoff, a renewal. Sealed on the way; each is kept in Redis, too, for as long as it
//! holds, so that whoever was away reads it again.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::session::{Generation, Names, SessionId};
use crate::store::{Cutoff, EndReason, Newest, Whose};

/// One fact about sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Event {
    /// A session has ended.
    Ended {
        session: SessionId,
        reason: Reason,
        until: Timestamp,
    },
    /// Many have.
    Cutoff {
        issuer: Box<str>,
        whose: Members,
        before: Timestamp,
        reason: Reason,
        until: Timestamp,
    },
    /// A session has been renewed.
    Renewed {
        session: SessionId,
        generation: Generation,
        until: Timestamp,
    },
    /// A browser has presented its newest generation.
    Presented {
        session: SessionId,
        generation: Generation,
    },
}

/// [`EndReason`] as it is written. Its order is its encoding: only ever add at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reason {
    LoggedOut,
    Revoked,
    Replaced,
    Expired,
}

/// [`Whose`], owned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Members {
    Everybody,
    Subject(Box<str>),
    ProviderSession(Box<str>),
}

impl Event {
    pub(super) fn cutoff(issuer: &str, whose: Whose<'_>, cutoff: Cutoff) -> Self {
        Self::Cutoff {
            issuer: issuer.into(),
            whose: match whose {
                Whose::Everybody => Members::Everybody,
                Whose::Subject(subject) => Members::Subject(subject.into()),
                Whose::ProviderSession(sid) => Members::ProviderSession(sid.into()),
            },
            before: cutoff.before,
            reason: cutoff.reason.into(),
            until: cutoff.until,
        }
    }

    pub(super) fn seal(&self, names: &Names) -> Option<Vec<u8>> {
        names.seal(PURPOSE, &postcard::to_allocvec(self).ok()?)
    }

    /// `None` for what is not ours, and for what a later version says and this one does not understand.
    pub(super) fn open(names: &Names, sealed: &[u8]) -> Option<Self> {
        let plain = names.open(PURPOSE, sealed)?;
        match postcard::take_from_bytes(&plain).ok()? {
            (event, []) => Some(event),
            _ => None,
        }
    }
}

impl Members {
    pub(super) fn as_whose(&self) -> Whose<'_> {
        match self {
            Self::Everybody => Whose::Everybody,
            Self::Subject(subject) => Whose::Subject(subject),
            Self::ProviderSession(sid) => Whose::ProviderSession(sid),
        }
    }
}

impl From<EndReason> for Reason {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::LoggedOut => Self::LoggedOut,
            EndReason::Revoked => Self::Revoked,
            EndReason::Replaced => Self::Replaced,
            EndReason::Expired => Self::Expired,
        }
    }
}

impl From<Reason> for EndReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::LoggedOut => Self::LoggedOut,
            Reason::Revoked => Self::Revoked,
            Reason::Replaced => Self::Replaced,
            Reason::Expired => Self::Expired,
        }
    }
}

impl Reason {
    /// As a session's entry in Redis holds it.
    pub(super) const fn letter(self) -> &'static str {
        match self {
            Self::LoggedOut => "l",
            Self::Revoked => "r",
            Self::Replaced => "n",
            Self::Expired => "x",
        }
    }

    /// What does not read as a reason is an end all the same.
    pub(super) fn of_letter(letter: &str) -> Self {
        match letter {
            "l" => Self::LoggedOut,
            "n" => Self::Replaced,
            "x" => Self::Expired,
            _ => Self::Revoked,
        }
    }
}

/// The newest generation, not yet presented.
pub(super) const fn unseen(generation: Generation) -> Newest {
    Newest {
        generation,
        presented: false,
    }
}

const PURPOSE: &str = "event";
