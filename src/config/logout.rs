//! How a logout goes, in `[app.provider]`: to the provider, and from it.

use super::check::Check;
use super::table::Table;

/// `logout_mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoutMode {
    /// RP-initiated logout at the provider's `end_session_endpoint`.
    Oidc,
    /// Only our own session ends.
    Local,
}

impl LogoutMode {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Local => "local",
        }
    }
}

/// `logout_hint`: how the provider learns which session to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoutHint {
    /// `id_token_hint`
    IdToken,
    /// `logout_hint=<sid>`
    Sid,
    /// `client_id` alone
    ClientId,
}

impl LogoutHint {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdToken => "id_token",
            Self::Sid => "sid",
            Self::ClientId => "client_id",
        }
    }
}

/// `logout_token_typ`: whether a logout token must say in its header that it is one (Back-Channel Logout §2.4, O-14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoutTokenTyp {
    /// `logout+jwt`, `JWT` or nothing: what tells it from an ID token are its claims.
    Any,
    /// `logout+jwt`
    Required,
}

impl LogoutTokenTyp {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Required => "required",
        }
    }
}

/// What the three keys say; `None` for each that is wrong.
pub(super) type Choices = (Option<LogoutMode>, Option<LogoutHint>, Option<LogoutTokenTyp>);

/// Reads `logout_mode`, `logout_hint` and `logout_token_typ`.
pub(super) fn read(provider: &Table<'_>, check: &mut Check<'_>) -> Choices {
    let mode = provider.or("logout_mode", LogoutMode::Oidc, check, |field, check| {
        field.choice(check, MODE, MODE_LATER)
    });
    let hint = provider.or("logout_hint", LogoutHint::IdToken, check, |field, check| {
        field.choice(check, HINT, &[])
    });
    let typ = provider.or("logout_token_typ", LogoutTokenTyp::Any, check, |field, check| {
        field.choice(check, TOKEN_TYP, &[])
    });
    (mode, hint, typ)
}

const MODE: &[(&str, LogoutMode)] = &[("oidc", LogoutMode::Oidc), ("local", LogoutMode::Local)];
const MODE_LATER: &[&str] = &["params"];
const HINT: &[(&str, LogoutHint)] = &[
    ("id_token", LogoutHint::IdToken),
    ("sid", LogoutHint::Sid),
    ("client_id", LogoutHint::ClientId),
];
const TOKEN_TYP: &[(&str, LogoutTokenTyp)] = &[
    ("any", LogoutTokenTyp::Any),
    ("required", LogoutTokenTyp::Required),
];
