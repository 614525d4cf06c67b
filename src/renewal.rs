//! Whether an opened session is alive, and the single flight that rotates its refresh token (contract §5.6, §5.7, §9).
//!
//! [`Sessions`] is what the agent's endpoints and the proxy ask; nobody else combines cookies, store and provider.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use crate::clock::{Clock, Timestamp};
use crate::config::App;
use crate::provider::Provider;
use crate::random::Random;
use crate::refusal::Refusal;
use crate::session::{Cookies, Identity, Presented, Session};
use crate::store::Store;
use crate::token::TokenSet;

/// The sessions of one app.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// What it is made of; cheap to clone.
    pub(crate) parts: Arc<SessionParts>,
}

/// What [`Sessions`] is made of.
#[derive(Debug)]
pub struct SessionParts {
    /// The app.
    pub app: Arc<App>,
    /// Its cookies.
    pub cookies: Cookies,
    /// Its provider.
    pub provider: Arc<Provider>,
    /// Shared state.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// A session that may be used now.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The session, of the newest generation this request may see.
    pub session: Session,
    /// What the browser presented.
    pub presented: Presented,
    /// The session was renewed (by this request or by another): all its cookies go out with the answer.
    pub renewed: bool,
    /// The idle timeout wants to slide: the access cookie goes out with the answer.
    pub slide: bool,
}

/// What `GET session` finds, without changing anything.
#[derive(Debug)]
pub enum Peek {
    /// Alive. Seconds are remaining seconds, never negative.
    Alive {
        /// The session.
        session: Box<Session>,
        /// Until the access token expires; `None` when unknown.
        access_expires_in: Option<u64>,
        /// Until the absolute end (or the access token's end where there is no refresh token).
        session_expires_in: u64,
        /// Until the idle end.
        idle_expires_in: u64,
        /// Cookies of a newer generation for a browser that presented an older one.
        set_cookies: Vec<HeaderValue>,
    },
    /// No session.
    Gone {
        /// `none`, `expired`, `logged_out`, `revoked`.
        reason: &'static str,
        /// Clearing cookies, where contract §4 says so.
        set_cookies: Vec<HeaderValue>,
    },
}

impl Sessions {
    /// The sessions of one app. Make it once per app and clone it: the flights under way are shared by its clones only.
    pub fn new(parts: SessionParts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    /// `GET session`: never slides, never renews; clears the cookies of an ended session.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn peek(&self, _headers: &HeaderMap) -> Result<Peek, Refusal> {
        todo!()
    }

    /// What an API call or `userinfo` needs: opened, alive, renewed when due (at most 30 s left) and `refresh = "inline"`.
    /// `Ok(None)`: no session cookie of this app at all (the caller decides what that means).
    ///
    /// # Errors
    /// `session_missing`, `session_expired`, `session_revoked`, `access_token_expired` (`refresh = "spa"`),
    /// `refresh_superseded`, `provider_unavailable`, `provider_response_invalid`, `store_unavailable`; each with the
    /// cookies to clear, if any.
    pub async fn admit(&self, _headers: &HeaderMap) -> Result<Option<Admitted>, Refusal> {
        todo!()
    }

    /// `POST refresh`: asks the provider, unless another renewal just did. Without a refresh token: admits as it is.
    ///
    /// # Errors
    /// As [`Self::admit`], and `session_missing` where there is no cookie.
    pub async fn refresh(&self, _headers: &HeaderMap) -> Result<Admitted, Refusal> {
        todo!()
    }

    /// The `Set-Cookie` values of an answer, decided when it is finished: none when the session has ended meanwhile
    /// (the end wins), none of an older generation than the newest known. Empty when nothing is to be set.
    pub async fn cookies_for_answer(&self, _admitted: &Admitted) -> Vec<HeaderValue> {
        todo!()
    }

    /// Opens a new session after a verified login, ends the one it replaces, and seals its cookies (every chunk number
    /// up to the budget is cleared along).
    ///
    /// # Errors
    /// `session_too_large`, `store_unavailable`. Nothing is changed then.
    pub async fn begin(
        &self,
        _tokens: TokenSet,
        _identity: Identity,
        _replaces: Option<crate::session::SessionId>,
    ) -> Result<(Session, Vec<HeaderValue>), Refusal> {
        todo!()
    }

    /// `POST logout`: ends the session in the store, waits (bounded) for a renewal in flight and takes its result, revokes
    /// refresh and access token at the provider in a detached task, and answers what opened (of the newest generation)
    /// with the clearing cookies. An ended or expired session still yields its clearing cookies. No session: `None`.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn log_out(
        &self,
        _headers: &HeaderMap,
    ) -> Result<(Option<Session>, Vec<HeaderValue>), Refusal> {
        todo!()
    }

    /// The current time, from the injected clock.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }
}
