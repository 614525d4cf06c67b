//! A test's own world: a provider that does what it is told, an upstream that records what arrives, a browser with an
//! honest cookie jar, a clock that only tests move, and the real service between them on a real socket.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloakroom::clock::{Clock, SystemClock, Timestamp};
use cloakroom::config::Variables;
use cloakroom::random::OsRandom;
use cloakroom::store::Store;
use cloakroom::{Config, Environment, TokenHandler};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub mod balky;
#[cfg(unix)]
pub mod binary;
pub mod browser;
pub mod jar;
#[cfg(unix)]
pub mod operator;
pub mod provider;
pub mod raw;
pub mod upstream;

#[cfg(unix)]
pub use binary::Binary;
pub use browser::{Browser, Reply, parameter};
pub use provider::Provider;
pub use raw::{RawReply, raw};
pub use upstream::Upstream;

/// Everything one test owns. Dropped, it is gone.
pub struct World {
    pub provider: Provider,
    pub upstream: Upstream,
    pub clock: Arc<TestClock>,
    /// Where the service listens.
    pub address: SocketAddr,
    /// The app's origin as browsers see it: `http://app.localhost:<port>`.
    pub origin: String,
    /// What serves.
    pub handler: TokenHandler,
    _stop: oneshot::Sender<()>,
    folder: tempfile::TempDir,
}

/// One of several processes. Dropped, it is gone.
pub struct Process {
    /// Where it listens.
    pub address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// What differs from the plain world: TOML that is put into the tables of `config.toml`.
#[derive(Clone, Default)]
pub struct Plan {
    /// Goes to the top, `[server]` and more apps and routes; `{port}` is the service's port, `{upstream}` and `{issuer}`
    /// as they are.
    pub top: String,
    pub app: String,
    pub provider: String,
    pub session: String,
    /// Replaces the plain routes.
    pub routes: Option<String>,
    /// Replaces the one cookie key.
    pub keys: Option<String>,
    /// In place of the store that the configuration names.
    pub store: Option<Arc<dyn Store>>,
}

impl World {
    /// The plain world: app `shop`, `/api` behind a session, `/public` without.
    pub async fn new() -> Self {
        Self::with(Plan::default()).await
    }

    pub async fn with(plan: Plan) -> Self {
        let provider = Provider::start().await;
        let upstream = Upstream::start().await;
        Self::around(provider, upstream, plan).await
    }

    pub async fn around(provider: Provider, upstream: Upstream, plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = config(&plan, address, &provider.issuer, &upstream.url);
        let config = read(&text, folder.path());
        let clock = Arc::new(TestClock::default());
        let environment = Environment {
            clock: clock.clone(),
            random: Arc::new(OsRandom),
            store: plan.store.clone(),
        };
        let handler = TokenHandler::new(&config, environment).unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = handler.clone();
        tokio::spawn(async move {
            cloakroom::server::serve(vec![listener], serving, async { drop(stopped.await) }).await;
        });
        provider.follow(clock.clone());
        let origin = format!("http://app.localhost:{}", address.port());
        Self {
            provider,
            upstream,
            clock,
            address,
            origin,
            handler,
            _stop: stop,
            folder,
        }
    }

    /// Another process that serves the same origin: what it shares with the first one, the plan says.
    pub async fn another_process(&self, plan: &Plan) -> Process {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let text = config(plan, self.address, &self.provider.issuer, &self.upstream.url);
        let environment = Environment {
            clock: self.clock.clone(),
            random: Arc::new(OsRandom),
            store: plan.store.clone(),
        };
        let handler = TokenHandler::new(&read(&text, self.folder.path()), environment).unwrap();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(async move {
            cloakroom::server::serve(vec![listener], handler, async { drop(stopped.await) }).await;
        });
        Process { address, _stop: stop }
    }

    /// Serves another plan from the next request on.
    pub fn reload(&self, plan: &Plan) {
        self.handler.reload(&self.config(plan)).unwrap();
    }

    /// The checked configuration of `plan` for this world.
    pub fn config(&self, plan: &Plan) -> Config {
        let text = config(plan, self.address, &self.provider.issuer, &self.upstream.url);
        read(&text, self.folder.path())
    }

