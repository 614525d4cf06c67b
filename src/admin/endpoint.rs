//! The paths of the admin listener: a closed list.

use http::{HeaderValue, Method};

use crate::refusal::Refusal;

/// One path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Livez,
    Readyz,
    Metrics,
    Sessions,
    Revoke,
}

impl Endpoint {
    /// Every one.
    pub(super) const ALL: [Self; 5] = [
        Self::Livez,
        Self::Readyz,
        Self::Metrics,
        Self::Sessions,
        Self::Revoke,
    ];

    /// What stands at `path`: whole, case-sensitive.
    pub(super) fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }

    /// Its path.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Livez => "/livez",
            Self::Readyz => "/readyz",
            Self::Metrics => "/metrics",
            Self::Sessions => "/sessions",
            Self::Revoke => "/revoke",
        }
    }

    /// Whether it speaks of users, or ends their sessions.
    pub(super) const fn wants_token(self) -> bool {
        matches!(self, Self::Sessions | Self::Revoke)
    }

    /// 405 with `Allow` for any method that it does not take.
    pub(super) fn check_method(self, method: &Method) -> Result<(), Refusal> {
        let (taken, allow) = match self {
            Self::Revoke => (*method == Method::POST, "POST"),
            _ => (matches!(*method, Method::GET | Method::HEAD), "GET, HEAD"),
        };
        if taken {
            return Ok(());
        }
        Err(Refusal::method_not_allowed(HeaderValue::from_static(allow)))
    }
}
