//! The logout request (OpenID Connect RP-Initiated Logout §2). It is the one place where an ID token stands in a URL, and
//! script never sees that URL (contract §3).

use url::Url;

use crate::config::{self, LogoutHint};
use crate::token::IdToken;

use super::query::with_parameters;

/// Where to send the browser: who we are, where to come back to, and the configured hint at the session to end.
pub(super) fn end_session_url(
    endpoint: &Url,
    config: &config::Provider,
    id_token: Option<&IdToken>,
    sid: Option<&str>,
    state: &str,
) -> Url {
    let hint = match config.logout_hint {
        LogoutHint::IdToken => id_token.map(|token| ("id_token_hint", token.expose())),
        LogoutHint::Sid => sid.map(|sid| ("logout_hint", sid)),
        LogoutHint::ClientId => None,
    };
    let mut parameters = vec![
        ("client_id", &*config.client_id),
        ("post_logout_redirect_uri", &*config.post_logout_redirect_uri),
        ("state", state),
    ];
    parameters.extend(hint);
    with_parameters(endpoint, &parameters)
}
