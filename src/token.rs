//! The values that must never be seen: tokens, codes, verifiers. Each has a type of its own without `Display`
//! and with a redacted `Debug`, so that none can be printed, logged or swapped for another by accident.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

macro_rules! secret_value {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Wraps the text; the plain copy inside `text` moves, it is not duplicated.
            pub fn new(text: impl Into<String>) -> Self {
                Self(SecretString::from(text.into()))
            }

            /// The text itself, for the one place that needs it. Never log what comes out.
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    };
}

secret_value!(/// What opens the APIs (RFC 6749 §1.4). Opaque to us: no decision reads its inside (T-21).
    AccessToken);
secret_value!(/// What renews a session at the provider (RFC 6749 §1.5).
    RefreshToken);
secret_value!(/// Who the user is, signed by the provider (OpenID Connect Core §2). The compact JWS.
    IdToken);
secret_value!(/// The authorization code (RFC 6749 §1.3.1).
    AuthorizationCode);
secret_value!(/// The PKCE `code_verifier` (RFC 7636 §4.1).
    Verifier);
secret_value!(/// The `state` of one pending login (RFC 6749 §10.12).
    State);
secret_value!(/// The `nonce` of one pending login (OpenID Connect Core §15.5.2).
    Nonce);

/// What a token response brought (RFC 6749 §5.1), before anything in it is trusted.
#[derive(Debug, Clone)]
pub struct TokenSet {
    /// The access token; its `token_type` was Bearer, whatever the case.
    pub access: AccessToken,
    /// `expires_in`, or the configured `default_expires_in`; `None` when neither is known.
    pub expires_in: Option<Duration>,
    /// The refresh token; `None` on a refresh means "keep the old one" (RFC 6749 §6).
    pub refresh: Option<RefreshToken>,
    /// How long the refresh token lives, where the provider says so.
    pub refresh_expires_in: Option<Duration>,
    /// The ID token, not yet verified.
    pub id_token: Option<IdToken>,
    /// The granted scope where the provider named it; `None` means "as requested".
    pub scope: Option<String>,
}
