//! The configuration that tests of every room begin with: read from the text that a person would write, so that no test
//! holds an idea of its own of what the defaults are. A test changes what it is about.

use std::path::Path;
use std::sync::Arc;

use crate::config::{App, Config, CookieKey, Route, Variables};

/// App `shop` at `https://shop.example.com`, registered as `shop` at `https://login.example.com`, without routes.
pub(crate) fn app() -> App {
    app_at("https://shop.example.com")
}

/// The same app elsewhere.
pub(crate) fn app_at(origin: &str) -> App {
    App {
        routes: Vec::new(),
        ..Arc::unwrap_or_clone(read(origin, "http://127.0.0.1:1").apps.remove(0))
    }
}

/// A route at `/api` to `upstream`.
pub(crate) fn route(upstream: &str) -> Route {
    Route::clone(&read("https://shop.example.com", upstream).apps[0].routes[0])
}

/// A cookie key that nobody would be allowed to configure: each of its bytes is this one.
pub(crate) fn key(byte: u8) -> CookieKey {
    CookieKey(Arc::new(zeroize::Zeroizing::new([byte; 32])))
}

/// A configuration with these apps.
pub(crate) fn config(apps: Vec<App>) -> Config {
    Config {
        apps: apps.into_iter().map(Arc::new).collect(),
        ..read("https://shop.example.com", "http://127.0.0.1:1")
    }
}

fn read(origin: &str, upstream: &str) -> Config {
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:0"
[keys]
cookie = ["env:COOKIE_KEY"]
[[app]]
id = "shop"
origin = "{origin}"
[app.provider]
issuer = "https://login.example.com"
client_id = "shop"
client_secret = "env:CLIENT_SECRET"
[[app.route]]
path = "/api"
upstream = "{upstream}"
insecure_http = true
"#
    );
    let variables = Variables::from_iter([
        ("COOKIE_KEY", "Y2xvYWtyb29tIHRlc3Qga2V5IG51bWJlciBvbmUgISE="),
        ("CLIENT_SECRET", "client-secret-of-the-shop"),
    ]);
    Config::parse(&text, "fixture", Path::new(""), &variables).unwrap()
}
