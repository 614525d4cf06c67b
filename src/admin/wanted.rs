//! What the body of `POST /revoke` asks for: one thing, said completely.

use serde::Deserialize;

use super::time::Named;
use crate::clock::Timestamp;
use crate::refusal::{Code, Refusal};

/// Whose sessions are to end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One session by its handle, or all of a session of a provider whose login was recorded.
    Session(String),
    /// Those of a session of this provider, recorded or not.
    ProviderSession {
        /// The issuer.
        iss: String,
        /// The provider's own name for it.
        sid: String,
    },
    /// Those of a user.
    Subject {
        /// The issuer.
        iss: String,
        /// The user.
        sub: String,
    },
    /// All that began before.
    Before(Timestamp),
}

impl Wanted {
    /// Reads a body.
    ///
    /// # Errors
    /// `invalid_request` for anything but one JSON object with exactly the members of one of these.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let refusal = || Refusal::new(Code::InvalidRequest).saying(FORMS);
        let members: Members = serde_json::from_slice(body).map_err(|_| refusal())?;
        match members {
            Members {
                sid: Some(sid),
                iss: None,
                sub: None,
                before: None,
            } => Ok(Self::Session(sid)),
            Members {
                sid: Some(sid),
                iss: Some(iss),
                sub: None,
                before: None,
            } => Ok(Self::ProviderSession { iss, sid }),
            Members {
                sid: None,
                iss: Some(iss),
                sub: Some(sub),
                before: None,
            } => Ok(Self::Subject { iss, sub }),
            Members {
                sid: None,
                iss: None,
                sub: None,
                before: Some(before),
            } => Ok(Self::Before(before.0)),
            _ => Err(refusal()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    sid: Option<String>,
    iss: Option<String>,
    sub: Option<String>,
    before: Option<Named>,
}

const FORMS: &str = "The body is a JSON object with one of: sid; iss and sub; iss and sid; before (RFC 3339, or seconds \
                     since 1970).";
