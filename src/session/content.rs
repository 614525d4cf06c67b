//! What the cookies hold once opened: versioned binary content (postcard).
//!
//! 1. The first byte is the version; an unknown one does not open, nor do bytes that are left over. Version 1 held tokens as
//!    text, version 2 holds them packed ([`super::pack`]); both lie in postcard as bytes with their length in front.
//! 2. `at`, `rt` and `id` each carry what tells whose they are ([`Common`]), so that cookies of two sessions never mix
//!    into one and lifetimes hold whatever the browser does with `Max-Age` (K-10).
//! 3. Only bytes that were just authenticated are read here; strings are borrowed from them.
//! 4. Version 3 is what `at` and `rt` hold where the tokens lie in the store ([`shelved`]).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::pack::{self, Packed};
use super::{Access, Farewell, Generation, Identity, PendingLogin, Session, SessionId};
use crate::clock::Timestamp;
use crate::store::Epoch;
use crate::token::{AccessToken, IdToken, Nonce, State, Verifier};

pub(super) mod shelved;

/// What can be sealed: it knows in which version it is written.
pub(super) trait Content: Serialize {
    /// The version.
    fn version(&self) -> u8 {
        VERSION
    }
}

impl Content for AccessContent<'_> {}
impl Content for TokenContent<'_> {}
impl Content for LoginContent<'_> {}
impl Content for FarewellContent<'_> {}

/// What each of `at`, `rt` and `id` holds.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Common {
    pub(super) session: SessionId,
    pub(super) generation: Generation,
    started: Timestamp,
    idle_millis: u64,
    absolute_millis: u64,
}

impl Common {
    fn of(session: &Session, generation: Generation) -> Self {
        Self {
            session: session.id,
            generation,
            started: session.started,
            idle_millis: millis(session.idle),
            absolute_millis: millis(session.absolute),
        }
    }
}

/// `at`
#[derive(Serialize, Deserialize)]
pub(super) struct AccessContent<'a> {
    pub(super) common: Common,
    touched: Timestamp,
    epoch: Epoch,
    token: &'a [u8],
    expires: Option<Timestamp>,
    scope: Option<&'a str>,
    pub(super) has_refresh: bool,
    subject: &'a str,
    provider_session: Option<&'a str>,
    auth_time: Option<u64>,
    acr: Option<&'a str>,
    /// Room for the private key of a session whose tokens are bound to it (RFC 9449); none is made today.
    #[serde(borrow)]
    dpop_key: Option<&'a [u8]>,
}

impl<'a> AccessContent<'a> {
    /// With the access token of `session` packed.
    pub(super) fn of(session: &'a Session, token: &'a Packed) -> Self {
        let Session { access, identity, .. } = session;
        Self {
            common: Common::of(session, access.generation),
            touched: session.touched,
            epoch: session.epoch,
            token: token.bytes(),
            expires: access.expires,
            scope: access.scope.as_deref(),
            has_refresh: access.has_refresh,
            subject: &identity.subject,
            provider_session: identity.provider_session.as_deref(),
            auth_time: identity.auth_time,
            acr: identity.acr.as_deref(),
            dpop_key: None,
        }
    }

    /// The session that this access cookie begins; refresh and ID token are put in by the caller.
    pub(super) fn to_session(&self, version: Version) -> Option<Session> {
        Some(Session {
            id: self.common.session,
            generation: self.common.generation,
            started: self.common.started,
            touched: self.touched,
            idle: Duration::from_millis(self.common.idle_millis),
            absolute: Duration::from_millis(self.common.absolute_millis),
            epoch: self.epoch,
            access: Access {
                token: AccessToken::new(version.token(self.token)?),
                expires: self.expires,
                generation: self.common.generation,
                scope: self.scope.map(Into::into),
                has_refresh: self.has_refresh,
            },
            refresh: None,
            id_token: None,
            shelf: None,
            identity: Identity {
                subject: self.subject.into(),
                provider_session: self.provider_session.map(Into::into),
                auth_time: self.auth_time,
                acr: self.acr.map(Into::into),
            },
        })
    }
}

/// `rt` and `id`
#[derive(Serialize, Deserialize)]
pub(super) struct TokenContent<'a> {
    pub(super) common: Common,
    token: &'a [u8],
}

