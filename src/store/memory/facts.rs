//! What the memory knows, one fact at a time: for a store that writes it down, and reads it back after a restart.

use serde::{Deserialize, Serialize};

use super::sessions::Known;
use super::{MemoryStore, REFUSAL_LIFETIME, lock};
use crate::clock::Timestamp;
use crate::session::{Generation, SessionHandle, SessionId};
use crate::store::{Cutoff, Find, Record, StoreError};

/// Names one thing that the memory may know something of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::store) enum Subject {
    /// A one-time value.
    Mark([u8; 32]),
    /// A session: its end, its newest generation, its kept results.
    Session(SessionId),
    /// A session in the list.
    Record(SessionHandle),
    /// Sessions that end together.
    Members(Box<str>, Members),
    /// A refused generation.
    Refusal(SessionId, Generation),
    /// The content of a session that lives in the store.
    Content([u8; 32]),
}

/// [`super::Whose`], kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::store) enum Members {
    Everybody,
    Subject(Box<str>),
    ProviderSession(Box<str>),
}

/// What the memory knows of it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) enum Fact {
    /// It was used.
    Mark { mark: [u8; 32], until: Timestamp },
    /// What became of the session.
    Session { session: SessionId, known: Known },
    /// What its renewal of `from` brought.
    Result {
        session: SessionId,
        from: Generation,
        sealed: Vec<u8>,
        until: Timestamp,
    },
    /// It is in the list.
    Record { session: SessionId, record: Record },
    /// They have ended.
    Members {
        issuer: Box<str>,
        members: Members,
        cutoff: Cutoff,
    },
    /// It was refused first at this time.
    Refusal {
        session: SessionId,
        generation: Generation,
        first: Timestamp,
    },
    /// What is kept under the name.
    Content {
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
    },
}

impl Fact {
    /// When it is over.
    pub(in crate::store) fn until(&self) -> Timestamp {
        match self {
            Self::Mark { until, .. } | Self::Result { until, .. } | Self::Content { until, .. } => *until,
            Self::Session { known, .. } => known.until,
            Self::Record { record, .. } => record.until,
            Self::Members { cutoff, .. } => cutoff.until,
            Self::Refusal { first, .. } => first.after(REFUSAL_LIFETIME),
        }
    }
}

impl MemoryStore {
    /// All that is known of `subject` now: nothing, one fact, or those of a session that was renewed.
    pub(in crate::store) fn facts(&self, subject: &Subject) -> Vec<Fact> {
        match subject {
            Subject::Session(session) => self.sessions.facts(*session),
            Subject::Mark(mark) => {
                let until = lock(&self.marks).get(mark).copied();
                one(until.map(|until| Fact::Mark { mark: *mark, until }))
            }
            Subject::Record(handle) => {
                let records = lock(&self.records);
                let found = records.find(Find::Handle(*handle), Timestamp::default()).next();
                one(found.map(|(session, record)| Fact::Record {
                    session: *session,
                    record: record.clone(),
                }))
            }
            Subject::Members(issuer, members) => {
                let cutoff = match members {
                    Members::Everybody => self.subjects.cutoff(issuer, None),
                    Members::Subject(subject) => self.subjects.cutoff(issuer, Some(subject)),
                    Members::ProviderSession(sid) => self.provider_sessions.cutoff(issuer, Some(sid)),
                };
                one(cutoff.map(|cutoff| Fact::Members {
                    issuer: issuer.clone(),
                    members: members.clone(),
                    cutoff,
                }))
            }
            Subject::Refusal(session, generation) => {
                let first = lock(&self.refusals).get(&(*session, *generation)).copied();
                one(first.map(|first| Fact::Refusal {
                    session: *session,
                    generation: *generation,
                    first,
                }))
            }
            Subject::Content(name) => {
                let kept = lock(&self.contents).kept(name);
                one(kept.map(|(sealed, until)| Fact::Content {
                    name: *name,
                    sealed,
                    until,
                }))
            }
        }
    }

    /// Knows `fact` again. Facts of one kind come oldest first, a session before its results.
    ///
    /// # Errors
    /// There is no room: it would have to forget an end.
    pub(in crate::store) fn recall(&self, fact: Fact, now: Timestamp) -> Result<(), StoreError> {
        match fact {
            Fact::Mark { mark, until } => {
                lock(&self.marks).put(mark, until, self.capacity.marks);
            }
            Fact::Session { session, known } => {
                self.sessions.recall(session, known, now, &self.capacity)?;
            }
            Fact::Result {
                session,
                from,
                sealed,
                until,
            } => {
                let result = super::sessions::Kept { from, sealed, until };
                self.sessions
                    .recall_result(session, result, now, &self.capacity)?;
            }
            Fact::Record { session, record } => {
                lock(&self.records).put(session, record, self.capacity.records, now);
            }
            Fact::Members {
                issuer,
                members,
                cutoff,
            } => {
                let (all, member) = match &members {
                    Members::Everybody => (&self.subjects, None),
                    Members::Subject(subject) => (&self.subjects, Some(&**subject)),
                    Members::ProviderSession(sid) => (&self.provider_sessions, Some(&**sid)),
                };
                all.end(&issuer, member, cutoff, now, self.capacity.subjects)?;
            }
            Fact::Refusal {
                session,
                generation,
                first,
            } => {
                lock(&self.refusals).put((session, generation), first, self.capacity.refusals);
            }
            Fact::Content { name, sealed, until } => {
                lock(&self.contents).put(name, sealed, until, now, self.capacity.content_bytes)?;
            }
        }
        Ok(())
    }
}

fn one(fact: Option<Fact>) -> Vec<Fact> {
    fact.into_iter().collect()
}
