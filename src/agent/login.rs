//! `POST login/start` and `GET login`: how a login begins, for script and for a link.
//!
//! Both refuse a bad parameter with 400. When the provider is out of reach, script gets the error and a navigation is led
//! to `error_path`: a person should not be left in front of JSON.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;

use super::login_request::{Door, LoginRequest};
use super::parameters::Parameters;
use super::{Agent, Asked, answer, start};
use crate::refusal::{Code, Refusal};

/// `POST login/start`
pub(super) async fn by_script(
    State(agent): State<Agent>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Body<'a> {
        authorization_url: &'a str,
    }
    let request = LoginRequest::check(&agent.app, &parameters, Door::Script)?;
    let started = start::start(&agent, &headers, request).await?;
    answer::json(
        &Body {
            authorization_url: started.authorization_url.as_str(),
        },
        started.cookies,
    )
}

/// `GET login`. The gate has seen to it that this is a navigation that may start a login (L-20).
pub(super) async fn by_navigation(
    State(agent): State<Agent>,
    Extension(asked): Extension<Asked>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let door = Door::Navigation {
        first_party: is_first_party(&headers),
    };
    let request = LoginRequest::check(&agent.app, &Parameters::of_query(query.as_deref()), door)?;
    match start::start(&agent, &headers, request).await {
        Ok(started) => answer::see_other(started.authorization_url.as_str(), started.cookies),
        Err(refusal) if refusal.code == Code::InvalidRequest => Err(refusal),
        Err(refusal) => answer::to_error_path(&agent.app, asked, refusal),
    }
}

/// Whether the browser vouches that no stranger led here (Fetch Metadata; `same-site` passed the gate by being listed).
fn is_first_party(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| {
        ["same-origin", "same-site", "none"]
            .iter()
            .any(|known| site == known)
    })
}
