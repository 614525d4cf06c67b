//! Speaking to the authorization server. Knows no cookies and no axum.
//!
//! Metadata and keys are fetched lazily, cached, refreshed, and served stale while the provider is down (D-06);
//! nothing is asked at start. Every request of the back channel has a time and a size limit and follows no redirect.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};
use url::Url;

use crate::clock::Clock;
use crate::config;
use crate::refusal::{Code, Refusal};
use crate::session::Identity;
use crate::token::{AccessToken, AuthorizationCode, IdToken, Nonce, RefreshToken, State, TokenSet, Verifier};

/// One provider as one app knows it.
#[derive(Debug)]
pub struct Provider {}

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
    /// nonce or the original one is accepted.
    Refresh {
        /// Who the session belongs to.
        identity: &'a Identity,
        /// The access token that came along.
        access: &'a AccessToken,
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

/// Why the provider could not help.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// Not reached, timed out, or answered 5xx or 429: the session stays (fail soft).
    #[error("provider unavailable: {0}")]
    Unavailable(Cow<'static, str>),
    /// An answer that does not check out, metadata that excludes the configured choice, or our client was refused.
    #[error("provider response invalid: {0}")]
    Invalid(Cow<'static, str>),
    /// The ID token does not meet the demanded `acr` or `max_age`.
    #[error("the login is weaker or older than demanded")]
    StepUp,
    /// `invalid_grant`: the code or refresh token is no longer good.
    #[error("the provider refused the grant")]
    InvalidGrant,
    /// Another registered OAuth error of the token endpoint, by its code.
    #[error("the provider refused: {0}")]
    Refused(&'static str),
}

impl Provider {
    /// Nothing is fetched here.
    ///
    /// # Errors
    /// When the TLS set-up fails (`ca_file` holds no certificate).
    pub fn new(_config: &config::Provider, _clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        todo!()
    }

    /// Where to send the browser. Exactly one each of `response_type=code`, `client_id`, `redirect_uri`, `scope`,
    /// `state`, `nonce`, `code_challenge`, `code_challenge_method=S256` (L-03, L-09, L-11).
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] or [`ProviderError::Invalid`] when metadata cannot be had or does not check out.
    pub async fn authorization_url(&self, _request: &AuthorizationRequest<'_>) -> Result<Url, ProviderError> {
        todo!()
    }

    /// RFC 9207 §2.4: checks `iss` of an authorization response against the issuer the login was sent to; a missing one is
    /// an error where metadata announces it or `require_iss` is set (C-03).
    ///
    /// # Errors
    /// [`ProviderError::Invalid`].
    pub async fn check_response_issuer(
        &self,
        _sent_to: &str,
        _iss: Option<&str>,
    ) -> Result<(), ProviderError> {
        todo!()
    }

    /// Redeems a code (RFC 6749 §4.1.3) with verifier and the `redirect_uri` that was sent.
    ///
    /// # Errors
    /// Every kind but `StepUp`.
    pub async fn redeem(
        &self,
        _code: AuthorizationCode,
        _verifier: &Verifier,
        _redirect_uri: &str,
    ) -> Result<TokenSet, ProviderError> {
        todo!()
    }

    /// Rotates a refresh token (RFC 6749 §6).
    ///
    /// # Errors
    /// Every kind but `StepUp`.
    pub async fn rotate(&self, _refresh: &RefreshToken) -> Result<TokenSet, ProviderError> {
        todo!()
    }

    /// Validates an ID token in full (OpenID Connect Core §3.1.3.7): signature by JWKS with the one configured algorithm,
    /// iss, aud, azp, exp, iat, nbf, sub, typ, nonce, at_hash, acr, auth_time. An unknown `kid` refetches the keys once.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] naming the failed check, `StepUp`, or `Unavailable` when no keys can be had.
    pub async fn verify(
        &self,
        _token: &IdToken,
        _expected: Expectation<'_>,
    ) -> Result<VerifiedIdToken, ProviderError> {
        todo!()
    }

    /// The claims of an ID token that was verified before and sealed by us since: decoded, not verified again.
    pub fn claims_of_sealed(_token: &IdToken) -> Option<Map<String, Value>> {
        todo!()
    }

    /// RFC 7009; `Ok` also where the provider has no revocation endpoint. Tried once more on 503.
    ///
    /// # Errors
    /// `Unavailable` or `Invalid`: the caller logs and goes on.
    pub async fn revoke_refresh(&self, _token: &RefreshToken) -> Result<(), ProviderError> {
        todo!()
    }

    /// As [`Self::revoke_refresh`], for an access token.
    ///
    /// # Errors
    /// `Unavailable` or `Invalid`: the caller logs and goes on.
    pub async fn revoke_access(&self, _token: &AccessToken) -> Result<(), ProviderError> {
        todo!()
    }

    /// OpenID Connect Core §5.3; `sub` must equal `subject` (T-19).
    ///
    /// # Errors
    /// `Unavailable`, `Invalid` (also where the provider has no userinfo endpoint), `InvalidGrant` where it answers 401.
    pub async fn userinfo(
        &self,
        _access: &AccessToken,
        _subject: &str,
    ) -> Result<Map<String, Value>, ProviderError> {
        todo!()
    }

    /// Whether `POST logout` should point at `end-session` at all: `logout_mode = "oidc"` and metadata (cached or fetched
    /// now) has an `end_session_endpoint`. A provider that is down counts as no: logout never waits for it long.
    pub async fn offers_end_session(&self) -> bool {
        todo!()
    }

    /// RP-Initiated Logout §2: with `client_id`, `post_logout_redirect_uri`, `state`, and the configured hint. `None`
    /// where metadata has no `end_session_endpoint` or cannot be had.
    pub async fn end_session_url(
        &self,
        _id_token: Option<&IdToken>,
        _sid: Option<&str>,
        _state: &str,
    ) -> Option<Url> {
        todo!()
    }
}

impl From<ProviderError> for Refusal {
    fn from(error: ProviderError) -> Self {
        let log = error.to_string();
        let refusal = match error {
            ProviderError::Unavailable(_) => Self::new(Code::ProviderUnavailable).retry_after(2),
            ProviderError::Invalid(_) => Self::new(Code::ProviderResponseInvalid),
            ProviderError::StepUp => Self::new(Code::StepUpRequired),
            ProviderError::InvalidGrant => Self {
                provider_error: Some("invalid_grant"),
                ..Self::new(Code::AuthorizationError)
            },
            ProviderError::Refused(code) => Self {
                provider_error: Some(code),
                ..Self::new(Code::AuthorizationError)
            },
        };
        refusal.because(log)
    }
}
