//! Ends: recorded in Redis for everybody, in the mirror for this process, and owed where Redis cannot be reached.

use super::backlog::Owed;
use super::event::{Event, Reason};
use super::parse::yes;
use super::{RedisStore, calls, full, sealed};
use crate::clock::Timestamp;
use crate::session::SessionId;
use crate::store::{Cutoff, EndReason, Store as _, StoreError, Whose};

impl RedisStore {
    pub(super) async fn end_one(
        &self,
        session: SessionId,
        reason: EndReason,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mirror = &self.shared.mirror;
        let at_once = holds_at_once(reason);
        if at_once {
            mirror.end(session, reason, until, now).await?;
        }
        match self.end_there(session, reason.into(), until, now).await {
            Ok(()) => mirror.end(session, reason, until, now).await,
            Err(error) => {
                if at_once {
                    self.owe(Owed::End {
                        session,
                        reason,
                        until,
                    });
                }
                Err(error)
            }
        }
    }

    pub(super) async fn end_many(
        &self,
        issuer: &str,
        whose: Whose<'_>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.shared.mirror.end_all(issuer, whose, cutoff, now).await?;
        let ended = self.end_many_there(issuer, whose, cutoff, now).await;
        if ended.is_err()
            && let Event::Cutoff {
                issuer,
                whose,
                before,
                reason,
                until,
            } = Event::cutoff(issuer, whose, cutoff)
        {
            self.owe(Owed::Cutoff {
                issuer,
                whose,
                before,
                reason,
                until,
            });
        }
        ended
    }

    async fn end_there(
        &self,
        session: SessionId,
        reason: Reason,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        let call = |to: &_| sealed(calls::end(shared, to, session, reason, until, now));
        taken(yes(shared.ask(call).await?)?)
    }

    async fn end_many_there(
        &self,
        issuer: &str,
        whose: Whose<'_>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        let call = |to: &_| sealed(calls::cutoff(shared, to, issuer, whose, cutoff, now));
        taken(yes(shared.ask(call).await?)?)
    }

    pub(super) fn owe(&self, owed: Owed) {
        if !self.shared.backlog.owe(owed) {
            tracing::error!(
                event = "store_backlog_full",
                "Redis is out of reach for too long: what ends now holds in this process only"
            );
        }
    }
}

/// Ends of these kinds hold here whatever becomes of Redis: somebody wants a session to be over. A login or a renewal that
/// fails leaves the session as it was.
const fn holds_at_once(reason: EndReason) -> bool {
    matches!(reason, EndReason::LoggedOut | EndReason::Revoked)
}

fn taken(taken: bool) -> Result<(), StoreError> {
    if taken { Ok(()) } else { Err(full()) }
}
