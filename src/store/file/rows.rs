//! Facts ⇄ rows of the file.
//!
//! A row is named by what kind it is of and by a keyed hash of what it is about; its value is the fact, sealed and bound to
//! that name. In clear stands only when it is over.

use super::names::Names;
use crate::clock::Timestamp;
use crate::session::{Generation, SessionId};
use crate::store::memory::facts::{Fact, Members, Subject};

/// The name of a row: its kind and what tells it apart.
pub(super) type Name = Vec<u8>;

/// The kinds, in the order in which they are read back: a session before its results.
pub(super) const KINDS: [u8; 7] = [SESSION, RESULT, MARK, RECORD, MEMBERS, REFUSAL, CONTENT];

const SESSION: u8 = 1;
const RESULT: u8 = 2;
const MARK: u8 = 3;
const RECORD: u8 = 4;
const MEMBERS: u8 = 5;
const REFUSAL: u8 = 6;
const CONTENT: u8 = 7;

/// Whether facts of this kind have to be learned oldest first, because the oldest makes room for the newest.
pub(super) const fn is_queue(kind: u8) -> bool {
    matches!(kind, MARK | RECORD | REFUSAL)
}

/// The rows that `subject` may have: one, and all that begin with a prefix.
pub(super) fn of_subject(subject: &Subject, names: &Names) -> (Name, Option<Name>) {
    match subject {
        Subject::Mark(mark) => (named(MARK, mark), None),
        Subject::Session(session) => (named(SESSION, &session.0), Some(named(RESULT, &session.0))),
        Subject::Record(handle) => (named(RECORD, &names.row(&handle.0)), None),
        Subject::Members(issuer, members) => (of_members(issuer, members, names), None),
        Subject::Refusal(session, generation) => (of_generation(REFUSAL, *session, *generation), None),
        Subject::Content(name) => (named(CONTENT, name), None),
    }
}

/// The row of a fact.
pub(super) fn of_fact(fact: &Fact, names: &Names) -> Name {
    match fact {
        Fact::Mark { mark, .. } => named(MARK, mark),
        Fact::Session { session, .. } => named(SESSION, &session.0),
        Fact::Result { session, from, .. } => of_generation(RESULT, *session, *from),
        Fact::Record { record, .. } => named(RECORD, &names.row(&record.handle.0)),
        Fact::Members { issuer, members, .. } => of_members(issuer, members, names),
        Fact::Refusal {
            session, generation, ..
        } => of_generation(REFUSAL, *session, *generation),
        Fact::Content { name, .. } => named(CONTENT, name),
    }
}

fn named(kind: u8, id: &[u8]) -> Name {
    let mut name = vec![kind];
    name.extend_from_slice(id);
    name
}

fn of_generation(kind: u8, session: SessionId, generation: Generation) -> Name {
    let mut name = named(kind, &session.0);
    name.extend_from_slice(&generation.0.to_be_bytes());
    name
}

fn of_members(issuer: &str, members: &Members, names: &Names) -> Name {
    let (which, member) = match members {
        Members::Everybody => (0, ""),
        Members::Subject(subject) => (1, &**subject),
        Members::ProviderSession(sid) => (2, &**sid),
    };
    // The length in front, so that no two read the same.
    let mut identity = (issuer.len() as u64).to_be_bytes().to_vec();
    identity.extend_from_slice(issuer.as_bytes());
    identity.push(which);
    identity.extend_from_slice(member.as_bytes());
    named(MEMBERS, &names.row(&identity))
}

/// The value of a row.
pub(super) fn seal(fact: &Fact, name: &[u8], names: &Names) -> Option<Vec<u8>> {
    let plain = zeroize::Zeroizing::new(postcard::to_allocvec(fact).ok()?);
    let mut value = fact.until().as_millis().to_be_bytes().to_vec();
    value.extend(names.seal(name, &plain)?);
    Some(value)
}

/// What a value says; `None` where somebody else wrote it, or for another row.
pub(super) fn open(name: &[u8], value: &[u8], names: &Names) -> Option<Fact> {
    let (until, sealed) = value.split_first_chunk::<8>()?;
    let plain = names.open(name, sealed)?;
    let fact: Fact = postcard::from_bytes(&plain).ok()?;
    (fact.until().as_millis().to_be_bytes() == *until).then_some(fact)
}

/// When the row of this value is over.
pub(super) fn until(value: &[u8]) -> Timestamp {
    let millis = value.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    Timestamp::from_millis(millis)
}
