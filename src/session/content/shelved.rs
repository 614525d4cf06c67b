//! What there is to read of a session whose tokens lie in the store (contract §9): two small cookies, and the content that
//! the store keeps for them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AccessContent, Common, Content, Version};
use crate::clock::Timestamp;
use crate::session::pack::Packed;
use crate::session::shelf::{Secret, Shelf};
use crate::session::{Access, Identity, Session};
use crate::store::Epoch;
use crate::token::{AccessToken, IdToken, RefreshToken};

/// `at`: whose session it is and how long it lasts, so that ends and lifetimes need no look at the content.
#[derive(Serialize, Deserialize)]
pub(in crate::session) struct Facts<'a> {
    pub(in crate::session) common: Common,
    touched: Timestamp,
    epoch: Epoch,
    expires: Option<Timestamp>,
    pub(in crate::session) has_refresh: bool,
    subject: &'a str,
    provider_session: Option<&'a str>,
    auth_time: Option<u64>,
    acr: Option<&'a str>,
}

impl Content for Facts<'_> {
    fn version(&self) -> u8 {
        SHELVED
    }
}

impl<'a> Facts<'a> {
    pub(in crate::session) fn of(session: &'a Session) -> Self {
        let Session { access, identity, .. } = session;
        Self {
            common: Common::of(session, access.generation),
            touched: session.touched,
            epoch: session.epoch,
            expires: access.expires,
            has_refresh: access.has_refresh,
            subject: &identity.subject,
            provider_session: identity.provider_session.as_deref(),
            auth_time: identity.auth_time,
            acr: identity.acr.as_deref(),
        }
    }

    /// The session as far as this cookie tells: all of its tokens are missing, the access token is empty.
    pub(in crate::session) fn to_session(&self) -> Session {
        Session {
            id: self.common.session,
            generation: self.common.generation,
            started: self.common.started,
            touched: self.touched,
            idle: Duration::from_millis(self.common.idle_millis),
            absolute: Duration::from_millis(self.common.absolute_millis),
            epoch: self.epoch,
            access: Access {
                token: AccessToken::new(""),
                expires: self.expires,
                generation: self.common.generation,
                scope: None,
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
        }
    }
}

/// `rt`: where the content lies, and what opens it.
#[derive(Serialize, Deserialize)]
pub(in crate::session) struct Handle {
    pub(in crate::session) common: Common,
    /// The handle of the content.
    name: Secret,
    secret: Secret,
}

impl Content for Handle {
    fn version(&self) -> u8 {
        SHELVED
    }
}

impl Handle {
    pub(in crate::session) fn of(session: &Session, shelf: &Shelf) -> Self {
        Self {
            common: Common::of(session, session.generation),
            name: shelf.handle.clone(),
            secret: shelf.secret.clone(),
        }
    }

    /// The place, of which nothing is known yet but where it is.
    pub(in crate::session) fn to_shelf(&self) -> Shelf {
        Shelf {
            handle: self.name.clone(),
            secret: self.secret.clone(),
            before: None,
        }
    }
}

/// What the store keeps: one generation of a session, whole.
#[derive(Serialize, Deserialize)]
pub(in crate::session) struct Shelved<'a> {
    #[serde(borrow)]
    access: AccessContent<'a>,
    refresh: Option<&'a [u8]>,
    id_token: Option<&'a [u8]>,
    before: Option<[u8; 32]>,
}

impl Content for Shelved<'_> {}

impl<'a> Shelved<'a> {
    /// For `shelf`, with the tokens of `session` packed: access, refresh, ID token.
    pub(in crate::session) fn of(
        session: &'a Session,
        shelf: &Shelf,
        access: &'a Packed,
        refresh: Option<&'a Packed>,
        id_token: Option<&'a Packed>,
    ) -> Self {
        Self {
            access: AccessContent::of(session, access),
            refresh: refresh.map(Packed::bytes),
            id_token: id_token.map(Packed::bytes),
            before: shelf.before,
        }
    }

    /// The session, which lies on `shelf`.
    pub(in crate::session) fn to_session(&self, version: Version, shelf: &Shelf) -> Option<Session> {
        let token = |packed: Option<&[u8]>| match packed {
            Some(packed) => version.token(packed).map(Some),
            None => Some(None),
        };
        Some(Session {
            refresh: token(self.refresh)?.map(RefreshToken::new),
            id_token: token(self.id_token)?.map(IdToken::new),
            shelf: Some(Shelf {
                before: self.before,
                ..shelf.clone()
            }),
            ..self.access.to_session(version)?
        })
    }
}

/// Whether opened content is of a session that lies in the store.
pub(in crate::session) fn is_shelved(bytes: &[u8]) -> bool {
    bytes.first() == Some(&SHELVED)
}

/// Reads what `at` or `rt` holds of a session that lies in the store.
pub(in crate::session) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    let bytes = bytes.strip_prefix(&[SHELVED])?;
    let (content, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(content)
}

/// Version of `at` and `rt` of a session whose tokens lie in the store.
const SHELVED: u8 = 3;
