//! `GET callback` and `POST login/end`: how a login ends, for a redirect and for script.
//!
//! The callback answers with a 303 whatever happens (C-08): the code does not stay in the address bar, and a failure is a
//! page of the app, not JSON. An existing session survives a failure (attack 55).

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;

use super::parameters::Parameters;
use super::session::SessionBody;
use super::{Agent, Asked, answer, finish};
use crate::refusal::{Code, Refusal};

/// `GET callback`
pub(super) async fn by_redirect(
    State(agent): State<Agent>,
    Extension(asked): Extension<Asked>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    match finish::finish(&agent, &headers, &Parameters::of_query(query.as_deref())).await {
        Ok(finished) => answer::see_other(finished.return_to.location(), finished.cookies),
        Err(refusal) => answer::to_error_path(&agent.app, asked, refusal),
    }
}

/// `POST login/end`: the body is every query parameter of the page the provider came back to.
pub(super) async fn by_script(
    State(agent): State<Agent>,
    headers: HeaderMap,
    response: Parameters,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(flatten)]
        session: SessionBody,
        return_to: &'a str,
    }
    if response.odd().is_some() {
        return Err(Refusal::new(Code::InvalidRequest).saying("Every member of the body must be a text."));
    }
    let finished = finish::finish(&agent, &headers, &response).await?;
    answer::json(
        &Body {
            session: SessionBody::of(&agent.app, &finished.session, agent.clock.now()),
            return_to: finished.return_to.location(),
        },
        finished.cookies,
    )
}
