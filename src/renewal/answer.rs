//! Which cookies an answer sets, decided when it is finished.

use http::HeaderValue;

use super::{Admitted, Sessions};
use crate::clock::Timestamp;
use crate::refusal::Refusal;
use crate::session::{Parts, Replaces, Session};

impl Sessions {
    /// The `Set-Cookie` values of an answer, decided when it is finished: none when the session has ended meanwhile
    /// (the end wins), none of an older generation than the newest known. Empty when nothing is to be set.
    pub async fn cookies_for_answer(&self, admitted: &Admitted) -> Vec<HeaderValue> {
        if !admitted.renewed && !admitted.slide {
            return Vec::new();
        }
        let now = self.now();
        let Ok(Some((mut session, parts))) = self.still_to_set(admitted, now).await else {
            return Vec::new();
        };
        session.touched = now;
        let sealed = self
            .parts
            .cookies
            .seal(&session, parts, Replaces::Presented(admitted.presented), now);
        sealed.unwrap_or_else(|error| {
            tracing::error!(event = "session_too_large", app = self.parts.app.id.as_str(), %error);
            Vec::new()
        })
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
        } else {
            Parts::ACCESS
        };
        Ok(Some((session.clone(), parts)))
    }
}
