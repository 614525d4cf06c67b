//! Every "no" that this service says over HTTP: one closed list of codes (contract §6), one type that carries
//! a refusal from where it is decided to where it is rendered, one place that renders it.
//!
//! A refusal has two messages: `detail` for the client (stable, never provider text, secrets or paths of the
//! machine) and `log` for the operator. It says whose fault it is; that drives the log level.

use std::borrow::Cow;
use std::fmt;

use http::header::{self, HeaderValue};
use http::{Method, Response, StatusCode};

use crate::body::ResponseBody;
use crate::gate::RequestId;

/// The stable error codes of contract §6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "the code is its own name; contract §6 and docs/reference/errors.md explain each"
)]
pub enum Code {
    InvalidRequest,
    LoginStateInvalid,
    AuthorizationError,
    SessionMissing,
    SessionExpired,
    SessionRevoked,
    AccessTokenExpired,
    StepUpRequired,
    TokenInvalid,
    CsrfRejected,
    OriginRejected,
    Forbidden,
    RouteNotFound,
    MethodNotAllowed,
    RefreshSuperseded,
    PayloadTooLarge,
    UriTooLong,
    HeadersTooLarge,
    RateLimited,
    Internal,
    UpstreamUnavailable,
    SessionTooLarge,
    ProviderResponseInvalid,
    ProviderUnavailable,
    Overloaded,
    StoreUnavailable,
    UpstreamTimeout,
}

/// Whose fault a refusal is: decides the log level, and nothing the client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The browser (or whoever pretends to be one) sent something it should not have.
    Client,
    /// The provider is down or broke the protocol.
    Provider,
    /// The upstream API is down, slow or broke the protocol.
    Upstream,
    /// Ourselves.
    Us,
}

impl Code {
    /// The code as it stands in `error_code` and in the header `token-handler-error`.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that carries it.
    pub const fn status(self) -> StatusCode {
        self.row().1
    }

    /// Whose fault it is.
    pub const fn fault(self) -> Fault {
        self.row().2
    }

    /// What the client reads when the refusal says nothing more telling.
    pub const fn detail(self) -> &'static str {
        self.row().3
    }

    /// The one table: code, status, fault, text.
    #[expect(clippy::too_many_lines, reason = "one table is read more easily than two")]
    const fn row(self) -> (&'static str, StatusCode, Fault, &'static str) {
        use Fault::{Client, Provider, Upstream, Us};
        type S = StatusCode;
        match self {
            Self::InvalidRequest => (
                "invalid_request",
                S::BAD_REQUEST,
                Client,
                "The request is malformed.",
            ),
            Self::LoginStateInvalid => (
                "login_state_invalid",
                S::BAD_REQUEST,
                Client,
                "This login is unknown, finished or too old. Start again.",
            ),
            Self::AuthorizationError => (
                "authorization_error",
                S::BAD_REQUEST,
                Client,
                "The provider did not authorize this login.",
            ),
            Self::SessionMissing => (
                "session_missing",
                S::UNAUTHORIZED,
                Client,
                "There is no session. Sign in.",
            ),
            Self::SessionExpired => (
                "session_expired",
                S::UNAUTHORIZED,
                Client,
                "The session has expired. Sign in again.",
            ),
            Self::SessionRevoked => (
                "session_revoked",
                S::UNAUTHORIZED,
                Client,
                "The session was ended. Sign in again.",
            ),
            Self::AccessTokenExpired => (
                "access_token_expired",
                S::UNAUTHORIZED,
                Client,
                "The access token has expired. Call refresh, then try again.",
            ),
            Self::StepUpRequired => (
                "step_up_required",
                S::UNAUTHORIZED,
                Client,
                "A stronger or fresher login is required.",
            ),
            Self::TokenInvalid => (
                "token_invalid",
                S::UNAUTHORIZED,
                Client,
                "The bearer token is missing or wrong.",
            ),
            Self::CsrfRejected => (
                "csrf_rejected",
                S::FORBIDDEN,
                Client,
                "The request does not prove that the app made it. Send the header token-handler-version: 1 from a same-origin script.",
            ),
            Self::OriginRejected => (
                "origin_rejected",
                S::FORBIDDEN,
                Client,
                "This origin is not allowed.",
            ),
            Self::Forbidden => ("forbidden", S::FORBIDDEN, Client, "Not allowed."),
            Self::RouteNotFound => ("route_not_found", S::NOT_FOUND, Client, "Nothing is served here."),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                S::METHOD_NOT_ALLOWED,
                Client,
                "This method is not allowed here.",
            ),
            Self::RefreshSuperseded => (
                "refresh_superseded",
                S::CONFLICT,
                Client,
                "Another request renewed the session. Try again once with the cookies now in the jar.",
            ),
            Self::PayloadTooLarge => (
                "payload_too_large",
                S::PAYLOAD_TOO_LARGE,
                Client,
                "The body is larger than allowed here.",
            ),
            Self::UriTooLong => (
                "uri_too_long",
                S::URI_TOO_LONG,
                Client,
                "The request target is too long.",
            ),
            Self::HeadersTooLarge => (
                "headers_too_large",
                S::REQUEST_HEADER_FIELDS_TOO_LARGE,
                Client,
                "The request headers are too large.",
            ),
            Self::RateLimited => (
                "rate_limited",
                S::TOO_MANY_REQUESTS,
                Client,
                "Too many requests. Try again later.",
            ),
            Self::Internal => (
                "internal",
                S::INTERNAL_SERVER_ERROR,
                Us,
                "Something went wrong here.",
            ),
            Self::UpstreamUnavailable => (
                "upstream_unavailable",
                S::BAD_GATEWAY,
                Upstream,
                "The API cannot be reached.",
            ),
            Self::SessionTooLarge => (
                "session_too_large",
                S::BAD_GATEWAY,
                Provider,
                "The provider's tokens do not fit into the cookie budget.",
            ),
            Self::ProviderResponseInvalid => (
                "provider_response_invalid",
                S::BAD_GATEWAY,
                Provider,
                "The provider's answer did not check out.",
            ),
            Self::ProviderUnavailable => (
                "provider_unavailable",
                S::SERVICE_UNAVAILABLE,
                Provider,
                "The provider cannot be reached. Try again.",
            ),
            Self::Overloaded => (
                "overloaded",
                S::SERVICE_UNAVAILABLE,
                Us,
                "Too busy right now. Try again.",
            ),
            Self::StoreUnavailable => (
                "store_unavailable",
                S::SERVICE_UNAVAILABLE,
                Us,
                "Shared state cannot be reached. Try again.",
            ),
            Self::UpstreamTimeout => (
                "upstream_timeout",
                S::GATEWAY_TIMEOUT,
                Upstream,
                "The API did not answer in time.",
            ),
        }
    }
}

