//! The calls, each with its keys and arguments in the order in which its script reads them. `None`: it cannot be sealed, which does
//! not happen.

use std::time::Duration;

use super::event::{Event, Members, Reason};
use super::script::{CLAIM, CUTOFF, Call, END, KEEP, MARK, PRESENTED, RECORD, REFUSED, RELEASE};
use super::shared::{Connected, Shared};
use crate::clock::Timestamp;
use crate::session::{Generation, SessionHandle, SessionId};
use crate::store::{Claimant, Cutoff, LEASE, Record, Whose};

fn call(text: &'static str, shared: &Shared, connected: &Connected, now: Timestamp) -> Call {
    Call::new(text, &shared.keys, &connected.identity, now)
}

/// The key of a session's entry.
pub(super) fn entry(shared: &Shared, connected: &Connected, session: SessionId) -> String {
    let name = connected.identity.names.of("session", &[&session.0]);
    shared.keys.fact(&format!("session:{name}"))
}

pub(super) fn end(
    shared: &Shared,
    connected: &Connected,
    session: SessionId,
    reason: Reason,
    until: Timestamp,
    now: Timestamp,
) -> Option<Call> {
    let event = Event::Ended {
        session,
        reason,
        until,
    };
    let call = call(END, shared, connected, now)
        .key(entry(shared, connected, session))
        .with(reason.letter().as_bytes())
        .time(until)
        .ttl(until, now)
        .with(&event.seal(&connected.identity.names)?)
        .number(HELD);
    Some(call)
}

pub(super) fn cutoff(
    shared: &Shared,
    connected: &Connected,
    issuer: &str,
    whose: Whose<'_>,
    cutoff: Cutoff,
    now: Timestamp,
) -> Option<Call> {
    let names = &connected.identity.names;
    let event = Event::cutoff(issuer, whose, cutoff);
    let Event::Cutoff { whose, .. } = &event else {
        return None;
    };
    let (kind, member) = match whose {
        Members::Everybody => ("everybody", ""),
        Members::Subject(subject) => ("subject", &**subject),
        Members::ProviderSession(sid) => ("sid", &**sid),
    };
    let name = names.of("cutoff", &[kind.as_bytes(), issuer.as_bytes(), member.as_bytes()]);
    let call = call(CUTOFF, shared, connected, now)
        .key(shared.keys.fact(&format!("cutoff:{name}")))
        .time(cutoff.before)
        .time(cutoff.until)
        .ttl(cutoff.until, now)
        .with(&event.seal(names)?)
        .number(HELD);
    Some(call)
}

/// `untils`: of the result, and of the session.
pub(super) fn keep(
    shared: &Shared,
    connected: &Connected,
    session: SessionId,
    from: Generation,
    sealed: &[u8],
    [result_until, until]: [Timestamp; 2],
    now: Timestamp,
) -> Option<Call> {
    let event = Event::Renewed {
        session,
        generation: from.next(),
        until,
    };
    let call = call(KEEP, shared, connected, now)
        .key(entry(shared, connected, session))
        .number(from.0)
        .number(from.next().0)
        .with(sealed)
        .time(result_until)
        .time(until)
        .ttl(until, now)
        .with(&event.seal(&connected.identity.names)?)
        .time(now.after(GRACE))
        .number(HELD - HELD / 4)
        .number(MAX_RESULTS);
    Some(call)
}

pub(super) fn presented(
    shared: &Shared,
    connected: &Connected,
    session: SessionId,
    generation: Generation,
    now: Timestamp,
) -> Option<Call> {
    let event = Event::Presented { session, generation };
    let call = call(PRESENTED, shared, connected, now)
        .key(entry(shared, connected, session))
        .number(generation.0)
        .time(now.after(GRACE))
        .with(&event.seal(&connected.identity.names)?);
    Some(call)
}

fn lease(shared: &Shared, connected: &Connected, session: SessionId) -> String {
    let name = connected.identity.names.of("lease", &[&session.0]);
    shared.keys.fact(&format!("lease:{name}"))
}

