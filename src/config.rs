//! The checked configuration: types that cannot be wrong. One struct per TOML table of contract §7.
//!
//! 1. [`Config::load`] and its kind are the only way in from outside. They parse once, report every problem at once with
//!    code, file, line and the key's path, and resolve secret references. Nothing downstream validates again.
//! 2. A key that is not built yet is refused, never accepted and ignored; so is one that does not exist.
//! 3. No secret is ever printed: snippets are masked before they are drawn.
//!
//! | file | what it does |
//! | --- | --- |
//! | `load` | the walk from text to [`Config`] |
//! | `document`, `schema`, `table` | the text as a tree; which keys exist; how a table is read |
//! | `server`, `admin`, `keys`, `store`, `app`, `provider`, `session`, `route` | one TOML table each |
//! | `logout` | of `provider`: how a logout goes, to the provider and from it |
//! | `secret`, `variables`, `overrides` | references to secrets, the environment, what it overrides |
//! | `overlap`, `landing`, `path`, `site` | what holds between values: paths, pages, sites |
//! | `duration`, `size`, `origin`, `upstream`, `redis_url` | values of their own form |
//! | `problem`, `mask`, `render`, `later` | what is wrong, what of it may be shown, how it reads; what comes later |
//! | `meant` | what is right and perhaps not meant |
//! | `entries` | every key with its value, as it may be shown |
//! | `effective` | what it comes to, and where each value is from |
//! | `changes` | what a reload changes |
//! | `key_id` | the name of a cookie key |

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method};
use ipnet::IpNet;
use secrecy::SecretString;

mod admin;
mod app;
mod changes;
mod check;
mod document;
mod duration;
mod effective;
mod entries;
mod key_id;
mod keys;
mod landing;
mod later;
mod load;
mod logout;
mod mask;
mod meant;
mod origin;
mod overlap;
mod overrides;
mod path;
mod problem;
mod provider;
mod redis_url;
mod render;
mod route;
mod schema;
mod secret;
mod server;
mod session;
mod site;
mod size;
mod store;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod upstream;
mod variables;

pub use changes::{Change, Changes};
pub use effective::Effective;
pub use load::Checked;
pub use logout::{LogoutHint, LogoutMode, LogoutTokenTyp};
pub use origin::{Origin, Scheme, is_loopback_host};
pub use problem::{Code, Problem, Problems, Severity};
pub use redis_url::{RedisForm, RedisUrl};
pub use render::Look;
pub(crate) use session::NEVER_SHOWN;
pub use session::{RefreshMode, Session, SessionMode};
pub use store::Redis;
pub use upstream::{Transport, Upstream};
pub use variables::Variables;

/// Everything that `serve` needs, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[admin]`; absent = off.
    pub admin: Option<Admin>,
    /// `[keys]`: at least one; the first seals, all open.
    pub keys: Vec<CookieKey>,
    /// `[store]`
    pub store: StoreKind,
    /// `[[app]]`: at least one; ids unique; apps that share an origin have disjoint paths.
    pub apps: Vec<Arc<App>>,
}

/// `[server]`
#[derive(Debug, Clone)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Peers whose `Forwarded` / `X-Forwarded-*` are believed, counted from the right.
    pub trusted_proxies: Vec<IpNet>,
    /// The request head may be this large; more is 431.
    pub max_header_bytes: usize,
}

/// `[admin]`: a listener for operators and their machines.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Where to listen.
    pub listen: SocketAddr,
    /// `insecure_http`: plain HTTP off loopback is meant.
    pub insecure_http: bool,
    /// `token`: what `GET /sessions` and `POST /revoke` ask for; without it there are none.
    pub token: Option<SecretString>,
}

/// One 32-byte cookie key; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct CookieKey(pub(crate) Arc<zeroize::Zeroizing<[u8; 32]>>);

/// `[store] kind`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreKind {
    /// One process holds the shared state.
    Memory {
        /// `file`: where it is written down, so that a restart forgets nothing.
        file: Option<PathBuf>,
    },
    /// Several processes share it in Redis or Valkey.
    Redis(Redis),
    /// Several processes that share nothing.
    None,
}

/// The app's id as it stands in cookie names: `[a-z0-9-]`, at most 16 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AppId(pub(crate) Arc<str>);

impl AppId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `[[app]]`: one SPA with its origin and client registration.
#[derive(Debug, Clone)]
pub struct App {
    /// `id`
    pub id: AppId,
    /// `origin`: where browsers reach this service for this app.
    pub origin: Origin,
    /// `spa_origin`: where `return_to`, `error_path` and `post_logout_path` resolve; `origin` or one of `allowed_origins`.
    pub spa_origin: Origin,
    /// `agent_path`: canonical, one leading slash, no trailing slash.
    pub agent_path: Box<str>,
    /// `allowed_origins`: further web origins of the SPA (CORS).
    pub allowed_origins: Vec<Origin>,
    /// `error_path`, of `return_to`'s form.
    pub error_path: Box<str>,
    /// `post_logout_path`, of `return_to`'s form.
    pub post_logout_path: Box<str>,
    /// `spa`: the SPA's files, where this service delivers them too.
    pub spa: Option<SpaFiles>,
    /// `[app.provider]`
    pub provider: Provider,
    /// `[app.session]`
    pub session: Session,
    /// `[[app.route]]`: prefixes unique within the app.
    pub routes: Vec<Arc<Route>>,
}

