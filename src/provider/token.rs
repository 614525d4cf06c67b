//! The token endpoint (RFC 6749 §4.1.3, §5, §6) through the `oauth2` crate.
//!
//! What counts as a token response (C-09, attack 181): status 200, a JSON object, `access_token` of visible ASCII,
//! `token_type` Bearer in any case. `expires_in` is a whole number of seconds or the same in digits as a string, never
//! negative, fractional or beyond 64 bits. `scope` is a string, or an array of them as some providers write it. `null` and
//! an empty refresh or ID token count as absent; unknown members are ignored. How long a refresh token lives is no
//! standard's: `refresh_expires_in` and `refresh_token_expires_in` are believed where they say something, and 0 is what
//! Keycloak says of one that does not expire.
//!
//! What counts as a refusal: the code of a JSON error, matched against the registered ones. `invalid_client` and
//! `unauthorized_client` are our own trouble, not the user's: [`ProviderError::Invalid`]. Texts of the provider are never
//! repeated: an `error_description` may hold anything.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::StatusCode;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardRevocableToken, TokenUrl,
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::config;
use crate::token::{AccessToken, AuthorizationCode, IdToken, RefreshToken, TokenSet, Verifier};

use super::error_code::registered_error_code;
use super::http::Http;
use super::{ProviderError, client_auth, strict_json};

/// Redeems a code.
///
/// # Errors
/// Every kind but `StepUp`.
pub(super) async fn redeem(
    http: &Http,
    config: &config::Provider,
    endpoint: &Url,
    code: AuthorizationCode,
    verifier: &Verifier,
    redirect_uri: &str,
) -> Result<TokenSet, ProviderError> {
    let redirect_uri =
        RedirectUrl::new(redirect_uri.to_owned()).map_err(|_| invalid("`redirect_uri` is no URL"))?;
    let client = client(config, endpoint);
    let mut request = client
        .exchange_code(oauth2::AuthorizationCode::new(code.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
        .set_redirect_uri(Cow::Owned(redirect_uri));
    for resource in &config.resource {
        request = request.add_extra_param("resource", &**resource);
    }
    finish(request.request_async(http).await, config)
}

/// Rotates a refresh token.
///
/// # Errors
/// Every kind but `StepUp`.
pub(super) async fn rotate(
    http: &Http,
    config: &config::Provider,
    endpoint: &Url,
    refresh: &RefreshToken,
) -> Result<TokenSet, ProviderError> {
    let client = client(config, endpoint);
    let refresh = oauth2::RefreshToken::new(refresh.expose().to_owned());
    let mut request = client.exchange_refresh_token(&refresh);
    for resource in &config.resource {
        request = request.add_extra_param("resource", &**resource);
    }
    finish(request.request_async(http).await, config)
}

/// Named, and boxed as what it is: a closure here would leave the future of a renewal without a provable `Send`.
impl<'c> AsyncHttpClient<'c> for Http {
    type Error = ProviderError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ProviderError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async {
            let response = self.send(request).await?;
            // The crate stops reading after the first object; what follows it makes two answers of one (C-09).
            if response.status() == StatusCode::OK && strict_json::object(response.body()).is_err() {
                return Err(ProviderError::Invalid(
                    "the answer is no JSON object with each member once".into(),
                ));
            }
            Ok(response)
        })
    }
}

type Client = oauth2::Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

fn client(config: &config::Provider, endpoint: &Url) -> Client {
    oauth2::Client::new(ClientId::new(config.client_id.to_string()))
        .set_client_secret(ClientSecret::new(config.client_secret.expose_secret().to_owned()))
        .set_auth_type(client_auth::method(config))
        .set_token_uri(TokenUrl::from_url(endpoint.clone()))
}

fn finish(
    result: Result<Answer, RequestTokenError<ProviderError, BasicErrorResponse>>,
    config: &config::Provider,
) -> Result<TokenSet, ProviderError> {
    match result {
        Ok(answer) => answer.into_token_set(config.default_expires_in),
        Err(RequestTokenError::Request(error)) => Err(error.about("token endpoint")),
        Err(RequestTokenError::ServerResponse(refusal)) => Err(refused(refusal.error().as_ref())),
        // The other kinds carry the body: they are not looked at any further.
        Err(_) => Err(invalid(
            "the answer is neither a token response nor an error of OAuth",
        )),
    }
}

fn refused(code: &str) -> ProviderError {
    match registered_error_code(code) {
        "invalid_grant" => ProviderError::InvalidGrant,
        code @ ("invalid_client" | "unauthorized_client") => {
            invalid(&format!("it refused our client: {code}"))
        }
        code => ProviderError::Refused(code),
    }
}

/// A token response as it comes. Shows nothing and serializes to nothing: the `oauth2` crate asks for both.
#[derive(Deserialize)]
struct Answer {
    access_token: oauth2::AccessToken,
    token_type: String,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    refresh_token: Option<oauth2::RefreshToken>,
    #[serde(default, deserialize_with = "seconds_perhaps")]
    refresh_expires_in: Option<u64>,
    #[serde(default, deserialize_with = "seconds_perhaps")]
    refresh_token_expires_in: Option<u64>,
    id_token: Option<String>,
    #[serde(default, deserialize_with = "scope")]
    scope: Option<String>,
}

impl Answer {
    fn into_token_set(self, default_expires_in: Option<Duration>) -> Result<TokenSet, ProviderError> {
        if !self.token_type.eq_ignore_ascii_case("bearer") {
            return Err(invalid("`token_type` is not Bearer"));
        }
        let access = self.access_token.into_secret();
        // It goes into a header (RFC 6750 §2.1): no spaces, no line breaks.
        if access.is_empty() || !access.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid("`access_token` is not made of visible ASCII characters"));
        }
        Ok(TokenSet {
            access: AccessToken::new(access),
            expires_in: self.expires_in.map(Duration::from_secs).or(default_expires_in),
            refresh: self
                .refresh_token
                .map(oauth2::RefreshToken::into_secret)
                .filter(|token| !token.is_empty())
                .map(RefreshToken::new),
            refresh_expires_in: self
                .refresh_expires_in
                .or(self.refresh_token_expires_in)
                .map(Duration::from_secs),
            id_token: self.id_token.filter(|token| !token.is_empty()).map(IdToken::new),
            scope: self.scope,
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(***)")
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl oauth2::TokenResponse for Answer {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &oauth2::AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &BasicTokenType::Bearer
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&oauth2::RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

/// A whole number, or one in digits; lifetimes of more than a century are a century long.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(u64),
        Digits(String),
    }
    let seconds = match Option::<Seconds>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Seconds::Number(seconds)) => seconds,
        Some(Seconds::Digits(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map_err(serde::de::Error::custom)?
        }
        Some(Seconds::Digits(_)) => return Err(serde::de::Error::custom("not a number of seconds")),
    };
    Ok(Some(seconds.min(CENTURY)))
}

/// The same of a member that no standard knows: what does not say a time says nothing.
fn seconds_perhaps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(seconds(value).ok().flatten().filter(|seconds| *seconds > 0))
}

fn scope<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Granted {
        Text(String),
        List(Vec<String>),
    }
    Ok(
        Option::<Granted>::deserialize(deserializer)?.map(|granted| match granted {
            Granted::Text(text) => text,
            Granted::List(list) => list.join(" "),
        }),
    )
}

fn invalid(text: &str) -> ProviderError {
    ProviderError::Invalid(format!("token endpoint: {text}").into())
}

const CENTURY: u64 = 100 * 365 * 24 * 60 * 60;
