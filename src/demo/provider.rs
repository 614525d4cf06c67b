//! The demo provider: a small but honest OpenID provider with a real login form, clearly labelled a fake.
//!
//! Discovery, JWKS, authorization code with PKCE S256 only, rotating refresh tokens with reuse detection, userinfo,
//! revocation (RFC 7009), RP-initiated and back-channel logout. It is strict on purpose: whatever logs in here does PKCE, authenticates
//! its client and rotates properly. It keeps everything in memory, bounded, and forgets it when the process ends.
//!
//! Not a product: users and password are public. `serve` does not contain it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use secrecy::SecretString;

use self::grants::Grants;
use self::keys::SigningKey;
use super::stage::Stage;
use crate::clock::{Clock, Timestamp};
use crate::random::Random;

mod authorize;
mod back_channel;
mod end_session;
mod grants;
pub(crate) mod keys;
mod metadata;
mod page;
mod revoke;
mod token;
mod userinfo;

pub(crate) use keys::ALGORITHM;

/// The one client registered at the demo provider.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: &'static str,
    pub(crate) secret: SecretString,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) post_logout_redirect_uris: Vec<String>,
    pub(crate) backchannel_logout_uri: String,
}

/// What every endpoint works with.
#[derive(Debug)]
pub(crate) struct DemoProvider {
    issuer: String,
    client: Client,
    audience: &'static str,
    key: SigningKey,
    grants: Mutex<Grants>,
    stage: Arc<Stage>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl DemoProvider {
    /// A provider with a new signing key, nobody signed in. `address` is where it will be served: the issuer is built
    /// from it, because 127.0.0.1 needs no name resolution and is cross-site to `localhost`, as a real provider would be.
    pub(crate) fn new(
        address: SocketAddr,
        client: Client,
        audience: &'static str,
        stage: Arc<Stage>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, keys::KeyError> {
        Ok(Self {
            issuer: format!("http://{address}"),
            client,
            audience,
            key: SigningKey::generate()?,
            grants: Mutex::default(),
            stage,
            clock,
            random,
        })
    }

    /// The issuer, as discovery announces it.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// All its endpoints.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/", get(page::index))
            .route("/.well-known/openid-configuration", get(metadata::discovery))
            .route("/jwks", get(metadata::jwks))
            .route("/authorize", get(authorize::ask).post(authorize::ask_by_form))
            .route("/login", post(authorize::answer))
            .route("/token", post(token::redeem))
            .route("/userinfo", get(userinfo::userinfo).post(userinfo::userinfo))
            .route("/revoke", post(revoke::revoke))
            .route(
                "/end-session",
                get(end_session::end).post(end_session::end_by_form),
            )
            .fallback(page::not_found)
            .with_state(self)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The state of all grants. A panic elsewhere cannot leave it half-changed: every change is one assignment.
    fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