impl App {
    /// Whether `origin` (as sent in the `Origin` field) is the app's own or one of the listed ones.
    pub fn lists_origin(&self, origin: &str) -> bool {
        self.origin.as_str() == origin
            || self
                .allowed_origins
                .iter()
                .any(|listed| listed.as_str() == origin)
    }
}

/// Where the SPA's files come from.
#[derive(Debug, Clone)]
pub enum SpaFiles {
    /// `spa = { dir = "…" }`, absolute.
    Dir(PathBuf),
    /// The bundled `spa-demo/` (only `demo` builds this).
    Bundled,
}

/// `[app.provider]`: the authorization server and our registration there.
#[derive(Debug, Clone)]
pub struct Provider {
    /// `issuer`, byte for byte as configured: compared code point for code point (D-01).
    pub issuer: Box<str>,
    /// `client_id`
    pub client_id: Box<str>,
    /// `client_secret`, resolved.
    pub client_secret: SecretString,
    /// `client_auth`
    pub client_auth: ClientAuth,
    /// `scopes`; contains `openid`.
    pub scopes: Vec<Box<str>>,
    /// `redirect_uri`, sent byte for byte.
    pub redirect_uri: Box<str>,
    /// `post_logout_redirect_uri`, sent byte for byte.
    pub post_logout_redirect_uri: Box<str>,
    /// `ca_file`, its PEM bytes.
    pub ca_pem: Option<Vec<u8>>,
    /// `id_token_alg`: the one registered algorithm (T-05).
    pub id_token_alg: jsonwebtoken::Algorithm,
    /// `audience`: extra authorization parameter.
    pub audience: Option<Box<str>>,
    /// `resource`: RFC 8707, may repeat.
    pub resource: Vec<Box<str>>,
    /// `acr_values` asked at every login.
    pub acr_values: Vec<Box<str>>,
    /// `allowed_acr_values`: what a login may ask beyond that.
    pub allowed_acr_values: Vec<Box<str>>,
    /// `max_age` asked at every login.
    pub max_age: Option<Duration>,
    /// `require_iss`: RFC 9207 `iss` demanded even where metadata does not announce it.
    pub require_iss: bool,
    /// `userinfo = "at_login"`: fetched right after the ID token has passed; default on demand.
    pub userinfo_at_login: bool,
    /// `default_expires_in`: where the token response says nothing.
    pub default_expires_in: Option<Duration>,
    /// `logout_mode`
    pub logout_mode: LogoutMode,
    /// `logout_hint`
    pub logout_hint: LogoutHint,
    /// `logout_token_typ`
    pub logout_token_typ: LogoutTokenTyp,
    /// `third_party_login` (OpenID Connect Core §4)
    pub third_party_login: bool,
}

/// `client_auth`: how we prove who we are at the token endpoint (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
}

impl ClientAuth {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

/// `[[app.route]]`: one API path prefix with its upstream.
#[derive(Debug, Clone)]
pub struct Route {
    /// `path`: canonical prefix, whole segments, one leading slash, no trailing slash (but `/` itself).
    pub path: Box<str>,
    /// `upstream`
    pub upstream: Upstream,
    /// `methods`; `None` = all but TRACE and CONNECT. `GET` implies `HEAD`.
    pub methods: Option<Vec<Method>>,
    /// `strip_path`: the upstream does not see the prefix.
    pub strip_path: bool,
    /// `session`
    pub session: SessionNeed,
    /// `token`
    pub token: TokenKind,
    /// `csrf`
    pub csrf: CsrfRule,
    /// `drop_cookies`: no cookie at all goes upstream.
    pub drop_cookies: bool,
    /// `drop_headers`
    pub drop_headers: Vec<HeaderName>,
    /// `encoded_slash = "pass"`
    pub pass_encoded_slash: bool,
    /// `timeout`: until the response head.
    pub timeout: Duration,
    /// `stream_idle_timeout`: between two pieces of a body.
    pub stream_idle_timeout: Duration,
    /// `connect_timeout`
    pub connect_timeout: Duration,
    /// `max_body` in bytes.
    pub max_body: u64,
}

impl Route {
    /// Whether `method` passes the route's `methods`; `GET` implies `HEAD`; TRACE and CONNECT never pass.
    pub fn allows(&self, method: &Method) -> bool {
        // In any case: methods are case-sensitive here, and an upstream may think otherwise.
        if ["TRACE", "CONNECT"]
            .iter()
            .any(|never| method.as_str().eq_ignore_ascii_case(never))
        {
            return false;
        }
        self.methods.as_ref().is_none_or(|methods| {
            methods.contains(method) || (method == Method::HEAD && methods.contains(&Method::GET))
        })
    }
}

/// `session` of a route
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionNeed {
    /// No session → 401.
    Required,
    /// Anonymous only without a cookie; an ended session is refused as with `Required`.
    Optional,
    /// Public: no cookie opened, no CSRF header asked.
    None,
}

impl SessionNeed {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::None => "none",
        }
    }
}

/// `token` of a route
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The session's access token as it is.
    Access,
    /// Nothing attached.
    None,
}

impl TokenKind {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::None => "none",
        }
    }
}

/// `csrf` of a route
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsrfRule {
    /// The custom header on every call.
    Header,
    /// GET and HEAD pass without it when `Sec-Fetch-Site: same-origin` is there.
    FetchMetadata,
}

impl CsrfRule {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::FetchMetadata => "fetch_metadata",
        }
    }
}

impl std::fmt::Debug for CookieKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieKey(***)")
    }
}
