//! Whether an opened session is alive, and the single flight that rotates its refresh token (contract §5.6, §5.7, §9).
//!
//! [`Sessions`] is what the agent's endpoints and the proxy ask; nobody else combines cookies, store and provider.
//!
//! What decides, in this order:
//!
//! 1. **Opened?** Cookies that make no session are `session_missing`; only tampered ones are cleared ([`crate::session`]).
//! 2. **Ended?** The store's word comes first, then the lesser of sealed and configured idle and absolute lifetime; without
//!    a refresh token the session lives as long as its access token (`alive`).
//! 3. **Which generation?** A browser may hold the generation before the newest one: an answer was lost, two tabs raced.
//!    While the renewal's result is kept it gets the new one; afterwards an old generation is a stolen one, and the
//!    session ends (`alive`, `keep`; RFC 9700 §4.14.2, attack 134).
//! 4. **Due?** At most 30 s of access token left, or a store that does not remember this session (another epoch): renewed
//!    at the provider, once, however many requests (`flight`) and processes (`turn`) wait (`rotate`; R-03, attack 131).
//! 5. **Finished?** What cookies an answer sets is decided when it is finished: none of an ended session, none of an
//!    older generation than the newest known (`answer`; attack 143, R-12).
//!
//! Fail soft: a provider or store that is down ends nobody's session; a token that is still valid is used meanwhile. The
//! provider is asked once per flight, never blindly again: a lost answer may have burned the refresh token. Whoever
//! comes after the pause asks anew, and then the provider's `invalid_grant` decides.
//!
//! Rotations and revocations are tasks of their own, and a shutdown waits for them (`detached`).
//!
//! Trusted: the cookie keys, the provider over TLS, the store. Not trusted: what browsers send, when and in what order.

mod admit;
mod alive;
mod answer;
mod begin;
mod channel;
mod detached;
mod end;
mod flight;
mod foresee;
mod keep;
mod peek;
mod rotate;
mod shelf;
#[cfg(test)]
mod tests;
mod turn;
mod watch;

use std::sync::Arc;

use http::HeaderValue;

use crate::clock::{Clock, Timestamp};
use crate::config::App;
use crate::metrics::AppMeters;
use crate::provider::Provider;
use crate::random::Random;
use crate::session::{Cookies, Parts, Presented, Session};
use crate::store::Store;

pub use channel::Heard;
use detached::Detached;
use flight::{Flights, Patience};
pub(crate) use foresee::{Foreseen, Outlook};
pub use watch::Watch;

/// The sessions of one app.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// What it is made of; cheap to clone.
    pub(crate) parts: Arc<SessionParts>,
    /// Renewals under way in this process.
    flights: Arc<Flights>,
    /// How long they are waited for.
    patience: Patience,
    /// What must finish.
    detached: Arc<Detached>,
}

/// What an app's sessions have under way in this process. It outlives a change of the configuration: a renewal that began
/// before one is still the only one of its session after it, and a shutdown waits for both.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnderWay {
    flights: Arc<Flights>,
    detached: Arc<Detached>,
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
    /// What is counted.
    pub meters: AppMeters,
}

/// A session that may be used now.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The session, of the newest generation this request may see.
    pub session: Arc<Session>,
    /// What the browser presented.
    pub presented: Presented,
    /// The session was renewed (by this request or by another): all its cookies go out with the answer.
    pub renewed: bool,
    /// The idle timeout wants to slide: the access cookie goes out with the answer.
    pub slide: bool,
}

impl Admitted {
    /// Whether there is anything for [`Sessions::cookies_for_answer`] to do.
    pub fn wants_cookies(&self) -> bool {
        self.renewed || self.slide || self.presented.has_surplus() || self.presented.outdated() != Parts::NONE
    }
}

/// What `GET session` finds, without changing anything.
#[derive(Debug)]
pub enum Peek {
    /// Alive. Seconds are remaining seconds, never negative.
    Alive {
        /// The session.
        session: Arc<Session>,
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
        Self::going_on(parts, UnderWay::default())
    }

    /// The sessions of one app that was there before, perhaps with another configuration.
    pub(crate) fn going_on(parts: SessionParts, under_way: UnderWay) -> Self {
        Self {
            parts: Arc::new(parts),
            flights: under_way.flights,
            patience: Patience::default(),
            detached: under_way.detached,
        }
    }

    /// The current time: the injected clock's, as all who share the store agree on it.
    pub fn now(&self) -> Timestamp {
        self.parts.now()
    }
}
