//! Speaking to the authorization server. Knows no cookies and no axum.
//!
//! Metadata and keys are fetched lazily, cached, refreshed, and served stale while the provider is down (D-06);
//! nothing is asked at start. Every request of the back channel has a time and a size limit and follows no redirect.
//!
//! 1. `discovery` learns where the endpoints are and refuses metadata that excludes what is configured.
//! 2. `authorize` and `end_session` write URLs for the browser; `token`, `revoke` and `userinfo` speak for us.
//! 3. `jws` and `jwks` check who signed a token, `claims`, `id_token` and `logout_token` what it says.
//! 4. `probe` compares what is configured with what the provider says of itself, for the operator.
//! 5. `http` is the only way out, `cached` decides when to ask again.
//!
//! Trusts the operator's configuration, the certificate behind the issuer's name, and nothing that the browser brings.

mod authorize;
mod cached;
mod claims;
mod client_auth;
mod discovery;
mod end_session;
mod error;
mod error_code;
mod http;
mod id_token;
mod jwks;
mod jws;
mod logout_token;
mod probe;
mod query;
mod revoke;
mod strict_json;
mod token;
mod userinfo;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use url::Url;

use crate::clock::{Clock, Timestamp};
use crate::config::{self, LogoutMode};
use crate::session::Identity;
use crate::token::{AccessToken, AuthorizationCode, IdToken, Nonce, RefreshToken, State, TokenSet, Verifier};

use cached::{Cached, Held};
use discovery::Metadata;
pub use error::ProviderError;
pub use error_code::registered_error_code;
use http::{Http, Limits};
use jwks::KeySet;
use jws::{Kind, Unverified};
pub use logout_token::LogoutToken;
pub use probe::{Finding, Verdict};

/// One provider as one app knows it.
#[derive(Debug)]
pub struct Provider {
    config: config::Provider,
    clock: Arc<dyn Clock>,
    http: Http,
    limits: Limits,
    metadata: Cached<Metadata>,
    keys: Cached<KeySet>,
    /// Places for logout tokens that the keys at hand do not verify.
    strangers: Semaphore,
}

/// What a login asks for (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1); everything else comes from the configuration.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// `state`
    pub state: &'a State,
    /// `nonce`
    pub nonce: &'a Nonce,
    /// From which `code_challenge` (S256) is computed.
    pub verifier: &'a Verifier,
    /// `scope`: a checked subset of the configured scopes; `None` = all configured.
    pub scope: Option<&'a str>,
    /// `acr_values` (already merged with the configured ones).
    pub acr_values: &'a [Box<str>],
    /// `max_age` in seconds (already the lesser of asked and configured).
    pub max_age: Option<u64>,
    /// `prompt`, allow-listed.
    pub prompt: Option<&'a str>,
    /// `login_hint`
    pub login_hint: Option<&'a str>,
    /// `ui_locales`
    pub ui_locales: Option<&'a str>,
}

/// What an ID token must satisfy beyond its own validity.
#[derive(Debug)]
pub enum Expectation<'a> {
    /// After a login: this nonce (T-09), this access token (`at_hash`, T-12).
    Login {
        /// The nonce sent.
        nonce: &'a Nonce,
        /// The access token that came along.
        access: &'a AccessToken,
        /// `max_age` demanded, seconds: `auth_time` must be there and recent (T-11).
        max_age: Option<u64>,
        /// `acr` demanded: one of these (T-10). Empty = any.
        acr_values: &'a [Box<str>],
    },
    /// After a refresh (OpenID Connect Core §12.2, R-05): same subject; `auth_time` unchanged where both are known; no
    /// nonce, or the one there was.
    Refresh {
        /// Who the session belongs to.
        identity: &'a Identity,
        /// The access token that came along.
        access: &'a AccessToken,
        /// The ID token that this one replaces, verified when it came.
        previous: Option<&'a IdToken>,
    },
}

/// A verified ID token.
#[derive(Debug, Clone)]
pub struct VerifiedIdToken {
    /// Who it speaks of.
    pub identity: Identity,
    /// All its claims.
    pub claims: Map<String, Value>,
}

