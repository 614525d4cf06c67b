//! The kept result of a renewal: sealed so that only who presents the old refresh token can open it.
//!
//! A store never sees a token, and a thief of the store's memory learns none: the key is derived (HKDF-SHA-256, RFC 5869)
//! from the old refresh token, which lives in the browser's sealed cookie, salted with the session id, and bound to app and
//! generation, for a provider may keep the refresh token over many generations.

use std::time::Duration;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::config::AppId;
use crate::random::Random;
use crate::session::{Access, Identity, Secret, Session, Shelf};
use crate::store::Epoch;
use crate::token::{AccessToken, IdToken, RefreshToken};

/// Seals `renewed` for whoever presents `old`. `None` when `old` has no refresh token.
pub(super) fn seal(app: &AppId, old: &Session, renewed: &Session, random: &dyn Random) -> Option<Vec<u8>> {
    let cipher = cipher(app, old)?;
    let content = Zeroizing::new(postcard::to_allocvec(&Kept::of(renewed)).ok()?);
    let nonce: [u8; NONCE] = random.bytes();
    let payload = Payload {
        msg: &content,
        aad: &bound_to(app, old),
    };
    let mut sealed = nonce.to_vec();
    sealed.extend(cipher.encrypt(&Nonce::from(nonce), payload).ok()?);
    Some(sealed)
}

/// Opens what the renewal of `old` brought: its next generation. `None` when it was sealed for another session,
/// generation or refresh token.
pub(super) fn open(app: &AppId, old: &Session, sealed: &[u8]) -> Option<Session> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    let payload = Payload {
        msg: sealed,
        aad: &bound_to(app, old),
    };
    let content = Zeroizing::new(cipher(app, old)?.decrypt(&Nonce::from(*nonce), payload).ok()?);
    let kept: Kept<'_> = postcard::from_bytes(&content).ok()?;
    Some(kept.after(old))
}

/// What a renewal changes. Borrowed both ways: no second plain copy of a token is made for the trip.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    touched: Timestamp,
    absolute_millis: u64,
    epoch: Epoch,
    access: &'a str,
    expires: Option<Timestamp>,
    scope: Option<&'a str>,
    refresh: Option<&'a str>,
    id_token: Option<&'a str>,
    subject: &'a str,
    provider_session: Option<&'a str>,
    auth_time: Option<u64>,
    acr: Option<&'a str>,
    shelf: Option<(Secret, Secret)>,
}

impl<'a> Kept<'a> {
    fn of(session: &'a Session) -> Self {
        Self {
            touched: session.touched,
            absolute_millis: u64::try_from(session.absolute.as_millis()).unwrap_or(u64::MAX),
            epoch: session.epoch,
            access: session.access.token.expose(),
            expires: session.access.expires,
            scope: session.access.scope.as_deref(),
            refresh: session.refresh.as_ref().map(RefreshToken::expose),
            id_token: session.id_token.as_ref().map(IdToken::expose),
            subject: &session.identity.subject,
            provider_session: session.identity.provider_session.as_deref(),
            auth_time: session.identity.auth_time,
            acr: session.identity.acr.as_deref(),
            shelf: session
                .shelf
                .as_ref()
                .map(|shelf| (shelf.handle.clone(), shelf.secret.clone())),
        }
    }

    fn after(&self, old: &Session) -> Session {
        let generation = old.generation.next();
        Session {
            id: old.id,
            generation,
            started: old.started,
            touched: self.touched,
            idle: old.idle,
            absolute: Duration::from_millis(self.absolute_millis),
            epoch: self.epoch,
            access: Access {
                token: AccessToken::new(self.access),
                expires: self.expires,
                generation,
                scope: self.scope.map(Into::into),
                has_refresh: self.refresh.is_some(),
            },
            refresh: self.refresh.map(RefreshToken::new),
            id_token: self.id_token.map(IdToken::new),
            shelf: self.shelf.as_ref().map(|(handle, secret)| Shelf {
                handle: handle.clone(),
                secret: secret.clone(),
                before: old.shelf.as_ref().map(Shelf::name),
            }),
            identity: Identity {
                subject: self.subject.into(),
                provider_session: self.provider_session.map(Into::into),
                auth_time: self.auth_time,
                acr: self.acr.map(Into::into),
            },
        }
    }
}

fn cipher(app: &AppId, old: &Session) -> Option<Aes256Gcm> {
    let secret = old.refresh.as_ref()?.expose().as_bytes();
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(&old.id.0), secret)
        .expand(&bound_to(app, old), &mut *key)
        .ok()?;
    Aes256Gcm::new_from_slice(&*key).ok()
}

/// What the key and the sealed bytes are for. No part can run into the next: the app's id has no zero byte in it.
fn bound_to(app: &AppId, old: &Session) -> Vec<u8> {
    let mut text = b"cloakroom kept renewal 2\0".to_vec();
    text.extend(app.as_str().as_bytes());
    text.push(0);
    text.extend(old.id.0);
    text.extend(old.generation.0.to_be_bytes());
    text
}

/// AES-GCM's own (NIST SP 800-38D §5.2.1.1). Drawn at random: a key seals one result, a few where the store failed.
const NONCE: usize = 12;
