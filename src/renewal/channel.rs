//! The provider ends sessions, by its own message or by way of a browser (Back-Channel Logout §2.7, Front-Channel Logout §3).
//!
//! Which of the sessions of a user or of a provider's session are meant? Those that had begun when the provider logged the
//! user out, and no later ones: whoever signs in again must not be thrown out by a message that was long under way, nor by
//! one that somebody sends again (attack 118). The provider's clock and ours are never compared closer than they agree:
//!
//! 1. What had begun when the message came has ended. A session begins when its tokens are asked for ([`Sessions::begin`]), so
//!    a login that is being finished has begun.
//! 2. A message that comes more than a minute after its `iat` ends nothing that began later than that minute.
//! 3. Where our clock was set back, recorded sessions seem to begin in the future: they have begun all the same.
//!
//! The end reaches as far as the longest session of any app of this issuer, for it counts in each of them.

use std::time::Duration;

use super::Sessions;
use super::alive::store_unavailable;
use crate::clock::Timestamp;
use crate::provider::LogoutToken;
use crate::refusal::Refusal;
use crate::store::{Cutoff, EndReason, Find, Record, Whose};

/// What became of a verified logout token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Whoever it names is signed in no more; perhaps nobody was.
    Ended,
    /// It has been used before.
    Replayed,
    /// Its `sub` and its `sid` are not of one session.
    Torn,
}

impl Sessions {
    /// Ends what a verified logout token names, of every app of its issuer: the sessions of its `sid`, or, where it has
    /// none, all of its `sub`. `longest`: the longest absolute timeout of these apps.
    ///
    /// Their refresh tokens are in browsers, so they cannot be revoked from here (§2.7, O-17).
    ///
    /// # Errors
    /// `store_unavailable`: nothing has ended, and the same token may be sent again.
    pub async fn end_by_logout_token(
        &self,
        token: &LogoutToken,
        longest: Duration,
    ) -> Result<Heard, Refusal> {
        let (store, now) = (&self.parts.store, self.now());
        let recorded = self.recorded_for(token, now).await?;
        let torn = |record: &Record| token.subject.as_ref().is_some_and(|sub| *sub != record.subject);
        if recorded.iter().any(torn) {
            return Ok(Heard::Torn);
        }
        let issuer = &self.parts.app.provider.issuer;
        let whose = whose(token);
        let before = before(token, recorded.iter().map(|record| record.started).max(), now);
        let ends = |before| Cutoff {
            before,
            reason: EndReason::Revoked,
            until: now.max(before).after(longest),
        };
        // An end of nobody, which takes its room. Were the token marked as used first, and were there no room then, the
        // provider's second try would be refused as a replay and the session would live on.
        let room = store
            .end_all(issuer, whose, ends(Timestamp::default()), now)
            .await;
        room.map_err(store_unavailable)?;
        let first = store.use_once(token.mark, token.good_until, now).await;
        if !first.map_err(store_unavailable)? {
            return Ok(Heard::Replayed);
        }
        let ended = store.end_all(issuer, whose, ends(before), now).await;
        ended.map_err(store_unavailable)?;
        let ours = |record: &&Record| *record.app == *self.parts.app.id.as_str() && record.started < before;
        let known = recorded.iter().filter(ours).count();
        self.parts.meters.ended(EndReason::Revoked.word(), known);
        Ok(Heard::Ended)
    }

    /// Ends the sessions that this app recorded under the provider's session `sid`, and says how many. Whoever asks is
    /// nobody (a browser, without its cookies), so no token is revoked, and what is not recorded does not end (attack 124).
    ///
    /// # Errors
    /// `store_unavailable`
    pub async fn end_by_provider_session(&self, sid: &str) -> Result<usize, Refusal> {
        let (store, now) = (&self.parts.store, self.now());
        let recorded = store.recorded(self.under(sid), MOST, now).await;
        let mut ended = 0;
        for record in recorded.map_err(store_unavailable)? {
            let there = store.end_recorded(record.handle, EndReason::LoggedOut, now).await;
            ended += usize::from(there.map_err(store_unavailable)?);
        }
        self.parts.meters.ended(EndReason::LoggedOut.word(), ended);
        Ok(ended)
    }

    /// What is recorded of the sessions that a logout token names, the newest first.
    async fn recorded_for(&self, token: &LogoutToken, now: Timestamp) -> Result<Vec<Record>, Refusal> {
        let find = match (&token.provider_session, &token.subject) {
            (Some(sid), _) => self.under(sid),
            (None, Some(sub)) => Find::Subject(sub),
            (None, None) => return Ok(Vec::new()),
        };
        let recorded = self.parts.store.recorded(find, MOST, now).await;
        let mut recorded = recorded.map_err(store_unavailable)?;
        recorded.retain(|record| record.issuer == self.parts.app.provider.issuer);
        Ok(recorded)
    }

    fn under<'a>(&'a self, sid: &'a str) -> Find<'a> {
        Find::ProviderSession {
            app: self.parts.app.id.as_str(),
            issuer: &self.parts.app.provider.issuer,
            sid,
        }
    }
}

/// `sid` first: it says which of the user's sessions (§2.7). A verified token has one of the two.
fn whose(token: &LogoutToken) -> Whose<'_> {
    match &token.provider_session {
        Some(sid) => Whose::ProviderSession(sid),
        None => Whose::Subject(token.subject.as_deref().unwrap_or_default()),
    }
}

/// Sessions that began before this are meant: rules 1 to 3.
fn before(token: &LogoutToken, newest: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let last = if now <= token.reaches {
        newest.map_or(now, |newest| newest.max(now))
    } else {
        token.reaches
    };
    last.after(Duration::from_millis(1))
}

/// Sessions of one user, or of one session of the provider, that are looked at by their records. Of more than these the
/// newest count.
const MOST: usize = 64;