impl Provider {
    /// Nothing is fetched here.
    ///
    /// # Errors
    /// When the TLS set-up fails (`ca_file` holds no certificate).
    pub fn new(config: &config::Provider, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        Self::with_limits(config, clock, Limits::default())
    }

    fn with_limits(
        config: &config::Provider,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Self, ProviderError> {
        Ok(Self {
            http: Http::new(config, limits)?,
            config: config.clone(),
            clock,
            limits,
            metadata: Cached::new(limits.pause, limits.patience),
            keys: Cached::new(limits.pause, limits.patience),
            strangers: Semaphore::new(STRANGERS),
        })
    }

    /// Where to send the browser. Exactly one each of `response_type=code`, `client_id`, `redirect_uri`, `scope`,
    /// `state`, `nonce`, `code_challenge`, `code_challenge_method=S256` (L-03, L-09, L-11).
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] or [`ProviderError::Invalid`] when metadata cannot be had or does not check out.
    pub async fn authorization_url(&self, request: &AuthorizationRequest<'_>) -> Result<Url, ProviderError> {
        let metadata = self.metadata().await?;
        Ok(authorize::authorization_url(
            &metadata.authorization_endpoint,
            &self.config,
            request,
        ))
    }

    /// RFC 9207 §2.4: checks `iss` of an authorization response against the issuer the login was sent to; a missing one is
    /// an error where metadata announces it or `require_iss` is set (C-03).
    ///
    /// # Errors
    /// [`ProviderError::Invalid`]; also `Unavailable` when `iss` is missing and metadata, which would say whether it may be,
    /// cannot be had.
    pub async fn check_response_issuer(&self, sent_to: &str, iss: Option<&str>) -> Result<(), ProviderError> {
        let missing_is_wrong = match iss {
            Some(iss) if iss == sent_to && sent_to == &*self.config.issuer => return Ok(()),
            Some(_) => {
                return Err(ProviderError::Invalid(
                    "`iss` of the authorization response is another".into(),
                ));
            }
            None => self.config.require_iss || self.metadata().await?.announces_iss,
        };
        if missing_is_wrong {
            return Err(ProviderError::Invalid(
                "the authorization response lacks `iss`".into(),
            ));
        }
        Ok(())
    }

    /// Redeems a code (RFC 6749 §4.1.3) with verifier and the `redirect_uri` that was sent. To be run detached: a browser
    /// that goes away must not leave a code half redeemed.
    ///
    /// # Errors
    /// Every kind but `StepUp`.
    pub async fn redeem(
        &self,
        code: AuthorizationCode,
        verifier: &Verifier,
        redirect_uri: &str,
    ) -> Result<TokenSet, ProviderError> {
        let metadata = self.metadata().await?;
        let endpoint = &metadata.token_endpoint;
        token::redeem(&self.http, &self.config, endpoint, code, verifier, redirect_uri).await
    }

    /// Rotates a refresh token (RFC 6749 §6). Never tried twice: the first attempt may have used it up. To be run
    /// detached.
    ///
    /// # Errors
    /// Every kind but `StepUp`.
    pub async fn rotate(&self, refresh: &RefreshToken) -> Result<TokenSet, ProviderError> {
        let metadata = self.metadata().await?;
        token::rotate(&self.http, &self.config, &metadata.token_endpoint, refresh).await
    }

    /// Validates an ID token in full (OpenID Connect Core §3.1.3.7): signature by JWKS with the one configured algorithm,
    /// `iss`, `aud`, `azp`, `exp`, `iat`, `nbf`, `sub`, `typ`, `nonce`, `at_hash`, `acr`, `auth_time`. Keys that do not verify
    /// it are fetched once more: the provider may have rotated them.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] naming the failed check, `StepUp`, or `Unavailable` when no keys can be had.
    pub async fn verify(
        &self,
        token: &IdToken,
        expected: Expectation<'_>,
    ) -> Result<VerifiedIdToken, ProviderError> {
        let token = Unverified::parse(token.expose(), Kind::IdToken, self.config.id_token_alg)?;
        let claims = self
            .verified(&token)
            .await?
            .ok_or_else(|| token.invalid(NO_KEY))?;
        id_token::check(claims, &self.config, self.clock.now(), &expected)
    }

