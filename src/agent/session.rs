//! `GET session`: who is logged in, and for how long. Changes nothing, slides nothing, renews nothing.
//!
//! `GET session?login_pending` also says whether a login cookie came along: a client that has just started a login learns
//! that the browser refuses our cookies before it leaves for a provider from which it could never come back.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Agent, answer};
use crate::clock::Timestamp;
use crate::config::{App, NEVER_SHOWN};
use crate::provider::Provider;
use crate::refusal::Refusal;
use crate::renewal::Peek;
use crate::session::Session;

/// `GET session`
pub(super) async fn answer(
    State(agent): State<Agent>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    match agent.sessions.peek(&headers).await? {
        Peek::Alive {
            session,
            access_expires_in,
            session_expires_in,
            idle_expires_in,
            set_cookies,
        } => answer::json(
            &SessionBody {
                is_logged_in: true,
                session_handle: session.id.handle().to_string(),
                id_token_claims: shown_claims(&agent.app, &session),
                access_token_expires_in: access_expires_in,
                session_expires_in,
                session_idle_expires_in: idle_expires_in,
            },
            set_cookies,
        ),
        Peek::Gone { reason, set_cookies } => answer::json(
            &LoggedOut {
                is_logged_in: false,
                reason,
                login_pending: (query.as_deref() == Some("login_pending"))
                    .then(|| agent.sessions.parts.cookies.has_login(&headers)),
            },
            set_cookies,
        ),
    }
}

/// The body for a session that is alive; seconds are what remains.
#[derive(Debug, Serialize)]
pub(super) struct SessionBody {
    is_logged_in: bool,
    /// Tells one sign-in from the next, whatever the claims say: a tab learns that another session has taken its place.
    session_handle: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token_claims: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token_expires_in: Option<u64>,
    session_expires_in: u64,
    session_idle_expires_in: u64,
}

#[derive(Debug, Serialize)]
struct LoggedOut {
    is_logged_in: bool,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_pending: Option<bool>,
}

impl SessionBody {
    /// For a session that has just begun.
    pub(super) fn of(app: &App, session: &Session, now: Timestamp) -> Self {
        let left = |end: Timestamp| end.since(now).as_secs();
        let access = session.access.expires.map(left);
        let absolute = left(session.absolute_end(app.session.absolute_timeout));
        Self {
            is_logged_in: true,
            session_handle: session.id.handle().to_string(),
            id_token_claims: shown_claims(app, session),
            access_token_expires_in: access,
            session_expires_in: match access {
                // Nothing renews it: the session lives as long as its access token (contract §9).
                Some(access) if !session.access.has_refresh => access.min(absolute),
                _ => absolute,
            },
            session_idle_expires_in: left(session.idle_end(app.session.idle_timeout)),
        }
    }
}

fn shown_claims(app: &App, session: &Session) -> Option<Map<String, Value>> {
    let claims = session.id_token.as_ref().and_then(Provider::claims_of_sealed)?;
    Some(narrow(claims, app.session.claims.as_deref()))
}

/// Contract §10: all claims but those that serve the protocol, and of these only the ones the configuration names.
fn narrow(mut claims: Map<String, Value>, named: Option<&[Box<str>]>) -> Map<String, Value> {
    claims.retain(|name, _| {
        !NEVER_SHOWN.contains(&name.as_str())
            && named.is_none_or(|named| named.iter().any(|wanted| **wanted == *name))
    });
    claims
}