/// One refusal on its way out.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What is said.
    pub code: Code,
    /// The client's text, where it says more than [`Code::detail`].
    pub detail: Option<Cow<'static, str>>,
    /// The operator's text. Never a secret: it goes to the log.
    pub log: Option<Cow<'static, str>>,
    /// `provider_error`: only a registered OAuth or OpenID Connect code, or `other`.
    pub provider_error: Option<&'static str>,
    /// With `step_up_required`: what the next login must bring.
    pub demanded: Option<Demanded>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// `Allow`, with a 405 (RFC 9110 §15.5.6).
    pub allow: Option<HeaderValue>,
    /// `Set-Cookie` values that go out with the refusal: cleared or renewed cookies.
    pub set_cookies: Vec<HeaderValue>,
    /// Close the connection after this answer: the rest of the request was not read.
    pub close: bool,
}

/// What was demanded of a login and not met (RFC 9470 §3): rendered as `acr_values` and `max_age`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demanded {
    /// The acceptable `acr` values, separated by spaces; empty = any.
    pub acr_values: Box<str>,
    /// Seconds since the user proved who they are, at most.
    pub max_age: Option<u64>,
}

impl Refusal {
    /// A refusal with nothing but its code.
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            log: None,
            provider_error: None,
            demanded: None,
            retry_after: None,
            allow: None,
            set_cookies: Vec::new(),
            close: false,
        }
    }

    /// 405 with its `Allow`.
    pub fn method_not_allowed(allow: HeaderValue) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(Code::MethodNotAllowed)
        }
    }

    /// Says more to the client. Never provider text, secrets or paths of the machine.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says more to the operator. Never a secret.
    #[must_use]
    pub fn because(mut self, log: impl Into<Cow<'static, str>>) -> Self {
        self.log = Some(log.into());
        self
    }

    /// Adds `Retry-After`.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Closes the connection behind the answer: the rest of the request is not read, or not to be trusted.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// Sends these cookies out with the refusal.
    #[must_use]
    pub fn with_cookies(mut self, cookies: Vec<HeaderValue>) -> Self {
        self.set_cookies.extend(cookies);
        self
    }

    /// The answer (contract §6): JSON of exactly `application/json`, `token-handler-error`, `no-store`. CORS,
    /// `x-request-id` and the hardening headers are added to every answer alike, by [`crate::gate`].
    pub fn render(self, request: RequestId, method: &Method) -> Response<ResponseBody> {
        #[derive(serde::Serialize)]
        struct Body<'a> {
            error_code: &'static str,
            detailed_error: &'a str,
            request_id: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            provider_error: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            acr_values: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            max_age: Option<u64>,
        }
        let demanded = self.demanded.as_ref();
        let body = Body {
            error_code: self.code.as_str(),
            detailed_error: self.detail.as_deref().unwrap_or(self.code.detail()),
            request_id: request.to_string(),
            provider_error: self.provider_error,
            acr_values: demanded
                .map(|demanded| &*demanded.acr_values)
                .filter(|values| !values.is_empty()),
            max_age: demanded.and_then(|demanded| demanded.max_age),
        };
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(if method == Method::HEAD {
            ResponseBody::Empty
        } else {
            ResponseBody::full(json)
        });
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(TOKEN_HANDLER_ERROR, HeaderValue::from_static(self.code.as_str()));
        if self.code.status() == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2 wants a challenge; a scheme of our own keeps browsers from asking for a password (P-15).
            // Whoever came with a bearer token, or should have, is told by the scheme of RFC 6750 §3.
            let challenge = match self.code {
                Code::TokenInvalid => "Bearer error=\"invalid_token\"",
                _ => "Token-Handler",
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, allow);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        for cookie in self.set_cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        if let Some(log) = &self.log {
            write!(f, ": {log}")?;
        }
        Ok(())
    }
}

/// Tells a 401 of ours from a 401 of the API (contract §6).
pub const TOKEN_HANDLER_ERROR: http::HeaderName = http::HeaderName::from_static("token-handler-error");
