//! What can go wrong with the provider, whose trouble it is, and what the browser is told (contract §6).
//!
//! The texts are for the operator's log: written here, with a status, a member's name or a registered code in them, never
//! with a token, a secret or prose of the provider.

use std::borrow::Cow;

use crate::refusal::{Code, Refusal};

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

impl ProviderError {
    /// Says which conversation it happened in.
    pub(super) fn about(self, what: &str) -> Self {
        match self {
            Self::Unavailable(text) => Self::Unavailable(format!("{what}: {text}").into()),
            Self::Invalid(text) => Self::Invalid(format!("{what}: {text}").into()),
            other => other,
        }
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
