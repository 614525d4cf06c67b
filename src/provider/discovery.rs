//! Provider metadata (OpenID Connect Discovery §3, §4; RFC 8414).
//!
//! Fetched at the first need, never at start. What it must fulfil, or it is refused whole:
//!
//! 1. `issuer` equals the configured one, code point for code point (D-01).
//! 2. `authorization_endpoint`, `token_endpoint` and `jwks_uri` are there; every endpoint is one that [`Http::permits`].
//! 3. It does not exclude what is configured (D-08): where it lists them, response types hold `code`, response modes
//!    `query`, token endpoint authentication our method, ID token algorithms ours; and it demands neither pushed
//!    authorization requests (RFC 9126 §5) nor signed request objects (RFC 9101 §10.5), which are not sent.
//! 4. Where it lists PKCE methods, `S256` is among them (L-05). Where it lists none, the login goes on: several large
//!    providers support PKCE without announcing it, we send it in any case, and `state` and `nonce` carry the defence
//!    against CSRF and code injection by themselves.
//!
//! Trusts the TLS connection to the configured issuer for everything else.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::config;

use super::http::Http;
use super::{ProviderError, jws, strict_json};

/// What we use of the metadata, checked.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) jwks_uri: Url,
    pub(super) userinfo_endpoint: Option<Url>,
    pub(super) revocation_endpoint: Option<Url>,
    pub(super) end_session_endpoint: Option<Url>,
    /// RFC 9207: every authorization response carries `iss`.
    pub(super) announces_iss: bool,
}

/// As it comes.
#[derive(Deserialize)]
struct Announced {
    issuer: String,
    authorization_endpoint: Option<Url>,
    token_endpoint: Option<Url>,
    jwks_uri: Option<Url>,
    userinfo_endpoint: Option<Url>,
    revocation_endpoint: Option<Url>,
    end_session_endpoint: Option<Url>,
    response_types_supported: Option<Vec<String>>,
    response_modes_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
    require_pushed_authorization_requests: Option<bool>,
    require_signed_request_object: Option<bool>,
}

impl Metadata {
    /// Asks the provider.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`], or [`ProviderError::Invalid`] naming the rule that it breaks.
    pub(super) async fn fetch(http: &Http, config: &config::Provider) -> Result<Self, ProviderError> {
        let url = metadata_url(&config.issuer)
            .ok_or_else(|| invalid("the configured issuer is no URL that metadata could be under"))?;
        let body = http.get(&url).await.map_err(|error| error.about("metadata"))?;
        Self::parse(&body, http, config)
    }

    /// Reads and checks a metadata document.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`].
    pub(super) fn parse(body: &[u8], http: &Http, config: &config::Provider) -> Result<Self, ProviderError> {
        let members =
            strict_json::object(body).map_err(|error| invalid(format!("not a JSON object: {error}")))?;
        let announced: Announced = serde_json::from_value(Value::Object(members))
            .map_err(|_| invalid("a member has the wrong type"))?;
        if announced.issuer != *config.issuer {
            return Err(invalid(format!(
                "`issuer` is {:?}, not the configured {:?}",
                shortened(&announced.issuer),
                config.issuer
            )));
        }
        announced.fits(config)?;
        let permitted = |name: &'static str, endpoint: Option<Url>| match endpoint {
            Some(url) if !http.permits(&url) => Err(invalid(format!(
                "`{name}` is neither an https URL nor (for an issuer on loopback) a loopback one"
            ))),
            endpoint => Ok(endpoint),
        };
        let required = |name: &'static str, endpoint: Option<Url>| {
            permitted(name, endpoint)?.ok_or_else(|| invalid(format!("`{name}` is missing")))
        };
        Ok(Self {
            authorization_endpoint: required("authorization_endpoint", announced.authorization_endpoint)?,
            token_endpoint: required("token_endpoint", announced.token_endpoint)?,
            jwks_uri: required("jwks_uri", announced.jwks_uri)?,
            userinfo_endpoint: permitted("userinfo_endpoint", announced.userinfo_endpoint)?,
            revocation_endpoint: permitted("revocation_endpoint", announced.revocation_endpoint)?,
            end_session_endpoint: permitted("end_session_endpoint", announced.end_session_endpoint)?,
            announces_iss: announced
                .authorization_response_iss_parameter_supported
                .unwrap_or(false),
        })
    }
}

impl Announced {
    /// Rules 3 and 4.
    fn fits(&self, config: &config::Provider) -> Result<(), ProviderError> {
        let lacks = |list: &Option<Vec<String>>, ours: &[&str]| {
            list.as_ref()
                .is_some_and(|list| !list.iter().any(|offered| ours.contains(&offered.as_str())))
        };
        let auth = config.client_auth.as_str();
        if lacks(&self.response_types_supported, &["code"]) {
            return Err(invalid("`response_types_supported` lacks `code`"));
        }
        if lacks(&self.response_modes_supported, &["query"]) {
            return Err(invalid("`response_modes_supported` lacks `query`"));
        }
        if self.require_pushed_authorization_requests == Some(true) {
            return Err(invalid(
                "`require_pushed_authorization_requests`: they are not sent",
            ));
        }
        if self.require_signed_request_object == Some(true) {
            return Err(invalid("`require_signed_request_object`: none is sent"));
        }
        if lacks(&self.code_challenge_methods_supported, &["S256"]) {
            return Err(invalid("`code_challenge_methods_supported` lacks `S256`"));
        }
        if lacks(&self.token_endpoint_auth_methods_supported, &[auth]) {
            return Err(invalid(format!(
                "`token_endpoint_auth_methods_supported` lacks the configured `client_auth`, {auth}"
            )));
        }
        let algorithms = jws::names(config.id_token_alg);
        if lacks(&self.id_token_signing_alg_values_supported, algorithms) {
            return Err(invalid(format!(
                "`id_token_signing_alg_values_supported` lacks the configured `id_token_alg`, {}",
                algorithms.first().unwrap_or(&"none")
            )));
        }
        Ok(())
    }
}

/// OpenID Connect Discovery §4.1: a final slash goes, `/.well-known/openid-configuration` comes (D-02). An issuer has
/// neither query nor fragment (§3).
pub(super) fn metadata_url(issuer: &str) -> Option<Url> {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let url = Url::parse(&format!("{base}/.well-known/openid-configuration")).ok()?;
    (url.query().is_none() && url.fragment().is_none()).then_some(url)
}

/// Enough of the provider's text for the log, never enough to fill it.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

fn invalid(text: impl std::fmt::Display) -> ProviderError {
    ProviderError::Invalid(format!("metadata: {text}").into())
}

#[cfg(test)]
mod tests;
