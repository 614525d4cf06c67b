//! What would become of a presented session, by its cookies and the clock alone: nothing is asked, nothing is changed.
//!
//! For whoever explains a request from outside the process that serves it. The store is not asked, for its memory is
//! elsewhere: it is taken to remember the session and to know of no end. The rules are those of [`super::admit`].

use std::time::Duration;

use http::HeaderMap;

use super::Sessions;
use super::alive::Over;
use crate::config::RefreshMode;
use crate::refusal::{Code, Refusal};
use crate::session::{Opened, Session};

/// What would become of it.
#[derive(Debug)]
pub(crate) enum Foreseen {
    /// No cookie of a session of this app.
    Absent,
    /// The cookies make no session.
    Unreadable(Refusal),
    /// A session.
    Session(Box<Outlook>),
}

/// A session that opened.
#[derive(Debug)]
pub(crate) struct Outlook {
    /// As its cookies say.
    pub(crate) session: Session,
    /// How often it was renewed.
    pub(crate) generation: u64,
    /// Until the idle end.
    pub(crate) idle_left: Duration,
    /// Until the absolute end.
    pub(crate) absolute_left: Duration,
    /// Until the access token expires, where that is known.
    pub(crate) access_left: Option<Duration>,
    /// It would be renewed at the provider first.
    pub(crate) due: bool,
    /// Why it would be refused.
    pub(crate) refusal: Option<Refusal>,
}

impl Sessions {
    /// What an API call with these cookies would find.
    pub(crate) fn foresee(&self, headers: &HeaderMap) -> Foreseen {
        // Without its tokens, where they lie in the store: whether it can be renewed, its cookies tell.
        let mut session = match self.parts.cookies.open(headers) {
            Opened::Absent => return Foreseen::Absent,
            Opened::Unreadable { .. } => {
                let refusal = Refusal::new(Code::SessionMissing);
                return Foreseen::Unreadable(refusal.because("the session cookies do not open"));
            }
            Opened::Session(session, _) => Session::clone(&session),
            Opened::Shelved(shelved, _) => shelved.facts().clone(),
        };
        session.epoch = self.parts.store.epoch();
        let now = self.now();
        let configured = &self.parts.app.session;
        let shelved = session.shelf.is_some();
        let renewable = session.refresh.is_some() || shelved && session.access.has_refresh;
        let due = renewable && self.due(&session, now);
        let by_script = configured.refresh == RefreshMode::Spa;
        let refusal = if session.access.has_refresh && !renewable {
            Some(Over::Damaged.refusal())
        } else if self.timed_out(&session, now) {
            Some(Over::Expired.refusal())
        } else if due && by_script && !self.usable(&session, now) {
            Some(Refusal::new(Code::AccessTokenExpired))
        } else {
            None
        };
        Foreseen::Session(Box::new(Outlook {
            generation: session.generation.0,
            idle_left: session.idle_end(configured.idle_timeout).since(now),
            absolute_left: session.absolute_end(configured.absolute_timeout).since(now),
            access_left: session.access.expires.map(|expires| expires.since(now)),
            due: due && !by_script,
            refusal,
            session,
        }))
    }
}
