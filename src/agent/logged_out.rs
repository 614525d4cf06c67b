//! `GET logged-out`: the registered post-logout redirect URI. Leads to the app's own page and changes nothing, whatever
//! `state` says: a wrong or missing one still ends in a clean logged-out page (O-04).

use axum::extract::State;
use axum::response::Response;

use super::{Agent, answer};
use crate::refusal::Refusal;

/// `GET logged-out`
pub(super) async fn answer(State(agent): State<Agent>) -> Result<Response, Refusal> {
    answer::to_page(&agent.app, &agent.app.post_logout_path, Vec::new())
}
