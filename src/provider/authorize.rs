//! The authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core §3.1.2.1).
//!
//! Always the code flow with PKCE `S256` (L-01, L-03); `redirect_uri` and `client_id` byte for byte from the
//! configuration (L-09); every parameter exactly once but `resource`, which may repeat (RFC 8707 §2).

use oauth2::{PkceCodeChallenge, PkceCodeVerifier};
use url::Url;

use crate::config;

use super::AuthorizationRequest;
use super::query::with_parameters;

/// Where to send the browser.
pub(super) fn authorization_url(
    endpoint: &Url,
    config: &config::Provider,
    request: &AuthorizationRequest<'_>,
) -> Url {
    let verifier = PkceCodeVerifier::new(request.verifier.expose().to_owned());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    let configured_scope = config.scopes.join(" ");
    let acr_values = request.acr_values.join(" ");
    let max_age = request.max_age.map(|seconds| seconds.to_string());

    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", &*config.client_id),
        ("redirect_uri", &*config.redirect_uri),
        ("scope", request.scope.unwrap_or(&configured_scope)),
        ("state", request.state.expose()),
        ("nonce", request.nonce.expose()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", challenge.method().as_str()),
    ];
    let optional = [
        (
            "acr_values",
            Some(acr_values.as_str()).filter(|values| !values.is_empty()),
        ),
        ("max_age", max_age.as_deref()),
        ("prompt", request.prompt),
        ("login_hint", request.login_hint),
        ("ui_locales", request.ui_locales),
        ("audience", config.audience.as_deref()),
    ];
    parameters.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value))),
    );
    parameters.extend(config.resource.iter().map(|resource| ("resource", &**resource)));
    with_parameters(endpoint, &parameters)
}
