//! `GET frontchannel-logout`: the provider's logout page embeds this address in a frame, so that the browser tells us
//! (OpenID Connect Front-Channel Logout 1.0).
//!
//! A frame on another site carries no `SameSite` cookie, and what it would clear stays. So it ends a session by what its
//! login recorded: `iss` and `sid`, both and exactly (§3). Everything else is 200 without effect, and looks the same:
//! whoever asks learns nothing, and cannot log out anybody whose `sid` they do not know (attack 124).
//!
//! It is the one page of ours that may be framed, and by the provider alone (B-13).

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderName;
use http::header::{self, HeaderValue};

use super::parameters::Parameters;
use super::{Agent, answer};
use crate::refusal::{Code, Refusal};

/// `GET frontchannel-logout`
pub(super) async fn answer(
    State(agent): State<Agent>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    if !agent.store.is_authority() {
        return Err(Refusal::new(Code::RouteNotFound).because("no store remembers who has logged out"));
    }
    // Anybody may ask, as often as they like: no more than a few look into the store at a time.
    let _place = agent.frames.take()?;
    let query = Parameters::of_query(query.as_deref());
    let sid = query
        .once("sid")
        .filter(|_| query.once("iss") == Some(&*agent.app.provider.issuer));
    if let Some(sid) = sid {
        let ended = agent.sessions.end_by_provider_session(sid).await?;
        if ended > 0 {
            tracing::info!(event = "front_channel_logout", app = agent.app.id.as_str(), ended);
        }
    }
    page(&agent)
}

fn page(agent: &Agent) -> Result<Response, Refusal> {
    let framed_by = agent.provider.logout_page_origins().join(" ");
    let policy = HeaderValue::try_from(format!("default-src 'none'; frame-ancestors {framed_by}"))
        .map_err(|_| Refusal::new(Code::Internal).because("an origin of the provider is no header value"))?;
    let mut response = answer::empty();
    *response.body_mut() = Body::from(PAGE);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    // Else a provider whose pages ask for `require-corp` could not embed it.
    headers.insert(
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("cross-origin"),
    );
    Ok(response)
}

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

const PAGE: &str = "<!doctype html><title>Signed out</title>\n";
