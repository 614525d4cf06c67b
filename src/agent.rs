//! The OAuth agent: one file per endpoint of contract §3.
//!
//! [`Endpoint`] is the closed list: the gate asks it which methods an endpoint takes and how it is protected against
//! CSRF (405 comes before 403), the router is built from it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use http::Method;

use crate::clock::Clock;
use crate::config::App;
use crate::gate::RequestId;
use crate::provider::Provider;
use crate::random::Random;
use crate::refusal::{Code, Refusal};
use crate::renewal::Sessions;
use crate::store::Store;

mod answer;
mod backchannel_logout;
mod callback;
mod end_session;
mod finish;
mod frontchannel_logout;
mod logged_out;
mod login;
mod login_request;
mod logout;
mod parameters;
mod redeem;
mod refresh;
pub mod return_to;
mod session;
mod start;
#[cfg(test)]
pub(crate) mod tests;
mod userinfo;

pub use redeem::Places;

/// The endpoints below an app's `agent_path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the endpoint of its name in contract §3")]
pub enum Endpoint {
    Session,
    LoginStart,
    LoginEnd,
    Login,
    Callback,
    Userinfo,
    Refresh,
    Logout,
    EndSession,
    LoggedOut,
    BackchannelLogout,
    FrontchannelLogout,
}

/// How an endpoint is protected against CSRF (contract §5a).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Called by script: custom header, `Origin`, Fetch Metadata.
    Call,
    /// `GET login`: a navigation with its own rules.
    Login,
    /// Any other navigation: protected by what it carries (state, Strict cookie) or changes nothing.
    Navigation,
    /// The provider speaks, not the app: its word is a signature, or a `sid` that nobody else knows.
    Channel,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 12] = [
        Self::Session,
        Self::LoginStart,
        Self::LoginEnd,
        Self::Login,
        Self::Callback,
        Self::Userinfo,
        Self::Refresh,
        Self::Logout,
        Self::EndSession,
        Self::LoggedOut,
        Self::BackchannelLogout,
        Self::FrontchannelLogout,
    ];

    /// The path below `agent_path`, without a leading slash.
    pub fn path(self) -> &'static str {
        self.row().0
    }

    /// The one method it takes.
    pub fn method(self) -> Method {
        self.row().1
    }

    /// Whether `GET` implies `HEAD` here. Not where the answer is used up by being given (a code, a pending login, a
    /// farewell): who previews links asks by `HEAD`, and whose link it was would find it dead.
    pub fn takes_head(self) -> bool {
        matches!(self, Self::Session | Self::Userinfo | Self::LoggedOut)
    }

    /// Its CSRF rule.
    pub fn protection(self) -> Protection {
        self.row().2
    }

    /// The endpoint at `path` (below `agent_path`, without the leading slash); whole, case-sensitive.
    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }

    fn handler(self) -> MethodRouter<Agent> {
        match self {
            Self::Session => get(session::answer),
            Self::LoginStart => post(login::by_script),
            Self::LoginEnd => post(callback::by_script),
            Self::Login => get(login::by_navigation),
            Self::Callback => get(callback::by_redirect),
            Self::Userinfo => get(userinfo::answer),
            Self::Refresh => post(refresh::answer),
            Self::Logout => post(logout::answer),
            Self::EndSession => get(end_session::answer),
            Self::LoggedOut => get(logged_out::answer),
            Self::BackchannelLogout => post(backchannel_logout::answer),
            Self::FrontchannelLogout => get(frontchannel_logout::answer),
        }
    }

    fn row(self) -> (&'static str, Method, Protection) {
        use Protection::{Call, Channel, Login, Navigation};
        match self {
            Self::Session => ("session", Method::GET, Call),
            Self::LoginStart => ("login/start", Method::POST, Call),
            Self::LoginEnd => ("login/end", Method::POST, Call),
            Self::Login => ("login", Method::GET, Login),
            Self::Callback => ("callback", Method::GET, Navigation),
            Self::Userinfo => ("userinfo", Method::GET, Call),
            Self::Refresh => ("refresh", Method::POST, Call),
            Self::Logout => ("logout", Method::POST, Call),
            Self::EndSession => ("end-session", Method::GET, Navigation),
            Self::LoggedOut => ("logged-out", Method::GET, Navigation),
            Self::BackchannelLogout => ("backchannel-logout", Method::POST, Channel),
            Self::FrontchannelLogout => ("frontchannel-logout", Method::GET, Channel),
        }
    }
}

/// What the gate found out about a request, in its extensions for the endpoints.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// For the answer and the log.
    pub request_id: RequestId,
    /// The client's address, from trusted proxies where there are any.
    pub client: IpAddr,
}

/// The agent of one app.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The app.
    pub app: Arc<App>,
    /// Its sessions (and through them its cookies).
    pub sessions: Sessions,
    /// Its provider.
    pub provider: Arc<Provider>,
    /// Shared state.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// How many logins may be finished at a time.
    pub places: Places,
    /// How many frames of the provider may be answered at a time.
    pub frames: Places,
    /// The longest absolute timeout of all apps of this issuer.
    pub longest_session: Duration,
}

impl Agent {
    /// The router: paths are relative to `agent_path` (`/session`, `/login/start` …). Requests carry [`Asked`] in their
    /// extensions and have passed the gate (path, app, method, CSRF). Answers that refuse carry their
    /// [`crate::refusal::Refusal`] in the response extensions: the handler renders it.
    pub fn router(self) -> Router {
        Endpoint::ALL
            .into_iter()
            .fold(Router::new(), |router, endpoint| {
                router.route(&format!("/{}", endpoint.path()), endpoint.handler())
            })
            .fallback(async || Refusal::new(Code::RouteNotFound))
            // Bodies have one limit, where they are read: `parameters`.
            .layer(DefaultBodyLimit::disable())
            .with_state(self)
    }
}
