//! What a replica does when it comes back to Redis: what it owes, what it still knows, what it is in the middle of.

use redis::Pipeline;

use super::backlog::Owed;
use super::calls;
use super::event::Members;
use super::link::Trouble;
use super::parse::number;
use super::script::Call;
use super::shared::{Connected, Shared};
use crate::clock::Timestamp;
use crate::store::Cutoff;

/// For a moment nobody new may renew a session: others come back, too, and one of them may hold the only copy of a new
/// refresh token. Who is in the middle of a renewal goes on.
pub(super) async fn settle(shared: &Shared, connected: &Connected) -> Result<(), Trouble> {
    let mut settling = redis::cmd("SET");
    settling
        .arg(shared.keys.settling())
        .arg(1)
        .arg("NX")
        .arg("PX")
        .arg(SETTLING);
    connected.link.ask(&settling).await.map(drop)
}

/// The rights that this process has, kept up where Redis has forgotten them.
pub(super) async fn keep_leases(shared: &Shared, connected: &Connected) -> Result<(), Trouble> {
    let leases: Vec<_> = shared
        .leases()
        .iter()
        .map(|(session, who)| (*session, *who))
        .collect();
    let now = shared.now();
    for (session, claimant) in leases {
        let call = calls::claim(shared, connected, session, claimant, true, now);
        connected.link.ask(&call.command()).await?;
    }
    Ok(())
}

/// Makes up for what was decided here while Redis was out of reach.
pub(super) async fn pay(shared: &Shared, connected: &Connected) -> Result<(), Trouble> {
    while let Some(owed) = shared.backlog.first() {
        let now = shared.now();
        if let Some(call) = what_pays(shared, connected, owed, now) {
            let answer = connected.link.ask(&call.command()).await?;
            // Of a renewal: a list, the number first.
            let taken: i64 = match answer {
                redis::Value::Array(values) => number(values.into_iter().next().unwrap_or_default())?,
                other => number(other)?,
            };
            if taken == 0
                && matches!(
                    shared.backlog.first(),
                    Some(Owed::End { .. } | Owed::Cutoff { .. })
                )
            {
                // No room: it is owed until there is some.
                return Ok(());
            }
        }
        shared.backlog.paid();
    }
    Ok(())
}

/// `None` where it is over meanwhile.
fn what_pays(shared: &Shared, connected: &Connected, owed: Owed, now: Timestamp) -> Option<Call> {
    match owed {
        Owed::End {
            session,
            reason,
            until,
        } => (until > now)
            .then(|| calls::end(shared, connected, session, reason.into(), until, now))
            .flatten(),
        Owed::Cutoff {
            issuer,
            whose,
            before,
            reason,
            until,
        } => {
            let cutoff = Cutoff {
                before,
                reason: reason.into(),
                until,
            };
            (until > now)
                .then(|| calls::cutoff(shared, connected, &issuer, whose.as_whose(), cutoff, now))
                .flatten()
        }
        Owed::Renewal {
            session,
            from,
            sealed,
            result_until,
            until,
        } => (result_until > now)
            .then(|| {
                calls::keep(
                    shared,
                    connected,
                    session,
                    from,
                    &sealed,
                    [result_until, until],
                    now,
                )
            })
            .flatten(),
    }
}

/// Tells a store that has lost everything what this replica still knows: the ends that hold, and the results of renewals made
/// here, so that who presents older cookies is handed the new ones.
pub(super) async fn tell(shared: &Shared, connected: &Connected) -> Result<(), Trouble> {
    let now = shared.now();
    let mut calls = Vec::new();
    for (session, reason, until) in shared.mirror.ends(now) {
        calls.extend(calls::end(shared, connected, session, reason.into(), until, now));
        send(connected, &mut calls, CHUNK).await?;
    }
    let (subjects, provider_sessions) = shared.mirror.cutoffs(now);
    let subjects = subjects.into_iter().map(|(issuer, member, cutoff)| {
        (
            issuer,
            member.map_or(Members::Everybody, Members::Subject),
            cutoff,
        )
    });
    let provider_sessions = provider_sessions
        .into_iter()
        .filter_map(|(issuer, member, cutoff)| Some((issuer, Members::ProviderSession(member?), cutoff)));
    for (issuer, whose, cutoff) in subjects.chain(provider_sessions) {
        let whose = whose.as_whose();
        calls.extend(calls::cutoff(shared, connected, &issuer, whose, cutoff, now));
        send(connected, &mut calls, CHUNK).await?;
    }
    for renewals in shared.mirror.forget_generations(now) {
        for result in renewals.results {
            let untils = [result.until, renewals.until];
            let (session, from) = (renewals.session, result.from);
            calls.extend(calls::keep(
                shared,
                connected,
                session,
                from,
                &result.sealed,
                untils,
                now,
            ));
            send(connected, &mut calls, CHUNK).await?;
        }
    }
    send(connected, &mut calls, 0).await
}

/// Sends what has come together, once it is more than `enough`.
async fn send(connected: &Connected, calls: &mut Vec<Call>, enough: usize) -> Result<(), Trouble> {
    if calls.len() <= enough {
        return Ok(());
    }
    let mut pipeline = Pipeline::with_capacity(calls.len());
    for call in calls.drain(..) {
        pipeline.add_command(call.command());
    }
    connected.link.ask_all(&pipeline).await.map(drop)
}

/// How long nobody new may renew, in milliseconds: longer than the longest pause between two attempts to come back.
const SETTLING: u64 = 2000;
/// How many calls make one round.
const CHUNK: usize = 128;
