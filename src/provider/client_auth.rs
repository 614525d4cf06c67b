//! How we prove to the provider who we are (RFC 6749 §2.3.1): one method for each request, never two.
//!
//! At the token endpoint the `oauth2` crate does it, told which by [`method`]; for the endpoints that it does not
//! reach (revocation on a loopback provider) [`form`] does the same. In `client_secret_basic` both form-urlencode id and
//! secret first, as §2.3.1 says and plain HTTP authentication does not (T-31).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Request, header};
use oauth2::AuthType;
use secrecy::ExposeSecret as _;
use url::{Url, form_urlencoded};

use crate::config::{self, ClientAuth};

use super::ProviderError;

/// The configured method, for the `oauth2` crate.
pub(super) fn method(config: &config::Provider) -> AuthType {
    match config.client_auth {
        ClientAuth::Basic => AuthType::BasicAuth,
        ClientAuth::Post => AuthType::RequestBody,
    }
}

/// An authenticated form POST.
///
/// # Errors
/// [`ProviderError::Invalid`] when the endpoint is no URL that HTTP can carry.
pub(super) fn form(
    config: &config::Provider,
    endpoint: &Url,
    parameters: &[(&str, &str)],
) -> Result<Request<Vec<u8>>, ProviderError> {
    let mut request = Request::post(endpoint.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(parameters);
    match config.client_auth {
        ClientAuth::Basic => request = request.header(header::AUTHORIZATION, basic(config)?),
        ClientAuth::Post => {
            body.append_pair("client_id", &config.client_id)
                .append_pair("client_secret", config.client_secret.expose_secret());
        }
    }
    request
        .body(body.finish().into_bytes())
        .map_err(|_| ProviderError::Invalid("the endpoint is not a usable URL".into()))
}

fn basic(config: &config::Provider) -> Result<HeaderValue, ProviderError> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!(
        "{}:{}",
        encoded(&config.client_id),
        encoded(config.client_secret.expose_secret())
    );
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(credentials)))
        .map_err(|_| ProviderError::Invalid("the client credentials fit into no header".into()))?;
    value.set_sensitive(true);
    Ok(value)
}
