//! The authorization endpoint (RFC 6749 §4.1.1, RFC 7636, RFC 9207) and the form behind it.

use std::sync::Arc;

use axum::extract::{Form, RawForm, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use cookie::{Cookie, SameSite};
use http::HeaderMap;
use http::header::{self, HeaderValue};
use url::Url;
use url::form_urlencoded::parse;

use super::grants::{Request, SignedIn};
use super::{DemoProvider, page};
use crate::demo::users::User;

/// `GET /authorize`
pub(super) async fn ask(
    State(provider): State<Arc<DemoProvider>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    provider.authorize(&headers, query.unwrap_or_default().as_bytes())
}

/// `POST /authorize` (OpenID Connect Core §3.1.2.1 asks for both)
pub(super) async fn ask_by_form(
    State(provider): State<Arc<DemoProvider>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    provider.authorize(&headers, &form)
}

/// What the login form sends.
#[derive(serde::Deserialize)]
pub(super) struct Filled {
    request: String,
    username: String,
    password: String,
}

/// `POST /login`
pub(super) async fn answer(
    State(provider): State<Arc<DemoProvider>>,
    Form(filled): Form<Filled>,
) -> Response {
    let now = provider.now();
    let Some(request) = provider.grants().waiting(&filled.request, now) else {
        return page::refusal("This sign-in is too old. Go back to the app and start again.");
    };
    let Some(user) = User::signing_in(&filled.username, &filled.password) else {
        return page::login(&filled.request, provider.client.id, Some(&filled.username), true);
    };
    let who = SignedIn {
        user: user.name,
        sid: provider.random.token(),
        since: now,
    };
    let cookie = provider.random.token();
    provider.grants().answered(&filled.request);
    provider.grants().sign_in(cookie.clone(), who.clone());
    let mut response = provider.grant(request, who);
    let cookie = Cookie::build((SSO_COOKIE, cookie))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .build();
    if let Ok(cookie) = HeaderValue::try_from(cookie.to_string()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Who is signed in with this browser, by the provider's own cookie.
pub(super) fn sso_cookie(headers: &HeaderMap) -> Option<String> {
    let fields = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|field| field.to_str().ok());
    fields
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find_map(|cookie| (cookie.name() == SSO_COOKIE).then(|| cookie.value().to_owned()))
}

impl DemoProvider {
    fn authorize(&self, headers: &HeaderMap, query: &[u8]) -> Response {
        let asked = Asked::read(query);
        // Before client and redirect URI check out, nobody is redirected anywhere (RFC 6749 §4.1.2.1).
        let Ok(asked) = asked else {
            return page::refusal("A parameter stands there twice.");
        };
        if asked.one("client_id") != Some(self.client.id) {
            return page::refusal("This client is not registered here.");
        }
        let Some(redirect_uri) = self
            .client
            .redirect_uris
            .iter()
            .find(|uri| asked.one("redirect_uri") == Some(uri))
        else {
            return page::refusal("This redirect URI is not registered for the client.");
        };
        let state = asked.one("state");
        let refuse = |error: &str| self.back(redirect_uri, state, &[("error", error)]);
        if asked.one("response_type") != Some("code") {
            return refuse("unsupported_response_type");
        }
        if asked.one("request").is_some() || asked.one("request_uri").is_some() {
            return refuse("request_not_supported");
        }
        let scope = asked.one("scope").unwrap_or_default();
        if !scope.split(' ').any(|asked| asked == "openid") {
            return refuse("invalid_scope");
        }
        let Some(challenge) = asked
            .one("code_challenge")
            .filter(|challenge| challenge.len() == 43)
        else {
            return refuse("invalid_request");
        };
        if asked.one("code_challenge_method") != Some("S256") {
            return refuse("invalid_request");
        }
        let request = Request {
            redirect_uri: redirect_uri.clone(),
            scope: known_scopes(scope),
            state: state.map(str::to_owned),
            nonce: asked.one("nonce").map(str::to_owned),
            challenge: challenge.to_owned(),
            login_hint: asked.one("login_hint").map(str::to_owned),
            made: self.now(),
        };
        let who = sso_cookie(headers).and_then(|cookie| self.grants().signed_in(&cookie));
        let fresh = |who: &SignedIn| {
            let limit = asked.one("max_age").and_then(|age| age.parse::<u64>().ok());
            limit.is_none_or(|limit| self.now().since(who.since).as_secs() <= limit)
        };
        let prompt = asked.one("prompt").unwrap_or_default();
        match who.filter(fresh) {
            Some(who) if prompt != "login" && prompt != "select_account" => self.grant(request, who),
            _ if prompt == "none" => refuse("login_required"),
            _ => {
                let id = self.random.token();
                let hint = request.login_hint.clone();
                self.grants().wait(id.clone(), request);
                page::login(&id, self.client.id, hint.as_deref(), false)
            }
        }
    }

    /// Back to the client with a code.
    fn grant(&self, request: Request, who: SignedIn) -> Response {
        let code = self.random.token();
        let response = self.back(
            &request.redirect_uri,
            request.state.as_deref(),
            &[("code", &code)],
        );
        self.grants().grant(code, request, who, self.now());
        response
    }

    /// Back to the client: with `state` and, RFC 9207, `iss`; by 303, so that no form is sent again.
    fn back(&self, redirect_uri: &str, state: Option<&str>, parameters: &[(&str, &str)]) -> Response {
        let Ok(mut url) = Url::parse(redirect_uri) else {
            return page::refusal("The redirect URI is no URL.");
        };
        url.query_pairs_mut()
            .extend_pairs(parameters)
            .extend_pairs(state.map(|state| ("state", state)))
            .append_pair("iss", &self.issuer);
        let mut response = Redirect::to(url.as_str()).into_response();
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// The parameters of an authorization request.
struct Asked(Vec<(String, String)>);

impl Asked {
    /// Reads them; a name that stands there twice is an error (RFC 6749 §3.1), but `resource` (RFC 8707).
    fn read(query: &[u8]) -> Result<Self, ()> {
        let pairs: Vec<(String, String)> = parse(query).into_owned().collect();
        let twice = |name: &str| pairs.iter().filter(|(other, _)| other == name).count() > 1;
        if pairs.iter().any(|(name, _)| name != "resource" && twice(name)) {
            Err(())
        } else {
            Ok(Self(pairs))
        }
    }

    fn one(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Unknown scopes are ignored (OpenID Connect Core §3.1.2.1).
fn known_scopes(asked: &str) -> String {
    asked
        .split(' ')
        .filter(|scope| ["openid", "profile", "email"].contains(scope))
        .collect::<Vec<_>>()
        .join(" ")
}

const SSO_COOKIE: &str = "demo-provider-session";