/// `kept`: this process has the right already.
pub(super) fn claim(
    shared: &Shared,
    connected: &Connected,
    session: SessionId,
    claimant: Claimant,
    kept: bool,
    now: Timestamp,
) -> Call {
    call(CLAIM, shared, connected, now)
        .key(lease(shared, connected, session))
        .key(entry(shared, connected, session))
        .key(shared.keys.settling())
        .number(claimant.0)
        .number(millis(LEASE))
        .with(if kept { b"1" } else { b"0" })
}

pub(super) fn release(
    shared: &Shared,
    connected: &Connected,
    session: SessionId,
    claimant: Claimant,
    now: Timestamp,
) -> Call {
    call(RELEASE, shared, connected, now)
        .key(lease(shared, connected, session))
        .number(claimant.0)
}

pub(super) fn mark(
    shared: &Shared,
    connected: &Connected,
    mark: &[u8; 32],
    until: Timestamp,
    now: Timestamp,
) -> Call {
    call(MARK, shared, connected, now)
        .key(shared.keys.fact("marks"))
        .with(connected.identity.names.of("mark", &[mark]).as_bytes())
        .time(until)
        .ttl(until, now)
        .number(MARKS)
}

pub(super) fn refused(
    shared: &Shared,
    connected: &Connected,
    session: SessionId,
    generation: Generation,
    now: Timestamp,
) -> Call {
    let names = &connected.identity.names;
    let which = names.of("refusal", &[&session.0, &generation.0.to_be_bytes()]);
    call(REFUSED, shared, connected, now)
        .key(shared.keys.fact("refusals"))
        .with(which.as_bytes())
        .number(millis(REFUSAL_LIFETIME))
        .number(MARKS)
}

/// The name of a record.
pub(super) fn record_name(connected: &Connected, handle: SessionHandle) -> String {
    connected.identity.names.of("record", &[&handle.0])
}

/// The list of a subject's records, of whatever issuer.
pub(super) fn subject_list(shared: &Shared, connected: &Connected, subject: &str) -> String {
    let name = connected.identity.names.of("subject", &[subject.as_bytes()]);
    shared.keys.fact(&format!("subject:{name}"))
}

/// The list of a provider's session's records.
pub(super) fn sid_list(shared: &Shared, connected: &Connected, app: &str, issuer: &str, sid: &str) -> String {
    let parts = [app.as_bytes(), issuer.as_bytes(), sid.as_bytes()];
    let name = connected.identity.names.of("sid", &parts);
    shared.keys.fact(&format!("sid:{name}"))
}

pub(super) fn record(
    shared: &Shared,
    connected: &Connected,
    session: SessionId,
    record: &Record,
    now: Timestamp,
) -> Option<Call> {
    let plain = zeroize::Zeroizing::new(postcard::to_allocvec(&(session, record)).ok()?);
    let sealed = connected.identity.names.seal("record", &plain)?;
    let until = format!("{}:", record.until.as_millis());
    let mut call = call(RECORD, shared, connected, now)
        .key(shared.keys.fact("records"))
        .key(shared.keys.fact("recorded"))
        .key(subject_list(shared, connected, &record.subject));
    if let Some(sid) = &record.provider_session {
        call = call.key(sid_list(shared, connected, &record.app, &record.issuer, sid));
    }
    let call = call
        .with(record_name(connected, record.handle).as_bytes())
        .with(&[until.as_bytes(), &sealed].concat())
        .time(record.started)
        .ttl(record.until, now)
        .number(RECORDS)
        .number(LISTED as u64);
    Some(call)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// As in the memory store: how many facts hold at a time, how many marks, how many records.
const HELD: u64 = 1 << 20;
const MARKS: u64 = 1 << 18;
const RECORDS: u64 = 1 << 18;
/// How many records one list has.
pub(super) const LISTED: usize = 1000;
const MAX_RESULTS: u64 = 8;
const GRACE: Duration = Duration::from_secs(60);
const REFUSAL_LIFETIME: Duration = Duration::from_secs(3600);
