//! Cookies ⇄ tokens: the only code that touches the cookie keys.
//!
//! What a browser holds is sealed with AES-256-GCM under a key of its own per value and bound, by its associated
//! data, to purpose, app, origin, issuer, client and cookie name (contract §4). Whatever an attacker puts into
//! `Cookie`, opening yields a session or none; it never panics, never fails, never tells why.
//!
//! This module knows no axum, no provider and no store: whether a session that opens is still *alive* is decided
//! by [`crate::renewal`].

use std::fmt;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;
use crate::store::Epoch;
use crate::token::{AccessToken, IdToken, Nonce, RefreshToken, State, Verifier};

mod assemble;
mod chunk;
mod content;
mod cookies;
mod farewell;
mod inspect;
mod jar;
mod keyring;
mod login;
mod names;
mod pack;
mod recent;
mod seal;
#[cfg_attr(
    all(not(test), not(any(feature = "file-store", feature = "redis"))),
    expect(dead_code, reason = "for stores outside this process")
)]
mod sealer;
mod set_cookie;
mod shelf;
#[cfg(test)]
mod tests;

pub use cookies::{Cookies, Opened, Parts, Presented, Replaces, TooLarge};
pub use jar::write_other_cookies;
pub use login::LoginTooLarge;
pub use names::is_session_cookie_name;
#[cfg(feature = "redis")]
pub(crate) use sealer::Names;
#[cfg(any(feature = "file-store", feature = "redis"))]
pub(crate) use sealer::Sealer;
pub(crate) use shelf::Secret;
pub use shelf::{Shelf, Shelved};

/// What one login opened. 128 random bits; a secret of its own kind: `Debug` shows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub(crate) [u8; 16]);

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(***)")
    }
}

/// What a session is called outside its cookies, by lists and administrators: a hash of its id, which tells nothing of it
/// and opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SessionHandle(pub(crate) [u8; 16]);

impl SessionId {
    /// What the session is called outside.
    pub fn handle(self) -> SessionHandle {
        let digest = Sha256::new()
            .chain_update(b"cloakroom session handle 1\0")
            .chain_update(self.0)
            .finalize();
        let mut handle = [0; 16];
        handle.copy_from_slice(digest.split_at(16).0);
        SessionHandle(handle)
    }
}

impl fmt::Display for SessionHandle {
    /// 32 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for SessionHandle {
    type Err = NoHandle;

    fn from_str(text: &str) -> Result<Self, NoHandle> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoHandle);
        }
        u128::from_str_radix(text, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| NoHandle)
    }
}

/// Not 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session's handle is 32 hex digits")]
pub struct NoHandle;

/// Counts the renewals of a session, from 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Generation(pub(crate) u64);

impl Generation {
    /// The one after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// An opened session: the content of its cookies, put together. That it opened says nothing about its being alive.
#[derive(Debug, Clone)]
pub struct Session {
    /// Which session.
    pub id: SessionId,
    /// The generation that decides about renewal: the refresh token's, or the access token's where there is none.
    pub generation: Generation,
    /// When the login finished.
    pub started: Timestamp,
    /// When the access cookie was sealed last: the idle timeout counts from here.
    pub touched: Timestamp,
    /// The idle timeout when it was sealed; the lesser of this and the configured one holds.
    pub idle: Duration,
    /// The absolute timeout when it was sealed, or the end of a refresh token whose life is known, if that is sooner; the
    /// lesser of this and the configured one holds.
    pub absolute: Duration,
    /// The epoch of the store that last vouched for this session (contract §9).
    pub epoch: Epoch,
    /// The access token and what goes with it.
    pub access: Access,
    /// The refresh token, where the provider gave one and its cookie opened.
    pub refresh: Option<RefreshToken>,
    /// The ID token: each login brings one, and without its cookie nothing opens.
    pub id_token: Option<IdToken>,
    /// Where this generation's tokens lie in the store; `None`: in the cookies themselves.
    pub shelf: Option<Shelf>,
    /// Who the user is.
    pub identity: Identity,
}

/// The access token of a session.
#[derive(Debug, Clone)]
pub struct Access {
    /// The token.
    pub token: AccessToken,
    /// When it expires; `None` when neither the provider nor the configuration says.
    pub expires: Option<Timestamp>,
    /// The generation that brought it.
    pub generation: Generation,
    /// The granted scope, where the provider named it.
    pub scope: Option<Box<str>>,
    /// Whether this session has a refresh token: a missing rt cookie is then a damaged session.
    pub has_refresh: bool,
}

/// Who the user is: from the verified ID token, never from an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `sub`
    pub subject: Box<str>,
    /// `sid`: the provider's own session, for its logout messages.
    pub provider_session: Option<Box<str>>,
    /// `auth_time`, seconds since the epoch.
    pub auth_time: Option<u64>,
    /// `acr`
    pub acr: Option<Box<str>>,
}

impl Session {
    /// When the session ends by idling, given the configured timeout.
    pub fn idle_end(&self, configured: Duration) -> Timestamp {
        self.touched.after(self.idle.min(configured))
    }

    /// When the session ends whatever happens, given the configured timeout.
    pub fn absolute_end(&self, configured: Duration) -> Timestamp {
        self.started.after(self.absolute.min(configured))
    }

    /// How long something must be remembered of it: until no generation of it could live, also where a renewal or a reload
    /// prolongs it.
    pub fn remembered_until(&self, configured: Duration) -> Timestamp {
        self.started.after(self.absolute.max(configured))
    }
}

/// What a login cookie holds between `login` and `callback` (contract §4).
#[derive(Debug, Clone)]
pub struct PendingLogin {
    /// `state`, compared in constant time with the one that comes back.
    pub state: State,
    /// `nonce`, expected in the ID token.
    pub nonce: Nonce,
    /// PKCE verifier.
    pub verifier: Verifier,
    /// The issuer this login was sent to (RFC 9207, L-19).
    pub issuer: Box<str>,
    /// The `redirect_uri` that was sent, to be sent again with the code.
    pub redirect_uri: Box<str>,
    /// Where the browser goes afterwards: checked at start and checked again before use.
    pub return_to: Box<str>,
    /// `acr_values` that were demanded: the ID token's `acr` must be one of them. Empty = none demanded.
    pub acr_values: Vec<Box<str>>,
    /// `max_age` that was demanded, seconds (T-11).
    pub max_age: Option<u64>,
    /// The session that the browser had when this login started: it ends when the new one begins.
    pub replaces: Option<SessionId>,
    /// When it started; good for ten minutes.
    pub started: Timestamp,
}

/// What `end-session` needs after `logout` has already cleared the session (contract §3, §4).
#[derive(Debug, Clone)]
pub struct Farewell {
    /// Unique, so that it is used once.
    pub id: [u8; 16],
    /// The `id_token_hint`, where `logout_hint = "id_token"` and the token was there.
    pub id_token: Option<IdToken>,
    /// The provider's `sid`, where `logout_hint = "sid"`.
    pub provider_session: Option<Box<str>>,
    /// When `logout` made it; good for two minutes.
    pub made: Timestamp,
}

/// How long a pending login is good for: `Max-Age` of its cookie, and checked inside.
pub const LOGIN_LIFETIME: Duration = Duration::from_secs(600);
/// How long a farewell is good for: `Max-Age` of its cookie, and checked inside.
pub const FAREWELL_LIFETIME: Duration = Duration::from_secs(120);