impl<'a> TokenContent<'a> {
    pub(super) fn of(session: &Session, token: &'a Packed) -> Self {
        Self {
            common: Common::of(session, session.generation),
            token: token.bytes(),
        }
    }

    /// The token.
    pub(super) fn token(&self, version: Version) -> Option<String> {
        version.token(self.token)
    }
}

/// `login-<hash>`
#[derive(Serialize, Deserialize)]
pub(super) struct LoginContent<'a> {
    state: &'a str,
    nonce: &'a str,
    verifier: &'a str,
    issuer: &'a str,
    redirect_uri: &'a str,
    return_to: &'a str,
    #[serde(borrow)]
    acr_values: Vec<&'a str>,
    max_age: Option<u64>,
    replaces: Option<SessionId>,
    pub(super) started: Timestamp,
}

impl<'a> LoginContent<'a> {
    pub(super) fn of(login: &'a PendingLogin) -> Self {
        Self {
            state: login.state.expose(),
            nonce: login.nonce.expose(),
            verifier: login.verifier.expose(),
            issuer: &login.issuer,
            redirect_uri: &login.redirect_uri,
            return_to: &login.return_to,
            acr_values: login.acr_values.iter().map(|value| &**value).collect(),
            max_age: login.max_age,
            replaces: login.replaces,
            started: login.started,
        }
    }

    pub(super) fn to_login(&self) -> PendingLogin {
        PendingLogin {
            state: State::new(self.state),
            nonce: Nonce::new(self.nonce),
            verifier: Verifier::new(self.verifier),
            issuer: self.issuer.into(),
            redirect_uri: self.redirect_uri.into(),
            return_to: self.return_to.into(),
            acr_values: self.acr_values.iter().copied().map(Into::into).collect(),
            max_age: self.max_age,
            replaces: self.replaces,
            started: self.started,
        }
    }
}

/// `end`
#[derive(Serialize, Deserialize)]
pub(super) struct FarewellContent<'a> {
    id: [u8; 16],
    id_token: Option<&'a [u8]>,
    provider_session: Option<&'a str>,
    pub(super) made: Timestamp,
}

impl<'a> FarewellContent<'a> {
    /// With the ID token of `farewell` packed.
    pub(super) fn of(farewell: &'a Farewell, id_token: Option<&'a Packed>) -> Self {
        Self {
            id: farewell.id,
            id_token: id_token.map(Packed::bytes),
            provider_session: farewell.provider_session.as_deref(),
            made: farewell.made,
        }
    }

    pub(super) fn to_farewell(&self, version: Version) -> Option<Farewell> {
        let id_token = match self.id_token {
            Some(packed) => Some(IdToken::new(version.token(packed)?)),
            None => None,
        };
        Some(Farewell {
            id: self.id,
            id_token,
            provider_session: self.provider_session.map(Into::into),
            made: self.made,
        })
    }
}

/// The version that opened content was written in: how its tokens are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Tokens are text.
    One,
    /// Tokens are packed.
    Two,
}

impl Version {
    fn token(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::One => Some(std::str::from_utf8(bytes).ok()?.to_owned()),
            Self::Two => pack::unpack(bytes),
        }
    }
}

/// How many bytes `content` takes, version included.
pub(super) fn encoded_len(content: &impl Content) -> usize {
    1 + encode(content, postcard::ser_flavors::Size::default())
}

/// Appends `content` with its version.
pub(super) fn encode_onto(content: &impl Content, buffer: &mut Vec<u8>) {
    buffer.push(content.version());
    *buffer = encode(
        content,
        postcard::ser_flavors::ExtendFlavor::new(std::mem::take(buffer)),
    );
}

/// Reads content of a known version.
pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<(Version, T)> {
    let (&version, bytes) = bytes.split_first()?;
    let version = match version {
        1 => Version::One,
        VERSION => Version::Two,
        _ => return None,
    };
    let (content, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some((version, content))
}

#[expect(
    clippy::expect_used,
    reason = "the types of this file have a known shape, and neither counting nor a growing buffer can fail"
)]
fn encode<F: postcard::ser_flavors::Flavor>(content: &impl Serialize, flavor: F) -> F::Output {
    postcard::serialize_with_flavor(content, flavor).expect("cookie content can be written")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Version of the content. A field more is a new version; it takes two releases: one that opens it, one that seals it.
const VERSION: u8 = 2;
