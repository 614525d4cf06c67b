//! Which cookies an answer sets, decided when it is finished.

use http::HeaderValue;

use super::{Admitted, Sessions};
use crate::clock::Timestamp;
use crate::refusal::Refusal;
use crate::session::{Parts, Presented, Replaces, Session};

impl Sessions {
    /// The `Set-Cookie` values of an answer, decided when it is finished: none when the session has ended meanwhile
    /// (the end wins), none of an older generation than the newest known. Empty when nothing is to be set.
    pub async fn cookies_for_answer(&self, admitted: &Admitted) -> Vec<HeaderValue> {
        if !admitted.wants_cookies() {
            return Vec::new();
        }
        let now = self.now();
        let Ok(Some((mut session, parts))) = self.still_to_set(admitted, now).await else {
            return Vec::new();
        };
        let mut cookies = self.surplus(&session, admitted.presented, parts);
        if parts == Parts::NONE {
            return cookies;
        }
        session.touched = now;
        let sealed = self
            .parts
            .cookies
            .seal(&session, parts, Replaces::Presented(admitted.presented), now);
        match sealed {
            Ok(sealed) => cookies.extend(sealed),
            Err(error) => drop(self.too_large(error)),
        }
        cookies
    }

    /// The session as another request has renewed it since this one was admitted, if one has.
    pub async fn renewed_meanwhile(&self, session: &Session) -> Option<Session> {
        let now = self.now();
        let newest = self.look(session, now).await.ok()?.newest?;
        if newest.generation <= session.generation {
            return None;
        }
        self.successor(session, newest.generation, now).await.ok()?
    }

    /// Clears chunks that belong to no value of the newest generation, but for those of `resealed`. Not while a renewal is
    /// under way: its answer may set a chunk of that number and arrive first.
    pub(super) fn surplus(
        &self,
        session: &Session,
        presented: Presented,
        resealed: Parts,
    ) -> Vec<HeaderValue> {
        if !presented.has_surplus() || self.flights.landing(session.id).is_some() {
            return Vec::new();
        }
        self.parts.cookies.clear_surplus(presented, resealed)
    }

    /// The session to seal and which of its cookies; `None`: nothing. A store that cannot be asked: nothing either, for
    /// the session may have ended.
    async fn still_to_set(
        &self,
        admitted: &Admitted,
        now: Timestamp,
    ) -> Result<Option<(Session, Parts)>, Refusal> {
        let session = &admitted.session;
        let look = self.look(session, now).await?;
        if look.ended.is_some() {
            return Ok(None);
        }
        // Another request renewed it while this one was at work: an answer that set the old cookies might arrive last
        // (attack 143).
        if let Some(newest) = look.newest
            && session.generation < newest.generation
        {
            let newest = self.successor(session, newest.generation, now).await?;
            return Ok(newest.map(|session| (session, Parts::ALL)));
        }
        let parts = if admitted.renewed {
            Parts::ALL
        } else if admitted.slide {
            Parts::ACCESS.and(self.outdated(session, admitted.presented, now))
        } else {
            self.outdated(session, admitted.presented, now)
        };
        Ok(Some((Session::clone(session), parts)))
    }

    /// What is sealed under a key that is on its way out: sealed anew as it is used, so that nothing needs the old key when
    /// it goes (contract §4). Not while a renewal is under way or about to be: its answer may arrive first, and the refresh
    /// cookie of the generation before must not come behind it. Whoever calls next is served.
    fn outdated(&self, session: &Session, presented: Presented, now: Timestamp) -> Parts {
        let outdated = presented.outdated();
        if outdated == Parts::NONE || self.due(session, now) || self.flights.landing(session.id).is_some() {
            return Parts::NONE;
        }
        outdated
    }
}
