//! Token revocation (RFC 7009), by hand because the `oauth2` crate knows no revocation on a loopback provider.
//!
//! A 2xx is done, also for a token that the provider does not know (§2.2). `unsupported_token_type` is done as well: there
//! is nothing more to be had (§2.2.1). A provider that is down is asked once more after a pause.

use http::StatusCode;
use serde::Deserialize;
use url::Url;

use crate::config;

use super::error_code::registered_error_code;
use super::http::Http;
use super::{ProviderError, client_auth};

/// Revokes one token; `hint` is its kind (§2.1).
///
/// # Errors
/// `Unavailable` after the second attempt; `Invalid` when the provider says no.
pub(super) async fn revoke(
    http: &Http,
    config: &config::Provider,
    endpoint: &Url,
    token: &str,
    hint: &str,
    pause: std::time::Duration,
) -> Result<(), ProviderError> {
    let attempt = || async {
        let request = client_auth::form(config, endpoint, &[("token", token), ("token_type_hint", hint)])?;
        let response = http
            .send(request)
            .await
            .map_err(|error| error.about("revocation"))?;
        outcome(response.status(), response.body())
    };
    match attempt().await {
        Err(ProviderError::Unavailable(_)) => {
            tokio::time::sleep(pause).await;
            attempt().await
        }
        settled => settled,
    }
}

fn outcome(status: StatusCode, body: &[u8]) -> Result<(), ProviderError> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    if status.is_success() {
        return Ok(());
    }
    let code = serde_json::from_slice::<Refusal>(body)
        .map_or("other", |refusal| registered_error_code(&refusal.error));
    if code == "unsupported_token_type" {
        return Ok(());
    }
    Err(ProviderError::Invalid(
        format!("revocation: it answered {} ({code})", status.as_u16()).into(),
    ))
}