    /// A new browser, with nothing in its jar.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.origin)
    }

    /// A browser that is signed in as alice.
    pub async fn signed_in(&self) -> Browser {
        let browser = self.browser();
        browser.sign_in(&self.provider).await;
        browser
    }

    /// Sends bytes as they are and reads what comes back.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> RawReply {
        raw(self.address, request.as_ref()).await
    }

    /// The `Host` of the app.
    pub fn host(&self) -> String {
        format!("app.localhost:{}", self.address.port())
    }
}

/// The checked configuration of `text`.
pub fn read(text: &str, folder: &Path) -> Config {
    let more = (1..=MORE_KEYS).map(|number| (format!("COOKIE_KEY_{number}"), more_key(number)));
    let variables: Variables = more
        .chain([
            ("COOKIE_KEY".to_owned(), COOKIE_KEY.to_owned()),
            ("CLIENT_SECRET".to_owned(), provider::CLIENT_SECRET.to_owned()),
        ])
        .collect();
    match Config::parse(text, "config.toml", folder, &variables) {
        Ok(config) => config,
        Err(problems) => panic!("the test's configuration has problems:\n{problems:?}\n{text}"),
    }
}

/// The whole `config.toml` of a world.
pub fn config(plan: &Plan, address: SocketAddr, issuer: &str, upstream: &str) -> String {
    let routes = plan.routes.clone().unwrap_or_else(|| ROUTES.to_owned());
    let text = format!(
        r#"
{top}
[keys]
cookie = [{keys}]

[[app]]
id = "shop"
origin = "http://app.localhost:{{port}}"
{app}
[app.provider]
issuer = "{{issuer}}"
client_id = "shop-client"
client_secret = "env:CLIENT_SECRET"
id_token_alg = "ES256"
{provider}
[app.session]
{session}
{routes}
"#,
        top = if plan.top.contains("[server]") {
            plan.top.clone()
        } else {
            format!("[server]\nlisten = \"127.0.0.1:{{port}}\"\n{}", plan.top)
        },
        keys = plan.keys.as_deref().unwrap_or("\"env:COOKIE_KEY\""),
        app = plan.app,
        provider = if plan.provider.contains("scopes") {
            plan.provider.clone()
        } else {
            format!("scopes = [\"openid\", \"profile\"]\n{}", plan.provider)
        },
        session = plan.session,
    );
    text.replace("{port}", &address.port().to_string())
        .replace("{issuer}", issuer)
        .replace("{upstream}", upstream)
}

/// The key that the configuration finds as `COOKIE_KEY_<number>`.
fn more_key(number: usize) -> String {
    STANDARD.encode(Sha256::digest(number.to_be_bytes()))
}

/// How many of those there are.
pub const MORE_KEYS: usize = 8;

pub const COOKIE_KEY: &str = "Y2xvYWtyb29tIHRlc3Qga2V5IG51bWJlciBvbmUgISE=";

const ROUTES: &str = r#"
[[app.route]]
path = "/api"
upstream = "{upstream}"

[[app.route]]
path = "/public"
upstream = "{upstream}"
session = "none"
token = "none"
"#;

/// A clock that stands until a test moves it. Starts at a fixed moment, so that failures repeat.
#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicU64::new(1_800_000_000_000))
    }
}

impl TestClock {
    /// Stands at the time of the machine: for a provider that a process with a clock of its own asks.
    pub fn of_the_machine() -> Self {
        Self(AtomicU64::new(SystemClock.now().as_millis()))
    }

    /// Moves time forward.
    pub fn advance(&self, by: Duration) {
        self.0
            .fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Moves time forward by whole seconds.
    pub fn advance_secs(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }

    /// Sets time back, as somebody does who corrects a machine's clock.
    pub fn turn_back_secs(&self, seconds: u64) {
        self.0.fetch_sub(seconds * 1000, Ordering::SeqCst);
    }

    /// Seconds since the epoch.
    pub fn secs(&self) -> u64 {
        self.now().as_secs()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