    /// Validates a logout token in full (Back-Channel Logout §2.6), but for its `jti`, which is the store's to remember, and
    /// whose sessions there are.
    ///
    /// Anybody may send one, so it costs little: its claims are looked at before its signature, and one that the keys at hand
    /// verify waits for nobody. Only a few at a time wait for newer keys, and how often those are fetched is bounded
    /// (attack 115).
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] naming the failed check, or `Unavailable` when no keys can be had.
    pub async fn verify_logout_token(&self, token: &str) -> Result<LogoutToken, ProviderError> {
        let kind = Kind::LogoutToken(self.config.logout_token_typ);
        let token = Unverified::parse(token, kind, self.config.id_token_alg)?;
        let found = logout_token::check(&token.asserted()?, &self.config, self.clock.now())?;
        if let Some(keys) = self.keys_at_hand()
            && token.verify(&keys)?.is_some()
        {
            return Ok(found);
        }
        let _place = self.strangers.try_acquire().map_err(|_| {
            ProviderError::Unavailable("too many logout tokens wait for keys that would verify them".into())
        })?;
        match self.verified(&token).await {
            Ok(Some(_)) => Ok(found),
            Ok(None) => Err(token.invalid(NO_KEY)),
            // Metadata or keys that do not check out are not the token's fault.
            Err(error) => Err(ProviderError::Unavailable(error.to_string().into())),
        }
    }

    /// The claims of an ID token that was verified before and sealed by us since: decoded, not verified again.
    pub fn claims_of_sealed(token: &IdToken) -> Option<Map<String, Value>> {
        jws::claims_of_trusted(token.expose())
    }

    /// RFC 7009; `Ok` also where the provider has no revocation endpoint. Tried once more on 503.
    ///
    /// # Errors
    /// `Unavailable` or `Invalid`: the caller logs and goes on.
    pub async fn revoke_refresh(&self, token: &RefreshToken) -> Result<(), ProviderError> {
        self.revoke(token.expose(), "refresh_token").await
    }

    /// As [`Self::revoke_refresh`], for an access token.
    ///
    /// # Errors
    /// `Unavailable` or `Invalid`: the caller logs and goes on.
    pub async fn revoke_access(&self, token: &AccessToken) -> Result<(), ProviderError> {
        self.revoke(token.expose(), "access_token").await
    }

    /// OpenID Connect Core §5.3; `sub` must equal `subject` (T-19).
    ///
    /// # Errors
    /// `Unavailable`, `Invalid` (also where the provider has no userinfo endpoint), `InvalidGrant` where it answers 401.
    pub async fn userinfo(
        &self,
        access: &AccessToken,
        subject: &str,
    ) -> Result<Map<String, Value>, ProviderError> {
        let metadata = self.metadata().await?;
        let endpoint = metadata.userinfo_endpoint.as_ref().ok_or(ProviderError::Invalid(
            "metadata: `userinfo_endpoint` is missing".into(),
        ))?;
        userinfo::fetch(&self.http, endpoint, access, subject).await
    }

    /// Whether `POST logout` should point at `end-session` at all: `logout_mode = "oidc"` and metadata (cached or fetched
    /// now) has an `end_session_endpoint`. A provider that is down counts as no: logout never waits for it long.
    pub async fn offers_end_session(&self) -> bool {
        self.end_session_endpoint().await.is_some()
    }

    /// RP-Initiated Logout §2: with `client_id`, `post_logout_redirect_uri`, `state`, and the configured hint. `None`
    /// where metadata has no `end_session_endpoint` or cannot be had.
    pub async fn end_session_url(
        &self,
        id_token: Option<&IdToken>,
        sid: Option<&str>,
        state: &str,
    ) -> Option<Url> {
        let endpoint = self.end_session_endpoint().await?;
        Some(end_session::end_session_url(
            &endpoint,
            &self.config,
            id_token,
            sid,
            state,
        ))
    }

    /// The origins of the pages on which the provider may embed our front-channel logout: the issuer's, and that of its
    /// logout page, as far as it is known without asking.
    pub fn logout_page_origins(&self) -> Vec<String> {
        let issuer = Url::parse(&self.config.issuer).ok();
        let metadata = self.metadata.at_hand(self.clock.now());
        let logout_page = metadata.and_then(|held| held.value.end_session_endpoint.clone());
        let mut origins: Vec<String> = issuer
            .iter()
            .chain(&logout_page)
            .map(|url| url.origin().ascii_serialization())
            .collect();
        origins.dedup();
        origins
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        let held = self
            .metadata
            .get(self.clock.now(), Metadata::fetch(&self.http, &self.config))
            .await?;
        Ok(held.value)
    }

    async fn keys(&self) -> Result<Held<KeySet>, ProviderError> {
        let metadata = self.metadata().await?;
        let now = self.clock.now();
        let held = self.keys.get(now, self.fetch_keys(&metadata)).await?;
        if held.value.source == metadata.jwks_uri {
            return Ok(held);
        }
        // The provider has moved its keys: what lies at the old place no longer counts.
        self.keys
            .newer_than(&held, now, self.fetch_keys(&metadata))
            .await?
            .ok_or(ProviderError::Unavailable("keys: they have just moved".into()))
    }

    async fn fetch_keys(&self, metadata: &Metadata) -> Result<KeySet, ProviderError> {
        KeySet::fetch(&self.http, &metadata.jwks_uri, self.config.id_token_alg).await
    }

    /// The keys that need not be asked for: fetched a short while ago, from where metadata says they lie.
    fn keys_at_hand(&self) -> Option<Arc<KeySet>> {
        let now = self.clock.now();
        let metadata = self.metadata.at_hand(now)?.value;
        let keys = self.keys.at_hand(now)?.value;
        (keys.source == metadata.jwks_uri).then_some(keys)
    }

    /// The claims of `token`, by the provider's keys: fetched once more where those that are held do not verify it. `None`:
    /// neither did those.
    async fn verified(&self, token: &Unverified<'_>) -> Result<Option<Map<String, Value>>, ProviderError> {
        let keys = self.keys().await?;
        match token.verify(&keys.value)? {
            Some(claims) => Ok(Some(claims)),
            None => self.verified_with_newer(token, &keys).await,
        }
    }

    async fn verified_with_newer(
        &self,
        token: &Unverified<'_>,
        seen: &Held<KeySet>,
    ) -> Result<Option<Map<String, Value>>, ProviderError> {
        let metadata = self.metadata().await?;
        let now: Timestamp = self.clock.now();
        let newer = self
            .keys
            .newer_than(seen, now, self.fetch_keys(&metadata))
            .await?;
        let claims = match newer {
            Some(keys) => token.verify(&keys.value)?,
            None => None,
        };
        if claims.is_some() {
            self.keys.proved();
        }
        Ok(claims)
    }

    async fn revoke(&self, token: &str, hint: &str) -> Result<(), ProviderError> {
        let metadata = self.metadata().await?;
        let Some(endpoint) = &metadata.revocation_endpoint else {
            return Ok(());
        };
        revoke::revoke(&self.http, &self.config, endpoint, token, hint, self.limits.pause).await
    }

    async fn end_session_endpoint(&self) -> Option<Url> {
        if self.config.logout_mode != LogoutMode::Oidc {
            return None;
        }
        let metadata = tokio::time::timeout(LOGOUT_PATIENCE, self.metadata()).await;
        metadata.ok()?.ok()?.end_session_endpoint.clone()
    }
}

/// How long a logout waits for metadata before it goes on without the provider.
const LOGOUT_PATIENCE: Duration = Duration::from_secs(2);

const NO_KEY: &str = "no key of the provider verifies it";

/// How many logout tokens may wait for keys at a time.
const STRANGERS: usize = 16;

#[cfg(test)]
mod tests;
